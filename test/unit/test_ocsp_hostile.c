/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP responses with one defect each: each is refused for its reason. */
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <string.h>

#include <pm/gpu_policy.h>
#include "base/report.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/ocsp_set.h"
#include "mint_ocsp.h"
#include "testing.h"

#define NOW  INT64_C(1767225600) /* 2026-01-01 */
#define FROM (NOW - 1000)
#define TO   (NOW + 1000)
#define NAME "OCSP of the test"

static EVP_PKEY *ca_key, *leaf_key, *responder_key, *other_key, *p256;
static struct mint_cert ca_spec, leaf_spec, responder_spec;
static struct pm_view ca, leaf, other_leaf, responder;

static void begin(void)
{
	ca_key = mint_ec("P-384");
	leaf_key = mint_ec("P-384");
	responder_key = mint_ec("P-384");
	other_key = mint_ec("P-384");
	p256 = mint_ec("P-256");
	ca_spec = (struct mint_cert){.signer = {.key = ca_key, .name = "CA"},
		.key = ca_key,
		.name = "CA",
		.serial = 1,
		.not_before = FROM,
		.not_after = TO,
		.constraints = "critical,CA:TRUE,pathlen:0",
		.usage = "critical,keyCertSign,cRLSign"};
	leaf_spec = (struct mint_cert){.signer = ca_spec.signer,
		.key = leaf_key,
		.name = "leaf",
		.serial = 0x80,
		.not_before = FROM,
		.not_after = TO,
		.usage = "critical,digitalSignature"};
	responder_spec = leaf_spec;
	responder_spec.key = responder_key;
	responder_spec.name = "responder";
	responder_spec.serial = 3;
	responder_spec.extensions = &mint_eku_ocsp_nocheck;
	responder_spec.extension_count = 1;
	ca = mint_cert(&ca_spec);
	leaf = mint_cert(&leaf_spec);
	leaf_spec.serial = 0x81;
	other_leaf = mint_cert(&leaf_spec);
	responder = mint_cert(&responder_spec);
}

static void end(void)
{
	test_free(ca);
	test_free(leaf);
	test_free(other_leaf);
	test_free(responder);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(responder_key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(p256);
}

static void mint_responder(void)
{
	test_free(responder);
	responder = mint_cert(&responder_spec);
}

/* A response that is good. */
static struct mint_ocsp good(void)
{
	return (struct mint_ocsp){.cert = leaf,
		.issuer = ca,
		.responder = responder,
		.key = responder_key,
		.reason = -1,
		.this_update = FROM,
		.next_update = TO};
}

static struct mint_ocsp revoked(int reason, int64_t at)
{
	struct mint_ocsp spec = good();

	spec.status = MINT_OCSP_REVOKED;
	spec.reason = reason;
	spec.revoked_at = at;
	return spec;
}

struct asked {
	struct pm_ocsp_set *set;
	struct pm_gpu_policy *policy;
	struct pm_report *report;
	int64_t now, until;
};

static struct asked new_asked(void)
{
	struct asked a = {.now = NOW, .until = INT64_MAX, .report = pm_report_new()};

	ck_pm(pm_ocsp_set_new(&a.set), PM_OK);
	ck_pm(pm_gpu_policy_new(&a.policy), PM_OK);
	ck_assert_ptr_nonnull(a.report);
	return a;
}

static void free_asked(struct asked *a)
{
	pm_ocsp_set_free(a->set);
	pm_gpu_policy_free(a->policy);
	pm_report_free(a->report);
}

static int add(struct asked *a, const struct mint_ocsp *spec)
{
	struct pm_view der = mint_ocsp(spec);
	int r = pm_ocsp_set_add(a->set, der.ptr, der.len, a->report);

	test_free(der);
	return r;
}

static int check(struct asked *a)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL, *issuer = NULL;
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	ck_pm(pm_cert_parse(leaf, &cert), PM_OK);
	ck_pm(pm_cert_parse(ca, &issuer), PM_OK);
	ck_pm(pm_cert_pubkey(issuer, &key), PM_OK);
	return pm_ocsp_check(
		a->set, cert, issuer, key, a->policy, a->now, NAME, a->report, &a->until);
}

static void expect_failure(const char *what, struct asked *a, int r, int want, const char *name)
{
	const struct pm_check *failure = pm_report_failure(a->report);

	ck_assert_msg(r == want, "%s: %d, %s", what, r, pm_report_reason(a->report));
	ck_assert_msg(name ? failure && !strcmp(failure->name, name) : !failure, "%s: %s", what,
		pm_report_reason(a->report));
}

/* What is said of one response, when it is added or when it is asked. */
static void expect(const char *what, const struct mint_ocsp *spec, int want, const char *name)
{
	struct asked a = new_asked();
	int r = add(&a, spec);

	if (r == PM_OK)
		r = check(&a);
	expect_failure(what, &a, r, want, name);
	ck_assert((a.until != INT64_MAX) == (want == PM_OK));
	free_asked(&a);
}

