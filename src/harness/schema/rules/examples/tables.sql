-- breaks table-without-primary-key: UNIQUE NOT NULL does not count
-- at: s.t
CREATE TABLE t (id bigint UNIQUE NOT NULL);
-- breaks table-without-primary-key: a partitioned table is reported once, not with its partitions
-- at: s.t
CREATE TABLE t (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
-- breaks table-without-primary-key: another schema is looked at too, and a quoted name is written as it is
-- at: s2.Two Words
CREATE SCHEMA s2; CREATE TABLE s2."Two Words" (id bigint);
-- keeps table-without-primary-key: a partitioned table with one
CREATE TABLE t (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
-- keeps table-without-primary-key: the migration tool's table, temporary and foreign tables are out of scope
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
CREATE TEMP TABLE gone (a int);
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER elsewhere FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE far (a int) SERVER elsewhere;
-- keeps table-without-primary-key: a table that an extension owns
CREATE TABLE t (a int); ALTER EXTENSION citext ADD TABLE t;
-- keeps table-without-primary-key: views have no keys
CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;

-- breaks primary-key-too-small: identity
-- at: s.t.id
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
-- breaks primary-key-too-small: a serial, and a sequence that nobody owns
-- at: s.a.id, s.b.id
CREATE TABLE a (id smallserial PRIMARY KEY);
CREATE SEQUENCE q; CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('q'));
-- breaks primary-key-too-small: behind a domain
-- at: s.t.id
CREATE DOMAIN number AS int; CREATE SEQUENCE q; CREATE TABLE t (id number PRIMARY KEY DEFAULT nextval('q'));
-- keeps primary-key-too-small: a hand-assigned lookup key, a bigint, a key of two columns
CREATE TABLE a (id smallint PRIMARY KEY, name text);
CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE c (id int GENERATED ALWAYS AS IDENTITY, part int, PRIMARY KEY (part, id));

-- breaks join-table-pair-not-unique: the surrogate lets a pair occur twice
-- at: s.ab
CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY);
CREATE TABLE ab (id bigint PRIMARY KEY, a_id bigint REFERENCES a, b_id bigint REFERENCES b);
CREATE INDEX ON ab (a_id, b_id);
-- breaks join-table-pair-not-unique: a partial unique index does not cover every pair
-- at: s.ab
CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE ab (id bigint PRIMARY KEY, x bigint REFERENCES a, y bigint REFERENCES a);
CREATE UNIQUE INDEX ON ab (x, y) WHERE x > 3;
-- keeps join-table-pair-not-unique: unique in the other order; the pair as key; a third column
CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY);
CREATE TABLE ab (id bigint PRIMARY KEY, a_id bigint REFERENCES a, b_id bigint REFERENCES b, UNIQUE (b_id, a_id));
CREATE TABLE ab2 (a_id bigint REFERENCES a, b_id bigint REFERENCES b, PRIMARY KEY (a_id, b_id));
CREATE TABLE ab3 (id bigint PRIMARY KEY, a_id bigint REFERENCES a, b_id bigint REFERENCES b, at timestamptz);

-- breaks table-single-column: nothing refers to it
-- at: s.empty, s.t
CREATE TABLE t (id bigint PRIMARY KEY); CREATE TABLE empty ();
-- keeps table-single-column: a list of allowed values that a foreign key uses
CREATE TABLE colour (name text PRIMARY KEY);
CREATE TABLE t (id bigint PRIMARY KEY, colour text REFERENCES colour);

-- breaks table-all-nullable: nothing but the key is required
-- at: s.t
CREATE TABLE t (id bigint PRIMARY KEY, a text, b text);
-- breaks table-all-nullable: NOT NULL NOT VALID does not hold for the rows that are there
-- at: s.t
-- since: 18
CREATE TABLE t (id bigint PRIMARY KEY, a text, b text); ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
-- keeps table-all-nullable: one is NOT NULL; one other column only; NOT NULL through a domain
CREATE TABLE a (id bigint PRIMARY KEY, a text NOT NULL, b text);
CREATE TABLE b (id bigint PRIMARY KEY, a text);
CREATE DOMAIN filled AS text NOT NULL; CREATE TABLE c (id bigint PRIMARY KEY, a filled, b text);

-- breaks table-split-one-to-one: one child, to which nothing refers
-- at: s.profile
CREATE TABLE account (id bigint PRIMARY KEY, name text);
CREATE TABLE profile (account_id bigint PRIMARY KEY REFERENCES account, bio text);
-- keeps table-split-one-to-one: two children are inheritance of tables
CREATE TABLE party (id bigint PRIMARY KEY, name text);
CREATE TABLE person (id bigint PRIMARY KEY REFERENCES party, born date);
CREATE TABLE firm (id bigint PRIMARY KEY REFERENCES party, vat text);
-- keeps table-split-one-to-one: something refers to the child
CREATE TABLE party (id bigint PRIMARY KEY, name text);
CREATE TABLE driver (id bigint PRIMARY KEY REFERENCES party, licence text);
CREATE TABLE trip (id bigint PRIMARY KEY, driver_id bigint NOT NULL REFERENCES driver);

-- breaks table-unlogged: emptied by a crash
-- at: s.t
CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY, a text);
-- keeps table-unlogged: a logged one
CREATE TABLE t (id bigint PRIMARY KEY, a text);

-- breaks table-inheritance: INHERITS
-- at: s.child
CREATE TABLE parent (id bigint PRIMARY KEY); CREATE TABLE child (a text) INHERITS (parent);
-- keeps table-inheritance: a partition
CREATE TABLE t (id bigint, at date) PARTITION BY LIST (at); CREATE TABLE t1 PARTITION OF t DEFAULT;

-- breaks table-has-rule: DO INSTEAD
-- at: s.t.keep
CREATE TABLE t (id bigint PRIMARY KEY); CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;
-- keeps table-has-rule: the rule inside a view, and a trigger
CREATE TABLE t (id bigint PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t;

-- breaks polymorphic-reference: type and id
-- at: s.comment.subject_id
CREATE TABLE comment (id bigint PRIMARY KEY, subject_type text, subject_id bigint);
-- keeps polymorphic-reference: the id is in a foreign key; a type alone; an id alone
CREATE TABLE subject (id bigint PRIMARY KEY);
CREATE TABLE comment (id bigint PRIMARY KEY, subject_type text, subject_id bigint REFERENCES subject,
  mime_type text, outer_id text);
