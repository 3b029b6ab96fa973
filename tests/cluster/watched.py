"""Official JavaScript clients, and what each of them has seen."""

from __future__ import annotations

import time

from tests.harness import eventually
from tests.jsclient import JsClient

TRANSPORTS = (["websocket"], ["polling"], ["polling", "websocket"])


class Watched(JsClient):
    """One client of `drain_app`: when it came and went, and what reached it since it came last.

    ``numbers`` are those after ``begin``, the number that the server said when it came.
    """

    def __init__(self, driver):
        super().__init__(driver, driver.count())
        driver.clients[self.number] = self
        self.came: list[tuple[float, str]] = []
        self.went: list[tuple[float, str]] = []
        self.begin = 0
        self.numbers: list[int] = []
        self.pieces: list[int] = []

    def connect(self, url, transports, **options):
        """Begin; the delays are short, so that tests are."""
        options = {"reconnection": True, "reconnectionDelay": 100, "reconnectionDelayMax": 500, **options}
        options["transports"] = transports
        self.tell("connect", url=url, options=options, serializer="default", reply=True)

    def happened(self, what, **details):
        if what == "connect":
            self.sid = details["sid"]
            self.came.append((time.monotonic(), self.sid))
        elif what == "disconnect":
            self.went.append((time.monotonic(), details["reason"]))
            self.gone.set()
        elif what == "event":
            getattr(self, f"on_{details['event']}")(*details["args"])
        elif what != "refused":
            super().happened(what, **details)

    def on_begin(self, number):
        self.begin, self.numbers = number, []

    def on_number(self, number):
        if number > self.begin:
            self.numbers.append(number)

    def on_piece(self, piece):
        self.pieces.append(piece[0])


async def crowd(driver, url, count, **options):
    """Connected clients, a third for each way to connect."""
    clients = [Watched(driver) for _ in range(count)]
    for index, one in enumerate(clients):
        one.connect(url, TRANSPORTS[index % len(TRANSPORTS)], **options)
    await eventually(lambda: all(one.came for one in clients), 60)
    return clients
