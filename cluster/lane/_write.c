/* The sending half of a lane, in C: `LaneWriter.write`, and `LaneWriter.flush` of all lanes that are due at once.

   It does what `writer.py` does for most events: nothing is paused, and what waits for a client is nothing, one frame
   or a list of them. Everything else it leaves to the methods there, before anything has happened. `compiled.py`
   makes a `Sending` of these Python objects, which is the method `write` of lanes, and gives its own method `flush`
   to the flusher. */

#include "../../manager/native/parts.h"
#include "frame.h"

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS */
    PyObject *lane, *outgoing, *encoded, *stats, *flusher, *write, *flush, *failed;
    /* offsets, see SLOTS */
    Py_ssize_t pending, paused, group, transport, wire, event, parts, text, add, sent;
} Sending;

/* What the lanes of a flush have in common: mostly all of them have all of it. */
typedef struct {
    PyTypeObject *type;
    int usual;  /* whether lanes of this type are flushed here */
    PyObject *group, *stats;
} Common;

static PyObject *name_flush, *name_stats, *name_write;

/* Return the frame of an event that is a text without attachments, else None. As `_render` and `message_frame`. */
static PyObject *render(Sending *self, PyObject *encoded)
{
    PyObject *parts, *packet, *frame;
    char *to;
    if (!Py_IS_TYPE(encoded, (PyTypeObject *)self->encoded) || AT(encoded, self->text) != Py_True)
        return Py_NewRef(Py_None);
    parts = AT(encoded, self->parts);
    if (!parts || !PyList_CheckExact(parts) || PyList_GET_SIZE(parts) != 1)
        return Py_NewRef(Py_None);
    packet = PyList_GET_ITEM(parts, 0);
    if (!PyBytes_CheckExact(packet))
        return Py_NewRef(Py_None);
    if (!(to = begin_frame(&frame, PyBytes_GET_SIZE(packet) + 1)))
        return NULL;
    *to++ = '4';
    memcpy(to, PyBytes_AS_STRING(packet), PyBytes_GET_SIZE(packet));
    return frame;
}

/* Put frames behind those that wait. As `LaneWriter.write` and `write_frame`. */
static int append(Sending *self, PyObject *lane, PyObject *wire)
{
    PyObject *pending = AT(lane, self->pending), *add, *both;
    int added;
    if (pending == Py_None) {
        add = AT(self->flusher, self->add);
        if (!add)
            return 0;
        Py_INCREF(add);  /* it puts another one in its place */
        put(lane, self->pending, Py_NewRef(wire));
        added = done(PyObject_CallOneArg(add, lane));
        Py_DECREF(add);
        return added;
    }
    if (PyList_CheckExact(pending))
        return PyList_Append(pending, wire) < 0 ? -1 : 1;
    if (!PyBytes_CheckExact(pending))
        return 0;
    Py_INCREF(pending);
    if (!(both = PyList_New(2))) {
        Py_DECREF(pending);
        return -1;
    }
    PyList_SET_ITEM(both, 0, pending);
    PyList_SET_ITEM(both, 1, Py_NewRef(wire));
    put(lane, self->pending, both);
    return 1;
}

/* Whether an event is sent here; then it is. */
static int send_event(Sending *self, PyObject *lane, PyObject *outgoing)
{
    PyObject *wire;
    int sent;
    if (!PyObject_TypeCheck(lane, (PyTypeObject *)self->lane)
        || !PyObject_TypeCheck(outgoing, (PyTypeObject *)self->outgoing))  /* with recovery it is a `Marked` */
        return 0;
    if (AT(lane, self->paused) != Py_False || !AT(lane, self->pending) || !AT(outgoing, self->event))
        return 0;
    if (AT(outgoing, self->wire) == Py_None) {
        if (!(wire = render(self, AT(outgoing, self->event))))
            return -1;
        put(outgoing, self->wire, wire);
    }
    wire = AT(outgoing, self->wire);
    if (!wire || !PyBytes_CheckExact(wire) || !PyBytes_GET_SIZE(wire))
        return 0;
    Py_INCREF(wire);
    sent = append(self, lane, wire);
    Py_DECREF(wire);
    return sent;
}

/* `lane.write(outgoing)`, which is a method because of `as_method`. */
static PyObject *sending_call(PyObject *object, PyObject *const *args, size_t nargs, PyObject *names)
{
    Sending *self = (Sending *)object;
    int sent = PyVectorcall_NARGS(nargs) == 2 && !names ? send_event(self, args[0], args[1]) : 0;
    if (sent == 0)
        return PyObject_Vectorcall(self->write, args, nargs, names);
    return sent < 0 ? NULL : Py_NewRef(Py_None);
}

