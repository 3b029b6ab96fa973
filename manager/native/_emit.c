/* The way of an emit, from its arguments to its entry in the backlog and to the clients of this node, in C.

   It does what `ClusterManager.emit` does for most events: a name, data, and nobody or one room. With recovery that is
   `Recovery.emit`, without it `Remote.emit` and `Fanout.deliver`; either ends in `Publisher.post`. Everything else it
   refuses before anything has happened. `short_emit.py` makes an `Emitting` of these Python objects. */

#include "deliver.h"

#define HEADER_BYTES 26
#define ORIGIN_BYTES 8
#define SID_CHARS 20
#define MOST_NAMESPACE 100  /* letters; what comes before the arguments fits in a byte of MessagePack */
#define STEP 1e-6           /* as in `envelope.py` */
#define EMIT_KIND 1
#define RECORDED_KIND 25

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    /* what the constructor is given, see PARTS */
    Deliver deliver;
    PyObject *server, *standard, *loop, *introduction, *roster, *publisher, *codec, *pack, *queue, *window, *backlog, *clock,
        *batches, *backpressure, *follower, *own_events, *wanted, *channels, *route_to_one, *dumps, *quoted_pair,
        *header, *emit, *recorded, *entry, *reserved, *origin, *room_prefix;
    Py_ssize_t turn_bytes, emit_bytes, high_water, own_bytes, own_overhead;  /* see NUMBERS */
    unsigned long thread;
    int records;  /* whether events are recorded */
    /* offsets, see SLOTS */
    Py_ssize_t over, bridges, number, stamp, version, limit, size, unsent, sent, bytes, max_bytes, max_age, offset, last,
        direct, busy, more, emitted, published, turn, met, newest, coming, posted, own_size;
} Emitting;

/* An emit on its way. It owns these objects but for the arguments; `emitting_call` drops them all in the end. */
typedef struct {
    PyObject *event, *data, *namespace, *room;  /* the arguments */
    PyObject *packet;               /* the event as bytes */
    PyObject *channels, *histories; /* tuples: where it goes, and where it is kept */
    PyObject *rooms, *clients;
    PyObject *header, *message;     /* objects, where somebody needs them */
    PyObject *number, *at, *envelope, *entry;
    Py_ssize_t head;                /* bytes of the packet before the arguments */
    double steady, stamp;
} Emission;

static PyObject *name_append, *name_at, *name_expire, *name_count, *name_wake, *name_posted, *name_running, *name_class,
    *name_emit, *name_recorded, *nothing;

/* Whether this is a text of ASCII alone. */
static int is_ascii(PyObject *value)
{
    return PyUnicode_CheckExact(value) && PyUnicode_IS_COMPACT_ASCII(value);
}

/* Whether JSON has this text as it is, between quotes. */
static int is_plain(PyObject *value)
{
    const unsigned char *text;
    if (!is_ascii(value))
        return 0;
    text = PyUnicode_DATA(value);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(value); i++)
        if (text[i] < ' ' || text[i] == '"' || text[i] == '\\' || text[i] == 0x7F)
            return 0;
    return 1;
}

static char *put_text(char *to, PyObject *text)
{
    memcpy(to, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text));
    return to + PyUnicode_GET_LENGTH(text);
}

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
        || (!way->records && PyUnicode_GET_LENGTH(it->room) == SID_CHARS)))
        return 0;
    reserved = PySet_Contains(way->reserved, it->event);
    return reserved < 0 ? -1 : !reserved;
}

/* Whether this node is at home on the loop that runs, and no bridge has to get the event. As `_at_home` and `bridged`. */
static int is_home(Emitting *way)
{
    PyObject *packet_class, *runs, *bridges = AT(way->roster, way->bridges);
    int same, home;
    if (PyThread_get_thread_ident() != way->thread || AT(way->introduction, way->over) != Py_True
        || !PyList_CheckExact(bridges) || PyList_GET_SIZE(bridges))
        return 0;
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

/* Return the channel of the event, where it is only one. As `Channels.room` and `namespace`. */
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
        it->channels = PyTuple_Pack(1, channel);
        it->histories = Py_XNewRef(way->records ? it->channels : nothing);
        Py_DECREF(channel);
    }
    it->rooms = it->room == Py_None ? Py_NewRef(Py_None) : Py_BuildValue("[O]", it->room);
    return it->channels && it->rooms ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* Read the clocks. As `SenderClock.read`. */
