"""What clients send is strict_packet_class in every format, and what nodes exchange is not."""

from __future__ import annotations

import json
from datetime import date
from enum import Enum
from functools import partial

import msgpack
import pytest
from socketio import packet as sio
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import Packet

from socketio_cluster.manager.clients.compact_json import PacketJson
from socketio_cluster.manager.clients.packets import RESERVED, decode, encode, encode_ack, encode_event
from socketio_cluster.manager.host.strict_packet import BadPacket, strict_packet_class

JSON, MSGPACK = strict_packet_class(Packet), strict_packet_class(MsgPackPacket)
PLACE = '{"_placeholder":true,"num":0}'


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("0", None),
        ('0{"token":1}', {"token": 1}),
        ("0/chat,", None),
        ("1", None),
        ('2["a"]', ["a"]),
        ("2[1]", [1]),
        ('2/chat,12["a",{}]', ["a", {}]),
        ("31[]", []),
        (f'51-["a",{PLACE}]', ["a", {"_placeholder": True, "num": 0}]),
        (f"61-7[{PLACE}]", [{"_placeholder": True, "num": 0}]),
    ],
)
def test_taken(text, data):
    """What clients send is read as python-socketio reads it."""
    packet, plain = JSON(encoded_packet=text), Packet(encoded_packet=text)
    assert packet._to_dict() == plain._to_dict()
    assert packet.data == data


@pytest.mark.parametrize(
    "text",
    ["2", "2{}", "2[]", "2[true]", "2[[1]]", '2["connect"]', '21-["a"]', '5["a"]', '50-["a"]', '5-1-["a"]']
    + ['511-["a"]', "3", "3{}", "1{}", '4{"message":""}', "7", "x", "2[", b"2[]", "2" + "[" * 100_000],
)
def test_refused(text):
    """What no client sends is refused, and with nothing but ``BadPacket``."""
    with pytest.raises(BadPacket):
        JSON(encoded_packet=text)


@pytest.mark.parametrize(
    "numbers",
    [["1"], ["-1"], ['"0"'], ["null"], ["[0]"], ["1.5"], ["0.0"], ["false"], ["0", "0"], ["0", "1"]]
    + [["0"] * 5000, []],
)
def test_placeholders(numbers):
    """A packet with one attachment is refused before that comes, unless it has the one placeholder 0."""
    places = "".join(f',{{"_placeholder":true,"num":{number}}}' for number in numbers)
    with pytest.raises(BadPacket):
        JSON(encoded_packet=f'51-["a"{places}]')


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0)])
def test_placeholders_in_any_order(numbers):
    """Two attachments take their two places, wherever these are."""
    first, second = numbers
    packet = JSON(
        encoded_packet=f'52-["a",{{"b":[{{"_placeholder":true,"num":{first}}}]}},{{"_placeholder":true,"num":{second}}}]'
    )
    assert not packet.add_attachment(b"0")
    assert packet.add_attachment(b"1")
    assert packet.data == ["a", {"b": [b"%d" % first]}, b"%d" % second]


def test_placeholder_without_number():
    """A placeholder without a number is refused: official clients that get it disconnect."""
    with pytest.raises(BadPacket):
        JSON(encoded_packet=f'51-["a",{PLACE},{{"_placeholder":true}}]')


@pytest.mark.parametrize("own", [{"_placeholder": True, "num": 5}, [({"_placeholder": True},)]])
def test_data_like_a_placeholder(own):
    """What looks like a placeholder is data, but is refused beside attachments: clients would disconnect."""
    packet = JSON(encoded_packet=encode_event(JSON, "a", own, "/").parts[0].decode())
    assert json.dumps(packet.data) == json.dumps(["a", own])
    for kind, whose in ((sio.EVENT, "event 'a': a"), (sio.ACK, "a")):
        with pytest.raises(ValueError, match=f'^{whose} dict with "_placeholder" .* for the place of one$'):
            JSON(kind, data=["a", b"x", own]).encode()


def test_data_that_is_no_placeholder():
    """A text for an empty field may have that name, beside attachments too, in both directions."""
    field = {"_placeholder": "your name", "value": b"x"}
    head, attachment = JSON(sio.EVENT, data=["a", field]).encode()
    packet = JSON(encoded_packet=head)
    assert packet.add_attachment(attachment)
    assert packet.data == ["a", field]


def test_text_for_an_attachment():
    """An attachment is bytes."""
    packet = JSON(encoded_packet=f'51-["a",{PLACE}]')
    with pytest.raises(BadPacket):
        packet.add_attachment('2["a"]')


@pytest.mark.parametrize(
    "packet",
    [
        {"type": 2, "nsp": "/", "data": []},
        {"type": 2, "nsp": "/", "data": ["disconnect"]},
        {"type": 5, "nsp": "/", "data": ["a", b"\x00"]},
        {"type": 9, "nsp": "/"},
        {"type": 2, "data": ["a"]},
        {"type": 2, "nsp": 7, "data": ["a"]},
        {"type": 2, "nsp": ["/"], "data": ["a"]},
        {"type": 2, "nsp": {}, "data": ["a"]},
        {"type": 2, "nsp": b"/", "data": ["a"]},
        {"type": 2, "nsp": "/", "id": "1", "data": ["a"]},
        {"type": 2, "nsp": "/", "id": [], "data": ["a"]},
        {"type": 3, "nsp": "/", "id": {}, "data": []},
        {"type": 3, "nsp": "/", "id": 1.5, "data": []},
        {"type": 2, "nsp": "/", "id": True, "data": ["a"]},
        {"type": 2.0, "nsp": "/", "data": ["a"]},
        {"type": True, "nsp": "/"},
        {"nsp": "/"},
        [1],
    ],
)
def test_msgpack_refused(packet):
    """The same holds for msgpack."""
    with pytest.raises(BadPacket):
        MSGPACK(encoded_packet=msgpack.dumps(packet))


