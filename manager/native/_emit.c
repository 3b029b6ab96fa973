/* The way of an emit, from its arguments to its entry in the backlog and to the clients of this node, in C.

   It does what `ClusterManager.emit` does for most events: a name, data, and nobody or one room. With recovery that is
   `Recovery.emit`, without it `Remote.emit` and `Fanout.deliver`; either ends in `Publisher.post`, and with recovery in
   `post_beside` for bridges. Everything else it refuses before anything has happened. `short_emit.py` makes an `Emitting`
   of these Python objects. */

#include "posting.h"

#define MOST_NAMESPACE 100  /* letters; what comes before the arguments fits in a byte of MessagePack */

static PyObject *name_running, *name_class, *nothing;

/* Whether these are the arguments of most emits. */
static int is_usual(Emitting *way, Emission *it)
{
    Py_ssize_t length;
    int reserved;
    if (!PyUnicode_CheckExact(it->event) || !PyUnicode_GET_LENGTH(it->event) || !is_ascii(it->namespace))
        return 0;
    length = PyUnicode_GET_LENGTH(it->namespace);
    if (!length || length > MOST_NAMESPACE)
        return 0;
    if (it->room != Py_None && (!is_ascii(it->room)
        || (!way->records && PyUnicode_GET_LENGTH(it->room) == SID_SIZE)))
        return 0;
    reserved = PySet_Contains(way->reserved, it->event);
    return reserved < 0 ? -1 : !reserved;
}

/* Whether this node is at home on the loop that runs. Notes whether bridges have to get the event. As `_at_home` and
   `bridged`. */
static int is_home(Emitting *way, Emission *it)
{
    PyObject *packet_class, *runs, *bridges = AT(way->roster, way->bridges);
    int same, home;
    if (PyThread_get_thread_ident() != way->thread || !PyList_CheckExact(bridges))
        return 0;
    it->bridged = PyList_GET_SIZE(bridges) || AT(way->introduction, way->over) != Py_True;
    if (!(packet_class = PyObject_GetAttr(way->server, name_class)))
        return -1;
    same = packet_class == way->standard;
    Py_DECREF(packet_class);
    if (!same)
        return 0;
    if (!(runs = PyObject_CallMethodNoArgs(way->loop, name_running)))
        return -1;
    home = runs == Py_True;
    Py_DECREF(runs);
    return home;
}

/* Return the JSON of an event that is no plain text; NULL without an exception for what `encode_event` must look at. */
static PyObject *encode_json(Emitting *way, Emission *it)
{
    PyObject *texts[] = {it->event, it->data}, *list = NULL, *json = NULL;
    if (PyUnicode_CheckExact(it->data))
        json = PyObject_Vectorcall(way->quoted_pair, texts, 2, NULL);
    else if (PyTuple_CheckExact(it->data)) {
        if ((list = PyList_New(1 + PyTuple_GET_SIZE(it->data)))) {
            PyList_SET_ITEM(list, 0, Py_NewRef(it->event));
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(it->data); i++)
                PyList_SET_ITEM(list, i + 1, Py_NewRef(PyTuple_GET_ITEM(it->data, i)));
        }
    } else if (!PyTuple_Check(it->data))
        list = it->data == Py_None ? Py_BuildValue("[O]", it->event) : Py_BuildValue("[OO]", it->event, it->data);
    if (list)
        json = PyObject_CallOneArg(way->dumps, list);
    Py_XDECREF(list);
    if (!json && (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError)
        || PyErr_ExceptionMatches(PyExc_RecursionError)))
        PyErr_Clear();
    return json;
}

/* Return new bytes for a packet with so many bytes of JSON, and where these begin. */
static char *begin_packet(Emission *it, Py_ssize_t size)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(it->namespace);
    int main = length == 1 && *(char *)PyUnicode_DATA(it->namespace) == '/';
    char *to;
    it->head = main ? 1 : length + 2;
    if (!(it->packet = PyBytes_FromStringAndSize(NULL, it->head + size)))
        return NULL;
    to = PyBytes_AS_STRING(it->packet);
    *to++ = '2';
    if (!main) {
        to = put_text(to, it->namespace);
        *to++ = ',';
    }
    return to;
}

