/* What the clients do, one thing after the other. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROOMS_TEXT = 3000 }; /* bytes of one order to join or leave rooms */
static int *members;        /* by room */

/* Connect so many more clients to the nodes from `first` to before `last`, in turn. */
void connect_clients(int count, int first, int last) {
    int64_t deadline = now_ns() + (30 + count / 100) * 1000000000LL;
    for (int end = made + count; ready < end;) {
        for (; made < end && made - ready < INFLIGHT; made++)
            open_client(made, nodes[first + made % (last - first)]);
        pump(1000);
        if (gone) die("a node refused or closed a new connection");
        if (now_ns() > deadline) die("only %d of %d clients could connect", ready, end);
    }
}

/* Let every client ask with this event, join or leave, for its rooms: `each` of `total`, the first of them (i / share) * stride. */
void ask_rooms(const char *event, const char *prefix, int total, int each, int share, int stride) {
    members = calloc(total, sizeof *members);
    acks = 0;
    for (int i = 0; i < made; i++) {
        char text[ROOMS_TEXT];
        int at = snprintf(text, sizeof text, "421[\"%s\",[", event);
        for (int j = 0; j < each; j++) {
            int room = (i / share * stride + j) % total;
            members[room]++;
            at += snprintf(text + at, sizeof text - at, "%s\"%s%d\"", j ? "," : "", prefix, room);
            if (at > ROOMS_TEXT - 16) die("the names of %d rooms are too long", each);
        }
        snprintf(text + at, sizeof text - at, "]]");
        send_text(&clients[i], text);
        if (i - acks >= INFLIGHT) wait_for(&acks, i - INFLIGHT + 1, 60);
    }
    wait_for(&acks, made, 60);
}

void begin_flood(const char *prefix, int total, int count, int rate, int emitters) {
    char text[256];
    snprintf(text, sizeof text, "421[\"flood\",{\"prefix\":\"%s\",\"rooms\":%d,\"count\":%d,\"rate\":%d,"
             "\"emitters\":%d}]", prefix, total, count, rate, emitters);
    window.count = count, window.expected = 0;
    for (int i = 0; i < count; i++) window.expected += total ? members[i % total] : made;
    open_window();
    send_text(&clients[0], text);
}

/* Let the first node emit, and wait until all has arrived, or nothing comes any more for 5 s. */
void flood(const char *prefix, int total, int count, int rate, int emitters) {
    begin_flood(prefix, total, count, rate, emitters);
    while (deliveries < window.expected && now_ns() - last_delivery < 5000000000LL) pump(100);
    window.deliveries = deliveries;
    wait_for(&acks, 1, 30);
    close_window(last_delivery);
}

void flood_flat_out(const char *prefix, int total, int most, double seconds, int emitters) {
    for (int count = 16;;) {
        flood(prefix, total, count, 0, emitters);
        double took = window.seconds_ns / 1e9, grow = seconds / took;
        if (took > seconds * 0.6 || count == most) return;
        count *= grow < 1.5 ? 1.5 : grow > 4 ? 4 : grow;
        if (count > most) count = most;
        settle(200);
    }
}

void echo(double seconds) {
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
