/* What the files of the load generator share. */
#define _GNU_SOURCE
#include <stdint.h>

enum { INFLIGHT = 128, PER_ADDRESS = 10000, BUFFER = 1 << 18, MOST = 64 };
enum state { CONNECTING, UPGRADING, READY, GONE };

/* One TCP connection, and what of a frame or an answer has arrived so far. */
struct connection {
    int fd;
    int left;
    char *rest;
};

struct client {
    struct connection get;  /* the WebSocket, or the one that polls */
    struct connection post; /* polling: the one that sends */
    enum state state;
    int64_t asked_at;       /* when it sent its event */
    struct polling *polling;
};

/* load.c */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
int64_t now_ns(void);
int numbers(const char *list, int *into);

/* client.c: clients, and what arrives for them */
extern struct client *clients;
extern int made, ready, gone, acks, by_polling, node_count, nodes[MOST];
extern int64_t deliveries, last_delivery, echo_until;
extern char input[];
void begin_clients(int most);
void open_client(int i, int port);
void send_text(struct client *c, const char *text);
void message(struct client *c, const char *text, int size, int64_t now);
void end_client(struct client *c);
void ask_echo(struct client *c);
int dial(struct connection *to, int i, int port, uint64_t tag);
void listen_to(struct connection *at, uint64_t tag);
extern void (*when_gone)(struct client *c);
void pump(int milliseconds);
void settle(int milliseconds);
void wait_for(const int *what, int wanted, int seconds);

/* polling.c */
enum { POSTS = 1 << 30 }; /* in a tag: the connection that posts */
void poll_first(struct client *c);
void poll_text(struct client *c, const char *text);
void poll_arrived(struct client *c, int got);
void post_writable(struct client *c);
void post_arrived(struct client *c, int got);

/* servers.c */
extern int pids[MOST], pid_count;
int64_t cpu_ns(int pid);
int64_t cpu_of_servers(void);
int64_t memory_of_servers(void);

/* figures.c */
extern struct window { int64_t began, cpu, own, seconds_ns, deliveries, expected, count; } window;
void record(int64_t nanoseconds);
double percentile_ms(double share);
void open_window(void);
void close_window(int64_t end);

/* phases.c */
void connect_clients(int count, int first, int last);
void ask_rooms(const char *event, const char *prefix, int total, int each, int share, int stride);
void begin_flood(const char *prefix, int total, int count, int rate, int emitters);
void flood(const char *prefix, int total, int count, int rate, int emitters);
void flood_flat_out(const char *prefix, int total, int most, double seconds, int emitters);
void echo(double seconds);

/* storm.c */
double storm(const char *prefix, int staying, double seconds, const char *victims);
