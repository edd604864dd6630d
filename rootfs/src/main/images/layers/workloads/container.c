// SPDX-License-Identifier: Apache-2.0
/*
 * What runs in the container that moves: the first process, which counts, and a second one, a
 * web server on port 7002. "GET /" answers with the sum of what the container holds; the same
 * each time as long as nothing is lost. "GET /check" answers a line "ok NAME" or "bad NAME WHY"
 * for each thing that must be as it was.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 7002
#define CLIENTS 16
#define FILL 50000
#define SHARED 20000
#define OFFSET 12345
#define KEY 0x7002

/* Of both processes: the first one counts, the second one looks. */
static struct {
	atomic_ulong count;
	atomic_ulong reaped;
} *common;

/* The listener, then the clients. */
static struct pollfd ready[1 + CLIENTS];

static FILE *answer;
static int file;
static unsigned char *memory, *segment;
static struct __user_cap_data_struct capabilities[2];
static struct timespec last;

static void die(const char *what)
{
	dprintf(2, "container: %s: %s\n", what, strerror(errno));
	exit(1);
}

#define MUST(call) ({ long must_ = (long)(call); if (must_ == -1) die(#call); must_; })

static void tell(const char *name, bool good, const char *format, ...)
{
	va_list list;

	fprintf(answer, "%s container-%s ", good ? "ok" : "bad", name);
	va_start(list, format);
	vfprintf(answer, format, list);
	va_end(list);
	fputc('\n', answer);
}

static void fill(unsigned char *to, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (seed = seed * 1664525 + 1013904223) >> 24;
}

static unsigned int sum(const unsigned char *data, size_t size, unsigned int from)
{
	for (size_t i = 0; i < size; i++)
		from = from * 31 + data[i];
	return from;
}

static void make(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	int id;

	memory = malloc(FILL);
	fill(memory, FILL, 7);
	file = MUST(open("/tmp/data", O_RDWR | O_CREAT | O_EXCL, 0640));
	MUST(write(file, memory, FILL));
	MUST(lseek(file, OFFSET, SEEK_SET));
	MUST(mkdir("/tmp/folder", 0711));
	MUST(symlink("../data", "/tmp/folder/link"));
	id = MUST(shmget(KEY, SHARED, IPC_CREAT | IPC_EXCL | 0600));
	segment = (unsigned char *)MUST(shmat(id, NULL, 0));
	fill(segment, SHARED, 8);
	MUST(syscall(SYS_capget, &header, capabilities));
	MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	clock_gettime(CLOCK_MONOTONIC, &last);
}

/* What the clients outside compare. */
static unsigned int content(void)
{
	static unsigned char buffer[FILL];
	int again = open("/tmp/folder/link", O_RDONLY);
	ssize_t size = read(again, buffer, sizeof(buffer));

	close(again);
	return sum(segment, SHARED, sum(memory, FILL, sum(buffer, size > 0 ? size : 0, 1)));
}

static void check_files(void)
{
	static unsigned char wanted[FILL], found[FILL];
	struct stat data = {}, folder = {};
	ssize_t size;
	int written;

	fill(wanted, FILL, 7);
	size = pread(file, found, FILL, 0);
	tell("tmpfs", size == FILL && !memcmp(wanted, found, FILL), "%zd bytes", size);
	tell("memory", !memcmp(wanted, memory, FILL), "");
	tell("offset", lseek(file, 0, SEEK_CUR) == OFFSET, "%ld", (long)lseek(file, 0, SEEK_CUR));
	stat("/tmp/folder/link", &data);
	stat("/tmp/folder", &folder);
	tell("modes", data.st_mode == (S_IFREG | 0640) && folder.st_mode == (S_IFDIR | 0711),
	     "%o %o", data.st_mode, folder.st_mode);
	fill(wanted, SHARED, 8);
	tell("ipc", shmget(KEY, 0, 0) >= 0 && !memcmp(wanted, segment, SHARED), "");
	written = open("/written", O_WRONLY | O_CREAT, 0600);
	tell("read-only-root", written < 0 && errno == EROFS, "%s",
	     written < 0 ? strerror(errno) : "a file was made");
	if (written >= 0)
		close(written);
}

static void check_devices(void)
{
	char zero = 1;
	int null = open("/dev/null", O_WRONLY), zeros = open("/dev/zero", O_RDONLY);

	tell("devices", write(null, &zero, 1) == 1 && read(zeros, &zero, 1) == 1 && !zero, "");
	close(null);
	close(zeros);
}

/* Numbers of the processes that /proc shows. */
static void list_processes(char *to, size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	*to = 0;
	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) > 0 && strlen(to) + strlen(entry->d_name) + 2 < size)
			strcat(strcat(to, entry->d_name), " ");
	if (proc)
		closedir(proc);
}

