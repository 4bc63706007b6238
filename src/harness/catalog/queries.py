"""The catalogue queries of a snapshot. They run unchanged on 14-18 and need no right beyond CONNECT.

Columns that were added after 14 are read through `to_jsonb(row) ->> 'column'`, null if the server has none. `_SYSTEM`
and `_in_scope` decide the scope; the parts of a relation are fetched by the OIDs found there. What takes time on
thousands of tables is read only if it can differ: a default has no columns, so it is deparsed without its table, and
only a unique index can treat nulls as equal.
"""

# ruff: noqa: S608 - every part that is put into a query is a constant of this module
from __future__ import annotations

_SYSTEM = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"


def _not_of_extension(catalogue: str, oid: str) -> str:
    """Return the condition that the object was not made by CREATE EXTENSION."""
    return (
        f"NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '{catalogue}'::regclass AND x.objid = {oid}"
        " AND x.deptype = 'e')"
    )


def _in_scope(catalogue: str, oid: str) -> str:
    """Return the condition that the object is the project's, in one of its schemas `n`."""
    return f"{_SYSTEM} AND {_not_of_extension(catalogue, oid)} AND {_not_of_extension('pg_namespace', 'n.oid')}"


_VERSIONS = """(c.relkind = 'r' AND (c.relname = 'alembic_version' OR c.relnatts = 1 AND EXISTS (
  SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'version_num' AND a.attnotnull
    AND a.atttypid IN ('varchar'::regtype, 'text'::regtype)
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n'
      AND (k.contype <> 'p' OR k.conname <> left(c.relname || '_pkc', 63))))))"""
"""Whether a relation `c` is Alembic's own table, whatever `version_table` of env.py calls it; no rule judges it."""

_HOLDS_VERSIONS = f"""(n.nspname <> 'public'
  AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND {_VERSIONS})
  AND NOT EXISTS (SELECT FROM pg_class c
    WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT {_VERSIONS})
  AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid))"""
"""Whether a schema `n` is there only for that table: `version_table_schema`."""


def _rights(kind: str, acl: str, owner: str) -> str:
    """Return SQL for the privileges on an object, sorted, with defaults written out."""
    return (
        f"ARRAY(SELECT x::text FROM unnest(coalesce({acl}, acldefault('{kind}', {owner}))) x"
        ' ORDER BY x::text COLLATE "C")'
    )


PLAIN = """
SELECT set_config('search_path', '', true), set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),
  set_config('IntervalStyle', 'postgres', true), set_config('quote_all_identifiers', 'off', true),
  set_config('statement_timeout', '60s', true), set_config('lock_timeout', '5s', true)
"""
"""Settings of the transaction: an object has the same text for every reader, and locks are not held for long."""

WRITE = "CREATE TABLE public.harness_planted ()"
"""A write that a READ ONLY transaction refuses before it checks privileges or names."""

SERVER = """
SELECT current_setting('server_version_num')::int, current_database()::text, current_user::text,
  (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
  OR has_database_privilege(current_database(), 'CREATE')
  OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND has_schema_privilege(n.oid, 'CREATE'))
  OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
"""

SCHEMAS = f"""
SELECT n.oid, n.nspname::text, pg_get_userbyid(n.nspowner)::text,
  {_rights("n", "n.nspacl", "n.nspowner")}, d.description
FROM pg_namespace n
LEFT JOIN pg_description d ON d.objoid = n.oid AND d.classoid = 'pg_namespace'::regclass AND d.objsubid = 0
WHERE {_SYSTEM} AND {_not_of_extension("pg_namespace", "n.oid")} AND NOT {_HOLDS_VERSIONS}
ORDER BY n.nspname
"""

RELATIONS = f"""
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text,
  pg_get_userbyid(c.relowner)::text, c.relispartition,
  ARRAY(SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
  c.relrowsecurity, c.relforcerowsecurity, {_rights("r", "c.relacl", "c.relowner")},
  coalesce(c.reloptions, '{{}}'), d.description,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
  CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
  c.relreplident::text, a.amname::text, s.spcname::text,
  CASE WHEN c.relkind IN ('v', 'm') THEN ARRAY(
    SELECT DISTINCT v.refobjid FROM pg_rewrite w JOIN pg_depend v ON v.classid = 'pg_rewrite'::regclass
      AND v.objid = w.oid AND v.refclassid = 'pg_class'::regclass AND v.refobjid <> c.oid
    WHERE w.ev_class = c.oid ORDER BY 1) ELSE '{{}}' END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am a ON a.oid = c.relam
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND NOT {_VERSIONS}
  AND {_in_scope("pg_class", "c.oid")}
ORDER BY n.nspname, c.relname
"""

TYPES_HELD = """
SELECT t.oid, t.typname::text, t.typtype::text, t.typbasetype, t.typtypmod, t.typnotnull,
  CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE (t.typrelid = 0 OR c.relkind = 'c') AND coalesce(e.typtype, 'b') <> 'p'
  AND (t.typcategory <> 'A' OR coalesce(e.typrelid, 0) = 0 OR EXISTS (
    SELECT FROM pg_class k WHERE k.oid = e.typrelid AND k.relkind = 'c'))
"""

COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname::text, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod),
  a.attnotnull, pg_get_expr(d.adbin, CASE a.attgenerated WHEN '' THEN 0 ELSE d.adrelid END),
  a.attidentity::text, a.attgenerated::text,
  CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, a.attcollation, c.description,
  CASE WHEN a.attacl IS NULL THEN '{}' ELSE ARRAY(SELECT x::text FROM unnest(a.attacl) x ORDER BY 1) END,
  a.attstorage::text, a.attcompression::text
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_description c ON c.objoid = a.attrelid AND c.classoid = 'pg_class'::regclass AND c.objsubid = a.attnum
WHERE a.attrelid = ANY(%(relations)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

CONSTRAINTS = """
SELECT c.conrelid, c.oid, c.conname::text, c.contype::text, coalesce(c.conkey, '{}'), pg_get_constraintdef(c.oid),
  c.condeferrable, c.condeferred, c.convalidated, coalesce((l.row ->> 'conenforced')::bool, true),
  c.connoinherit, c.conparentid <> 0 OR c.coninhcount > 0, c.conindid, c.confrelid, coalesce(c.confkey, '{}'),
  c.confupdtype::text, c.confdeltype::text,
  ARRAY(SELECT jsonb_array_elements_text(nullif(l.row -> 'confdelsetcols', 'null'))::int),
  c.confmatchtype::text, coalesce((l.row ->> 'conperiod')::bool, false),
  CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid) END, d.description
FROM pg_constraint c
CROSS JOIN LATERAL (SELECT to_jsonb(c) AS row OFFSET 0) l
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass
WHERE c.conrelid = ANY(%(relations)s) AND NOT (c.contype = 'n' AND c.convalidated AND NOT c.connoinherit)
ORDER BY c.conrelid, c.conname, c.oid
"""

INDEXES = """
SELECT i.indrelid, i.indexrelid, c.relname::text, m.amname::text, i.indisunique, i.indisprimary, i.indisexclusion,
  i.indimmediate, i.indisvalid, i.indisready,
  coalesce(i.indisunique AND (to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
  i.indnkeyatts, i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[],
  CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
    SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k) END,
  pg_get_expr(i.indpred, i.indrelid), pg_get_indexdef(i.indexrelid), o.conname::text, coalesce(h.inhparent, 0),
  i.indisreplident, i.indisclustered, d.description
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_constraint o ON o.conrelid = i.indrelid AND o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE i.indrelid = ANY(%(relations)s)
ORDER BY i.indrelid, c.relname
"""

OPERATOR_CLASSES = "SELECT oid, opcname::text FROM pg_opclass"

TRIGGERS = """
SELECT DISTINCT t.tgrelid, CASE WHEN t.tgisinternal THEN o.conname ELSE t.tgname END::text, t.tgenabled::text,
  CASE WHEN NOT t.tgisinternal THEN pg_get_triggerdef(t.oid) END, t.tgfoid::regprocedure::text, d.description
FROM pg_trigger t
LEFT JOIN pg_constraint o ON o.oid = t.tgconstraint
LEFT JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass
WHERE t.tgrelid = ANY(%(relations)s) AND t.tgparentid = 0 AND (NOT t.tgisinternal OR t.tgenabled = 'D')
ORDER BY 1, 2, 5
"""

POLICIES = """
SELECT p.polrelid, p.polname::text, p.polcmd::text, p.polpermissive,
  ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r ORDER BY 1),
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), d.description
FROM pg_policy p
LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_policy'::regclass
WHERE p.polrelid = ANY(%(relations)s)
ORDER BY p.polrelid, p.polname
"""

REWRITE_RULES = """
SELECT w.ev_class, w.rulename::text, w.ev_enabled::text, pg_get_ruledef(w.oid)
FROM pg_rewrite w WHERE w.ev_class = ANY(%(relations)s) AND w.rulename <> '_RETURN'
ORDER BY w.ev_class, w.rulename
"""

SEQUENCES = f"""
SELECT c.oid, n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
  s.seqmax, s.seqcache, s.seqcycle, pg_get_userbyid(c.relowner)::text,
  {_rights("s", "c.relacl", "c.relowner")}, c.relpersistence::text,
  coalesce(o.refobjid, 0), coalesce(o.refobjsubid, 0), coalesce(o.deptype = 'i', false),
  ARRAY(SELECT DISTINCT a.adrelid::text || ' ' || a.adnum FROM pg_depend u
    JOIN pg_attrdef a ON a.oid = u.objid
    WHERE u.classid = 'pg_attrdef'::regclass AND u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid
    ORDER BY 1),
  d.description
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.refclassid = 'pg_class'::regclass
  AND o.deptype IN ('a', 'i') AND o.refobjsubid <> 0
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE c.relpersistence <> 't' AND {_in_scope("pg_class", "c.oid")}
ORDER BY n.nspname, c.relname
"""

FUNCTIONS = f"""
SELECT p.oid, n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), p.prokind::text,
  l.lanname::text, p.prosecdef, coalesce(p.proconfig, '{{}}'), pg_get_userbyid(p.proowner)::text,
  {_rights("f", "p.proacl", "p.proowner")},
  CASE p.prokind WHEN 'a' THEN to_jsonb(a)::text ELSE pg_get_functiondef(p.oid) END, d.description
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN (SELECT g.aggfnoid, g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggtranstype::regtype, g.agginitval
  FROM pg_aggregate g) a ON a.aggfnoid = p.oid AND p.prokind = 'a'
LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
WHERE {_in_scope("pg_proc", "p.oid")}
  AND NOT EXISTS (SELECT FROM pg_depend i
    WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')
ORDER BY 2, 3, 4
"""

TYPES = f"""
SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, pg_get_userbyid(t.typowner)::text,
  {_rights("T", "t.typacl", "t.typowner")},
  ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
  CASE t.typtype
    WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
      (SELECT 'COLLATE ' || t.typcollation::regcollation FROM pg_type b
        WHERE b.oid = t.typbasetype AND t.typcollation <> b.typcollation))
    WHEN 'c' THEN (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
      ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
    WHEN 'r' THEN (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid)
    ELSE '' END,
  t.typnotnull, t.typdefault,
  ARRAY(SELECT jsonb_build_array(k.conname, pg_get_constraintdef(k.oid), k.convalidated)::text
    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname),
  d.description
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_type'::regclass
WHERE t.typtype IN ('e', 'd', 'r', 'c') AND (t.typtype <> 'c' OR c.relkind = 'c') AND {_in_scope("pg_type", "t.oid")}
ORDER BY n.nspname, t.typname
"""

EXTENSIONS = """
SELECT e.extname::text, e.extversion, n.nspname::text, a.default_version
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_available_extensions a ON a.name = e.extname
ORDER BY e.extname
"""

ROLES = """
WITH RECURSIVE has(member, role) AS (
  SELECT m.member, m.roleid FROM pg_auth_members m
  UNION SELECT h.member, m.roleid FROM has h JOIN pg_auth_members m ON m.member = h.role)
SELECT r.rolname::text, r.rolsuper, r.rolbypassrls,
  ARRAY(SELECT pg_get_userbyid(h.role)::text FROM has h WHERE h.member = r.oid ORDER BY 1)
FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname
"""

OTHERS = f"""
SELECT 'default privileges', concat_ws(' ', pg_get_userbyid(a.defaclrole), n.nspname, a.defaclobjtype),
  array_to_string(ARRAY(SELECT x::text FROM unnest(a.defaclacl) x ORDER BY 1), ', ')
FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
UNION ALL
SELECT 'publication', p.pubname::text, (to_jsonb(p) - 'oid' - 'pubname' - 'pubowner')::text || coalesce(
  (SELECT string_agg(r.prrelid::regclass::text, ', ' ORDER BY r.prrelid::regclass::text)
    FROM pg_publication_rel r WHERE r.prpubid = p.oid), '')
FROM pg_publication p
UNION ALL
SELECT 'event trigger', e.evtname::text,
  concat_ws(' ', e.evtevent, e.evtfoid::regprocedure, e.evtenabled, array_to_string(e.evttags, ','))
FROM pg_event_trigger e WHERE {_not_of_extension("pg_event_trigger", "e.oid")}
UNION ALL
SELECT 'statistics', n.nspname || '.' || s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {_in_scope("pg_statistic_ext", "s.oid")}
UNION ALL
SELECT 'collation', n.nspname || '.' || o.collname, (to_jsonb(o) - 'oid' - 'collnamespace' - 'collowner')::text
FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace WHERE {_in_scope("pg_collation", "o.oid")}
UNION ALL
SELECT 'operator', n.nspname || '.' || o.oprname,
  concat_ws(' ', nullif(o.oprleft, 0)::regtype, o.oprname, o.oprright::regtype, o.oprcode::regprocedure)
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {_in_scope("pg_operator", "o.oid")}
UNION ALL
SELECT 'cast', concat_ws(' as ', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
  concat_ws(' ', c.castfunc::regprocedure, c.castcontext, c.castmethod)
FROM pg_cast c WHERE c.oid >= 16384 AND NOT EXISTS (
  SELECT FROM pg_depend x WHERE x.classid = 'pg_cast'::regclass AND x.objid = c.oid AND x.deptype IN ('e', 'i'))
UNION ALL
SELECT 'text search configuration', n.nspname || '.' || t.cfgname,
  (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', '
    ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = t.oid)
FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace WHERE {_in_scope("pg_ts_config", "t.oid")}
ORDER BY 1, 2
"""

KEYWORDS = "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'"

UNWRITTEN = "SELECT pg_current_xact_id_if_assigned() IS NULL"
