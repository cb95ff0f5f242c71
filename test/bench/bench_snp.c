/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNP verification, cold (certificates given, nothing cached) and warm (chain already
 * verified): time and allocations. Usage: bench_snp LABEL REPORT VEK CHAIN POLICY-ROOT-
 * SHA256|- TIME
 */
#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

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

/* --- input ----------------------------------------------------------------------------------- */

struct input {
	unsigned char bytes[65536];
	size_t size;
};

static struct input report_file, vek_file, chain_file;
static struct pm_snp_policy *policy;
static int64_t now;

static void load(const char *path, struct input *ret)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		err(2, "%s", path);
	ret->size = fread(ret->bytes, 1, sizeof(ret->bytes), f);
	fclose(f);
}

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

static void make_policy(const char *root)
{
	uint8_t sha256[32];

	must(pm_snp_policy_new(&policy), "policy");
	must(pm_snp_policy_waive(policy,
		     PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB),
		"policy");
	if (strcmp(root, "-") == 0)
		return;
	must(pm_hex_decode(root, sha256, sizeof(sha256)), "root");
	must(pm_snp_policy_add_test_root(policy, sha256), "policy");
}

/* --- the work measured ----------------------------------------------------------------------- */

static struct pm_snp_evidence *parse(void)
{
	struct pm_snp_evidence *ev = NULL;

	must(pm_snp_evidence_parse(report_file.bytes, report_file.size, NULL, &ev), "report");
	must(pm_snp_evidence_add_certs(ev, vek_file.bytes, vek_file.size, NULL), "VEK");
	must(pm_snp_evidence_add_certs(ev, chain_file.bytes, chain_file.size, NULL), "chain");
	return ev;
}

static void verify(struct pm_snp_evidence *ev, struct pm_snp_cache *cache)
{
	const struct pm_snp_facts *facts = NULL;

	must(pm_snp_verify(ev, policy, cache, now, NULL, &facts), "verify");
}

static void run_cold(struct pm_snp_cache *cache)
{
	struct pm_snp_evidence *ev = parse();

	(void)cache;
	verify(ev, NULL);
	pm_snp_evidence_free(ev);
}

static void run_warm(struct pm_snp_cache *cache)
{
	struct pm_snp_evidence *ev = parse();

	verify(ev, cache);
	pm_snp_evidence_free(ev);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

#define ROUNDS 9
#define CALLS  200

static void measure(const char *label, const char *what, void (*run)(struct pm_snp_cache *),
	struct pm_snp_cache *cache)
{
	double times[ROUNDS];

	run(cache); /* warm up */
	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (int k = 0; k < CALLS; k++)
			run(cache);
		times[i] = (seconds() - start) / CALLS;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	printf("%-22s %-30s %8.3f ms [%.3f-%.3f] %7.0f/s\n", label, what, times[ROUNDS / 2] * 1e3,
		times[0] * 1e3, times[ROUNDS - 1] * 1e3, 1 / times[ROUNDS / 2]);
}

static void count_allocations(const char *label, struct pm_snp_cache *cache)
{
	struct pm_snp_evidence *ev = parse();
	unsigned long before = allocations, cold, warm;

	verify(ev, NULL);
	cold = allocations - before;
	before = allocations;
	verify(ev, cache);
	warm = allocations - before;
	printf("%-22s %-30s %lu cold, %lu warm\n", label, "allocations of pm_snp_verify", cold,
		warm);
	pm_snp_evidence_free(ev);
}

int main(int argc, char **argv)
{
	struct pm_snp_cache *cache = NULL;

	if (argc != 7)
		errx(2, "usage: bench_snp LABEL REPORT VEK CHAIN ROOT-SHA256|- TIME");
	load(argv[2], &report_file);
	load(argv[3], &vek_file);
	load(argv[4], &chain_file);
	make_policy(argv[5]);
	must(pm_time_parse(argv[6], &now), "time");
	must(pm_snp_cache_new(16, &cache), "cache");
	measure(argv[1], "SNP verification, cold", run_cold, cache);
	measure(argv[1], "SNP verification, warm", run_warm, cache);
	count_allocations(argv[1], cache);
	pm_snp_cache_free(cache);
	pm_snp_policy_free(policy);
	return 0;
}
