#!/usr/bin/env bash
# Makes the roles that docker-compose.yml connects with, each with its password from a file, and gives the database to
# its owner. PostgreSQL's image runs it on an empty volume; on an older one run it by hand: running it again changes
# nothing but passwords.
#   docker compose exec postgres bash /docker-entrypoint-initdb.d/roles.sh
# What each role may do is granted by `leadbaton migrate`.
set -euo pipefail
export SECRETS_DIRECTORY=${SECRETS_DIRECTORY:-/run/secrets}

psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set owner `cat "$SECRETS_DIRECTORY/postgres_owner"`
\set scoring `cat "$SECRETS_DIRECTORY/postgres_scoring"`
\set routing `cat "$SECRETS_DIRECTORY/postgres_routing"`
\set sla `cat "$SECRETS_DIRECTORY/postgres_sla"`
\set alignment `cat "$SECRETS_DIRECTORY/postgres_alignment"`
\set relay `cat "$SECRETS_DIRECTORY/postgres_relay"`
\set ops `cat "$SECRETS_DIRECTORY/postgres_ops"`
\set metrics `cat "$SECRETS_DIRECTORY/postgres_metrics"`
select format('create role %I login', name)
from unnest(array['leadbaton_owner', 'leadbaton_scoring', 'leadbaton_routing', 'leadbaton_sla',
    'leadbaton_alignment', 'leadbaton_relay', 'leadbaton_ops', 'leadbaton_metrics']) as wanted (name)
where not exists (select from pg_roles where rolname = name) \gexec
alter role leadbaton_owner password :'owner' connection limit 10;
alter role leadbaton_scoring password :'scoring';
alter role leadbaton_routing password :'routing';
alter role leadbaton_sla password :'sla';
alter role leadbaton_alignment password :'alignment';
alter role leadbaton_relay password :'relay';
alter role leadbaton_ops password :'ops' connection limit 20;
alter role leadbaton_metrics password :'metrics' connection limit 5;
grant pg_monitor to leadbaton_metrics;
select 'create database leadbaton' where not exists (select from pg_database where datname = 'leadbaton') \gexec
alter database leadbaton owner to leadbaton_owner;
revoke all on database leadbaton from public;
grant connect, temporary on database leadbaton
    to leadbaton_scoring, leadbaton_routing, leadbaton_sla, leadbaton_alignment, leadbaton_relay, leadbaton_ops;
grant connect on database leadbaton to leadbaton_metrics;
SQL
