/* SPDX-License-Identifier: Apache-2.0 */
/* The format of bundles and claims: one encoding of what is said, and each limit at its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/bundle.h>
#include <pm/snp.h>

#include "base/cbor.h"
#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "mint.h"
#include "testing.h"

/* --- an example ------------------------------------------------------------------------------- */

static uint8_t snp_report[PM_SNP_REPORT_SIZE], gpu_report[300];
static uint8_t claims_bytes[PM_BUNDLE_CLAIMS_SIZE_MAX];
static uint8_t bytes[1 << 16], again[1 << 16];

static struct pm_bytes text(const char *s)
{
	return (struct pm_bytes){(const uint8_t *)s, strlen(s)};
}

static const struct pm_bytes certs[] = {{(const uint8_t *)"cert", 4}, {(const uint8_t *)"root", 4}};
static const struct pm_bytes rims[] = {{(const uint8_t *)"rim", 3}};
static const struct pm_bytes ocsp[] = {{(const uint8_t *)"o1", 2}, {(const uint8_t *)"o2", 2}};
static const struct pm_bytes crls[] = {{(const uint8_t *)"crl", 3}};

static struct pm_bundle_gpu example_gpu(void)
{
	memset(gpu_report, 0x31, sizeof(gpu_report));
	return (struct pm_bundle_gpu){{gpu_report, sizeof(gpu_report)}, text("-----BEGIN"), 1};
}

static struct pm_claims example_claims(void)
{
	struct pm_bundle_gpu gpu = example_gpu();
	struct pm_claims c = {
		.key_kind = PM_CLAIMS_XWING,
		.key_len = PM_CLAIMS_XWING_SIZE,
		.has_tls = true,
		.model_count = 2,
		.models = {{.name = "a"}, {.name = "b"}},
		.gpu_count = 1,
		.role = "worker",
		.issued_at = 0x69a38080,
		.gpu_time = 0x69a38079,
	};

	memset(c.key, 0x5a, sizeof(c.key));
	memset(c.tls_spki_sha256, 0x11, 32);
	memset(c.models[0].root_hash, 0x22, 32);
	memset(c.models[1].root_hash, 0x33, 32);
	memset(c.gpu_epoch_nonce, 0x55, 32);
	ck_pm(pm_bundle_gpu_digest(&gpu, c.gpus[0]), PM_OK);
	return c;
}

static struct pm_view encode_claims(const struct pm_claims *c)
{
	size_t len;

	ck_pm(pm_claims_encode(c, NULL, claims_bytes, &len), PM_OK);
	return pm_view(claims_bytes, len);
}

static struct pm_bundle_gpu gpus[1];

static struct pm_bundle_content example(void)
{
	struct pm_claims claims = example_claims();
	struct pm_view encoded = encode_claims(&claims);
	struct pm_bundle_content c = {
		.claims = {encoded.ptr, encoded.len},
		.snp_report = {snp_report, sizeof(snp_report)},
		.certs = certs,
		.cert_count = 2,
		.gpus = gpus,
		.gpu_count = 1,
		.rims = rims,
		.rim_count = 1,
		.ocsp = ocsp,
		.ocsp_count = 2,
		.crls = crls,
		.crl_count = 1,
	};

	gpus[0] = example_gpu();
	memset(snp_report, 0x44, sizeof(snp_report));
	memset(c.nonce.nonce, 0x77, sizeof(c.nonce.nonce));
	return c;
}

static struct pm_bundle_content example_in_tree(void)
{
	struct pm_bundle_content c = example();

	c.nonce.in_tree = true;
	c.nonce.index = 5;
	c.nonce.depth = 3;
	for (uint32_t i = 0; i < 3; i++)
		memset(c.nonce.path[i], (int)i + 1, 32);
	return c;
}

static struct pm_view encode(const struct pm_bundle_content *c)
{
	size_t len;

	ck_pm(pm_bundle_encode(c, NULL, bytes, sizeof(bytes), &len), PM_OK);
	ck_assert_uint_le(len, pm_bundle_room(c));
	return pm_view(bytes, len);
}

static void has_digest(struct pm_view found, const char *want_hex)
{
	struct pm_view want = test_hex(want_hex);
	uint8_t digest[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, found, digest), PM_OK);
	ck_assert_mem_eq(digest, want.ptr, want.len);
	test_free(want);
}

/* Expected values: an encoder of a dozen lines in Python, from the maps in pm/bundle.h. */
START_TEST(encodings_are_the_format)
{
	struct pm_claims claims = example_claims();
	struct pm_bundle_content c = example();

	has_digest(encode_claims(&claims),
		"37c53a4bc2a39eff049231a807327318877dfd4ecbba238fa701acdddabda7f0");
	has_digest(encode(&c), "8b15ed5a9a8ea61add9a47ddc6f125702e4ebd424f02fbc7cf67e24ddffbb2f9");
	c = example_in_tree();
	has_digest(encode(&c), "0e99316a4cb9c6d18a6567d8b7cc085440abd51a40eb5a215fc313cbc37f1789");
}
END_TEST