START_TEST(good_ones)
{
	struct mint_ocsp spec = good();

	expect("by key", &spec, PM_OK, NULL);
	spec.by_name = true;
	expect("by name", &spec, PM_OK, NULL);
	spec = good();
	spec.nonce = VIEW("0123456789abcdef");
	expect("with a nonce", &spec, PM_OK, NULL);
	spec = good();
	spec.responder = ca;
	spec.key = ca_key;
	expect("by the issuer", &spec, PM_OK, NULL);
	spec.no_cert = true;
	expect("by the issuer, without its certificate", &spec, PM_OK, NULL);
	spec.by_name = true;
	expect("by the issuer, by name", &spec, PM_OK, NULL);
	spec = good();
	spec.first_cert = other_leaf;
	expect("behind another certificate", &spec, PM_OK, NULL);
	responder_spec.extensions = &mint_eku_ocsp;
	mint_responder();
	spec = good();
	expect("without nocheck", &spec, PM_OK, NULL);
}
END_TEST

/* --- who signed ------------------------------------------------------------------------------ */

START_TEST(forged)
{
	struct mint_ocsp spec = good();

	spec.forged = true;
	expect("a bit", &spec, PM_E_REJECTED, "OCSP, signature");
	spec.responder = ca;
	spec.key = ca_key;
	expect("a bit, by the issuer", &spec, PM_E_REJECTED, "OCSP, signature");
	spec = good();
	spec.no_cert = true;
	expect("no certificate", &spec, PM_E_REJECTED, "OCSP responder");
	spec = good();
	spec.hash = "SHA256";
	expect("SHA-256", &spec, PM_E_UNSUPPORTED, "OCSP, signature");
}
END_TEST

static void self_signed(struct mint_cert *spec)
{
	spec->signer = (struct mint_signer){.key = responder_key, .name = "responder"};
}

static void of_a_namesake(struct mint_cert *spec)
{
	spec->signer.key = other_key;
}

static void of_a_leaf(struct mint_cert *spec)
{
	spec->signer = (struct mint_signer){.key = leaf_key, .name = "leaf"};
}

static void sha256(struct mint_cert *spec)
{
	spec->signer.hash = "SHA256";
}

static void without_eku(struct mint_cert *spec)
{
	spec->extension_count = 0;
}

static void server_eku(struct mint_cert *spec)
{
	spec->extensions = &mint_eku_server;
}

static const struct mint_extension any_eku = {
	"2.5.29.37", {(const uint8_t *)"\x30\x06\x06\x04\x55\x1d\x25\x00", 8}};

static void any(struct mint_cert *spec)
{
	spec->extensions = &any_eku;
}

static void is_ca(struct mint_cert *spec)
{
	spec->constraints = "critical,CA:TRUE";
}

static void usage(struct mint_cert *spec)
{
	spec->usage = "critical,keyEncipherment";
}

static void without_usage(struct mint_cert *spec)
{
	spec->usage = NULL;
}

static void critical(struct mint_cert *spec)
{
	spec->oid = "1.2.3.4";
	spec->oid_value = pm_view("\x05\x00", 2);
	spec->oid_count = 1;
	spec->oid_critical = true;
}

static void expired(struct mint_cert *spec)
{
	spec->not_after = NOW - 1;
}

static void early(struct mint_cert *spec)
{
	spec->not_before = NOW + 1;
}

static const struct {
	const char *what;
	void (*change)(struct mint_cert *spec);
	int want;
	const char *name;
} responders[] = {
	{"self-signed", self_signed, PM_E_REJECTED, "OCSP responder, signature"},
	{"issued by a namesake", of_a_namesake, PM_E_REJECTED, "OCSP responder, signature"},
	{"issued by a leaf", of_a_leaf, PM_E_REJECTED, "OCSP responder, signature"},
	{"SHA-256", sha256, PM_E_UNSUPPORTED, "OCSP responder, signature"},
	{"no EKU", without_eku, PM_E_REJECTED, "OCSP responder, extKeyUsage"},
	{"server EKU", server_eku, PM_E_REJECTED, "OCSP responder, extKeyUsage"},
	{"any EKU", any, PM_E_REJECTED, "OCSP responder, extKeyUsage"},
	{"a CA", is_ca, PM_E_REJECTED, "OCSP responder, basicConstraints"},
	{"usage", usage, PM_E_REJECTED, "OCSP responder, keyUsage"},
	{"no usage", without_usage, PM_E_REJECTED, "OCSP responder, keyUsage"},
	{"critical extension", critical, PM_E_FORMAT, "OCSP responder"},
	{"expired", expired, PM_E_STALE, NAME},
	{"early", early, PM_E_STALE, NAME},
};

