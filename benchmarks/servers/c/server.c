/* The reference: how fast is a server that does nothing but one write() per client and message?
 *
 * usage: server PORT REDIS_PORT. One thread, one epoll, just enough of Engine.IO and Socket.IO for the benchmark:
 * WebSocket only, one namespace, everybody in one room. It trusts its clients, and while it emits it reads nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 65536, PAYLOAD = 128, BUFFER = 1 << 20 };
static char is_open[MOST]; /* by file descriptor: 1 once it has upgraded */
static int highest, epoll, bus_in, bus_out;
static char bus[BUFFER + 1];
static int bus_left;
static char me[16];

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Sockets block when they are written to: a client that does not read holds up all others. */
static void write_all(int fd, const char *data, int size) {
    for (int done; size > 0; data += done, size -= done)
        if ((done = send(fd, data, size, MSG_NOSIGNAL)) <= 0) return;
}

static int frame(char *into, const char *text, int size) {
    int at = 0;
    into[at++] = (char)0x81;
    if (size >= 126) into[at++] = 126, into[at++] = size >> 8;
    into[at++] = size & 0xff;
    memcpy(into + at, text, size);
    return at + size;
}

static void send_text(int fd, const char *text) {
    char wire[2048];
    write_all(fd, wire, frame(wire, text, strlen(text)));
}

static void deliver(const char *wire, int size) {
    for (int fd = 0; fd <= highest; fd++)
        if (is_open[fd]) write_all(fd, wire, size);
}

/* the bus: PUBLISH fan "PORT frame" */

static int dial(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (void *)&to, sizeof to)) perror("redis"), exit(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void publish(const char *wire, int size) {
    char command[1024];
    int tag = strlen(me);
    int at = sprintf(command, "*3\r\n$7\r\nPUBLISH\r\n$3\r\nfan\r\n$%d\r\n%s", tag + size, me);
    memcpy(command + at, wire, size);
    memcpy(command + at + size, "\r\n", 2);
    write_all(bus_out, command, at + size + 2);
}

static void read_bus(void) {
    static const char head[] = "*3\r\n$7\r\nmessage\r\n$3\r\nfan\r\n$";
    int got = recv(bus_in, bus + bus_left, BUFFER - bus_left, 0);
    if (got <= 0) exit(1);
    char *at = bus, *end = bus + bus_left + got, *body;
    *end = 0;
    while (end - at > 40) {
        if (memcmp(at, head, sizeof head - 1)) { /* the answer to SUBSCRIBE */
            at = strstr(at, ":1\r\n") + 4;
            continue;
        }
        int size = strtol(at + sizeof head - 1, &body, 10), tag = strlen(me);
        body += 2;
        if (end - body < size + 2) break;
        if (memcmp(body, me, tag)) deliver(body + tag, size - tag);
        at = body + size + 2;
    }
    memmove(bus, at, bus_left = end - at);
}

/* clients */

static int64_t field(const char *text, const char *name) {
    const char *found = strstr(text, name);
    return found ? strtoll(found + strlen(name), NULL, 10) : 0;
}

static void flood(const char *order) {
    int64_t count = field(order, "\"count\":"), rate = field(order, "\"rate\":"), began = now_ns();
    char text[PAYLOAD + 64], wire[PAYLOAD + 64], replies[4096];
    memset(text, 'x', sizeof text);
    memcpy(text, "42[\"m\",\"", 8);
    memcpy(text + 8 + PAYLOAD, "\"]", 2);
    for (int64_t number = 0; number < count; number++) {
        char digits[21];
        sprintf(digits, "%020lld", (long long)now_ns());
        memcpy(text + 8, digits, 20);
        int size = frame(wire, text, PAYLOAD + 10);
        publish(wire, size);
        deliver(wire, size);
        while (recv(bus_out, replies, sizeof replies, MSG_DONTWAIT) > 0) continue;
        int64_t pause = rate ? began + (number + 1) * 1000000000LL / rate - now_ns() : 0;
        if (pause > 0) usleep(pause / 1000);
    }
}

static void message(int fd, const char *text) {
    char answer[256];
    if (!strcmp(text, "40")) return snprintf(answer, sizeof answer, "40{\"sid\":\"%d\"}", fd), send_text(fd, answer);
    if (strncmp(text, "42", 2)) return;
    if (strstr(text, "\"flood\"")) flood(text);
    snprintf(answer, sizeof answer, "43%ld[\"ok\"]", strtol(text + 2, NULL, 10));
    send_text(fd, answer);
}

static void read_frames(int fd, unsigned char *at, unsigned char *end) {
    char text[2048];
    while (end - at >= 6) {
        int header = 2, size = at[1] & 0x7f;
        if (size == 126) size = at[2] << 8 | at[3], header = 4;
        unsigned char *key = at + header, *body = key + 4;
        if (body + size > end || size >= (int)sizeof text) return;
        for (int i = 0; i < size; i++) text[i] = body[i] ^ key[i & 3];
        text[size] = 0;
        message(fd, text);
        at = body + size;
    }
}

static void upgrade(int fd) {
    /* The one Sec-WebSocket-Key that the load generator uses has this answer (RFC 6455, 1.3). */
    static const char accept[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    write_all(fd, accept, sizeof accept - 1);
    send_text(fd, "0{\"sid\":\"s\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
    is_open[fd] = 1;
    if (fd > highest) highest = fd;
}

static void read_client(int fd) {
    static unsigned char input[BUFFER];
    int got = recv(fd, input, sizeof input, MSG_DONTWAIT);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) return;
        is_open[fd] = 0;
        close(fd);
    } else if (is_open[fd]) read_frames(fd, input, input + got);
    else upgrade(fd);
}

int main(int argc, char **arguments) {
    if (argc != 3) return fprintf(stderr, "usage: server PORT REDIS_PORT\n"), 2;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    epoll = epoll_create1(0);
    sprintf(me, "%s ", arguments[1]);
    bus_in = dial(atoi(arguments[2])), bus_out = dial(atoi(arguments[2]));
    static const char subscribe[] = "*2\r\n$9\r\nSUBSCRIBE\r\n$3\r\nfan\r\n";
    write_all(bus_in, subscribe, sizeof subscribe - 1);
    if (bind(listener, (void *)&here, sizeof here) || listen(listener, 4096)) return perror("listen"), 1;
    watch(listener), watch(bus_in);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == bus_in) read_bus();
            else if (fd != listener) read_client(fd);
            else if ((fd = accept(listener, NULL, NULL)) >= 0 && fd < MOST) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(fd);
            }
        }
    }
}
