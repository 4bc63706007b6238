#!/usr/bin/env bash
# Create the secrets of compose.yaml in deploy/vm/secrets. Existing files are kept. Run it as root.
# For a managed Postgres, write app_url and migrator_url first, with ?sslmode=verify-full&sslrootcert=system.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# put NAME VALUE
put() { [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }

put superuser_password "$(random)"
put app_url "postgresql://sealy_app:$(random)@db/sealy"
put migrator_url "postgresql://sealy_migrator:$(random)@db/sealy"
# Compose mounts a file with its owner and mode: the app's account reads it, root through its group.
chown 10001:0 secrets/*_url
chmod 0440 secrets/*_url
# cloudflared tunnel create NAME writes it; its image runs as 65532.
if [ -e secrets/tunnel_credentials ]; then
  chown 65532:0 secrets/tunnel_credentials
  chmod 0440 secrets/tunnel_credentials
fi
