/* The load generator: very many Socket.IO clients over WebSocket in one thread, one JSON line as the result.
 *
 * usage: load KEY=VALUE...
 *   nodes=PORT,...   where to connect, in turn (127.0.0.1)
 *   pids=PID,...     the processes whose CPU time and memory are reported
 *   clients=N        how many connections are measured
 *   warm=N           how many more are made before the clock starts, to warm the server up
 *   join=P,T,E,S     client i joins E of T rooms, P0...: room (i / S + j) % T for j < E
 *   flood=MAX,RATE,SECONDS,EMITTERS   let the first node emit at RATE/s (0: flat out) for about SECONDS, MAX
 *                    messages at most, by so many concurrent loops
 *   echo=SECONDS     every client asks, waits for the ack, and asks again
 *   settle=MS        how long to wait before memory is read
 *
 * "Flat out" is calibrated: longer and longer floods warm the server up, until one takes about SECONDS; only
 * the last one counts. Stamps are CLOCK_MONOTONIC in ns; the servers run on the same machine.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INFLIGHT = 128, PER_ADDRESS = 10000, BUFFER = 1 << 18, MOST = 64 };
enum { GRAIN_NS = 10000, GRAINS = 1000000 }; /* latencies by 10 us, up to 10 s */
enum state { CONNECTING, UPGRADING, READY, GONE };

struct client {
    int fd;
    enum state state;
    int left;         /* bytes of a frame that has not arrived whole */
    char *rest;
    int64_t asked_at; /* when it sent its event */
};

static struct client *clients;
static int epoll, made, ready, gone, acks;
static int nodes[MOST], node_count, pids[MOST], pid_count;
static int64_t deliveries, last_delivery, echo_until;
static uint32_t histogram[GRAINS];
static char input[BUFFER + 4096], filler[129];

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

/* out */

static void send_text(struct client *c, const char *text) {
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78}; /* not 0: some servers then skip the work */
    unsigned char frame[1024];
    int size = strlen(text), at = 0;
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
    if (send(c->fd, frame, at, MSG_NOSIGNAL) != at) die("a node does not read: %s", strerror(errno));
}

