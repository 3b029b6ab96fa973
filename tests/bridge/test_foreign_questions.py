"""What a bridge asks the servers of the foreign cluster, without any."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.manager.bridge.commands import Told, Whom
from socketio_cluster.manager.bridge.foreign_questions import ForeignQuestions
from socketio_cluster.manager.queries.failed import Failed

SECONDS = 0.1


def two_answers(servers):
    """Questions to so many servers, of which two answer at once with a client each."""

    async def count(namespace):
        return servers

    def send(ask):
        for client in ("ann", "bob"):
            questions.told(Told(ask.reply_to, [client]))

    questions = ForeignQuestions("node", count, send, SECONDS)
    return questions


async def taken_slowly(questions):
    """The clients, and the error at the end, for one who takes longer for each than the servers may."""
    clients = []
    try:
        async for client in questions.clients(Whom("/", None)):
            clients.append(client)
            await asyncio.sleep(2 * SECONDS)
    except Failed as error:
        return clients, str(error)
    return clients, ""


@pytest.mark.parametrize(("servers", "error"), [(2, ""), (3, "1 of 3 foreign servers have not answered")])
async def test_taken_slowly(servers, error):
    """Who takes the clients may take longer than the servers, and hears of those that are silent."""
    assert await taken_slowly(two_answers(servers)) == (["ann", "bob"], error)
