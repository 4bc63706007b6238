-- The roles of one database: owner, migrator, app, readonly. The same file for tests, development and production.
--
--   psql -d DATABASE -f deploy/db/roles.sql
--   PGOPTIONS='-c roles.prefix=acme' psql -d DATABASE -f deploy/db/roles.sql
--
-- Names begin with the setting roles.prefix, else with the database's name:
--   PREFIX_owner     NOLOGIN, owns the schema's objects
--   PREFIX_migrator  LOGIN, becomes the owner at login: runs the migrations
--   PREFIX_app       LOGIN, reads and writes rows, no DDL: runs the application
--   PREFIX_readonly  LOGIN, SELECT only: people, reports, checks
-- No passwords: set them afterwards (\password PREFIX_app), or use peer, IAM or certificates.
--
-- Safe to repeat and to run from several sessions at once. Run it as a superuser, or as the database's owner with
-- CREATEROLE (on a hosted Postgres), who becomes a member of PREFIX_owner.

DO $roles$
DECLARE
    database text := current_database();
    prefix text := coalesce(nullif(current_setting('roles.prefix', true), ''), current_database());
    owner text := prefix || '_owner';
    migrator text := prefix || '_migrator';
    app text := prefix || '_app';
    readonly text := prefix || '_readonly';
    steps text[];
    step text;
BEGIN
    IF octet_length(prefix) > 50 THEN
        RAISE EXCEPTION 'roles.prefix % is longer than 50 bytes: role names would be cut at 63', quote_literal(prefix);
    END IF;

    -- Without the notices of a repetition: "role … has already been granted".
    PERFORM set_config('client_min_messages', 'warning', true);

    steps := ARRAY[
        format('CREATE ROLE %I', owner),
        format('CREATE ROLE %I', migrator),
        format('CREATE ROLE %I', app),
        format('CREATE ROLE %I', readonly),
        format('ALTER ROLE %I NOLOGIN', owner),
        format('ALTER ROLE %I LOGIN', migrator),
        format('ALTER ROLE %I LOGIN', app),
        format('ALTER ROLE %I LOGIN', readonly),
        format('GRANT %I TO %I', owner, migrator)
    ];
    -- From 16 on the creator of a role has only ADMIN on it; only a member can act for the owner below.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        steps := steps || format('GRANT %I TO CURRENT_USER', owner);
    END IF;
    steps := steps || ARRAY[
        -- Timeouts belong to the role, so that each client has them, also through a pooler.
        format('ALTER ROLE %I SET role = %L', migrator, owner),
        format('ALTER ROLE %I SET lock_timeout = %L', migrator, '5s'),
        format('ALTER ROLE %I SET statement_timeout = %L', migrator, '15min'),
        format('ALTER ROLE %I SET statement_timeout = %L', app, '5s'),
        format('ALTER ROLE %I SET lock_timeout = %L', app, '3s'),
        format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', app, '15s'),
        format('ALTER ROLE %I SET statement_timeout = %L', readonly, '60s'),
        format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', readonly, '60s'),
        format('ALTER ROLE %I SET default_transaction_read_only = on', readonly),

        -- CREATE on the database lets the owner create trusted extensions (citext) and schemas.
        format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database),
        format('GRANT CREATE, TEMPORARY ON DATABASE %I TO %I', database, owner),
        format('GRANT CONNECT ON DATABASE %I TO %I, %I, %I', database, migrator, app, readonly),
        'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
        format('GRANT USAGE, CREATE ON SCHEMA public TO %I', owner),
        format('GRANT USAGE ON SCHEMA public TO %I, %I', app, readonly),

        -- Objects that the owner creates later need no grant.
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE ON SCHEMAS TO %I, %I', owner, app, readonly),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', owner, app),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON TABLES TO %I', owner, readonly),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE, SELECT ON SEQUENCES TO %I', owner, app),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON SEQUENCES TO %I', owner, readonly),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC', owner),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT EXECUTE ON FUNCTIONS TO %I, %I', owner, app, readonly),

        -- Objects that existed before these roles.
        format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I', app),
        format('GRANT SELECT ON ALL TABLES IN SCHEMA public TO %I', readonly),
        format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', app),
        format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', readonly)
    ];
    -- Only migrations write the version of the schema; they revoke this right too (migrations/env.py).
    IF to_regclass('public.alembic_version') IS NOT NULL THEN
        steps := steps || format('REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM %I', app);
    END IF;

    FOREACH step IN ARRAY steps LOOP
        -- Roles belong to the whole cluster, advisory locks to one database: sessions in other databases need the retry.
        FOR attempt IN 1..20 LOOP
            BEGIN
                EXECUTE step;
                EXIT;
            EXCEPTION
                WHEN duplicate_object THEN
                    EXIT;
                WHEN unique_violation OR internal_error THEN
                    IF attempt = 20 OR (SQLSTATE = 'XX000' AND SQLERRM NOT LIKE 'tuple concurrently %') THEN
                        RAISE;
                    END IF;
                    PERFORM pg_sleep(0.01 * attempt);
            END;
        END LOOP;
    END LOOP;
END
$roles$;
