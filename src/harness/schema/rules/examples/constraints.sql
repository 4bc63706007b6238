-- breaks constraint-not-valid: CHECK, foreign key, a domain's CHECK
-- at: s.c.f, s.c.k, s.positive.p
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int);
ALTER TABLE c ADD CONSTRAINT k CHECK (p_id > 0) NOT VALID, ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p NOT VALID;
CREATE DOMAIN positive AS int; ALTER DOMAIN positive ADD CONSTRAINT p CHECK (VALUE > 0) NOT VALID;
-- breaks constraint-not-valid: NOT NULL NOT VALID
-- at: s.c.n
-- since: 18
CREATE TABLE c (a int); ALTER TABLE c ADD CONSTRAINT n NOT NULL a NOT VALID;
-- keeps constraint-not-valid: validated, plain NOT NULL
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int NOT NULL);
ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p NOT VALID; ALTER TABLE c VALIDATE CONSTRAINT f;
-- keeps constraint-not-valid: NOT ENFORCED is another rule's
-- since: 18
CREATE TABLE c (a int CHECK (a > 0) NOT ENFORCED);

-- breaks constraint-not-enforced: CHECK and foreign key
-- at: s.c.f, s.c.k
-- since: 18
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (p_id int CONSTRAINT f REFERENCES p NOT ENFORCED, CONSTRAINT k CHECK (p_id > 0) NOT ENFORCED);
-- keeps constraint-not-enforced: enforced
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p, CHECK (p_id > 0));

-- breaks unique-lets-nulls-through: a nullable key, a predicate about something else, an expression beside it
-- at: s.c1.u1, s.c2.u2, s.c3.u3
CREATE TABLE c1 (a int NOT NULL, b int, CONSTRAINT u1 UNIQUE (a, b));
CREATE TABLE c2 (a int NOT NULL, b int); CREATE UNIQUE INDEX u2 ON c2 (a, b) WHERE a IS NOT NULL;
CREATE TABLE c3 (a text NOT NULL, b int); CREATE UNIQUE INDEX u3 ON c3 (lower(a), b);
-- keeps unique-lets-nulls-through: one column, NOT NULL, nulls excluded by predicate, INCLUDE
CREATE TABLE c1 (a int UNIQUE, b int); CREATE TABLE c2 (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));
CREATE TABLE c3 (a int NOT NULL, b int); CREATE UNIQUE INDEX ON c3 (a, b) WHERE b IS NOT NULL;
CREATE TABLE c4 (a int NOT NULL, b int); CREATE UNIQUE INDEX ON c4 (a) INCLUDE (b);
CREATE TABLE c5 (a int, b int, PRIMARY KEY (a, b));
-- keeps unique-lets-nulls-through: NULLS NOT DISTINCT
-- since: 15
CREATE TABLE c (a int NOT NULL, b int, UNIQUE NULLS NOT DISTINCT (a, b));

-- breaks boolean-default-missing: NOT NULL without default
-- at: s.t.done
CREATE TABLE t (id bigint, done boolean NOT NULL);
-- keeps boolean-default-missing: a default; nullable
CREATE TABLE t (id bigint, done boolean NOT NULL DEFAULT false, maybe boolean);

-- breaks array-default-missing: NOT NULL without default, behind a domain
-- at: s.t.tags
CREATE DOMAIN words AS text[]; CREATE TABLE t (id bigint, tags words NOT NULL);
-- keeps array-default-missing: a default
CREATE TABLE t (id bigint, tags text[] NOT NULL DEFAULT '{}');

-- breaks unique-ignores-soft-delete: the name stays taken
-- at: s.t.u
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, deleted_at timestamptz, CONSTRAINT u UNIQUE (name));
-- keeps unique-ignores-soft-delete: partial; no mark
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, deleted_at timestamptz);
CREATE UNIQUE INDEX ON t (name) WHERE deleted_at IS NULL;
CREATE TABLE t2 (id bigint PRIMARY KEY, name text UNIQUE);