/* --- there and back --------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

static void fill(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)draw(256);
}

static void random_claims(struct pm_claims *c)
{
	*c = (struct pm_claims){.key_kind = PM_CLAIMS_XWING, .key_len = PM_CLAIMS_XWING_SIZE};
	fill(c->key, c->key_len);
	c->has_tls = draw(2);
	if (c->has_tls)
		fill(c->tls_spki_sha256, 32);
	c->model_count = draw(PM_CLAIMS_MODELS_MAX + 1);
	for (size_t i = 0; i < c->model_count; i++) {
		snprintf(c->models[i].name, sizeof(c->models[i].name), "m/%02zu", i);
		fill(c->models[i].root_hash, 32);
	}
	c->gpu_count = draw(PM_BUNDLE_GPUS_MAX + 1);
	fill(c->gpus, 32 * c->gpu_count);
	snprintf(c->role, sizeof(c->role), "r%u", draw(1000000));
	c->issued_at = draw(UINT32_MAX);
	if (c->gpu_count) {
		fill(c->gpu_epoch_nonce, 32);
		c->gpu_time = draw(UINT32_MAX);
	}
	c->has_document = draw(2);
	if (c->has_document)
		fill(c->document_sha256, 32);
}

static uint8_t pool[2048];

static void random_list(struct pm_bytes *list, size_t *count, size_t max)
{
	*count = draw((uint32_t)max + 1);
	for (size_t i = 0; i < *count; i++)
		list[i] = (struct pm_bytes){pool + draw(1024), 1 + draw(300)};
}

static void random_nonce(struct pm_bundle_nonce *n)
{
	*n = (struct pm_bundle_nonce){.in_tree = draw(2)};
	fill(n->nonce, 32);
	if (!n->in_tree)
		return;
	n->depth = draw(PM_NONCE_TREE_DEPTH_MAX + 1);
	n->index = draw(1u << n->depth);
	fill(n->path, 32 * n->depth);
}

static struct {
	struct pm_bytes certs[PM_BUNDLE_CERTS_MAX], rims[PM_BUNDLE_RIMS_MAX], ocsp[20],
		crls[PM_BUNDLE_CRLS_MAX];
	struct pm_bundle_gpu gpus[PM_BUNDLE_GPUS_MAX];
} parts;

static void random_content(const struct pm_claims *claims, struct pm_bundle_content *c)
{
	struct pm_view encoded = encode_claims(claims);

	fill(pool, sizeof(pool));
	*c = (struct pm_bundle_content){
		.claims = {encoded.ptr, encoded.len},
		.snp_report = {pool, PM_SNP_REPORT_SIZE},
		.certs = parts.certs,
		.gpus = parts.gpus,
		.rims = parts.rims,
		.ocsp = parts.ocsp,
		.crls = parts.crls,
	};
	random_nonce(&c->nonce);
	random_list(parts.certs, &c->cert_count, PM_BUNDLE_CERTS_MAX);
	random_list(parts.rims, &c->rim_count, PM_BUNDLE_RIMS_MAX);
	random_list(parts.ocsp, &c->ocsp_count, PM_ARRAY_LEN(parts.ocsp));
	random_list(parts.crls, &c->crl_count, PM_BUNDLE_CRLS_MAX);
	c->gpu_count = draw(PM_BUNDLE_GPUS_MAX + 1);
	for (size_t i = 0; i < c->gpu_count; i++)
		parts.gpus[i] = (struct pm_bundle_gpu){{pool + draw(1024), 1 + draw(300)},
			{pool + draw(1024), 1 + draw(300)}, 1 + draw(255)};
}

static void same_list(
	const struct pm_bytes *a, size_t count_a, const struct pm_bytes *b, size_t count_b)
{
	ck_assert_uint_eq(count_a, count_b);
	for (size_t i = 0; i < count_a; i++)
		ck_assert(pm_view_equal(pm_bytes_view(a[i]), pm_bytes_view(b[i])));
}

static void same_gpus(const struct pm_bundle *b, const struct pm_bundle_content *want)
{
	uint8_t digest[2][PM_SHA256_SIZE];

	ck_assert_uint_eq(b->content.gpu_count, want->gpu_count);
	for (size_t i = 0; i < want->gpu_count; i++) {
		same_list(&b->gpus[i].report, 1, &want->gpus[i].report, 1);
		same_list(&b->gpus[i].certs, 1, &want->gpus[i].certs, 1);
		ck_assert_uint_eq(b->gpus[i].arch, want->gpus[i].arch);
		ck_pm(pm_hash(PM_SHA256, b->gpu_entries[i], digest[0]), PM_OK);
		ck_pm(pm_bundle_gpu_digest(&want->gpus[i], digest[1]), PM_OK);
		ck_assert_mem_eq(digest[0], digest[1], PM_SHA256_SIZE);
	}
}

static void same(const struct pm_bundle *b, const struct pm_bundle_content *want,
	const struct pm_claims *claims)
{
	const struct pm_bundle_content *found = pm_bundle_untrusted(b);

	ck_assert_mem_eq(&found->nonce, &want->nonce, sizeof(want->nonce));
	ck_assert_mem_eq(pm_bundle_untrusted_claims(b), claims, sizeof(*claims));
	same_list(&found->snp_report, 1, &want->snp_report, 1);
	same_list(found->certs, found->cert_count, want->certs, want->cert_count);
	same_list(found->rims, found->rim_count, want->rims, want->rim_count);
	same_list(found->ocsp, found->ocsp_count, want->ocsp, want->ocsp_count);
	same_list(found->crls, found->crl_count, want->crls, want->crl_count);
	same_gpus(b, want);
}

START_TEST(what_is_written_is_read)
{
	random_state = 0x9e3779b97f4a7c15;
	for (int i = 0; i < 200; i++) {
		pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
		static struct pm_claims claims;
		struct pm_bundle_content c;
		struct pm_view encoded;
		size_t len;

		random_claims(&claims);
		random_content(&claims, &c);
		encoded = encode(&c);
		ck_pm(pm_bundle_parse(encoded.ptr, encoded.len, NULL, &b), PM_OK);
		same(b, &c, &claims);
		ck_pm(pm_bundle_encode(&b->content, NULL, again, sizeof(again), &len), PM_OK);
		ck_assert(pm_view_equal(pm_view(again, len), encoded));
	}
}
END_TEST

/* --- one encoding ----------------------------------------------------------------------------- */

