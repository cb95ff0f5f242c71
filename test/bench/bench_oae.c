/* SPDX-License-Identifier: Apache-2.0 */
/* OAE messages alone, without frames: they have no public functions, so this links the objects. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "envelope/oae.h"

#define ROUNDS 9
#define MIB    ((size_t)1 << 20)

static const uint8_t secret[PM_OAE_SECRET_SIZE], header[PM_OAE_HEADER_SIZE];
static struct pm_oae oae;
static struct pm_nonces *nonces;
static uint8_t *plain, *sealed;

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

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

static void measure(size_t size, size_t calls)
{
	double times[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (size_t k = 0; k < calls; k++)
			must(pm_oae_seal(&oae.request, nonces, false, pm_view(plain, size), sealed),
				"seal");
		times[i] = (seconds() - start) / (double)calls;
	}
	qsort(times, ROUNDS, sizeof(*times), compare);
	printf("%-32s %8zu B %10.3f us [%.3f-%.3f] %6.2f GB/s\n", "OAE message, seal", size,
		1e6 * times[ROUNDS / 2], 1e6 * times[0], 1e6 * times[ROUNDS - 1],
		(double)size / times[ROUNDS / 2] * 1e-9);
}

int main(void)
{
	plain = calloc(1, MIB);
	sealed = calloc(1, MIB + PM_OAE_OVERHEAD);
	if (!plain || !sealed)
		errx(1, "out of memory");
	must(pm_nonces_new(&nonces), "nonces");
	must(pm_oae_request(&oae, secret, header), "keys");
	measure(256, 200000);
	measure(65536, 2000);
	measure(MIB, 200);
	pm_oae_end(&oae);
	pm_nonces_free(nonces);
	free(plain);
	free(sealed);
	return 0;
}
