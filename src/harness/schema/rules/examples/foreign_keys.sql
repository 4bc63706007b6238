-- breaks foreign-key-without-index: no index, no index with the column first
-- at: s.c.c_p_id_fkey, s.d.d_p_id_fkey
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c (id bigint PRIMARY KEY, p_id bigint REFERENCES p);
CREATE TABLE d (id bigint PRIMARY KEY, p_id bigint REFERENCES p, a int); CREATE INDEX ON d (a, p_id);
-- breaks foreign-key-without-index: partial, BRIN, GIN, INCLUDE, expression, invalid
-- at: s.c1.f1, s.c2.f2, s.c3.f3, s.c4.f4, s.c5.f5, s.c6.f6, s.c7.f7
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c1 (id bigint, p_id bigint CONSTRAINT f1 REFERENCES p); CREATE INDEX ON c1 (p_id) WHERE id > 0;
CREATE TABLE c2 (id bigint, p_id bigint CONSTRAINT f2 REFERENCES p); CREATE INDEX ON c2 USING brin (p_id);
CREATE TABLE c3 (id bigint, p_id bigint CONSTRAINT f3 REFERENCES p); CREATE INDEX ON c3 USING gin (p_id);
CREATE TABLE c4 (id bigint, p_id bigint CONSTRAINT f4 REFERENCES p); CREATE INDEX ON c4 (id) INCLUDE (p_id);
CREATE TABLE c5 (id bigint, p_id bigint CONSTRAINT f5 REFERENCES p); CREATE INDEX ON c5 ((p_id + 0));
CREATE TABLE c6 (id bigint, p_id bigint CONSTRAINT f6 REFERENCES p); CREATE INDEX c6i ON c6 (p_id);
CREATE TABLE c7 (id bigint, p_id bigint CONSTRAINT f7 REFERENCES p); CREATE INDEX ON c7 (p_id) WHERE id IS NOT NULL;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'c6i'::regclass;
-- breaks foreign-key-without-index: one column of two; both, but in two indexes; a third between
-- at: s.c1.f1, s.c2.f2, s.c3.f3
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c1 (a int, b int, CONSTRAINT f1 FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON c1 (a);
CREATE TABLE c2 (a int, b int, CONSTRAINT f2 FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON c2 (a); CREATE INDEX ON c2 (b);
CREATE TABLE c3 (a int, b int, c int, CONSTRAINT f3 FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON c3 (a, c, b);
-- breaks foreign-key-without-index: a partitioned table once, when only a partition, or ON ONLY, has the index
-- at: s.c.f, s.d.g
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c (id bigint, p_id bigint CONSTRAINT f REFERENCES p) PARTITION BY LIST (id);
CREATE TABLE c1 PARTITION OF c DEFAULT; CREATE INDEX ON c1 (p_id);
CREATE TABLE d (id bigint, p_id bigint CONSTRAINT g REFERENCES p) PARTITION BY LIST (id);
CREATE TABLE d1 PARTITION OF d DEFAULT; CREATE INDEX ON ONLY d (p_id);
-- breaks foreign-key-without-index: an index by another collation is not used
-- at: s.c.f
CREATE TABLE p (name text PRIMARY KEY);
CREATE TABLE c (name text CONSTRAINT f REFERENCES p); CREATE INDEX ON c (name COLLATE "C");
-- breaks foreign-key-without-index: quoted names, several schemas
-- at: s2.Child.Up
CREATE TABLE p (id bigint PRIMARY KEY); CREATE SCHEMA s2;
CREATE TABLE s2."Child" ("P Id" bigint CONSTRAINT "Up" REFERENCES p); CREATE INDEX ON s2."Child" ("P Id") WHERE "P Id" > 1;
-- breaks foreign-key-without-index: a reference to a partitioned table is one finding, without its hidden copies
-- at: s.c.f
CREATE TABLE p (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT;
CREATE TABLE c (p_id bigint CONSTRAINT f REFERENCES p);
-- breaks foreign-key-without-index: a temporal key needs a GiST constraint of its own
-- at: s.c.f
-- since: 18
CREATE TABLE p (id bigint, during tstzrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE c (p_id bigint, during tstzrange,
  CONSTRAINT f FOREIGN KEY (p_id, PERIOD during) REFERENCES p (id, PERIOD during));
CREATE INDEX ON c (p_id);
-- keeps foreign-key-without-index: plain, as prefix, descending, hash, NOT NULL predicate, pattern opclass, unique, key
CREATE TABLE p (id bigint PRIMARY KEY, name text UNIQUE);
CREATE TABLE c1 (p_id bigint REFERENCES p); CREATE INDEX ON c1 (p_id);
CREATE TABLE c2 (p_id bigint REFERENCES p, a int); CREATE INDEX ON c2 (p_id DESC NULLS LAST, a);
CREATE TABLE c3 (p_id bigint REFERENCES p); CREATE INDEX ON c3 USING hash (p_id);
CREATE TABLE c4 (p_id bigint REFERENCES p); CREATE INDEX ON c4 (p_id) WHERE p_id IS NOT NULL;
CREATE TABLE c5 (name text REFERENCES p (name)); CREATE INDEX ON c5 (name text_pattern_ops);
CREATE TABLE c6 (p_id bigint UNIQUE REFERENCES p);
CREATE TABLE c7 (p_id bigint PRIMARY KEY REFERENCES p);
CREATE TABLE c8 ("P Id" bigint REFERENCES p); CREATE INDEX ON c8 ("P Id") WHERE "P Id" IS NOT NULL;
CREATE TABLE c9 (p_id bigint REFERENCES p, a int, b int); CREATE INDEX ON c9 (p_id, (a + b)) INCLUDE (b);
-- keeps foreign-key-without-index: several columns in any order, with more behind; both excluded as null
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c1 (a int, b int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON c1 (b, a);
CREATE TABLE c2 (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON c2 (b DESC, a, c);
CREATE TABLE c3 (a int, b int, FOREIGN KEY (a, b) REFERENCES p);
CREATE INDEX ON c3 (a, b) WHERE a IS NOT NULL AND b IS NOT NULL;
-- keeps foreign-key-without-index: an exclusion constraint, and a partitioned table's valid index
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c1 (p_id bigint REFERENCES p, during tstzrange, EXCLUDE USING gist (p_id WITH =, during WITH &&));
CREATE TABLE c2 (id bigint, p_id bigint REFERENCES p) PARTITION BY LIST (id);
CREATE TABLE c21 PARTITION OF c2 DEFAULT; CREATE INDEX ON c2 (p_id);
-- keeps foreign-key-without-index: a temporal key over the same columns
-- since: 18
CREATE TABLE p (id bigint, during tstzrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE c (p_id bigint, during tstzrange, PRIMARY KEY (p_id, during WITHOUT OVERLAPS),
  FOREIGN KEY (p_id, PERIOD during) REFERENCES p (id, PERIOD during));

-- breaks foreign-key-type-mismatch: integer to bigint, varchar to text, behind a domain
-- at: s.c1.f1, s.c2.f2, s.c3.f3
CREATE TABLE p (id bigint PRIMARY KEY, name text UNIQUE);
CREATE TABLE c1 (p_id int CONSTRAINT f1 REFERENCES p);
CREATE TABLE c2 (name varchar CONSTRAINT f2 REFERENCES p (name));
CREATE DOMAIN small AS int; CREATE TABLE c3 (p_id small CONSTRAINT f3 REFERENCES p);
-- keeps foreign-key-type-mismatch: another length, a domain over the same type
CREATE TABLE p (id bigint PRIMARY KEY, name varchar(20) UNIQUE);
CREATE TABLE c1 (name varchar(30) REFERENCES p (name));
CREATE DOMAIN big AS bigint; CREATE TABLE c2 (p_id big REFERENCES p);

-- breaks foreign-key-missing: singular, plural in s and in es, another schema
-- at: s.c.box_id, s.c.place_id, s.c.user_id
CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE boxes (id bigint PRIMARY KEY);
CREATE SCHEMA s2; CREATE TABLE s2.place (id bigint PRIMARY KEY);
CREATE TABLE c (id bigint PRIMARY KEY, user_id bigint, box_id bigint, place_id bigint);
-- breaks foreign-key-missing: what is a foreign key under the same name in another table
-- at: s.c3.owner_id
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE c1 (owner_id bigint REFERENCES users); CREATE TABLE c2 (owner_id bigint REFERENCES users);
CREATE TABLE c3 (id bigint PRIMARY KEY, owner_id bigint NOT NULL);
-- keeps foreign-key-missing: the same name for two tables, in the own table, of another type, with a kind, a key, no _id
CREATE TABLE p (id bigint PRIMARY KEY, code text UNIQUE); CREATE TABLE q (id bigint PRIMARY KEY);
CREATE TABLE c1 (of_id bigint REFERENCES p); CREATE TABLE c2 (of_id bigint REFERENCES q); CREATE TABLE c3 (of_id bigint);
CREATE TABLE c4 (id bigint PRIMARY KEY, up_id bigint REFERENCES c4); CREATE TABLE c5 (up_id bigint);
CREATE TABLE c6 (owner_id bigint REFERENCES p, code text REFERENCES p (code), node_id bigint REFERENCES q);
CREATE TABLE c7 (owner_id text, code text); CREATE TABLE c8 (owner_type text, owner_id bigint);
CREATE TABLE c9 (node_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE c10 (node_id bigserial);
CREATE TABLE c11 (owner_id bigint[]);
-- keeps foreign-key-missing: another type, a key of two columns, a table's own key, an array, in a foreign key
CREATE TABLE users (user_id bigint PRIMARY KEY); CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b));

CREATE TABLE c1 (id bigint, user_id text, pair_id int); CREATE TABLE c2 (user_id bigint[]);
CREATE TABLE c3 (user_id bigint REFERENCES users);

-- breaks foreign-key-duplicate: the same pairs in another order
-- at: s.c1.y, s.c2.y
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE c1 (a int, b int, CONSTRAINT x FOREIGN KEY (a, b) REFERENCES p,
  CONSTRAINT y FOREIGN KEY (b, a) REFERENCES p (b, a));
CREATE TABLE c2 (q_id int CONSTRAINT x REFERENCES q CONSTRAINT y REFERENCES q ON DELETE CASCADE);
-- keeps foreign-key-duplicate: other pairs, another table, sharing a tenant, hidden copies for partitions
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE TABLE c (t int, x int, y int, FOREIGN KEY (t, x) REFERENCES p, FOREIGN KEY (t, y) REFERENCES p);

-- breaks foreign-key-composite-nullable: two nullable columns
-- at: s.c.f
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c (a int, b int, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p, CHECK (a > 0));
-- keeps foreign-key-composite-nullable: MATCH FULL, one nullable, a CHECK over both
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c1 (a int, b int, FOREIGN KEY (a, b) REFERENCES p MATCH FULL);
CREATE TABLE c2 (a int NOT NULL, b int, FOREIGN KEY (a, b) REFERENCES p);
CREATE TABLE c3 (a int, b int, FOREIGN KEY (a, b) REFERENCES p, CHECK ((a IS NULL) = (b IS NULL)));

-- breaks foreign-key-action-impossible: SET NULL and SET DEFAULT, on delete and on update
-- at: s.c1.f1, s.c2.f2, s.c3.f3
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c1 (p_id bigint NOT NULL CONSTRAINT f1 REFERENCES p ON DELETE SET NULL);
CREATE TABLE c2 (p_id bigint NOT NULL CONSTRAINT f2 REFERENCES p ON DELETE SET DEFAULT);
CREATE TABLE c3 (p_id bigint NOT NULL CONSTRAINT f3 REFERENCES p ON UPDATE SET NULL);
-- breaks foreign-key-action-impossible: SET NULL on the listed column only
-- at: s.c.f
-- since: 15
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c (a int NOT NULL, b int, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (a));
-- breaks foreign-key-action-impossible: a NOT NULL that is not validated refuses too
-- at: s.c.f
-- since: 18
CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE c (p_id bigint CONSTRAINT f REFERENCES p ON DELETE SET NULL);
ALTER TABLE c ADD CONSTRAINT n NOT NULL p_id NOT VALID;
-- keeps foreign-key-action-impossible: nullable, a default, CASCADE, a listed nullable column
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE c1 (p_id bigint REFERENCES p ON DELETE SET NULL);
CREATE TABLE c2 (p_id bigint NOT NULL DEFAULT 1 REFERENCES p ON DELETE SET DEFAULT);
CREATE TABLE c3 (p_id bigint NOT NULL REFERENCES p ON DELETE CASCADE);
-- keeps foreign-key-action-impossible: only the nullable column is set
-- since: 15
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE c (a int NOT NULL, b int, FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (b));

-- breaks foreign-key-cycle: two tables need each other first
-- at: s.a.ab
CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL CONSTRAINT ba REFERENCES a);
ALTER TABLE a ADD CONSTRAINT ab FOREIGN KEY (b_id) REFERENCES b;
-- breaks foreign-key-cycle: three tables, one finding; a table of its own
-- at: s.a.ab, s.tree.up
CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, c_id int NOT NULL);
CREATE TABLE c (id int PRIMARY KEY, a_id int NOT NULL CONSTRAINT ca REFERENCES a);
ALTER TABLE a ADD CONSTRAINT ab FOREIGN KEY (b_id) REFERENCES b;
ALTER TABLE b ADD CONSTRAINT bc FOREIGN KEY (c_id) REFERENCES c;
CREATE TABLE tree (id int PRIMARY KEY, parent_id int NOT NULL CONSTRAINT up REFERENCES tree);
-- keeps foreign-key-cycle: one nullable, one deferrable, a nullable tree, a way without return
CREATE TABLE a (id int PRIMARY KEY, b_id int); CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b;
CREATE TABLE c (id int PRIMARY KEY, d_id int NOT NULL);
CREATE TABLE d (id int PRIMARY KEY, c_id int NOT NULL REFERENCES c DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE c ADD FOREIGN KEY (d_id) REFERENCES d;
CREATE TABLE tree (id int PRIMARY KEY, parent_id int REFERENCES tree, d_id int NOT NULL REFERENCES d);
