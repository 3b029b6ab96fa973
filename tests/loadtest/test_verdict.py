"""The verdict over ledgers made by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from socketio_cluster.loadtest.ledger import Ledger
from socketio_cluster.loadtest.verdict import judge

ROOM = "/ room 1"


def talk(ledger, times, *, src="s", owner="sender", target=ROOM, skip=False, confirmed=True):
    stream = ledger.stream(src, target, owner, skip=skip)
    for now in times:
        seq = stream.send(now)
        if confirmed:
            stream.confirm(seq, now + 0.01)
    return stream


def member(ledger, name="listener", *, joined=0.0, target=ROOM):
    receiver = ledger.receiver(name)
    receiver.ask(target, joined - 0.1)
    receiver.join(target, joined)
    return receiver


def hear(receiver, *seqs, src="s"):
    for seq in seqs:
        receiver.arrive(src, seq)


def counts(ledger, **options):
    found = judge(ledger, settle=1.0, **options).as_dict()
    return {name: count for name, count in found.items() if count}


def test_everything_arrived():
    """What a member got in order is expected and delivered, and nothing else is counted."""
    ledger = Ledger()
    talk(ledger, range(1, 11))
    hear(member(ledger), *range(1, 11))
    assert counts(ledger) == {"expected": 10, "delivered": 10}


def test_loss_at_the_start_in_the_middle_and_at_the_end():
    """What never came is lost, wherever in the stream it was."""
    ledger = Ledger()
    talk(ledger, range(1, 11))
    hear(member(ledger), 2, 3, 4, 7, 8, 9)
    assert counts(ledger) == {"expected": 10, "delivered": 6, "lost": 4}


def test_receiver_that_got_nothing():
    """A stream that a member heard nothing of is lost as a whole."""
    ledger = Ledger()
    talk(ledger, range(1, 4))
    member(ledger)
    assert counts(ledger) == {"expected": 3, "lost": 3}


def test_twice_and_late():
    """A repeat is a duplicate, a gap that is filled later is a reordering, and both are delivered."""
    ledger = Ledger()
    talk(ledger, range(1, 6))
    hear(member(ledger), 1, 3, 2, 3, 4, 5)
    assert counts(ledger) == {"expected": 5, "delivered": 5, "duplicated": 1, "reordered": 1}


def test_skipped_sender():
    """With skip nothing is expected of the sender, and what comes to it has leaked."""
    ledger = Ledger()
    talk(ledger, range(1, 4), owner="me", skip=True)
    hear(member(ledger, "me"), 2)
    assert counts(ledger) == {"leaked": 1}


def test_sender_gets_its_own_without_skip():
    """Without skip the sender is a member like the others."""
    ledger = Ledger()
    talk(ledger, range(1, 4), owner="me")
    hear(member(ledger, "me"), 1, 2)
    assert counts(ledger) == {"expected": 3, "delivered": 2, "lost": 1}


def test_stranger():
    """What comes to somebody who never was a member has leaked."""
    ledger = Ledger()
    talk(ledger, range(1, 4))
    hear(ledger.receiver("stranger"), 1, 2)
    assert counts(ledger) == {"leaked": 2}


def test_stream_of_another_run():
    """Messages of an unknown stream are foreign, not wrong."""
    ledger = Ledger()
    hear(member(ledger), 1, 2, src="who knows")
    assert counts(ledger) == {"foreign": 2}


def test_join_in_the_middle():
    """Before a join nothing is expected, while it is under way it may come, after the answer it must."""
    ledger = Ledger()
    talk(ledger, [1.0, 4.95, 6.0, 7.0])
    hear(member(ledger, joined=5.0), 3, 4)
    assert counts(ledger) == {"expected": 2, "delivered": 2, "undecided": 1}


def test_what_was_on_its_way_at_a_join():
    """A message sent shortly before the join may come; one sent long before has leaked."""
    ledger = Ledger()
    talk(ledger, [1.0, 4.5])
    hear(member(ledger, joined=5.0), 1, 2)
    assert counts(ledger) == {"leaked": 1}


def test_leave():
    """Shortly before a leave nothing is expected; what was sent after its answer must not come."""
    ledger = Ledger()
    talk(ledger, [1.0, 4.5, 5.05, 6.0])
    receiver = member(ledger)
    receiver.leave(ROOM, 5.0)
    receiver.left(ROOM, 5.1)
    hear(receiver, 1, 2, 3, 4)
    assert counts(ledger) == {"expected": 1, "delivered": 1, "undecided": 2, "leaked": 1}


def test_away_and_back():
    """While a connection is broken messages are missed, around it undecided, before and after expected."""
    ledger = Ledger()
    talk(ledger, [1.0, 4.5, 5.5, 6.0, 7.0, 8.05, 9.0])
    receiver = member(ledger)
    receiver.close(5.0, 5.6, lost=True)
    receiver.ask(ROOM, 8.0)
    receiver.join(ROOM, 8.1)
    hear(receiver, 1, 7)
    assert counts(ledger) == {"expected": 2, "delivered": 2, "undecided": 3, "missed_away": 2}


def test_recovered_by_the_server():
    """What a server sends again to a client that came back is neither missed nor leaked."""
    ledger = Ledger()
    talk(ledger, [1.0, 6.0, 7.0, 9.0])
    receiver = member(ledger)
    receiver.close(5.0, 5.6, lost=True)
    receiver.ask(ROOM, 8.0)
    receiver.join(ROOM, 8.1)
    hear(receiver, 1, 2, 3, 4)
    assert counts(ledger) == {"expected": 2, "delivered": 2}


def test_disconnect_on_purpose():
    """Nothing is missed by a user that chose to go, and after its return all is as for others."""
    ledger = Ledger()
    talk(ledger, [1.0, 6.0, 9.0])
    receiver = member(ledger)
    receiver.close(5.0, 5.0, lost=False)
    receiver.ask(ROOM, 8.0)
    receiver.join(ROOM, 8.1)
    hear(receiver, 1, 3)
    assert counts(ledger) == {"expected": 2, "delivered": 2}


def test_unconfirmed():
    """What the server never acknowledged is not expected, but may come."""
    ledger = Ledger()
    stream = talk(ledger, [1.0, 2.0, 3.0])
    stream.unconfirmed |= {2, 3}
    hear(member(ledger), 1, 3)
    assert counts(ledger) == {"expected": 2, "delivered": 2, "undecided": 1}


def test_slow_reader():
    """Of a client that has stopped to read nothing is expected any more."""
    ledger = Ledger()
    talk(ledger, [1.0, 6.0, 7.0])
    receiver = member(ledger)
    receiver.pause(5.0)
    hear(receiver, 1)
    assert counts(ledger) == {"expected": 1, "delivered": 1, "undecided": 2}


def test_clocks_that_differ():
    """With a skew, what was sent that close to a join is undecided."""
    ledger = Ledger()
    talk(ledger, [5.05, 6.0])
    hear(member(ledger, joined=5.0), 2)
    assert counts(ledger, skew=0.1) == {"expected": 1, "delivered": 1, "undecided": 1}


times = st.lists(st.floats(0, 20, allow_nan=False), max_size=12).map(sorted)
gets = st.lists(st.integers(1, 12), max_size=15)
users = st.lists(st.tuples(times, gets, st.floats(0, 20), st.floats(0, 20), st.booleans()), max_size=4)


@given(users)
def test_workers_together_judge_as_one(users):
    """Senders and receivers spread over workers give the verdict they give in one process."""
    whole, workers = Ledger(), [Ledger(), Ledger()]
    for at, (sent, got, joined, gone, lost) in enumerate(users):
        for ledger in (whole, workers[at % 2]):
            talk(ledger, sent, src=f"s{at}", owner=f"u{at}", skip=lost)
            receiver = member(ledger, f"u{at}", joined=joined)
            receiver.close(max(joined, gone), max(joined, gone) + 0.2, lost=lost)
            hear(receiver, *got, src=f"s{(at + 1) % len(users)}")
    merged = Ledger()
    for worker in (workers[0], workers[1], workers[0]):  # a worker may tell its ledger more than once
        merged.merge(worker.dump())
    assert judge(merged) == judge(whole)
    verdict = judge(whole)
    assert verdict.expected == verdict.delivered + verdict.lost
    assert min(verdict.as_dict().values()) >= 0