static int read_clock(Emitting *way, Emission *it)
{
    struct timespec wall;
    PyObject *offset = AT(way->clock, way->offset), *last = AT(way->clock, way->last);
    double ahead, least;
    if (!PyFloat_CheckExact(offset) || !PyFloat_CheckExact(last))
        return 0;
    clock_gettime(CLOCK_REALTIME, &wall);
    it->steady = now();
    ahead = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9 - it->steady;
    if (ahead > PyFloat_AS_DOUBLE(offset)) {
        if (!(offset = PyFloat_FromDouble(ahead)))
            return -1;
        put(way->clock, way->offset, offset);
    } else
        ahead = PyFloat_AS_DOUBLE(offset);
    least = PyFloat_AS_DOUBLE(last) + STEP;
    it->stamp = it->steady + ahead > least ? it->steady + ahead : least;
    if (!(last = PyFloat_FromDouble(it->stamp)))
        return -1;
    put(way->publisher, way->stamp, Py_NewRef(last));
    put(way->clock, way->last, last);
    return 1;
}

static Py_ssize_t head_size(Py_ssize_t length, int least)
{
    return length < least ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}

/* Write how long a text or bytes are, in MessagePack. `kinds` are the kinds of that for one, two and four bytes. */
static char *put_length(char *to, Py_ssize_t length, int least, const char *kinds)
{
    int bytes = length < least ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 4;
    *to++ = bytes ? kinds[bytes / 2] : (char)(0xA0 | length);
    while (bytes--)
        *to++ = (char)(length >> 8 * bytes);
    return to;
}

static char *put_string(char *to, PyObject *text)
{
    return put_text(put_length(to, PyUnicode_GET_LENGTH(text), 32, "\xD9\xDA\xDB"), text);
}

static Py_ssize_t string_size(PyObject *text)
{
    return head_size(PyUnicode_GET_LENGTH(text), 32) + PyUnicode_GET_LENGTH(text);
}

static char *put_number(char *to, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (char)(number >> shift);
    return to;
}

/* Return the size of the envelope that `write_envelope` writes. */
static Py_ssize_t envelope_size(Emitting *way, Emission *it)
{
    Py_ssize_t packet = PyBytes_GET_SIZE(it->packet), size = HEADER_BYTES + 2 + string_size(it->namespace);
    size += it->room == Py_None ? 1 : 1 + string_size(it->room);
    size += 1 + 1 + head_size(packet, 0) + packet + 1 + 4;
    return way->records ? size + 4 : size;
}

/* Write the envelope. As `Codec.pack` with the message that `make_message` returns. */
static void write_envelope(Emitting *way, Emission *it, char *to, uint64_t number, char version)
{
    uint64_t bits;
    memcpy(&bits, &it->stamp, 8);
    *to++ = version;
    *to++ = 0;
    to = put_number(put_number(put_text(to, way->origin), number), bits);
    if (way->records) {
        *to++ = (char)0x94;  /* an array of four */
        *to++ = RECORDED_KIND;
    }
    *to++ = (char)0x9A;
    *to++ = EMIT_KIND;
    to = put_string(to, it->namespace);
    *to++ = (char)(it->room == Py_None ? 0xC0 : 0x91);
    if (it->room != Py_None)
        to = put_string(to, it->room);
    *to++ = (char)0x90;
    *to++ = (char)0x91;
    to = put_length(to, PyBytes_GET_SIZE(it->packet), 0, "\xC4\xC5\xC6");
    memcpy(to, PyBytes_AS_STRING(it->packet), PyBytes_GET_SIZE(it->packet));
    to += PyBytes_GET_SIZE(it->packet);
    *to++ = (char)0xC3;
    *to++ = 0;
    *to++ = way->records ? 0 : (char)it->head;
    *to++ = 0;
    *to++ = 0;
    if (way->records)
        memcpy(to, "\x90\x90", 2);
}

/* Make the message as an object. As `ClusterManager.emit_encoded` and `Remote.emit`. */
static int make_message(Emitting *way, Emission *it)
{
    PyObject *skip = PyList_New(0), *parts = Py_BuildValue("[O]", it->packet), *zero = PyLong_FromLong(0);
    PyObject *head = PyLong_FromSsize_t(it->head), *stamp = PyFloat_FromDouble(it->stamp), *emit = NULL;
    if (skip && parts && zero && head && stamp) {
        PyObject *values[] = {it->namespace, it->rooms, skip, parts, Py_True, zero, head, zero, zero};
        PyObject *from[] = {way->origin, it->number, stamp};
        emit = PyObject_Vectorcall(way->emit, values, way->records ? 5 : 9, NULL);
        it->header = PyObject_Vectorcall(way->header, from, 3, NULL);
    }
    if (emit)
        it->message = way->records ? PyObject_CallOneArg(way->recorded, emit) : Py_NewRef(emit);
    Py_XDECREF(skip);
    Py_XDECREF(parts);
    Py_XDECREF(zero);
    Py_XDECREF(head);
    Py_XDECREF(stamp);
    Py_XDECREF(emit);
    return it->message && it->header ? 1 : -1;
}

