#!/usr/bin/env bash
# Create the roles of the database, with the passwords of the two addresses. Safe to repeat.
# libpq's variables (PGHOST, PGUSER, PGDATABASE) name the database; SECRETS and ROLES name the files.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}
if [ -e "$secrets/superuser_password" ]; then
  PGPASSWORD=$(<"$secrets/superuser_password")
  export PGPASSWORD
fi

# password URL: the word between the user's colon and the last @
password() { sed -E 's|^[a-z+]+://[^:/@]+:([^@]*)@.*$|\1|' "$1"; }

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file="${ROLES:-/deploy/roles.sql}"
# By standard input, so that no password is an argument; and without a line in the server log.
{
  echo "SET log_statement = 'none'; SET log_min_duration_statement = -1;"
  printf "ALTER ROLE %s PASSWORD '%s';\n" \
    "${PGDATABASE}_app" "$(password "$secrets/app_url")" \
    "${PGDATABASE}_migrator" "$(password "$secrets/migrator_url")"
} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1
