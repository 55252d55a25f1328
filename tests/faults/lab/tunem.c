/*
 * tunem: a bad network between two network namespaces, in user space.
 *
 *   tunem NAMESPACE_A NAMESPACE_B
 *
 * Makes a TUN device `warp0` in each namespace and carries packets from one to the other, late, in part, or not at all.
 * It does what the kernel's netem would do, where the kernel has none. Whoever starts it gives the devices addresses
 * and routes. It needs the right to enter the namespaces and to open /dev/net/tun.
 *
 * Orders come on standard input, one in a line; each is answered by one line on standard output:
 *
 *   line DELAY_MS JITTER_MS LOSS RATE_MBIT QUEUE_PACKETS REORDER BURST_ENTER BURST_LEAVE     "ok"
 *   cut       nothing gets through, in either direction                                      "ok"
 *   heal      the end of a cut                                                               "ok"
 *   counters  how many packets met what, as JSON: one object for each direction              "[{…},{…}]"
 *
 * LOSS, REORDER, BURST_ENTER and BURST_LEAVE are chances from 0 to 1. A packet that is reordered skips the delay and so
 * overtakes. Bursts follow Gilbert and Elliott: the line turns bad by chance BURST_ENTER before each packet, good again
 * by BURST_LEAVE, and everything is lost while it is bad. RATE_MBIT 0 is without limit. All of it holds for each
 * direction alone. The first line of output is "ready". The end of standard input ends the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES 1500
/* Packets taken from one device before the other one has its turn. */
#define TURN 64

struct line {
  double delay_ms, jitter_ms, loss, rate_mbit, queue_packets, reorder, burst_enter, burst_leave;
};

struct packet {
  double due_ms;
  /* Packets that are due at the same moment keep their order. */
  unsigned long number;
  int length;
  unsigned char *bytes;
};

/* One direction: packets on their way, in a binary heap by the time when they are due. */
struct direction {
  struct packet *heap;
  int count, capacity;
  unsigned long next_number;
  /* When the last bit of what was accepted has left, at the line's rate. */
  double busy_until_ms;
  int is_bad;
  long taken, lost, overflowed, delivered, bytes;
};

static struct line line = {.queue_packets = 1000};
static int is_cut = 0;

static void fail(const char *what) {
  fprintf(stderr, "tunem: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int happens(double chance) { return chance > 0 && drand48() < chance; }

static int is_before(const struct packet *a, const struct packet *b) {
  return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->number < b->number);
}

static void push(struct direction *way, struct packet packet) {
  if (way->count == way->capacity) {
    way->capacity = way->capacity ? way->capacity * 2 : 1024;
    way->heap = realloc(way->heap, way->capacity * sizeof(struct packet));
    if (!way->heap) fail("memory");
  }
  int at = way->count++;
  for (; at > 0 && is_before(&packet, &way->heap[(at - 1) / 2]); at = (at - 1) / 2) way->heap[at] = way->heap[(at - 1) / 2];
  way->heap[at] = packet;
}

static struct packet pop(struct direction *way) {
  struct packet first = way->heap[0], last = way->heap[--way->count];
  int at = 0;
  for (int child = 1; child < way->count; child = 2 * at + 1) {
    if (child + 1 < way->count && is_before(&way->heap[child + 1], &way->heap[child])) child++;
    if (!is_before(&way->heap[child], &last)) break;
    way->heap[at] = way->heap[child];
    at = child;
  }
  if (way->count) way->heap[at] = last;
  return first;
}

/* Opens the TUN device of a namespace; this process stays in that namespace. */
static int open_device(const char *namespace) {
  char path[256];
  snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
  int entrance = open(path, O_RDONLY | O_CLOEXEC);
  if (entrance < 0 || setns(entrance, CLONE_NEWNET)) fail(path);
  close(entrance);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "warp0"};
  if (ioctl(device, TUNSETIFF, &request)) fail("TUNSETIFF");
  return device;
}

/* Whether a packet is lost on the line now. */
static int is_lost(struct direction *way) {
  if (way->is_bad ? happens(line.burst_leave) : happens(line.burst_enter)) way->is_bad = !way->is_bad;
  return is_cut || way->is_bad || happens(line.loss);
}

