"""A vote from a bare WebSocket: python -m socketio_cluster serve examples.voting.app:app --workers 2"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs

import socketio

from examples.voting.ballot_codec import BallotCodec
from examples.voting.ballots import Ballots
from socketio_cluster import AsyncServer, ClusterManager, PlainWebSockets, Refused

HERE = Path(__file__).parent
CHOICES = {1: "Tea", 2: "Coffee", 3: "Water"}  # the page has the same
VOTER = re.compile(r"[A-Za-z0-9-]{8,64}")

sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager())


async def publish(tally, to=None):
    """Tell everybody, or one client, how it stands; those of two nodes may cross, so each has its number."""
    revision, counts = tally
    await sio.emit("tally", {"revision": revision, "counts": counts}, to=to)


ballots = Ballots(os.environ.get("VOTING_DB", str(HERE / "voting.sqlite")), publish)


@sio.event
async def connect(sid, environ, auth):
    """Let a voter in: ``?voter=…`` is the same person on every connection, without it each one is another."""
    asked = parse_qs(environ["QUERY_STRING"], keep_blank_values=True).get("voter", [sid])[0]
    if not VOTER.fullmatch(asked) and asked != sid:
        raise Refused("voter must be 8 to 64 letters, digits and hyphens")
    await sio.save_session(sid, {"voter": asked})
    await publish(await ballots.tally(), to=sid)


@sio.event
async def vote(sid, *values):
    choice = values[0] if len(values) == 1 else values
    if type(choice) is not int or choice not in CHOICES:
        raise Refused(f"{choice!r:.40} is not on the ballot: vote for one of {', '.join(map(str, CHOICES))}")
    session = await sio.get_session(sid)
    await ballots.cast(session["voter"], choice)
    await sio.emit("counted", choice, to=sid)
    return {"counted": choice}


pages = {"/": str(HERE / "page" / "index.html")}
pages |= {f"/{name}": str(HERE / "page" / name) for name in ("style.css", "app.js")}
app = PlainWebSockets(
    sio, socketio.ASGIApp(sio, static_files=pages), path="/vote", codec=BallotCodec(CHOICES)
)
