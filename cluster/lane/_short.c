/* The short way of an event on a lane, from the bytes of its frame to those of its ack, in C.

   It does what `shortcut.py`, `handling.py` and `starter.py` do for most events: one whole text frame, an event
   of the main namespace, a handler that is registered for just this event and does not wait. Everything else it
   leaves to them. It refuses before anything has happened, or hands over what it has after the first step of the
   handler. `compiled.py` makes a `Way` of these Python objects, and says how a lane gets it. */

#include "../../manager/native/parts.h"
#include "frame.h"

#define MOST_VALUES 16  /* of one event; more go the general way */
#define MOST_DIGITS 15  /* of an ack id */
#define MOST_BOUNDS 32

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS */
    PyObject *lane, *client, *histogram, *spare, *general, *go_on, *decode, *list_of, *half_read, *running,
        *connected, *reserved, *server, *entry, *times, *stats, *spares, *loop, *enter, *leave, *weakrefs,
        *not_handled, *open, *bounds, *trigger_name, *handlers_name;
    Py_ssize_t longest;
    /* offsets, see SLOTS */
    Py_ssize_t state, reader, busy, context, main, socket, pending, paused, transport, client_state, sid, counts, total,
        events, sent, received, free, touched;
    double limits[MOST_BOUNDS];
    Py_ssize_t limits_size;
} Way;

/* An event on its way. It owns these objects, and `way_call` drops them all in the end. */
typedef struct {
    PyObject *lane, *sid, *values, *handler, *times, *spare, *context;
    PyObject *work;   /* the handler's coroutine, when it waits */
    PyObject *value;  /* what it waits for, or else the handler's result */
    PyObject *error;  /* or what was raised */
    double spent;     /* seconds, in the first step */
    Py_ssize_t size;  /* of the frame */
    const unsigned char *payload, *mask;
    Py_ssize_t payload_size, start; /* of the JSON in it */
    char digits[MOST_DIGITS + 1];   /* of the ack id, if it asks for an ack */
} Event;

static PyObject *name_sid, *name_write, *name_write_frame, *name_replace, *name_slash;

/* Read the header of a frame and the letters before the JSON: whether it is a whole frame with an event of the main
   namespace. As `lone_text` and `Shortcut.take`. */
static int read_head(Way *way, PyObject *data, Event *event)
{
    const unsigned char *bytes;
    unsigned char head[2 + MOST_DIGITS + 1] = {0};
    Py_ssize_t size, at = 2, first;
    if (!PyBytes_CheckExact(data))
        return 0;
    bytes = (const unsigned char *)PyBytes_AS_STRING(data);
    event->size = size = PyBytes_GET_SIZE(data);
    if (size < 10 || size > way->longest || bytes[0] != 0x81)
        return 0;
    if (size < 132) {  /* the header has 6 bytes up to a payload of 125, and then 8 */
        if (bytes[1] != 0x80 + size - 6)
            return 0;
        event->payload = bytes + 6;
    } else {
        if (bytes[1] != 0xFE || ((bytes[2] << 8) | bytes[3]) != size - 8)
            return 0;
        event->payload = bytes + 8;
    }
    event->mask = event->payload - 4;
    size = event->payload_size = bytes + size - event->payload;
    for (Py_ssize_t i = 0; i < size && i < (Py_ssize_t)sizeof head; i++)
        head[i] = event->payload[i] ^ event->mask[i & 3];
    if (head[0] != '4' || head[1] != '2')
        return 0;
    while (at < 2 + MOST_DIGITS && head[at] >= '0' && head[at] <= '9')
        at++;
    if (head[at] != '[')
        return 0;
    event->start = at;
    for (first = 2; first < at - 1 && head[first] == '0'; first++)
        ;
    memcpy(event->digits, head + first, at - first);  /* the rest is zero */
    for (Py_ssize_t i = 100; i < size; i += 101) {  /* as `may_hold_long_integer` */
        unsigned char letter = event->payload[i] ^ event->mask[i & 3];
        if (letter >= '0' && letter <= '9')
            return 0;
    }
    return 1;
}

/* Whether this event may be handled now: the lane and its client are as they mostly are, and a spare waits. */
static int is_free(Way *way, Event *event)
{
    PyObject *lane = event->lane, *client = AT(lane, way->main), *spare = AT(way->spares, way->free), *sid;
    int busy = 0;
    if (AT(lane, way->state) != way->open || AT(lane, way->reader) != Py_None || AT(lane, way->busy) != Py_False)
        return 0;
    if (!AT(lane, way->context) || !AT(lane, way->socket) || !AT(lane, way->transport))
        return 0;
    if (!client || !PyObject_TypeCheck(client, (PyTypeObject *)way->client))
        return 0;
    if (AT(client, way->client_state) != way->connected || !AT(client, way->sid) || PyDict_GET_SIZE(way->half_read))
        return 0;
    if (!spare || !PyObject_TypeCheck(spare, (PyTypeObject *)way->spare) || AT(spare, way->touched) != Py_False)
        return 0;
    if (PyDict_GET_SIZE(way->running)) {
        sid = PyObject_GetAttr(AT(lane, way->socket), name_sid);
        busy = sid ? PyDict_Contains(way->running, sid) : -1;
        Py_XDECREF(sid);
    }
    event->sid = Py_NewRef(AT(client, way->sid));
    event->spare = Py_NewRef(spare);
    return busy < 0 ? -1 : !busy;
}

