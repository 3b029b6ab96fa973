/* Batches for the bus in C: from the backlog to the commands of Redis, and from its replies back to the backlog.

   A `Batching` stands in the place of `Batches._next`, with what `Sender.take`, `Outgoing.batch` and `RedisBroker.start`
   do, and a `Sent` in that of `Batches._finished`. That is for the usual case: no notice, answer or outage is in the
   way, the bus keeps nothing of the batch, and took all of it. It gives any other batch to `Batches._next`, before
   anything has happened, and any other replies to `unusual`. `short_batch.py` makes a `Batching` of the Python objects
   that it works with. */

#include "parts.h"

typedef struct {
    Callable base;
    /* what the constructor is given, see PARTS */
    PyObject *batches, *sender, *suspect, *outgoing, *backlog, *inbox, *replies, *entry, *head, *general, *ask_for,
        *took, *sent, *unusual, *end;
    Py_ssize_t most_entries, most_bytes;
    /* offsets, see SLOTS */
    Py_ssize_t direct, busy, more, under_way, began, through, until, notices, flowing, answering, marked, paced_until,
        told, noticed, unsent, sent_entries, offered, handed, reached, inbox_error, replies_error, number, channels,
        payload, recorded;
} Batching;

/* A batch on its way. */
typedef struct {
    Callable base;
    PyObject *batching, *broker;
    PyObject *entries;  /* a list */
    PyObject *told;     /* the number of all notices before it */
    PyObject *last;     /* the number of its last entry */
    Py_ssize_t commands;
    int whole;          /* whether nothing waited behind it */
} Sent;

static PyTypeObject SentType;
static PyObject *name_append, *name_popleft;

/* Whether the int in a slot is at least another one, and both are small. */
static int at_least(PyObject *value, PyObject *other)
{
    int over = 0, over_too = 0;
    long long first, second;
    if (!value || !other || !PyLong_CheckExact(value) || !PyLong_CheckExact(other))
        return 0;
    first = PyLong_AsLongLongAndOverflow(value, &over);
    second = PyLong_AsLongLongAndOverflow(other, &over_too);
    return !over && !over_too && first >= second;
}

/* Whether a batch may have several entries, as none is suspected to end the connection. As `Suspect.most`. */
static int may_be_large(Batching *way)
{
    PyObject *until = AT(way->suspect, way->until);
    return until && PyLong_CheckExact(until) && PyObject_Not(until);
}

/* Whether the stream flows, and nothing but it waits. */
static int is_usual(Batching *way)
{
    if (AT(way->outgoing, way->flowing) != Py_True || AT(way->outgoing, way->marked) != Py_False
        || !at_least(AT(way->backlog, way->reached), AT(way->outgoing, way->paced_until)))
        return 0;
    if (!may_be_large(way) || AT(way->outgoing, way->answering) != Py_False
        || AT(way->inbox, way->inbox_error) != Py_None || AT(way->replies, way->replies_error) != Py_None)
        return 0;
    return PyObject_Size(AT(way->outgoing, way->notices)) == 0;
}

static Py_ssize_t digits(Py_ssize_t number)
{
    Py_ssize_t count = 1;
    while (number /= 10)
        count++;
    return count;
}

/* Write `$<size>\r\n<bytes>\r\n`. */
static char *put_word(char *to, const char *bytes, Py_ssize_t size)
{
    Py_ssize_t count = digits(size), rest = size;
    *to = '$';
    for (Py_ssize_t i = count; i > 0; i--, rest /= 10)
        to[i] = (char)('0' + rest % 10);
    to += 1 + count;
    memcpy(to, "\r\n", 2);
    memcpy(to + 2, bytes, size);
    memcpy(to + 2 + size, "\r\n", 2);
    return to + 2 + size + 2;
}

static Py_ssize_t word_size(Py_ssize_t size)
{
    return 1 + digits(size) + 2 + size + 2;
}

/* Whether an entry is one that the bus does not keep, with channels that are texts of ASCII. */
static int is_plain_entry(Batching *way, PyObject *entry)
{
    PyObject *channels, *payload, *recorded;
    if (!Py_IS_TYPE(entry, (PyTypeObject *)way->entry))
        return 0;
    channels = AT(entry, way->channels), payload = AT(entry, way->payload), recorded = AT(entry, way->recorded);
    if (!channels || !PyTuple_CheckExact(channels) || !payload || !PyBytes_CheckExact(payload) || !recorded
        || !PyTuple_CheckExact(recorded) || PyTuple_GET_SIZE(recorded))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(channels); i++)
        if (!is_ascii(PyTuple_GET_ITEM(channels, i)))
            return 0;
    return PyTuple_GET_SIZE(channels) > 0;
}

