/*
 * Network devices of the host that move into the container's network namespace.
 *
 * Moving a device takes its addresses away and sets it down; the specification wants the lasting ones back and the device up.
 * A launch that fails moves it back: the end of a network namespace would destroy a virtual device.
 *
 * Knows: as much rtnetlink as that takes.
 * Does not know: routes, or any other address than the device's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launch.h"
#include "text.h"

enum { MAX_ADDRESSES = 32, MAX_DEVICES = 16, ADDRESS_BYTES = 16 };

struct address {
    struct ifaddrmsg header;
    unsigned char local[ADDRESS_BYTES], peer[ADDRESS_BYTES], broadcast[ADDRESS_BYTES];
    bool has_local, has_peer, has_broadcast;
};

struct device {
    char name[IFNAMSIZ];
    int index;
    bool was_up;
    unsigned addresses;
    struct address address[MAX_ADDRESSES];
};

static struct {
    int ours, theirs, socket; /* namespaces, and a netlink socket of theirs; -1 until a device moves */
    unsigned count;
    struct device device[MAX_DEVICES];
} moved = {.ours = -1, .theirs = -1, .socket = -1};

/* One request with room for attributes. */
struct request {
    struct nlmsghdr head;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
    };
    char attributes[256];
};

static void add_attribute(struct request *r, unsigned short type, const void *data, size_t length)
{
    struct rtattr *attribute = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), data, length);
    r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

/* Sends a request and waits for its acknowledgement. */
static int talk(int socket, struct request *r, const char *what)
{
    char bytes[4096];
    const struct nlmsghdr *answer = (const struct nlmsghdr *)bytes;
    const struct nlmsgerr *error = NLMSG_DATA(answer);

    r->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (send(socket, r, r->head.nlmsg_len, 0) < 0 || recv(socket, bytes, sizeof(bytes), 0) < (ssize_t)NLMSG_LENGTH(sizeof(*error)))
        return fail(what);
    if (answer->nlmsg_type != NLMSG_ERROR)
        return fail_with(what, EPROTO);
    return error->error == 0 ? 0 : fail_with(what, -error->error);
}

static void keep_attributes(struct address *a, const struct ifaddrmsg *header, int length)
{
    a->header = *header;
    for (const struct rtattr *at = IFA_RTA(header); RTA_OK(at, length); at = RTA_NEXT(at, length)) {
        size_t size = RTA_PAYLOAD(at) < ADDRESS_BYTES ? RTA_PAYLOAD(at) : ADDRESS_BYTES;

        if (at->rta_type == IFA_LOCAL)
            memcpy(a->local, RTA_DATA(at), size), a->has_local = true;
        else if (at->rta_type == IFA_ADDRESS)
            memcpy(a->peer, RTA_DATA(at), size), a->has_peer = true;
        else if (at->rta_type == IFA_BROADCAST)
            memcpy(a->broadcast, RTA_DATA(at), size), a->has_broadcast = true;
    }
}

/* Those that last and are valid everywhere. @spec runtime-spec/config-linux.md#network-devices */
static bool is_kept(const struct ifaddrmsg *header, int index)
{
    return (int)header->ifa_index == index && header->ifa_scope == RT_SCOPE_UNIVERSE && (header->ifa_flags & IFA_F_PERMANENT) != 0;
}

/* 1: there is more to come. */
static int read_addresses(struct device *d, const char *bytes, size_t length)
{
    for (const struct nlmsghdr *m = (const struct nlmsghdr *)bytes; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
        const struct ifaddrmsg *header = NLMSG_DATA(m);

        if (m->nlmsg_type == NLMSG_DONE)
            return 0;
        if (m->nlmsg_type != RTM_NEWADDR || !is_kept(header, d->index))
            continue;
        if (d->addresses == MAX_ADDRESSES)
            return fail_with("addresses", E2BIG);
        keep_attributes(&d->address[d->addresses++], header, (int)IFA_PAYLOAD(m));
    }
    return 1;
}

static int list_addresses(int socket, struct device *d)
{
    static char bytes[32768];
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)), .nlmsg_type = RTM_GETADDR}};
    int more = 1;

    r.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    if (send(socket, &r, r.head.nlmsg_len, 0) < 0)
        return fail("RTM_GETADDR");
    while (more > 0) {
        ssize_t got = recv(socket, bytes, sizeof(bytes), 0);
        if (got < 0)
            return fail("RTM_GETADDR");
        more = read_addresses(d, bytes, (size_t)got);
    }
    return more;
}

static int add_addresses(int socket, const struct device *d, int index)
{
    for (unsigned i = 0; i < d->addresses; i++) {
        const struct address *a = &d->address[i];
        size_t size = a->header.ifa_family == AF_INET ? 4 : ADDRESS_BYTES;
        struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)), .nlmsg_type = RTM_NEWADDR}};

        r.head.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
        r.address = a->header;
        r.address.ifa_index = (unsigned)index;
        r.address.ifa_flags = IFA_F_PERMANENT;
        if (a->header.ifa_family == AF_INET6)
            r.address.ifa_flags |= IFA_F_NODAD;
        if (a->has_local)
            add_attribute(&r, IFA_LOCAL, a->local, size);
        if (a->has_peer)
            add_attribute(&r, IFA_ADDRESS, a->peer, size);
        if (a->has_broadcast)
            add_attribute(&r, IFA_BROADCAST, a->broadcast, size);
        if (talk(socket, &r, "RTM_NEWADDR") < 0)
            return -1;
    }
    return 0;
}