static void open_client(int i) {
    struct client *c = &clients[i];
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    int one = 1;
    if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0) die("socket: %s", strerror(errno));
    struct linger rude = {.l_onoff = 1, .l_linger = 0}; /* thousands of TIME_WAITs would use up the ports */
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rude, sizeof rude);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / PER_ADDRESS);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(nodes[i % node_count]);
    if (bind(c->fd, (void *)&from, sizeof from) < 0) die("bind: %s", strerror(errno));
    if (connect(c->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void upgrade(int i) {
    /* Who has no recovery does not know the last parameter. */
    static const char request[] = "GET /socket.io/?EIO=4&transport=websocket&recovery=1 HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct client *c = &clients[i];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) die("connect: %s", strerror(error));
    c->state = UPGRADING;
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    if (send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) die("send: %s", strerror(errno));
}

static void ask_echo(struct client *c) {
    char text[256];
    snprintf(text, sizeof text, "421[\"echo\",\"%s\"]", filler);
    c->asked_at = now_ns();
    send_text(c, text);
}

/* in */

static void record(int64_t nanoseconds) {
    int64_t grain = nanoseconds / GRAIN_NS;
    histogram[grain < 0 ? 0 : grain < GRAINS ? grain : GRAINS - 1]++;
}

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

static void message(struct client *c, const char *text, int size, int64_t now) {
    if (size > 28 && !memcmp(text, "42[\"m\",\"", 8)) delivered(text + 8, now);
    else if (size > 2 && !memcmp(text, "43", 2)) answered(c, now);
    else if (size == 1 && *text == '2') send_text(c, "3");
    else if (size > 1 && *text == '0') send_text(c, "40");
    else if (size > 2 && !memcmp(text, "40{", 3)) c->state = READY, ready++;
    else die("a node says %.*s", size, text);
}

/* Handle the frames in the buffer; returns how many bytes are left over. */
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

static void end_client(struct client *c) {
    close(c->fd);
    if (c->state == READY) ready--;
    c->state = GONE;
    gone++;
}

static void receive(struct client *c) {
    if (c->left) memcpy(input, c->rest, c->left);
    int got = recv(c->fd, input + c->left, BUFFER - c->left, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end_client(c);
    char *at = input, *end = input + c->left + got;
    *end = 0;
    if (c->state == UPGRADING) {
        char *body = strstr(input, "\r\n\r\n");
        if (body && strncmp(input, "HTTP/1.1 101", 12)) die("a node says %.60s", input);
        if (body) at = body + 4, c->state = CONNECTING; /* now at the Socket.IO level */
    }
    int left = c->state == UPGRADING ? end - at : frames(c, at, end);
    if (left < 0) return end_client(c);
    if (left > 0) memcpy(c->rest = realloc(c->rest, left), end - left, left);
    c->left = left;
}

/* Handle what arrives within so many ms, or less. */
static void pump(int milliseconds) {
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, milliseconds);
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[events[i].data.u32];
        if (c->state == GONE) continue;
        if (events[i].events & EPOLLOUT) upgrade(events[i].data.u32);
        else receive(c);
    }
}

static void settle(int milliseconds) {
    for (int64_t end = now_ns() + milliseconds * 1000000LL, left; (left = end - now_ns()) > 0;)
        pump(left / 1000000 + 1);
}

static void wait_for(const int *what, int wanted, int seconds) {
    int64_t end = now_ns() + seconds * 1000000000LL;
    while (*what < wanted && now_ns() < end) pump(100);
    if (*what < wanted) die("only %d of %d came within %d s", *what, wanted, seconds);
}

/* what the servers use */

static int64_t cpu_ns(int pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) die("process %d is gone", pid);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t cpu_of_servers(void) {
    int64_t sum = 0;
    for (int i = 0; i < pid_count; i++) sum += cpu_ns(pids[i]);
    return sum;
}

static int64_t memory_of_servers(void) {
    int64_t sum = 0;
    for (int i = 0; i < pid_count; i++) {
        char path[64];
        long pages = 0;
        snprintf(path, sizeof path, "/proc/%d/statm", pids[i]);
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d %ld", &pages) != 1) die("process %d is gone", pids[i]);
        fclose(file);
        sum += pages * sysconf(_SC_PAGESIZE);
    }
    return sum;
}

/* the phases */

static void connect_clients(int count) {
    int64_t deadline = now_ns() + (30 + count / 100) * 1000000000LL;
    for (int end = made + count; ready < end;) {
        while (made < end && made - ready < INFLIGHT) open_client(made++);
        pump(1000);
        if (gone) die("a node closed a new connection");
        if (now_ns() > deadline) die("only %d of %d clients could connect", ready, end);
    }
}

static int *members; /* by room */

static void join(const char *prefix, int total, int each, int share) {
    members = calloc(total, sizeof *members);
    acks = 0;
    for (int i = 0; i < made; i++) {
        char text[900];
        int at = snprintf(text, sizeof text, "421[\"join\",[");
        for (int j = 0; j < each; j++) {
            int room = (i / share + j) % total;
            members[room]++;
            at += snprintf(text + at, sizeof text - at, "%s\"%s%d\"", j ? "," : "", prefix, room);
        }
        snprintf(text + at, sizeof text - at, "]]");
        send_text(&clients[i], text);
        if (i - acks >= INFLIGHT) wait_for(&acks, i - INFLIGHT + 1, 30);
    }
    wait_for(&acks, made, 30);
}

static struct window { int64_t began, cpu, own, seconds_ns, deliveries, expected, count; } window;

static void open_window(void) {
    memset(histogram, 0, sizeof histogram);
    deliveries = acks = 0;
    window.cpu = cpu_of_servers();
    window.own = cpu_ns(getpid());
    window.began = last_delivery = now_ns();
}

static void close_window(int64_t end) {
    window.cpu = cpu_of_servers() - window.cpu;
    window.own = cpu_ns(getpid()) - window.own;
    window.seconds_ns = end - window.began;
}

/* Let the first node emit, and wait until all has arrived, or nothing comes any more for 5 s. */
static void flood(const char *prefix, int total, int count, int rate, int emitters) {
    char text[256];
    snprintf(text, sizeof text, "421[\"flood\",{\"prefix\":\"%s\",\"rooms\":%d,\"count\":%d,\"rate\":%d,"
             "\"emitters\":%d}]", prefix, total, count, rate, emitters);
    window.count = count, window.expected = 0;
    for (int i = 0; i < count; i++) window.expected += total ? members[i % total] : made;
    open_window();
    send_text(&clients[0], text);
    while (deliveries < window.expected && now_ns() - last_delivery < 5000000000LL) pump(100);
    window.deliveries = deliveries;
    wait_for(&acks, 1, 30);
    close_window(last_delivery);
}

static void flood_flat_out(const char *prefix, int total, int most, double seconds, int emitters) {
    for (int count = 16;;) {
        flood(prefix, total, count, 0, emitters);
        double took = window.seconds_ns / 1e9, grow = seconds / took;
        if (took > seconds * 0.6 || count == most) return;
        count *= grow < 1.5 ? 1.5 : grow > 4 ? 4 : grow;
        if (count > most) count = most;
        settle(200);
    }
}

static void echo(double seconds) {
    for (int round = 0; round < 2; round++) { /* the first one warms up */
        open_window();
        echo_until = window.began + (round ? seconds : seconds / 4) * 1e9;
        for (int i = 0; i < made; i++) ask_echo(&clients[i]);
        while (now_ns() < echo_until) pump(100);
        close_window(now_ns());
        window.count = window.deliveries = window.expected = acks;
        settle(500); /* the answers that are on their way */
    }
}

static double percentile_ms(double share) {
    int64_t total = 0, seen = 0;
    for (int i = 0; i < GRAINS; i++) total += histogram[i];
    for (int i = 0; i < GRAINS; i++)
        if ((seen += histogram[i]) >= share * total && total) return (i + 0.5) * GRAIN_NS / 1e6;
    return 0;
}

/* the command line */

static const char *option(char **arguments, const char *name, const char *otherwise) {
    size_t size = strlen(name);
    for (; *arguments; arguments++)
        if (!strncmp(*arguments, name, size) && (*arguments)[size] == '=') return *arguments + size + 1;
    return otherwise;
}

static int numbers(const char *list, int *into) {
    int count = 0;
    for (char *end; *list && count < MOST; list = *end ? end + 1 : end) into[count++] = strtol(list, &end, 10);
    return count;
}

int main(int argc, char **arguments) {
    (void)argc;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memset(filler, 'x', 128);
    epoll = epoll_create1(0);
    node_count = numbers(option(arguments, "nodes", ""), nodes);
    pid_count = numbers(option(arguments, "pids", ""), pids);
    int count = atoi(option(arguments, "clients", "1")), warm = atoi(option(arguments, "warm", "0"));
    int wait = atoi(option(arguments, "settle", "0"));
    clients = calloc(count + warm, sizeof *clients);

    connect_clients(warm);
    settle(wait);
    int64_t memory = memory_of_servers(), began = now_ns(), connecting = cpu_of_servers();
    connect_clients(count);
    int64_t connected = now_ns() - began;
    connecting = cpu_of_servers() - connecting;
    settle(wait);
    memory = memory_of_servers() - memory;

    char prefix[32] = "";
    int total = 0, each = 0, share = 1, most = 0, rate = 0, emitters = 1;
    double seconds = 0;
    if (sscanf(option(arguments, "join", ""), "%31[^,],%d,%d,%d", prefix, &total, &each, &share) == 4)
        join(prefix, total, each, share);
    settle(200);
    if (sscanf(option(arguments, "flood", ""), "%d,%d,%lf,%d", &most, &rate, &seconds, &emitters) == 4) {
        if (rate) flood(prefix, total, rate, rate, 1), flood(prefix, total, rate * seconds, rate, 1);
        else flood_flat_out(prefix, total, most, seconds, emitters);
    }
    if ((seconds = atof(option(arguments, "echo", "0"))) > 0) echo(seconds);

    printf("{\"clients\": %d, \"connect_s\": %.4f, \"connect_cpu_s\": %.4f, \"memory_bytes\": %ld, "
           "\"messages\": %ld, \"deliveries\": %ld, \"expected\": %ld, \"seconds\": %.4f, \"cpu_s\": %.6f, "
           "\"load_cpu_s\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"gone\": %d}\n",
           count, connected / 1e9, connecting / 1e9, (long)memory, (long)window.count, (long)window.deliveries,
           (long)window.expected, window.seconds_ns / 1e9, window.cpu / 1e9, window.own / 1e9,
           percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1), gone);
    return 0;
}
