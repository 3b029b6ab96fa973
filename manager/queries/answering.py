"""Answers a question of another node about the clients of this one, and does to them what it asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from itertools import islice, starmap
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

import msgspec

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.presence_messages import (
    ChangePresence,
    CountPresence,
    FindOwnPresence,
    FindPresence,
)
from socketio_cluster.manager.bus.query_messages import (
    AskClients,
    CountSockets,
    DisconnectSockets,
    FindRooms,
    FindSockets,
    JoinRooms,
    LeaveRooms,
    Listing,
    Question,
    Recipients,
    ServerEvent,
)
from socketio_cluster.manager.clients.client import CONNECTED, LEAVING, Client
from socketio_cluster.manager.clients.packets import Encoded, encode_ack
from socketio_cluster.manager.clients.rooms import check_room_limit
from socketio_cluster.manager.errors import UNKNOWN_SID, TooManyRooms
from socketio_cluster.manager.queries.client_answers import ClientAnswers
from socketio_cluster.manager.queries.failed import Failed
from socketio_cluster.manager.queries.pieces import pieces
from socketio_cluster.manager.queries.selection import is_meant, select
from socketio_cluster.manager.queries.socket_info import SocketInfo

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

logger = logging.getLogger("socketio_cluster.manager")

T = TypeVar("T")
A = TypeVarTuple("A")

AT_ONCE: Final = 100
"""The number of clients that are moved or disconnected before other tasks get a turn."""

pack = msgspec.msgpack.Encoder().encode


class Answering:
    """Answers questions about the clients of one node."""

    def __init__(self, manager: ClusterMember) -> None:
        self._manager = manager

    async def do(self, whom: Recipients, question: Question) -> bytes:
        """Do what is asked, and return the packed result. Raises ``Failed``."""
        match question:
            case CountSockets():
                return pack(await self._count(whom))
            case JoinRooms():
                return pack(await self._join(whom, question))
            case LeaveRooms():
                return pack(await self._leave(whom, question))
            case DisconnectSockets():
                return pack(await self._disconnect(whom))
            case ServerEvent(event=event, args=args):
                value = await self._manager.server_events.handle(whom.namespace, event, args)
                return _packed((self._manager.node_id, value), f"what the handler of {event!r} returned")
            case CountPresence() | ChangePresence():
                return await self._manager.present.answers.do(whom, question)
        raise Failed(f"a {type(question).__name__} is not answered with one value")

    def give(self, whom: Recipients, question: Listing) -> AsyncGenerator[list[bytes]]:
        """Yield the packed items of an answer, in pieces. Raises ``Failed``."""
        match question:
            case FindSockets(session=session):
                return pieces(self._sockets(whom, session))
            case FindRooms():
                return pieces(self._rooms(whom.namespace))
            case FindPresence() | FindOwnPresence():
                return pieces(self._manager.present.answers.give(whom, question))
            case AskClients():
                return self._ask_clients(whom, question)

    async def _sockets(self, whom: Recipients, session: bool) -> AsyncGenerator[bytes]:
        async for client in self._clients(whom):
            if client.state is not CONNECTED:
                continue
            connection = self._manager.host.connection(client.eio_sid)
            if connection is None:
                continue  # its end is being handled
            stored = connection.sessions.get(client.namespace, {}) if session else None
            info = SocketInfo(
                client.sid,
                self._manager.node_id,
                client.namespace,
                frozenset(client.rooms),
                client.connected_at,
                connection.address,
                connection.transport,
                stored,
            )
            yield _packed(info, f"the session of client {client.sid}")

    async def _rooms(self, namespace: str) -> AsyncGenerator[bytes]:
        rooms = self._manager.members.rooms.get(namespace, {})
        for room, size in [(room, len(members)) for room, members in rooms.items() if room is not None]:
            yield pack((room, size))

    async def _count(self, whom: Recipients) -> int:
        if not whom.where:
            return sum(client.state is CONNECTED for client in select(self._manager, whom))
        return sum([client.state is CONNECTED async for client in self._clients(whom)])

    async def _join(self, whom: Recipients, question: JoinRooms) -> int:
        manager, refused = self._manager, 0
        moved: list[Client] = []
        entered: list[tuple[Client, Room]] = []
        async for client in self._clients(whom):
            moved.append(client)
            for room in question.rooms:
                if room == client.sid:
                    continue
                try:
                    check_room_limit(client, room, manager.options.rooms_per_client, manager.stats)
                except TooManyRooms:
                    refused += 1
                else:
                    manager.basic_enter_room(client.sid, client.namespace, room)
                    entered.append((client, room))
        for room in question.rooms:
            if manager.members.has(whom.namespace, room):
                await manager.node.subscribe(manager.node.channels.room(whom.namespace, room))
        await self._tell_bus(moved)
        again = ((client, room) for client, room in entered if self._is_lost(client))
        refused += (await _all_of(self._join_again, again)).count(False)
        if refused:
            raise Failed(f"{refused} joins were refused: those clients are in rooms_per_client rooms already")
        return len(moved)

    async def _join_again(self, client: Client, room: Room) -> bool:
        """Put a client that was lost meanwhile into a room. Returns False if its limit forbids that."""
        try:
            await self._manager.server.enter_room(client.sid, room, namespace=client.namespace)
        except TooManyRooms:
            return False
        except ValueError as error:
            if str(error) != UNKNOWN_SID:  # Otherwise it will not come back.
                raise
        return True

    async def _leave(self, whom: Recipients, question: LeaveRooms) -> int:
        moved: list[Client] = []
        async for client in self._clients(whom):
            moved.append(client)
            await self._manager.may_leave([client])
            for room in question.rooms:
                self._manager.basic_leave_room(client.sid, client.namespace, room)
        await self._tell_bus(moved)
        lost = filter(self._is_lost, moved)
        await _all_of(self._leave_again, ((client, room) for client in lost for room in question.rooms))
        return len(moved)

    async def _leave_again(self, client: Client, room: Room) -> None:
        """Take a client that was lost meanwhile out of a room."""
        await self._manager.server.leave_room(client.sid, room, namespace=client.namespace)

    def _is_lost(self, client: Client) -> bool:
        """Whether a client was lost while something was done to it here: it is away, or on another node."""
        session = client.session
        return session is not None and (session.lost or not self._manager.members.is_here(client))

    async def _tell_bus(self, moved: list[Client]) -> None:
        """Tell the bus of the rooms of clients that may come back after this node has died."""
        if self._manager.recovery is not None:
            await _all_of(self._manager.recovery.sessions.flush, ((client,) for client in moved))

    async def _disconnect(self, whom: Recipients) -> int:
        meant = [(client,) async for client in self._clients(whom)]
        disconnected, errors = await _outcomes(self._disconnect_one, meant)
        if errors:
            raise Failed(f"{len(errors)} disconnect handlers failed, one with {errors[0]!r}")
        return disconnected.count(True)

    async def _disconnect_one(self, client: Client) -> bool:
        manager = self._manager
        if client.state is LEAVING or manager.members.find(client.sid, client.namespace) is not client:
            return False
        await manager.server.disconnect(client.sid, namespace=client.namespace)
        return True

    async def _ask_clients(self, whom: Recipients, question: AskClients) -> AsyncGenerator[list[bytes]]:
        manager, answers = self._manager, ClientAnswers(question.seconds)
        encoded = Encoded(question.parts, question.text, question.ack_at, question.ack_id)
        try:
            async for client in self._clients(whom):
                manager.fanout.ask(client, encoded, whom.rooms, answers.callback(client.sid))
                manager.stats.delivered += 1
            while ready := await answers.next():
                async for piece in pieces(self._client_answers(ready)):
                    yield piece
        finally:
            answers.end()

    async def _client_answers(self, ready: Iterable[tuple[str, list[Any]]]) -> AsyncGenerator[bytes]:
        """Pack the answers of clients. One that no bus carries is left out, so that the others arrive."""
        for sid, arguments in ready:
            encoded = encode_ack(self._manager.server.packet_class, arguments)
            item = pack((sid, encoded.parts, encoded.text))
            if self._manager.node.publisher.fits(len(item)):
                yield item
            else:
                logger.error("the answer of client %s is lost: it has %d bytes", sid, len(item))

    async def _clients(self, whom: Recipients) -> AsyncIterator[Client]:
        """Yield the clients that are meant and still there. Other tasks get a turn now and then."""
        manager = self._manager
        for number, client in enumerate(select(manager, whom), 1):
            here = manager.members.find(client.sid, client.namespace) is client
            if here and is_meant(manager, client, whom):
                yield client
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)


async def _all_of(do: Callable[[*A], Coroutine[Any, Any, T]], each: Iterable[tuple[*A]]) -> list[T]:
    """Do something with each of many, as ``_outcomes``, and return the results.

    Raises the first error when all have ended.
    """
    results, errors = await _outcomes(do, each)
    if errors:
        raise errors[0]
    return results


async def _outcomes(
    do: Callable[[*A], Coroutine[Any, Any, T]], each: Iterable[tuple[*A]]
) -> tuple[list[T], list[BaseException]]:
    """Do something with each of many, ``AT_ONCE`` of them at a time. Returns the results and the errors."""
    results: list[T] = []
    errors: list[BaseException] = []
    rest = iter(each)
    while some := [*islice(rest, AT_ONCE)]:
        for outcome in await asyncio.gather(*starmap(do, some), return_exceptions=True):
            if isinstance(outcome, BaseException):
                errors.append(outcome)
            else:
                results.append(outcome)
    return results, errors


def _packed(value: object, what: str) -> bytes:
    """Pack a value of the application. Raises ``Failed`` if it cannot be packed."""
    try:
        return pack(value)
    except Exception as exc:
        raise Failed(f"{what} cannot be sent: {exc}") from exc
