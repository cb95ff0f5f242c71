/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory each operation refuses, says PM_E_NOMEM, and gives back what it took. The inputs
 * are those of the fuzz corpus (test/fuzz/make_corpus.py).
 */
#include <psa/crypto.h>
#include <string.h>

#include <pm/error.h>
#include <pm/report.h>
#include <pm/snp.h>
#include <pm/snp_policy.h>
#include <pm/verity.h>

#include "alloc.h"
#include "base/lru.h"
#include "base/rd.h"
#include "base/report.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "evidence/snp_cache.h"
#include "evidence/snp_evidence.h"
#include "evidence/snp_policy.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

static struct pm_view ask, vcek, crl, pem, p384, rsa, snp, table;

static void read_corpus(void)
{
	ask = test_read(PM_CORPUS "/cert/ask");
	vcek = test_read(PM_CORPUS "/cert/vcek");
	crl = test_read(PM_CORPUS "/crl/no-cert");
	crl = pm_view(crl.ptr + 2, crl.len - 2);
	pem = test_read(PM_CORPUS "/pem/two");
	p384 = test_read(PM_CORPUS "/spki/p384");
	rsa = test_read(PM_CORPUS "/spki/rsa-2048");
	snp = test_read(PM_CORPUS "/snp_verify/valid-pem-crl");
	table = test_read(PM_CORPUS "/snp_table/with-crl");
	ck_pm(pm_crypto_init(), PM_OK);
}

static int make_report(void)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();

	if (!report)
		return PM_E_NOMEM;
	(void)pm_fail(report, PM_E_REJECTED, "name", "1", "2");
	return strcmp(pm_report_reason(report), "name: found 2, expected 1") ? ALLOC_WRONG : PM_OK;
}

static int copy_secret(void)
{
	pm_cleanup(secret) struct pm_secret secret = {0};
	int r = pm_secret_copy(&secret, VIEW("secret"));

	if (r < 0)
		return secret.ptr ? ALLOC_WRONG : r;
	return pm_view_equal(pm_view(secret.ptr, secret.len), VIEW("secret")) ? PM_OK : ALLOC_WRONG;
}

static int derive(void)
{
	pm_cleanup(secret) struct pm_secret prk = {0}, okm = {0};
	int r = pm_hkdf_extract(PM_SHA256, VIEW("salt"), VIEW("key"), &prk);

	if (r < 0)
		return r;
	r = pm_hkdf_expand(PM_SHA256, pm_view(prk.ptr, prk.len), VIEW("info"), 48, &okm);
	if (r < 0)
		return okm.ptr ? ALLOC_WRONG : r;
	return okm.len == 48 && !pm_is_zero(okm.ptr, 48) ? PM_OK : ALLOC_WRONG;
}

static int seal(void)
{
	static const uint8_t key[PM_AEAD_KEY_SIZE], nonce[PM_AEAD_NONCE_SIZE];
	pm_cleanup(pm_aead) struct pm_aead *aead = NULL;
	uint8_t sealed[5 + PM_AEAD_TAG_SIZE], plain[5];
	int r = pm_aead_new(pm_view(key, sizeof(key)), &aead);

	if (r < 0)
		return aead ? ALLOC_WRONG : r;
	r = pm_aead_seal(aead, nonce, VIEW("aad"), VIEW("plain"), sealed);
	if (r < 0)
		return r;
	r = pm_aead_open(aead, nonce, VIEW("aad"), pm_view(sealed, sizeof(sealed)), plain);
	if (r < 0)
		return r;
	return pm_view_equal(pm_view(plain, 5), VIEW("plain")) ? PM_OK : ALLOC_WRONG;
}

static int parse_cert(void)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	int r = pm_cert_parse(vcek, &cert);

	if (r < 0)
		return cert ? ALLOC_WRONG : r;
	if (!pm_view_equal(pm_cert_der(cert), vcek) || !pm_cert_is_named(cert, "SEV-VCEK"))
		return ALLOC_WRONG;
	return PM_OK;
}

static int parse_crl(void)
{
	pm_cleanup(pm_crl) struct pm_crl *list = NULL;
	int r = pm_crl_parse(crl, &list);

	if (r < 0)
		return list ? ALLOC_WRONG : r;
	return pm_crl_next_update(list) > NOW && pm_crl_issuer(list).len ? PM_OK : ALLOC_WRONG;
}

static int count_block(struct pm_view der, void *arg)
{
	if (der.len != ask.len && der.len != vcek.len)
		return PM_E_ARG;
	(*(int *)arg)++;
	return PM_OK;
}

static int read_pem(void)
{
	int count = 0;
	int r = pm_pem_each(pem, "CERTIFICATE", count_block, &count);

	if (r < 0)
		return r;
	return count == 2 ? PM_OK : ALLOC_WRONG;
}

