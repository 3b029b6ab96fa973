/* What the processes of the servers use. */
#include "load.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int pids[MOST], pid_count;

int64_t cpu_ns(int pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) die("process %d is gone", pid);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t cpu_of_servers(void) {
    int64_t sum = 0;
    for (int i = 0; i < pid_count; i++) sum += cpu_ns(pids[i]);
    return sum;
}

int64_t memory_of_servers(void) {
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