START_TEST(responder_of)
{
	struct mint_ocsp spec;

	responders[_i].change(&responder_spec);
	mint_responder();
	spec = good();
	expect(responders[_i].what, &spec, responders[_i].want, responders[_i].name);
}
END_TEST

START_TEST(responder_key_on_p256)
{
	struct mint_ocsp spec;

	responder_spec.key = p256;
	mint_responder();
	spec = good();
	spec.key = p256;
	expect("P-256", &spec, PM_E_REJECTED, "OCSP responder, public key");
}
END_TEST

/* The certificate in question has OCSPSigning and speaks for itself: its issuer let it. */
START_TEST(another_issuers_responder)
{
	struct mint_cert other_ca = ca_spec;
	struct mint_ocsp spec;
	struct pm_view der;

	other_ca.key = other_key;
	other_ca.name = "other CA";
	other_ca.signer = (struct mint_signer){.key = other_key, .name = "other CA"};
	der = mint_cert(&other_ca);
	responder_spec.signer = other_ca.signer;
	mint_responder();
	spec = good();
	expect("of another CA", &spec, PM_E_REJECTED, "OCSP responder, signature");
	/* And that CA itself. */
	spec.responder = der;
	spec.key = other_key;
	expect("another CA", &spec, PM_E_REJECTED, "OCSP responder, basicConstraints");
	test_free(der);
}
END_TEST

/* Certificates of one name or key in the response: one that verifies suffices. */
START_TEST(responders_of_one_name)
{
	for (int by_name = 0; by_name < 2; by_name++) {
		struct mint_cert again = responder_spec;
		struct mint_ocsp spec = good();
		struct pm_view self;

		again.signer = (struct mint_signer){.key = responder_key, .name = "CA"};
		self = mint_cert(&again); /* issued by itself, and first */
		spec.by_name = by_name;
		spec.first_cert = self;
		expect("a namesake first", &spec, PM_OK, NULL);
		spec.forged = true;
		expect("a namesake first, forged", &spec, PM_E_REJECTED,
			"OCSP responder, signature");
		test_free(self);
		spec.forged = false;
		again = responder_spec;
		again.key = other_key;
		spec.first_cert = self = mint_cert(&again);
		expect("one of another key first", &spec, PM_OK, NULL);
		spec.responder = self;
		spec.first_cert = responder;
		spec.key = other_key;
		expect("the second of one name", &spec, PM_OK, NULL);
		test_free(self);
		again = responder_spec;
		again.not_after = NOW - 1;
		spec = good();
		spec.by_name = by_name;
		spec.first_cert = self = mint_cert(&again);
		expect("its old certificate first", &spec, PM_OK, NULL);
		spec.responder = self;
		spec.first_cert = responder;
		expect("its old certificate last", &spec, PM_OK, NULL);
		spec.first_cert = pm_view(NULL, 0);
		expect("its old certificate alone", &spec, PM_E_STALE, NAME);
		test_free(self);
	}
}
END_TEST

/* The issuer's namesake: whichever of the two signed. */
START_TEST(a_responder_named_as_the_issuer)
{
	struct mint_ocsp spec;

	responder_spec.name = "CA";
	mint_responder();
	spec = good();
	spec.by_name = true;
	expect("the namesake", &spec, PM_OK, NULL);
	spec.key = ca_key;
	spec.responder = ca;
	spec.first_cert = responder;
	expect("the issuer", &spec, PM_OK, NULL);
	spec.forged = true;
	expect("neither", &spec, PM_E_REJECTED, "OCSP, signature");
}
END_TEST

/* --- of whom --------------------------------------------------------------------------------- */

/* Ours, OpenSSL's default, and one that others ask with: the hash finds an answer, no more. */
static const char *const id_hashes[] = {"SHA384", "SHA1", "SHA256"};

START_TEST(of_each_hash)
{
	struct mint_ocsp spec = good();

	spec.id_hash = id_hashes[_i];
	expect("good", &spec, PM_OK, NULL);
	spec.forged = true;
	expect("forged", &spec, PM_E_REJECTED, "OCSP, signature");
	spec = revoked(1, FROM);
	spec.id_hash = id_hashes[_i];
	expect("revoked", &spec, PM_E_REJECTED, NAME);
}
END_TEST

START_TEST(of_another_certificate)
{
	struct mint_ocsp spec = good();

	spec.id_hash = id_hashes[_i];
	spec.cert = other_leaf;
	expect("another serial", &spec, PM_E_MISSING, NULL);
	spec = good();
	spec.id_hash = "SHA512";
	expect("SHA-512", &spec, PM_E_UNSUPPORTED, "OCSP, certID");
}
END_TEST