/* A signature of zeros must not verify, whether there is memory or not. */
static int load_key(const struct pm_sig_backend *backend, struct pm_view spki, size_t bits)
{
	static const uint8_t zeros[512];
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_pubkey_from_spki_with(backend, spki, &key);

	if (r < 0)
		return key ? ALLOC_WRONG : r;
	if (pm_pubkey_bits(key) != bits)
		return ALLOC_WRONG;
	if (pm_pubkey_type(key) == PM_KEY_RSA)
		r = pm_rsa_pss_verify(key, PM_SHA384, VIEW("x"), pm_view(zeros, bits / 8));
	else
		r = pm_ecdsa_verify(key, PM_SHA384, VIEW("x"), pm_view(zeros, bits / 4));
	if (r == PM_OK)
		return ALLOC_WRONG;
	return r == PM_E_REJECTED ? PM_OK : r;
}

static const struct pm_sig_backend *backend;

static int load_p384(void)
{
	return load_key(backend, p384, 384);
}

static int load_rsa(void)
{
	return load_key(backend, rsa, 2048);
}

/* The VCEK, signed by the ASK. */
static int check_issuer(void)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL, *issuer = NULL;
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_cert_parse(vcek, &cert);

	if (r < 0)
		return r;
	r = pm_cert_parse(ask, &issuer);
	if (r < 0)
		return r;
	r = pm_cert_pubkey(issuer, &key);
	if (r < 0)
		return r;
	return pm_cert_check_issuer(cert, issuer, key, 0);
}

/* The first call of a process: the libraries' own states. */
static int init_crypto(void)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r;

	mbedtls_psa_crypto_free();
	r = pm_crypto_init();
	if (r == PM_OK)
		r = pm_hash(PM_SHA256, VIEW("x"), digest);
	mbedtls_psa_crypto_free();
	return r;
}

static int fill_policy(struct pm_snp_policy *p)
{
	static const uint8_t value[64];
	uint8_t root[PM_SHA256_SIZE] = {0};
	int r = pm_snp_policy_waive(p, PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MIN_TCB);

	if (r < 0)
		return r;
	r = pm_snp_policy_allow(p, PM_SNP_MEASUREMENT, value, PM_SNP_DIGEST_SIZE);
	if (r < 0)
		return r;
	r = pm_snp_policy_allow(p, PM_SNP_MEASUREMENT, value, PM_SNP_DIGEST_SIZE);
	if (r < 0)
		return r;
	r = pm_snp_policy_allow_csp(p, "CN=corpus.example");
	if (r < 0)
		return r;
	return pm_snp_policy_add_test_root(p, root);
}

static int set_policy(void)
{
	struct pm_snp_policy *p = NULL;
	int r = pm_snp_policy_new(&p);

	if (r == PM_OK)
		r = fill_policy(p);
	pm_snp_policy_free(p);
	return r;
}

static int add_evidence(struct pm_snp_evidence *ev, struct pm_rd *rd)
{
	struct pm_view certs, list;
	int r;

	(void)pm_rd_prefixed_be32(rd, 65536); /* no table in this input */
	certs = pm_rd_prefixed_be32(rd, 65536);
	list = pm_rd_prefixed_be32(rd, 65536);
	r = pm_snp_evidence_add_certs(ev, certs.ptr, certs.len, NULL);
	if (r < 0)
		return r;
	return pm_snp_evidence_add_crl(ev, list.ptr, list.len, NULL);
}

/* The evidence of the corpus; the caller frees it, also after a failure. */
static int read_evidence(struct pm_snp_evidence **ret)
{
	struct pm_rd rd = pm_rd(snp);
	struct pm_view report = pm_rd_prefixed_be32(&rd, 65536);
	int r = pm_snp_evidence_parse(report.ptr, report.len, NULL, ret);

	return r < 0 ? r : add_evidence(*ret, &rd);
}

static int parse_evidence(void)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	int r = read_evidence(&ev);

	if (r < 0)
		return r;
	return ev->cert_count == 3 && ev->crl_count == 1 ? PM_OK : ALLOC_WRONG;
}

static int add_table(void)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	int r = read_evidence(&ev);

	if (r < 0)
		return r;
	r = pm_snp_evidence_add_table(ev, table.ptr, table.len, NULL);
	if (r < 0)
		return ev->entry_count || ev->has_table ? ALLOC_WRONG : r;
	return ev->entry_count == 5 ? PM_OK : ALLOC_WRONG;
}

/* Made once: what is walked is the verification. */
static struct pm_snp_evidence *evidence;
static struct pm_snp_policy *policy;

static int verify_with(struct pm_snp_cache *cache)
{
	const struct pm_snp_facts *facts = NULL;
	int r = pm_snp_verify(evidence, policy, cache, NOW, NULL, &facts);

	if (r < 0)
		return facts ? ALLOC_WRONG : r;
	return facts->test_root && facts->crl_checked ? PM_OK : ALLOC_WRONG;
}

