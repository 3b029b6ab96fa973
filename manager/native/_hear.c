/* The receipt of events from the bus in C, from a list of deliveries to the clients of this node.

   An `Ear` stands in the place of `Receiver.arrived`. With recovery it takes events that the bus has numbered, as
   `Receiver._receive_numbered`, `Order.live` and `Follower._deliver`; without it those of other nodes' streams, as
   `Receiver._receive`, `Streams.take` and `Inbound._emit`. That is for the usual case: nothing was missed, nobody asks
   for an ack, and so on. It gives any other delivery to `Receiver.arrived`, before anything has happened.
   `hearing.py` makes an `Ear` of the Python objects that it works with. */

#include "deliver.h"

/* An envelope, see `envelope.py`, and the stamp before it, see `stamp.py`. */
#define ORIGIN 2
#define ORIGIN_SIZE 8
#define NUMBER 10
#define SENT 18
#define HEADER 26
#define MAC 16
#define EPOCH_SIZE 6
#define STAMP 23

#define UNKNOWN (-1)  /* in `stream.py` */
#define SID_SIZE 20   /* in `ids.py` */

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Deliver deliver;
    Marking marking;
    /* what the constructor is given, see PARTS and NUMBERED_PARTS */
    PyObject *general, *failed, *clock, *node, *streams, *stream, *delivery, *decode, *kind, *kind_name, *beginning, *emit,
        *received, *follower, *order, *own_events, *posted, *forget, *delivered;
    /* offsets, see SLOTS and NUMBERED_SLOTS */
    Py_ssize_t payload, behind, seen, top, top_at, heard, stream_clock, namespace, rooms, skip, parts, text, ack, ack_at,
        ack_id, sid, epoch, order_seen, order_behind, posted_size, echoed, turn, event, except_, where;
    long long oldest, newest, is_signed, rate, one_way, overhead;
    double dead_after, forget_after;
} Ear;

/* A delivery on its way. It owns these objects, and `hear` drops them all in the end. */
typedef struct {
    PyObject *message;  /* of the one kind that is usual: a Recorded with recovery, else an Emit */
    PyObject *emit;     /* the Emit in it */
    PyObject *origin, *stream, *clients;
    PyObject *number;   /* in its sender's stream */
    PyObject *place;    /* the number that the bus gave it */
    PyObject *now;      /* borrowed */
    const unsigned char *raw;  /* the envelope */
    Py_ssize_t size;
    long long count;    /* as `number` */
    int is_own;
} Event;

static PyObject *name_next_turn;

