/* The way of messages from Redis's pub/sub to a node in C: from a list of them to the function that handles deliveries.

   A `Sorting` stands in the place of `RedisBroker._arrived`, and does the same as `_sort` and `Inbox.put`. That is
   for the usual case: a few messages of channels that are taken, while the reader waits. It gives any other list to
   `_arrived`, before anything has happened. Who takes deliveries never raises, see `Prompt`, so nothing is made of an
   exception. `redis_compiled.py` makes it of the Python objects that it works with. */

#include "../native/parts.h"

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS and `fill` */
    PyObject *general, *inbox, *taken, *message, *delivery;
    Py_ssize_t most;
    /* offsets, see SLOTS */
    Py_ssize_t idle, at_once;
} Sorting;

/* Whether two bytes are the same. */
static int same(PyObject *one, PyObject *other)
{
    return PyBytes_CheckExact(one) && PyBytes_GET_SIZE(one) == PyBytes_GET_SIZE(other)
        && !memcmp(PyBytes_AS_STRING(one), PyBytes_AS_STRING(other), PyBytes_GET_SIZE(one));
}

/* Make a delivery of a message; NULL without an exception when it is something else, or of no channel of ours. */
static PyObject *delivery_of(Sorting *self, PyObject *reply)
{
    PyObject *values[2], *name;
    if (!PyList_Check(reply) || PyList_GET_SIZE(reply) != 3 || !same(PyList_GET_ITEM(reply, 0), self->message))
        return NULL;
    name = PyList_GET_ITEM(reply, 1);
    values[1] = PyList_GET_ITEM(reply, 2);
    if (!PyBytes_CheckExact(name) || !PyBytes_CheckExact(values[1])
        || !(values[0] = PyDict_GetItemWithError(self->taken, name)))
        return NULL;
    return PyObject_Vectorcall(self->delivery, values, 2, NULL);
}

/* Make deliveries of all; NULL without an exception when one cannot be. */
static PyObject *deliveries_of(Sorting *self, PyObject *replies)
{
    Py_ssize_t count = PyList_GET_SIZE(replies);
    PyObject *deliveries = PyList_New(count), *delivery;
    for (Py_ssize_t i = 0; deliveries && i < count; i++) {
        if ((delivery = delivery_of(self, PyList_GET_ITEM(replies, i))))
            PyList_SET_ITEM(deliveries, i, delivery);
        else
            Py_CLEAR(deliveries);
    }
    return deliveries;
}

/* Whether a list is sorted here; then it is. */
static int sort(Sorting *self, PyObject *replies)
{
    PyObject *deliveries, *take = AT(self->inbox, self->at_once);
    int sorted;
    if (AT(self->inbox, self->idle) != Py_True || !take || take == Py_None || !PyList_CheckExact(replies)
        || !PyList_GET_SIZE(replies) || PyList_GET_SIZE(replies) > self->most)
        return 0;
    if (!(deliveries = deliveries_of(self, replies)))
        return PyErr_Occurred() ? -1 : 0;
    Py_INCREF(take);  /* it may put another one in its place */
    sorted = done(PyObject_CallOneArg(take, deliveries));
    Py_DECREF(take);
    Py_DECREF(deliveries);
    return sorted;
}

/* `broker._arrived(replies)`. */
static PyObject *sorting_call(PyObject *object, PyObject *const *args, size_t nargs, PyObject *names)
{
    Sorting *self = (Sorting *)object;
    int sorted = PyVectorcall_NARGS(nargs) == 1 && !names ? sort(self, args[0]) : 0;
    if (sorted == 0)
        return PyObject_Vectorcall(self->general, args, nargs, names);
    return sorted < 0 ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Sorting, name), type}
    PART(general, NULL), PART(inbox, NULL), PART(taken, &PyDict_Type), PART(message, &PyBytes_Type),
    PART(delivery, &PyType_Type), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Sorting, owner), name, offsetof(Sorting, field)}
    SLOT(inbox, "_idle", idle), SLOT(inbox, "at_once", at_once), {0},
};

static int fill(void *object, PyObject *given)
{
    return take_number(given, "most", &((Sorting *)object)->most);
}

static const Recipe RECIPE = {sorting_call, PARTS, SLOTS, fill};

static PyTypeObject SortingType = {
    CALLABLE_TYPE(Sorting),
    .tp_name = "socketio_cluster.manager.brokers._sort.Sorting",
    .tp_doc = "Sorts what a Redis server has pushed, in the place of `RedisBroker._arrived`.",
    .tp_flags = CALLABLE,
};

static struct PyModuleDef sort_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sort",
    .m_doc = "The way of messages from Redis's pub/sub to a node, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {{NULL}};

PyMODINIT_FUNC PyInit__sort(void)
{
    return make_module(&sort_module, &SortingType, NAMES);
}
