/* An SMTP server that takes everything and keeps a count: one thread, epoll, PIPELINING (RFC 2920), CHUNKING (RFC 3030).
 *
 *   sink COUNTS DELAY_MS [CAPTURE KEEP]
 *
 * It listens on a port of its own choosing, prints the number, and counts in the file COUNTS, which readers map:
 * uint64 messages, bytes, connections, strangers; then one uint16 for each recipient p<N>@…: how many mails it got.
 * DELAY_MS stands for the way there and back: every answer leaves that much later. Mails to recipients below KEEP are
 * appended to CAPTURE as they came: "<N> <length> <way>\n" and the bytes; after DATA (D) dots are stuffed and the final
 * dot is included, a chunk (B) is the mail itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PEOPLE (4u << 20)
#define ROOM (1u << 18)

struct counts { uint64_t messages, bytes, connections, strangers; uint16_t of[PEOPLE]; };
struct session { int fd; int in_data, in_chunk, keep, recipients; long person; size_t chunk, used, seen, said; char in[ROOM], out[ROOM]; };
struct late { struct late *next; double at; int fd; unsigned long generation; size_t length; char text[]; };

static struct counts *counts;
static FILE *capture;
static long keep_below;
static double delay;
static struct late *first, **last = &first;
static struct session *sessions[65536];
static unsigned long generations[65536];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void say(struct session *s, const char *text) {
    size_t length = strlen(text);
    if (s->said + length < ROOM) { memcpy(s->out + s->said, text, length); s->said += length; }
}

static void hang_up(struct session *s) {
    generations[s->fd]++;
    sessions[s->fd] = NULL;
    close(s->fd);
    free(s);
}

static void write_all(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno != EAGAIN) return;
        if (n > 0) { text += n; length -= n; }
    }
}

static void flush(struct session *s) {
    if (!s->said) return;
    if (delay <= 0) write_all(s->fd, s->out, s->said);
    else {
        struct late *l = malloc(sizeof *l + s->said);
        *l = (struct late){NULL, now() + delay, s->fd, generations[s->fd], s->said};
        memcpy(l->text, s->out, s->said);
        *last = l;
        last = &l->next;
    }
    s->said = 0;
}

static void say_what_is_late(void) {
    while (first && first->at <= now()) {
        struct late *l = first;
        if (l->generation == generations[l->fd]) write_all(l->fd, l->text, l->length);
        if (!(first = l->next)) last = &first;
        free(l);
    }
}

static void end_of_mail(struct session *s, const char *mail, size_t length, char way) {
    if (s->keep) {
        fprintf(capture, "%ld %zu %c\n", s->person, length, way);
        fwrite(mail, 1, length, capture);
        fflush(capture);
    }
    counts->bytes += length;
    if (s->person >= 0 && s->person < (long)PEOPLE) counts->of[s->person]++; else counts->strangers++;
    counts->messages++;
    s->in_data = s->in_chunk = s->recipients = 0;
    say(s, "250 2.0.0 Ok\r\n");
}

/* Take one command line; return how many bytes of it are dealt with, 0 to end the session. */
static size_t command(struct session *s, char *line, size_t length) {
    if (!strncasecmp(line, "RCPT", 4)) {
        char *at = memchr(line, '<', length);
        s->person = at && at[1] == 'p' ? strtol(at + 2, NULL, 10) : -1;
        s->recipients++;
        say(s, "250 2.1.5 Ok\r\n");
    } else if (!strncasecmp(line, "DATA", 4)) {
        if (!s->recipients) { say(s, "503 5.5.1 No recipients\r\n"); return length; }
        s->in_data = 1;
        s->keep = capture && s->person >= 0 && s->person < keep_below;
        say(s, "354 Go on\r\n");
        return length - 2; /* its own line end may be the first half of the mail's end */
    } else if (!strncasecmp(line, "BDAT", 4)) { /* one chunk a mail, so it is the last; unwanted, it is read all the same */
        s->in_chunk = 1;
        s->chunk = strtoul(line + 4, NULL, 10);
        s->keep = s->recipients && capture && s->person >= 0 && s->person < keep_below;
    } else if (!strncasecmp(line, "EHLO", 4)) say(s, "250-sink\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n");
    else if (!strncasecmp(line, "QUIT", 4)) { say(s, "221 2.0.0 Bye\r\n"); return 0; }
    else { s->recipients = strncasecmp(line, "MAIL", 4) ? 0 : s->recipients; say(s, "250 2.0.0 Ok\r\n"); }
    return length;
}

/* Deal with what has been read; return 0 when the session is over. */
static int obey(struct session *s) {
    size_t done = 0;
    for (;;) {
        char *start = s->in + done;
        size_t left = s->used - done;
        if (s->in_chunk) {
            if (left < s->chunk) {
                if (s->keep) break;
                if (s->recipients) counts->bytes += left;
                s->chunk -= left;
                done += left;
                break;
            }
            done += s->chunk;
            if (s->recipients) end_of_mail(s, start, s->chunk, 'B');
            else { s->in_chunk = 0; say(s, "503 5.5.1 No recipients\r\n"); }
        } else if (s->in_data) {
            size_t from = s->seen > 4 ? s->seen - 4 : 0;
            char *end = left > from ? memmem(start + from, left - from, "\r\n.\r\n", 5) : NULL;
            if (!end) {
                s->seen = left;
                if (!s->keep && left > 4) { counts->bytes += left - 4; done += left - 4; s->seen = 4; }
                break;
            }
            end_of_mail(s, start + 2, end + 5 - start - 2, 'D');
            done += end + 5 - start;
            s->seen = 0;
        } else {
            char *end = memchr(start, '\n', left);
            if (!end) break;
            size_t taken = command(s, start, end + 1 - start);
            if (!taken) { flush(s); return 0; }
            done += taken;
        }
    }
    memmove(s->in, s->in + done, s->used - done);
    s->used -= done;
    return s->used < ROOM;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int file = open(argv[1], O_RDWR | O_CREAT, 0600), on = 1;
    if (file < 0 || ftruncate(file, sizeof *counts)) return 1;
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    delay = atof(argv[2]) / 1000;
    if (argc > 4) { capture = fopen(argv[3], "ab"); keep_below = atol(argv[4]); }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, length) || listen(listener, 1024)) return 1;
    getsockname(listener, (void *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int wait = first ? (int)((first->at - now()) * 1000) + 1 : -1;
        int found = epoll_wait(poll, events, 256, first && wait < 0 ? 0 : wait);
        say_what_is_late();
        for (int n = 0; n < found; n++) {
            int fd = events[n].data.fd;
            if (fd == listener) {
                int new = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (new < 0 || new >= 65536) { if (new >= 0) close(new); continue; }
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                struct session *s = sessions[new] = calloc(1, sizeof *s);
                s->fd = new;
                s->person = -1;
                counts->connections++;
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = new};
                epoll_ctl(poll, EPOLL_CTL_ADD, new, &event);
                say(s, "220 sink ESMTP\r\n");
                flush(s);
                continue;
            }
            struct session *s = sessions[fd];
            if (!s) continue;
            ssize_t got = read(fd, s->in + s->used, ROOM - s->used);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) { hang_up(s); continue; }
            s->used += got;
            if (!obey(s)) { say_what_is_late(); hang_up(s); continue; }
            flush(s);
        }
    }
}
