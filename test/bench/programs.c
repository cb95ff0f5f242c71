/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pm/pm.h>

const uint8_t bench_secret[PM_FIELD_SECRET_SIZE] = {1, 2, 3};

void bench_must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* The port that the program's log tells. */
static uint16_t read_port(int fd)
{
	static const char mark[] = "listening on=127.0.0.1:";
	char log[4096];
	size_t len = 0;

	while (len < sizeof(log) - 1) {
		ssize_t n = read(fd, log + len, sizeof(log) - 1 - len);
		const char *at;

		if (n <= 0)
			break;
		len += (size_t)n;
		log[len] = '\0';
		at = strstr(log, mark);
		if (at && strstr(log, " ready"))
			return (uint16_t)strtoul(at + sizeof(mark) - 1, NULL, 10);
	}
	errx(1, "a server did not begin");
}

struct bench_server bench_start(int cpu, const char *const argv[])
{
	struct bench_server s;
	int log[2];

	if (pipe(log) < 0)
		err(1, "pipe");
	s.pid = fork();
	if (s.pid == 0) {
		bench_pin(cpu);
		/* Nobody reads on: what does not fit the pipe is lost, and nobody waits. */
		(void)fcntl(log[1], F_SETFL, O_NONBLOCK);
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(log[1]);
	s.port = read_port(log[0]);
	return s;
}

void bench_stop(struct bench_server *s)
{
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
}

double bench_cpu(const struct bench_server *s)
{
	unsigned long user, system;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", s->pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			  &user, &system) != 2)
		errx(1, "%s", path);
	fclose(f);
	return 1e6 * (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long bench_memory(const struct bench_server *s, const char *which)
{
	char path[64], line[256];
	long found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", s->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, which, strlen(which)))
			found = strtol(line + strlen(which), NULL, 10);
	if (f)
		fclose(f);
	return found;
}

void bench_write_keys(const char *path)
{
	char hex[2 * sizeof(bench_secret) + 1];
	FILE *f = fopen(path, "w");

	if (!f)
		err(1, "%s", path);
	pm_hex_encode(bench_secret, sizeof(bench_secret), hex);
	fprintf(f, "%s %s\n", BENCH_ID, hex);
	fclose(f);
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

int bench_by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
