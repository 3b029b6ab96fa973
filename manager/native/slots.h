/* What the files in C share: they read objects of ours by the offsets of their slots. `parts.h` looks these up.

   A function that returns an int gives 1 for yes, 0 for no and -1 for a Python exception, unless it says otherwise. */

#ifndef SLOTS_H
#define SLOTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <time.h>

#ifdef Py_GIL_DISABLED
#error "these files rely on the GIL"
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define AT(object, offset) (*(PyObject **)((char *)(object) + (offset)))

/* Put a new reference into a slot. */
static inline void put(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    PyObject *former = AT(object, offset);
    AT(object, offset) = value;
    Py_XDECREF(former);
}

/* Add to an int in a slot. */
static inline int add(PyObject *object, Py_ssize_t offset, Py_ssize_t number)
{
    PyObject *former = AT(object, offset), *sum = NULL;
    Py_ssize_t value = former ? PyLong_AsSsize_t(former) : 0;
    if (value != -1 || !PyErr_Occurred())
        sum = PyLong_FromSsize_t(value + number);
    if (sum)
        put(object, offset, sum);
    return sum ? 1 : -1;
}

/* Add one to what a Counter has for a key. */
static inline int count(PyObject *counter, PyObject *key)
{
    PyObject *former = PyDict_GetItemWithError(counter, key), *sum = NULL;
    Py_ssize_t value = former ? PyLong_AsSsize_t(former) : 0;
    int counted = -1;
    if (!PyErr_Occurred() && (sum = PyLong_FromSsize_t(value + 1)) && PyDict_SetItem(counter, key, sum) == 0)
        counted = 1;
    Py_XDECREF(sum);
    return counted;
}

/* Take the exception that is set. */
static inline PyObject *raised(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

/* The clock of `time.monotonic`. On macOS another one goes on while the machine sleeps. */
#ifdef __APPLE__
#define CLOCK CLOCK_UPTIME_RAW
#else
#define CLOCK CLOCK_MONOTONIC
#endif

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Drop the result of a call. */
static inline int done(PyObject *result)
{
    Py_XDECREF(result);
    return result ? 1 : -1;
}

/* Whether this is a text of ASCII alone. */
static inline int is_ascii(PyObject *value)
{
    return PyUnicode_CheckExact(value) && PyUnicode_IS_COMPACT_ASCII(value);
}

/* Whether JSON has this text as it is, between quotes. */
static inline int is_plain(PyObject *value)
{
    const unsigned char *text;
    if (!is_ascii(value))
        return 0;
    text = PyUnicode_DATA(value);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(value); i++)
        if (text[i] < ' ' || text[i] == '"' || text[i] == '\\' || text[i] == 0x7F)
            return 0;
    return 1;
}

/* Give the exception that is set to a function, so that the next one has its turn. Not one that ends the program. */
static inline int tell(PyObject *failed)
{
    PyObject *error;
    int told;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    error = raised();
    told = done(PyObject_CallOneArg(failed, error));
    Py_DECREF(error);
    return told;
}

#endif
