/* What an `Ear` is, and what both of its ways do with an envelope: see `_hear.c`. */

#ifndef EAR_H
#define EAR_H

#include "deliver.h"
#include "envelope.h"

#define UNKNOWN (-1)  /* in `stream.py` */

typedef struct {
    Callable base;
    Deliver deliver;
    Marking marking;
    /* what the constructor is given, see PARTS and NUMBERED_PARTS */
    PyObject *general, *failed, *look, *clock, *node, *streams, *stream, *delivery, *decode, *kind, *kind_name, *beginning,
        *emit, *received, *follower, *order, *own_events, *posted, *forget, *delivered;
    /* offsets, see SLOTS and NUMBERED_SLOTS */
    Py_ssize_t payload, behind, seen, top, top_at, heard, stream_clock, namespace, rooms, skip, parts, text, ack,
        ack_at, ack_id, sid, epoch, order_seen, order_behind, posted_size, echoed, turn, event, except_, where;
    Py_ssize_t oldest, newest, is_signed, rate, one_way, many, overhead;
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

/* Read an int. No for other objects, and for large ones. */
static inline int whole(PyObject *object, long long *value)
{
    int overflow = 1;
    if (object && PyLong_CheckExact(object))
        *value = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* Read an envelope's header, if it is one as this node would write it. As `read_header`. */
static inline int read_header(Ear *ear, Event *event)
{
    const unsigned char *raw = event->raw;
    if (event->size < HEADER + 2 + (ear->is_signed ? MAC : 0))
        return 0;
    if (raw[0] < ear->oldest || raw[0] > ear->newest || raw[1] != ear->is_signed)
        return 0;
    event->count = (long long)read_number(raw + NUMBER);
    event->is_own = !memcmp(raw + ORIGIN, PyUnicode_DATA(ear->node), ORIGIN_SIZE);
    return event->count > 0;
}

/* Decode a message of the usual kind. As `Codec.message`. */
static inline int read_message(Ear *ear, Event *event)
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
static inline int find_stream(Ear *ear, Event *event)
{
    PyObject *stream = PyDict_GetItemWithError(ear->streams, event->origin);
    long long seen, top;
    if (!stream || !Py_IS_TYPE(stream, (PyTypeObject *)ear->stream))
        return PyErr_Occurred() ? -1 : 0;
    event->stream = Py_NewRef(stream);
    if (AT(stream, ear->behind) != Py_False || !whole(AT(stream, ear->seen), &seen)
        || !whole(AT(stream, ear->top), &top))
        return 0;
    return seen != UNKNOWN && seen < event->count && top < event->count && event->count - top <= ear->rate;
}

/* Whether an envelope is neither too old nor the first one after a long silence. As `Streams.take`. */
static inline int is_timely(Ear *ear, Event *event)
{
    PyObject *heard = AT(event->stream, ear->heard), *clock = AT(event->stream, ear->stream_clock);
    uint64_t bits = read_number(event->raw + SENT);
    double sent, time = PyFloat_AS_DOUBLE(event->now);
    memcpy(&sent, &bits, sizeof sent);
    return heard && PyFloat_CheckExact(heard) && clock && PyFloat_CheckExact(clock)
        && time - PyFloat_AS_DOUBLE(heard) <= ear->dead_after
        && time - sent - PyFloat_AS_DOUBLE(clock) <= ear->forget_after;
}

/* Note how far another node's stream is, and count the message. As the ends of `Streams.take` and `note`. */
static inline int note(Ear *ear, Event *event)
{
    if (event->stream) {
        put(event->stream, ear->top, Py_NewRef(event->number));
        put(event->stream, ear->top_at, Py_NewRef(event->now));
        put(event->stream, ear->heard, Py_NewRef(event->now));
        put(event->stream, ear->seen, Py_NewRef(event->number));
    }
    return count(ear->received, ear->kind_name);
}

/* Whether every client can read a part. As `check_readable`. */
static inline int is_readable(PyObject *part)
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
static inline int leave_out(Ear *ear, PyObject *skip, PyObject **clients)
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
static inline int find_recipients(Ear *ear, Event *event)
{
    PyObject *emit = event->emit, *parts = AT(emit, ear->parts), *skip = AT(emit, ear->skip), *first;
    int found;
    if (!parts || !PyList_CheckExact(parts) || !PyList_GET_SIZE(parts) || !skip || !PyList_CheckExact(skip))
        return 0;
    first = PyList_GET_ITEM(parts, 0);
    if (AT(emit, ear->text) != Py_True || !PyBytes_CheckExact(first) || !is_readable(first))
        return 0;
    found = find_clients(&ear->deliver, AT(emit, ear->namespace), AT(emit, ear->rooms), &event->clients);
    return found > 0 ? leave_out(ear, skip, &event->clients) : found;
}

#endif
