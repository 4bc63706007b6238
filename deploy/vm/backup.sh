#!/usr/bin/env bash
# Dump a database, restore the dump into a scratch database, and keep it only if every table has as many rows as in the
# snapshot of the dump.
#
# libpq's variables (PGHOST, PGUSER, …) name the server; the user is a superuser, because the restore grants rights.
#   DATABASE   what to dump                 BACKUPS   the directory of the dumps
#   KEEP       days after which dumps are deleted
# The dump is on the machine that it protects: docs/deploying.md says how to copy it elsewhere.
set -euo pipefail
umask 077

database=${DATABASE:-sealy}
backups=${BACKUPS:-/var/backups/sealy}
keep=${KEEP:-14}
scratch=${database}_restored
if [ -n "${PGPASSWORD_FILE:-}" ]; then
  PGPASSWORD=$(<"$PGPASSWORD_FILE")
  export PGPASSWORD
fi

mkdir -p "$backups"
backups=$(cd "$backups" && pwd)
work=$(mktemp -d "$backups/.unfinished.XXXXXX")
cleanup() {
  cd /
  rm -rf "$work"
  dropdb --if-exists --force --maintenance-db=postgres "$scratch"
}
trap cleanup EXIT

run() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1"; }

# Every table that stores rows, with their number.
counts() {
  cat <<'SQL'
SELECT format('SELECT %L, count(*) FROM ONLY %I.%I', nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND relpersistence <> 't' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SQL
}

# One transaction counts and exports its snapshot to pg_dump, so that concurrent writes are in neither.
cd "$work"
{
  echo "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
  echo "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
  echo "SELECT pg_export_snapshot() \\g snapshot"
  echo "\\! pg_dump --format=custom --snapshot=\$(cat snapshot) --file=dump '$database' || touch failed"
  echo "\\o expected"
  counts
} | run "$database"
[ ! -e failed ]

dropdb --if-exists --force --maintenance-db=postgres "$scratch"
createdb --template=template0 --maintenance-db=postgres "$scratch"
pg_restore --exit-on-error --dbname="$scratch" dump
counts | run "$scratch" >found
diff expected found || {
  echo "the dump of $database does not restore to what was dumped (< expected, > found)" >&2
  exit 1
}

name=$database-$(date -u +%Y%m%dT%H%M%SZ).dump
sync dump
mv dump "$backups/$name"
find "$backups" -maxdepth 1 -name "$database-*.dump" -mtime "+$keep" -delete
echo "$backups/$name: $(wc -l <found) tables, $(awk -F'|' '{ n += $2 } END { print n + 0 }' found) rows, restored and counted"
