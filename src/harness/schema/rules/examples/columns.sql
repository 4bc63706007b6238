-- breaks column-boolean-nullable: nullable
-- at: s.t.a
CREATE TABLE t (a boolean DEFAULT false);
-- breaks column-boolean-nullable: NOT NULL NOT VALID
-- at: s.t.a
-- since: 18
CREATE TABLE t (a boolean); ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
-- keeps column-boolean-nullable: NOT NULL, generated, an array
CREATE TABLE t (a boolean NOT NULL, b int, c boolean GENERATED ALWAYS AS (b > 0) STORED, d boolean[]);
-- keeps column-boolean-nullable: generated when read
-- since: 18
CREATE TABLE t (b int, c boolean GENERATED ALWAYS AS (b > 0) VIRTUAL);
-- breaks column-repeating-group: three of one type
-- at: s.t.phone1, s.t.tag_2
CREATE TABLE t (phone1 text, phone2 text, phone3 text, tag_2 int, tag_3 int, tag_4 int);
-- keeps column-repeating-group: two, a gap, other types, numbers that are names
CREATE TABLE t (address_line1 text, address_line2 text, a1 int, a3 int, a5 int, b1 int, b2 text, b3 int, sha256 text);
-- breaks column-should-be-citext: text under a plain unique index, varchar with a tenant
-- at: s.t.email, s.u.login
CREATE TABLE t (email text UNIQUE); CREATE TABLE u (tenant int, login varchar, UNIQUE (tenant, login));
-- keeps column-should-be-citext: citext, a unique lower() index, not unique, another name
CREATE TABLE t (email citext UNIQUE, username text UNIQUE, login text, name text UNIQUE);
CREATE UNIQUE INDEX ON t (lower(username));
CREATE TABLE u ("E Mail" text UNIQUE, email varchar UNIQUE); CREATE UNIQUE INDEX ON u (lower(email));
-- breaks default-frozen-timestamp: 'now' of the migration
-- at: s.t.a, s.t.b, s.t.c
CREATE TABLE t (a timestamptz DEFAULT 'now'::timestamptz, b date DEFAULT 'today', c timestamp DEFAULT '2020-01-01');
-- keeps default-frozen-timestamp: a call, infinity, the epoch, text that is cast later
CREATE TABLE t (a timestamptz DEFAULT now(), b timestamptz DEFAULT 'infinity', c date DEFAULT '-infinity',
  d timestamptz DEFAULT 'epoch', e timestamptz DEFAULT ('now'::text)::timestamptz, f date DEFAULT 'epoch',
  g timestamp DEFAULT 'epoch', h text DEFAULT '2020-01-01');
-- breaks column-type-inconsistent: another type in a minority of tables
-- at: s.c.code
CREATE TABLE a (code text); CREATE TABLE b (code text); CREATE TABLE c (code int);
-- keeps column-type-inconsistent: one type
CREATE TABLE a (code text); CREATE TABLE b (code text);
-- breaks enum-instead-of-check: an enum, an array of it
-- at: s.t.a, s.t.b
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (a mood, b mood[]);
-- keeps enum-instead-of-check: text with a CHECK
CREATE TABLE t (a text CHECK (a IN ('sad', 'ok')));
-- breaks primary-key-uuid-random: gen_random_uuid()
-- at: s.t.id
CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
-- keeps primary-key-uuid-random: no default; not a key
CREATE TABLE t (id uuid PRIMARY KEY, token uuid DEFAULT gen_random_uuid());
-- keeps primary-key-uuid-random: in order of time
-- since: 18
CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuidv7());