/* Same name, another key; same key, another name. */
START_TEST(of_another_issuer)
{
	struct mint_cert other = ca_spec;
	struct mint_ocsp spec = good();
	struct pm_view der;

	spec.id_hash = id_hashes[_i];
	other.key = other_key;
	der = mint_cert(&other);
	spec.issuer = der;
	expect("another key", &spec, PM_E_MISSING, NULL);
	test_free(der);
	/* OpenSSL takes the name out of the certificate in question. */
	leaf_spec.serial = 0x80;
	leaf_spec.signer.name = "CB";
	der = mint_cert(&leaf_spec);
	spec = good();
	spec.id_hash = id_hashes[_i];
	spec.cert = der;
	expect("another name", &spec, PM_E_MISSING, NULL);
	test_free(der);
}
END_TEST

/* --- what is said ---------------------------------------------------------------------------- */

START_TEST(revoked_ones)
{
	for (int reason = -1; reason <= 10; reason++) {
		struct mint_ocsp spec = revoked(reason, FROM);

		if (reason != 7)
			expect("revoked", &spec, PM_E_REJECTED, NAME);
	}
}
END_TEST

START_TEST(unknown_ones)
{
	struct mint_ocsp spec = good();
	struct asked a = new_asked();

	spec.status = MINT_OCSP_UNKNOWN;
	expect("unknown", &spec, PM_E_REJECTED, NAME);
	ck_pm(pm_gpu_policy_permit(a.policy, PM_GPU_PERMIT_OCSP_UNKNOWN), PM_OK);
	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(check(&a), PM_OK);
	/* Not a good answer, and nothing says that it is one. */
	ck_assert_int_eq(pm_report_at(a.report, 0)->outcome, PM_NOT_CHECKED);
	free_asked(&a);
}
END_TEST

static int check_hold(int reason, int64_t at, int64_t grace)
{
	struct mint_ocsp spec = revoked(reason, at);
	struct asked a = new_asked();
	int r;

	ck_pm(pm_gpu_policy_permit(a.policy, PM_GPU_PERMIT_HOLD), PM_OK);
	if (grace)
		ck_pm(pm_gpu_policy_ocsp_grace(a.policy, grace), PM_OK);
	ck_pm(add(&a, &spec), PM_OK);
	r = check(&a);
	if (r == PM_OK)
		ck_assert_int_eq(pm_report_at(a.report, 0)->outcome, PM_NOT_CHECKED);
	free_asked(&a);
	return r;
}

START_TEST(on_hold)
{
	struct mint_ocsp spec = revoked(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500);

	expect("hold", &spec, PM_E_REJECTED, NAME);
	ck_pm(check_hold(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500, 500), PM_OK);
	ck_pm(check_hold(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500, 499), PM_E_REJECTED);
	ck_pm(check_hold(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500, 0), PM_E_REJECTED);
	ck_pm(check_hold(OCSP_REVOKED_STATUS_KEYCOMPROMISE, NOW - 500, 500), PM_E_REJECTED);
	ck_pm(check_hold(-1, NOW - 500, 500), PM_E_REJECTED);
}
END_TEST

START_TEST(permissions_do_not_mix)
{
	struct mint_ocsp spec = good();
	struct asked a = new_asked();

	spec.status = MINT_OCSP_UNKNOWN;
	ck_pm(pm_gpu_policy_permit(a.policy, PM_GPU_PERMIT_HOLD), PM_OK);
	ck_pm(pm_gpu_policy_ocsp_grace(a.policy, 500), PM_OK);
	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(check(&a), PM_E_REJECTED);
	free_asked(&a);
	a = new_asked();
	spec = revoked(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 1);
	ck_pm(pm_gpu_policy_permit(a.policy, PM_GPU_PERMIT_OCSP_UNKNOWN), PM_OK);
	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(check(&a), PM_E_REJECTED);
	free_asked(&a);
}
END_TEST

/* --- when ------------------------------------------------------------------------------------ */

static int check_at(const struct mint_ocsp *spec, int64_t now, int64_t *ret_until)
{
	struct asked a = new_asked();
	int r;

	a.now = now;
	ck_pm(add(&a, spec), PM_OK);
	r = check(&a);
	*ret_until = a.until;
	free_asked(&a);
	return r;
}

START_TEST(times)
{
	struct mint_ocsp spec = good();
	int64_t until;

	spec.this_update = NOW - 100;
	spec.next_update = NOW + 100;
	ck_pm(check_at(&spec, NOW - 100 - PM_OCSP_CLOCK_SKEW, &until), PM_OK);
	ck_pm(check_at(&spec, NOW - 101 - PM_OCSP_CLOCK_SKEW, &until), PM_E_STALE);
	ck_pm(check_at(&spec, NOW + 99, &until), PM_OK);
	ck_assert_int_eq(until, NOW + 99);
	ck_pm(check_at(&spec, NOW + 100, &until), PM_E_STALE);
	/* Made later than it speaks of. */
	spec.produced_at = NOW + PM_OCSP_CLOCK_SKEW;
	ck_pm(check_at(&spec, NOW, &until), PM_OK);
	ck_pm(check_at(&spec, NOW - 1, &until), PM_E_STALE);
}
END_TEST

