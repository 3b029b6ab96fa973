/* The clients: they connect, send, and take what arrives. A frame of a WebSocket is read here, an answer to a poll
 * in polling.c. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client *clients;
int made, ready, gone, acks, by_polling, node_count, nodes[MOST];
int64_t deliveries, last_delivery, echo_until;
char input[BUFFER + 4096];
void (*when_gone)(struct client *c);
static int epoll;
static char filler[129];

void begin_clients(int most) {
    clients = calloc(most, sizeof *clients);
    epoll = epoll_create1(0);
    memset(filler, 'x', 128);
}

/* out */

void send_text(struct client *c, const char *text) {
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78}; /* not 0: some servers then skip the work */
    unsigned char frame[4096];
    int size = strlen(text), at = 0;
    if (c->polling) return poll_text(c, text);
    frame[at++] = 0x81;
    if (size < 126) {
        frame[at++] = 0x80 | size;
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = size >> 8;
        frame[at++] = size & 0xff;
    }
    if (at + 4 + size > (int)sizeof frame) die("a message of %d bytes is too long", size);
    memcpy(frame + at, key, 4);
    at += 4;
    for (int i = 0; i < size; i++) frame[at++] = text[i] ^ key[i & 3];
    if (send(c->get.fd, frame, at, MSG_NOSIGNAL) != at) die("a node does not read: %s", strerror(errno));
}

/* Begin a connection; epoll gives the tag when it can be written to. Returns whether it was begun. */
int dial(struct connection *to, int i, int port, uint64_t tag) {
    struct sockaddr_in from = {.sin_family = AF_INET}, node = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = tag};
    int one = 1;
    if ((to->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0) die("socket: %s", strerror(errno));
    struct linger rude = {.l_onoff = 1, .l_linger = 0}; /* thousands of TIME_WAITs would use up the ports */
    setsockopt(to->fd, SOL_SOCKET, SO_LINGER, &rude, sizeof rude);
    setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(to->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / PER_ADDRESS);
    node.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    node.sin_port = htons(port);
    if (bind(to->fd, (void *)&from, sizeof from) < 0) die("bind: %s", strerror(errno));
    to->left = 0;
    if (connect(to->fd, (void *)&node, sizeof node) < 0 && errno != EINPROGRESS) return 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, to->fd, &event);
    return 1;
}

/* From now on epoll gives the tag when something arrives. */
void listen_to(struct connection *at, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    epoll_ctl(epoll, EPOLL_CTL_MOD, at->fd, &event);
}

void open_client(int i, int port) {
    clients[i].state = CONNECTING;
    if (!dial(&clients[i].get, i, port, i)) end_client(&clients[i]);
}

static void connected(int i) {
    /* Who has no recovery does not know the last parameter. */
    static const char request[] = "GET /socket.io/?EIO=4&transport=websocket&recovery=1 HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct client *c = &clients[i];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->get.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return end_client(c);
    listen_to(&c->get, i);
    if (by_polling) return poll_first(c);
    c->state = UPGRADING;
    if (send(c->get.fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) end_client(c);
}

void ask_echo(struct client *c) {
    char text[256];
    snprintf(text, sizeof text, "421[\"echo\",\"%s\"]", filler);
    c->asked_at = now_ns();
    send_text(c, text);
}

/* in */

static void delivered(const char *stamp, int64_t now) {
    int64_t sent = 0;
    for (int i = 0; i < 20; i++) sent = sent * 10 + (stamp[i] - '0');
    record(now - sent);
    deliveries++;
    last_delivery = now;
}

static void answered(struct client *c, int64_t now) {
    acks++;
    if (!echo_until) return;
    record(now - c->asked_at);
    if (now < echo_until) ask_echo(c);
}

void message(struct client *c, const char *text, int size, int64_t now) {
    if (size > 28 && !memcmp(text, "42[\"m\",\"", 8)) delivered(text + 8, now);
    else if (size > 2 && !memcmp(text, "43", 2)) answered(c, now);
    else if (size == 1 && *text == '2') send_text(c, "3");
    else if (size == 1 && *text == '6') return; /* a poll that ends with nothing */
    else if (size > 1 && *text == '0') send_text(c, "40");
    else if (size > 2 && !memcmp(text, "40{", 3)) c->state = READY, ready++;
    else die("a node says %.*s", size, text);
}

/* Handle the frames in the buffer; returns how many bytes are left over, or -1 at the end of the connection. */
static int frames(struct client *c, char *at, char *end) {
    int64_t now = now_ns();
    while (end - at >= 2) {
        unsigned char *head = (unsigned char *)at;
        int header = 2;
        int64_t size = head[1] & 0x7f;
        if (size == 126) {
            if (end - at < 4) break;
            size = head[2] << 8 | head[3], header = 4;
        } else if (size == 127) die("a frame of more than 65535 bytes");
        if (end - at < header + size) break;
        if (head[0] == 0x88) return -1;
        if (head[0] == 0x81) message(c, at + header, size, now);
        at += header + size;
    }
    return end - at;
}

void end_client(struct client *c) {
    close(c->get.fd);
    if (c->state == READY) ready--;
    c->state = GONE;
    gone++;
    if (when_gone) when_gone(c);
}

static void arrived(struct client *c, int got) {
    char *at = input, *end = input + c->get.left + got;
    if (c->state == UPGRADING) {
        char *body = strstr(input, "\r\n\r\n");
        if (body && strncmp(input, "HTTP/1.1 101", 12)) return end_client(c);
        if (body) at = body + 4, c->state = CONNECTING; /* now at the Socket.IO level */
    }
    int left = c->state == UPGRADING ? end - at : frames(c, at, end);
    if (left < 0) return end_client(c);
    if (left > 0) memcpy(c->get.rest = realloc(c->get.rest, left), end - left, left);
    c->get.left = left;
}

/* Put what has arrived behind what is left over into `input`; returns how much it is, 0 at the end, -1: nothing. */
static int take(struct connection *from) {
    if (from->left) memcpy(input, from->rest, from->left);
    int got = recv(from->fd, input + from->left, BUFFER - from->left, 0);
    if (got < 0) return errno == EAGAIN ? -1 : 0;
    input[from->left + got] = 0;
    return got;
}

static void handle(uint64_t tag, int writable) {
    struct client *c = &clients[tag & ~POSTS];
    int posts = (tag & POSTS) != 0;
    if (c->state == GONE) return;
    if (writable) return posts ? post_writable(c) : connected(tag);
    int got = take(posts ? &c->post : &c->get);
    if (got < 0) return;
    if (got == 0) return end_client(c);
    if (posts) post_arrived(c, got);
    else if (c->polling) poll_arrived(c, got);
    else arrived(c, got);
}

/* Handle what arrives within so many ms, or less. */
void pump(int milliseconds) {
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, milliseconds);
    for (int i = 0; i < count; i++) handle(events[i].data.u64, events[i].events & EPOLLOUT);
}

void settle(int milliseconds) {
    for (int64_t end = now_ns() + milliseconds * 1000000LL, left; (left = end - now_ns()) > 0;)
        pump(left / 1000000 + 1);
}

void wait_for(const int *what, int wanted, int seconds) {
    int64_t end = now_ns() + seconds * 1000000000LL;
    while (*what < wanted && now_ns() < end) pump(100);
    if (*what < wanted) die("only %d of %d came within %d s", *what, wanted, seconds);
}
