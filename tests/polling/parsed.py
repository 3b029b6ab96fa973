"""What httptools reads, and whether the reader of polling clients' requests reads the same."""

from __future__ import annotations

from urllib.parse import parse_qs

import httptools

from socketio_cluster.cluster.polling.request import RequestReader, read_fields, session_in, without_time

PATH = b"/socket.io/"
_reader = RequestReader(PATH.decode())


class Parsed:
    """The requests that httptools finds in some bytes, as uvicorn uses it; ``error`` is what it raises."""

    def __init__(self, data):
        self.url = self.body = b""
        self.headers = []
        self.begun = self.done = 0
        self.stays = self.upgrades = self.error = None
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.error = error

    def on_message_begin(self):
        self.begun += 1

    def on_url(self, url):
        self.url += url

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        self.stays = self.parser.should_keep_alive()
        self.upgrades = self.parser.should_upgrade()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.done += 1


def compare(data):
    """Whether the short way takes these bytes: then httptools finds the same request and no other."""
    request = _reader.read(data)
    fields = None if request is None else read_fields(request.fields)
    if fields is None:
        return False
    parsed = Parsed(data)
    assert (parsed.error, parsed.begun, parsed.done, parsed.stays, parsed.upgrades) == (
        None,
        1,
        1,
        True,
        False,
    )
    assert (parsed.parser.get_method(), parsed.parser.get_http_version()) == (request.method, "1.1")
    url = httptools.parse_url(parsed.url)
    assert (url.path, *without_time(url.query)) == (PATH, request.query, request.time)
    assert parsed.body == request.body
    lengths = [value for name, value in parsed.headers if name == b"content-length"]
    assert [int(each) for each in lengths] == ([len(request.body)] if request.method == b"POST" else [])
    assert [field for field in parsed.headers if field[0] != b"content-length"] == fields
    _compare_queries(url.query.decode(), session_in(request.query))
    return True


def _compare_queries(query, sid):
    """The session is that of the whole query, as python-engineio reads it."""
    if sid is not None:
        values = parse_qs(query)
        assert (values["sid"][0], values["transport"][0], values["EIO"][0]) == (sid, "polling", "4")
        assert "j" not in values