START_TEST(without_next_update)
{
	struct mint_ocsp spec = good();
	int64_t until;

	responder_spec.not_after = NOW + 100000;
	mint_responder();
	spec.responder = responder;
	spec.this_update = NOW;
	spec.next_update = 0;
	ck_pm(check_at(&spec, NOW + PM_OCSP_NO_NEXT_UPDATE - 1, &until), PM_OK);
	ck_assert_int_eq(until, NOW + PM_OCSP_NO_NEXT_UPDATE - 1);
	ck_pm(check_at(&spec, NOW + PM_OCSP_NO_NEXT_UPDATE, &until), PM_E_STALE);
	/* A time that ends before it begins. */
	spec.next_update = NOW;
	expect("nextUpdate", &spec, PM_E_FORMAT, "OCSP, thisUpdate, nextUpdate");
	/* No longer than its responder's certificate. */
	spec.next_update = NOW + 200000;
	ck_pm(check_at(&spec, NOW, &until), PM_OK);
	ck_assert_int_eq(until, NOW + 100000);
}
END_TEST

/* --- more than one answer -------------------------------------------------------------------- */

static int check_two(const struct mint_ocsp *a, const struct mint_ocsp *b, int64_t *ret_until)
{
	struct asked asked = new_asked();
	int r;

	ck_pm(add(&asked, a), PM_OK);
	ck_pm(add(&asked, b), PM_OK);
	r = check(&asked);
	*ret_until = asked.until;
	if (r == PM_OK)
		ck_assert_ptr_null(pm_report_failure(asked.report));
	free_asked(&asked);
	return r;
}

/* In either order. */
static void expect_two(const char *what, const struct mint_ocsp *a, const struct mint_ocsp *b,
	int want, int64_t want_until)
{
	int64_t until;

	ck_assert_msg(check_two(a, b, &until) == want, "%s", what);
	ck_assert_msg(until == want_until, "%s: %ld", what, (long)until);
	ck_assert_msg(check_two(b, a, &until) == want, "%s, swapped", what);
	ck_assert_msg(until == want_until, "%s, swapped", what);
}

START_TEST(two_responses)
{
	struct mint_ocsp yes = good(), later = good(), old = good(), no, forged_one = good();

	later.next_update = TO - 100;
	old.this_update = FROM - 100;
	old.next_update = NOW - 100;
	forged_one.forged = true;
	expect_two("good and good", &yes, &later, PM_OK, TO - 1);
	expect_two("good and old", &yes, &old, PM_OK, TO - 1);
	/* What nobody signed says nothing. */
	expect_two("good and forged", &yes, &forged_one, PM_OK, TO - 1);
	expect_two("old and forged", &old, &forged_one, PM_E_STALE, INT64_MAX);
	no = revoked(1, FROM);
	no.forged = true;
	expect_two("good and a forged revocation", &yes, &no, PM_OK, TO - 1);
	expect_two("two forged ones", &forged_one, &no, PM_E_REJECTED, INT64_MAX);
	no = revoked(1, FROM);
	expect_two("good and revoked", &yes, &no, PM_E_REJECTED, INT64_MAX);
	/* A revocation does not end by growing old... */
	no.this_update = old.this_update;
	no.next_update = old.next_update;
	expect_two("good and revoked before", &yes, &no, PM_E_REJECTED, INT64_MAX);
	/* ...but a hold does. */
	no.reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
	expect_two("good and held before", &yes, &no, PM_OK, TO - 1);
	no = revoked(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, FROM);
	expect_two("good and held", &yes, &no, PM_E_REJECTED, INT64_MAX);
}
END_TEST

START_TEST(two_answers_in_one)
{
	struct mint_ocsp spec = good();

	spec.more = (struct mint_ocsp_more){true, MINT_OCSP_GOOD, other_leaf};
	expect("of another too", &spec, PM_OK, NULL);
	spec.more.status = MINT_OCSP_REVOKED;
	spec.revoked_at = FROM;
	expect("of another, revoked", &spec, PM_OK, NULL);
	spec.more.cert = leaf;
	expect("revoked behind good", &spec, PM_E_REJECTED, NAME);
	spec.status = MINT_OCSP_REVOKED;
	spec.more.status = MINT_OCSP_GOOD;
	expect("good behind revoked", &spec, PM_E_REJECTED, NAME);
}
END_TEST

/* --- form ------------------------------------------------------------------------------------ */

START_TEST(no_answer)
{
	static const int codes[] = {1, 2, 3, 5, 6};

	for (size_t i = 0; i < PM_ARRAY_LEN(codes); i++) {
		struct mint_ocsp spec = good();

		spec.response_status = codes[i];
		expect("status", &spec, PM_E_REJECTED, "OCSP, responseStatus");
	}
}
END_TEST

