/* The header of an envelope, see `envelope.py`, and the sizes of ids, see `ids.py`. */

#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdint.h>

/* Where things are in it. */
#define ORIGIN 2
#define NUMBER 10
#define SENT 18

#define HEADER 26  /* bytes of all of it */
#define MAC 16     /* bytes behind it, if it is signed */

#define ORIGIN_SIZE 8
#define SID_SIZE 20

static inline uint64_t read_number(const unsigned char *from)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | from[i];
    return number;
}

static inline char *put_number(char *to, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (char)(number >> shift);
    return to;
}

#endif