/* Gather the next entries. As `Backlog.batch`, but for what it notes. */
static int gather(Batching *way, PyObject *entries)
{
    PyObject *waiting = PyObject_GetIter(AT(way->backlog, way->unsent)), *entry = NULL;
    Py_ssize_t bytes = 0;
    int usual = waiting ? 1 : -1;
    while (usual > 0 && PyList_GET_SIZE(entries) < way->most_entries && (entry = PyIter_Next(waiting))) {
        usual = is_plain_entry(way, entry);
        if (usual) {
            bytes += PyBytes_GET_SIZE(AT(entry, way->payload));
            if (bytes > way->most_bytes && PyList_GET_SIZE(entries)) {
                Py_DECREF(entry);
                break;
            }
            usual = PyList_Append(entries, entry) < 0 ? -1 : 1;
        }
        Py_DECREF(entry);
    }
    Py_XDECREF(waiting);
    return PyErr_Occurred() ? -1 : usual;
}

/* Return the commands that publish entries, and count them. As `publish_commands`. */
static PyObject *commands_of(Batching *way, PyObject *entries, Py_ssize_t *count)
{
    Py_ssize_t size = 0, head = PyBytes_GET_SIZE(way->head);
    PyObject *commands;
    char *to;
    *count = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(entries); i++) {
        PyObject *entry = PyList_GET_ITEM(entries, i), *channels = AT(entry, way->channels);
        for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(channels); j++, ++*count)
            size += head + word_size(PyUnicode_GET_LENGTH(PyTuple_GET_ITEM(channels, j)))
                + word_size(PyBytes_GET_SIZE(AT(entry, way->payload)));
    }
    if (!(commands = PyBytes_FromStringAndSize(NULL, size)))
        return NULL;
    to = PyBytes_AS_STRING(commands);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(entries); i++) {
        PyObject *entry = PyList_GET_ITEM(entries, i), *channels = AT(entry, way->channels);
        PyObject *payload = AT(entry, way->payload);
        for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(channels); j++) {
            PyObject *channel = PyTuple_GET_ITEM(channels, j);
            memcpy(to, PyBytes_AS_STRING(way->head), head);
            to = put_word(to + head, PyUnicode_DATA(channel), PyUnicode_GET_LENGTH(channel));
            to = put_word(to, PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload));
        }
    }
    return commands;
}

/* Put an int into a slot, unless the one there is larger. */
static void raise_to(PyObject *object, Py_ssize_t offset, PyObject *number)
{
    if (!at_least(AT(object, offset), number))
        put(object, offset, Py_NewRef(number));
}

static PyObject *sent_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names);

/* Note that a batch is on its way, and write it. As the ends of `Backlog.batch`, `Sender.take` and `RedisBroker.start`.
   `is_usual` has seen that the connection has not ended, so `ask_for` raises no `BrokerError`. */
static int send(Batching *way, PyObject *broker, PyObject *entries, int whole)
{
    PyObject *last = PyList_GET_ITEM(entries, PyList_GET_SIZE(entries) - 1), *commands, *count, *began, *asked = NULL;
    Sent *sent = PyObject_GC_New(Sent, &SentType);
    if (!sent)
        return -1;
    sent->base.call = sent_call;
    sent->batching = Py_NewRef((PyObject *)way);
    sent->broker = Py_NewRef(broker);
    sent->entries = Py_NewRef(entries);
    sent->told = Py_NewRef(AT(way->outgoing, way->noticed));
    sent->last = Py_NewRef(AT(last, way->number));
    sent->whole = whole;
    PyObject_GC_Track(sent);
    commands = commands_of(way, entries, &sent->commands);
    count = PyLong_FromSsize_t(sent->commands);
    began = PyFloat_FromDouble(now());
    if (commands && count && began) {
        raise_to(way->backlog, way->offered, sent->last);
        raise_to(way->backlog, way->handed, sent->last);
        put(way->sender, way->under_way, Py_NewRef(entries));
        put(way->sender, way->began, Py_NewRef(began));
        put(way->batches, way->more, Py_NewRef(Py_False));
        PyObject *values[] = {commands, count, (PyObject *)sent};
        asked = PyObject_Vectorcall(way->ask_for, values, 3, NULL);
    }
    Py_XDECREF(commands);
    Py_XDECREF(count);
    Py_XDECREF(began);
    Py_DECREF(sent);
    return done(asked);
}