START_TEST(extensions)
{
	struct mint_ocsp spec = good();

	spec.critical = true;
	expect("critical", &spec, PM_E_UNSUPPORTED, "OCSP, extensions");
	spec = good();
	spec.critical_single = true;
	expect("critical in the answer", &spec, PM_E_UNSUPPORTED, "OCSP, extensions");
	spec = good();
	spec.nonce = VIEW("0123456789abcdef");
	spec.nonce_twice = true;
	expect("two nonces", &spec, PM_E_FORMAT, "OCSP, nonce");
}
END_TEST

static int add_for(struct pm_view nonce_in_response, const uint8_t *nonce)
{
	struct mint_ocsp spec = good();
	struct asked a = new_asked();
	struct pm_view der;
	int r;

	spec.nonce = nonce_in_response;
	der = mint_ocsp(&spec);
	r = pm_ocsp_set_add_for(a.set, der.ptr, der.len, nonce, a.report);
	ck_assert_uint_eq(pm_ocsp_set_count(a.set), r == PM_OK);
	if (r == PM_OK)
		ck_pm(check(&a), PM_OK);
	else
		ck_assert_str_eq(pm_report_failure(a.report)->name, "OCSP, nonce");
	test_free(der);
	free_asked(&a);
	return r;
}

START_TEST(nonces)
{
	static const uint8_t nonce[PM_OCSP_NONCE_SIZE] = "0123456789abcdef0123456789abcdef";
	uint8_t other[PM_OCSP_NONCE_SIZE];

	memcpy(other, nonce, sizeof(other));
	other[31] ^= 1;
	ck_pm(add_for(pm_view(nonce, 32), nonce), PM_OK);
	ck_pm(add_for(pm_view(other, 32), nonce), PM_E_REJECTED);
	ck_pm(add_for(pm_view(nonce, 31), nonce), PM_E_REJECTED);
	ck_pm(add_for(pm_view(NULL, 0), nonce), PM_E_REJECTED);
}
END_TEST

START_TEST(sets_are_bounded)
{
	struct asked a = new_asked();
	struct mint_ocsp spec = good();
	uint8_t *big = pm_alloc(PM_OCSP_RESPONSE_SIZE_MAX + 1);

	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(pm_ocsp_set_add(a.set, big, PM_OCSP_RESPONSE_SIZE_MAX + 1, NULL), PM_E_LIMIT);
	ck_pm(pm_ocsp_set_add(a.set, big, PM_OCSP_RESPONSE_SIZE_MAX, NULL), PM_E_FORMAT);
	ck_pm(pm_ocsp_set_add(a.set, big, 0, NULL), PM_E_FORMAT);
	ck_pm(pm_ocsp_set_add(a.set, NULL, 0, NULL), PM_E_FORMAT);
	for (size_t i = 1; i < PM_OCSP_RESPONSES_MAX; i++)
		ck_pm(add(&a, &spec), PM_OK); /* ECDSA signs differently each time */
	ck_assert_uint_eq(pm_ocsp_set_count(a.set), PM_OCSP_RESPONSES_MAX);
	ck_pm(add(&a, &spec), PM_E_LIMIT);
	free_asked(&a);
	test_free(pm_view(big, 0));
}
END_TEST

START_TEST(responses_are_bounded)
{
	struct mint_ocsp spec = good();

	spec.first_singles = PM_OCSP_SINGLES_MAX - 1;
	expect("16 answers", &spec, PM_OK, NULL);
	spec.first_singles++;
	expect("17 answers", &spec, PM_E_LIMIT, "OCSP, responses");
	spec = good();
	spec.first_cert = other_leaf;
	spec.first_count = PM_OCSP_CERTS_MAX - 1;
	expect("4 certificates", &spec, PM_OK, NULL);
	spec.first_count++;
	expect("5 certificates", &spec, PM_E_LIMIT, "OCSP, certificates");
}
END_TEST

START_TEST(the_same_again)
{
	struct mint_ocsp spec = good();
	struct pm_view der = mint_ocsp(&spec);
	struct asked a = new_asked();

	ck_pm(pm_ocsp_set_add(a.set, der.ptr, der.len, NULL), PM_OK);
	ck_pm(pm_ocsp_set_add(a.set, der.ptr, der.len, NULL), PM_OK);
	ck_assert_uint_eq(pm_ocsp_set_count(a.set), 1);
	test_free(der);
	free_asked(&a);
}
END_TEST

