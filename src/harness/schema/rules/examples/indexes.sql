-- breaks index-duplicate: the unique one stays; a copy of the primary key
-- at: s.t.i_a, s.t.i_id
CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX i_a ON t (a); CREATE UNIQUE INDEX u_a ON t (a);
CREATE INDEX i_id ON t (id);
-- breaks index-duplicate: expressions, predicates and INCLUDE that are the same, in any order
-- at: s.t.e2, s.t.i2, s.t.p2
CREATE TABLE t (id int, a text, b int);
CREATE INDEX e1 ON t (lower(a)); CREATE INDEX e2 ON t (lower(a));
CREATE INDEX p1 ON t (b) WHERE id > 0; CREATE INDEX p2 ON t (b) WHERE id > 0;
CREATE INDEX i1 ON t (id) INCLUDE (a, b); CREATE INDEX i2 ON t (id) INCLUDE (b, a);
-- breaks index-duplicate: the unique key that a foreign key uses stays
-- at: s.t.a_first
CREATE TABLE t (id int NOT NULL, CONSTRAINT z_used UNIQUE (id)); CREATE TABLE c (t_id int REFERENCES t (id));
ALTER TABLE t ADD CONSTRAINT a_first UNIQUE (id);
-- keeps index-duplicate: another direction, opclass, collation, method, predicate, expression, INCLUDE, order
CREATE TABLE t (id int, a text, b int);
CREATE INDEX ON t (a); CREATE INDEX ON t (a DESC); CREATE INDEX ON t (a text_pattern_ops);
CREATE INDEX ON t (a COLLATE "POSIX"); CREATE INDEX ON t USING hash (a); CREATE INDEX ON t (a) WHERE b > 0;
CREATE INDEX ON t (lower(a)); CREATE INDEX ON t (upper(a)); CREATE INDEX ON t (a) INCLUDE (b);
CREATE INDEX ON t (a, b); CREATE INDEX ON t (b, a); CREATE INDEX ON t (a NULLS FIRST);
-- keeps index-duplicate: several operator classes of one column in GIN and GiST; two exclusions by other operators
CREATE TABLE t (id int, r int4range, s int4range, EXCLUDE USING gist (r WITH &&), EXCLUDE USING gist (r WITH =));
CREATE TABLE j (d jsonb); CREATE INDEX ON j USING gin (d jsonb_ops); CREATE INDEX ON j USING gin (d jsonb_path_ops);
-- keeps index-duplicate: an index of a partition beside its parent's
CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t DEFAULT; CREATE INDEX ON t (a);

-- breaks index-redundant: a prefix of a longer one, of the primary key, of an expression's
-- at: s.k.k_a, s.t.t_a, s.t.t_l
CREATE TABLE t (a text, b int); CREATE INDEX t_a ON t (a); CREATE INDEX t_ab ON t (a, b);
CREATE INDEX t_l ON t (lower(a)); CREATE INDEX t_lb ON t (lower(a), b);
CREATE TABLE k (a int, b int, PRIMARY KEY (a, b)); CREATE INDEX k_a ON k (a);
-- breaks index-redundant: its INCLUDE is contained, its predicate the same
-- at: s.t.i1, s.t.p1
CREATE TABLE t (a int, b int, c int, d int);
CREATE INDEX i1 ON t (a) INCLUDE (b); CREATE INDEX i2 ON t (a, c) INCLUDE (b);
CREATE INDEX p1 ON t (d) WHERE a > 0; CREATE INDEX p2 ON t (d, b) WHERE a > 0;
-- keeps index-redundant: unique, another direction, opclass, predicate, expression, method, INCLUDE, an invalid longer one
CREATE TABLE t (a text, b int, c int);
CREATE UNIQUE INDEX ON t (b); CREATE INDEX ON t (b, c);
CREATE INDEX ON t (a DESC); CREATE INDEX ON t (a text_pattern_ops); CREATE INDEX ON t (lower(a));
CREATE INDEX ON t USING hash (a); CREATE INDEX ON t (a) WHERE b > 0; CREATE INDEX ON t (a, c); CREATE INDEX ON t (upper(a), c);
CREATE TABLE u (a int, b int); CREATE INDEX ON u (a) INCLUDE (b); CREATE INDEX u_long ON u (a, (b + 1));
CREATE TABLE v (a int, b int); CREATE INDEX ON v (a); CREATE INDEX v_long ON v (a, b);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'v_long'::regclass;

-- breaks unique-redundant: the smaller key is enough
-- at: s.t.u, s.t.v
CREATE TABLE t (id int PRIMARY KEY, a int, CONSTRAINT u UNIQUE (a, id)); CREATE UNIQUE INDEX v ON t (id, a) WHERE a > 0;
-- keeps unique-redundant: a foreign key points at it; the smaller is partial; only overlapping
CREATE TABLE t (id int PRIMARY KEY, tenant int, UNIQUE (tenant, id));
CREATE TABLE c (tenant int, t_id int, FOREIGN KEY (tenant, t_id) REFERENCES t (tenant, id));
CREATE TABLE u (a int, b int, c int, UNIQUE (a, b), UNIQUE (b, c)); CREATE UNIQUE INDEX ON u (a) WHERE b > 0;
-- keeps unique-redundant: the larger compares nulls as equal, the smaller lets them in
-- since: 15
CREATE TABLE t (a int UNIQUE, b int, UNIQUE NULLS NOT DISTINCT (a, b));

-- breaks index-invalid: what a failed CONCURRENTLY leaves
-- at: s.t.i
CREATE TABLE t (a int); CREATE INDEX i ON t (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass;
-- breaks index-invalid: ON ONLY, and an index of a partition
-- at: s.t.i, s.t1.j
CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t DEFAULT;
CREATE INDEX i ON ONLY t (a); CREATE INDEX j ON t1 (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'j'::regclass;
-- keeps index-invalid: all parts attached
CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t DEFAULT;
CREATE INDEX i ON ONLY t (a); CREATE INDEX j ON t1 (a); ALTER INDEX i ATTACH PARTITION j;

-- breaks matview-without-unique-index: none, partial, on an expression
-- at: s.m1, s.m2, s.m3
CREATE MATERIALIZED VIEW m1 AS SELECT 1 AS a; CREATE INDEX ON m1 (a);
CREATE MATERIALIZED VIEW m2 AS SELECT 1 AS a; CREATE UNIQUE INDEX ON m2 (a) WHERE a > 0;
CREATE MATERIALIZED VIEW m3 AS SELECT 1 AS a; CREATE UNIQUE INDEX ON m3 ((a + 1));
-- keeps matview-without-unique-index: unique over every row; a plain view
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE UNIQUE INDEX ON m (a); CREATE VIEW v AS SELECT 1 AS a;
