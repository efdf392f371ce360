/* The floor of bench.terminal: a program on a pty, its bytes on a TCP socket, and nothing else.
 * Usage: floor PROGRAM [ARGUMENT...]; prints its port, serves one connection after another.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char bytes[65536];

/* Pass what one side has to the other; 0 when a side has ended. */
static int pass(int from, int to)
{
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got <= 0)
        return 0;
    for (ssize_t done = 0; done < got;) {
        ssize_t wrote = write(to, bytes + done, (size_t)(got - done));
        if (wrote < 0 && errno != EINTR)
            return 0;
        if (wrote > 0)
            done += wrote;
    }
    return 1;
}

static void serve(int line, char **program)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int tty;
    pid_t child = forkpty(&tty, NULL, NULL, &size);
    if (child == 0) {
        execvp(program[0], program);
        _exit(127);
    }
    struct pollfd both[2] = {{.fd = line, .events = POLLIN}, {.fd = tty, .events = POLLIN}};
    while (poll(both, 2, -1) > 0) {
        if (both[0].revents && !pass(line, tty))
            break;
        if (both[1].revents && !pass(tty, line))
            break;
    }
    close(tty);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(int count, char **given)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (count < 2 || bind(listener, (struct sockaddr *)&here, length) || listen(listener, 8))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    getsockname(listener, (struct sockaddr *)&here, &length);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        int line = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (line < 0)
            continue;
        setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(line, given + 1);
        close(line);
    }
}
