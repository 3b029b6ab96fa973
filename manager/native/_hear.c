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
    Py_XDECREF(now);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Ear, name), type}
    DELIVER_PARTS(Ear), PART(general, NULL), PART(failed, NULL), PART(clock, NULL), PART(node, &PyUnicode_Type),
    PART(streams, &PyDict_Type), PART(stream, &PyType_Type), PART(delivery, &PyType_Type), PART(decode, NULL),
    PART(kind, &PyType_Type), PART(kind_name, &PyUnicode_Type), PART(beginning, &PyBytes_Type),
    PART(emit, &PyType_Type), PART(received, &PyDict_Type),
};

static const Part NUMBERED_PARTS[] = {
    MARKING_PARTS(Ear), PART(follower, NULL), PART(order, NULL), PART(own_events, NULL), PART(posted, NULL),
    PART(forget, NULL), PART(delivered, &PyDict_Type),
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Ear, owner), name, offsetof(Ear, field)}
    DELIVER_SLOTS(Ear), SLOT(delivery, "payload", payload), SLOT(stream, "behind", behind), SLOT(stream, "seen", seen),
    SLOT(stream, "top", top), SLOT(stream, "top_at", top_at), SLOT(stream, "heard", heard),
    SLOT(stream, "clock", stream_clock), SLOT(emit, "namespace", namespace), SLOT(emit, "rooms", rooms),
    SLOT(emit, "skip", skip), SLOT(emit, "parts", parts), SLOT(emit, "text", text), SLOT(emit, "ack", ack),
    SLOT(emit, "ack_at", ack_at), SLOT(emit, "ack_id", ack_id), SLOT(deliver.client, "sid", sid),
};

static const Slot NUMBERED_SLOTS[] = {
    MARKING_SLOTS(Ear), SLOT(kind, "event", event), SLOT(kind, "except_", except_), SLOT(kind, "where", where),
    SLOT(order, "epoch", epoch), SLOT(order, "seen", order_seen), SLOT(order, "behind", order_behind),
    SLOT(own_events, "_size", posted_size), SLOT(follower, "_echoed", echoed), SLOT(follower, "_turn", turn),
};

/* Take a number that the constructor is given, as an int or as a double; 0, or -1 for an exception. */
static int take_number(PyObject *given, const char *name, long long *whole_to, double *to)
{
    PyObject *number = PyDict_GetItemString(given, name);
    if (!number)
        PyErr_Format(PyExc_TypeError, "%s is missing", name);
    else if (to)
        *to = PyFloat_AsDouble(number);
    else
        *whole_to = PyLong_AsLongLong(number);
    return PyErr_Occurred() ? -1 : 0;
}

/* Take what only an ear for numbered events is given. */
static int fill_numbered(Ear *ear, PyObject *given)
{
    if (take_parts(ear, given, NUMBERED_PARTS, COUNT(NUMBERED_PARTS)) < 0
        || find_slots(ear, NUMBERED_SLOTS, COUNT(NUMBERED_SLOTS)) < 0)
        return -1;
    return take_number(given, "overhead", &ear->overhead, NULL);
}

/* Take what the constructor is given, and look up the offsets. */
static int fill(Ear *ear, PyObject *given)
{
#define NUMBER_OF(name) take_number(given, #name, &ear->name, NULL)
#define SECONDS_OF(name) take_number(given, #name, NULL, &ear->name)
    if (take_parts(ear, given, PARTS, COUNT(PARTS)) < 0 || find_slots(ear, SLOTS, COUNT(SLOTS)) < 0)
        return -1;
    if (NUMBER_OF(oldest) < 0 || NUMBER_OF(newest) < 0 || NUMBER_OF(is_signed) < 0 || NUMBER_OF(rate) < 0
        || NUMBER_OF(one_way) < 0 || SECONDS_OF(dead_after) < 0 || SECONDS_OF(forget_after) < 0)
        return -1;
    if (!PyUnicode_IS_COMPACT_ASCII(ear->node) || PyUnicode_GET_LENGTH(ear->node) != ORIGIN_SIZE
        || PyBytes_GET_SIZE(ear->beginning) != 2) {
        PyErr_SetString(PyExc_ValueError, "node or beginning is of another size");
        return -1;
    }
    return PyDict_GetItemString(given, "follower") ? fill_numbered(ear, given) : 0;
}

static PyObject *ear_new(PyTypeObject *type, PyObject *args, PyObject *given)
{
    PyObject *ear;
    if (PyTuple_GET_SIZE(args) || !given)
        return PyErr_Format(PyExc_TypeError, "Ear() takes keywords");
    ear = type->tp_alloc(type, 0);
    if (!ear)
        return NULL;
    ((Ear *)ear)->call = ear_call;
    if (fill((Ear *)ear, given) < 0)
        Py_CLEAR(ear);
    return ear;
}

/* There is no tp_clear: the receiver that has an ear drops it. */
static int ear_traverse(PyObject *ear, visitproc visit, void *arg)
{
    int visited = visit_parts(ear, PARTS, COUNT(PARTS), visit, arg);
    return visited ? visited : visit_parts(ear, NUMBERED_PARTS, COUNT(NUMBERED_PARTS), visit, arg);
}

static void ear_dealloc(PyObject *ear)
{
    PyObject_GC_UnTrack(ear);
    drop_parts(ear, PARTS, COUNT(PARTS));
    drop_parts(ear, NUMBERED_PARTS, COUNT(NUMBERED_PARTS));
    Py_TYPE(ear)->tp_free(ear);
}

static PyTypeObject EarType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "socketio_cluster.manager.native._hear.Ear",
    .tp_doc = "Hears what has arrived from the bus, in the place of `Receiver.arrived`.",
    .tp_basicsize = sizeof(Ear),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = ear_new,
    .tp_traverse = ear_traverse,
    .tp_dealloc = ear_dealloc,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Ear, call),
};

static struct PyModuleDef hear_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_hear",
    .m_doc = "The receipt of events from the bus, in C.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__hear(void)
{
    PyObject *module;
    if (!(name_next_turn = PyUnicode_InternFromString("_next_turn")) || PyType_Ready(&EarType) < 0
        || !(module = PyModule_Create(&hear_module)))
        return NULL;
    if (PyModule_AddObjectRef(module, "Ear", (PyObject *)&EarType) < 0)
        Py_CLEAR(module);
    return module;
}
