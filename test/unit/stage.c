/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "policy/manifest.h"
#include "testing.h"

#define MEASUREMENT 0x090
#define REPORT_DATA 0x050

/* --- the manifest ----------------------------------------------------------------------------- */

static json_t *hex_of(const void *bytes, size_t n)
{
	return json_string(pm_hex(bytes, n).s);
}

/* What the scene's report of nothing but zeros can meet, and a measurement. */
static json_t *snp_demands(const char *measurement)
{
	return json_pack("{s:[s], s:n, s:n, s:{s:{s:i, s:i, s:i, s:i}}, s:[s], s:b, s:b}",
		"measurements", measurement, "host_data", "chip_ids", "min_tcb", "Genoa",
		"boot_loader", 0, "tee", 0, "snp", 0, "microcode", 0, "signers", "VCEK",
		"require_crl", 1, "permit_masked_chip_id", 1);
}

static json_t *role(const struct stage *s, bool right)
{
	char measurement[2 * PM_SNP_DIGEST_SIZE + 1] = "";

	for (size_t i = 0; i < PM_SNP_DIGEST_SIZE; i++)
		strcat(measurement, right ? "6d" : "66");
	(void)s;
	return json_pack("{s:o, s:n, s:[s], s:[], s:b}", "snp", snp_demands(measurement), "gpu",
		"models", right ? "tiny" : "other", "calls", "workload_secret", 0);
}

static json_t *model(uint8_t root)
{
	uint8_t hash[PM_BUNDLE_DIGEST_SIZE];

	memset(hash, root, sizeof(hash));
	return json_pack("{s:o, s:i, s:i, s:s, s:i, s:i}", "root_hash", hex_of(hash, 32),
		"hash_offset", 40960, "data_blocks", 10, "salt", "00ff", "data_block_size", 4096,
		"hash_block_size", 4096);
}

static json_t *manifest_of(const struct stage *s)
{
	uint8_t root[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, s->ark, root), PM_OK);
	return json_pack("{s:i, s:i, s:n, s:s, s:s, s:{s:o, s:o}, s:{s:o, s:o}, "
			 "s:{s:i, s:[{s:s, s:s}]}, s:n, s:[], s:{s:[o]}}",
		"version", 1, "serial", 1, "previous", "not_before", "2025-12-31T00:00:00Z",
		"not_after", "2026-12-31T00:00:00Z", "roles", "worker", role(s, true), "stranger",
		role(s, false), "models", "tiny", model(0x33), "other", model(0x44), "owners",
		"threshold", 1, "keys", "name", "alice", "key",
		"MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU=", "seed_share_owners",
		"secrets", "extra_roots", "snp", hex_of(root, sizeof(root)));
}

/* --- the worker ------------------------------------------------------------------------------- */

static void set_claims(struct pm_claims *c)
{
	*c = (struct pm_claims){
		.key_kind = PM_CLAIMS_XWING,
		.key_len = PM_CLAIMS_XWING_SIZE,
		.has_tls = true,
		.model_count = 1,
		.models = {{.name = "tiny"}},
		.role = "worker",
		.issued_at = STAGE_NOW - 10,
	};
	memset(c->key, 0x58, sizeof(c->key));
	memset(c->tls_spki_sha256, 0x54, sizeof(c->tls_spki_sha256));
	memset(c->models[0].root_hash, 0x33, sizeof(c->models[0].root_hash));
}

void stage_init(struct stage *s)
{
	ck_pm(pm_crypto_init(), PM_OK);
	*s = (struct stage){0};
	scene_init(&s->snp, PM_SNP_GENOA, PM_SNP_VCEK);
	scene_add_list(&s->snp, NULL, 0);
	memset(s->snp.report + MEASUREMENT, 0x6d, PM_SNP_DIGEST_SIZE);
	s->ark = mint_cert(&s->snp.ark);
	s->ask = mint_cert(&s->snp.ask);
	s->vek = mint_cert(&s->snp.vek);
	s->crl = mint_crl(&s->snp.lists[0]);
	set_claims(&s->claims);
	memset(s->nonce.nonce, 0x4e, sizeof(s->nonce.nonce));
	memset(s->question_nonce, 0x4e, sizeof(s->question_nonce));
	s->question.now = STAGE_NOW;
	s->manifest = manifest_of(s);
	ck_assert_ptr_nonnull(s->manifest);
}