/* Read the JSON. Not what raises ValueError or RecursionError, which may still be right, see `value_at`. */
static int read_values(Way *way, Event *event)
{
    Py_ssize_t size = event->payload_size - event->start, i = 0;
    const unsigned char *from = event->payload + event->start;
    PyObject *json = PyBytes_FromStringAndSize(NULL, size);
    unsigned char mask[8], *to;
    uint64_t many, word;
    if (!json)
        return -1;
    to = (unsigned char *)PyBytes_AS_STRING(json);
    for (; i < 8; i++)
        mask[i] = event->mask[(event->start + i) & 3];
    memcpy(&many, mask, 8);
    for (i = 0; i + 8 <= size; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= many;
        memcpy(to + i, &word, 8);
    }
    for (; i < size; i++)
        to[i] = from[i] ^ mask[i & 7];
    event->values = PyObject_CallOneArg(way->decode, json);
    Py_DECREF(json);
    if (event->values)
        return PyList_CheckExact(event->values) && PyList_GET_SIZE(event->values) > 0
            && PyList_GET_SIZE(event->values) <= MOST_VALUES;
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_RecursionError))
        return -1;
    PyErr_Clear();
    return 0;
}

/* Find the handler and the histogram of an event, as `Host.plain_handler` and `Watch.seconds`. */
static int find_handler(Way *way, Event *event)
{
    PyObject *name = PyList_GET_ITEM(event->values, 0), *all = NULL, *trigger, *handlers = NULL, *counts;
    int found = PyUnicode_CheckExact(name) ? PySet_Contains(way->reserved, name) : 1;
    if (found)
        return found < 0 ? -1 : 0;
    trigger = PyObject_GetAttr(way->server, way->trigger_name);
    if (trigger == way->entry)  /* or another one stands before it, such as the admin UI */
        all = PyObject_GetAttr(way->server, way->handlers_name);
    Py_XDECREF(trigger);
    if (all && PyDict_Check(all))
        handlers = PyDict_GetItemWithError(all, name_slash);
    if (handlers && PyDict_Check(handlers))
        event->handler = Py_XNewRef(PyDict_GetItemWithError(handlers, name));
    Py_XDECREF(all);
    if (event->handler)
        event->times = Py_XNewRef(PyDict_GetItemWithError(way->times, name));
    if (PyErr_Occurred())
        return -1;
    if (!event->times || !PyObject_TypeCheck(event->times, (PyTypeObject *)way->histogram))
        return 0;
    counts = AT(event->times, way->counts);
    return counts && PyList_CheckExact(counts) && PyList_GET_SIZE(counts) == way->limits_size + 1;
}

/* Return the frame of an ack with this list of JSON; a plain text comes without its brackets and quotes. */
static PyObject *ack_frame(const char *id, const char *body, Py_ssize_t length, int plain)
{
    PyObject *frame;
    char *to = begin_frame(&frame, 2 + (Py_ssize_t)strlen(id) + length + 4 * plain);
    if (!to)
        return NULL;
    *to++ = '4';
    *to++ = '3';
    while (*id)
        *to++ = *id++;
    if (plain) {
        *to++ = '[';
        *to++ = '"';
    }
    memcpy(to, body, length);
    if (plain)
        memcpy(to + length, "\"]", 2);
    return frame;
}

/* Send the ack; not one that needs attachments. As `answer` and `LaneWriter.write_answer`. */
static int answer(Way *way, Event *event)
{
    PyObject *lane = event->lane, *list = NULL, *frame = NULL;
    int sent = -1;
    if (is_plain(event->value))
        frame = ack_frame(event->digits, PyUnicode_DATA(event->value), PyUnicode_GET_LENGTH(event->value), 1);
    else if ((list = PyObject_CallOneArg(way->list_of, event->value)) && PyBytes_CheckExact(list))
        frame = ack_frame(event->digits, PyBytes_AS_STRING(list), PyBytes_GET_SIZE(list), 0);
    if (!frame)
        sent = list == Py_None ? 0 : -1;
    else if (AT(lane, way->pending) != Py_None || AT(lane, way->paused) != Py_False)
        sent = done(PyObject_CallMethodOneArg(lane, name_write_frame, frame));
    else if (add(way->stats, way->sent, PyBytes_GET_SIZE(frame)) > 0)
        sent = done(PyObject_CallMethodOneArg(AT(lane, way->transport), name_write, frame));
    Py_XDECREF(frame);
    Py_XDECREF(list);
    return sent;
}