/* Bytes that parse are the one encoding of what they say, so no change of them goes unseen. */
static void is_refused_or_the_encoding(struct pm_view changed)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	size_t len;

	if (pm_bundle_parse(changed.ptr, changed.len, NULL, &b) < 0)
		return;
	ck_pm(pm_bundle_encode(&b->content, NULL, again, sizeof(again), &len), PM_OK);
	ck_assert(pm_view_equal(pm_view(again, len), changed));
	ck_pm(pm_claims_encode(&b->claims, NULL, claims_bytes, &len), PM_OK);
	ck_assert(pm_view_equal(pm_view(claims_bytes, len), pm_bytes_view(b->content.claims)));
}

START_TEST(each_change_of_a_byte)
{
	static const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
	struct pm_bundle_content c = _i ? example_in_tree() : example();
	size_t len = encode(&c).len;

	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < sizeof(changes); k++) {
			bytes[i] ^= changes[k];
			is_refused_or_the_encoding(pm_view(bytes, len));
			bytes[i] ^= changes[k];
		}
	}
}
END_TEST

START_TEST(each_length)
{
	struct pm_bundle_content c = example_in_tree();
	struct pm_view encoded = encode(&c);
	struct pm_bundle *b = NULL;

	for (size_t len = 0; len < encoded.len; len++)
		ck_assert_int_lt(pm_bundle_parse(encoded.ptr, len, NULL, &b), 0);
	bytes[encoded.len] = 0;
	ck_pm(pm_bundle_parse(encoded.ptr, encoded.len + 1, NULL, &b), PM_E_FORMAT);
	ck_assert_ptr_null(b);
}
END_TEST

/* --- what is not the format ------------------------------------------------------------------- */

/* The example with one run of bytes replaced: it must be there once. */
static struct pm_view splice(struct pm_view in, const char *from_hex, const char *to_hex)
{
	struct pm_view from = test_hex(from_hex), to = test_hex(to_hex);
	const uint8_t *at = memmem(in.ptr, in.len, from.ptr, from.len);
	size_t before = at ? (size_t)(at - in.ptr) : 0, behind = in.len - before - from.len;
	struct pm_wr wr = pm_wr(again, sizeof(again));

	ck_assert_msg(at != NULL, "%s is not there", from_hex);
	ck_assert_msg(!memmem(at + 1, behind, from.ptr, from.len), "%s is there twice", from_hex);
	pm_wr_bytes(&wr, pm_view(in.ptr, before));
	pm_wr_bytes(&wr, to);
	pm_wr_bytes(&wr, pm_view(at + from.len, behind));
	test_free(from);
	test_free(to);
	return pm_view(again, wr.len);
}

struct deviation {
	const char *name, *from, *to;
	const char *check;
	int error;
};

#define D32(byte)                                                                                  \
	"5820" byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte     \
		byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte

static const struct deviation bundles[] = {
	{"fewer keys", "a60101", "a50101", "bundle", PM_E_FORMAT},
	{"more keys", "a60101", "a70101", "bundle", PM_E_FORMAT},
	{"an array", "a60101", "860101", "bundle", PM_E_FORMAT},
	{"tagged", "a60101", "d9d9f7a60101", "bundle", PM_E_FORMAT},
	{"indefinite", "a60101", "bf0101", "bundle", PM_E_FORMAT},
	{"version 2", "a60101", "a60102", "bundle.version", PM_E_UNSUPPORTED},
	{"version 1 in two bytes", "a60101", "a6011801", "bundle.version", PM_E_UNSUPPORTED},
	{"no version", "a60101", "a6", "bundle.version", PM_E_UNSUPPORTED},
	{"key in two bytes", "02" D32("77"), "1802" D32("77"), "bundle.nonce", PM_E_FORMAT},
	{"key twice", "02" D32("77"), "0101", "bundle.nonce", PM_E_FORMAT},
	{"short nonce", "02" D32("77"),
		"02417"
		"7",
		"bundle.nonce", PM_E_FORMAT},
	{"nonce as text", "025820777777", "027820777777", "bundle.nonce", PM_E_FORMAT},
	{"nonce in a long form", "025820777777", "02590020777777", "bundle.nonce", PM_E_FORMAT},
	{"claims as a map", "03590593a8", "03a8", "bundle.claims", PM_E_FORMAT},
	{"no claims", "03590593a8", "0340a8", "bundle.claims", PM_E_FORMAT},
	{"SNP without certificates", "04a2015904a0", "04a1015904a0", "bundle.snp", PM_E_FORMAT},
	{"short report", "04a2015904a04444", "04a20159049f44", "bundle.snp", PM_E_FORMAT},
	{"long report", "04a2015904a0", "04a2015904a144", "bundle.snp", PM_E_FORMAT},
	{"empty certificate",
		"44"
		"63657274",
		"40", "bundle.snp", PM_E_FORMAT},
	{"keys of SNP swapped", "0282446365", "0182446365", "bundle.snp", PM_E_FORMAT},
	{"no GPUs", "0581a301", "05", "bundle.gpus", PM_E_FORMAT},
	{"GPUs as a map", "0581a301", "05a1a301", "bundle.gpus", PM_E_FORMAT},
	{"GPU without report", "0581a301", "0581a201", "bundle.gpus", PM_E_FORMAT},
	{"architecture 0", "424547494e0301", "424547494e0300", "bundle.gpus", PM_E_FORMAT},
	{"architecture 256", "424547494e0301", "424547494e03190100", "bundle.gpus", PM_E_FORMAT},
	{"architecture as text", "424547494e0301", "424547494e036131", "bundle.gpus", PM_E_FORMAT},
	{"no OCSP", "06a30181", "06a20181", "bundle.collateral", PM_E_FORMAT},
	{"RIMs and OCSP swapped", "06a30181", "06a30281", "bundle.collateral", PM_E_FORMAT},
	{"empty RIM",
		"0181"
		"4372696d",
		"018140", "bundle.collateral", PM_E_FORMAT},
	{"three CRLs",
		"0381"
		"4363726c",
		"0383416141624163", "bundle.collateral", PM_E_FORMAT},
	{"a seventh key",
		"0381"
		"4363726c",
		"0381"
		"4363726c"
		"0700",
		"bundle.end", PM_E_FORMAT},
};

