-- breaks table-isolated: no reference in or out
-- at: s.t
CREATE TABLE t (id int PRIMARY KEY);
-- keeps table-isolated: referring, referred to
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p);
-- breaks primary-key-not-first: a column before it
-- at: s.t
CREATE TABLE t (name text, id int PRIMARY KEY);
-- keeps primary-key-not-first: first, in any order
CREATE TABLE t (b int, a int, PRIMARY KEY (a, b));
-- breaks natural-key: a name as key
-- at: s.t.code
CREATE TABLE t (code text PRIMARY KEY);
-- keeps natural-key: surrogates, foreign keys
CREATE TABLE p (id uuid PRIMARY KEY, code text UNIQUE); CREATE TABLE c (code text PRIMARY KEY REFERENCES p (code));
-- breaks eav: rows of name and value
-- at: s.attribute
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE attribute (p_id int REFERENCES p, name text, value text);
-- keeps eav: no owner; another type
CREATE TABLE setting (key text PRIMARY KEY, value text); CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE reading (p_id int REFERENCES p, name text, value numeric);
-- breaks lookup-needless: a key and a word
-- at: s.colour
CREATE TABLE colour (id int PRIMARY KEY, name text); CREATE TABLE t (colour_id int REFERENCES colour);
-- keeps lookup-needless: more than a word; not referenced
CREATE TABLE colour (id int PRIMARY KEY, name text, rgb int); CREATE TABLE t (colour_id int REFERENCES colour);
CREATE TABLE word (id int PRIMARY KEY, name text);
-- breaks mandatory-columns: one is missing
-- at: s.t
-- with: {"mandatory_columns": ["id", "version"]}
CREATE TABLE t (id int);
-- keeps mandatory-columns: all there
-- with: {"mandatory_columns": ["id", "version"]}
CREATE TABLE t (id int, version int);
-- breaks timestamps-missing: one of two
-- at: s.t
CREATE TABLE t (id int, created_at timestamptz);
-- keeps timestamps-missing: both; a table of references alone
CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz, updated_at timestamptz);
CREATE TABLE tt (a int REFERENCES t, b int REFERENCES t);
-- breaks constraint-naming: key, unique, check and index
-- at: s.t.named, s.t.t_a_idx, s.t.t_b_key, s.t.t_pkey
-- with: {"naming": {"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s", "ix": "ix_%(column_0_label)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}}
CREATE TABLE t (id int PRIMARY KEY, a int, b int UNIQUE, CONSTRAINT named CHECK (a > 0)); CREATE INDEX ON t (a);
-- keeps constraint-naming: as the convention says
-- with: {"naming": {"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"}}
CREATE TABLE t (id int CONSTRAINT pk_t PRIMARY KEY, t_id int CONSTRAINT fk_t_t_id_t REFERENCES t, CONSTRAINT ck_t_any CHECK (true));