/* Whether an event comes back to this node. As `Follower.posted`. */
static int comes_back(Emitting *way, Emission *it)
{
    int back = 0;
    for (Py_ssize_t i = 0; way->records && !back && i < PyTuple_GET_SIZE(it->channels); i++)
        back = PySequence_Contains(way->wanted, PyTuple_GET_ITEM(it->channels, i));
    return back;
}

/* Make the entry of the backlog. Not one that the bus or the buffer cannot hold. As the first half of `Publisher.post`. */
static int make_entry(Emitting *way, Emission *it)
{
    Py_ssize_t number = PyLong_AsSsize_t(AT(way->publisher, way->number)) + 1;
    long version = PyLong_AsLong(AT(way->codec, way->version));
    Py_ssize_t most = PyLong_AsSsize_t(AT(way->backlog, way->max_bytes)), limit = PyLong_AsSsize_t(AT(way->queue, way->limit));
    int back = comes_back(way, it), known;
    if (back < 0 || PyErr_Occurred())
        return -1;
    if (limit < most)
        most = limit;
    if (way->pack == Py_None && envelope_size(way, it) > most)
        return 0;
    if ((known = read_clock(way, it)) <= 0)
        return known;
    it->number = PyLong_FromSsize_t(number);
    it->at = PyFloat_FromDouble(it->steady);
    if (!it->number || !it->at || ((back || way->pack != Py_None) && make_message(way, it) < 0))
        return -1;
    if (way->pack != Py_None) {
        PyObject *values[] = {it->header, it->message};
        it->envelope = PyObject_Vectorcall(way->pack, values, 2, NULL);
    } else if ((it->envelope = PyBytes_FromStringAndSize(NULL, envelope_size(way, it))))
        write_envelope(way, it, PyBytes_AS_STRING(it->envelope), (uint64_t)number, (char)version);
    if (!it->envelope)
        return -1;
    if (!back) {
        Py_CLEAR(it->message);  /* nobody needs it any more */
    }
    if (!PyBytes_CheckExact(it->envelope) || PyBytes_GET_SIZE(it->envelope) > most)
        return 0;
    PyObject *values[] = {it->number, it->at, it->channels, it->envelope, it->histories};
    return (it->entry = PyObject_Vectorcall(way->entry, values, 5, NULL)) ? 1 : -1;
}

/* Remember an event that comes back. As `Follower.posted` and `OwnEvents.posted`. */
static int remember(Emitting *way, Emission *it)
{
    PyObject *own = way->own_events, *event = PyTuple_Pack(2, it->header, it->message), *pair = NULL;
    Py_ssize_t size = PyBytes_GET_SIZE(it->envelope) + way->own_overhead;
    int kept = -1;
    if (event && PyLong_AsSsize_t(AT(own, way->own_size)) + size > way->own_bytes)
        kept = done(PyObject_CallMethodObjArgs(own, name_posted, it->envelope, event, NULL));
    else if (event && (pair = PyTuple_Pack(2, it->envelope, event))
             && done(PyObject_CallMethodOneArg(AT(own, way->posted), name_append, pair)) > 0)
        kept = add(own, way->own_size, size);
    if (kept > 0)
        put(way->follower, way->coming, Py_NewRef(it->number));
    Py_XDECREF(pair);
    Py_XDECREF(event);
    return kept;
}

/* Drop what the backlog keeps no longer. As the end of `Backlog.add`, and `Publisher._count`. */
static int expire(Emitting *way, Emission *it)
{
    PyObject *sent = AT(way->backlog, way->sent), *age = AT(way->backlog, way->max_age), *dropped;
    PyObject *oldest = PySequence_GetItem(PyObject_Size(sent) > 0 ? sent : AT(way->backlog, way->unsent), 0);
    PyObject *since = oldest ? PyObject_GetAttr(oldest, name_at) : NULL;
    Py_ssize_t bytes = PyLong_AsSsize_t(AT(way->backlog, way->bytes)), most = PyLong_AsSsize_t(AT(way->backlog, way->max_bytes));
    int over = since && (bytes > most || it->steady - PyFloat_AsDouble(since) > PyFloat_AsDouble(age)), expired = 1;
    Py_XDECREF(oldest);
    Py_XDECREF(since);
    if (PyErr_Occurred())
        return -1;
    if (!over)
        return 1;
    if (!(dropped = PyObject_CallMethodOneArg(way->backlog, name_expire, it->at)))
        return -1;
    if (PyObject_IsTrue(dropped) > 0)
        expired = done(PyObject_CallMethodOneArg(way->publisher, name_count, dropped));
    Py_DECREF(dropped);
    return expired;
}