/* Start the next batch, if something waits; no if it is for `Batches._next`. */
static int next_batch(Batching *way, PyObject *broker)
{
    PyObject *entries;
    Py_ssize_t waiting = PyObject_Size(AT(way->backlog, way->unsent));
    int usual;
    if (broker != AT(way->batches, way->direct) || !is_usual(way))
        return PyErr_Occurred() ? -1 : 0;
    if (!(entries = PyList_New(0)))
        return -1;
    usual = gather(way, entries);
    if (usual > 0 && PyList_GET_SIZE(entries))
        usual = send(way, broker, entries, PyList_GET_SIZE(entries) == waiting);
    else if (usual > 0) {
        put(way->sender, way->under_way, Py_NewRef(entries));
        put(way->batches, way->more, Py_NewRef(Py_False));
        put(way->batches, way->busy, Py_NewRef(Py_False));
    }
    Py_DECREF(entries);
    return usual;
}

/* Do as `Batches._next`. */
static int turn(Batching *way, PyObject *broker)
{
    int usual = next_batch(way, broker);
    if (usual < 0)
        return tell(way->end);  /* as its `except` */
    return usual ? 1 : done(PyObject_CallOneArg(way->general, broker));
}

static PyObject *batching_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names)
{
    if (PyVectorcall_NARGS(nargs) != 1 || names)
        return PyErr_Format(PyExc_TypeError, "a Batching takes a broker");
    return turn((Batching *)self, args[0]) < 0 ? NULL : Py_NewRef(Py_None);
}

/* Whether the bus has taken every command. */
static int is_taken(Sent *sent, PyObject *replies)
{
    if (!PyList_CheckExact(replies) || PyList_GET_SIZE(replies) != sent->commands)
        return 0;
    for (Py_ssize_t i = 0; i < sent->commands; i++)
        if (!PyLong_CheckExact(PyList_GET_ITEM(replies, i)))
            return 0;
    return 1;
}

/* Move what was sent to the entries that the bus has. As `Backlog.sent`. */
static int move(Batching *way, PyObject *last)
{
    PyObject *unsent = AT(way->backlog, way->unsent), *kept = AT(way->backlog, way->sent_entries), *entry;
    int moved = 1;
    put(way->backlog, way->reached, Py_NewRef(last));
    while (moved > 0 && PyObject_Size(unsent) > 0) {
        if (!(entry = PySequence_GetItem(unsent, 0)))
            return -1;
        moved = Py_IS_TYPE(entry, (PyTypeObject *)way->entry) && at_least(last, AT(entry, way->number));
        Py_DECREF(entry);
        if (!moved)
            break;
        if (!(entry = PyObject_CallMethodNoArgs(unsent, name_popleft)))
            return -1;
        moved = done(PyObject_CallMethodOneArg(kept, name_append, entry));
        Py_DECREF(entry);
    }
    return moved < 0 || PyErr_Occurred() ? -1 : 1;
}

/* Note how long the way to the bus and back took. As the middle of `Outgoing.sent`. */
static int measure(Batching *way, Sent *sent)
{
    PyObject *count, *began, *ended;
    int noted = -1;
    if (!at_least(AT(way->backlog, way->reached), AT(way->outgoing, way->paced_until)))
        return 1;
    count = PyLong_FromSsize_t(PyList_GET_SIZE(sent->entries));
    began = Py_XNewRef(AT(way->sender, way->began));
    ended = PyFloat_FromDouble(now());
    if (count && began && ended) {
        PyObject *values[] = {count, began, ended};
        noted = done(PyObject_Vectorcall(way->took, values, 3, NULL));
    }
    Py_XDECREF(count);
    Py_XDECREF(began);
    Py_XDECREF(ended);
    return noted;
}

/* Note that the bus has a batch. As `Sender.finish`. */
static int finish(Batching *way, Sent *sent)
{
    PyObject *nothing = PyList_New(0);
    if (!nothing)
        return -1;
    put(way->sender, way->under_way, nothing);
    if (move(way, sent->last) < 0 || measure(way, sent) < 0)
        return -1;
    put(way->outgoing, way->told, Py_NewRef(sent->told));
    put(way->sender, way->through, Py_NewRef(Py_True));
    return 1;
}

