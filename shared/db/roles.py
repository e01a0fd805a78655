"""Roles in PostgreSQL: each service may use its own tables and the shared ones; only the owner changes schemas."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "leadbaton_scoring": ("scoring",),
    "leadbaton_routing": ("routing",),
    "leadbaton_sla": ("sla",),
    "leadbaton_alignment": ("alignment",),
    "leadbaton_relay": (),
    "leadbaton_ops": ("scoring", "routing", "sla", "alignment"),
}
"""The schemas that each role may write to, besides the shared one."""

SHARED = "messaging"
OPS_TABLES = ("agreements", "api_keys", "sign_in_links")
"""Shared tables that services only read, except for WRITERS."""

WRITERS: Mapping[str, tuple[str, ...]] = {
    "leadbaton_ops": OPS_TABLES,
    # an import of reps suspends the keys of reps who left; a sign-in link becomes a key
    "leadbaton_routing": ("api_keys", "sign_in_links"),
}


def grant_roles(connection: Connection) -> list[str]:
    """Grant the roles that exist on this server the use of the present tables, and return their names.

    On a server without these roles only the owner has access.
    """
    existing = text("select rolname from pg_roles where rolname = any(:names) order by rolname")
    roles = list(connection.scalars(existing, {"names": list(SCHEMAS)}))
    for role in roles:
        for statement in _grants(role):
            connection.execute(text(statement))
    return roles


def _grants(role: str) -> list[str]:
    """The statements that grant the role its rights, after a revoke of those that an earlier version granted."""
    used = (*SCHEMAS[role], SHARED)
    return [
        *(
            f"revoke all on all tables in schema {it} from {role}"
            for it in ("scoring", "routing", "sla", "alignment", SHARED)
        ),
        *(f"grant usage on schema {it} to {role}" for it in used),
        *(
            f"grant select, insert, update, delete on all tables in schema {it} to {role}"
            for it in used
        ),
        *(f"grant usage on all sequences in schema {it} to {role}" for it in used),
        *(
            f"revoke insert, update, delete on {SHARED}.{table} from {role}"
            for table in OPS_TABLES
            if table not in WRITERS.get(role, ())
        ),
        f"grant select on public.alembic_version to {role}",
    ]
