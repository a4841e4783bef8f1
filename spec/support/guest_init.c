/*
 * guest_init: the first process of a guest (see guest_image), which serves
 * requests on its serial console.
 *
 *     request   @run ID SECONDS COMMAND-IN-BASE64
 *     reply     @begin ID
 *               what the shell command wrote to either standard output or error
 *               @end ID STATUS
 *
 * "@ready BOOT-ID" says that the guest has (re)booted. A command that takes more
 * than SECONDS is killed (status 137). "@counters ID" is answered in the same
 * way with a line for each Ethernet device: its name, address, tx_bytes and
 * rx_bytes. That is asked all the time, and an emulated processor takes a tenth
 * of a second to start a shell.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 65536 };

/* The file's first line, or "". */
static void read_line_of(const char *path, char *line, size_t size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? 0 : read(descriptor, line, size - 1);

    if (descriptor >= 0)
        close(descriptor);
    line[length < 0 ? 0 : length] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

static void load_modules(void)
{
    bool has_panic_device = access("/sys/bus/acpi/devices/QEMU0001:00", F_OK) == 0;
    FILE *order = fopen("/modules/order", "r");
    char name[100], path[200];

    while (order != NULL && fscanf(order, "%99s", name) == 1) {
        if (strncmp(name, "pvpanic", strlen("pvpanic")) == 0 && !has_panic_device)
            continue;
        snprintf(path, sizeof path, "/modules/%s.ko", name);
        int descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0 || syscall(SYS_finit_module, descriptor, "", 0) != 0)
            printf("%s: %s\n", path, strerror(errno));
        close(descriptor);
    }
    if (order != NULL)
        fclose(order);
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0 || ioctl(descriptor, SIOCSIFFLAGS, &request) != 0)
        printf("lo: %s\n", strerror(errno));
    close(descriptor);
}

static void open_console(void)
{
    int console = open("/dev/ttyS0", O_RDWR);
    struct termios modes;

    for (int descriptor = 0; descriptor < 3; descriptor++)
        dup2(console, descriptor);
    if (console > 2)
        close(console);
    tcgetattr(0, &modes);
    cfmakeraw(&modes);
    tcsetattr(0, TCSANOW, &modes);
}

/* In place. */
static void decode_base64(char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    char *end = text;

    for (const char *at = text, *digit; *at != '\0' && (digit = strchr(digits, *at)) != NULL;
         at++) {
        bits = bits << 6 | (unsigned)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *end++ = (char)(bits >> count);
        }
    }
    *end = '\0';
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The exit status of the child, as a shell has it. Orphans, which are given to
 * this process, are taken with it. */
static int wait_for(pid_t child, double seconds, const sigset_t *ended)
{
    double deadline = now() + seconds;

    for (;;) {
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        double left = deadline - now();
        if (left <= 0) {
            kill(child, SIGKILL);
            left = 1;
        }
        struct timespec time = {.tv_sec = (time_t)left,
                                .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
        sigtimedwait(ended, NULL, &time);
    }
}

static int run(const char *command, double seconds, const sigset_t *ended)
{
    int output = open("/tmp/output", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    pid_t child = fork();
    char buffer[4096];
    ssize_t length;

    if (child == 0) {
        sigprocmask(SIG_UNBLOCK, ended, NULL);
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(output, 1);
        dup2(output, 2);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = wait_for(child, seconds, ended);
    for (off_t at = 0; (length = pread(output, buffer, sizeof buffer, at)) > 0; at += length)
        fwrite(buffer, 1, (size_t)length, stdout);
    close(output);
    return status;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void print_counters(void)
{
    struct dirent **devices;
    int count = scandir("/sys/class/net", &devices, NULL, compare_names);

    for (int i = 0; i < count; i++) {
        static const char *const files[] = {"address", "statistics/tx_bytes",
                                            "statistics/rx_bytes"};
        const char *name = devices[i]->d_name;
        char path[400], value[64];
        snprintf(path, sizeof path, "/sys/class/net/%s/device", name);
        if (name[0] != '.' && access(path, F_OK) == 0) {
            printf("%s", name);
            for (size_t file = 0; file < sizeof files / sizeof *files; file++) {
                snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, files[file]);
                read_line_of(path, value, sizeof value);
                printf(" %s", value);
            }
            printf("\n");
        }
        free(devices[i]);
    }
    free(devices);
}

/* What is no request is dropped: a reset may have cut one short. */
static void serve(char *line, const sigset_t *ended)
{
    unsigned id, seconds;
    int at = 0, status = 0;

    if (sscanf(line, "@counters %u", &id) == 1) {
        printf("@begin %u\n", id);
        print_counters();
    } else if (sscanf(line, "@run %u %u %n", &id, &seconds, &at) == 2 && at > 0 &&
               line[at] != '\0') {
        decode_base64(line + at);
        printf("@begin %u\n", id);
        status = run(line + at, seconds, ended);
    } else {
        return;
    }
    printf("\n@end %u %d\n", id, status);
    fflush(stdout);
}

int main(void)
{
    static char line[LINE_BYTES];
    char boot[64];
    sigset_t ended;

    setenv("PATH", "/bin", 1);
    setenv("HOME", "/", 1);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    open_console();
    setvbuf(stdout, NULL, _IOFBF, 4096);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sys", "/sys", "sysfs", 0, NULL);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    load_modules();
    raise_loopback();
    read_line_of("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    printf("@ready %s\n", boot);
    fflush(stdout);
    for (size_t length = 0;;) {
        ssize_t got = read(0, line + length, 1);
        if (got == 1 && line[length] != '\n' && length < sizeof line - 1) {
            length++;
        } else if (got == 1) {
            line[length] = '\0';
            serve(line, &ended);
            length = 0;
        }
    }
}
