#!/usr/bin/env bash
# Once, after the first deployment: run the job of refresh.yaml every five minutes, with an account that can do nothing else.
#
#   PROJECT=… REGION=… deploy/cloudrun/schedule.sh
set -euo pipefail

: "${PROJECT:?the Google Cloud project}" "${REGION:?such as europe-west1}"
SERVICE=sealy
JOB=$SERVICE-refresh
ACCOUNT=$JOB@$PROJECT.iam.gserviceaccount.com

g() { gcloud --project="$PROJECT" --quiet "$@"; }

g services enable cloudscheduler.googleapis.com
g iam service-accounts create "$JOB"
g run jobs add-iam-policy-binding "$JOB" --region="$REGION" --role=roles/run.invoker --member="serviceAccount:$ACCOUNT"
g scheduler jobs create http "$JOB" --location="$REGION" --schedule="*/5 * * * *" --http-method=POST \
  --uri="https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/$JOB:run" \
  --oauth-service-account-email="$ACCOUNT"
