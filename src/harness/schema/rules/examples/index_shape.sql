-- breaks index-on-boolean: the only key, also behind a domain
-- at: s.t.i, s.u.j
CREATE TABLE t (id int PRIMARY KEY, done boolean); CREATE INDEX i ON t (done);
CREATE DOMAIN flag AS boolean; CREATE TABLE u (done flag); CREATE INDEX j ON u (done) INCLUDE (done);
-- keeps index-on-boolean: partial, unique, composite with the boolean first, an array, an expression
CREATE TABLE t (id int, done boolean, flags boolean[]);
CREATE INDEX ON t (done) WHERE done; CREATE UNIQUE INDEX ON t (done); CREATE INDEX ON t (done, id);
CREATE INDEX ON t (flags); CREATE INDEX ON t ((NOT done));

-- breaks index-wrong-method: array, jsonb, tsvector, an array behind a domain
-- at: s.t.a, s.t.d, s.t.j, s.t.v
CREATE DOMAIN words AS text[];
CREATE TABLE t (tags text[], data jsonb, found tsvector, w words);
CREATE INDEX a ON t (tags); CREATE INDEX j ON t USING hash (data); CREATE INDEX v ON t (found); CREATE INDEX d ON t (w);
-- keeps index-wrong-method: GIN, a part of the document, unique, INCLUDE
CREATE TABLE t (id int, tags text[], data jsonb, found tsvector);
CREATE INDEX ON t USING gin (tags); CREATE INDEX ON t USING gin (data jsonb_path_ops); CREATE INDEX ON t USING gist (found);
CREATE INDEX ON t ((data ->> 'name')); CREATE UNIQUE INDEX ON t (tags); CREATE INDEX ON t (id) INCLUDE (data);

-- breaks index-predicate-needless: the column is NOT NULL, also beside another condition
-- at: s.t.i, s.t.j
CREATE TABLE t (a int NOT NULL, b int); CREATE INDEX i ON t (b) WHERE a IS NOT NULL;
CREATE INDEX j ON t (a) WHERE a IS NOT NULL AND b > 0;
-- keeps index-predicate-needless: nullable; part of an OR
CREATE TABLE t (a int NOT NULL, b int); CREATE INDEX ON t (a) WHERE b IS NOT NULL;
CREATE INDEX ON t (a) WHERE a IS NOT NULL OR b > 0;
-- keeps index-predicate-needless: NOT NULL NOT VALID does not exclude old rows
-- since: 18
CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID; CREATE INDEX ON t (a) WHERE a IS NOT NULL;

-- breaks index-too-wide: six keys
-- at: s.t.i
CREATE TABLE t (a int, b int, c int, d int, e int, f int); CREATE INDEX i ON t (a, b, c, d, e, f);
-- keeps index-too-wide: five keys and INCLUDE; unique
CREATE TABLE t (a int, b int, c int, d int, e int, f int); CREATE INDEX ON t (a, b, c, d, e) INCLUDE (f);
CREATE UNIQUE INDEX ON t (a, b, c, d, e, f);

-- breaks index-lower-on-citext: alone, unique with a tenant, quoted, behind a domain
-- at: s.t.i, s.t.j, s.t.k, s.t.l
CREATE DOMAIN address AS citext; CREATE TABLE t (tenant int, mail citext, "E Mail" citext, a address);
CREATE INDEX i ON t (lower(mail)); CREATE UNIQUE INDEX j ON t (tenant, lower(mail));
CREATE INDEX k ON t (lower("E Mail")); CREATE INDEX l ON t (lower(a));
-- keeps index-lower-on-citext: lower of text; the column itself
CREATE TABLE t (mail citext, name text); CREATE INDEX ON t (lower(name)); CREATE INDEX ON t (mail);

-- breaks index-null-lead: a nullable first key
-- at: s.t.i
CREATE TABLE t (a int, b int NOT NULL); CREATE INDEX i ON t (a, b);
-- keeps index-null-lead: NOT NULL, excluded, unique
CREATE TABLE t (a int, b int NOT NULL); CREATE INDEX ON t (b); CREATE INDEX ON t (a) WHERE a IS NOT NULL;
CREATE UNIQUE INDEX ON t (a);

-- breaks timestamp-in-the-middle: a range before an equality
-- at: s.t.i
CREATE TABLE t (a int, at timestamptz); CREATE INDEX i ON t (at, a);
-- keeps timestamp-in-the-middle: last, alone
CREATE TABLE t (a int, at timestamptz); CREATE INDEX ON t (a, at); CREATE INDEX ON t (at);

-- breaks too-many-indexes: more than the option allows
-- at: s.t
-- with: {"most_indexes": 1}
CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX ON t (b);
-- keeps too-many-indexes: within it
CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX ON t (b);
