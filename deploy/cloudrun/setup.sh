#!/usr/bin/env bash
# Once per project: create the database, two accounts with the fewest rights, and three secrets.
#
#   PROJECT=… REGION=… deploy/cloudrun/setup.sh
#
# Then, by hand: run deploy/db/roles.sql on the database, and set the passwords of secrets.txt, which this script writes.
set -euo pipefail
umask 077

: "${PROJECT:?the Google Cloud project}" "${REGION:?such as europe-west1}"
SERVICE=sealy
DATABASE=${SERVICE//-/_}
SOCKET=/cloudsql/$PROJECT:$REGION:$SERVICE

g() { gcloud --project="$PROJECT" --quiet "$@"; }

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# keep NAME ACCOUNT…: store standard input as a secret that only these accounts can read
keep() {
  local name=$1 account
  shift
  g secrets create "$name" --replication-policy=automatic --data-file=-
  for account in "$@"; do
    g secrets add-iam-policy-binding "$name" --role=roles/secretmanager.secretAccessor \
      --member="serviceAccount:$account@$PROJECT.iam.gserviceaccount.com" >/dev/null
  done
}

g services enable run.googleapis.com sqladmin.googleapis.com secretmanager.googleapis.com artifactregistry.googleapis.com
g artifacts repositories create "$SERVICE" --repository-format=docker --location="$REGION"

# No network is authorised: the proxy, with the role cloudsql.client, is the only way in.
g sql instances create "$SERVICE" --region="$REGION" --database-version=POSTGRES_17 --edition=enterprise \
  --tier=db-g1-small --database-flags=max_connections=50 --backup-start-time=03:00 \
  --enable-point-in-time-recovery --deletion-protection
g sql databases create "$DATABASE" --instance="$SERVICE"

for account in "$SERVICE-app" "$SERVICE-migrate"; do
  g iam service-accounts create "$account"
  g projects add-iam-policy-binding "$PROJECT" --role=roles/cloudsql.client --condition=None \
    --member="serviceAccount:$account@$PROJECT.iam.gserviceaccount.com" >/dev/null
done

app=$(random)
migrator=$(random)
printf '%s' "postgresql://${DATABASE}_app:$app@/$DATABASE?host=$SOCKET" | keep "$SERVICE-app-url" "$SERVICE-app"
printf '%s' "postgresql://${DATABASE}_migrator:$migrator@/$DATABASE?host=$SOCKET" |
  keep "$SERVICE-migrator-url" "$SERVICE-migrate"
random | keep "$SERVICE-edge-key" "$SERVICE-app"
printf "ALTER ROLE %s PASSWORD '%s';\n" "${DATABASE}_app" "$app" "${DATABASE}_migrator" "$migrator" >secrets.txt
echo "secrets.txt: psql -f it after deploy/db/roles.sql, then delete it" >&2
