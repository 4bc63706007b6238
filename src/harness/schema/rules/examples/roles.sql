-- breaks owned-by-superuser: a table of the superuser's
-- at: s, s.t
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);
-- keeps owned-by-superuser: of a plain role's
ALTER SCHEMA s OWNER TO pg_monitor; CREATE TABLE t (id int); ALTER TABLE t OWNER TO pg_monitor;
-- breaks app-role-can-ddl: it owns a table, and may create
-- at: s, s.t
-- with: {"app_role": "example_app"}
GRANT CREATE ON SCHEMA s TO example_app; CREATE TABLE t (id int); ALTER TABLE t OWNER TO example_app;
-- breaks app-role-can-ddl: no such role
-- at: nobody
-- with: {"app_role": "nobody"}
SELECT 1;
-- keeps app-role-can-ddl: reads and writes only
-- with: {"app_role": "example_app"}
CREATE TABLE t (id int); GRANT USAGE ON SCHEMA s TO example_app; GRANT SELECT, INSERT, UPDATE, DELETE ON t TO example_app;
-- breaks extension-missing: not installed
-- at: hstore
-- with: {"extensions": ["citext", "hstore"]}
SELECT 1;
-- keeps extension-missing: installed
-- with: {"extensions": ["citext"]}
SELECT 1;
-- breaks extension-outdated: an older version than the server's
-- at: btree_gist
UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'btree_gist';
-- keeps extension-outdated: as the server's
UPDATE pg_extension e SET extversion = a.default_version FROM pg_available_extensions a WHERE a.name = e.extname;
-- breaks extension-in-public: in public
-- at: citext
ALTER EXTENSION citext SET SCHEMA public;
-- keeps extension-in-public: elsewhere
ALTER EXTENSION citext SET SCHEMA ext;
