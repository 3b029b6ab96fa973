/* A frame of a lane: a text for a client, whole and without a mask. As `frame` in `frames.py`. */

#ifndef FRAME_H
#define FRAME_H

#include <Python.h>
#include <stdint.h>

/* Make new bytes for a frame with so many bytes of payload, and return where these begin; NULL for an exception. */
static inline char *begin_frame(PyObject **frame, Py_ssize_t size)
{
    char *to;
    if (!(*frame = PyBytes_FromStringAndSize(NULL, size + (size < 126 ? 2 : size < 65536 ? 4 : 10))))
        return NULL;
    to = PyBytes_AS_STRING(*frame);
    *to++ = (char)0x81;
    *to++ = (char)(size < 126 ? size : size < 65536 ? 126 : 127);
    for (int shift = size < 126 ? -8 : size < 65536 ? 8 : 56; shift >= 0; shift -= 8)
        *to++ = (char)((uint64_t)size >> shift);
    return to;
}

#endif
