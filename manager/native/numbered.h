/* How an `Ear` hears events that the bus has numbered, with recovery: see `_hear.c`. */

#ifndef NUMBERED_H
#define NUMBERED_H

#include "ear.h"

/* The stamp before an envelope, see `stamp.py`. */
#define EPOCH_SIZE 6
#define STAMP 23

static PyObject *name_next_turn;

/* Read the stamp of an event that comes next in the one order. As `read_stamp` and `Order.live`. */
static int read_stamp(Ear *ear, Event *event)
{
    PyObject *epoch = AT(ear->order, ear->epoch);
    long long seen, place = 0;
    if (event->size < STAMP + HEADER || AT(ear->order, ear->order_behind) != Py_False)
        return 0;
    if (!epoch || !PyUnicode_CheckExact(epoch) || !PyUnicode_IS_COMPACT_ASCII(epoch)
        || PyUnicode_GET_LENGTH(epoch) != EPOCH_SIZE || memcmp(event->raw + 1, PyUnicode_DATA(epoch), EPOCH_SIZE))
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
            : add(ear->own_events, ear->posted_size, -event->size - ear->overhead);
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

#endif