/* What was verified once is remembered for its issuer alone, and times are asked each time. */
START_TEST(remembered)
{
	struct mint_ocsp spec = good();
	struct asked a = new_asked();
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL, *issuer = NULL;
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct pm_view spki = mint_spki(other_key);

	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(check(&a), PM_OK);
	/* With a key that did not sign: no verification takes place any more. */
	ck_pm(pm_cert_parse(leaf, &cert), PM_OK);
	ck_pm(pm_cert_parse(ca, &issuer), PM_OK);
	ck_pm(pm_pubkey_from_spki(spki, &key), PM_OK);
	ck_pm(pm_ocsp_check(a.set, cert, issuer, key, a.policy, NOW, NAME, NULL, &a.until), PM_OK);
	a.now = TO;
	ck_pm(check(&a), PM_E_STALE);
	test_free(spki);
	free_asked(&a);
}
END_TEST

/* A refusal is not remembered as anything else. */
START_TEST(refused_again)
{
	struct mint_ocsp spec = good();
	struct asked a = new_asked();

	spec.forged = true;
	ck_pm(add(&a, &spec), PM_OK);
	ck_pm(check(&a), PM_E_REJECTED);
	ck_pm(check(&a), PM_E_REJECTED);
	free_asked(&a);
}
END_TEST

/* Each byte another: refused, or not the answer for this certificate. */
static int mutated(uint8_t *der, size_t len, size_t i, uint8_t bit)
{
	struct asked a = new_asked();
	int r;

	der[i] ^= bit;
	r = pm_ocsp_set_add(a.set, der, len, NULL);
	if (r == PM_OK)
		r = check(&a);
	der[i] ^= bit;
	free_asked(&a);
	return r;
}

START_TEST(every_byte)
{
	struct mint_ocsp spec = good();
	struct pm_view der = mint_ocsp(&spec);
	uint8_t *copy = pm_dup(der);

	ck_pm(mutated(copy, der.len, 0, 0), PM_OK);
	for (size_t i = 0; i < der.len; i++) {
		ck_assert_msg(mutated(copy, der.len, i, 1) < 0, "byte %zu", i);
		ck_assert_msg(mutated(copy, der.len, i, 0x80) < 0, "byte %zu, high bit", i);
	}
	for (size_t n = 0; n < der.len; n++) {
		struct asked a = new_asked();

		ck_assert_msg(pm_ocsp_set_add(a.set, copy, n, NULL) == PM_E_FORMAT, "%zu", n);
		free_asked(&a);
	}
	test_free(pm_view(copy, 0));
	test_free(der);
}
END_TEST

/* A response that says revoked has parts that the others have not. */
START_TEST(every_byte_of_a_revocation)
{
	struct mint_ocsp spec = revoked(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500);
	struct pm_view der = mint_ocsp(&spec);
	uint8_t *copy = pm_dup(der);

	for (size_t i = 0; i < der.len; i++) {
		for (int bit = 0; bit < 8; bit++)
			ck_assert_msg(
				mutated(copy, der.len, i, (uint8_t)(1 << bit)) < 0, "byte %zu", i);
	}
	test_free(pm_view(copy, 0));
	test_free(der);
}
END_TEST

/* Places in the form that no bit of a good response leads to. */
static void expect_edited(const struct mint_ocsp *spec, struct pm_view from, struct pm_view to,
	int want, const char *name)
{
	struct pm_view der = mint_ocsp(spec);
	struct asked a = new_asked();
	uint8_t *at = memmem(der.ptr, der.len, from.ptr, from.len);

	ck_assert(at && from.len == to.len);
	memcpy(at, to.ptr, to.len);
	expect_failure(name, &a, pm_ocsp_set_add(a.set, der.ptr, der.len, a.report), want, name);
	ck_assert_uint_eq(pm_ocsp_set_count(a.set), 0);
	free_asked(&a);
	test_free(der);
}

START_TEST(forms)
{
	struct mint_ocsp held = revoked(OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 500), spec;

	/* ENUMERATED: reasons end at 10. */
	expect_edited(&held, VIEW("\xa0\x03\x0a\x01\x06"), VIEW("\xa0\x03\x0a\x01\x0b"),
		PM_E_FORMAT, "OCSP, certStatus");
	expect_edited(&held, VIEW("\xa0\x03\x0a\x01\x06"), VIEW("\xa0\x03\x02\x01\x06"),
		PM_E_FORMAT, "OCSP, certStatus");
	spec = good();
	spec.nonce = VIEW("0123456789abcdef");
	/* OCTET STRING of 16 bytes in one of 18. */
	expect_edited(&spec, VIEW("\x04\x12\x04\x10"), VIEW("\x04\x12\x05\x10"), PM_E_FORMAT,
		"OCSP, nonce");
	spec = good();
	spec.critical = true;
	/* BOOLEAN: DER knows one way to say true. */
	expect_edited(&spec, VIEW("\x2a\x03\x04\x01\x01\xff"), VIEW("\x2a\x03\x04\x01\x01\x01"),
		PM_E_FORMAT, "OCSP, extensions");
	spec = good();
	/* [1] Name in place of [2] KeyHash. */
	expect_edited(&spec, VIEW("\xa2\x16\x04\x14"), VIEW("\xa1\x16\x04\x14"), PM_E_FORMAT,
		"OCSP, responderID");
	/* Another type of response, and another algorithm. */
	expect_edited(&spec, VIEW("\x30\x01\x01\x04\x82"), VIEW("\x30\x01\x02\x04\x82"),
		PM_E_UNSUPPORTED, "OCSP, responseType");
}
END_TEST

