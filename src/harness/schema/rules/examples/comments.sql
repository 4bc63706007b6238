-- breaks table-without-comment: none
-- at: s.t
CREATE TABLE t (a int);
-- keeps table-without-comment: one
CREATE TABLE t (a int); COMMENT ON TABLE t IS 'what t is for';
-- breaks column-without-comment: none
-- at: s.t.b
CREATE TABLE t (a int, b int); COMMENT ON COLUMN t.a IS 'what a holds';
-- keeps column-without-comment: one
CREATE TABLE t (a int); COMMENT ON COLUMN t.a IS 'what a holds';
