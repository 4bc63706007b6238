-- breaks name-needs-quotes: capitals, symbols, blanks, words of SQL; each kind of object
-- at: s.Kind, s.Run(integer), s.Seq, s.order, s.t.Key, s.t.Name, s.t.two words, s.t.user, s.t.ix-a
CREATE TABLE "order" (id int PRIMARY KEY); CREATE TABLE t ("user" int, "Name" int, "two words" int, CONSTRAINT "Key" CHECK (true));
CREATE INDEX "ix-a" ON t ("user"); CREATE SEQUENCE "Seq"; CREATE TYPE "Kind" AS ENUM ();
CREATE FUNCTION "Run"(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER TABLE "order" RENAME CONSTRAINT order_pkey TO pk;
-- breaks name-needs-quotes: a schema
-- at: S Two
CREATE SCHEMA "S Two";
-- keeps name-needs-quotes: digits, underscores, words that are not reserved
CREATE TABLE t2_x (_a1 int, name text, type text, value text, date date, key text);
-- keeps name-needs-quotes: names that Postgres made for partitions
CREATE TABLE t (id int, at date) PARTITION BY LIST (at); CREATE TABLE "T1" PARTITION OF t DEFAULT;
-- breaks name-truncated: 63 bytes, counted as bytes
-- at: s.t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, s.t.äääääääääääääääääääääääääääääääa
CREATE TABLE t (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int, "äääääääääääääääääääääääääääääääa" int);
-- keeps name-truncated: 62 bytes; a partition's copy of a foreign key
CREATE TABLE t (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int);
