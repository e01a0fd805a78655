"""kafka-python 3.0.12: a connection whose TLS handshake fails stays open.

The client forgets the transport when `handshake` raises, and does not close its socket.
"""

from __future__ import annotations

import ssl


class ClosingSocket(ssl.SSLSocket):
    """A socket that closes itself when its handshake fails; to be used as a context's `sslsocket_class`."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the base class has it
        """Do a step of the handshake; the client calls this until the handshake is complete."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise
