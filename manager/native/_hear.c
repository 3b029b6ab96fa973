/* The receipt of events from the bus in C, from a list of deliveries to the clients of this node.

   An `Ear` stands in the place of `Receiver.arrived`. With recovery it takes events that the bus has numbered, as
   `Receiver._receive_numbered`, `Order.live` and `Follower._deliver`; without it those of other nodes' streams, as
   `Receiver._receive`, `Streams.take` and `Inbound._emit`. That is for the usual case: nothing was missed, nobody asks
   for an ack, and so on. It gives any other delivery to `Receiver.arrived`, before anything has happened.
   `hearing.py` makes an `Ear` of the Python objects that it works with. */

#include "ear.h"
#include "numbered.h"

/* Hear an event of another node's stream. As `Receiver._receive`. */
static int hear_streamed(Ear *ear, Event *event)
{
    PyObject *rooms, *encoded;
    long long ack;
    int usual = read_header(ear, event);
    if (usual <= 0 || event->is_own)
        return usual;  /* its own echo is dropped */
    event->origin = PyUnicode_DecodeLatin1((const char *)event->raw + ORIGIN, ORIGIN_SIZE, NULL);
    if (!event->origin || (usual = find_stream(ear, event)) <= 0)
        return event->origin ? usual : -1;
    if (!is_timely(ear, event) || (usual = read_message(ear, event)) <= 0)
        return usual < 0 ? -1 : 0;
    event->emit = Py_NewRef(event->message);
    rooms = AT(event->emit, ear->rooms);
    if (!whole(AT(event->emit, ear->ack), &ack) || ack || !rooms)
        return 0;
    if (PyList_CheckExact(rooms) && PyList_GET_SIZE(rooms) == 1 && PyUnicode_Check(PyList_GET_ITEM(rooms, 0))
        && PyUnicode_GET_LENGTH(PyList_GET_ITEM(rooms, 0)) == SID_SIZE)
        return 0;  /* it may be a sid, see `Inbound._rooms_here` */
    if ((usual = find_recipients(ear, event)) <= 0)
        return usual;
    if (!(event->number = PyLong_FromLongLong(event->count)) || note(ear, event) < 0)
        return -1;
    PyObject *values[] = {AT(event->emit, ear->parts), AT(event->emit, ear->text), AT(event->emit, ear->ack_at),
        AT(event->emit, ear->ack_id)};
    encoded = PyObject_Vectorcall(ear->deliver.encoded, values, 4, NULL);
    usual = encoded ? send_all(&ear->deliver, event->clients, encoded, rooms) : -1;
    Py_XDECREF(encoded);
    return usual;
}

/* Hear one delivery. As a turn of the loop in `Receiver.arrived`. */
static int hear(Ear *ear, PyObject *delivery, PyObject *now)
{
    Event event = {.now = now};
    PyObject *payload = NULL, *one;
    int heard = 0;
    if (Py_IS_TYPE(delivery, (PyTypeObject *)ear->delivery))
        payload = Py_XNewRef(AT(delivery, ear->payload));
    if (payload && PyBytes_CheckExact(payload)) {
        event.raw = (const unsigned char *)PyBytes_AS_STRING(payload);
        event.size = PyBytes_GET_SIZE(payload);
        if (!ear->follower)
            heard = hear_streamed(ear, &event);
        else if (event.raw[0] == 'N')  /* bytes have a zero at their end */
            heard = hear_numbered(ear, &event);
    }
    if (heard < 0)
        heard = tell(ear->failed);
    if (heard == 0) {
        one = PyList_New(1);
        if (one)
            PyList_SET_ITEM(one, 0, Py_NewRef(delivery));
        heard = one ? done(PyObject_CallOneArg(ear->general, one)) : -1;
        Py_XDECREF(one);
    }
    Py_XDECREF(event.message);
    Py_XDECREF(event.emit);
    Py_XDECREF(event.origin);
    Py_XDECREF(event.stream);
    Py_XDECREF(event.clients);
    Py_XDECREF(event.number);
    Py_XDECREF(event.place);
    Py_XDECREF(payload);
    return heard;
}

/* `receiver.arrived(deliveries)`. */
static PyObject *ear_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names)
{
    Ear *ear = (Ear *)self;
    PyObject *now, *delivery;
    int heard = 1;
    if (PyVectorcall_NARGS(nargs) != 1 || names || !PyList_CheckExact(args[0]))
        return PyObject_Vectorcall(ear->general, args, nargs, names);
    now = PyObject_CallNoArgs(ear->clock);
    if (now && !PyFloat_CheckExact(now))
        PyErr_SetString(PyExc_TypeError, "the clock returns a float");
    for (Py_ssize_t i = 0; !PyErr_Occurred() && heard > 0 && i < PyList_GET_SIZE(args[0]); i++) {
        delivery = Py_NewRef(PyList_GET_ITEM(args[0], i));
        heard = hear(ear, delivery, now);
        Py_DECREF(delivery);
    }
    if (!PyErr_Occurred() && PyList_GET_SIZE(args[0]) >= ear->many)
        done(PyObject_CallFunctionObjArgs(ear->look, args[0], now, NULL));
    Py_XDECREF(now);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Ear, name), type}
    DELIVER_PARTS(Ear), PART(general, NULL), PART(failed, NULL), PART(look, NULL), PART(clock, NULL),
    PART(node, &PyUnicode_Type), PART(streams, &PyDict_Type), PART(stream, &PyType_Type), PART(delivery, &PyType_Type),
    PART(decode, NULL), PART(kind, &PyType_Type), PART(kind_name, &PyUnicode_Type), PART(beginning, &PyBytes_Type),
    PART(emit, &PyType_Type), PART(received, &PyDict_Type), {NULL},
};

static const Part NUMBERED_PARTS[] = {
    MARKING_PARTS(Ear), PART(follower, NULL), PART(order, NULL), PART(own_events, NULL), PART(posted, NULL),
    PART(forget, NULL), PART(delivered, &PyDict_Type), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Ear, owner), name, offsetof(Ear, field)}
    DELIVER_SLOTS(Ear), SLOT(delivery, "payload", payload), SLOT(stream, "behind", behind), SLOT(stream, "seen", seen),
    SLOT(stream, "top", top), SLOT(stream, "top_at", top_at), SLOT(stream, "heard", heard),
    SLOT(stream, "clock", stream_clock), SLOT(emit, "namespace", namespace), SLOT(emit, "rooms", rooms),
    SLOT(emit, "skip", skip), SLOT(emit, "parts", parts), SLOT(emit, "text", text), SLOT(emit, "ack", ack),
    SLOT(emit, "ack_at", ack_at), SLOT(emit, "ack_id", ack_id), SLOT(deliver.client, "sid", sid), {0},
};

static const Slot NUMBERED_SLOTS[] = {
    MARKING_SLOTS(Ear), SLOT(kind, "event", event), SLOT(kind, "except_", except_), SLOT(kind, "where", where),
    SLOT(order, "epoch", epoch), SLOT(order, "seen", order_seen), SLOT(order, "behind", order_behind),
    SLOT(own_events, "_size", posted_size), SLOT(follower, "_echoed", echoed), SLOT(follower, "_turn", turn), {0},
};

/* Take seconds that the constructor is given; 0, or -1 for an exception. */
static int take_seconds(PyObject *given, const char *name, double *to)
{
    PyObject *seconds = PyDict_GetItemString(given, name);
    if (seconds)
        *to = PyFloat_AsDouble(seconds);
    else
        PyErr_Format(PyExc_TypeError, "%s is missing", name);
    return PyErr_Occurred() ? -1 : 0;
}

/* Take what only an ear for numbered events is given. */
static int fill_numbered(Ear *ear, PyObject *given)
{
    if (take_parts(ear, given, NUMBERED_PARTS) < 0 || find_slots(ear, NUMBERED_SLOTS) < 0)
        return -1;
    return take_number(given, "overhead", &ear->overhead);
}

/* Take the numbers, and what is for numbered events. */
static int fill(void *object, PyObject *given)
{
    Ear *ear = object;
    if (take_number(given, "oldest", &ear->oldest) < 0 || take_number(given, "newest", &ear->newest) < 0
        || take_number(given, "is_signed", &ear->is_signed) < 0 || take_number(given, "rate", &ear->rate) < 0
        || take_number(given, "one_way", &ear->one_way) < 0 || take_number(given, "many", &ear->many) < 0
        || take_seconds(given, "dead_after", &ear->dead_after) < 0 || take_seconds(given, "forget_after", &ear->forget_after) < 0)
        return -1;
    if (!PyUnicode_IS_COMPACT_ASCII(ear->node) || PyUnicode_GET_LENGTH(ear->node) != ORIGIN_SIZE
        || PyBytes_GET_SIZE(ear->beginning) != 2) {
        PyErr_SetString(PyExc_ValueError, "node or beginning is of another size");
        return -1;
    }
    return PyDict_GetItemString(given, "follower") ? fill_numbered(ear, given) : 0;
}

static const Recipe RECIPE = {ear_call, PARTS, SLOTS, fill, NUMBERED_PARTS};

static PyTypeObject EarType = {
    CALLABLE_TYPE(Ear),
    .tp_name = "socketio_cluster.manager.native._hear.Ear",
    .tp_doc = "Hears what has arrived from the bus, in the place of `Receiver.arrived`.",
    .tp_flags = CALLABLE,
};

static struct PyModuleDef hear_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_hear",
    .m_doc = "The receipt of events from the bus, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {{&name_next_turn, "_next_turn"}, {NULL}};

PyMODINIT_FUNC PyInit__hear(void)
{
    return make_module(&hear_module, &EarType, NAMES);
}