/* Take the replies to a batch. As `RedisBroker.start` lets `Batches._finished` do. */
static PyObject *sent_call(PyObject *self, PyObject *const *args, size_t nargs, PyObject *names)
{
    Sent *sent = (Sent *)self;
    Batching *way = (Batching *)sent->batching;
    int finished;
    if (PyVectorcall_NARGS(nargs) != 1 || names)
        return PyErr_Format(PyExc_TypeError, "a Sent takes replies");
    if (sent->broker != AT(way->batches, way->direct) || !is_taken(sent, args[0])) {
        PyObject *values[] = {sent->broker, args[0], sent->entries, sent->told, sent->whole ? Py_True : Py_False};
        return PyObject_Vectorcall(way->unusual, values, 5, NULL);
    }
    finished = finish(way, sent);
    if (finished < 0)
        finished = tell(way->end);
    else if ((finished = done(PyObject_CallNoArgs(way->sent))) > 0) {
        if (AT(way->batches, way->more) == Py_True || !sent->whole)
            finished = turn(way, sent->broker);
        else
            put(way->batches, way->busy, Py_NewRef(Py_False));
    }
    return finished < 0 ? NULL : Py_NewRef(Py_None);
}

static const Part PARTS[] = {
#define PART(name, type) {#name, offsetof(Batching, name), type}
    PART(batches, NULL), PART(sender, NULL), PART(suspect, NULL), PART(outgoing, NULL), PART(backlog, NULL),
    PART(inbox, NULL), PART(replies, NULL), PART(entry, &PyType_Type), PART(head, &PyBytes_Type),
    PART(general, NULL), PART(ask_for, NULL), PART(took, NULL), PART(sent, NULL), PART(unusual, NULL), PART(end, NULL),
    {NULL},
};

static const Slot SLOTS[] = {
#define SLOT(owner, name, field) {offsetof(Batching, owner), name, offsetof(Batching, field)}
    SLOT(batches, "_direct", direct), SLOT(batches, "_busy", busy), SLOT(batches, "_more", more),
    SLOT(sender, "_under_way", under_way), SLOT(sender, "_began", began), SLOT(sender, "_through", through),
    SLOT(suspect, "_until", until),
    SLOT(outgoing, "_notices", notices), SLOT(outgoing, "_flowing", flowing), SLOT(outgoing, "_answering", answering),
    SLOT(outgoing, "marked", marked),
    SLOT(outgoing, "_paced_until", paced_until), SLOT(outgoing, "told", told), SLOT(outgoing, "noticed", noticed),
    SLOT(backlog, "_unsent", unsent), SLOT(backlog, "_sent", sent_entries), SLOT(backlog, "_offered", offered),
    SLOT(backlog, "handed", handed), SLOT(backlog, "reached", reached), SLOT(inbox, "error", inbox_error),
    SLOT(replies, "_error", replies_error), SLOT(entry, "number", number), SLOT(entry, "channels", channels),
    SLOT(entry, "payload", payload), SLOT(entry, "recorded", recorded), {0},
};

/* Take the limits. */
static int fill(void *object, PyObject *given)
{
    Batching *way = object;
    return take_number(given, "most_entries", &way->most_entries) < 0 ? -1
        : take_number(given, "most_bytes", &way->most_bytes);
}

static const Recipe RECIPE = {batching_call, PARTS, SLOTS, fill, NULL};

static int sent_traverse(PyObject *self, visitproc visit, void *arg)
{
    Sent *sent = (Sent *)self;
    Py_VISIT(sent->batching);
    Py_VISIT(sent->broker);
    Py_VISIT(sent->entries);
    return 0;
}

static void sent_dealloc(PyObject *self)
{
    Sent *sent = (Sent *)self;
    PyObject_GC_UnTrack(self);
    Py_DECREF(sent->batching);
    Py_DECREF(sent->broker);
    Py_DECREF(sent->entries);
    Py_DECREF(sent->told);
    Py_DECREF(sent->last);
    PyObject_GC_Del(self);
}

static PyTypeObject BatchingType = {
    CALLABLE_TYPE(Batching),
    .tp_name = "socketio_cluster.manager.native._batch.Batching",
    .tp_doc = "Starts the next batch of a broker, in the place of `Batches._next`.",
    .tp_flags = CALLABLE,
};

static PyTypeObject SentType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "socketio_cluster.manager.native._batch.Sent",
    .tp_doc = "A batch that is on its way. It is called with the replies.",
    .tp_basicsize = sizeof(Sent),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = sent_traverse,
    .tp_dealloc = sent_dealloc,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Callable, call),
};

static struct PyModuleDef batch_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_batch",
    .m_doc = "Batches for the bus, in C.",
    .m_size = -1,
};

static const Name NAMES[] = {{&name_append, "append"}, {&name_popleft, "popleft"}, {NULL}};

PyMODINIT_FUNC PyInit__batch(void)
{
    return PyType_Ready(&SentType) < 0 ? NULL : make_module(&batch_module, &BatchingType, NAMES);
}
