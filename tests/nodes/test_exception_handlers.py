"""An error in a handler of a server is answered, by an exception handler or as an error."""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster import Refused

INTERNAL = {"error": "Internal server error"}


@pytest.fixture
def nodes(two_of_ours):
    """Two nodes whose servers have exception handlers; the event ``fail`` raises what the test sets."""
    for namespace in ("/", "/chat"):
        two_of_ours[0].sio.on("fail", fail, namespace=namespace)
    return two_of_ours


ERRORS = {"value": ValueError("v"), "lookup": LookupError("l"), "key": KeyError("k"), "os": OSError("o")}


class Both(ValueError, LookupError):
    """An error of two kinds."""


async def fail(sid, name):
    raise Both("both") if name == "both" else ERRORS[name]


async def test_default(nodes, connect_any, caplog):
    """An error nobody handles is logged with event and sid; every client's ack gets an error, and no more."""
    one = await connect_any(nodes[0])
    assert await asyncio.wait_for(one.call("fail", "value"), 2) == [INTERNAL]
    assert f"event 'fail' of client {one.sid} in namespace / failed" in caplog.text
    assert "ValueError: v" in caplog.text
    assert await one.call("other", 1) == [1]


async def test_nearest_class(nodes, connect):
    """The handler of the error's own class is asked first, then those of its bases in their order."""
    sio, asked = nodes[0].sio, []

    def handler(name):
        def answer(sid, event, error):
            asked.append((name, sid, event, str(error)))
            return name

        return answer

    sio.exception_handler(Exception)(handler("any"))
    sio.exception_handler(LookupError)(handler("lookup"))
    sio.exception_handler(ValueError)(handler("value"))
    one = await connect(nodes[0])
    answers = [await one.call("fail", name) for name in ("value", "lookup", "key", "os", "both")]
    assert answers == [["value"], ["lookup"], ["lookup"], ["any"], ["value"]]
    assert asked[0] == ("value", one.sid, "fail", "v")
    sio.exception_handler(Both)(handler("both"))
    assert await one.call("fail", "both") == ["both"]


async def test_answers(nodes, connect_any):
    """What an exception handler returns answers the ack as a handler's result does."""
    sio = nodes[0].sio

    @sio.exception_handler(ValueError)
    async def two(sid, event, error):
        await asyncio.sleep(0)
        return {"error": str(error)}, b"\x00"

    @sio.exception_handler(LookupError, OSError)
    def nothing(sid, event, error):
        pass

    one = await connect_any(nodes[0])
    assert await one.call("fail", "value") == [{"error": "v"}, b"\x00"]
    assert await one.call("fail", "key") == await one.call("fail", "os") == []


async def test_handler_that_refuses(nodes, connect):
    """Handlers and exception handlers may refuse, and a handler for all errors leaves refusals alone."""
    sio = nodes[0].sio

    @sio.exception_handler(Exception)
    async def refuse(sid, event, error):
        raise Refused(f"not {event}")

    @sio.on("ask")
    async def ask(sid):
        raise Refused("ask later", 5)

    one = await connect(nodes[0])
    assert await one.call("fail", "value") == [{"error": "not fail"}]
    assert await one.call("ask") == [{"error": "ask later", "data": 5}]
    sio.exception_handler(Refused)(lambda sid, event, error: error.error_args["message"])
    assert await one.call("ask") == ["ask later"]


async def test_handler_that_fails(nodes, connect, caplog):
    """An exception handler that fails is logged with the error it was asked about; the ack gets an error."""

    @nodes[0].sio.exception_handler(ValueError)
    async def worse(sid, event, error):
        raise RuntimeError("worse")

    assert await (await connect(nodes[0])).call("fail", "value") == [INTERNAL]
    assert "ValueError: v" in caplog.text
    assert "RuntimeError: worse" in caplog.text


async def test_namespaces(nodes, connect):
    """Of the same class the namespace's own handler is nearer; with '*' it is told the namespace."""
    sio = nodes[0].sio
    sio.exception_handler(ValueError, namespace="*")(lambda namespace, sid, event, error: namespace)
    sio.exception_handler(ValueError)(lambda sid, event, error: "never")
    sio.exception_handler(Exception, namespace="/chat")(lambda sid, event, error: "chat")
    main, chat = await connect(nodes[0]), await connect(nodes[0], namespace="/chat")
    assert await main.call("fail", "value") == ["/"]
    assert await chat.call("fail", "value") == ["/chat"]
    assert await chat.call("fail", "os") == ["chat"]
    assert await main.call("fail", "os") == [INTERNAL]


async def test_errors_in_middlewares(nodes, connect):
    """An error in a middleware is handled as one in a handler."""
    sio = nodes[0].sio

    @sio.middleware
    async def check(sid, event, args):
        if event == "number":
            args[0] = int(args[0])

    sio.exception_handler(ValueError)(lambda sid, event, error: {"error": str(error)})
    one = await connect(nodes[0])
    assert await one.call("number", "42") == [42]
    assert await one.call("number", "x") == [{"error": "invalid literal for int() with base 10: 'x'"}]


def endless():
    """A list that holds itself."""
    found = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "answer", [{1, 2}, object(), endless(), float], ids=["set", "object", "endless", "class"]
)
async def test_answers_that_cannot_be_sent(nodes, connect_any, caplog, answer):
    """A result that no client can be sent is logged with event and sid, and the ack gets an error."""
    nodes[0].sio.on("odd", lambda sid: answer)
    one = await connect_any(nodes[0])
    assert await one.call("odd") == [INTERNAL]
    assert f"event 'odd' of client {one.sid}" in caplog.text


@pytest.mark.parametrize("serializer", ["msgpack"])
async def test_msgpack(nodes, connect, caplog):
    """The same with msgpack."""
    nodes[0].sio.on("odd", lambda sid: {1, 2})
    one = await connect(nodes[0])
    assert await one.call("fail", "value") == await one.call("odd") == [INTERNAL]


async def test_call_from_another_node(nodes, connect, caplog):
    """A handler whose ``call`` to a client of the other node times out answers with an error."""
    there = await connect(nodes[1])

    @nodes[0].sio.on("ask")
    async def ask(sid):
        return await nodes[0].sio.call("asked", to=there.sid, timeout=0.05)

    there.reply = False
    here = await connect(nodes[0])
    assert await here.call("ask") == [INTERNAL]
    assert "TimeoutError" in caplog.text
