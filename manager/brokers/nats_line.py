"""``NatsLine``: one connection of nats-py to one NATS server, which never connects again by itself.

nats-py greets the server, proves who this is, and reads. The rest is done here. A subscription of nats-py has
a queue of its own, so that the order over several channels is lost, and its ``flush`` sends the PING before
what waits to be sent, so that the PONG confirms nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any, Final, Protocol

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SecureConnWantedError, UnexpectedEOF

from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT, REPLY_TIMEOUT
from socketio_cluster.manager.brokers.nats_url import Target
from socketio_cluster.manager.errors import BrokerError

PING: Final = b"PING\r\n"
DENIED: Final = re.compile(r'nats: permissions violation for (publish|subscription) to "(.*?)"')
"""How nats-py reports that this user may not do so. It makes all letters of the subject small."""


class Ends(Protocol):
    """The methods of the broker that a line calls."""

    def arrived(self, number: int, payload: bytes) -> None:
        """Handle a message of the subscription with this number. They come in order."""

    def informed(self, servers: set[str]) -> None:
        """Called with the addresses of all servers of the cluster, when that was said."""

    def denied(self, subject: str) -> None:
        """Called with a subject that this user may not publish to, in small letters."""

    def ended(self, why: BrokerError) -> None:
        """Called when the connection has ended, or is of no use any more."""


class NatsLine(Client):
    """One connection to the server at ``place`` (``host:port``)."""

    def __init__(self, place: str, ends: Ends) -> None:
        super().__init__()
        self.place = place
        self.info: dict[str, Any] = {}
        self._ends = ends
        self._greeted = False
        self._secure = False

    async def open(self, target: Target, seconds: float = CONNECT_TIMEOUT) -> None:
        """Connect and log in. Raises ``BrokerError``."""
        self._secure = target.secure
        try:
            async with asyncio.timeout(seconds):
                await self.connect(
                    f"{'tls' if target.secure else 'nats'}://{self.place}",
                    error_cb=self._heard_error,
                    closed_cb=self._heard_end,
                    name="socketio-cluster",
                    allow_reconnect=False,
                    connect_timeout=round(CONNECT_TIMEOUT),
                    **target.login,
                )
        except TimeoutError as error:
            raise BrokerError(f"NATS at {self.place} does not answer") from error
        except SecureConnWantedError as error:
            raise BrokerError(f"NATS at {self.place} has no TLS, which tls:// asks for") from error
        except NatsError as error:
            raise BrokerError(f"NATS at {self.place} refuses this node: {_words(error)}") from error
        except (OSError, UnicodeError) as error:  # the latter is of a name with an empty part
            raise BrokerError(f"NATS at {self.place} cannot be reached: {_words(error)}") from error
        self._greeted = True

    def send(self, commands: bytes) -> None:
        """Write commands in their wire form."""
        assert self._transport is not None, "open() comes first"
        self._transport.write(commands)

    async def ask(self, commands: bytes) -> bool:
        """Write commands and a PING. Returns whether the PONG came, which says that all of them were handled.

        Cancelling is safe.
        """
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self.send(commands + PING)
        # It must not cancel the future: nats-py would then stop reading at the PONG.
        answered, _ = await asyncio.wait([pong], timeout=REPLY_TIMEOUT)
        return pong in answered and pong.result()

    async def abort(self) -> None:
        """Drop the connection and all unsent bytes."""
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            # close() alone would wait until a stopped server has read the last bytes.
            writer.transport.abort()
        if self._greeted:
            # Its tasks have not started before, and after a failed TLS handshake it would wait forever.
            with contextlib.suppress(NatsError, OSError):
                await self.close()
        self.give_up()

    def give_up(self) -> None:
        """Let all ``ask`` that wait return."""
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_result(False)

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        """Take a message from the parser, in the place of nats-py's queues."""
        self._ends.arrived(sid, data)

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Note what the server says of itself, for the first time before credentials are sent."""
        if self._secure:
            # nats-py uses TLS only if the server insists on it.
            info["tls_required"] = info.get("tls_required") or info.get("tls_available")
            if not (info["tls_required"] or self.options["tls_handshake_first"]):
                raise SecureConnWantedError
        self.info |= info
        self._ends.informed(set(self.info.get("connect_urls") or ()))

    async def _heard_error(self, error: Exception) -> None:
        if not self._greeted:
            raise error  # This ends connect(), which would go on with the next try.
        denied = DENIED.match(str(error))
        if denied is None:
            self._ends.ended(BrokerError(f"NATS at {self.place} {self._how(error)}"))
        elif denied[1] == "publish":
            self._ends.denied(denied[2])
        else:
            self._ends.ended(BrokerError(f"NATS at {self.place}: this user may not subscribe to {denied[2]}"))

    async def _heard_end(self) -> None:
        self._ends.ended(BrokerError(f"NATS at {self.place} {self._how(self.last_error)}"))

    def _how(self, error: Exception | None) -> str:
        # A server that is stopped resets the connection if it has not read all that it was sent.
        if self.info.get("ldm") and isinstance(error, UnexpectedEOF | OSError | None):
            return "is being stopped (lame duck mode) and has closed the connection"
        if error is not None and not isinstance(error, UnexpectedEOF):
            return f"ended the connection: {_words(error)}"
        return "has closed the connection: it was stopped, or this node read too slowly (its log says which)"


def _words(error: Exception) -> str:
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__
