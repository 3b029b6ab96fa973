/* The reading of what a Redis server sends in C, from bytes to those who get replies and pushes.

   A `Reading` stands in the place of `RedisReplies.data_received`, and does all that this does. `redis_compiled.py`
   makes it of the Python objects that it works with. */

#include "../native/parts.h"

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS */
    PyObject *general, *failed, *feed, *gets, *error, *push, *takers;
    /* offsets, see SLOTS */
    Py_ssize_t replies, pushes;
} Reading;

/* Add a reply to a list, which is made for the first one. */
static int keep(PyObject **list, PyObject *reply)
{
    if (!*list && !(*list = PyList_New(0)))
        return -1;
    return PyList_Append(*list, reply) < 0 ? -1 : 1;
}

/* Parse bytes, and sort all that is whole. */
static int parse(Reading *self, PyObject *bytes, PyObject **replies, PyObject **pushes)
{
    PyObject *reply;
    int kept = done(PyObject_CallOneArg(self->feed, bytes));
    while (kept > 0) {
        if (!(reply = PyObject_CallNoArgs(self->gets)))
            return -1;
        if (reply == Py_False) {  /* hiredis's word for "not yet" */
            Py_DECREF(reply);
            return 1;
        }
        kept = keep(Py_IS_TYPE(reply, (PyTypeObject *)self->push) ? pushes : replies, reply);
        Py_DECREF(reply);
    }
    return kept;
}

/* Give what has come, if anything has, to whom a slot names. */
static int give(Reading *self, Py_ssize_t slot, PyObject *come)
{
    PyObject *take;
    int given;
    if (!come)
        return 1;
    take = Py_NewRef(AT(self->takers, slot));  /* it may put another one in its place */
    given = done(PyObject_CallOneArg(take, come));
    Py_DECREF(take);
    return given;
}

/* `replies.data_received(bytes)`. */
static PyObject *reading_call(PyObject *object, PyObject *const *args, size_t nargs, PyObject *names)
{
    Reading *self = (Reading *)object;
    PyObject *replies = NULL, *pushes = NULL;
    int read;
    if (PyVectorcall_NARGS(nargs) != 1 || names)
        return PyObject_Vectorcall(self->general, args, nargs, names);
    read = parse(self, args[0], &replies, &pushes);
    if (read > 0)
        read = give(self, self->replies, replies) > 0 ? give(self, self->pushes, pushes) : -1;
    else if (PyErr_ExceptionMatches(self->error))
        read = tell(self->failed);
    Py_XDECREF(replies);
    Py_XDECREF(pushes);
    return read < 0 ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Reading, name), type}
    PART(general, NULL), PART(failed, NULL), PART(feed, NULL), PART(gets, NULL), PART(error, &PyType_Type),
    PART(push, &PyType_Type), PART(takers, NULL), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Reading, owner), name, offsetof(Reading, field)}
    SLOT(takers, "replies", replies), SLOT(takers, "pushes", pushes), {0},
};

static const Recipe RECIPE = {reading_call, PARTS, SLOTS};

static PyTypeObject ReadingType = {
    CALLABLE_TYPE(Reading),
    .tp_name = "socketio_cluster.manager.brokers._read.Reading",
    .tp_doc = "Reads what a Redis server sends, in the place of `RedisReplies.data_received`.",
    .tp_flags = CALLABLE,
};

static struct PyModuleDef read_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_read",
    .m_doc = "The reading of a connection to Redis, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {{NULL}};

PyMODINIT_FUNC PyInit__read(void)
{
    return make_module(&read_module, &ReadingType, NAMES);
}