static int move_device(int socket, int index, int namespace, const char *name)
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK}};

    r.link = (struct ifinfomsg){.ifi_index = index};
    add_attribute(&r, IFLA_NET_NS_FD, &namespace, sizeof(namespace));
    add_attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
    return talk(socket, &r, "RTM_NEWLINK");
}

static int set_up(int socket, int index)
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK}};

    r.link = (struct ifinfomsg){.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    return talk(socket, &r, "RTM_NEWLINK");
}

static int netlink_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    return fd < 0 ? fail("socket") : fd;
}

/* A socket belongs to the namespace in which it was made. */
static int open_theirs(const struct launch *l, uint64_t slot)
{
    struct text path = {.length = 0};

    if (moved.socket >= 0)
        return 0;
    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)l->child);
    text_add(&path, "/ns/net");
    moved.ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    moved.theirs = slot < MAX_SLOTS ? fcntl(l->slots[slot], F_DUPFD_CLOEXEC, 0) : open(path.bytes, O_RDONLY | O_CLOEXEC);
    if (moved.ours < 0 || moved.theirs < 0)
        return fail("open");
    if (setns(moved.theirs, CLONE_NEWNET) < 0)
        return fail("setns");
    moved.socket = netlink_socket();
    if (setns(moved.ours, CLONE_NEWNET) < 0)
        return fail("setns");
    return moved.socket < 0 ? -1 : 0;
}

static int look_at(int socket, struct device *d, const char *name)
{
    struct ifreq request = {.ifr_flags = 0};

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    strncpy(d->name, name, IFNAMSIZ - 1);
    if (ioctl(socket, SIOCGIFFLAGS, &request) < 0)
        return fail("SIOCGIFFLAGS");
    d->was_up = (request.ifr_flags & IFF_UP) != 0;
    if (ioctl(socket, SIOCGIFINDEX, &request) < 0)
        return fail("SIOCGIFINDEX");
    d->index = request.ifr_ifindex;
    return list_addresses(socket, d);
}

/* -1, with errno set, where there is none of this name. */
static int index_there(const char *name)
{
    struct ifreq request = {.ifr_flags = 0};

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return ioctl(moved.socket, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

static bool is_template(const char *name)
{
    return strchr(name, '%') != NULL;
}

/* The kernel moves first and renames then: a name that is taken would be an error about a device that is gone. */
static int refuse_taken(const char *name)
{
    return !is_template(name) && index_there(name) >= 0 ? fail_with("name in use", EEXIST) : 0;
}

/* Where it has arrived; its number there may be another, unless the name was the kernel's to choose. */
static int find_there(const struct device *d, const char *name)
{
    int index = is_template(name) ? d->index : index_there(name);

    return index < 0 ? fail("SIOCGIFINDEX") : index;
}

int op_net_device(struct launch *l, const struct operation *op)
{
    const char *target = op->arg[1].text;
    struct device *d = &moved.device[moved.count];
    int ours, result;

    if (moved.count == MAX_DEVICES)
        return fail_with("devices", E2BIG);
    ours = netlink_socket();
    if (ours < 0)
        return -1;
    result = open_theirs(l, op->arg[2].number) < 0 || refuse_taken(target) < 0 || look_at(ours, d, op->arg[0].text) < 0
                 ? -1
                 : move_device(ours, d->index, moved.theirs, target);
    int error = errno;
    close(ours);
    errno = error;
    if (result < 0)
        return -1;
    moved.count++;
    result = find_there(d, target);
    if (result < 0)
        return -1;
    d->index = result;
    return add_addresses(moved.socket, d, d->index) < 0 ? -1 : set_up(moved.socket, d->index);
}

static void move_back(int ours, const struct device *d)
{
    if (move_device(moved.socket, d->index, moved.ours, d->name) < 0)
        return;
    struct ifreq request = {.ifr_flags = 0};
    strncpy(request.ifr_name, d->name, IFNAMSIZ - 1);
    if (ioctl(ours, SIOCGIFINDEX, &request) < 0)
        return;
    add_addresses(ours, d, request.ifr_ifindex);
    if (d->was_up)
        set_up(ours, request.ifr_ifindex);
}

/* They are the container's now. An open descriptor of its namespace would keep that alive for as long as we live. */
void keep_devices(void)
{
    moved.count = 0;
    close_fd(&moved.socket);
    close_fd(&moved.ours);
    close_fd(&moved.theirs);
}

/* A failed launch: the host gets its devices back, named, addressed and up as they were. */
void return_devices(void)
{
    int ours = moved.count > 0 ? netlink_socket() : -1;

    while (ours >= 0 && moved.count > 0)
        move_back(ours, &moved.device[--moved.count]);
    close_fd(&ours);
    keep_devices();
}
