/* The last leg of an event: from the rooms that it is for to the functions that take it for each client.

   A file that delivers has a `Deliver deliver` in its type, DELIVER_PARTS and DELIVER_SLOTS in its tables, and is given
   what `delivery_parts` in `clients/delivery.py` returns. One that marks events with their offset, for clients
   that know recovery, has a `Marking marking` likewise, and what `MarkingFanout.native_parts` returns. */

#ifndef DELIVER_H
#define DELIVER_H

#include "parts.h"

typedef struct {
    /* the dicts of `LocalRooms`: the rooms of each namespace, and the clients by their sids */
    PyObject *book, *sids;
    PyObject *client, *local_room, *outgoing, *encoded;  /* classes */
    PyObject *stats;
    Py_ssize_t held, client_namespace, send, session, delivered;
} Deliver;

#define DELIVER_PARTS(Type) \
    {"book", offsetof(Type, deliver.book), &PyDict_Type}, {"sids", offsetof(Type, deliver.sids), &PyDict_Type}, \
    {"client", offsetof(Type, deliver.client), &PyType_Type}, \
    {"local_room", offsetof(Type, deliver.local_room), &PyType_Type}, \
    {"outgoing", offsetof(Type, deliver.outgoing), &PyType_Type}, \
    {"encoded", offsetof(Type, deliver.encoded), &PyType_Type}, {"stats", offsetof(Type, deliver.stats), NULL}

#define DELIVER_SLOTS(Type) \
    {offsetof(Type, deliver.local_room), "held", offsetof(Type, deliver.held)}, \
    {offsetof(Type, deliver.client), "namespace", offsetof(Type, deliver.client_namespace)}, \
    {offsetof(Type, deliver.client), "send", offsetof(Type, deliver.send)}, \
    {offsetof(Type, deliver.client), "session", offsetof(Type, deliver.session)}, \
    {offsetof(Type, deliver.stats), "delivered", offsetof(Type, deliver.delivered)}

typedef struct {
    PyObject *fanout;  /* the `MarkingFanout` */
    PyObject *marked;  /* the class */
    Py_ssize_t replayed, is_json;
} Marking;

#define MARKING_PARTS(Type) \
    {"fanout", offsetof(Type, marking.fanout), NULL}, {"marked", offsetof(Type, marking.marked), &PyType_Type}

#define MARKING_SLOTS(Type) \
    {offsetof(Type, marking.fanout), "replayed", offsetof(Type, marking.replayed)}, \
    {offsetof(Type, marking.fanout), "_is_json", offsetof(Type, marking.is_json)}

/* Whether an object is a client of ours, as far as the slots are concerned. */
static inline int is_client(const Deliver *to, PyObject *object)
{
    return PyObject_TypeCheck(object, (PyTypeObject *)to->client);
}

/* Find the client in a room that is named like its sid. As `LocalRooms._alone`. */
static inline int find_alone(const Deliver *to, PyObject *namespace, PyObject *room, PyObject **clients)
{
    PyObject *client = PyDict_GetItemWithError(to->sids, room), *its;
    int here = 0;
    if (client) {
        if (!is_client(to, client) || !(its = AT(client, to->client_namespace)) || !PyUnicode_CheckExact(its))
            return 0;
        here = PyUnicode_Compare(its, namespace) == 0;
    }
    if (!PyErr_Occurred())
        *clients = here ? PyTuple_Pack(1, client) : PyTuple_New(0);
    return *clients ? 1 : -1;
}

/* Find the clients of an event: a new tuple or list, of all of which `is_client` is true. Only for a text as the
   namespace, and for None, or for a list with the name of one room. As `LocalRooms.members`. */
