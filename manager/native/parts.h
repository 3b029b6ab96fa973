/* What a file in C makes: a type, and the module that has it. Its objects are called as functions, or as methods.

   An object is made with *parts*, the Python objects that it works with, and knows the offsets of their slots. A file
   fills in RECIPE, begins its type with CALLABLE_TYPE, and returns `make_module` when it is imported. Tables end with
   an entry without a name. */

#ifndef PARTS_H
#define PARTS_H

#include "slots.h"

#include <stddef.h>
#include <structmember.h>

/* One of the objects that a constructor is given, and where the new object keeps it. */
typedef struct {
    const char *name;
    size_t at;
    PyTypeObject *type;  /* which it must have, if any */
} Part;

/* A slot of a part, which is a class or an object of it, and where the new object keeps the offset. */
typedef struct {
    size_t owner;
    const char *name;
    size_t at;
} Slot;

/* Take the parts that a constructor is given; 0, or -1 for an exception. */
static inline int take_parts(void *object, PyObject *given, const Part *parts)
{
    for (; parts->name; parts++) {
        PyObject *part = PyDict_GetItemString(given, parts->name);
        if (!part || (parts->type && !PyObject_TypeCheck(part, parts->type))) {
            PyErr_Format(PyExc_TypeError, "%s is missing or of another type", parts->name);
            return -1;
        }
        AT(object, parts->at) = Py_NewRef(part);
    }
    return 0;
}

/* Return the offset of a slot; -1 for an exception. */
static inline Py_ssize_t slot_of(PyObject *owner, const char *name)
{
    PyTypeObject *type = PyType_Check(owner) ? (PyTypeObject *)owner : Py_TYPE(owner);
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    Py_ssize_t offset = -1;
    if (found && Py_IS_TYPE(found, &PyMemberDescr_Type) && PyType_IsSubtype(type, PyDescr_TYPE(found))
        && ((PyMemberDescrObject *)found)->d_member->type == T_OBJECT_EX)
        offset = ((PyMemberDescrObject *)found)->d_member->offset;
    else if (found)
        PyErr_Format(PyExc_TypeError, "%s of %s is no slot", name, type->tp_name);
    Py_XDECREF(found);
    return offset;
}

/* Look up the offsets; 0, or -1 for an exception. */
static inline int find_slots(void *object, const Slot *slots)
{
    for (; slots->name; slots++) {
        Py_ssize_t offset = slot_of(AT(object, slots->owner), slots->name);
        if (offset < 0)
            return -1;
        *(Py_ssize_t *)((char *)object + slots->at) = offset;
    }
    return 0;
}

/* Take a number that a constructor is given, or the largest one for one that is larger; 0, or -1 for an exception. */
static inline int take_number(PyObject *given, const char *name, Py_ssize_t *to)
{
    PyObject *number = PyDict_GetItemString(given, name);
    if (number)
        *to = PyNumber_AsSsize_t(number, NULL);
    else
        PyErr_Format(PyExc_TypeError, "%s is missing", name);
    return PyErr_Occurred() ? -1 : 0;
}

/* What each object begins with. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
} Callable;

/* How the objects of a file are made. */
typedef struct {
    vectorcallfunc call;
    const Part *parts;
    const Slot *slots;
    int (*fill)(void *object, PyObject *given);  /* takes the rest, if there is some; 0, or -1 for an exception */
    const Part *more_parts;                      /* that `fill` takes for some objects */
} Recipe;

static const Recipe RECIPE;  /* each file has one */

static inline PyObject *make(PyTypeObject *type, PyObject *args, PyObject *given)
{
    PyObject *object;
    if (PyTuple_GET_SIZE(args) || !given)
        return PyErr_Format(PyExc_TypeError, "%s takes keywords", type->tp_name);
    if (!(object = type->tp_alloc(type, 0)))
        return NULL;
    ((Callable *)object)->call = RECIPE.call;
    if (take_parts(object, given, RECIPE.parts) < 0 || find_slots(object, RECIPE.slots) < 0
        || (RECIPE.fill && RECIPE.fill(object, given) < 0))
        Py_CLEAR(object);
    return object;
}

static inline int visit_parts(PyObject *object, const Part *parts, visitproc visit, void *arg)
{
    for (; parts && parts->name; parts++)
        Py_VISIT(AT(object, parts->at));
    return 0;
}

/* There is no tp_clear: who has the object drops it. */
static inline int traverse(PyObject *object, visitproc visit, void *arg)
{
    int visited = visit_parts(object, RECIPE.parts, visit, arg);
    return visited ? visited : visit_parts(object, RECIPE.more_parts, visit, arg);
}

static inline void drop_parts(PyObject *object, const Part *parts)
{
    for (; parts && parts->name; parts++)
        Py_XDECREF(AT(object, parts->at));
}

static inline void dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    drop_parts(object, RECIPE.parts);
    drop_parts(object, RECIPE.more_parts);
    Py_TYPE(object)->tp_free(object);
}

/* Bind it to an object, as a method is that stands in a class. */
static inline PyObject *as_method(PyObject *object, PyObject *to, PyObject *type)
{
    return to && to != Py_None ? PyMethod_New(object, to) : Py_NewRef(object);
}

#define CALLABLE_TYPE(Object) \
    PyVarObject_HEAD_INIT(NULL, 0) \
    .tp_basicsize = sizeof(Object), .tp_new = make, .tp_traverse = traverse, .tp_dealloc = dealloc, \
    .tp_call = PyVectorcall_Call, .tp_vectorcall_offset = offsetof(Callable, call)

#define CALLABLE (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL)

/* A text that a file needs as an object. */
typedef struct {
    PyObject **to;
    const char *name;
} Name;

/* Return a new module with a type, after making the texts. */
static inline PyObject *make_module(struct PyModuleDef *definition, PyTypeObject *type, const Name *names)
{
    PyObject *module;
    for (; names->name; names++)
        if (!(*names->to = PyUnicode_InternFromString(names->name)))
            return NULL;
    if ((module = PyModule_Create(definition)) && PyModule_AddType(module, type) < 0)
        Py_CLEAR(module);
    return module;
}

#endif
