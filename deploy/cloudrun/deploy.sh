#!/usr/bin/env bash
# Update the jobs, migrate, start a revision without traffic, ask its /ready, then send the traffic there.
#
#   PROJECT=… REGION=… deploy/cloudrun/deploy.sh deploy TAG        both images are in the registry under TAG
#   PROJECT=… REGION=… deploy/cloudrun/deploy.sh rollback [REVISION]   to REVISION, or list what there is
#
# If a step fails, the script ends and the traffic stays where it was. A rollback does not change the database: the
# previous release runs on the new schema too (tests/migrations).
set -euo pipefail

usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

: "${PROJECT:?the Google Cloud project}" "${REGION:?such as europe-west1}"
SERVICE=sealy
IMAGE=${IMAGE:-$REGION-docker.pkg.dev/$PROJECT/$SERVICE/$SERVICE}
here=$(cd "$(dirname "$0")" && pwd)

run() { gcloud run --project="$PROJECT" --region="$REGION" --quiet "$@"; }

# A list, because it is empty, not an error, as long as the service does not exist.
traffic() {
  run services list --filter="metadata.name=$SERVICE" --flatten=status.traffic --format="value[separator='|']($1)"
}

render() {
  sed -e "s|\${PROJECT}|$PROJECT|g" -e "s|\${REGION}|$REGION|g" -e "s|\${IMAGE}|$IMAGE|g" \
    -e "s|\${TAG}|$TAG|g" -e "s|\${REVISION}|$REVISION|g" "$here/$1"
}

serving() { traffic status.traffic.percent,status.traffic.revisionName | awk -F'|' '$1 == 100 { print $2 }'; }

service() {
  render service.yaml
  if [ -n "$current" ]; then
    printf '  traffic:\n    - revisionName: %s\n      percent: 100\n' "$current"
    printf '    - revisionName: %s\n      percent: 0\n      tag: candidate\n' "$SERVICE-$REVISION"
  else
    printf '  traffic:\n    - latestRevision: true\n      percent: 100\n      tag: candidate\n'
  fi
}

deploy() {
  TAG=$1
  REVISION=$TAG-$(date -u +%m%d%H%M%S)
  current=$(serving)
  manifests=$(mktemp -d)
  trap 'rm -rf "$manifests"' EXIT

  local job
  for job in $(cd "$here" && grep -l '^kind: Job$' -- *.yaml); do
    render "$job" >"$manifests/$job"
    run jobs replace "$manifests/$job"
  done
  run jobs execute "$SERVICE-migrate" --wait

  service >"$manifests/service.yaml"
  run services replace "$manifests/service.yaml"
  local url
  url=$(traffic status.traffic.tag,status.traffic.url | awk -F'|' '$1 == "candidate" { print $2 }')
  gcloud secrets versions access latest --project="$PROJECT" --secret="$SERVICE-edge-key" |
    sed 's/^/x-edge-key: /' |
    curl --fail --silent --show-error --max-time 30 --retry 5 --retry-all-errors --header @- "$url/ready" >&2 || {
      echo "$SERVICE-$REVISION is not ready: the traffic stays at ${current:-the first revision}" >&2
      exit 1
    }

  run services update-traffic "$SERVICE" --to-revisions="$SERVICE-$REVISION=100"
  echo "serving: $SERVICE-$REVISION; back: $0 rollback ${current:-(there is nothing before it)}" >&2
}

case "${1:-} $#" in
  "deploy 2") deploy "$2" ;;
  "rollback 1") run revisions list --service="$SERVICE" ;;
  "rollback 2") run services update-traffic "$SERVICE" --to-revisions="$2=100" ;;
  *) usage ;;
esac
