/*
 * kernel_exchange: the least that reading the kernel's counters can cost, one
 * system call to ask and one to hear, without a check of the answer. A reader
 * (see reader.h) of these metrics:
 *
 *     read TAPS   the machines of TAPS, by one RTM_GETSTATS for each device
 *     dump TAPS   the same, by one dump of all devices of the host
 *
 * TAPS is a file with a line `DEVICE MACHINE` for each adapter, those of one
 * machine after another.
 */
#include "reader.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_TAPS = 4096, MOST_INDEX = 65536, NAME_SIZE = 256, ANSWER_SIZE = 64 * 1024 };

struct tap {
    unsigned ifindex;
    char machine[NAME_SIZE];
};

struct exchange {
    int socket;
    size_t count;
    struct tap taps[MOST_TAPS];
    unsigned long long sent[MOST_INDEX]; /* by ifindex; of the last dump */
};

struct request {
    struct nlmsghdr header;
    struct if_stats_msg stats;
};

static char answer[ANSWER_SIZE] __attribute__((aligned(8)));

static void ask(const struct exchange *exchange, unsigned ifindex, unsigned flags)
{
    struct request request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_GETSTATS,
                   .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags)},
        .stats = {.ifindex = ifindex, .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)}};
    if (send(exchange->socket, &request, sizeof request, 0) != sizeof request)
        fail("the kernel cannot be asked");
}

static size_t hear(const struct exchange *exchange)
{
    ssize_t length = recv(exchange->socket, answer, sizeof answer, 0);
    if (length < (ssize_t)sizeof(struct nlmsghdr))
        fail("the kernel does not answer");
    return (size_t)length;
}

/* For a tap, what the host receives is what the guest has sent. */
static unsigned long long bytes_of(const struct nlmsghdr *message)
{
    struct rtnl_link_stats64 figures;

    if (message->nlmsg_type != RTM_NEWSTATS)
        fail("the kernel has no such device");
    memcpy(&figures,
           (const char *)NLMSG_DATA(message) + sizeof(struct if_stats_msg) + sizeof(struct nlattr),
           offsetof(struct rtnl_link_stats64, rx_errors));
    return figures.rx_bytes;
}

/* Reports each machine's sum: its taps follow each other. */
static void add_machines(const struct exchange *exchange,
                         unsigned long long bytes_of_tap(const struct exchange *,
                                                         const struct tap *),
                         struct figures *figures)
{
    for (size_t i = 0; i < exchange->count;) {
        const char *machine = exchange->taps[i].machine;
        unsigned long long sum = 0;
        do
            sum += bytes_of_tap(exchange, &exchange->taps[i++]);
        while (i < exchange->count && strcmp(exchange->taps[i].machine, machine) == 0);
        figures_add(figures, machine, sum);
    }
}

static unsigned long long read_tap(const struct exchange *exchange, const struct tap *tap)
{
    ask(exchange, tap->ifindex, 0);
    hear(exchange);
    return bytes_of((const struct nlmsghdr *)(const void *)answer);
}

static void read_each(void *context, struct figures *figures)
{
    add_machines(context, read_tap, figures);
}

static unsigned long long dumped_tap(const struct exchange *exchange, const struct tap *tap)
{
    return exchange->sent[tap->ifindex];
}

static void dump(void *context, struct figures *figures)
{
    struct exchange *exchange = context;
    bool is_done = false;

    ask(exchange, 0, NLM_F_DUMP);
    while (!is_done) {
        unsigned left = (unsigned)hear(exchange);
        const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)answer;
        for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
            is_done = message->nlmsg_type == NLMSG_DONE;
            const struct if_stats_msg *stats = NLMSG_DATA(message);
            if (!is_done && stats->ifindex < MOST_INDEX)
                exchange->sent[stats->ifindex] = bytes_of(message);
        }
    }
    add_machines(exchange, dumped_tap, figures);
}

static void load_taps(struct exchange *exchange, const char *path)
{
    char device[NAME_SIZE];
    FILE *file = path != NULL ? fopen(path, "r") : NULL;

    if (file == NULL)
        fail("which taps?");
    while (exchange->count < MOST_TAPS &&
           fscanf(file, "%255s %255s", device, exchange->taps[exchange->count].machine) == 2) {
        unsigned ifindex = if_nametoindex(device);
        if (ifindex == 0 || ifindex >= MOST_INDEX)
            fail("no such device");
        exchange->taps[exchange->count++].ifindex = ifindex;
    }
    fclose(file);
}

int main(int argc, char *argv[])
{
    static struct exchange exchange;
    struct reader reader = reader_new(argc, argv);

    exchange.socket = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (exchange.socket < 0)
        fail("no netlink socket");
    load_taps(&exchange, reader.what);
    reader_run(&reader, strcmp(reader.metric, "dump") == 0 ? dump : read_each, &exchange);
    close(exchange.socket);
    return EXIT_SUCCESS;
}