static inline int find_clients(const Deliver *to, PyObject *namespace, PyObject *rooms, PyObject **clients)
{
    PyObject *inside, *room = Py_None, *local, *held;
    *clients = NULL;
    if (rooms != Py_None) {
        if (!PyList_CheckExact(rooms) || PyList_GET_SIZE(rooms) != 1)
            return 0;
        room = PyList_GET_ITEM(rooms, 0);
        if (!PyUnicode_CheckExact(room) && !PyLong_CheckExact(room))
            return 0;
    }
    inside = PyUnicode_CheckExact(namespace) ? PyDict_GetItemWithError(to->book, namespace) : NULL;
    if (!inside && !PyErr_Occurred() && PyUnicode_CheckExact(namespace))
        *clients = PyTuple_New(0);
    if (!inside)
        return *clients ? 1 : PyErr_Occurred() ? -1 : 0;
    if (!PyDict_CheckExact(inside))
        return 0;
    local = PyDict_GetItemWithError(inside, room);
    if (!local)
        return PyErr_Occurred() ? -1 : room == Py_None ? 0 : find_alone(to, namespace, room, clients);
    held = Py_IS_TYPE(local, (PyTypeObject *)to->local_room) ? AT(local, to->held) : NULL;
    if (held && PyDict_CheckExact(held))
        *clients = PyDict_Values(held);
    else if (held && PyTuple_CheckExact(held))
        *clients = Py_NewRef(held);
    if (!*clients)
        return PyErr_Occurred() ? -1 : 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(*clients); i++)
        if (!is_client(to, PySequence_Fast_GET_ITEM(*clients, i))) {
            Py_CLEAR(*clients);
            return 0;
        }
    return 1;
}

/* Call the function that takes events for a client. It may run anything. */
static inline int send_to(const Deliver *to, PyObject *client, PyObject *outgoing)
{
    PyObject *send = Py_XNewRef(AT(client, to->send));
    int sent = send ? done(PyObject_CallOneArg(send, outgoing)) : -1;
    if (!send)
        PyErr_SetString(PyExc_AttributeError, "send");
    Py_XDECREF(send);
    return sent;
}

/* Return an event for the clients: `Outgoing(encoded, rooms, number)`; without a number, NULL. */
static inline PyObject *outgoing_of(const Deliver *to, PyObject *encoded, PyObject *rooms, PyObject *number)
{
    PyObject *values[] = {encoded, rooms, number};
    return PyObject_Vectorcall(to->outgoing, values, number ? 3 : 2, NULL);
}

/* Hand an event to these clients, and count them. As the end of `Fanout.deliver`. */
static inline int send_all(const Deliver *to, PyObject *clients, PyObject *encoded, PyObject *rooms)
{
    PyObject *outgoing = outgoing_of(to, encoded, rooms, NULL);
    int sent = outgoing ? 1 : -1;
    for (Py_ssize_t i = 0; sent > 0 && i < PySequence_Fast_GET_SIZE(clients); i++)
        sent = send_to(to, PySequence_Fast_GET_ITEM(clients, i), outgoing);
    Py_XDECREF(outgoing);
    return sent > 0 ? add(to->stats, to->delivered, PySequence_Fast_GET_SIZE(clients)) : -1;
}

/* Whether `send_numbered` may mark an event: nothing newer was replayed to anybody, and an argument is added to these parts
   by its bytes. As `MarkingFanout.send_numbered` and `_marked`. */
static inline int may_mark(const Marking *marking, PyObject *parts, PyObject *number)
{
    PyObject *replayed = AT(marking->fanout, marking->replayed), *first;
    if (AT(marking->fanout, marking->is_json) != Py_True || !replayed || !PyLong_CheckExact(replayed)
        || !PyLong_CheckExact(number) || !PyList_CheckExact(parts) || !PyList_GET_SIZE(parts))
        return 0;
    first = PyList_GET_ITEM(parts, 0);
    if (!PyBytes_CheckExact(first) || PyBytes_GET_SIZE(first) < 2
        || PyBytes_AS_STRING(first)[PyBytes_GET_SIZE(first) - 1] != ']')
        return 0;
    return PyObject_RichCompareBool(replayed, number, Py_LT);
}