void stage_free(struct stage *s)
{
	test_free(s->ark);
	test_free(s->ask);
	test_free(s->vek);
	test_free(s->crl);
	json_decref(s->manifest);
	scene_free(&s->snp);
}

static void reverse(uint8_t *ret, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = from[n - 1 - i];
}

static void sign_report(struct stage *s, const uint8_t *report_data)
{
	struct pm_view signature;

	memcpy(s->report, s->snp.report, sizeof(s->report));
	memcpy(s->report + REPORT_DATA, report_data, PM_SNP_REPORT_DATA_SIZE);
	signature = mint_ecdsa(s->snp.report_key, "SHA384", pm_view(s->report, 0x2a0), 48);
	reverse(s->report + 0x2a0, signature.ptr, 48);
	reverse(s->report + 0x2e8, signature.ptr + 48, 48);
	test_free(signature);
}

static struct pm_bytes bytes_of(struct pm_view v)
{
	return (struct pm_bytes){v.ptr, v.len};
}

void stage_replace_claims(struct stage *s, struct pm_bundle_content *c)
{
	ck_pm(pm_claims_encode(&s->claims, NULL, s->claims_bytes, &c->claims.len), PM_OK);
	c->claims.ptr = s->claims_bytes;
}

static void set_lists(struct stage *s, struct pm_bundle_content *c)
{
	s->certs[0] = bytes_of(s->vek);
	s->certs[1] = bytes_of(s->ask);
	s->certs[2] = bytes_of(s->ark);
	s->crls[0] = bytes_of(s->crl);
	c->certs = s->certs;
	c->cert_count = 3;
	c->crls = s->crls;
	c->crl_count = 1;
	c->gpus = s->gpus;
	c->gpu_count = s->gpu_count;
}

struct pm_view stage_bundle(struct stage *s)
{
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE], report_data[PM_BUNDLE_REPORT_DATA_SIZE], *bytes;
	struct pm_bundle_content c = {.nonce = s->nonce};
	size_t len;

	stage_replace_claims(s, &c);
	ck_pm(pm_bundle_challenge(&s->nonce, challenge), PM_OK);
	ck_pm(pm_bundle_report_data(challenge, c.claims.ptr, c.claims.len, report_data), PM_OK);
	sign_report(s, report_data);
	c.snp_report = (struct pm_bytes){s->report, sizeof(s->report)};
	set_lists(s, &c);
	if (s->change)
		s->change(s, &c);
	bytes = pm_alloc(pm_bundle_room(&c));
	ck_assert_ptr_nonnull(bytes);
	ck_pm(pm_bundle_encode(&c, NULL, bytes, pm_bundle_room(&c), &len), PM_OK);
	return pm_view(bytes, len);
}

/* --- the verifier ----------------------------------------------------------------------------- */

static struct pm_manifest *parse_manifest(const struct stage *s)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	char *text = json_dumps(s->manifest, 0);
	struct pm_manifest *m = NULL;
	int r = pm_manifest_parse(text, strlen(text), report, &m);

	ck_assert_msg(r == PM_OK, "%s", pm_report_reason(report));
	free(text);
	return m;
}

int stage_judge(const struct stage *s, struct pm_view bundle, struct pm_verdict *verdict,
	const struct pm_appraised **ret)
{
	pm_cleanup(pm_manifest) struct pm_manifest *manifest = parse_manifest(s);
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	struct pm_appraisal question = s->question;
	int r = pm_bundle_parse(bundle.ptr, bundle.len, NULL, &b);

	if (r < 0)
		return r;
	question.manifest = manifest;
	question.nonce = s->question_nonce;
	return pm_appraise(b, &question, verdict, ret);
}