/* Count a message, in a Counter. */
static int count(PyObject *counter, PyObject *kind)
{
    PyObject *former = PyDict_GetItemWithError(counter, kind), *number;
    Py_ssize_t value = former ? PyLong_AsSsize_t(former) : 0;
    int counted = -1;
    if (!PyErr_Occurred() && (number = PyLong_FromSsize_t(value + 1))) {
        counted = PyDict_SetItem(counter, kind, number) < 0 ? -1 : 1;
        Py_DECREF(number);
    }
    return counted;
}

/* Wake the link. As `Batches.wake`. */
static int wake(Emitting *way)
{
    if (AT(way->batches, way->direct) == Py_None || AT(way->batches, way->busy) != Py_True)
        return done(PyObject_CallMethodNoArgs(way->batches, name_wake));
    put(way->batches, way->more, Py_NewRef(Py_True));
    return 1;
}

/* Publish it. As the second half of `Publisher.post`. */
static int post(Emitting *way, Emission *it)
{
    put(way->publisher, way->number, Py_NewRef(it->number));
    if (way->records)
        put(way->follower, way->newest, Py_NewRef(it->number));
    if (it->message && remember(way, it) < 0)
        return -1;
    if (done(PyObject_CallMethodOneArg(AT(way->backlog, way->unsent), name_append, it->entry)) < 0
        || add(way->backlog, way->bytes, PyBytes_GET_SIZE(it->envelope)) < 0 || expire(way, it) < 0
        || count(AT(way->deliver.stats, way->published), way->records ? name_recorded : name_emit) < 0)
        return -1;
    return wake(way);
}

/* Return how much has been emitted in this turn of the loop with this event, and whether somebody has to wait. */
static Py_ssize_t emitted(Emitting *way, Emission *it, int *due)
{
    Py_ssize_t turn = PyLong_AsSsize_t(AT(way->backpressure, way->turn));
    turn += PyBytes_GET_SIZE(it->packet) + way->emit_bytes;
    *due = AT(way->backpressure, way->met) != Py_None || turn > way->turn_bytes;
    return turn;
}

static int set_number(PyObject *object, Py_ssize_t offset, Py_ssize_t value)
{
    PyObject *number = PyLong_FromSsize_t(value);
    if (number)
        put(object, offset, number);
    return number ? 1 : -1;
}

/* Finish an event that is recorded: True if its emitter has to await `Recovery.ease`, else False. As `Recovery.emit`. */
static PyObject *finish_recorded(Emitting *way, Emission *it)
{
    Py_ssize_t unsent = PyObject_Size(AT(way->backlog, way->unsent)), room = PyLong_AsSsize_t(AT(way->window, way->size));
    int due;
    if (PyErr_Occurred() || set_number(way->backpressure, way->turn, emitted(way, it, &due)) < 0)
        return NULL;
    return PyBool_FromLong(due || unsent > room);
}

/* Deliver an event to the clients of this node: False if nobody has to wait, or else what `ClusterManager.pause` takes. As
   the end of `emit_encoded`. */
