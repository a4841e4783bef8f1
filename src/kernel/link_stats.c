#include "kernel/link_stats.h"

#include "kernel/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BATCH = 64,            /* requests in one datagram */
    ANSWER_SIZE = 1024,    /* one device's answer is 232 bytes */
    DUMP_SIZE = 64 * 1024, /* one datagram of a dump */
    DUMP_ATTEMPTS = 4,     /* devices that come and go interrupt a dump */
    RECEIVE_BUFFER = 1 << 20,
    MAX_ERRNO = 4095 /* the kernel's own limit */
};

struct link_stats {
    struct mnl_socket *socket;
    unsigned port;
    pthread_mutex_t lock; /* one exchange at a time; guards all below */
    uint32_t sequence;
    bool has_getstats;
    _Alignas(struct nlmsghdr) char dump[DUMP_SIZE];
};

struct link_stats *link_stats_open(void)
{
    /* An exchange with the kernel is over within the system call; the time-out
     * is for a kernel that loses an answer. */
    const struct timeval patience = {.tv_sec = 1};
    const int buffer = RECEIVE_BUFFER;
    struct link_stats *counters = calloc(1, sizeof *counters);

    if (counters == NULL)
        return NULL;
    counters->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (counters->socket == NULL || mnl_socket_bind(counters->socket, 0, MNL_SOCKET_AUTOPID) != 0) {
        if (counters->socket != NULL)
            mnl_socket_close(counters->socket);
        free(counters);
        return NULL;
    }
    int descriptor = mnl_socket_get_fd(counters->socket);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    counters->port = mnl_socket_get_portid(counters->socket);
    counters->has_getstats = true;
    pthread_mutex_init(&counters->lock, NULL);
    return counters;
}

void link_stats_close(struct link_stats *counters)
{
    if (counters == NULL)
        return;
    mnl_socket_close(counters->socket);
    pthread_mutex_destroy(&counters->lock);
    free(counters);
}

static void put_request(struct nlmsghdr *request, uint32_t sequence, uint16_t flags,
                        unsigned ifindex)
{
    request->nlmsg_type = RTM_GETSTATS;
    request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    request->nlmsg_seq = sequence;
    struct if_stats_msg *stats = mnl_nlmsg_put_extra_header(request, sizeof *stats);
    stats->ifindex = ifindex;
    stats->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
}

static int read_counters(const struct nlattr *attribute, void *context)
{
    const size_t needed = offsetof(struct rtnl_link_stats64, rx_errors);
    struct device_counter *device = context;
    struct rtnl_link_stats64 stats;

    if (mnl_attr_get_type(attribute) == IFLA_STATS_LINK_64 &&
        mnl_attr_get_payload_len(attribute) >= needed) {
        memcpy(&stats, mnl_attr_get_payload(attribute), needed); /* aligned to 4 bytes only */
        device->is_known = true;
        device->received = stats.rx_bytes;
        device->sent = stats.tx_bytes;
    }
    return MNL_CB_OK;
}

/* Reads an RTM_NEWSTATS message; false when it has no counters. */
static bool parse(const struct nlmsghdr *message, struct device_counter *device)
{
    const struct if_stats_msg *stats = mnl_nlmsg_get_payload(message);

    if (message->nlmsg_type != RTM_NEWSTATS || mnl_nlmsg_get_payload_len(message) < sizeof *stats)
        return false;
    *device = (struct device_counter){.ifindex = stats->ifindex};
    mnl_attr_parse(message, sizeof *stats, read_counters, device);
    return device->is_known;
}

/* Discards what an exchange that failed may have left behind. */
static void empty_socket_locked(struct link_stats *counters)
{
    char left[ANSWER_SIZE];
    int descriptor = mnl_socket_get_fd(counters->socket);
    while (recv(descriptor, left, sizeof left, MSG_DONTWAIT | MSG_TRUNC) > 0 || errno == EINTR ||
           errno == ENOBUFS)
        errno = 0;
}

/* Whether the kernel knows no RTM_GETSTATS (before 4.7, or under a sandbox).
 * Takes errno's positive number. */
static bool is_refusal(int error)
{
    return error == EOPNOTSUPP || error == EINVAL || error == EPERM || error == EACCES;
}

/* The answer to the request of that sequence number, for device. */
static bool receive_one_locked(struct link_stats *counters, uint32_t sequence,
                               struct device_counter *device)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
    const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)answer;

    for (;;) {
        ssize_t length = mnl_socket_recvfrom(counters->socket, answer, sizeof answer);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 || !mnl_nlmsg_ok(message, (int)length))
            return false;
        if (mnl_nlmsg_portid_ok(message, counters->port) && message->nlmsg_seq == sequence)
            break; /* else an answer to an exchange that was given up */
    }
    if (message->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
        if (mnl_nlmsg_get_payload_len(message) < sizeof *error)
            return false;
        /* A field of any value: INT_MIN has no negative. */
        if (error->error >= -MAX_ERRNO && is_refusal(-error->error))
            counters->has_getstats = false;
        return true; /* the device is gone, or not to be seen */
    }
    struct device_counter read;
    if (parse(message, &read) && read.ifindex == device->ifindex)
        *device = read;
    return true;
}

static bool read_batch_locked(struct link_stats *counters, struct device_counter *devices,
                              size_t count)
{
    enum { REQUEST_SIZE = NLMSG_LENGTH(sizeof(struct if_stats_msg)) };
    char requests[BATCH * NLMSG_ALIGN(REQUEST_SIZE)] __attribute__((aligned(8)));
    size_t length = 0;
    uint32_t first = counters->sequence + 1;

    for (size_t i = 0; i < count; i++) {
        struct nlmsghdr *request = mnl_nlmsg_put_header(requests + length);
        put_request(request, ++counters->sequence, 0, devices[i].ifindex);
        length += NLMSG_ALIGN(request->nlmsg_len);
    }
    if (mnl_socket_sendto(counters->socket, requests, length) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!receive_one_locked(counters, first + (uint32_t)i, &devices[i]))
            return false;
    return true;
}

static void read_by_getlink(struct device_counter *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct link device;
        if (!link_read(devices[i].ifindex, &device) || !device.has_bytes)
            continue;
        devices[i].is_known = true;
        devices[i].received = device.received;
        devices[i].sent = device.sent;
    }
}

bool link_stats_read(struct link_stats *counters, struct device_counter *devices, size_t count)
{
    bool ok = true;

    for (size_t i = 0; i < count; i++)
        devices[i].is_known = false;
    pthread_mutex_lock(&counters->lock);
    for (size_t done = 0; ok && counters->has_getstats && done < count; done += BATCH)
        ok = read_batch_locked(counters, devices + done,
                               count - done < BATCH ? count - done : BATCH);
    if (!ok)
        empty_socket_locked(counters);
    bool has_getstats = counters->has_getstats;
    pthread_mutex_unlock(&counters->lock);
    if (!has_getstats)
        read_by_getlink(devices, count);
    return ok;
}

/* ------------------------------------------------------------------------
 * The dump
 * ------------------------------------------------------------------------ */

struct dump {
    struct device_counter *devices;
    size_t count;
    bool is_interrupted;
};

static int compare_ifindex(const void *key, const void *element)
{
    unsigned wanted = *(const unsigned *)key;
    unsigned there = ((const struct device_counter *)element)->ifindex;
    return wanted < there ? -1 : wanted > there;
}

static int receive_dumped(const struct nlmsghdr *message, void *context)
{
    struct dump *dump = context;
    struct device_counter read;

    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
        dump->is_interrupted = true;
    if (dump->count == 0 || !parse(message, &read))
        return MNL_CB_OK;
    struct device_counter *device =
        bsearch(&read.ifindex, dump->devices, dump->count, sizeof *dump->devices, compare_ifindex);
    if (device != NULL)
        *device = read;
    return MNL_CB_OK;
}

/* True when the dump is complete; *again when it is worth another attempt. */
static bool dump_once_locked(struct link_stats *counters, struct device_counter *devices,
                             size_t count, bool *again)
{
    struct dump dump = {.devices = devices, .count = count};
    char request[NLMSG_LENGTH(sizeof(struct if_stats_msg))] __attribute__((aligned(8)));
    struct nlmsghdr *header = mnl_nlmsg_put_header(request);
    int state = MNL_CB_OK;

    for (size_t i = 0; i < count; i++)
        devices[i].is_known = false;
    put_request(header, ++counters->sequence, NLM_F_DUMP, 0);
    if (mnl_socket_sendto(counters->socket, header, header->nlmsg_len) < 0)
        return false;
    while (state > MNL_CB_STOP) {
        ssize_t length =
            mnl_socket_recvfrom(counters->socket, counters->dump, sizeof counters->dump);
        if (length < 0 && errno == EINTR)
            continue;
        state = length < 0 ? MNL_CB_ERROR
                           : mnl_cb_run(counters->dump, (size_t)length, counters->sequence,
                                        counters->port, receive_dumped, &dump);
        if (state == MNL_CB_ERROR && is_refusal(errno))
            counters->has_getstats = false;
        if (state == MNL_CB_ERROR && errno == EINTR) /* how libmnl reports DUMP_INTR */
            dump.is_interrupted = true;
    }
    *again = dump.is_interrupted;
    if (state == MNL_CB_ERROR || dump.is_interrupted)
        empty_socket_locked(counters);
    return state != MNL_CB_ERROR && !dump.is_interrupted;
}

bool link_stats_read_all(struct link_stats *counters, struct device_counter *devices, size_t count)
{
    bool ok = false, again = true;

    pthread_mutex_lock(&counters->lock);
    for (int attempt = 0; !ok && again && counters->has_getstats && attempt < DUMP_ATTEMPTS;
         attempt++)
        ok = dump_once_locked(counters, devices, count, &again);
    pthread_mutex_unlock(&counters->lock);
    return ok || link_stats_read(counters, devices, count);
}