def test_msgpack_taken():
    """Bytes are no attachments in msgpack, and may be as many as the client likes."""
    packet = {"type": 2, "nsp": "/", "data": ["a", *[b"\x00"] * 20]}
    assert MSGPACK(encoded_packet=msgpack.dumps(packet)).data == packet["data"]


def test_nodes_are_not_checked():
    """What a server has emitted is read back whatever it is called and however much it holds."""
    for data in (["connect"], ["much", *[b"\x00"] * 11]):
        encoded = encode(Packet(data=data))
        assert decode(JSON, encoded.parts, encoded.text).data == data
    answer = [b"\x00"] * 11
    encoded = encode_ack(JSON, answer)
    assert decode(JSON, encoded.parts, encoded.text).data == answer


def test_same_text_as_the_plain_class():
    """The quicker JSON of what a server sends is the same text, and finds the same faults."""
    values = [{"sid": "A" * 20}, [1, 2.5, None, "é\u2028😀", {"a": [True]}], "text", 2**70]
    for value in values:
        assert strict_packet_class(Packet)(data=value).encode() == Packet(data=value).encode()
    circle: list[object] = []
    circle.append(circle)
    # The plain class itself looks for bytes in it, for ever.
    for value, error in (([object()], TypeError), ({(1, 2): 3}, TypeError)):
        with pytest.raises(error):
            strict_packet_class(Packet)(data=value).encode()
    with pytest.raises(ValueError, match="Circular"):
        PacketJson.dumps(circle)
    with pytest.raises(ValueError, match="too large"):
        strict_packet_class(Packet).json.loads("1" * 200)


class Times:
    """A ``json`` of the application's own."""

    dumps = staticmethod(partial(json.dumps, default=str))
    loads = staticmethod(json.loads)


OWN = strict_packet_class(type("Own", (Packet,), {"json": Times}))
NAN, INFINITE = float("nan"), float("inf")


def test_a_json_of_ones_own_stays():
    """A packet class with another ``json`` keeps it."""
    packet = OWN(data=["a", date(2026, 1, 2)], namespace="/")
    assert packet.encode() == '2["a","2026-01-02"]'
    assert OWN(encoded_packet=packet.encode()).data == ["a", "2026-01-02"]


@pytest.mark.parametrize("form", [JSON, OWN], ids=["json", "own json"])
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_come_in(form, constant):
    """What only Python takes for JSON is refused, in a text it is a text, and 1e400 is JSON."""
    for packet in (f'2["a",{constant}]', f'2["a",{{"b":[{constant}]}}]', f"31[{constant}]"):
        with pytest.raises(BadPacket):
            form(encoded_packet=packet)
    assert form(encoded_packet=f'2["a","{constant}"]').data == ["a", constant]
    assert form(encoded_packet='2["a",1e400]').data == ["a", INFINITE]


@pytest.mark.parametrize("form", [JSON, OWN], ids=["json", "own json"])
def test_constants_go_out(form):
    """A number that is not finite goes out as null, as JavaScript writes it; as a key it is its name."""
    assert form(data=["a", NAN, [-INFINITE], {"b": INFINITE}]).encode() == '2["a",null,[null],{"b":null}]'
    assert form(data=["a", {NAN: 1, "b": "NaN"}]).encode() == '2["a",{"NaN":1,"b":"NaN"}]'
    assert form(sio.ACK, data=[NAN], id=3).encode() == "33[null]"
    assert form(data=["a", NAN, b"x"]).encode() == [f'51-["a",null,{PLACE}]', b"x"]
    assert encode_event(form, "a", (NAN, b"x"), "/").parts == [f'51-["a",null,{PLACE}]'.encode(), b"x"]
    assert encode_event(form, "a", NAN, "/").parts == [b'2["a",null]']


@pytest.mark.parametrize("form", [JSON, OWN, MSGPACK], ids=["json", "own json", "msgpack"])
@pytest.mark.parametrize(
    ("name", "error"),
    [*((name, ValueError) for name in RESERVED)]
    + [(name, TypeError) for name in (None, True, b"a", ["a"], NAN, INFINITE)],
)
def test_names_that_no_client_takes(form, name, error):
    """A reserved name, and one that is neither text nor number, is refused before anything is sent."""
    with pytest.raises(error):
        encode_event(form, name, None, "/")


def test_names_that_clients_take():
    """A text and a number name an event, an enumeration of texts too."""
    name = Enum("Name", {"A": "a"}, type=str).A
    assert [encode_event(JSON, each, None, "/").parts for each in (name, 1, "*")] == [
        [b'2["a"]'],
        [b"2[1]"],
        [b'2["*"]'],
    ]


@pytest.mark.parametrize("form", [JSON, OWN], ids=["json", "own json"])
def test_more_attachments_than_a_client_takes(form):
    """More than ten binary values in an event or an answer are refused; msgpack has no such limit."""
    values = (b"x",) * 11
    with pytest.raises(ValueError, match="11 binary values"):
        encode_event(form, "a", values, "/")
    with pytest.raises(ValueError, match="11 binary values"):
        form(sio.ACK, data=list(values), id=1).encode()
    assert len(encode_event(form, "a", values[:10], "/").parts) == 11
    assert encode_event(MSGPACK, "a", values, "/")
