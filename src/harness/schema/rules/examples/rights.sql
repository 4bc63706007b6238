-- breaks security-definer-without-search-path: no SET
-- at: s.f(integer)
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
-- keeps security-definer-without-search-path: fixed; an invoker's
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- breaks security-definer-public-execute: no grants mean PUBLIC
-- at: s.f(), s.g()
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION g() TO PUBLIC;
-- keeps security-definer-public-execute: revoked; an invoker's
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- breaks grant-to-public: table, view, column, sequence
-- at: s.q, s.t, s.u.b, s.v
CREATE TABLE t (a int); GRANT SELECT ON t TO PUBLIC; CREATE VIEW v AS SELECT 1 AS a; GRANT SELECT ON v TO PUBLIC;
CREATE TABLE u (a int, b int); GRANT SELECT (b) ON u TO PUBLIC; CREATE SEQUENCE q; GRANT USAGE ON SEQUENCE q TO PUBLIC;
-- keeps grant-to-public: to a role; none
CREATE TABLE t (a int); GRANT SELECT ON t TO pg_monitor; CREATE TABLE u (a int); CREATE SEQUENCE q;
-- breaks schema-public-create: CREATE to PUBLIC
-- at: s
GRANT CREATE ON SCHEMA s TO PUBLIC;
-- keeps schema-public-create: USAGE to PUBLIC, CREATE to a role
GRANT USAGE ON SCHEMA s TO PUBLIC; GRANT CREATE ON SCHEMA s TO pg_monitor;
-- breaks trigger-disabled: one's own
-- at: s.t.g
CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER g;
-- breaks trigger-disabled: those inside a foreign key, which is then not checked
-- at: s.c.f
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int CONSTRAINT f REFERENCES p); ALTER TABLE c DISABLE TRIGGER ALL;
-- keeps trigger-disabled: enabled; for replicas
CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER h BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE REPLICA TRIGGER h;