/* The nonce of the example in a tree. */
static const struct deviation trees[] = {
	{"index of the path's length", "0205", "0208", "bundle.nonce", PM_E_FORMAT},
	{"large index", "0205", "021a00010000", "bundle.nonce", PM_E_FORMAT},
	{"path cut short", "0383" D32("01"), "0382", "bundle.nonce", PM_E_FORMAT},
	{"path with a short digest", "0383" D32("01"),
		"038341"
		"01",
		"bundle.nonce", PM_E_FORMAT},
	{"no path", "0383" D32("01") D32("02") D32("03"), "", "bundle.nonce", PM_E_FORMAT},
	{"keys swapped", "0205", "0305", "bundle.nonce", PM_E_FORMAT},
};

static const struct deviation claims_rows[] = {
	{"more keys", "a801", "a901", "claims.count", PM_E_FORMAT},
	{"more keys than there are", "a801", "aa01", "claims", PM_E_FORMAT},
	{"fewer keys", "a801", "a701", "claims.count", PM_E_FORMAT},
	{"an array", "a801", "8801", "claims", PM_E_FORMAT},
	{"no key", "a801", "a802", "claims.key", PM_E_FORMAT},
	{"a key with one byte more", "a8015904c0", "a8015904c15a", "claims.key", PM_E_FORMAT},
	{"a key with one byte less", "a8015904c05a5a", "a8015904bf5a", "claims.key", PM_E_FORMAT},
	{"TLS twice", "02" D32("11"), "02" D32("11") "02" D32("11"), "claims.models", PM_E_FORMAT},
	{"TLS as text", "0258201111", "0278201111", "claims.tls", PM_E_FORMAT},
	{"TLS with 31 bytes", "0258201111", "02581f11", "claims.tls", PM_E_FORMAT},
	{"models out of order", "a2016161", "a2016163", "claims.models", PM_E_FORMAT},
	{"a model twice", "a2016161", "a2016162", "claims.models", PM_E_FORMAT},
	{"a model without a name", "a2016161", "a20160", "claims.models", PM_E_FORMAT},
	{"a model with a space", "a2016161", "a2016120", "claims.models", PM_E_FORMAT},
	{"a model with a NUL", "a2016161", "a201626100", "claims.models", PM_E_FORMAT},
	{"a model's name in bytes", "a2016161", "a2014161", "claims.models", PM_E_FORMAT},
	{"a model with three keys", "a2016161", "a3016161", "claims.models", PM_E_FORMAT},
	{"a root with 31 bytes", "0258202222", "02581f22", "claims.models", PM_E_FORMAT},
	{"GPUs without an epoch", "07" D32("55") "081a69a38079", "", "claims.gpu_epoch",
		PM_E_FORMAT},
	{"no time of the GPUs", "081a69a38079", "", "claims.gpu_epoch", PM_E_FORMAT},
	{"epoch of 31 bytes", "0758205555", "07581f55", "claims.gpu_epoch", PM_E_FORMAT},
	{"time beyond 9999", "081a69a38079", "081b0000003afff44180", "claims.gpu_epoch",
		PM_E_FORMAT},
	{"issued beyond 9999", "061a69a38080", "061b0000003afff44180", "claims.issued_at",
		PM_E_FORMAT},
	{"issued before 1970", "061a69a38080", "0620", "claims.issued_at", PM_E_FORMAT},
	{"issued at a floating time", "061a69a38080", "06fb41da68e020000000", "claims.issued_at",
		PM_E_FORMAT},
	{"issued in eight bytes", "061a69a38080", "061b0000000069a38080", "claims.issued_at",
		PM_E_FORMAT},
	{"role without a name", "0566776f726b6572", "0560", "claims.role", PM_E_FORMAT},
	{"role with a control", "0566776f726b6572", "0566776f720a6572", "claims.role", PM_E_FORMAT},
	{"role in UTF-8", "0566776f726b6572", "0562c3a9", "claims.role", PM_E_FORMAT},
	{"a number for a document", "081a69a38079", "081a69a380790900", "claims.document",
		PM_E_FORMAT},
	{"a tenth key", "081a69a38079", "081a69a380790a00", "claims.end", PM_E_FORMAT},
	{"a document nobody counted", "081a69a38079", "081a69a3807909" D32("66"), "claims.count",
		PM_E_FORMAT},
	{"something behind", "081a69a38079", "081a69a3807900", "claims.end", PM_E_FORMAT},
};