/* Read an int. No for other objects, and for large ones. */
static int whole(PyObject *object, long long *value)
{
    int overflow = 1;
    if (object && PyLong_CheckExact(object))
        *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

static uint64_t big_endian(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Read an envelope's header, if it is one as this node would write it. As `read_header`. */
static int read_header(Ear *ear, Event *event)
{
    const unsigned char *raw = event->raw;
    if (event->size < HEADER + 2 + (ear->is_signed ? MAC : 0))
        return 0;
    if (raw[0] < ear->oldest || raw[0] > ear->newest || raw[1] != ear->is_signed)
        return 0;
    event->count = (long long)big_endian(raw + NUMBER);
    event->is_own = !memcmp(raw + ORIGIN, PyUnicode_DATA(ear->node), ORIGIN_SIZE);
    return event->count > 0;
}

/* Decode a message of the usual kind. As `Codec.message`. */
static int read_message(Ear *ear, Event *event)
{
    Py_ssize_t start = HEADER + (ear->is_signed ? MAC : 0), from = ear->is_signed ? 0 : start;
    PyObject *bytes, *message;
    if (memcmp(event->raw + start, PyBytes_AS_STRING(ear->beginning), 2))
        return 0;
    if (!(bytes = PyBytes_FromStringAndSize((const char *)event->raw + from, event->size - from)))
        return -1;
    event->message = message = PyObject_CallOneArg(ear->decode, bytes);
    Py_DECREF(bytes);
    if (message)
        return Py_IS_TYPE(message, (PyTypeObject *)ear->kind);
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    PyErr_Clear();  /* the general way finds it again */
    return 0;
}

/* Find the stream of a sender of which nothing was missed, and whose number goes up as it may. */
static int find_stream(Ear *ear, Event *event)
{
    PyObject *stream = PyDict_GetItemWithError(ear->streams, event->origin);
    long long seen, top;
    if (!stream || !Py_IS_TYPE(stream, (PyTypeObject *)ear->stream))
        return PyErr_Occurred() ? -1 : 0;
    if (AT(stream, ear->behind) != Py_False || !whole(AT(stream, ear->seen), &seen) || !whole(AT(stream, ear->top), &top))
        return 0;
    event->stream = Py_NewRef(stream);
    return seen != UNKNOWN && seen < event->count && top < event->count && event->count - top <= ear->rate;
}

/* Whether an envelope is neither too old nor the first one after a long silence. As `Streams.take`. */
static int is_timely(Ear *ear, Event *event)
{
    PyObject *heard = AT(event->stream, ear->heard), *clock = AT(event->stream, ear->stream_clock);
    uint64_t bits = big_endian(event->raw + SENT);
    double sent, time = PyFloat_AS_DOUBLE(event->now);
    memcpy(&sent, &bits, sizeof sent);
    return heard && PyFloat_CheckExact(heard) && clock && PyFloat_CheckExact(clock)
        && time - PyFloat_AS_DOUBLE(heard) <= ear->dead_after
        && time - sent - PyFloat_AS_DOUBLE(clock) <= ear->forget_after;
}

/* Note how far another node's stream is, and count the message. As the ends of `Streams.take` and `note`. */
static int note(Ear *ear, Event *event)
{
    PyObject *former, *sum;
    long long count = 0;
    if (event->stream) {
        put(event->stream, ear->top, Py_NewRef(event->number));
        put(event->stream, ear->top_at, Py_NewRef(event->now));
        put(event->stream, ear->heard, Py_NewRef(event->now));
        put(event->stream, ear->seen, Py_NewRef(event->number));
    }
    former = PyDict_GetItemWithError(ear->received, ear->kind_name);
    if (former)
        count = PyLong_AsLongLong(former);
    sum = PyErr_Occurred() ? NULL : PyLong_FromLongLong(count + 1);
    if (!sum || PyDict_SetItem(ear->received, ear->kind_name, sum) < 0)
        count = -1;
    Py_XDECREF(sum);
    return count < 0 ? -1 : 1;
}

/* Whether every client can read a part. As `check_readable`. */
static int is_readable(PyObject *part)
{
    PyObject *text;
    Py_ssize_t size = PyBytes_GET_SIZE(part);
    unsigned char all = 0;
    for (Py_ssize_t i = 0; i < size; i++)
        all |= (unsigned char)PyBytes_AS_STRING(part)[i];
    if (all < 0x80)
        return 1;
    text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(part), size, NULL);
    PyErr_Clear();
    Py_XDECREF(text);
    return text != NULL;
}

/* Leave out the clients whose sids are in a list. */
static int leave_out(Ear *ear, PyObject *skip, PyObject **clients)
{
    PyObject *all = *clients, *client;
    int skipped = 0;
    if (!PyList_GET_SIZE(skip))
        return 1;
    *clients = PyList_New(0);
    for (Py_ssize_t i = 0; *clients && skipped >= 0 && i < PySequence_Fast_GET_SIZE(all); i++) {
        client = PySequence_Fast_GET_ITEM(all, i);
        skipped = PySequence_Contains(skip, AT(client, ear->sid));
        if (!skipped)
            skipped = PyList_Append(*clients, client);
    }
    Py_DECREF(all);
    return *clients && skipped >= 0 ? 1 : -1;
}

/* Find whom an Emit is for, and whether it is a usual one. */
static int find_recipients(Ear *ear, Event *event)
{
    PyObject *emit = event->emit, *parts = AT(emit, ear->parts), *text = AT(emit, ear->text), *skip = AT(emit, ear->skip);
    int found;
    if (!parts || !PyList_CheckExact(parts) || !PyList_GET_SIZE(parts) || !PyBytes_CheckExact(PyList_GET_ITEM(parts, 0)))
        return 0;
    if (text != Py_True || !is_readable(PyList_GET_ITEM(parts, 0)) || !skip || !PyList_CheckExact(skip))
        return 0;
    found = find_clients(&ear->deliver, AT(emit, ear->namespace), AT(emit, ear->rooms), &event->clients);
    return found > 0 ? leave_out(ear, skip, &event->clients) : found;
}

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

/* Read the stamp of an event that comes next in the one order. As `read_stamp` and `Order.live`. */
static int read_stamp(Ear *ear, Event *event)
{
    PyObject *epoch = AT(ear->order, ear->epoch);
    long long seen, place = 0;
    if (event->size < STAMP + HEADER || AT(ear->order, ear->order_behind) != Py_False)
        return 0;
    if (!epoch || !PyUnicode_CheckExact(epoch) || !PyUnicode_IS_COMPACT_ASCII(epoch) || PyUnicode_GET_LENGTH(epoch) != EPOCH_SIZE
        || memcmp(event->raw + 1, PyUnicode_DATA(epoch), EPOCH_SIZE))
        return 0;
    for (int i = 1 + EPOCH_SIZE; i < STAMP; i++) {
        if (event->raw[i] < '0' || event->raw[i] > '9')
            return 0;
        place = place * 10 + event->raw[i] - '0';
    }
    event->raw += STAMP;
    event->size -= STAMP;
    if (!whole(AT(ear->order, ear->order_seen), &seen) || place <= seen)
        return 0;
    event->place = PyLong_FromLongLong(place);
    return event->place ? 1 : -1;
}

/* Find the event of this node that is due to come back. As `OwnEvents.take`, which forgets it too. */
static int recall(Ear *ear, Event *event)
{
    PyObject *first, *known;
    Py_ssize_t waiting = PyObject_Size(ear->posted);
    if (waiting <= 0)
        return (int)waiting;
    if (!(first = PySequence_GetItem(ear->posted, 0)))
        return -1;
    event->origin = Py_NewRef(ear->node);
    if (PyTuple_CheckExact(first) && PyTuple_GET_SIZE(first) == 2 && PyBytes_CheckExact(PyTuple_GET_ITEM(first, 0))
        && PyBytes_GET_SIZE(PyTuple_GET_ITEM(first, 0)) == event->size
        && !memcmp(PyBytes_AS_STRING(PyTuple_GET_ITEM(first, 0)), event->raw, event->size)) {
        known = PyTuple_GET_ITEM(first, 1);
        if (PyTuple_CheckExact(known) && PyTuple_GET_SIZE(known) == 2)
            event->message = Py_NewRef(PyTuple_GET_ITEM(known, 1));
    }
    Py_DECREF(first);
    return event->message && Py_IS_TYPE(event->message, (PyTypeObject *)ear->kind);
}

static int is_empty(PyObject *list)
{
    return list && PyList_CheckExact(list) && !PyList_GET_SIZE(list);
}

/* Find an event, and its sender's stream, where that counts. As `Receiver._read_numbered`. */
static int find_event(Ear *ear, Event *event)
{
    int found = read_header(ear, event);
    PyObject *emit;
    if (found > 0 && event->is_own)
        found = recall(ear, event);
    else if (found > 0 && (found = read_message(ear, event)) > 0) {
        event->origin = PyUnicode_DecodeLatin1((const char *)event->raw + ORIGIN, ORIGIN_SIZE, NULL);
        found = !event->origin ? -1 : ear->one_way ? find_stream(ear, event) : 1;
    }
    if (found <= 0)
        return found;
    emit = AT(event->message, ear->event);
    if (!emit || !Py_IS_TYPE(emit, (PyTypeObject *)ear->emit) || !is_empty(AT(event->message, ear->except_))
        || !is_empty(AT(event->message, ear->where)))
        return 0;
    event->emit = Py_NewRef(emit);
    return 1;
}

/* Whether an event comes after the last one of its sender, of which there was one. As `Follower._deliver`. */
static int comes_after(Ear *ear, Event *event)
{
    long long before;
    PyObject *last = PyDict_GetItemWithError(ear->delivered, event->origin);
    if (!last)
        return PyErr_Occurred() ? -1 : 0;
    return whole(last, &before) && event->count > before;
}

/* Note that this node has got its own event back. */
static int note_echo(Ear *ear, Event *event)
{
    put(ear->follower, ear->echoed, Py_NewRef(event->number));
    if (AT(ear->follower, ear->turn) == Py_None)
        return 1;
    return done(PyObject_CallMethodNoArgs(ear->follower, name_next_turn));
}

/* Hear an event that the bus has numbered. As `Receiver._receive_numbered` and `Follower.numbered`. */
static int hear_numbered(Ear *ear, Event *event)
{
    PyObject *parts, *rooms, *epoch;
    int usual = read_stamp(ear, event);
    if (usual <= 0 || (usual = find_event(ear, event)) <= 0 || (usual = comes_after(ear, event)) <= 0)
        return usual;
    parts = AT(event->emit, ear->parts);
    rooms = AT(event->emit, ear->rooms);
    if (!parts || !rooms || (usual = may_mark(&ear->marking, parts, event->place)) <= 0)
        return usual < 0 ? -1 : 0;
    if ((usual = find_recipients(ear, event)) <= 0)
        return usual;
    if (!(event->number = PyLong_FromLongLong(event->count)))
        return -1;
    if (event->is_own)
        usual = done(PyObject_CallNoArgs(ear->forget)) < 0 ? -1
            : add(ear->own_events, ear->posted_size, -event->size - (Py_ssize_t)ear->overhead);
    else
        usual = note(ear, event);
    put(ear->order, ear->order_seen, Py_NewRef(event->place));
    if (usual < 0 || PyDict_SetItem(ear->delivered, event->origin, event->number) < 0)
        return -1;
    if (PySequence_Fast_GET_SIZE(event->clients)) {
        epoch = Py_NewRef(AT(ear->order, ear->epoch));
        usual = send_numbered(&ear->deliver, &ear->marking, event->clients, parts, rooms, event->place, epoch);
        Py_DECREF(epoch);
    }
    return usual > 0 && event->is_own ? note_echo(ear, event) : usual;
}

/* Let Python log and count what was raised. */
static int fail(Ear *ear)
{
    PyObject *error;
    int told;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    error = raised();
    told = done(PyObject_CallOneArg(ear->failed, error));
    Py_DECREF(error);
    return told;
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
        heard = fail(ear);
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
    PART(kind, &PyType_Type), PART(kind_name, &PyUnicode_Type), PART(beginning, &PyBytes_Type), PART(emit, &PyType_Type),
    PART(received, &PyDict_Type),
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

/* Take a number that the constructor is given, as a double if `at` is one. */
static int take_number(PyObject *given, const char *name, long long *whole_at, double *at)
{
    PyObject *number = PyDict_GetItemString(given, name);
    if (!number)
        PyErr_Format(PyExc_TypeError, "%s is missing", name);
    else if (at)
        *at = PyFloat_AsDouble(number);
    else
        *whole_at = PyLong_AsLongLong(number);
    return PyErr_Occurred() ? -1 : 0;
}

/* Take what the constructor is given, and look up the offsets. */
static int fill(Ear *ear, PyObject *given)
{
    int numbered = PyDict_GetItemString(given, "follower") != NULL;
    if (take_parts(ear, given, PARTS, COUNT(PARTS)) < 0 || find_slots(ear, SLOTS, COUNT(SLOTS)) < 0)
        return -1;
    if (numbered && (take_parts(ear, given, NUMBERED_PARTS, COUNT(NUMBERED_PARTS)) < 0
        || find_slots(ear, NUMBERED_SLOTS, COUNT(NUMBERED_SLOTS)) < 0 || take_number(given, "overhead", &ear->overhead, NULL) < 0))
        return -1;
    if (take_number(given, "oldest", &ear->oldest, NULL) < 0 || take_number(given, "newest", &ear->newest, NULL) < 0
        || take_number(given, "is_signed", &ear->is_signed, NULL) < 0 || take_number(given, "rate", &ear->rate, NULL) < 0
        || take_number(given, "one_way", &ear->one_way, NULL) < 0
        || take_number(given, "dead_after", NULL, &ear->dead_after) < 0
        || take_number(given, "forget_after", NULL, &ear->forget_after) < 0)
        return -1;
    if (!PyUnicode_IS_COMPACT_ASCII(ear->node) || PyUnicode_GET_LENGTH(ear->node) != ORIGIN_SIZE
        || PyBytes_GET_SIZE(ear->beginning) != 2)
        PyErr_SetString(PyExc_ValueError, "node or beginning is of another size");
    return PyErr_Occurred() ? -1 : 0;
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
