/*
 * listener: what listens at a UNIX socket and is not the daemon that answers.
 *
 *     listener PATH relay TARGET
 *         connects each client to the socket TARGET, as a forwarding does
 *     listener PATH activate PROGRAM [ARGUMENT...]
 *         starts PROGRAM with the socket at the first client, as systemd does
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    _exit(1);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        fail("the path is too long");
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(path);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(descriptor, 16) != 0)
        fail(path);
    return descriptor;
}

static void carry(int from, int to)
{
    char buffer[65536];
    ssize_t length = read(from, buffer, sizeof buffer);

    if (length <= 0)
        _exit(0);
    for (ssize_t sent = 0, n; sent < length; sent += n)
        if ((n = write(to, buffer + sent, (size_t)(length - sent))) <= 0)
            _exit(0);
}

static void relay(int client, const char *target)
{
    struct sockaddr_un address = address_of(target);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd both[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};

    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) != 0)
        fail(target);
    while (poll(both, 2, -1) > 0) {
        if (both[0].revents != 0)
            carry(client, server);
        if (both[1].revents != 0)
            carry(server, client);
    }
}

static void activate(int descriptor, char *const *command)
{
    struct pollfd first = {.fd = descriptor, .events = POLLIN};
    char pid[24];

    poll(&first, 1, -1);
    if (fork() != 0)
        for (;;)
            pause();
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "libvirtd.socket", 1); /* the unit's, which libvirtd goes by */
    if (descriptor != 3 && dup2(descriptor, 3) < 0)
        fail("dup2");
    execvp(command[0], command);
    fail(command[0]);
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    int descriptor = listen_at(arguments[1]);
    signal(SIGCHLD, SIG_IGN);
    if (strcmp(arguments[2], "activate") == 0)
        activate(descriptor, arguments + 3);
    for (;;) {
        int client = accept(descriptor, NULL, NULL);
        if (client >= 0 && fork() == 0)
            relay(client, arguments[3]);
        if (client >= 0)
            close(client);
    }
}