/* The example with a document: a901 in its place. */
static const struct deviation document_rows[] = {
	{"without the document", "09" D32("66"), "", "claims.count", PM_E_FORMAT},
	{"a document of 31 bytes", "0958206666", "09581f66", "claims.document", PM_E_FORMAT},
	{"a document as text", "0958206666", "0978206666", "claims.document", PM_E_FORMAT},
	{"a document twice", "09" D32("66"), "09" D32("66") "09" D32("66"), "claims.end",
		PM_E_FORMAT},
	{"a document before its place", "081a69a3807909" D32("66"), "09" D32("66") "081a69a38079",
		"claims.gpu_epoch", PM_E_FORMAT},
	{"a document and a tenth key", "a901", "aa01", "claims", PM_E_FORMAT},
};

static void is_named(int r, const struct deviation *d, const struct pm_report *report)
{
	const struct pm_check *failure = pm_report_failure(report);

	ck_assert_msg(r == d->error, "%s: got %d: %s", d->name, r, pm_report_reason(report));
	ck_assert_msg(failure && !strcmp(failure->name, d->check), "%s: %s", d->name,
		pm_report_reason(report));
}

static void bundle_deviates(const struct pm_bundle_content *c, const struct deviation *d)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_view changed = splice(encode(c), d->from, d->to);
	struct pm_bundle *b = NULL;

	is_named(pm_bundle_parse(changed.ptr, changed.len, report, &b), d, report);
	ck_assert_ptr_null(b);
	ck_pm(pm_bundle_parse(changed.ptr, changed.len, NULL, &b), d->error);
}

START_TEST(bundle_deviations)
{
	struct pm_bundle_content c = example();

	bundle_deviates(&c, &bundles[_i]);
}
END_TEST

START_TEST(tree_deviations)
{
	struct pm_bundle_content c = example_in_tree();

	bundle_deviates(&c, &trees[_i]);
}
END_TEST

static void claims_deviate(const struct pm_claims *claims, const struct deviation *d)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_claims parsed;
	struct pm_bundle_content c = example();
	struct pm_view changed = splice(encode_claims(claims), d->from, d->to);
	struct pm_bundle *b = NULL;

	is_named(pm_claims_parse(changed, report, &parsed), d, report);
	/* The same in a bundle. */
	c.claims = (struct pm_bytes){changed.ptr, changed.len};
	pm_report_reset(report);
	is_named(pm_bundle_parse(bytes, encode(&c).len, report, &b), d, report);
	ck_assert_ptr_null(b);
}

START_TEST(claims_deviations)
{
	struct pm_claims claims = example_claims();

	claims_deviate(&claims, &claims_rows[_i]);
}
END_TEST

static struct pm_claims example_with_document(void)
{
	struct pm_claims claims = example_claims();

	claims.has_document = true;
	memset(claims.document_sha256, 0x66, sizeof(claims.document_sha256));
	return claims;
}

START_TEST(document_deviations)
{
	struct pm_claims claims = example_with_document();

	claims_deviate(&claims, &document_rows[_i]);
}
END_TEST

START_TEST(claims_with_a_document)
{
	struct pm_claims claims = example_with_document(), parsed;
	struct pm_view changed;

	ck_pm(pm_claims_parse(encode_claims(&claims), NULL, &parsed), PM_OK);
	ck_assert(parsed.has_document);
	ck_assert_mem_eq(parsed.document_sha256, claims.document_sha256, 32);
	/* 9 comes behind 8, or, without GPUs, behind 6. */
	changed = encode_claims(&claims);
	ck_assert_uint_eq(changed.ptr[changed.len - 35], 9);
	claims.gpu_count = 0;
	claims.gpu_time = 0;
	memset(claims.gpu_epoch_nonce, 0, sizeof(claims.gpu_epoch_nonce));
	ck_pm(pm_claims_parse(encode_claims(&claims), NULL, &parsed), PM_OK);
	ck_assert(parsed.has_document && !parsed.gpu_count);
}
END_TEST

/* --- keys ------------------------------------------------------------------------------------- */

static int encode_key(EVP_PKEY *key, struct pm_claims *c)
{
	struct pm_view spki = mint_spki(key);
	size_t len;

	memset(c->key, 0, sizeof(c->key));
	memcpy(c->key, spki.ptr, spki.len);
	c->key_len = spki.len;
	c->key_kind = PM_CLAIMS_SPKI;
	test_free(spki);
	EVP_PKEY_free(key);
	return pm_claims_encode(c, NULL, claims_bytes, &len);
}