/* Encode the event. As `encode_event`. */
static int make_packet(Emitting *way, Emission *it)
{
    PyObject *json;
    const char *from;
    Py_ssize_t size;
    char *to;
    if (is_plain(it->event) && is_plain(it->data)) {
        size = PyUnicode_GET_LENGTH(it->event) + PyUnicode_GET_LENGTH(it->data) + 7;
        if (!(to = begin_packet(it, size)))
            return -1;
        memcpy(to, "[\"", 2);
        to = put_text(to + 2, it->event);
        memcpy(to, "\",\"", 3);
        to = put_text(to + 3, it->data);
        memcpy(to, "\"]", 2);
        return 1;
    }
    if (!(json = encode_json(way, it)))
        return PyErr_Occurred() ? -1 : 0;
    if (PyBytes_CheckExact(json)) {
        from = PyBytes_AS_STRING(json);
        size = PyBytes_GET_SIZE(json);
    } else
        from = is_ascii(json) ? PyUnicode_AsUTF8AndSize(json, &size) : NULL;
    if (from && (to = begin_packet(it, size)))
        memcpy(to, from, size);
    Py_DECREF(json);
    return it->packet ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* Return the channel of its room or namespace. As `Channels.room` and `namespace`. */
static PyObject *channel_of(Emitting *way, Emission *it)
{
    int everybody = it->room == Py_None;
    Py_ssize_t size = PyUnicode_GET_LENGTH(way->room_prefix) + PyUnicode_GET_LENGTH(it->namespace) + 1;
    PyObject *channel = PyUnicode_New(everybody ? size : size + 1 + PyUnicode_GET_LENGTH(it->room), 127);
    char *to;
    if (!channel)
        return NULL;
    to = put_text(put_text(PyUnicode_DATA(channel), way->room_prefix), it->namespace);
    *to++ = ',';
    if (!everybody) {
        *to++ = 's';
        put_text(to, it->room);
    }
    return channel;
}

/* Find where it goes. As `route` in `routes.py`, and as `Remote.route` for what is not recorded. */
static int find_route(Emitting *way, Emission *it)
{
    PyObject *names[] = {way->channels, it->namespace, it->room}, *route, *channel;
    if (way->records && it->room != Py_None) {
        if (!(route = PyObject_Vectorcall(way->route_to_one, names, 3, NULL)))
            return -1;
        if (PyTuple_Check(route) && PyTuple_GET_SIZE(route) == 2) {
            it->channels = Py_NewRef(PyTuple_GET_ITEM(route, 0));
            it->histories = Py_NewRef(PyTuple_GET_ITEM(route, 1));
        }
        Py_DECREF(route);
    } else if ((channel = channel_of(way, it))) {
        it->channels = PyTuple_Pack(it->bridged && !way->records ? 2 : 1, channel, way->beside);
        it->histories = Py_XNewRef(way->records ? it->channels : nothing);
        Py_DECREF(channel);
    }
    it->rooms = it->room == Py_None ? Py_NewRef(Py_None) : Py_BuildValue("[O]", it->room);
    return it->channels && it->rooms ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* Count an event in this turn of the loop. Return whether somebody has to wait. As `Backpressure.emitted`. */
static int count_emitted(Emitting *way, Emission *it)
{
    if (add(way->backpressure, way->turn, PyBytes_GET_SIZE(it->packet) + way->emit_bytes) < 0)
        return -1;
    return AT(way->backpressure, way->met) != Py_None
        || PyLong_AsSsize_t(AT(way->backpressure, way->turn)) > way->turn_bytes;
}

/* Finish an event that is recorded: True if its emitter has to await `Recovery.ease`, else False. As `Recovery.emit`. */
static PyObject *finish_recorded(Emitting *way, Emission *it)
{
    Py_ssize_t unsent = PyObject_Size(AT(way->backlog, way->unsent)), room = PyLong_AsSsize_t(AT(way->window, way->size));
    int due = PyErr_Occurred() ? -1 : count_emitted(way, it);
    return due < 0 ? NULL : PyBool_FromLong(due || unsent > room);
}

/* Deliver an event to the clients of this node: False if nobody has to wait, else the arguments of `EmittingMember._ease`.
   As the end of `emit_encoded`. */
static PyObject *finish_delivered(Emitting *way, Emission *it)
{
    Py_ssize_t reached = PySequence_Fast_GET_SIZE(it->clients);
    PyObject *parts, *head, *encoded = NULL;
    int due;
    if (reached) {
        parts = Py_BuildValue("[O]", it->packet);
        head = PyLong_FromSsize_t(it->head);
        if (parts && head) {
            PyObject *values[] = {parts, Py_True, head};
            encoded = PyObject_Vectorcall(way->deliver.encoded, values, 3, NULL);
        }
        Py_XDECREF(parts);
        Py_XDECREF(head);
        if (!encoded || send_all(&way->deliver, it->clients, encoded, it->rooms) < 0) {
            Py_XDECREF(encoded);
            return NULL;
        }
        Py_DECREF(encoded);
    }
    if ((due = count_emitted(way, it)) < 0)
        return NULL;
    if (due || PyObject_Size(AT(way->backlog, way->unsent)) > PyLong_AsSsize_t(AT(way->window, way->size)))
        return Py_BuildValue("On", it->number, reached);
    return Py_NewRef(Py_False);
}

/* `emitting(event, data, namespace, room)`: None if it is for Python, and nothing has happened. */
static PyObject *emitting_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names)
{
    Emitting *way = (Emitting *)self;
    Emission it = {0};
    PyObject *result = NULL;
    int mine;
    if (PyVectorcall_NARGS(nargs) != 4 || names)
        return PyErr_Format(PyExc_TypeError, "it takes an event, its data, a namespace and a room or None");
    it.event = args[0], it.data = args[1], it.namespace = args[2], it.room = args[3];
    mine = is_usual(way, &it);
    if (mine > 0 && (mine = is_home(way, &it)) > 0 && (mine = make_packet(way, &it)) > 0 && (mine = find_route(way, &it)) > 0
        && !way->records)
        mine = find_clients(&way->deliver, it.namespace, it.rooms, &it.clients);
    if (mine > 0 && (mine = make_entry(way, &it)) > 0 && (mine = post(way, &it)) > 0
        && (mine = add(way->deliver.stats, way->emitted, 1)) > 0)
        result = way->records ? finish_recorded(way, &it) : finish_delivered(way, &it);
    Py_XDECREF(it.packet);
    Py_XDECREF(it.channels);
    Py_XDECREF(it.histories);
    Py_XDECREF(it.rooms);
    Py_XDECREF(it.clients);
    Py_XDECREF(it.header);
    Py_XDECREF(it.message);
    Py_XDECREF(it.number);
    Py_XDECREF(it.at);
    Py_XDECREF(it.envelope);
    Py_XDECREF(it.entry);
    return mine == 0 ? Py_NewRef(Py_None) : result;
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Emitting, name), type}
    DELIVER_PARTS(Emitting), PART(server, NULL), PART(standard, &PyType_Type), PART(loop, NULL), PART(introduction, NULL),
    PART(roster, NULL), PART(publisher, NULL), PART(codec, NULL), PART(pack, NULL), PART(queue, NULL), PART(window, NULL),
    PART(backlog, NULL), PART(clock, NULL), PART(batches, NULL), PART(backpressure, NULL),
    PART(follower, NULL), PART(own_events, NULL), PART(wanted, NULL), PART(channels, NULL), PART(route_to_one, NULL),
    PART(dumps, NULL), PART(quoted_pair, NULL), PART(header, &PyType_Type), PART(emit, &PyType_Type),
    PART(recorded, &PyType_Type), PART(entry, &PyType_Type), PART(reserved, &PyFrozenSet_Type),
    PART(origin, &PyUnicode_Type), PART(room_prefix, &PyUnicode_Type), PART(beside, &PyUnicode_Type),
    PART(post_beside, NULL), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Emitting, owner), name, offsetof(Emitting, field)}
    DELIVER_SLOTS(Emitting), SLOT(introduction, "over", over), SLOT(roster, "bridges", bridges),
    SLOT(publisher, "number", number), SLOT(publisher, "_stamp", stamp), SLOT(codec, "version", version),
    SLOT(queue, "limit", limit), SLOT(window, "size", size), SLOT(backlog, "_unsent", unsent), SLOT(backlog, "_sent", sent),
    SLOT(backlog, "_bytes", bytes), SLOT(backlog, "max_bytes", max_bytes), SLOT(backlog, "_max_age", max_age),
    SLOT(clock, "_offset", offset), SLOT(clock, "_last", last), SLOT(batches, "_direct", direct), SLOT(batches, "_busy", busy),
    SLOT(batches, "_more", more), SLOT(batches, "_turn", batch_turn), SLOT(deliver.stats, "emitted", emitted), SLOT(deliver.stats, "published", published),
    SLOT(backpressure, "_turn", turn), SLOT(backpressure, "_met", met), SLOT(follower, "newest", newest),
    SLOT(follower, "coming", coming), SLOT(own_events, "_posted", posted), SLOT(own_events, "_size", own_size), {0},
};