static PyObject *finish_delivered(Emitting *way, Emission *it)
{
    Py_ssize_t reached = PySequence_Fast_GET_SIZE(it->clients), turn;
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
    turn = emitted(way, it, &due);
    if (due || PyObject_Size(AT(way->backlog, way->unsent)) > way->high_water)
        return Py_BuildValue("Onn", it->number, reached, PyBytes_GET_SIZE(it->packet));
    return set_number(way->backpressure, way->turn, turn) < 0 ? NULL : Py_NewRef(Py_False);
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
    if (mine > 0 && (mine = is_home(way)) > 0 && (mine = make_packet(way, &it)) > 0 && (mine = find_route(way, &it)) > 0
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
    PART(origin, &PyUnicode_Type), PART(room_prefix, &PyUnicode_Type),
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Emitting, owner), name, offsetof(Emitting, field)}
    DELIVER_SLOTS(Emitting), SLOT(introduction, "over", over), SLOT(roster, "bridges", bridges),
    SLOT(publisher, "number", number), SLOT(publisher, "_stamp", stamp), SLOT(codec, "version", version),
    SLOT(queue, "limit", limit), SLOT(window, "size", size), SLOT(backlog, "_unsent", unsent), SLOT(backlog, "_sent", sent),
    SLOT(backlog, "_bytes", bytes), SLOT(backlog, "max_bytes", max_bytes), SLOT(backlog, "_max_age", max_age),
    SLOT(clock, "_offset", offset), SLOT(clock, "_last", last), SLOT(batches, "_direct", direct), SLOT(batches, "_busy", busy),
    SLOT(batches, "_more", more), SLOT(deliver.stats, "emitted", emitted), SLOT(deliver.stats, "published", published),
    SLOT(backpressure, "_turn", turn), SLOT(backpressure, "_met", met), SLOT(follower, "newest", newest),
    SLOT(follower, "coming", coming), SLOT(own_events, "_posted", posted), SLOT(own_events, "_size", own_size),
};

static const Slot NUMBERS[] = {
#define NUMBER(name) {0, #name, offsetof(Emitting, name)}
    NUMBER(turn_bytes), NUMBER(emit_bytes), NUMBER(high_water), NUMBER(own_bytes), NUMBER(own_overhead),
};

/* Take what the constructor is given, and look up the offsets. */
static int fill(Emitting *way, PyObject *given)
{
    PyObject *number;
    if (take_parts(way, given, PARTS, COUNT(PARTS)) < 0 || find_slots(way, SLOTS, COUNT(SLOTS)) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(NUMBERS); i++) {
        number = PyDict_GetItemString(given, NUMBERS[i].name);
        *(Py_ssize_t *)((char *)way + NUMBERS[i].at) = number ? PyLong_AsSsize_t(number) : 0;
    }
    if (!is_ascii(way->origin) || PyUnicode_GET_LENGTH(way->origin) != ORIGIN_BYTES || !is_ascii(way->room_prefix))
        PyErr_SetString(PyExc_ValueError, "a name that is not ASCII");
    way->thread = PyThread_get_thread_ident();
    way->records = !PyType_Check(way->follower);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *emitting_new(PyTypeObject *type, PyObject *args, PyObject *given)
{
    PyObject *way;
    if (PyTuple_GET_SIZE(args) || !given)
        return PyErr_Format(PyExc_TypeError, "Emitting() takes keywords");
    if (!(way = type->tp_alloc(type, 0)))
        return NULL;
    ((Emitting *)way)->call = emitting_call;
    if (fill((Emitting *)way, given) < 0)
        Py_CLEAR(way);
    return way;
}

/* There is no tp_clear: the manager that has it drops it. */
static int emitting_traverse(PyObject *way, visitproc visit, void *arg)
{
    return visit_parts(way, PARTS, COUNT(PARTS), visit, arg);
}

static void emitting_dealloc(PyObject *way)
{
    PyObject_GC_UnTrack(way);
    drop_parts(way, PARTS, COUNT(PARTS));
    Py_TYPE(way)->tp_free(way);
}

static PyTypeObject EmittingType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "socketio_cluster.manager.native._emit.Emitting",
    .tp_doc = "A function that does what most emits do, or refuses.",
    .tp_basicsize = sizeof(Emitting),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = emitting_new,
    .tp_traverse = emitting_traverse,
    .tp_dealloc = emitting_dealloc,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Emitting, call),
};

static struct PyModuleDef emit_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_emit",
    .m_doc = "The way of an emit, in C.",
    .m_size = -1,
};

static const struct {
    PyObject **name;
    const char *text;
} NAMES[] = {
    {&name_append, "append"}, {&name_at, "at"}, {&name_expire, "expire"}, {&name_count, "_count"}, {&name_wake, "wake"},
    {&name_posted, "posted"}, {&name_running, "is_running"}, {&name_class, "packet_class"}, {&name_emit, "Emit"},
    {&name_recorded, "Recorded"},
};

PyMODINIT_FUNC PyInit__emit(void)
{
    PyObject *module;
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (!(*NAMES[i].name = PyUnicode_InternFromString(NAMES[i].text)))
            return NULL;
    if (!(nothing = PyTuple_New(0)) || PyType_Ready(&EmittingType) < 0 || !(module = PyModule_Create(&emit_module)))
        return NULL;
    if (PyModule_AddObjectRef(module, "Emitting", (PyObject *)&EmittingType) < 0)
        Py_CLEAR(module);
    return module;
}
