/* The second half of an emit in C: from its packet and its channels to its entry in the backlog. As `Publisher.post`.

   It has what `_emit.c` is made with, and what that knows of an emit on its way. */

#ifndef POSTING_H
#define POSTING_H

#include "deliver.h"
#include "envelope.h"

#define STEP 1e-6           /* as in `envelope.py` */
#define EMIT_KIND 1
#define RECORDED_KIND 25

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS */
    Deliver deliver;
    PyObject *server, *standard, *loop, *introduction, *roster, *publisher, *codec, *pack, *queue, *window, *backlog, *clock,
        *batches, *backpressure, *follower, *own_events, *wanted, *channels, *route_to_one, *dumps, *quoted_pair,
        *header, *emit, *recorded, *entry, *reserved, *origin, *room_prefix, *beside, *post_beside;
    Py_ssize_t turn_bytes, emit_bytes, own_bytes, own_overhead;  /* see `fill` */
    unsigned long thread;
    int records;  /* whether events are recorded */
    /* offsets, see SLOTS */
    Py_ssize_t over, bridges, number, stamp, version, limit, size, unsent, sent, bytes, max_bytes, max_age, offset, last,
        direct, busy, more, batch_turn, emitted, published, turn, met, newest, coming, posted, own_size;
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
    int bridged;                    /* whether bridges have to get it */
    int back;                       /* whether it is recorded and comes back to this node */
    double steady, stamp;
} Emission;

static PyObject *name_append, *name_at, *name_expire, *name_count, *name_wake, *name_call_soon, *name_posted, *name_emit, *name_recorded;

static char *put_text(char *to, PyObject *text)
{
    memcpy(to, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text));
    return to + PyUnicode_GET_LENGTH(text);
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

/* Return the size of the envelope that `write_envelope` writes. */
static Py_ssize_t envelope_size(Emitting *way, Emission *it)
{
    Py_ssize_t packet = PyBytes_GET_SIZE(it->packet), size = HEADER + 2 + string_size(it->namespace);
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
    int known, tell_bridges = way->records && it->bridged;
    if ((it->back = comes_back(way, it)) < 0 || PyErr_Occurred())
        return -1;
    if (limit < most)
        most = limit;
    if (way->pack == Py_None && envelope_size(way, it) > most)
        return 0;
    if ((known = read_clock(way, it)) <= 0)
        return known;
    it->number = PyLong_FromSsize_t(number);
    it->at = PyFloat_FromDouble(it->steady);
    if (!it->number || !it->at || ((it->back || tell_bridges || way->pack != Py_None) && make_message(way, it) < 0))
        return -1;
    if (way->pack != Py_None) {
        PyObject *values[] = {it->header, it->message};
        it->envelope = PyObject_Vectorcall(way->pack, values, 2, NULL);
    } else if ((it->envelope = PyBytes_FromStringAndSize(NULL, envelope_size(way, it))))
        write_envelope(way, it, PyBytes_AS_STRING(it->envelope), (uint64_t)number, (char)version);
    if (!it->envelope)
        return -1;
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

/* Wake the link. As `Batches.wake`. */
static int wake(Emitting *way)
{
    PyObject *direct = AT(way->batches, way->direct), *turn = AT(way->batches, way->batch_turn);
    if (direct == Py_None || !turn)
        return done(PyObject_CallMethodNoArgs(way->batches, name_wake));
    if (AT(way->batches, way->busy) == Py_True) {
        put(way->batches, way->more, Py_NewRef(Py_True));
        return 1;
    }
    put(way->batches, way->busy, Py_NewRef(Py_True));
    return done(PyObject_CallMethodObjArgs(way->loop, name_call_soon, turn, direct, NULL));
}

/* Publish it. As the second half of `Publisher.post`, and as the end of `post_recorded`. */
static int post(Emitting *way, Emission *it)
{
    put(way->publisher, way->number, Py_NewRef(it->number));
    if (way->records)
        put(way->follower, way->newest, Py_NewRef(it->number));
    if (it->back && remember(way, it) < 0)
        return -1;
    if (done(PyObject_CallMethodOneArg(AT(way->backlog, way->unsent), name_append, it->entry)) < 0
        || add(way->backlog, way->bytes, PyBytes_GET_SIZE(it->envelope)) < 0 || expire(way, it) < 0
        || count(AT(way->deliver.stats, way->published), way->records ? name_recorded : name_emit) < 0)
        return -1;
    if (wake(way) < 0)
        return -1;
    if (way->records && it->bridged)
        return done(PyObject_CallFunctionObjArgs(way->post_beside, it->message, way->beside, NULL));
    return 1;
}

#endif