/* Takes one packet into a direction, or drops it. `bytes` is borrowed. */
static void accept_packet(struct direction *way, const unsigned char *bytes, int length) {
  double now = now_ms();
  way->taken++;
  if (is_lost(way)) {
    way->lost++;
    return;
  }
  if (way->busy_until_ms < now) way->busy_until_ms = now;
  double bits_per_ms = line.rate_mbit * 1e3;
  int is_full = bits_per_ms > 0 ? (way->busy_until_ms - now) * bits_per_ms > line.queue_packets * PACKET_BYTES * 8
                                : way->count >= line.queue_packets;
  if (is_full) {
    way->overflowed++;
    return;
  }
  if (bits_per_ms > 0) way->busy_until_ms += length * 8 / bits_per_ms;
  double delay_ms = happens(line.reorder) ? 0 : line.delay_ms + (drand48() * 2 - 1) * line.jitter_ms;
  struct packet packet = {way->busy_until_ms + (delay_ms > 0 ? delay_ms : 0), way->next_number++, length, malloc(length)};
  if (!packet.bytes) fail("memory");
  memcpy(packet.bytes, bytes, length);
  push(way, packet);
}

/* Delivers what is due and gives when the next packet is, or `horizon_ms`. */
static double deliver(struct direction *way, int device, double horizon_ms) {
  double now = now_ms();
  while (way->count && way->heap[0].due_ms <= now) {
    struct packet packet = pop(way);
    /* A full device drops it, as a network card would. */
    if (write(device, packet.bytes, packet.length) == packet.length) {
      way->delivered++;
      way->bytes += packet.length;
    } else way->overflowed++;
    free(packet.bytes);
  }
  return way->count && way->heap[0].due_ms < horizon_ms ? way->heap[0].due_ms : horizon_ms;
}

static void tell_counters(const struct direction ways[2]) {
  for (int i = 0; i < 2; i++)
    printf("%s{\"taken\":%ld,\"lost\":%ld,\"overflowed\":%ld,\"delivered\":%ld,\"bytes\":%ld}%s", i ? "," : "[",
           ways[i].taken, ways[i].lost, ways[i].overflowed, ways[i].delivered, ways[i].bytes, i ? "]\n" : "");
}

static void obey(const char *order, const struct direction ways[2]) {
  struct line next;
  int fields = sscanf(order, "line %lf %lf %lf %lf %lf %lf %lf %lf", &next.delay_ms, &next.jitter_ms, &next.loss,
                      &next.rate_mbit, &next.queue_packets, &next.reorder, &next.burst_enter, &next.burst_leave);
  if (fields == 8) line = next;
  else if (!strcmp(order, "cut")) is_cut = 1;
  else if (!strcmp(order, "heal")) is_cut = 0;
  else if (!strcmp(order, "counters")) {
    tell_counters(ways);
    return;
  } else {
    printf("unknown order: %s\n", order);
    return;
  }
  puts("ok");
}

/* Reads what there is of standard input and obeys each whole line. Gives 0 at its end. */
static int read_orders(const struct direction ways[2]) {
  static char text[4096];
  static size_t held = 0;
  ssize_t got = read(STDIN_FILENO, text + held, sizeof text - held - 1);
  if (got <= 0) return 0;
  held += got;
  text[held] = 0;
  char *start = text;
  for (char *end; (end = strchr(start, '\n')); start = end + 1) {
    *end = 0;
    obey(start, ways);
  }
  held -= start - text;
  memmove(text, start, held);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: tunem NAMESPACE_A NAMESPACE_B\n");
    return 2;
  }
  int devices[2] = {open_device(arguments[1]), open_device(arguments[2])};
  static struct direction ways[2];
  static unsigned char buffer[65536];
  prctl(PR_SET_TIMERSLACK, 10000UL);
  /* A late emulator would measure itself; without the right to it this stays as it is. */
  setpriority(PRIO_PROCESS, 0, -10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  srand48(getpid());
  puts("ready");
  for (;;) {
    double next_ms = now_ms() + 1000;
    for (int i = 0; i < 2; i++) next_ms = deliver(&ways[i], devices[1 - i], next_ms);
    double wait_ms = next_ms - now_ms();
    if (wait_ms < 0) wait_ms = 0;
    struct timespec wait = {(time_t)(wait_ms / 1e3), (long)((wait_ms - 1e3 * (long)(wait_ms / 1e3)) * 1e6)};
    struct pollfd polled[3] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (ppoll(polled, 3, &wait, NULL) < 0 && errno != EINTR) fail("poll");
    for (int i = 0; i < 2; i++)
      for (int turn = 0; (polled[i].revents & POLLIN) && turn < TURN; turn++) {
        int length = read(devices[i], buffer, sizeof buffer);
        if (length <= 0) break;
        accept_packet(&ways[i], buffer, length);
      }
    if (polled[2].revents && !read_orders(ways)) return 0;
  }
}
