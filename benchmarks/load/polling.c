/* Clients that poll, as official ones do: one connection always has a GET under way, another one posts. */
#include "load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { WAITING = 4096 };
#define SEPARATOR '\x1e' /* between the packets of a body */

struct polling {
    char sid[64];
    int posting;          /* a POST is under way, or its connection is */
    int size;             /* of what waits for the next POST */
    char waiting[WAITING];
};

static void request(int fd, const char *method, const char *sid, const char *body, int size) {
    char text[WAITING + 512];
    int length = snprintf(text, sizeof text,
        "%s /socket.io/?EIO=4&transport=polling&recovery=1%s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        method, *sid ? "&sid=" : "", sid);
    if (body) length += snprintf(text + length, sizeof text - length,
        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%.*s", size, size, body);
    else length += snprintf(text + length, sizeof text - length, "\r\n");
    if (send(fd, text, length, MSG_NOSIGNAL) != length) die("a node does not read: %s", strerror(errno));
}

void poll_first(struct client *c) {
    c->polling = calloc(1, sizeof *c->polling);
    request(c->get.fd, "GET", "", NULL, 0);
}

static void post(struct client *c) {
    struct polling *p = c->polling;
    p->posting = 1;
    request(c->post.fd, "POST", p->sid, p->waiting, p->size);
    p->size = 0;
}

void poll_text(struct client *c, const char *text) {
    struct polling *p = c->polling;
    int size = strlen(text);
    if (p->size + 1 + size > WAITING) die("a client has more than %d bytes to post", WAITING);
    if (p->size) p->waiting[p->size++] = SEPARATOR;
    memcpy(p->waiting + p->size, text, size);
    p->size += size;
    if (!p->posting) post(c);
}

void post_writable(struct client *c) {
    listen_to(&c->post, (c - clients) | POSTS);
    post(c);
}

static const char *header(const char *name) {
    char line[64];
    snprintf(line, sizeof line, "\r\n%s:", name);
    const char *found = strcasestr(input, line);
    return found ? found + strlen(line) : NULL;
}

/* Put the chunks of a body one behind the other; returns its size, or -1 when the last one is not there. */
static int unchunk(char *body, char *end) {
    char *to = body, *from = body;
    for (;;) {
        char *line = memmem(from, end - from, "\r\n", 2);
        if (!line) return -1;
        int size = strtol(from, NULL, 16);
        if (line + 2 + size + 2 > end) return -1;
        if (!size) return to - body;
        memmove(to, line + 2, size);
        to += size;
        from = line + 2 + size + 2;
    }
}

/* Find the body of the answer in the buffer; returns its size, or -1 when it is not whole and what there is was kept. */
static int answer(struct connection *at, int got, char **body) {
    char *end = input + at->left + got, *head = strstr(input, "\r\n\r\n");
    int size = -1;
    if (head) {
        *body = head + 4;
        *head = 0;
        const char *length = header("content-length");
        int chunked = header("transfer-encoding") != NULL;
        *head = '\r';
        if (length && *body + atoi(length) <= end) size = atoi(length);
        else if (chunked) size = unchunk(*body, end);
    }
    if (size < 0) {
        int left = end - input;
        if (left >= BUFFER) die("an answer of more than %d bytes", BUFFER);
        at->rest = realloc(at->rest, left);
        memcpy(at->rest, input, left);
        at->left = left;
        return -1;
    }
    at->left = 0;
    if (strncmp(input, "HTTP/1.1 200", 12)) die("a node says %.300s", input);
    return size;
}

void post_arrived(struct client *c, int got) {
    char *body;
    if (answer(&c->post, got, &body) < 0) return;
    c->polling->posting = 0;
    if (c->polling->size) post(c);
}

/* The first answer has the sid; the connection that posts is made for it. */
static void opened(struct client *c, const char *body, int port) {
    const char *sid = strstr(body, "\"sid\":\"");
    if (!sid || sscanf(sid + 7, "%63[^\"]", c->polling->sid) != 1) die("a node says %.60s", body);
    c->polling->posting = 1;
    if (!dial(&c->post, c - clients, port, (c - clients) | POSTS)) die("connect: %s", strerror(errno));
}

void poll_arrived(struct client *c, int got) {
    char *body;
    int size = answer(&c->get, got, &body), i = c - clients;
    if (size < 0) return;
    int64_t now = now_ns();
    char *end = body + size;
    if (!*c->polling->sid) opened(c, body, nodes[i % node_count]);
    request(c->get.fd, "GET", c->polling->sid, NULL, 0);
    for (char *next; body < end; body = next + 1) {
        next = memchr(body, SEPARATOR, end - body);
        if (!next) next = end;
        message(c, body, next - body, now);
    }
}
