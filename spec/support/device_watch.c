/*
 * device_watch: writes a line "IFINDEX NAME RX_BYTES TX_BYTES" for each network
 * device that goes away, with the figures that the kernel gives with it.
 *
 * A witness for the specs: it shares no code with what it is to confirm.
 */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(struct nlmsghdr *message)
{
    struct ifinfomsg *info = NLMSG_DATA(message);
    struct rtnl_link_stats64 stats = {0};
    const char *name = "?";
    int has_stats = 0;

    if (message->nlmsg_type != RTM_DELLINK || info->ifi_family != AF_UNSPEC)
        return;
    int left = (int)IFLA_PAYLOAD(message);
    for (struct rtattr *one = IFLA_RTA(info); RTA_OK(one, left); one = RTA_NEXT(one, left)) {
        if (one->rta_type == IFLA_IFNAME)
            name = RTA_DATA(one);
        if (one->rta_type != IFLA_STATS64)
            continue;
        size_t length = RTA_PAYLOAD(one);
        memcpy(&stats, RTA_DATA(one), length < sizeof stats ? length : sizeof stats);
        has_stats = 1;
    }
    if (!has_stats)
        return;
    printf("%d %s %llu %llu\n", info->ifi_index, name, (unsigned long long)stats.rx_bytes,
           (unsigned long long)stats.tx_bytes);
    fflush(stdout);
}

int main(void)
{
    static char buffer[256 * 1024] __attribute__((aligned(8)));
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    int size = 64 * 1024 * 1024;
    int descriptor = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("device_watch");
        return 1;
    }
    printf("watching\n");
    fflush(stdout);
    for (;;) {
        ssize_t length = recv(descriptor, buffer, sizeof buffer, 0);
        if (length < 0) {
            perror("device_watch"); /* of an overflow, too: the specs must know */
            return 1;
        }
        int left = (int)length;
        for (struct nlmsghdr *one = (struct nlmsghdr *)buffer; NLMSG_OK(one, left);
             one = NLMSG_NEXT(one, left))
            tell(one);
    }
}
