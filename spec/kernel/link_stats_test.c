/* What the kernel's counters of this host's devices are, in the process's own
 * network namespace: `lo` is in each. */
#include "kernel/link_stats.h"

#include "../support/check.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GONE = 0x7ffffff0, MANY = 1000, ROUNDS = 300 };

/* Of no message of rtnetlink: the kernel answers as one that knows no
 * RTM_GETSTATS does, EOPNOTSUPP. */
enum { UNKNOWN_TYPE = 0x7ff0 };

static unsigned lo;
static bool is_old_kernel;

ssize_t __real_mnl_socket_sendto(const struct mnl_socket *socket, const void *requests,
                                 size_t size);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *requests,
                                 size_t size);

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *requests, size_t size)
{
    static _Alignas(struct nlmsghdr) char changed[1 << 16];
    struct nlmsghdr *request = (struct nlmsghdr *)(void *)changed;
    int left = (int)size;

    if (!is_old_kernel || size > sizeof changed)
        return __real_mnl_socket_sendto(socket, requests, size);
    memcpy(changed, requests, size);
    for (; mnl_nlmsg_ok(request, left); request = mnl_nlmsg_next(request, &left))
        if (request->nlmsg_type == RTM_GETSTATS)
            request->nlmsg_type = UNKNOWN_TYPE;
    return __real_mnl_socket_sendto(socket, changed, size);
}

/* What the next answers are replaced by: an error message of that length, whose
 * field of the error, there or not, has that value. */
static struct {
    bool is_on;
    uint32_t length;
    int error;
} forgery;