/* Count the time of a handler, as `Histogram.observe`. */
static int observe(Way *way, Event *event)
{
    PyObject *counts = AT(event->times, way->counts), *total = AT(event->times, way->total), *sum, *count;
    Py_ssize_t at = 0, number = 0;
    double seconds = total ? PyFloat_AsDouble(total) : 0.0;
    while (at < way->limits_size && way->limits[at] < event->spent)
        at++;
    if (!PyErr_Occurred())
        number = PyLong_AsSsize_t(PyList_GET_ITEM(counts, at));
    if (PyErr_Occurred())
        return -1;
    sum = PyFloat_FromDouble(seconds + event->spent);
    count = PyLong_FromSsize_t(number + 1);
    if (!sum || !count) {
        Py_XDECREF(sum);
        Py_XDECREF(count);
        return -1;
    }
    put(event->times, way->total, sum);
    return PyList_SetItem(counts, at, count) < 0 ? -1 : 1;
}

/* Call the handler. When it is a coroutine function, let the coroutine take its first step. */
static void first_step(Event *event)
{
    PyObject *values[MOST_VALUES], *result;
    Py_ssize_t count = PyList_GET_SIZE(event->values);
    values[0] = event->sid;
    for (Py_ssize_t i = 1; i < count; i++)
        values[i] = PyList_GET_ITEM(event->values, i);
    result = PyObject_Vectorcall(event->handler, values, count, NULL);
    if (!result || !PyCoro_CheckExact(result)) {
        event->value = result;
        return;
    }
    event->work = result;
    if (PyIter_Send(result, Py_None, &event->value) != PYGEN_NEXT)
        Py_CLEAR(event->work);
}

/* Run the handler and send its ack. Not what `go_on` must do: then the event has what is known. */
static int handle(Way *way, Event *event)
{
    int handled = 0;
    double began;
    if (add(way->stats, way->received, event->size) > 0 && add(way->stats, way->events, 1) > 0) {
        began = now();
        first_step(event);
        event->spent = now() - began;
        if (event->value && !event->work) {
            handled = !event->digits[0] || event->value == way->not_handled ? 1 : answer(way, event);
            if (handled > 0)
                handled = observe(way, event);
        }
    }
    if (PyErr_Occurred())
        event->error = raised();
    return handled > 0;
}

/* Let Python go on with an event after the first step of its handler; see `Handling.go_on`. */
static int hand_over(Way *way, Event *event)
{
    PyObject *asked = event->digits[0] ? PyLong_FromString(event->digits, NULL, 10) : Py_NewRef(Py_None);
    PyObject *spent = PyFloat_FromDouble(event->spent), *result = NULL;
#define OR_NONE(object) ((object) ? (object) : Py_None)
    PyObject *values[] = {event->context, event->lane, event->sid, event->values, asked,
        OR_NONE(event->work), OR_NONE(event->value), OR_NONE(event->error), spent};
    if (asked && spent) {
        put(way->spares, way->free, Py_NewRef(event->spare));  /* it may have been replaced meanwhile */
        result = PyObject_Vectorcall(way->go_on, values, COUNT(values), NULL);
    }
    Py_XDECREF(asked);
    Py_XDECREF(spent);
    return done(result);
}

/* Return how many weak references there are to the spare. */
static Py_ssize_t weak_references(Way *way, Event *event)
{
    PyObject *count = PyObject_CallOneArg(way->weakrefs, event->spare);
    Py_ssize_t number = count ? PyLong_AsSsize_t(count) : -1;
    Py_XDECREF(count);
    PyErr_Clear();
    return number;
}

/* Handle an event in the name of the spare, in a copy of the lane's context, as `Spares.start`. */
static int run(Way *way, Event *event)
{
    PyObject *task[] = {way->loop, event->spare};
    Py_ssize_t strong = Py_REFCNT(event->spare), weak = weak_references(way, event);
    int handled;
    if (!(event->context = PyContext_Copy(AT(event->lane, way->context))))
        return -1;
    if (done(PyObject_Vectorcall(way->enter, task, 2, NULL)) < 0) {  /* another task runs */
        handled = PyErr_ExceptionMatches(PyExc_RuntimeError) ? 0 : -1;
        if (!handled)
            PyErr_Clear();
        return handled;
    }
    handled = PyContext_Enter(event->context) == 0 && handle(way, event);
    if (PyErr_Occurred() || PyContext_Exit(event->context) < 0) {
        handled = 0;
        Py_XDECREF(event->error);
        event->error = raised();
    }
    if (done(PyObject_Vectorcall(way->leave, task, 2, NULL)) < 0)
        return -1;
    if (Py_REFCNT(event->spare) != strong || weak_references(way, event) != weak)
        put(event->spare, way->touched, Py_NewRef(Py_True));
    if (!handled)
        return hand_over(way, event);
    if (AT(event->spare, way->touched) != Py_False)
        return done(PyObject_CallMethodOneArg(way->spares, name_replace, event->spare));
    return 1;
}

