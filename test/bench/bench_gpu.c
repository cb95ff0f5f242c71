/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight GPUs of one host, everything: each one's own chain and report, the golden measurements and
 * the OCSP responses that they share, the set. Beside it, in the same run, so many P-384 signatures
 * verified by OpenSSL as the work has, and nothing else.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "../unit/gpu_world.h"
#include "../unit/testing.h"
#include "evidence/gpu_cache.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/rim.h"

#define GPUS   8
#define ROUNDS 9
#define CALLS  5

/*
 * A report and two links for each GPU, and two links that they share; for each manifest three links
 * and the text; a response for each boot ROM, for two authorities, and for four certificates of the
 * manifests (their CAs are the same), and the certificates of six responders.
 */
#define SIGNATURES (GPUS * 3 + 2 + 2 * 4 + GPUS + 2 + 3 + 6)

static struct gpu_world world;
static struct pm_view report_bytes[GPUS], certs[GPUS][PM_GPU_CERTS];
static struct pm_gpu_cache *warm;

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

static void make_input(void)
{
	gpu_make_keys();
	gpu_world_init(&world, GPUS);
	for (size_t i = 0; i < GPUS; i++) {
		struct gpu_scene *s = &world.gpus[i];

		must(gpu_scene_make(s, NULL, &s->ev), "report");
		report_bytes[i] = pm_view(s->bytes, s->size);
		for (size_t k = 0; k < PM_GPU_CERTS; k++)
			certs[i][k] = s->ders[k];
	}
	must(pm_gpu_cache_new(16, &warm), "cache");
}

/* --- the work measured ----------------------------------------------------------------------- */

/* Responses as they came from the net: encoded, not verified. */
static struct pm_view responses[GPUS + 8];
static size_t response_count;

static void keep(const struct gpu_issuer *issuer, struct pm_view cert)
{
	struct mint_ocsp spec = gpu_world_ocsp(&world, issuer, cert);

	responses[response_count++] = mint_ocsp(&spec);
}

static void make_responses(void)
{
	for (size_t i = 0; i < GPUS; i++)
		keep(gpu_world_issuer(&world, 1), certs[i][1]);
	keep(gpu_world_issuer(&world, 2), certs[0][2]);
	keep(gpu_world_issuer(&world, 3), certs[0][3]);
	for (size_t i = 0; i < 3; i++)
		keep(&world.rim_issuers[i], world.pki.certs[i]);
}

static struct pm_ocsp_set *read_responses(void)
{
	struct pm_ocsp_set *set = NULL;

	must(pm_ocsp_set_new(&set), "set");
	for (size_t i = 0; i < response_count; i++)
		must(pm_ocsp_set_add(set, responses[i].ptr, responses[i].len, NULL), "OCSP");
	return set;
}

static struct pm_rim *verify_rim(
	struct pm_view text, const struct pm_gpu_policy *policy, const struct pm_ocsp_set *ocsp)
{
	struct pm_rim_document *doc = NULL;
	struct pm_rim *rim = NULL;

	must(pm_rim_parse(text.ptr, text.len, NULL, &doc), "RIM");
	must(pm_rim_verify(doc, policy, ocsp, GPU_NOW, NULL, &rim), "RIM");
	pm_rim_document_free(doc);
	return rim;
}

static struct pm_gpu_evidence *parse(size_t i)
{
	struct pm_gpu_evidence *ev = NULL;

	must(pm_gpu_evidence_parse(report_bytes[i].ptr, report_bytes[i].len, 0, NULL, &ev),
		"report");
	for (size_t k = 0; k < PM_GPU_CERTS; k++)
		must(pm_gpu_evidence_add_certs(ev, certs[i][k].ptr, certs[i][k].len, NULL),
			"certs");
	return ev;
}

static void verify_host(struct pm_gpu_cache *cache)
{
	struct pm_gpu_policy *policy = gpu_world_policy(&world);
	struct pm_ocsp_set *ocsp = read_responses();
	struct pm_rim *rims[] = {
		verify_rim(world.driver, policy, ocsp), verify_rim(world.vbios, policy, ocsp)};
	const struct pm_gpu_facts *facts[GPUS];
	struct pm_gpu_evidence *ev[GPUS];

	for (size_t i = 0; i < GPUS; i++) {
		ev[i] = parse(i);
		must(pm_gpu_verify(ev[i], policy, (const struct pm_rim *const *)rims, 2, ocsp,
			     cache, GPU_NOW, NULL, &facts[i]),
			"verify");
	}
	must(pm_gpu_verify_set(facts, GPUS, GPUS, 0, NULL), "set");
	for (size_t i = 0; i < GPUS; i++)
		pm_gpu_evidence_free(ev[i]);
	pm_rim_free(rims[0]);
	pm_rim_free(rims[1]);
	pm_ocsp_set_free(ocsp);
	pm_gpu_policy_free(policy);
}

static void run_cold(void)
{
	struct pm_gpu_cache *cache = NULL;

	must(pm_gpu_cache_new(16, &cache), "cache");
	verify_host(cache);
	pm_gpu_cache_free(cache);
}

static void run_warm(void)
{
	verify_host(warm);
}

/* --- the peer -------------------------------------------------------------------------------- */

static EVP_PKEY *peer_key;
static unsigned char peer_signature[256];
static size_t peer_size = sizeof(peer_signature);
static const unsigned char message[4096];

static void make_peer(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	peer_key = EVP_EC_gen("P-384");
	if (!ctx || !peer_key ||
		EVP_DigestSignInit_ex(ctx, NULL, "SHA384", NULL, NULL, peer_key, NULL) != 1 ||
		EVP_DigestSign(ctx, peer_signature, &peer_size, message, sizeof(message)) != 1)
		errx(1, "OpenSSL");
	EVP_MD_CTX_free(ctx);
}

static void run_peer(void)
{
	for (int i = 0; i < SIGNATURES; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		if (EVP_DigestVerifyInit_ex(ctx, NULL, "SHA384", NULL, NULL, peer_key, NULL) != 1 ||
			EVP_DigestVerify(
				ctx, peer_signature, peer_size, message, sizeof(message)) != 1)
			errx(1, "OpenSSL");
		EVP_MD_CTX_free(ctx);
	}
}

/* --- clock ----------------------------------------------------------------------------------- */

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

static void measure(const char *what, void (*run)(void))
{
	double times[ROUNDS];

	run(); /* warm up */
	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (int k = 0; k < CALLS; k++)
			run();
		times[i] = (seconds() - start) / CALLS;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	printf("%-46s %8.2f ms [%.2f-%.2f]\n", what, times[ROUNDS / 2] * 1e3, times[0] * 1e3,
		times[ROUNDS - 1] * 1e3);
}

/* The makers of the input are those of the unit tests, and assert. */
START_TEST(bench)
{
	char peer[64];

	make_input();
	make_responses();
	make_peer();
	snprintf(peer, sizeof(peer), "OpenSSL, %d P-384 signatures alone", SIGNATURES);
	measure("8 GPUs, everything, cold", run_cold);
	measure("8 GPUs, everything, chains verified before", run_warm);
	measure(peer, run_peer);
	for (size_t i = 0; i < response_count; i++)
		test_free(responses[i]);
	pm_gpu_cache_free(warm);
	EVP_PKEY_free(peer_key);
	gpu_world_free(&world);
	gpu_free_keys();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bench_gpu");
	SRunner *runner = srunner_create(s);
	TCase *t = tcase_create("bench_gpu");
	int failed;

	tcase_add_test(t, bench);
	suite_add_tcase(s, t);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
