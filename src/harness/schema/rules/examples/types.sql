-- breaks column-timestamp-without-time-zone: plain, array, behind a domain
-- at: s.t.a, s.t.b, s.t.c
CREATE DOMAIN moment AS timestamp; CREATE TABLE t (a timestamp, b timestamp[], c moment);
-- keeps column-timestamp-without-time-zone: timestamptz, date, a view's column
CREATE TABLE t (a timestamptz, b date); CREATE VIEW v AS SELECT a::timestamp AS a FROM t;
-- breaks column-timetz: time with time zone
-- at: s.t.a
CREATE TABLE t (a timetz);
-- keeps column-timetz: time
CREATE TABLE t (a time);
-- breaks column-timestamp-rounded: precision 0, also behind a domain
-- at: s.t.a, s.t.b
CREATE DOMAIN moment AS timestamptz(0); CREATE TABLE t (a timestamptz(0), b moment);
-- keeps column-timestamp-rounded: no precision, or another
CREATE TABLE t (a timestamptz, b timestamptz(3));
-- breaks column-money: money
-- at: s.t.a
CREATE TABLE t (a money);
-- keeps column-money: numeric
CREATE TABLE t (a numeric(19, 4));
-- breaks column-char-n: char(n), an array, without a length
-- at: s.t.a, s.t.b, s.t.c
CREATE TABLE t (a char(3), b char(2)[], c char);
-- keeps column-char-n: text, and Postgres's own "char"
CREATE TABLE t (a text, b "char");
-- breaks column-varchar-n: plain, array, behind a domain and a domain over an array
-- at: s.t.a, s.t.b, s.t.c, s.t.d
CREATE DOMAIN short AS varchar(9); CREATE DOMAIN shorts AS varchar(9)[];
CREATE TABLE t (a varchar(9), b varchar(9)[], c short, d shorts);
-- keeps column-varchar-n: without a length, text, a dropped column
CREATE TABLE t (a varchar, b text, c varchar(9)); ALTER TABLE t DROP COLUMN c;
-- keeps column-varchar-n: the project wants lengths
-- with: {"varchar_allowed": true}
CREATE TABLE t (a varchar(9));
-- breaks column-json: json
-- at: s.t.a
CREATE TABLE t (a json);
-- keeps column-json: jsonb
CREATE TABLE t (a jsonb);
-- breaks column-large-object: oid, and the domain lo
-- at: s.t.a, s.t.b
CREATE TABLE t (a oid, b lo);
-- keeps column-large-object: bytea
CREATE TABLE t (a bytea);
-- breaks column-money-as-float: a word of money in the name, in the plural too
-- at: s.t.price, s.t.taxes_total, s.t.unit_costs
CREATE TABLE t (price float8, unit_costs real, taxes_total float8);
-- breaks column-money-as-float: the project's own word
-- at: s.t.preis
-- with: {"money_words": ["preis"]}
CREATE TABLE t (preis float8, price float8);
-- keeps column-money-as-float: numeric; a float of another name; a word within a word
CREATE TABLE t (price numeric, weight float8, feedback float8);