START_TEST(keys_are_of_two_kinds)
{
	struct pm_claims c = example_claims(), parsed;
	size_t len;

	ck_pm(encode_key(mint_ec("P-256"), &c), PM_OK);
	ck_pm(pm_claims_parse(encode_claims(&c), NULL, &parsed), PM_OK);
	ck_assert_mem_eq(&parsed, &c, sizeof(c));
	ck_pm(encode_key(mint_ec("P-384"), &c), PM_OK);
	ck_pm(pm_claims_parse(encode_claims(&c), NULL, &parsed), PM_OK);
	ck_pm(encode_key(mint_rsa(2048), &c), PM_E_UNSUPPORTED);
	ck_pm(encode_key(mint_ec("secp256k1"), &c), PM_E_UNSUPPORTED);
	c = example_claims();
	c.key_kind = PM_CLAIMS_SPKI;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_FORMAT);
	c.key_kind = PM_CLAIMS_XWING;
	c.key_len--;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_FORMAT);
	c.key_len += 2;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_LIMIT);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

/* Writes claims with so many models, GPUs, and bytes of names. */
static struct pm_view raw_claims(size_t models, size_t name_len, size_t gpu_count, size_t role_len)
{
	static uint8_t out[2 * PM_BUNDLE_CLAIMS_SIZE_MAX], digest[32], key[PM_CLAIMS_XWING_SIZE];
	struct pm_wr wr = pm_wr(out, sizeof(out));
	char name[256];

	memset(name, 'n', sizeof(name));
	pm_cbor_wr_map(&wr, gpu_count ? 7 : 5);
	pm_cbor_wr_uint(&wr, 1);
	pm_cbor_wr_bytes(&wr, pm_view(key, sizeof(key)));
	pm_cbor_wr_uint(&wr, 3);
	pm_cbor_wr_array(&wr, models);
	for (size_t i = 0; i < models; i++) {
		name[0] = (char)('!' + i);
		pm_cbor_wr_map(&wr, 2);
		pm_cbor_wr_uint(&wr, 1);
		pm_cbor_wr_text(&wr, pm_view(name, name_len));
		pm_cbor_wr_uint(&wr, 2);
		pm_cbor_wr_bytes(&wr, pm_view(digest, 32));
	}
	pm_cbor_wr_uint(&wr, 4);
	pm_cbor_wr_array(&wr, gpu_count);
	for (size_t i = 0; i < gpu_count; i++)
		pm_cbor_wr_bytes(&wr, pm_view(digest, 32));
	pm_cbor_wr_uint(&wr, 5);
	pm_cbor_wr_text(&wr, pm_view(name, role_len));
	pm_cbor_wr_uint(&wr, 6);
	pm_cbor_wr_uint(&wr, 0);
	if (gpu_count) {
		pm_cbor_wr_uint(&wr, 7);
		pm_cbor_wr_bytes(&wr, pm_view(digest, 32));
		pm_cbor_wr_uint(&wr, 8);
		pm_cbor_wr_uint(&wr, 0);
	}
	return pm_view(out, wr.len);
}

START_TEST(claims_are_bounded)
{
	struct pm_claims c;

	ck_pm(pm_claims_parse(raw_claims(0, 1, 0, 1), NULL, &c), PM_OK);
	ck_pm(pm_claims_parse(raw_claims(32, 128, 16, 64), NULL, &c), PM_OK);
	ck_assert_uint_le(raw_claims(32, 128, 16, 64).len, PM_BUNDLE_CLAIMS_SIZE_MAX);
	ck_pm(pm_claims_parse(raw_claims(33, 1, 0, 1), NULL, &c), PM_E_FORMAT);
	ck_pm(pm_claims_parse(raw_claims(1, 129, 0, 1), NULL, &c), PM_E_FORMAT);
	ck_pm(pm_claims_parse(raw_claims(1, 1, 17, 1), NULL, &c), PM_E_FORMAT);
	ck_pm(pm_claims_parse(raw_claims(1, 1, 0, 65), NULL, &c), PM_E_FORMAT);
}
END_TEST

/* What the encoder refuses, a struct away from the example. */
START_TEST(encoder_bounds_claims)
{
	struct pm_claims c = example_claims();
	size_t len;

	c.model_count = PM_CLAIMS_MODELS_MAX + 1;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_LIMIT);
	c = example_claims();
	c.gpu_count = PM_BUNDLE_GPUS_MAX + 1;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_LIMIT);
	c = example_claims();
	memset(c.role, 'r', sizeof(c.role));
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_LIMIT);
	c = example_claims();
	memset(c.models[0].name, 'm', sizeof(c.models[0].name));
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_LIMIT);
	c = example_claims();
	c.issued_at = -1;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_FORMAT);
	c.issued_at = PM_BUNDLE_TIME_MAX + 1;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_E_FORMAT);
	c.issued_at = PM_BUNDLE_TIME_MAX;
	ck_pm(pm_claims_encode(&c, NULL, claims_bytes, &len), PM_OK);
}
END_TEST

/* Each list of a bundle: how many elements it may have, and how large each may be. */
static const struct {
	size_t list, count; /* offsets in struct pm_bundle_content */
	size_t count_max, size_max;
} lists[] = {
#define LIST(list, count, count_max, size_max)                                                     \
	{                                                                                          \
		offsetof(struct pm_bundle_content, list),                                          \
			offsetof(struct pm_bundle_content, count), count_max, size_max             \
	}
	LIST(certs, cert_count, PM_BUNDLE_CERTS_MAX, PM_BUNDLE_CERT_SIZE_MAX),
	LIST(rims, rim_count, PM_BUNDLE_RIMS_MAX, PM_BUNDLE_RIM_SIZE_MAX),
	LIST(ocsp, ocsp_count, PM_BUNDLE_OCSP_MAX, PM_BUNDLE_OCSP_SIZE_MAX),
	LIST(crls, crl_count, PM_BUNDLE_CRLS_MAX, PM_BUNDLE_CRL_SIZE_MAX),
};