static int verify(void)
{
	return verify_with(NULL);
}

/* Twice: the second time out of the cache, if there was memory to put it there. */
static int verify_cached(void)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	int r = pm_snp_cache_new(4, &cache);

	if (r < 0)
		return r;
	r = verify_with(cache);
	if (r < 0)
		return r;
	return verify_with(cache);
}

/* Two blocks of data, superblock and tree, in memory. */
static uint8_t verity_disk[4 * 4096];

static int read_verity(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	(void)arg;
	memcpy(ret_bytes, verity_disk + offset, bytes);
	return PM_OK;
}

static int write_verity(void *arg, uint64_t offset, const void *from, size_t bytes)
{
	(void)arg;
	memcpy(verity_disk + offset, from, bytes);
	return PM_OK;
}

static int format_and_verify(void)
{
	static const uint8_t uuid[PM_VERITY_UUID_SIZE];
	const struct pm_verity_io io = {
		.size = sizeof(verity_disk), .read = read_verity, .write = write_verity};
	const struct pm_verity_params params = {
		.size = sizeof(params),
		.data_blocks = 2,
		.hash_offset = 8192,
		.data_block_size = 4096,
		.hash_block_size = 4096,
		.salt_size = 1,
	};
	uint8_t root[PM_VERITY_DIGEST_SIZE] = {0};
	int r = pm_verity_format(&params, uuid, &io, &io, NULL, NULL, root);

	if (r < 0)
		return pm_is_zero(root, sizeof(root)) ? r : ALLOC_WRONG;
	r = pm_verity_verify(&params, root, &io, &io, NULL, NULL);
	return r == PM_E_REJECTED ? ALLOC_WRONG : r;
}

START_TEST(base_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_report_new", make_report, ALLOC_NOMEM), 1);
	ck_assert_uint_ge(alloc_walk("pm_secret_copy", copy_secret, ALLOC_NOMEM), 1);
}
END_TEST

START_TEST(crypto_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_hkdf", derive, ALLOC_LOSSY), 2);
	ck_assert_uint_ge(alloc_walk("pm_aead_new", seal, ALLOC_LOSSY), 1);
	alloc_walk("pm_crypto_init", init_crypto, ALLOC_LOSSY);
}
END_TEST

START_TEST(x509_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_cert_parse", parse_cert, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("pm_crl_parse", parse_crl, ALLOC_LOSSY), 2);
	ck_assert_uint_ge(alloc_walk("pm_pem_each", read_pem, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("pm_cert_check_issuer", check_issuer, ALLOC_LOSSY), 3);
}
END_TEST

START_TEST(keys_without_memory)
{
	for (size_t i = 0; pm_sig_backends[i]; i++) {
		backend = pm_sig_backends[i];
		ck_assert_uint_ge(alloc_walk("P-384", load_p384, ALLOC_LOSSY), 1);
		ck_assert_uint_ge(alloc_walk("RSA", load_rsa, ALLOC_LOSSY), 1);
	}
}
END_TEST

START_TEST(snp_without_memory)
{
	uint8_t root[PM_SHA256_SIZE];

	ck_assert_uint_ge(alloc_walk("pm_snp_policy", set_policy, ALLOC_NOMEM), 5);
	ck_assert_uint_ge(alloc_walk("pm_snp_evidence", parse_evidence, ALLOC_LOSSY), 8);
	ck_assert_uint_ge(alloc_walk("pm_snp_evidence_add_table", add_table, ALLOC_LOSSY), 9);
	ck_pm(read_evidence(&evidence), PM_OK);
	ck_pm(pm_snp_policy_new(&policy), PM_OK);
	ck_pm(pm_snp_policy_waive(policy,
		      PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MIN_TCB | PM_SNP_WAIVE_MEASUREMENT),
		PM_OK);
	ck_pm(pm_hash(PM_SHA256, evidence->certs[2], root), PM_OK);
	ck_pm(pm_snp_policy_add_test_root(policy, root), PM_OK);
	ck_assert_uint_ge(alloc_walk("pm_snp_verify", verify, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("pm_snp_verify, cached", verify_cached, ALLOC_LOSSY), 20);
	pm_snp_policy_free(policy);
	pm_snp_evidence_free(evidence);
}
END_TEST

START_TEST(verity_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_verity", format_and_verify, ALLOC_LOSSY), 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alloc");
	TCase *t = tcase_create("alloc");

	tcase_add_checked_fixture(t, read_corpus, NULL);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, base_without_memory);
	tcase_add_test(t, crypto_without_memory);
	tcase_add_test(t, x509_without_memory);
	tcase_add_test(t, keys_without_memory);
	tcase_add_test(t, snp_without_memory);
	tcase_add_test(t, verity_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
