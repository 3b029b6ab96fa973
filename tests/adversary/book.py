"""What each client was owed and what it got, event by event."""

from __future__ import annotations

from collections import defaultdict


class Account:
    """The events of one client; it is owed some as long as the account is ``open``."""

    def __init__(self, name, node, streams_before):
        self.name = name
        self.node = node
        self.open = True
        self.first = {}
        self.last = {}
        self.count = 0
        self.faults = []
        self._before = set(streams_before)

    def cut_off(self, reason):
        """Note the end of the connection, which is a fault unless its node was killed."""
        if self.open:
            self.faults.append(f"client {self.name} was disconnected: {reason}")

    def got(self, stream, number):
        """Note an event; what is doubled, out of order or missing before it is a fault."""
        self.count += 1
        last = self.last.get(stream)
        due = last + 1 if last is not None else None if stream in self._before else 1
        if due is not None and number != due:
            self.faults.append(f"client {self.name}: event {number} of {stream} came, {due} was due")
        self.first.setdefault(stream, number)
        self.last[stream] = number


class Book:
    """All accounts, and what each node says that it has emitted."""

    def __init__(self):
        self.accounts = []
        self.emitted = {}
        """By stream, of the nodes that lived to the end."""
        self.begun = defaultdict(int)
        """Streams that anybody has had an event of."""

    def open(self, name, node):
        """Open the account of a client; streams begun before owe it no beginning."""
        account = Account(name, node, self.begun)
        self.accounts.append(account)
        return account

    def got(self, account, stream, number):
        """Note an event of a client."""
        self.begun[stream] = max(self.begun[stream], number)
        account.got(stream, number)

    @property
    def alive(self):
        """Accounts of clients whose nodes live."""
        return [account for account in self.accounts if account.open]

    def missing(self):
        """What connected clients have not got yet, as texts."""
        return [
            f"client {account.name}: {stream} ends with {account.last.get(stream)}, not {number}"
            for account in self.alive
            for stream, number in self.emitted.items()
            if number and account.last.get(stream) != number
        ]

    def faults(self):
        """All that is wrong, as texts."""
        return [fault for account in self.accounts for fault in account.faults] + self.missing()

    @property
    def deliveries(self):
        """Events that clients got."""
        return sum(account.count for account in self.accounts)
