/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope encryption: time and allocations of one call, over the public functions alone. A row is
 * one kind of work: prepare() once, run() many times.
 *
 * bench_envelope [TEXT]: the rows whose name holds the text; all without one.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_envelope.h"

/* --- every allocation of the process is counted ---------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long allocations;

#define COUNTED __attribute__((visibility("default")))

COUNTED void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

COUNTED void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

COUNTED void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

/* --- what the rows share --------------------------------------------------------------------- */

const uint8_t secret[PM_FIELD_SECRET_SIZE] = {1, 2, 3};
uint8_t *plain;

void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

void *room(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		errx(1, "out of memory");
	return p;
}

/* --- measuring ------------------------------------------------------------------------------- */

#define ROUNDS 9

/* The processor's time: what other programs take of it does not count. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_row(const struct row *row, const double *times, unsigned long allocated)
{
	double median = times[ROUNDS / 2];

	printf("%-32s %8zu B %10.3f us [%.3f-%.3f]", row->name, row->size, 1e6 * median,
		1e6 * times[0], 1e6 * times[ROUNDS - 1]);
	if (row->size >= 4096)
		printf(" %6.2f GB/s", (double)row->size / median * 1e-9);
	printf(" %.1f allocations\n", (double)allocated / (double)(ROUNDS * row->calls));
}

static void measure(const struct row *row)
{
	double times[ROUNDS];
	unsigned long before;

	row->prepare(row->size);
	row->run(row->size); /* warm up */
	before = allocations;
	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (size_t k = 0; k < row->calls; k++)
			row->run(row->size);
		times[i] = (seconds() - start) / (double)row->calls;
	}
	before = allocations - before;
	qsort(times, ROUNDS, sizeof(*times), compare);
	print_row(row, times, before);
	row->finish();
}

static void measure_all(const struct rows *rows, const char *wanted)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strstr(rows->list[i].name, wanted))
			measure(&rows->list[i]);
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";

	plain = room(MIB);
	memset(plain, 'x', MIB);
	measure_all(&field_rows, wanted);
	measure_all(&exchange_rows, wanted);
	free(plain);
	return 0;
}