ssize_t __real_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size);

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size)
{
    ssize_t length = __real_mnl_socket_recvfrom(socket, answer, size);
    struct nlmsghdr *message = answer;

    if (!forgery.is_on || length < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return length;
    message->nlmsg_type = NLMSG_ERROR;
    message->nlmsg_len = forgery.length;
    ((struct nlmsgerr *)NLMSG_DATA(message))->error = forgery.error;
    return (ssize_t)forgery.length;
}

/* lo's bytes as /proc has them: of this network namespace, wherever /sys is
 * from. */
static uint64_t from_proc(bool sent)
{
    char line[512];
    unsigned long long in = 0, out = 0;
    FILE *file = fopen("/proc/thread-self/net/dev", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, " lo: %llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) == 2)
            break;
    if (file != NULL)
        fclose(file);
    return sent ? out : in;
}

/* Both before and after, since others may use lo. */
static void test_figures(struct link_stats *counters)
{
    struct device_counter device = {.ifindex = lo};
    uint64_t before = from_proc(false);

    CHECK(link_stats_read(counters, &device, 1));
    CHECK(device.is_known && device.ifindex == lo);
    CHECK(device.received >= before && device.received <= from_proc(false));
    struct device_counter dumped = {.ifindex = lo};
    CHECK(link_stats_read_all(counters, &dumped, 1));
    CHECK(dumped.is_known);
    CHECK(dumped.received >= device.received && dumped.received <= from_proc(false));
    CHECK(dumped.sent >= device.sent && dumped.sent <= from_proc(true));
}

static void test_nothing(struct link_stats *counters)
{
    CHECK(link_stats_read(counters, NULL, 0));
    CHECK(link_stats_read_all(counters, NULL, 0));
}

/* A device that is gone is unknown, whatever was known of it before. */
static void test_gone(struct link_stats *counters)
{
    struct device_counter devices[] = {
        {.ifindex = GONE, .is_known = true, .received = 1},
        {.ifindex = lo},
        {.ifindex = GONE + 1, .is_known = true},
    };

    CHECK(link_stats_read(counters, devices, 3));
    CHECK(!devices[0].is_known && devices[1].is_known && !devices[2].is_known);
    struct device_counter ordered[] = {
        {.ifindex = lo}, {.ifindex = GONE, .is_known = true}, {.ifindex = GONE + 1}};
    CHECK(link_stats_read_all(counters, ordered, 3));
    CHECK(ordered[0].is_known && !ordered[1].is_known && !ordered[2].is_known);
}

/* More than one datagram of requests, and more answers than a small receive
 * buffer takes at once. */
static void test_many(struct link_stats *counters)
{
    struct device_counter *devices = calloc(MANY, sizeof *devices);
    size_t known = 0, right = 0;

    for (unsigned i = 0; i < MANY; i++)
        devices[i].ifindex = i % 3 == 0 ? lo : GONE + i % 15;
    CHECK(link_stats_read(counters, devices, MANY));
    for (unsigned i = 0; i < MANY; i++) {
        known += devices[i].is_known;
        right += devices[i].is_known == (i % 3 == 0) && (i % 3 != 0 || devices[i].ifindex == lo);
    }
    CHECK(known == (MANY + 2) / 3);
    CHECK(right == MANY);
    free(devices);
}

struct reader {
    struct link_stats *counters;
    bool is_right;
};

static void *read_again_and_again(void *context)
{
    struct reader *reader = context;
    uint64_t last = 0;

    reader->is_right = true;
    for (int round = 0; round < ROUNDS; round++) {
        struct device_counter devices[] = {{.ifindex = lo}, {.ifindex = GONE}};
        bool ok = round % 2 == 0 ? link_stats_read(reader->counters, devices, 2)
                                 : link_stats_read_all(reader->counters, devices, 2);
        if (!ok || !devices[0].is_known || devices[1].is_known || devices[0].received < last)
            reader->is_right = false;
        last = devices[0].received;
    }
    return NULL;
}

static void test_threads(struct link_stats *counters)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct reader readers[THREADS];

    for (int i = 0; i < THREADS; i++) {
        readers[i].counters = counters;
        CHECK(pthread_create(&threads[i], NULL, read_again_and_again, &readers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(readers[i].is_right);
    }
}

/* RTM_GETLINK gives the same counts where the kernel refuses RTM_GETSTATS, be
 * it asked for one device or for all. */
static void test_old_kernel(void)
{
    is_old_kernel = true;
    for (int by_dump = 0; by_dump < 2; by_dump++) {
        struct link_stats *counters = link_stats_open();
        CHECK(counters != NULL);
        for (int round = 0; round < 2 && counters != NULL; round++) {
            struct device_counter devices[] = {{.ifindex = lo}, {.ifindex = GONE}};
            uint64_t before = from_proc(false);
            CHECK((by_dump ? link_stats_read_all : link_stats_read)(counters, devices, 2));
            CHECK(devices[0].is_known && !devices[1].is_known);
            CHECK(devices[0].received >= before && devices[0].received <= from_proc(false));
        }
        link_stats_close(counters);
    }
    is_old_kernel = false;
}

/* An error message that ends before its field says nothing, whatever is in
 * the buffer behind it; and a field may have any value. */
static void test_forged_errors(struct link_stats *counters)
{
    static const int errors[] = {INT_MIN, INT_MAX, -4096, 0, EOPNOTSUPP};
    struct device_counter device = {.ifindex = lo};

    forgery.is_on = true;
    forgery.length = NLMSG_HDRLEN;
    forgery.error = -EOPNOTSUPP;
    CHECK(!link_stats_read(counters, &device, 1));
    forgery.length = NLMSG_LENGTH(sizeof(struct nlmsgerr));
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        forgery.error = errors[i];
        CHECK(link_stats_read(counters, &device, 1));
        CHECK(!device.is_known);
    }
    forgery.is_on = false;
    CHECK(link_stats_read(counters, &device, 1));
    CHECK(device.is_known);
}

int main(void)
{
    lo = if_nametoindex("lo");
    struct link_stats *counters = link_stats_open();
    CHECK(lo != 0);
    CHECK(counters != NULL);
    if (lo != 0 && counters != NULL) {
        test_figures(counters);
        test_nothing(counters);
        test_gone(counters);
        test_many(counters);
        test_threads(counters);
        test_forged_errors(counters);
        test_old_kernel();
    }
    link_stats_close(counters);
    link_stats_close(NULL);
    return check_report();
}