/* Take the numbers, and look at the texts. */
static int fill(void *object, PyObject *given)
{
    Emitting *way = object;
    if (take_number(given, "turn_bytes", &way->turn_bytes) < 0 || take_number(given, "emit_bytes", &way->emit_bytes) < 0
        || take_number(given, "own_bytes", &way->own_bytes) < 0
        || take_number(given, "own_overhead", &way->own_overhead) < 0)
        return -1;
    if (!is_ascii(way->origin) || PyUnicode_GET_LENGTH(way->origin) != ORIGIN_SIZE || !is_ascii(way->room_prefix)) {
        PyErr_SetString(PyExc_ValueError, "a name that is not ASCII");
        return -1;
    }
    way->thread = PyThread_get_thread_ident();
    way->records = !PyType_Check(way->follower);
    return 0;
}

static const Recipe RECIPE = {emitting_call, PARTS, SLOTS, fill};

static PyTypeObject EmittingType = {
    CALLABLE_TYPE(Emitting),
    .tp_name = "socketio_cluster.manager.native._emit.Emitting",
    .tp_doc = "A function that does what most emits do, or refuses.",
    .tp_flags = CALLABLE,
};

static struct PyModuleDef emit_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_emit",
    .m_doc = "The way of an emit, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {
    {&name_append, "append"}, {&name_at, "at"}, {&name_expire, "expire"}, {&name_count, "_count"}, {&name_wake, "wake"},
    {&name_call_soon, "call_soon"}, {&name_posted, "posted"}, {&name_running, "is_running"}, {&name_class, "packet_class"}, {&name_emit, "Emit"},
    {&name_recorded, "Recorded"}, {NULL},
};

PyMODINIT_FUNC PyInit__emit(void)
{
    nothing = PyTuple_New(0);
    return nothing ? make_module(&emit_module, &EmittingType, NAMES) : NULL;
}
