"""PostgreSQL behind TLS: the URL's `sslmode` and certificates hold for every connection, and a wrong one is told."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from services.cli import checks
from shared.clock import utc_now
from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.process.settings import Settings
from tests.certificates import make_certificate
from tests.commands import leadbaton

pytestmark = pytest.mark.postgres

TLS_REQUEST = 80877103
"""The code of PostgreSQL's message that asks for TLS: 1234 and 5679, as the manual has it (53.7)."""


class TlsEntry:
    """Speaks PostgreSQL's TLS, and passes what it decrypts on to a server that has none."""

    def __init__(self, server_url: str, certificate: Path) -> None:
        server = make_url(server_url)
        self._server = (server.host, server.port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])
        self.port = 0

    def __enter__(self) -> TlsEntry:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._pass_on, "127.0.0.1", 0) as entry:
            self.port = entry.sockets[0].getsockname()[1]
            self._started.set()
            await self._stop.wait()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            while int.from_bytes((await reader.readexactly(8))[4:]) != TLS_REQUEST:
                writer.write(b"N")
            writer.write(b"S")
            await writer.start_tls(self._context)
            inner_reader, inner_writer = await asyncio.open_connection(*self._server)
            async with _closing(inner_writer):
                ways = [(reader, inner_writer), (inner_reader, writer)]
                copies = [asyncio.create_task(_copy(*way)) for way in ways]
                await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
                for copy in copies:
                    copy.cancel()
                await asyncio.gather(*copies, return_exceptions=True)


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Ends the connection with the block; one that its client ends or does not trust is no error here."""
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            yield
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return tmp_path / "authority.pem"


@pytest.fixture
def entry(database_url: str, authority: Path, tmp_path: Path) -> Iterator[TlsEntry]:
    make_certificate(authority, tmp_path / "server.pem")
    with TlsEntry(database_url, tmp_path / "server.pem") as entry:
        yield entry


def url_of(database_url: str, port: int, **options: object) -> str:
    """The same database by way of the entry, with these options of libpq."""
    url = make_url(database_url).set(port=port, query={k: str(v) for k, v in options.items()})
    return url.render_as_string(hide_password=False)


def test_everything_goes_by_tls(database_url: str, entry: TlsEntry, authority: Path) -> None:
    url = url_of(database_url, entry.port, sslmode="verify-full", sslrootcert=authority)
    engine = engine_for(url)
    with engine.connect() as connection:
        client: Any = connection.connection.driver_connection
        assert client.pgconn.ssl_in_use
        assert connection.scalar(text("select 1")) == 1
    assert upgrade(engine) == []
    engine.dispose()

    command = leadbaton("keys", "list", LEADBATON_DATABASE_URL=url)
    assert command.returncode == 0, command.stderr
    [database, *_] = checks.database(Settings(database_url=url), utc_now())
    assert database.ok


@pytest.mark.parametrize("fault", ["authority", "no such file", "host", "no tls"])
def test_an_untrusted_server_is_reported_as_such(
    database_url: str, entry: TlsEntry, authority: Path, tmp_path: Path, fault: str
) -> None:
    other_certificate = tmp_path / "other.pem"
    make_certificate(other_certificate, tmp_path / "other-key.pem")
    options = {"sslmode": "verify-full", "sslrootcert": authority}
    url = {
        "authority": url_of(
            database_url, entry.port, **options | {"sslrootcert": other_certificate}
        ),
        "no such file": url_of(
            database_url, entry.port, **options | {"sslrootcert": tmp_path / "no"}
        ),
        "host": url_of(database_url, entry.port, **options, hostaddr="127.0.0.1").replace(
            "@127.0.0.1", "@db.example"
        ),
        "no tls": database_url + "?sslmode=require",
    }[fault]

    [doctor] = checks.database(Settings(database_url=url), utc_now())

    assert "is not reached by the TLS that LEADBATON_DATABASE_URL asks for" in doctor.detail
    assert "sslrootcert" in doctor.remedy


def test_without_an_authority_nothing_is_sent(database_url: str, entry: TlsEntry) -> None:
    engine = engine_for(url_of(database_url, entry.port, sslmode="verify-full"))
    with pytest.raises(OperationalError, match="certificate"):
        engine.connect()
    engine.dispose()
