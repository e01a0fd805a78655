"""Roles of PostgreSQL: each service may use its own tables and the shared ones; the owner alone changes a schema."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "leadbaton_scoring": ("scoring",),
    "leadbaton_routing": ("routing",),
    "leadbaton_sla": ("sla",),
    "leadbaton_relay": (),
    "leadbaton_ops": ("scoring", "routing", "sla"),
}
"""The schemas that each role writes to, besides the shared one."""

SHARED = "messaging"
KEPT_BY_OPS = ("agreements", "api_keys")
"""Shared tables that the services only read."""

WRITERS: Mapping[str, tuple[str, ...]] = {
    "leadbaton_ops": KEPT_BY_OPS,
    "leadbaton_routing": ("api_keys",),  # an import of reps ends the keys of those who left
}


def grant_roles(connection: Connection) -> list[str]:
    """Grant each role that this server has what it needs of the present tables; the names of those roles.

    A server without them is used by its owner alone.
    """
    existing = text("select rolname from pg_roles where rolname = any(:names) order by rolname")
    roles = list(connection.scalars(existing, {"names": list(SCHEMAS)}))
    for role in roles:
        for statement in _grants(role):
            connection.execute(text(statement))
    return roles


def _grants(role: str) -> list[str]:
    """Everything that the role may do; what an earlier version gave it is taken back first."""
    used = (*SCHEMAS[role], SHARED)
    return [
        *(
            f"revoke all on all tables in schema {it} from {role}"
            for it in ("scoring", "routing", "sla", SHARED)
        ),
        *(f"grant usage on schema {it} to {role}" for it in used),
        *(
            f"grant select, insert, update, delete on all tables in schema {it} to {role}"
            for it in used
        ),
        *(f"grant usage on all sequences in schema {it} to {role}" for it in used),
        *(
            f"revoke insert, update, delete on {SHARED}.{table} from {role}"
            for table in KEPT_BY_OPS
            if table not in WRITERS.get(role, ())
        ),
        f"grant select on public.alembic_version to {role}",
    ]
