#!/usr/bin/env bash
# Makes every secret that docker-compose.yml asks for, in the folder `secrets` beside it. What is there stays as it is.
# Keep leadbaton_secret_key apart from the backups: webhook secrets in the database are encrypted with it.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets

keep() { # keep NAME VALUE: containers run as users of their own, so the file is readable; the folder is not
    [ -s "secrets/$1" ] && return
    printf %s "$2" >"secrets/$1"
    chmod 444 "secrets/$1"
    echo "made secrets/$1"
}

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }

keep leadbaton_secret_key "$(random)"
keep grafana_admin "$(random)"
for role in superuser owner scoring routing sla alignment relay ops metrics; do
    keep "postgres_$role" "$(random)"
done
