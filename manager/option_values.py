"""``OptionValues``: the types of the options, for those who pass them on as keyword arguments."""

from __future__ import annotations

from typing import TypedDict


class OptionValues(TypedDict, total=False):
    """What a manager or an emitter takes besides the URL. ``Options`` says what each means.

    None is as good as nothing: the setting of the environment or the default is used.
    """

    prefix: str | None
    secret: str | None
    name: str | None
    address: str | None
    heartbeat: float | None
    dead_after: float | None
    buffer_bytes: int | None
    buffer_seconds: float | None
    settle_seconds: float | None
    request_seconds: float | None
    ack_seconds: float | None
    client_bytes: int | None
    slow_seconds: float | None
    handlers_per_client: int | None
    connect_seconds: float | None
    recovery_seconds: float | None
    recovery_url: str | None
    recovery_bytes: int | None
    presence_grace: float | None
    rooms_per_client: int | None
