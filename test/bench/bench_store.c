/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of a store in a second: one after the other, and many at a time. The median of ROUNDS,
 * with the least and the most.
 *
 * bench_store [--tls CERT KEY CA] NAME URL
 */
#include <err.h>
#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_tls.h"

#define ROUNDS	5
#define SECONDS 0.5
#define SIZE	1024
#define DEPTH	128
#define KEYS	1000

struct bench {
	struct loop *loop;
	struct store *store;
	bool is_write;
	unsigned long begun, done, under_way;
	double end;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void begin(struct bench *b);

static void on_done(void *arg, const struct store_result *result)
{
	struct bench *b = arg;

	if (result->error != PM_OK && result->error != PM_E_MISSING)
		errx(1, "%s", result->reason);
	b->done++;
	b->under_way--;
	if (now() < b->end)
		begin(b);
	else if (b->under_way == 0)
		loop_stop(b->loop);
}

static void begin(struct bench *b)
{
	static const char value[SIZE];
	char key[32];

	snprintf(key, sizeof(key), "bench/%06lu", b->begun++ % KEYS);
	b->under_way++;
	if (!(b->is_write ? store_put(b->store, key, value, sizeof(value), 0, STORE_ANY, on_done, b)
			  : store_get(b->store, key, on_done, b)))
		errx(1, "out of memory");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(const char *name, const char *what, struct bench *b, int depth)
{
	double rates[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start = now();

		b->done = 0;
		b->end = start + SECONDS;
		for (int k = 0; k < depth; k++)
			begin(b);
		loop_run(b->loop);
		rates[i] = (double)b->done / (now() - start);
	}
	qsort(rates, ROUNDS, sizeof(rates[0]), compare);
	printf("%-22s %-5s of %d bytes, %3d at a time %9.0f/s [%.0f-%.0f]\n", name, what, SIZE,
		depth, rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct store_tls tls = store_tls_take(&argc, &argv);
	struct bench b = {0};
	const char *reason;

	if (argc != 3 || loop_new(0, &b.loop) < 0)
		errx(2, "usage: bench_store [--tls CERT KEY CA] NAME URL");
	if (store_open(b.loop, argv[2], &tls, &reason, &b.store) < 0)
		errx(1, "%s", reason);
	b.is_write = true;
	run(argv[1], "write", &b, 1);
	run(argv[1], "write", &b, DEPTH);
	b.is_write = false;
	run(argv[1], "read", &b, 1);
	run(argv[1], "read", &b, DEPTH);
	store_close(b.store);
	loop_free(b.loop);
	store_tls_free(&tls);
	return 0;
}
