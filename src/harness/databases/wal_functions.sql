-- The administrator's side of a reset, in one round trip. It is installed in the maintenance database of the harness's
-- own cluster, never in a test's database.

CREATE SCHEMA harness;
CREATE EXTENSION pg_walinspect SCHEMA harness;

-- What a database has besides its relations: its row, settings, comment and labels. NULL when it is gone or renamed.
CREATE FUNCTION harness.properties(db oid, expected text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(
        E'\n', datdba, encoding, datcollate, datctype, dattablespace, datistemplate, datallowconn, datconnlimit,
        coalesce(datacl::text, 'default'),
        (SELECT string_agg(setrole || setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = db),
        shobj_description(db, 'pg_database'),
        (SELECT string_agg(provider || label, ' ' ORDER BY provider)
           FROM pg_shseclabel WHERE classoid = 'pg_database'::regclass AND objoid = db)
    )
    FROM pg_database WHERE oid = db AND datname = expected
$$;

-- What all databases share: roles, memberships, settings of roles and of the server, tablespaces, parameters' grants.
CREATE FUNCTION harness.shared() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN md5(concat_ws(
        E'\n',
        (SELECT string_agg(r::text, ' ' ORDER BY oid) FROM pg_authid AS r),
        (SELECT string_agg((to_jsonb(m) - 'oid')::text, ' ' ORDER BY roleid, member, grantor) FROM pg_auth_members AS m),
        (SELECT string_agg(s::text, ' ' ORDER BY setrole) FROM pg_db_role_setting AS s WHERE setdatabase = 0),
        (SELECT string_agg(t::text, ' ' ORDER BY oid) FROM pg_tablespace AS t),
        (SELECT string_agg(p::text, ' ' ORDER BY oid) FROM pg_parameter_acl AS p),
        (SELECT string_agg(o::text, ' ' ORDER BY roident) FROM pg_replication_origin AS o),
        (SELECT string_agg(d::text, ' ' ORDER BY objoid) FROM pg_shdescription AS d
          WHERE classoid <> 'pg_database'::regclass),
        pg_read_file('postgresql.auto.conf')
    ));
END
$$;

-- Note what is shared, for `restore`.
CREATE PROCEDURE harness.save() LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS harness.roles, harness.members, harness.settings, harness.spaces;
    CREATE TABLE harness.roles AS SELECT * FROM pg_authid;
    CREATE TABLE harness.members AS SELECT * FROM pg_auth_members;
    CREATE TABLE harness.settings AS SELECT * FROM pg_db_role_setting WHERE setdatabase = 0;
    CREATE TABLE harness.spaces AS SELECT * FROM pg_tablespace;
END
$$;

-- Undo what a test did to shared objects: drop its roles and tablespaces, and restore the others. Roles and their
-- settings are restored as rows: no statement removes VALID UNTIL.
CREATE PROCEDURE harness.restore() LANGUAGE plpgsql AS $$
DECLARE
    step text;
BEGIN
    FOR step IN
        SELECT format('DROP OWNED BY %1$I CASCADE; DROP ROLE %1$I', rolname)
        FROM pg_authid WHERE oid NOT IN (SELECT oid FROM harness.roles)
        UNION ALL
        SELECT format('REVOKE %s FROM %s CASCADE', roleid::regrole, member::regrole)
        FROM pg_auth_members AS m WHERE NOT EXISTS (
            SELECT FROM harness.members AS s WHERE to_jsonb(s) - 'oid' = to_jsonb(m) - 'oid'
        )
    LOOP
        BEGIN
            EXECUTE step;
        EXCEPTION WHEN dependent_objects_still_exist OR undefined_object THEN
            RAISE LOG 'not undone: %: %', step, SQLERRM;
        END;
    END LOOP;
    SET LOCAL allow_system_table_mods TO on;
    UPDATE pg_authid AS r SET
        rolname = s.rolname, rolsuper = s.rolsuper, rolinherit = s.rolinherit, rolcreaterole = s.rolcreaterole,
        rolcreatedb = s.rolcreatedb, rolcanlogin = s.rolcanlogin, rolreplication = s.rolreplication,
        rolbypassrls = s.rolbypassrls, rolconnlimit = s.rolconnlimit, rolpassword = s.rolpassword,
        rolvaliduntil = s.rolvaliduntil
    FROM harness.roles AS s WHERE r.oid = s.oid AND r::text <> s::text;
    DELETE FROM pg_db_role_setting AS r WHERE setdatabase = 0
        AND NOT EXISTS (SELECT FROM harness.settings AS s WHERE s::text = r::text);
    INSERT INTO pg_db_role_setting SELECT * FROM harness.settings AS s
        WHERE NOT EXISTS (SELECT FROM pg_db_role_setting AS r WHERE setdatabase = 0 AND r.setrole = s.setrole);
    FOR step IN
        SELECT format('GRANT %s TO %s%s', roleid::regrole, member::regrole,
                      CASE WHEN admin_option THEN ' WITH ADMIN OPTION' ELSE '' END)
        FROM harness.members AS s WHERE NOT EXISTS (
            SELECT FROM pg_auth_members AS m WHERE to_jsonb(s) - 'oid' = to_jsonb(m) - 'oid'
        )
    LOOP
        EXECUTE step;
    END LOOP;
END
$$;

-- End all sessions of a database, rename it, so that no client of the last test finds it, and read what was written to
-- it since a position in the WAL. `db_name` comes in as the old name and goes out as the present one.
CREATE PROCEDURE harness.read_changes(
    db oid, new_name text, since pg_lsn, most bigint,
    INOUT db_name text, INOUT properties text, INOUT touched jsonb, INOUT obstacle text
) LANGUAGE plpgsql AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + interval '10 s';
    reached pg_lsn;
BEGIN
    LOOP
        PERFORM pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL) WHERE datid = db;
        EXIT WHEN NOT FOUND;
        IF clock_timestamp() > deadline THEN
            obstacle := 'a session of the test does not end';
            RETURN;
        END IF;
        PERFORM pg_sleep(0.001);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
    properties := harness.properties(db, db_name);
    IF properties IS NULL THEN
        obstacle := 'the database was renamed or dropped';
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_prepared_xacts WHERE database = db_name) THEN
        obstacle := 'a prepared transaction was left';
        RETURN;
    END IF;
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', db_name, new_name);
    PERFORM pg_logical_emit_message(true, 'harness', '');
    COMMIT;  -- and with it all that was written before is on disk, where it can be read
    db_name := new_name;
    reached := pg_current_wal_flush_lsn();
    IF reached - since > most THEN
        obstacle := 'more was written than is worth reading';
        RETURN;
    END IF;
    BEGIN
        SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_array(resource_manager, record_type, place[3]::bigint)), '[]')
        INTO touched
        FROM (
            -- Cloning a large template writes ten thousand records. Records that are not of the known form are kept.
            SELECT DISTINCT resource_manager, record_type, block_ref
            FROM harness.pg_get_wal_records_info(since, reached)
            WHERE block_ref IS NULL OR strpos(block_ref, '/' || db || '/') > 0 OR block_ref NOT LIKE '%rel %/%/%'
        ) AS record
        LEFT JOIN LATERAL regexp_matches(block_ref, 'rel (\d+)/(\d+)/(\d+)', 'g') AS place ON true
        WHERE place IS NULL OR place[2]::oid = db;
    EXCEPTION WHEN OTHERS THEN
        obstacle := 'the WAL cannot be read: ' || SQLERRM;
    END;
END
$$;
