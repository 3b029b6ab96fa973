/* Latencies, and what is counted between the order to emit and the last delivery. */
#include "load.h"
#include <string.h>
#include <unistd.h>

enum { GRAIN_NS = 10000, GRAINS = 1000000 }; /* latencies by 10 us, up to 10 s */
static uint32_t histogram[GRAINS];
struct window window;

void record(int64_t nanoseconds) {
    int64_t grain = nanoseconds / GRAIN_NS;
    histogram[grain < 0 ? 0 : grain < GRAINS ? grain : GRAINS - 1]++;
}

double percentile_ms(double share) {
    int64_t total = 0, seen = 0;
    for (int i = 0; i < GRAINS; i++) total += histogram[i];
    for (int i = 0; i < GRAINS; i++)
        if ((seen += histogram[i]) >= share * total && total) return (i + 0.5) * GRAIN_NS / 1e6;
    return 0;
}

void open_window(void) {
    memset(histogram, 0, sizeof histogram);
    deliveries = acks = 0;
    window.cpu = cpu_of_servers();
    window.own = cpu_ns(getpid());
    window.began = last_delivery = now_ns();
}

void close_window(int64_t end) {
    window.cpu = cpu_of_servers() - window.cpu;
    window.own = cpu_ns(getpid()) - window.own;
    window.seconds_ns = end - window.began;
}
