/* SPDX-License-Identifier: Apache-2.0 */
/* What benchmarks of daemons share: programs, what they use, the secret, the clock. */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include <stdint.h>
#include <sys/types.h>

#include <pm/field.h>

#define BENCH_ID "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="

extern const uint8_t bench_secret[PM_FIELD_SECRET_SIZE];

struct bench_server {
	pid_t pid;
	uint16_t port;
};

/* Each of these ends the benchmark when it fails. */

void bench_must(int r, const char *what);
/* This process runs on that processor alone. */
void bench_pin(int cpu);
struct bench_server bench_start(int cpu, const char *const argv[]);
void bench_stop(struct bench_server *s);
/* Microseconds of processor time. */
double bench_cpu(const struct bench_server *s);
/* KiB: "VmHWM:" or "VmRSS:". */
long bench_memory(const struct bench_server *s, const char *which);
/* A file of keys with the secret. */
void bench_write_keys(const char *path);
/* Microseconds of a clock that only moves forward. */
double bench_now(void);
/* For qsort() of doubles. */
int bench_by_value(const void *a, const void *b);

#endif
