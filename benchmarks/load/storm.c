/* The last node is killed, and all its clients come back to the others at once, while those go on serving theirs. */
#include "load.h"
#include <signal.h>
#include <stdlib.h>

enum { RATE = 50, PATIENCE_S = 20 }; /* the official client gives a connection up after 20 s */
enum { FIRST_MS = 200, LONGEST_MS = 2000 };

static struct attempt {
    int64_t at;      /* when it tries again; 0: it does not wait */
    int64_t until;   /* when it gives up what is under way */
    int delay_ms;    /* 0: it has not been refused yet */
} *attempts;

static void try_later(struct client *c) {
    struct attempt *a = &attempts[c - clients];
    a->at = now_ns() + a->delay_ms * 1000000LL;
    a->delay_ms = a->delay_ms ? a->delay_ms * 2 : FIRST_MS;
    if (a->delay_ms > LONGEST_MS) a->delay_ms = LONGEST_MS;
}

static void try_due(void) {
    int64_t now = now_ns();
    for (int i = 0; i < made; i++) {
        struct attempt *a = &attempts[i];
        int under_way = clients[i].state == CONNECTING || clients[i].state == UPGRADING;
        if (under_way && a->until && now > a->until) end_client(&clients[i]);
        if (!a->at || now < a->at) continue;
        a->at = 0, a->until = now + PATIENCE_S * 1000000000LL;
        open_client(i, nodes[i % (node_count - 1)]);
    }
}

/* Returns the seconds from the kill until all are served again. */
double storm(const char *prefix, int staying, double seconds, const char *victims) {
    int doomed[MOST], count = numbers(victims, doomed), lost = made - staying;
    int64_t deadline = now_ns() + (60 + lost / 100) * 1000000000LL, back = 0;
    attempts = calloc(made, sizeof *attempts);
    begin_flood(prefix, 1, RATE * seconds, RATE, 1);
    settle(1000);
    when_gone = try_later;
    int64_t killed = now_ns();
    for (int i = 0; i < count; i++) kill(doomed[i], SIGKILL);
    while (!back || deliveries < window.expected) {
        try_due();
        pump(1);
        if (!back && gone >= lost && ready == made) back = now_ns();
        if (now_ns() > deadline) break;
        if (back && now_ns() - last_delivery > 5000000000LL) break;
    }
    if (!back) die("only %d of %d clients are back", ready - staying, lost);
    window.deliveries = deliveries;
    close_window(now_ns());
    gone -= lost; /* what is left were refused, or were no victims */
    return (back - killed) / 1e9;
}
