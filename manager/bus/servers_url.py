"""Splits URLs that may name several servers."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split_url(url: str) -> SplitResult:
    """Split a URL as ``urlsplit``, but for the servers, which are taken as they are written.

    ``urlsplit`` of newer Pythons refuses a list in which an IPv6 address is not the first server, such as
    ``redis://a:6379,[::1]:6379``. Whoever reads the servers one by one refuses what is wrong.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or not {"[", "]"} & set(rest):
        return urlsplit(url)
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return urlsplit(f"{scheme}://{rest[end:]}")._replace(netloc=rest[:end])