/* The example with this list; 0 when it is encoded and read again. */
static int with_list(size_t i, size_t count, size_t size)
{
	static struct pm_bytes elements[PM_BUNDLE_OCSP_MAX + 1];
	pm_cleanup(free) uint8_t *out = pm_alloc(PM_BUNDLE_SIZE_MAX + 1);
	pm_cleanup(free) uint8_t *element = pm_alloc(size);
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	struct pm_bundle_content c = example();
	size_t len;
	int r;

	for (size_t k = 0; k < count; k++)
		elements[k] = (struct pm_bytes){element, size};
	*(const struct pm_bytes **)(void *)((char *)&c + lists[i].list) = elements;
	*(size_t *)(void *)((char *)&c + lists[i].count) = count;
	r = pm_bundle_encode(&c, NULL, out, PM_BUNDLE_SIZE_MAX + 1, &len);
	return r < 0 ? r : pm_bundle_parse(out, len, NULL, &b);
}

START_TEST(lists_are_bounded)
{
	ck_pm(with_list(_i, lists[_i].count_max, 1), PM_OK);
	ck_pm(with_list(_i, lists[_i].count_max + 1, 1), PM_E_LIMIT);
	ck_pm(with_list(_i, 1, lists[_i].size_max), PM_OK);
	ck_pm(with_list(_i, 1, lists[_i].size_max + 1), PM_E_LIMIT);
	ck_pm(with_list(_i, 1, 0), PM_E_FORMAT);
}
END_TEST

/* The reader's own bounds: the example with a list of more elements, or a larger one. */
static int parse_with_list(size_t i, size_t count, size_t size)
{
	static const char *const from[] = {"02824463657274"
					   "44726f6f74",
		"01814372696d",
		"0282426f31"
		"426f32",
		"03814363726c"};
	pm_cleanup(free) uint8_t *list = pm_alloc(PM_BUNDLE_SIZE_MAX);
	pm_cleanup(free) uint8_t *out = pm_alloc(PM_BUNDLE_SIZE_MAX);
	struct pm_view old = test_hex(from[i]);
	struct pm_bundle_content c = example();
	struct pm_view all = encode(&c);
	const uint8_t *at = memmem(all.ptr, all.len, old.ptr, old.len);
	struct pm_wr wr = pm_wr(out, PM_BUNDLE_SIZE_MAX);
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;

	ck_assert_ptr_nonnull(at);
	pm_wr_bytes(&wr, pm_view(all.ptr, (size_t)(at - all.ptr)));
	pm_cbor_wr_uint(&wr, old.ptr[0]);
	pm_cbor_wr_array(&wr, count);
	for (size_t k = 0; k < count; k++)
		pm_cbor_wr_bytes(&wr, pm_view(list, size));
	at += old.len;
	pm_wr_bytes(&wr, pm_view(at, (size_t)(all.ptr + all.len - at)));
	test_free(old);
	return pm_bundle_parse(out, wr.len, NULL, &b);
}

START_TEST(read_lists_are_bounded)
{
	ck_pm(parse_with_list(_i, lists[_i].count_max, 1), PM_OK);
	ck_pm(parse_with_list(_i, lists[_i].count_max + 1, 1), PM_E_FORMAT);
	ck_pm(parse_with_list(_i, 1, lists[_i].size_max), PM_OK);
	ck_pm(parse_with_list(_i, 1, lists[_i].size_max + 1), PM_E_FORMAT);
}
END_TEST

START_TEST(bundles_are_bounded)
{
	pm_cleanup(free) uint8_t *large = pm_alloc(PM_BUNDLE_SIZE_MAX + 1);
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_bundle_content c = example();
	size_t len = encode(&c).len, written;
	struct pm_bundle *b = NULL;

	ck_pm(pm_bundle_parse(large, PM_BUNDLE_SIZE_MAX + 1, report, &b), PM_E_LIMIT);
	ck_pm(pm_bundle_parse(large, PM_BUNDLE_SIZE_MAX, report, &b), PM_E_FORMAT);
	ck_pm(pm_bundle_parse(NULL, 0, report, &b), PM_E_FORMAT);
	ck_pm(pm_bundle_encode(&c, NULL, bytes, len, &written), PM_OK);
	ck_pm(pm_bundle_encode(&c, NULL, bytes, len - 1, &written), PM_E_LIMIT);
	c.snp_report.len--;
	ck_pm(pm_bundle_encode(&c, report, bytes, sizeof(bytes), &written), PM_E_FORMAT);
	c = example();
	c.claims.len = 0;
	ck_pm(pm_bundle_encode(&c, report, bytes, sizeof(bytes), &written), PM_E_LIMIT);
	c = example_in_tree();
	c.nonce.index = 8;
	ck_pm(pm_bundle_encode(&c, report, bytes, sizeof(bytes), &written), PM_E_FORMAT);
	c.nonce.depth = PM_NONCE_TREE_DEPTH_MAX + 1;
	ck_pm(pm_bundle_encode(&c, report, bytes, sizeof(bytes), &written), PM_E_FORMAT);
}
END_TEST

