-- breaks rls-without-policy: nobody sees a row
-- at: s.t
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
-- keeps rls-without-policy: a policy
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a > 0);
-- breaks rls-policy-inactive: off
-- at: s.t
CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 0);
-- keeps rls-policy-inactive: on
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a > 0);
-- breaks rls-policy-always-true: for all, and WITH CHECK for inserts
-- at: s.t.p, s.t.q
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true);
CREATE POLICY q ON t FOR INSERT WITH CHECK (true);
-- keeps rls-policy-always-true: for SELECT, restrictive, with a test
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t FOR SELECT USING (true);
CREATE POLICY q ON t AS RESTRICTIVE USING (true); CREATE POLICY r ON t FOR INSERT WITH CHECK (a > 0);
-- breaks view-bypasses-rls: as its owner
-- at: s.v
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE VIEW v AS SELECT * FROM t;
-- breaks view-bypasses-rls: through a view that reads as its reader, who is then the outer view's owner
-- at: s.outer_view
-- since: 15
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM t; CREATE VIEW outer_view AS SELECT * FROM v;
-- keeps view-bypasses-rls: as its reader, however it is written
-- since: 15
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE VIEW v WITH (security_invoker = on) AS SELECT * FROM t; CREATE VIEW w WITH (security_invoker) AS SELECT * FROM v;
-- keeps view-bypasses-rls: no row-level security
CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t;
-- breaks rls-not-forced: the owner sees all
-- at: s.t
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
-- keeps rls-not-forced: forced; off
CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE TABLE u (a int);
