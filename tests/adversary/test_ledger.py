"""Under random faults every client gets every event once, in order and whole; the ledger sees when not."""

from __future__ import annotations

import pytest

from tests.adversary.book import Book
from tests.adversary.ledger import BUSES, run

SEED = 13


@pytest.mark.timeout(240)
@pytest.mark.parametrize("bus", BUSES)
async def test_exact(bus):
    """Forty seconds of cut connections, frozen and killed nodes and buses leave the ledger exact."""
    assert await run(bus, SEED, 40) == []


def test_the_book_sees_what_is_wrong():
    """A double, a hole, a wrong order, a lost beginning and a lost end are each found."""
    book = Book()
    for numbers in ([1, 2, 3], [1, 1, 2, 3], [1, 3], [2, 1, 3], [2, 3], [1, 2]):
        account = book.open(str(numbers), "node")
        account._before.clear()
        for number in numbers:
            book.got(account, "stream", number)
    book.emitted = {"stream": 3}
    wrong = {account.name for account in book.accounts if account.faults}
    assert wrong == {"[1, 1, 2, 3]", "[1, 3]", "[2, 1, 3]", "[2, 3]"}
    assert book.missing() == ["client [1, 2]: stream ends with 2, not 3"]


def test_who_comes_later_is_owed_no_beginning():
    """A client that connects while a stream runs is owed what comes from then on."""
    book = Book()
    book.got(book.open("early", "node"), "stream", 1)
    late = book.open("late", "node")
    for number in (5, 6):
        book.got(late, "stream", number)
    assert late.faults == []