/* Return what waits in one piece; NULL without an exception when it is neither bytes nor a list of bytes. */
static PyObject *joined(PyObject *pending)
{
    PyObject *wire;
    Py_ssize_t size = 0;
    char *to;
    if (PyBytes_CheckExact(pending))
        return Py_NewRef(pending);
    if (!PyList_CheckExact(pending))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pending); i++) {
        if (!PyBytes_CheckExact(PyList_GET_ITEM(pending, i)))
            return NULL;
        size += PyBytes_GET_SIZE(PyList_GET_ITEM(pending, i));
    }
    if (!(wire = PyBytes_FromStringAndSize(NULL, size)))
        return NULL;
    to = PyBytes_AS_STRING(wire);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pending); i++) {
        PyObject *frame = PyList_GET_ITEM(pending, i);
        memcpy(to, PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame));
        to += PyBytes_GET_SIZE(frame);
    }
    return wire;
}

/* Find out what a lane has in common with others, if it is not as with the last one. */
static int recognise(Sending *self, Common *common, PyObject *lane)
{
    PyObject *group, *found;
    if (Py_TYPE(lane) != common->type) {
        common->usual = 0;
        common->type = Py_TYPE(lane);
        if (PyType_IsSubtype(common->type, (PyTypeObject *)self->lane)) {
            found = PyObject_GetAttr((PyObject *)common->type, name_flush);
            common->usual = found == self->flush;
            Py_XDECREF(found);
        }
    }
    group = common->usual ? AT(lane, self->group) : NULL;
    if (group && group != common->group && (found = PyObject_GetAttr(group, name_stats))) {
        Py_XSETREF(common->group, Py_NewRef(group));
        Py_XSETREF(common->stats, found);
    }
    PyErr_Clear();
    return group && group == common->group && PyObject_TypeCheck(common->stats, (PyTypeObject *)self->stats);
}

/* Write what waits for a lane, if it is to be done here. As `LaneWriter.flush`. */
static int flush_lane(Sending *self, Common *common, PyObject *lane)
{
    PyObject *pending = AT(lane, self->pending), *transport = AT(lane, self->transport), *wire, *call[2];
    int written = -1;
    if (AT(lane, self->paused) != Py_False || !pending || !transport)
        return 0;
    if (pending == Py_None)
        return 1;
    if (!(wire = joined(pending))) {
        PyErr_Clear();
        return 0;
    }
    call[0] = Py_NewRef(transport);
    call[1] = wire;
    put(lane, self->pending, Py_NewRef(Py_None));
    if (add(common->stats, self->sent, PyBytes_GET_SIZE(wire)) > 0)
        written = done(PyObject_VectorcallMethod(name_write, call, 2, NULL));
    Py_DECREF(transport);
    Py_DECREF(wire);
    return written;
}

/* `sending.flush(lanes)`, in the place of `flush_each`. */
static PyObject *sending_flush(PyObject *object, PyObject *lanes)
{
    Sending *self = (Sending *)object;
    Common common = {0};
    int flushed = 1;
    if (!PyList_CheckExact(lanes))
        return PyErr_Format(PyExc_TypeError, "flush() takes a list of lanes");
    for (Py_ssize_t i = 0; flushed >= 0 && i < PyList_GET_SIZE(lanes); i++) {
        PyObject *lane = Py_NewRef(PyList_GET_ITEM(lanes, i));
        flushed = recognise(self, &common, lane) ? flush_lane(self, &common, lane) : 0;
        if (flushed == 0)
            flushed = done(PyObject_CallMethodNoArgs(lane, name_flush));
        if (flushed < 0)
            flushed = tell(self->failed);  /* as the `except` of `flush_each` */
        Py_DECREF(lane);
    }
    Py_XDECREF(common.group);
    Py_XDECREF(common.stats);
    return flushed < 0 ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Sending, name), type}
    PART(lane, &PyType_Type), PART(outgoing, &PyType_Type), PART(encoded, &PyType_Type), PART(stats, &PyType_Type),
    PART(flusher, NULL), PART(write, NULL), PART(flush, NULL), PART(failed, NULL), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Sending, owner), name, offsetof(Sending, field)}
    SLOT(lane, "_pending", pending), SLOT(lane, "_paused", paused), SLOT(lane, "_group", group),
    SLOT(lane, "_transport", transport), SLOT(outgoing, "wire", wire), SLOT(outgoing, "encoded", event),
    SLOT(encoded, "parts", parts), SLOT(encoded, "text", text), SLOT(flusher, "add", add),
    SLOT(stats, "sent_bytes", sent), {0},
};

static const Recipe RECIPE = {sending_call, PARTS, SLOTS};

static PyMethodDef methods[] = {
    {"flush", sending_flush, METH_O, "Write what waits for the lanes of a list."},
    {NULL},
};

static PyTypeObject SendingType = {
    CALLABLE_TYPE(Sending),
    .tp_name = "socketio_cluster.cluster.lane._write.Sending",
    .tp_doc = "The method `write` of lanes, with one that flushes many of them.",
    .tp_flags = CALLABLE | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_descr_get = as_method,
    .tp_methods = methods,
};

static struct PyModuleDef write_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_write",
    .m_doc = "The sending half of a lane, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {{&name_flush, "flush"}, {&name_stats, "stats"}, {&name_write, "write"}, {NULL}};

PyMODINIT_FUNC PyInit__write(void)
{
    return make_module(&write_module, &SendingType, NAMES);
}
