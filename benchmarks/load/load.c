/* The load generator: very many Socket.IO clients in one thread, one JSON line as the result.
 *
 * usage: load KEY=VALUE...
 *   nodes=PORT,...   where to connect, in turn (127.0.0.1)
 *   pids=PID,...     the processes whose CPU time and memory are reported
 *   polling=1        the clients poll; else they have WebSockets
 *   clients=N        how many connections are measured
 *   warm=N           how many more are made before the clock starts, to warm the server up
 *   join=P,T,E,S     client i joins E of T rooms, P0...: room (i / S * stride + j) % T for j < E
 *   stride=N         how far the first rooms of two clients are apart (1)
 *   leave=1          at the end every client leaves its rooms
 *   flood=MAX,RATE,SECONDS,EMITTERS   let the first node emit at RATE/s (0: flat out) for about SECONDS, MAX
 *                    messages at most, by so many concurrent loops
 *   echo=SECONDS     every client asks, waits for the ack, and asks again
 *   settle=MS        how long to wait before memory is read
 *   storm=SECONDS    kill the last node, whose clients come back to the others; `warm` clients stay on those, are
 *                    in the rooms of join, and hear 50 messages a second for so long
 *   victims=PID,...  the processes of the last node
 *
 * "Flat out" is calibrated: longer and longer floods warm the server up, until one takes about SECONDS; only
 * the last one counts. Stamps are CLOCK_MONOTONIC in ns; the servers run on the same machine.
 */
#include "load.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static char **given;

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static const char *option(const char *name, const char *otherwise) {
    size_t size = strlen(name);
    for (char **at = given; *at; at++)
        if (!strncmp(*at, name, size) && (*at)[size] == '=') return *at + size + 1;
    return otherwise;
}

int numbers(const char *list, int *into) {
    int count = 0;
    for (char *end; *list && count < MOST; list = *end ? end + 1 : end) into[count++] = strtol(list, &end, 10);
    return count;
}

static void open_files(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static struct {
    double connect_s, connect_cpu_s, join_cpu_s, leave_cpu_s, storm_s;
    int64_t memory, rooms_memory, joined; /* bytes, bytes, memberships */
} figures;

/* Connect those that are measured; memory is that of the servers before and after. */
static void measure_connects(int count, int wait, int first, int last) {
    int64_t began = now_ns(), cpu = cpu_of_servers();
    connect_clients(count, first, last);
    figures.connect_s = (now_ns() - began) / 1e9;
    figures.connect_cpu_s = (cpu_of_servers() - cpu) / 1e9;
    settle(wait);
}

/* Let the clients join or leave their rooms. */
static void measure_rooms(const char *event, const char *prefix, int total, int each, int share) {
    int64_t cpu = cpu_of_servers();
    ask_rooms(event, prefix, total, each, share, atoi(option("stride", "1")));
    double took = (cpu_of_servers() - cpu) / 1e9;
    if (*event == 'j') figures.join_cpu_s = took;
    else figures.leave_cpu_s = took;
    figures.joined = (int64_t)made * each;
}

static void measure(int count) {
    char prefix[32] = "";
    int total = 0, each = 0, share = 1, most = 0, rate = 0, emitters = 1;
    int warm = atoi(option("warm", "0")), wait = atoi(option("settle", "0"));
    double stormy = atof(option("storm", "0")), seconds = 0;
    int last = stormy ? node_count - 1 : node_count;

    connect_clients(warm, 0, last);
    settle(wait);
    int64_t memory = memory_of_servers();
    int rooms = sscanf(option("join", ""), "%31[^,],%d,%d,%d", prefix, &total, &each, &share) == 4;
    if (!stormy) measure_connects(count, wait, 0, last);
    figures.memory = memory_of_servers() - memory;
    if (rooms) measure_rooms("join", prefix, total, each, share);
    settle(wait ? wait : 200);
    figures.rooms_memory = memory_of_servers() - memory - figures.memory;
    if (stormy) {
        measure_connects(count, 200, last, node_count);
        figures.storm_s = storm(prefix, warm, stormy, option("victims", ""));
    }
    if (sscanf(option("flood", ""), "%d,%d,%lf,%d", &most, &rate, &seconds, &emitters) == 4) {
        if (rate) flood(prefix, total, rate, rate, 1), flood(prefix, total, rate * seconds, rate, 1);
        else flood_flat_out(prefix, total, most, seconds, emitters);
    }
    if ((seconds = atof(option("echo", "0"))) > 0) echo(seconds);
    if (atoi(option("leave", "0"))) measure_rooms("leave", prefix, total, each, share);
}

int main(int argc, char **arguments) {
    (void)argc;
    given = arguments;
    int count = atoi(option("clients", "1"));
    open_files();
    begin_clients(count + atoi(option("warm", "0")));
    by_polling = atoi(option("polling", "0"));
    node_count = numbers(option("nodes", ""), nodes);
    pid_count = numbers(option("pids", ""), pids);
    measure(count);
    printf("{\"clients\": %d, \"connect_s\": %.4f, \"connect_cpu_s\": %.4f, \"joined\": %ld, "
           "\"join_cpu_s\": %.4f, \"leave_cpu_s\": %.4f, \"storm_s\": %.4f, \"memory_bytes\": %ld, \"rooms_bytes\": %ld, "
           "\"messages\": %ld, \"deliveries\": %ld, \"expected\": %ld, \"seconds\": %.4f, \"cpu_s\": %.6f, "
           "\"load_cpu_s\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"gone\": %d}\n",
           count, figures.connect_s, figures.connect_cpu_s, (long)figures.joined,
           figures.join_cpu_s, figures.leave_cpu_s, figures.storm_s,
           (long)figures.memory, (long)figures.rooms_memory, (long)window.count, (long)window.deliveries, (long)window.expected,
           window.seconds_ns / 1e9, window.cpu / 1e9, window.own / 1e9,
           percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1), gone);
    return 0;
}