static void read_line(const char *path, char *to, size_t size)
{
	FILE *from = fopen(path, "r");

	*to = 0;
	if (from && fgets(to, size, from))
		to[strcspn(to, "\n")] = 0;
	if (from)
		fclose(from);
}

static void check_namespaces(void)
{
	char name[64] = "", numbers[64], cgroup[128], first[64];

	gethostname(name, sizeof(name));
	tell("hostname", !strcmp(name, "moved-container"), "%s", name);
	list_processes(numbers, sizeof(numbers));
	tell("numbers", getpid() == 2 && getppid() == 1 && !strcmp(numbers, "1 2 "), "%d of %s",
	     getpid(), numbers);
	read_line("/proc/1/comm", first, sizeof(first));
	tell("first", !strcmp(first, "inside"), "%s", first);
	read_line("/proc/self/cgroup", cgroup, sizeof(cgroup));
	tell("cgroup", !strcmp(cgroup, "0::/service/container"), "%s", cgroup);
}

static void check_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2] = {};

	syscall(SYS_capget, &header, now);
	tell("capabilities", !memcmp(now, capabilities, sizeof(now)) &&
	     !(now[0].effective & 1U << CAP_SYS_ADMIN) && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0,
	     "%x %x", now[0].effective, now[0].permitted);
	tell("no-huge-pages", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "");
	tell("no-new-privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "");
}

/* The first process goes on, and a child of this one's that ends is its to bury. */
static void check_first(void)
{
	unsigned long before = common->count, reaped = common->reaped;
	struct timespec now, nap = { .tv_nsec = 10000000 };
	pid_t orphan = fork();
	int tries = 0;

	if (!orphan) {
		if (!fork())
			_exit(0);
		_exit(0);
	}
	waitpid(orphan, NULL, 0);
	while (tries++ < 500 && (common->count == before || common->reaped == reaped))
		nanosleep(&nap, NULL);
	tell("init", common->count > before && common->reaped > reaped, "%lu, reaped %lu",
	     common->count - before, common->reaped - reaped);
	clock_gettime(CLOCK_MONOTONIC, &now);
	tell("clock", now.tv_sec > last.tv_sec ||
	     (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec), "%ld after %ld",
	     (long)now.tv_sec, (long)last.tv_sec);
	last = now;
}

/* As large as the network of whoever is connected takes them. */
static void check_segments(void)
{
	unsigned int least = -1;
	struct tcp_info info;
	socklen_t size;

	for (int i = 1; i <= CLIENTS; i++) {
		size = sizeof(info);
		if (ready[i].fd >= 0 && !getsockopt(ready[i].fd, IPPROTO_TCP, TCP_INFO, &info, &size) &&
		    info.tcpi_snd_mss < least)
			least = info.tcpi_snd_mss;
	}
	tell("segments", least >= 1400, "at least %u", least);
}

static bool serve(int client)
{
	char request[2048], *body = NULL;
	size_t size = 0;
	ssize_t length = recv(client, request, sizeof(request) - 1, 0);

	if (length <= 0)
		return false;
	request[length] = 0;
	answer = open_memstream(&body, &size);
	if (!strncmp(request, "GET /check ", 11)) {
		check_namespaces();
		check_files();
		check_devices();
		check_rights();
		check_first();
		check_segments();
	} else {
		fprintf(answer, "%08x\n", content());
	}
	fclose(answer);
	dprintf(client, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", size, body);
	free(body);
	return true;
}

static void server(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener = MUST(socket(AF_INET, SOCK_STREAM, 0)), on = 1;

	make();
	MUST(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	MUST(bind(listener, (struct sockaddr *)&any, sizeof(any)));
	MUST(listen(listener, 5));
	ready[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (int i = 1; i <= CLIENTS; i++)
		ready[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	for (;;) {
		if (poll(ready, 1 + CLIENTS, -1) < 0)
			continue;
		for (int i = 1; i <= CLIENTS; i++) {
			if (ready[i].fd >= 0 && ready[i].revents && !serve(ready[i].fd)) {
				close(ready[i].fd);
				ready[i].fd = -1;
			}
		}
		if (ready[0].revents) {
			int client = accept(listener, NULL, NULL), i = 1;

			while (i <= CLIENTS && ready[i].fd >= 0)
				i++;
			if (i > CLIENTS)
				close(client);
			else
				ready[i].fd = client;
		}
	}
}

int main(void)
{
	struct timespec nap = { .tv_nsec = 20000000 };
	int null = MUST(open("/dev/null", O_RDWR));

	/* What the runtime was started with is of the machine, not of the container. */
	for (int fd = 0; fd < 3; fd++)
		MUST(dup2(null, fd));
	if (null > 2)
		close(null);
	signal(SIGPIPE, SIG_IGN);
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED)
		die("mmap");
	if (!MUST(fork()))
		server();
	for (;;) {
		common->count++;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			common->reaped++;
		nanosleep(&nap, NULL);
	}
}