static int encode_gpu(struct pm_bytes report, struct pm_bytes chain, uint32_t arch)
{
	static uint8_t out[4 * PM_BUNDLE_GPU_SIZE_MAX];
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	struct pm_bundle_content c = example();
	size_t len;
	int r;

	gpus[0] = (struct pm_bundle_gpu){report, chain, arch};
	r = pm_bundle_encode(&c, NULL, out, sizeof(out), &len);
	return r < 0 ? r : pm_bundle_parse(out, len, NULL, &b);
}

START_TEST(gpus_are_bounded)
{
	static uint8_t large[PM_BUNDLE_GPU_SIZE_MAX + 1];
	static struct pm_bundle_gpu many[PM_BUNDLE_GPUS_MAX + 1];
	struct pm_bytes one = {large, 1}, max = {large, PM_BUNDLE_GPU_SIZE_MAX};
	struct pm_bytes more = {large, PM_BUNDLE_GPU_SIZE_MAX + 1}, none = {NULL, 0};
	struct pm_bundle_content c = example();
	size_t len;

	ck_pm(encode_gpu(max, max, 255), PM_OK);
	ck_pm(encode_gpu(more, one, 1), PM_E_LIMIT);
	ck_pm(encode_gpu(one, more, 1), PM_E_LIMIT);
	ck_pm(encode_gpu(none, one, 1), PM_E_FORMAT);
	ck_pm(encode_gpu(one, none, 1), PM_E_FORMAT);
	ck_pm(encode_gpu(one, one, 0), PM_E_FORMAT);
	ck_pm(encode_gpu(one, one, 256), PM_E_FORMAT);
	for (size_t i = 0; i < PM_ARRAY_LEN(many); i++)
		many[i] = (struct pm_bundle_gpu){one, one, 1};
	c.gpus = many;
	c.gpu_count = PM_BUNDLE_GPUS_MAX;
	ck_pm(pm_bundle_encode(&c, NULL, bytes, sizeof(bytes), &len), PM_OK);
	c.gpu_count++;
	ck_pm(pm_bundle_encode(&c, NULL, bytes, sizeof(bytes), &len), PM_E_LIMIT);
}
END_TEST

/* --- the claims' GPUs ------------------------------------------------------------------------- */

static int check_gpus(struct pm_bundle_gpu *list, size_t count, struct pm_report *report)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	struct pm_bundle_content c = example();
	struct pm_claims claims = example_claims();
	struct pm_view encoded;

	claims.gpu_count = 2;
	gpus[0].arch = 2;
	ck_pm(pm_bundle_gpu_digest(&gpus[0], claims.gpus[1]), PM_OK);
	encoded = encode_claims(&claims);
	c.claims = (struct pm_bytes){encoded.ptr, encoded.len};
	c.gpus = list;
	c.gpu_count = count;
	encoded = encode(&c);
	ck_pm(pm_bundle_parse(encoded.ptr, encoded.len, NULL, &b), PM_OK);
	return pm_bundle_check_gpus(b, report);
}

START_TEST(gpus_are_those_of_the_claims)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_bundle_gpu list[3] = {example_gpu(), example_gpu(), example_gpu()};

	list[1].arch = 2;
	ck_pm(check_gpus(list, 2, report), PM_OK);
	ck_pm(check_gpus(list, 1, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "GPU count");
	ck_pm(check_gpus(list, 3, NULL), PM_E_REJECTED);
	pm_report_reset(report);
	list[0] = list[1]; /* one of them twice */
	ck_pm(check_gpus(list, 2, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "GPU evidence, SHA-256 in the claims");
	list[1] = example_gpu(); /* both, in another order */
	ck_pm(check_gpus(list, 2, NULL), PM_E_REJECTED);
	list[0] = list[1];
	ck_pm(check_gpus(list, 2, NULL), PM_E_REJECTED);
}
END_TEST

static void add_limits(TCase *t)
{
	tcase_add_test(t, claims_are_bounded);
	tcase_add_test(t, encoder_bounds_claims);
	tcase_add_loop_test(t, lists_are_bounded, 0, PM_ARRAY_LEN(lists));
	tcase_add_loop_test(t, read_lists_are_bounded, 0, PM_ARRAY_LEN(lists));
	tcase_add_test(t, bundles_are_bounded);
	tcase_add_test(t, gpus_are_bounded);
}

int main(void)
{
	Suite *s = suite_create("bundle");
	TCase *t = tcase_create("bundle");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, encodings_are_the_format);
	tcase_add_test(t, what_is_written_is_read);
	tcase_add_loop_test(t, each_change_of_a_byte, 0, 2);
	tcase_add_test(t, each_length);
	tcase_add_loop_test(t, bundle_deviations, 0, PM_ARRAY_LEN(bundles));
	tcase_add_loop_test(t, tree_deviations, 0, PM_ARRAY_LEN(trees));
	tcase_add_loop_test(t, claims_deviations, 0, PM_ARRAY_LEN(claims_rows));
	tcase_add_loop_test(t, document_deviations, 0, PM_ARRAY_LEN(document_rows));
	tcase_add_test(t, claims_with_a_document);
	tcase_add_test(t, keys_are_of_two_kinds);
	tcase_add_test(t, gpus_are_those_of_the_claims);
	add_limits(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
