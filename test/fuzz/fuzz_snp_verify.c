/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a stranger hands in at once: report, certificate table, certificates, revocation list,
 * each with 32 bits of length before it. The corpus has a few roots of its own; their keys signed
 * what snp_seeds.h lists and are gone. So a yes to anything else is a forgery.
 */
#include <string.h>

#include <pm/snp_policy.h>

#include "base/rd.h"
#include "evidence/snp_cache.h"
#include "evidence/snp_fields.h"
#include "fuzz.h"
#include "snp_seeds.h"

#define BLOCK_MAX 65536

static bool is_seed(const uint8_t *bytes, size_t size, const uint8_t (*seeds)[32], size_t count)
{
	uint8_t sha256[PM_SHA256_SIZE];

	FUZZ_CHECK(pm_hash(PM_SHA256, pm_view(bytes, size), sha256) == PM_OK);
	for (size_t i = 0; i < count; i++) {
		if (!memcmp(seeds[i], sha256, sizeof(sha256)))
			return true;
	}
	return false;
}

static bool is_seed_root(const uint8_t *sha256)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(seed_roots); i++) {
		if (!memcmp(seed_roots[i], sha256, PM_SHA256_SIZE))
			return true;
	}
	return false;
}

static void check_lists(const struct pm_snp_evidence *ev)
{
	for (size_t i = 0; i < ev->crl_count; i++)
		FUZZ_CHECK(!is_seed(ev->crls[i].ptr, ev->crls[i].len, seed_revoking,
			PM_ARRAY_LEN(seed_revoking)));
}

static void check_facts(const struct pm_snp_evidence *ev, const struct pm_snp_facts *facts)
{
	struct pm_view runtime_data = pm_view(facts->runtime_data, facts->runtime_data_size);

	FUZZ_CHECK(facts->test_root && is_seed_root(facts->root_sha256));
	FUZZ_CHECK(is_seed(
		ev->signed_bytes, PM_SNP_SIGNED_SIZE, seed_signed, PM_ARRAY_LEN(seed_signed)));
	FUZZ_CHECK(!memcmp(&facts->fields, &ev->fields, sizeof(ev->fields)));
	FUZZ_CHECK(facts->valid_until >= FUZZ_NOW);
	FUZZ_CHECK(!runtime_data.len || pm_view_equal(runtime_data, ev->runtime_data));
	FUZZ_CHECK(facts->crl_checked == (ev->crl_count > 0));
	check_lists(ev);
}

/* The answer is the same from the cache, and no without the test roots. */
static void check_other_ways(struct pm_snp_evidence *ev, int answer)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	const struct pm_snp_facts *facts = NULL;

	FUZZ_CHECK(pm_snp_cache_new(2, &cache) == PM_OK);
	FUZZ_CHECK(fuzz_verify_with_roots(
			   ev, cache, seed_roots, PM_ARRAY_LEN(seed_roots), &facts) == answer);
	FUZZ_CHECK(fuzz_verify_with_roots(
			   ev, cache, seed_roots, PM_ARRAY_LEN(seed_roots), &facts) == answer);
	FUZZ_CHECK((facts != NULL) == (answer == PM_OK));
	facts = NULL;
	FUZZ_CHECK(fuzz_verify(ev, cache, &facts) < 0 && !facts);
	FUZZ_CHECK(fuzz_verify(ev, NULL, &facts) < 0 && !facts);
}

/* What does not parse is left out: verification must cope. */
static void add_parts(struct pm_snp_evidence *ev, struct pm_rd *rd)
{
	struct pm_view table = pm_rd_prefixed_be32(rd, BLOCK_MAX);
	struct pm_view certs = pm_rd_prefixed_be32(rd, BLOCK_MAX);
	struct pm_view crl = pm_rd_prefixed_be32(rd, BLOCK_MAX);
	int r = pm_snp_evidence_add_table(ev, table.ptr, table.len, NULL);

	if (certs.len)
		r |= pm_snp_evidence_add_certs(ev, certs.ptr, certs.len, NULL);
	if (crl.len)
		r |= pm_snp_evidence_add_crl(ev, crl.ptr, crl.len, NULL);
	FUZZ_CHECK(r <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_rd rd = pm_rd(pm_view(data, size));
	struct pm_view report = pm_rd_prefixed_be32(&rd, BLOCK_MAX);
	int r;

	if (pm_snp_evidence_parse(report.ptr, report.len, NULL, &ev) < 0)
		return 0;
	add_parts(ev, &rd);
	r = fuzz_verify_with_roots(ev, NULL, seed_roots, PM_ARRAY_LEN(seed_roots), &facts);
	FUZZ_CHECK((r == PM_OK) == (facts != NULL));
	if (facts)
		check_facts(ev, facts);
	check_other_ways(ev, r);
	return 0;
}