/* --- requests: OpenSSL reads them ------------------------------------------------------------ */

static void check_request(const uint8_t *request, size_t size, const uint8_t *nonce)
{
	const unsigned char *p = request;
	OCSP_REQUEST *req = d2i_OCSP_REQUEST(NULL, &p, (long)size);
	const unsigned char *c = leaf.ptr, *i = ca.ptr;
	X509 *cert = d2i_X509(NULL, &c, (long)leaf.len);
	X509 *issuer = d2i_X509(NULL, &i, (long)ca.len);
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha384(), cert, issuer);
	int at;

	ck_assert(req && p == request + size);
	ck_assert_int_eq(OCSP_request_onereq_count(req), 1);
	ck_assert_int_eq(OCSP_id_cmp(id, OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0))), 0);
	at = OCSP_REQUEST_get_ext_by_NID(req, NID_id_pkix_OCSP_Nonce, -1);
	ck_assert((at >= 0) == (nonce != NULL));
	if (nonce) {
		const ASN1_OCTET_STRING *value =
			X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(req, at));

		ck_assert_int_eq(ASN1_STRING_length(value), 34);
		ck_assert(!memcmp(ASN1_STRING_get0_data(value) + 2, nonce, 32));
	}
	OCSP_CERTID_free(id);
	X509_free(cert);
	X509_free(issuer);
	OCSP_REQUEST_free(req);
}

START_TEST(requests)
{
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX], nonce[PM_OCSP_NONCE_SIZE] = {1, 2, 3};
	size_t size = 0;

	ck_pm(pm_ocsp_request(
		      leaf.ptr, leaf.len, ca.ptr, ca.len, NULL, request, sizeof(request), &size),
		PM_OK);
	check_request(request, size, NULL);
	ck_pm(pm_ocsp_request(leaf.ptr, leaf.len, ca.ptr, ca.len, NULL, request, size - 1, &size),
		PM_E_LIMIT);
	ck_pm(pm_ocsp_request(
		      leaf.ptr, leaf.len, ca.ptr, ca.len, nonce, request, sizeof(request), &size),
		PM_OK);
	check_request(request, size, nonce);
	ck_pm(pm_ocsp_request(
		      ca.ptr, ca.len, leaf.ptr, leaf.len, NULL, request, sizeof(request), &size),
		PM_E_REJECTED);
	ck_pm(pm_ocsp_request("x", 1, ca.ptr, ca.len, NULL, request, sizeof(request), &size),
		PM_E_FORMAT);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(t, good_ones);
	tcase_add_test(t, forged);
	tcase_add_loop_test(t, responder_of, 0, (int)PM_ARRAY_LEN(responders));
	tcase_add_test(t, responder_key_on_p256);
	tcase_add_test(t, another_issuers_responder);
	tcase_add_test(t, responders_of_one_name);
	tcase_add_test(t, a_responder_named_as_the_issuer);
	tcase_add_loop_test(t, of_each_hash, 0, PM_ARRAY_LEN(id_hashes));
	tcase_add_loop_test(t, of_another_certificate, 0, PM_ARRAY_LEN(id_hashes));
	tcase_add_loop_test(t, of_another_issuer, 0, PM_ARRAY_LEN(id_hashes));
	tcase_add_test(t, revoked_ones);
	tcase_add_test(t, unknown_ones);
	tcase_add_test(t, on_hold);
	tcase_add_test(t, permissions_do_not_mix);
	tcase_add_test(t, times);
	tcase_add_test(t, without_next_update);
	tcase_add_test(t, two_responses);
	tcase_add_test(t, two_answers_in_one);
	tcase_add_test(t, no_answer);
	tcase_add_test(t, extensions);
	tcase_add_test(t, nonces);
	tcase_add_test(t, sets_are_bounded);
	tcase_add_test(t, responses_are_bounded);
	tcase_add_test(t, the_same_again);
	tcase_add_test(t, remembered);
	tcase_add_test(t, refused_again);
	tcase_add_test(t, every_byte);
	tcase_add_test(t, every_byte_of_a_revocation);
	tcase_add_test(t, forms);
	tcase_add_test(t, requests);
}

int main(void)
{
	Suite *s = suite_create("ocsp_hostile");
	TCase *t = tcase_create("ocsp_hostile");

	tcase_set_timeout(t, 100);
	tcase_add_checked_fixture(t, begin, end);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
