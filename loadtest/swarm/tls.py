"""TLS for a connection whose bytes are read and written by others."""

from __future__ import annotations

import ssl

READ = 65536


class Tls:
    """Turns bytes into TLS records and back; what is written before the handshake is done waits.

    Args:
        context: what to trust.
        name: the server's name.
    """

    __slots__ = ("_from", "_ready", "_tls", "_to", "_waiting")

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._from = ssl.MemoryBIO()
        self._to = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._from, self._to, server_hostname=name)
        self._ready = False
        self._waiting = b""

    def hello(self) -> bytes:
        """The first bytes for the server."""
        self._shake()
        return self._to.read()

    def encrypt(self, data: bytes) -> bytes:
        """Give the records for ``data``; nothing yet while the handshake goes on."""
        if not self._ready:
            self._waiting += data
            return b""
        self._tls.write(data)
        return self._to.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bytes]:
        """Give what the records say, and what must be sent in answer; raises ssl.SSLError."""
        self._from.write(data)
        if not self._ready:
            self._shake()
        plain = b"".join(self._records()) if self._ready else b""
        return plain, self._to.read()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        self._ready = True
        waiting, self._waiting = self._waiting, b""
        if waiting:
            self._tls.write(waiting)

    def _records(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                record = self._tls.read(READ)
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                return found
            if not record:
                return found
            found.append(record)
