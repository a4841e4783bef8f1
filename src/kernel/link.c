#include "kernel/link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

static int read_kind(const struct nlattr *attribute, void *device)
{
    if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND &&
        mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0) {
        const char *kind = mnl_attr_get_str(attribute);
        ((struct link *)device)->is_guest_end =
            strcmp(kind, "macvtap") == 0 || strcmp(kind, "macvlan") == 0;
        ((struct link *)device)->is_tap = strcmp(kind, "tun") == 0;
    }
    return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
    struct link *device = data;
    struct rtnl_link_stats64 stats;

    switch (mnl_attr_get_type(attribute)) {
    case IFLA_ADDRESS:
        device->has_address = mnl_attr_get_payload_len(attribute) == MAC_SIZE;
        if (device->has_address)
            memcpy(device->address, mnl_attr_get_payload(attribute), MAC_SIZE);
        break;
    case IFLA_STATS64:
        if (mnl_attr_get_payload_len(attribute) < offsetof(struct rtnl_link_stats64, rx_errors))
            break;
        /* The payload is aligned to 4 bytes only. */
        memcpy(&stats, mnl_attr_get_payload(attribute),
               offsetof(struct rtnl_link_stats64, rx_errors));
        device->has_bytes = true;
        device->received = stats.rx_bytes;
        device->sent = stats.tx_bytes;
        break;
    case IFLA_NEW_NETNSID:
    case IFLA_NEW_IFINDEX:
        device->is_moved = true;
        break;
    case IFLA_LINKINFO:
        mnl_attr_parse_nested(attribute, read_kind, device);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

bool link_parse(const struct nlmsghdr *message, struct link *device)
{
    if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
        return false;
    if (mnl_nlmsg_get_payload_len(message) < sizeof(struct ifinfomsg))
        return false;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (info->ifi_family != AF_UNSPEC || info->ifi_index <= 0)
        return false;
    *device = (struct link){.ifindex = (unsigned)info->ifi_index};
    return mnl_attr_parse(message, sizeof *info, read_attribute, device) == MNL_CB_OK;
}

static int read_answer(const struct nlmsghdr *message, void *device)
{
    return link_parse(message, device) ? MNL_CB_STOP : MNL_CB_OK;
}

/* Asks for one device, by index or by name. */
static bool ask(unsigned ifindex, const char *name, struct link *device)
{
    enum { SEQUENCE = 1, ANSWER_SIZE = 32768 }; /* an answer is about 1.5 KiB */
    _Alignas(struct nlmsghdr) char buffer[ANSWER_SIZE];
    bool found = false;

    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (socket == NULL)
        return false;
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_seq = SEQUENCE;
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->ifi_family = AF_UNSPEC;
    info->ifi_index = (int)ifindex;
    if (name != NULL)
        mnl_attr_put_strz(request, IFLA_IFNAME, name);

    *device = (struct link){0};
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0) {
        ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        if (length > 0 && mnl_cb_run(buffer, (size_t)length, SEQUENCE,
                                     mnl_socket_get_portid(socket), read_answer, device) >= 0)
            found = device->ifindex != 0;
    }
    mnl_socket_close(socket);
    return found;
}

bool link_find(const char *name, struct link *device)
{
    return strlen(name) < IF_NAMESIZE && ask(0, name, device);
}

bool link_read(unsigned ifindex, struct link *device)
{
    return ask(ifindex, NULL, device);
}

bool link_serves(const struct link *device, const uint8_t mac[MAC_SIZE])
{
    size_t first = device->is_guest_end ? 0 : 1;
    return device->has_address &&
           memcmp(device->address + first, mac + first, MAC_SIZE - first) == 0;
}

void link_bytes(const struct link *device, struct decimal bytes[DIRECTION_COUNT])
{
    bytes[DIRECTION_SENT] =
        decimal_from_uint64(device->is_guest_end ? device->sent : device->received);
    bytes[DIRECTION_RECEIVED] =
        decimal_from_uint64(device->is_guest_end ? device->received : device->sent);
}