/* `lane.data_received(data)`, which is a method because of `as_method`. */
static PyObject *way_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names)
{
    Way *way = (Way *)self;
    Event event = {0};
    int taken;
    if (PyVectorcall_NARGS(nargs) != 2 || names || !PyObject_TypeCheck(args[0], (PyTypeObject *)way->lane))
        return PyErr_Format(PyExc_TypeError, "data_received() takes a lane and its data");
    event.lane = Py_NewRef(args[0]);
    taken = read_head(way, args[1], &event);
    if (taken > 0 && (taken = is_free(way, &event)) > 0 && (taken = read_values(way, &event)) > 0
        && (taken = find_handler(way, &event)) > 0)
        taken = run(way, &event);
    Py_XDECREF(event.sid);
    Py_XDECREF(event.values);
    Py_XDECREF(event.handler);
    Py_XDECREF(event.times);
    Py_XDECREF(event.spare);
    Py_XDECREF(event.context);
    Py_XDECREF(event.work);
    Py_XDECREF(event.value);
    Py_XDECREF(event.error);
    Py_DECREF(event.lane);
    if (taken == 0)
        return PyObject_Vectorcall(way->general, args, 2, NULL);
    return taken < 0 ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Way, name), type}
    PART(lane, &PyType_Type), PART(client, &PyType_Type), PART(histogram, &PyType_Type), PART(spare, &PyType_Type),
    PART(general, NULL), PART(go_on, NULL), PART(decode, NULL), PART(list_of, NULL),
    PART(half_read, &PyDict_Type), PART(running, &PyDict_Type), PART(connected, NULL), PART(reserved, &PyFrozenSet_Type),
    PART(server, NULL), PART(entry, NULL), PART(times, &PyDict_Type), PART(stats, NULL), PART(spares, NULL),
    PART(loop, NULL), PART(enter, NULL), PART(leave, NULL), PART(weakrefs, NULL), PART(not_handled, NULL),
    PART(open, NULL), PART(bounds, &PyTuple_Type), PART(trigger_name, &PyUnicode_Type),
    PART(handlers_name, &PyUnicode_Type), {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Way, owner), name, offsetof(Way, field)}
    SLOT(lane, "state", state), SLOT(lane, "_reader", reader), SLOT(lane, "_busy", busy), SLOT(lane, "context", context),
    SLOT(lane, "main", main), SLOT(lane, "socket", socket), SLOT(lane, "_pending", pending),
    SLOT(lane, "_paused", paused), SLOT(lane, "_transport", transport), SLOT(client, "state", client_state),
    SLOT(client, "sid", sid), SLOT(histogram, "counts", counts), SLOT(histogram, "total", total),
    SLOT(stats, "events", events), SLOT(stats, "sent_bytes", sent), SLOT(stats, "received_bytes", received),
    SLOT(spares, "free", free), SLOT(spare, "touched", touched), {0},
};

/* Take the longest frame, and the bounds of histograms. */
static int fill(void *object, PyObject *given)
{
    Way *way = object;
    if (take_number(given, "longest", &way->longest) < 0)
        return -1;
    way->limits_size = PyTuple_GET_SIZE(way->bounds);
    if (way->limits_size > MOST_BOUNDS)
        PyErr_SetString(PyExc_ValueError, "too many bounds");
    for (Py_ssize_t i = 0; !PyErr_Occurred() && i < way->limits_size; i++)
        way->limits[i] = PyFloat_AsDouble(PyTuple_GET_ITEM(way->bounds, i));
    return PyErr_Occurred() ? -1 : 0;
}

static const Recipe RECIPE = {way_call, PARTS, SLOTS, fill};

static PyTypeObject WayType = {
    CALLABLE_TYPE(Way),
    .tp_name = "socketio_cluster.cluster.lane._short.Way",
    .tp_doc = "The method `data_received` of lanes whose events go the short way.",
    .tp_flags = CALLABLE | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_descr_get = as_method,
};

static struct PyModuleDef short_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_short",
    .m_doc = "The short way of an event on a lane, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {
    {&name_sid, "sid"}, {&name_write, "write"}, {&name_write_frame, "write_frame"}, {&name_replace, "replace"},
    {&name_slash, "/"}, {NULL},
};

PyMODINIT_FUNC PyInit__short(void)
{
    return make_module(&short_module, &WayType, NAMES);
}
