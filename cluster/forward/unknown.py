"""Engine.IO's answer to a session that is not there: clients connect anew at once."""

from __future__ import annotations

from typing import Any, Final

BODY: Final = b'{"code":1,"message":"Session ID unknown"}'
_REPLY: Final = {
    "status": "400 BAD REQUEST",
    "headers": [("Content-Type", "application/json")],
    "response": BODY,
}


async def answer_unknown(eio: Any, scope: Any, send: Any) -> None:
    """Answer a request or a WebSocket handshake with 400, as Engine.IO's own server does."""
    if scope["type"] == "websocket":
        await _refuse_handshake(scope, send)
        return

    async def no_body() -> dict[str, Any]:
        return {"type": "http.request"}

    # By way of python-engineio, for the cross-origin headers: without them a browser hides the answer.
    environ = await eio._async["translate_request"](scope, no_body, send)
    await eio._make_response(_REPLY, environ)


async def _refuse_handshake(scope: Any, send: Any) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "websocket.http.response.start", "status": 400, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": BODY})