/* As `write_offset`. */
static inline PyObject *offset_of(PyObject *epoch, PyObject *number)
{
    char digits[2 * sizeof(long long) + 1];
    unsigned long long at = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred())
        return NULL;
    snprintf(digits, sizeof digits, "%llx", at);
    return PyUnicode_FromFormat("%U%s", epoch, digits);
}

/* Return the first part of an event with its offset behind the arguments. */
static inline PyObject *with_offset(PyObject *part, PyObject *offset)
{
    Py_ssize_t before = PyBytes_GET_SIZE(part) - 1, size;
    const char *text = PyUnicode_AsUTF8AndSize(offset, &size);
    PyObject *longer = text ? PyBytes_FromStringAndSize(NULL, before + size + 4) : NULL;
    char *to;
    if (!longer)
        return NULL;
    to = PyBytes_AS_STRING(longer);
    memcpy(to, PyBytes_AS_STRING(part), before);
    memcpy(to + before, ",\"", 2);
    memcpy(to + before + 2, text, size);
    memcpy(to + before + 2 + size, "\"]", 2);
    return longer;
}

/* Return an event with its offset. The parts are those in `encoded`. As `MarkingFanout._marked`. */
static inline PyObject *marked_of(const Deliver *to, const Marking *marking, PyObject *encoded, PyObject *parts, PyObject *rooms,
    PyObject *number, PyObject *epoch)
{
    static PyObject *names;
    PyObject *offset = offset_of(epoch, number), *marked = NULL;
    PyObject *first = offset ? with_offset(PyList_GET_ITEM(parts, 0), offset) : NULL;
    PyObject *longer = first ? PyList_GetSlice(parts, 0, PyList_GET_SIZE(parts)) : NULL, *inner = NULL;
    if (!names)
        names = Py_BuildValue("(ss)", "plain", "offset");
    if (longer && names && PyList_SetItem(longer, 0, Py_NewRef(first)) == 0) {
        PyObject *values[] = {longer, Py_True};
        inner = PyObject_Vectorcall(to->encoded, values, 2, NULL);
    }
    if (inner) {
        PyObject *values[] = {inner, rooms, number, encoded, offset};
        marked = PyObject_Vectorcall(marking->marked, values, 3, names);
    }
    Py_XDECREF(inner);
    Py_XDECREF(longer);
    Py_XDECREF(first);
    Py_XDECREF(offset);
    return marked;
}

/* Hand a numbered event to these clients, with its offset to those that have a session, and count them. Only if `may_mark`.
   As `MarkingFanout.send_numbered`. */
static inline int send_numbered(const Deliver *to, const Marking *marking, PyObject *clients, PyObject *parts, PyObject *rooms,
    PyObject *number, PyObject *epoch)
{
    PyObject *values[] = {parts, Py_True}, *marked = NULL, *plain = NULL, *client, *session, **form;
    PyObject *encoded = PyObject_Vectorcall(to->encoded, values, 2, NULL);
    int sent = encoded ? 1 : -1;
    for (Py_ssize_t i = 0; sent > 0 && i < PySequence_Fast_GET_SIZE(clients); i++) {
        client = PySequence_Fast_GET_ITEM(clients, i);
        session = AT(client, to->session);
        form = session == Py_None ? &plain : &marked;
        if (!*form)
            *form = session == Py_None ? outgoing_of(to, encoded, rooms, number)
                                       : marked_of(to, marking, encoded, parts, rooms, number, epoch);
        sent = *form ? send_to(to, client, *form) : -1;
    }
    Py_XDECREF(marked);
    Py_XDECREF(plain);
    Py_XDECREF(encoded);
    return sent > 0 ? add(to->stats, to->delivered, PySequence_Fast_GET_SIZE(clients)) : -1;
}

#endif
