/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the attestation service: what must be there, one deviation each, and real ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "base/base64.h"
#include "eat_maker.h"
#include "evidence/eat.h"
#include "mint.h"
#include "testing.h"

static const char nonce_hex[] = "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb";

static struct pm_report *report;
static struct pm_eat_policy *policy;
static struct eat_maker maker;
static struct pm_jwks *jwks;
static struct pm_eat *eat;
static const struct pm_eat_facts *facts;

static struct pm_jwks *jwks_of(json_t *key)
{
	struct pm_jwks *set = NULL;
	char *text = eat_jwks(key);

	ck_pm(pm_jwks_parse(text, strlen(text), report, &set), PM_OK);
	free(text);
	return set;
}

static void demand_nonce(void)
{
	uint8_t nonce[PM_EAT_NONCE_SIZE];

	ck_pm(pm_hex_decode(nonce_hex, nonce, sizeof(nonce)), PM_OK);
	ck_pm(pm_eat_policy_expect_nonce(policy, nonce), PM_OK);
}

static void setup_of(size_t gpus, size_t switches)
{
	report = pm_report_new();
	ck_pm(pm_eat_policy_new(&policy), PM_OK);
	demand_nonce();
	eat_maker_init(&maker, gpus, switches);
	jwks = jwks_of(eat_jwk(maker.key, "key"));
	eat = NULL;
	facts = NULL;
}

static void setup(void)
{
	setup_of(2, 0);
}

static void teardown(void)
{
	pm_eat_free(eat);
	pm_jwks_free(jwks);
	eat_maker_free(&maker);
	pm_eat_policy_free(policy);
	pm_report_free(report);
}

/* Parses and verifies a text, which it frees. */
static int judge_at(char *text, int64_t now)
{
	int r;

	pm_eat_free(eat);
	eat = NULL;
	facts = NULL;
	pm_report_reset(report);
	r = pm_eat_parse(text, strlen(text), report, &eat);
	free(text);
	return r < 0 ? r : pm_eat_verify(eat, jwks, policy, now, report, &facts);
}

static int judge(char *text)
{
	return judge_at(text, EAT_NOW + 60);
}

/* The check that failed first. */
static const char *failure(void)
{
	const struct pm_check *check = pm_report_failure(report);

	return check ? check->name : "none";
}

static void refused(char *text, int code, const char *check, const char *what)
{
	int r = judge(text);

	ck_assert_msg(r == code && strcmp(failure(), check) == 0 && !facts,
		"%s: got %s (%s), want %s (%s)", what, pm_strerror(r), pm_report_reason(report),
		pm_strerror(code), check);
}

/* --- yes ------------------------------------------------------------------------------------- */

START_TEST(a_good_token_is_accepted)
{
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_assert_str_eq(facts->issuer, PM_EAT_ISSUER);
	ck_assert_str_eq(facts->kid, "key");
	ck_assert_int_eq(facts->version, 3);
	ck_assert_int_eq(facts->issued_at, EAT_NOW);
	ck_assert_int_eq(facts->valid_until, EAT_NOW + 3599);
	ck_assert(facts->nonce_checked);
	ck_assert_uint_eq(facts->device_count, 2);
	ck_assert_int_eq(facts->devices[1].kind, PM_EAT_GPU);
	ck_assert_str_eq(facts->devices[1].name, "GPU-1");
	ck_assert_str_eq(facts->devices[1].hwmodel, "GH100 A01 GSP BROM");
	ck_assert_str_eq(facts->devices[1].driver, "550.90.07");
	ck_assert_str_eq(facts->devices[1].vbios, "96.00.9F.00.01");
	ck_assert_str_eq(facts->devices[1].ueid, "478176379286031");
	ck_assert_ptr_null(pm_report_failure(report));
	/* And without a report. */
	ck_pm(pm_eat_verify(eat, jwks, policy, EAT_NOW, NULL, &facts), PM_OK);
}
END_TEST

START_TEST(switches_are_accepted)
{
	teardown();
	setup_of(1, 2);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_assert_uint_eq(facts->device_count, 3);
	ck_assert_int_eq(facts->devices[2].kind, PM_EAT_SWITCH);
	ck_assert_str_eq(facts->devices[2].driver, "");
	ck_assert_str_eq(facts->devices[2].vbios, "96.10.55.00.01");
}
END_TEST

START_TEST(version_2_is_accepted)
{
	eat_maker_version2(&maker);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_assert_int_eq(facts->version, 2);
	eat_set(json_object_get(maker.mods, "GPU-1"), "x-nvidia-gpu-vbios-rim-cert-validated",
		"false");
	refused(eat_make(&maker), PM_E_REJECTED, "x-nvidia-gpu-vbios-rim-cert-validated", "v2");
	/* Version 3's words mean nothing in version 2, and no switch speaks it. */
	eat_set(json_object_get(maker.mods, "GPU-1"), "x-nvidia-gpu-vbios-rim-cert-validated",
		"true");
	eat_set(json_object_get(maker.mods, "GPU-1"), "measres", "\"success\"");
	refused(eat_make(&maker), PM_E_REJECTED, "measres", "v2");
	teardown();
	setup_of(0, 1);
	eat_set(maker.overall, "x-nvidia-ver", "\"2.0\"");
	refused(eat_make(&maker), PM_E_UNSUPPORTED, "x-nvidia-ver", "v2 switch");
}
END_TEST

START_TEST(a_type_in_the_header_is_accepted)
{
	eat_set(maker.header, "typ", "\"JWT\"");
	ck_pm(judge(eat_make(&maker)), PM_OK);
}
END_TEST

/* --- claims ---------------------------------------------------------------------------------- */

struct claim_case {
	const char *claim, *json;
	int code;
	const char *check; /* NULL: the claim */
};

#define OTHER_NONCE "\"1111111111111111111111111111111111111111111111111111111111111111\""

static const struct claim_case overall_cases[] = {
	{"sub", "\"OTHER\"", PM_E_REJECTED},
	{"sub", NULL, PM_E_REJECTED},
	{"x-nvidia-ver", "\"1.0\"", PM_E_UNSUPPORTED},
	{"x-nvidia-ver", "\"3.00\"", PM_E_UNSUPPORTED},
	{"x-nvidia-ver", "3.0", PM_E_UNSUPPORTED},
	{"x-nvidia-ver", NULL, PM_E_UNSUPPORTED},
	{"iss", "\"https://nras.attestation.nvidia.com/\"", PM_E_REJECTED},
	{"iss", "\"https://nras.attestation-stg.nvidia.com\"", PM_E_REJECTED},
	{"iss", "\"\"", PM_E_REJECTED},
	{"iss", "[\"https://nras.attestation.nvidia.com\"]", PM_E_REJECTED},
	{"iss", NULL, PM_E_REJECTED},
	{"eat_nonce", OTHER_NONCE, PM_E_REJECTED},
	{"eat_nonce", "\"\"", PM_E_REJECTED},
	{"eat_nonce", "[]", PM_E_REJECTED},
	{"eat_nonce", NULL, PM_E_REJECTED},
	{"x-nvidia-overall-att-result", "false", PM_E_REJECTED},
	{"x-nvidia-overall-att-result", "\"true\"", PM_E_REJECTED},
	{"x-nvidia-overall-att-result", "1", PM_E_REJECTED},
	{"x-nvidia-overall-att-result", NULL, PM_E_REJECTED},
	{"exp", NULL, PM_E_FORMAT},
	{"exp", "\"1772326800\"", PM_E_FORMAT},
	{"exp", "1772326800.0", PM_E_FORMAT},
	{"exp", "-1", PM_E_FORMAT},
	{"exp", "253402300800", PM_E_FORMAT},
	{"exp", "1772323199", PM_E_STALE},
	{"exp", "1772409601", PM_E_REJECTED},
	{"nbf", NULL, PM_E_FORMAT},
	{"nbf", "1772326801", PM_E_STALE},
	{"iat", NULL, PM_E_FORMAT},
	{"iat", "1772326801", PM_E_STALE},
	{"submods", "{}", PM_E_REJECTED},
	{"submods", "[]", PM_E_REJECTED},
	{"x-nvidia-other", "true", PM_E_REJECTED, "unknown claim"},
};

#define CHAIN(status, ocsp, until, reason)                                                         \
	"{\"x-nvidia-cert-status\":\"" status "\",\"x-nvidia-cert-ocsp-status\":\"" ocsp           \
	"\",\"x-nvidia-cert-expiration-date\":\"" until                                            \
	"\",\"x-nvidia-cert-revocation-reason\":" reason "}"

static const struct claim_case gpu_cases[] = {
	{"iss", "\"https://nras.attestation-stg.nvidia.com\"", PM_E_REJECTED},
	{"iss", NULL, PM_E_REJECTED},
	{"eat_nonce", OTHER_NONCE, PM_E_REJECTED},
	{"eat_nonce", NULL, PM_E_REJECTED},
	{"exp", "1772323199", PM_E_STALE},
	{"exp", NULL, PM_E_FORMAT},
	{"nbf", "1772326801", PM_E_STALE},
	{"iat", "1772326801", PM_E_STALE},
	{"measres", "\"fail\"", PM_E_REJECTED},
	{"measres", "\"comparison-successful\"", PM_E_REJECTED},
	{"measres", "true", PM_E_REJECTED},
	{"measres", NULL, PM_E_REJECTED},
	{"secboot", "false", PM_E_REJECTED},
	{"secboot", "null", PM_E_REJECTED},
	{"secboot", "\"true\"", PM_E_REJECTED},
	{"secboot", NULL, PM_E_REJECTED},
	{"dbgstat", "\"enabled\"", PM_E_REJECTED},
	{"dbgstat", "null", PM_E_REJECTED},
	{"dbgstat", NULL, PM_E_REJECTED},
	{"hwmodel", "\"\"", PM_E_FORMAT},
	{"hwmodel", "\"a\\nb\"", PM_E_FORMAT},
	{"hwmodel", NULL, PM_E_FORMAT},
	{"ueid", "\"\"", PM_E_FORMAT},
	{"ueid", "\"0478\"", PM_E_FORMAT},
	{"ueid", "\"47 8\"", PM_E_FORMAT},
	{"ueid", "478", PM_E_FORMAT},
	{"ueid", NULL, PM_E_FORMAT},
	{"ueid", "\"478176379286030\"", PM_E_REJECTED}, /* GPU-0's */
	{"oemid", "\"1414\"", PM_E_REJECTED},
	{"oemid", "5703", PM_E_REJECTED},
	{"x-nvidia-attestation-warning", "\"old\"", PM_E_REJECTED},
	{"x-nvidia-attestation-warning", "{}", PM_E_REJECTED},
	{"x-nvidia-error-details", "{\"code\":4010}", PM_E_REJECTED},
	{"x-nvidia-mismatch-measurement-records", "[{\"index\":9}]", PM_E_REJECTED},
	{"x-nvidia-gpu-driver-version", "\"550.90.x\"", PM_E_FORMAT},
	{"x-nvidia-gpu-driver-version", "\"../550\"", PM_E_FORMAT},
	{"x-nvidia-gpu-driver-version", NULL, PM_E_FORMAT},
	{"x-nvidia-gpu-vbios-version", "96", PM_E_FORMAT},
	{"x-nvidia-gpu-vbios-version", NULL, PM_E_FORMAT},
	{"x-nvidia-gpu-something-new", "true", PM_E_REJECTED, "unknown claim"},
	{"x-nvidia-switch-arch-check", "true", PM_E_REJECTED, "unknown claim"},
	{"x-nvidia-gpu-driver-rim-cert-validated", "true", PM_E_REJECTED, "unknown claim"},
	{"x-nvidia-gpu-driver-rim-cert-chain", NULL, PM_E_FORMAT},
	{"x-nvidia-gpu-driver-rim-cert-chain", "true", PM_E_FORMAT},
	{"x-nvidia-gpu-driver-rim-cert-chain", "{}", PM_E_REJECTED},
	{"x-nvidia-gpu-driver-rim-cert-chain",
		CHAIN("expired", "good", "2027-01-01T00:00:00Z", "null"), PM_E_REJECTED},
	{"x-nvidia-gpu-driver-rim-cert-chain",
		CHAIN("valid", "revoked", "2027-01-01T00:00:00Z", "null"), PM_E_REJECTED},
	{"x-nvidia-gpu-driver-rim-cert-chain",
		CHAIN("valid", "good", "2027-01-01T00:00:00Z", "\"certificateHold\""),
		PM_E_REJECTED},
	{"x-nvidia-gpu-driver-rim-cert-chain",
		CHAIN("valid", "good", "2026-02-28T00:00:00Z", "null"), PM_E_STALE},
	{"x-nvidia-gpu-driver-rim-cert-chain", CHAIN("valid", "good", "tomorrow", "null"),
		PM_E_FORMAT},
	{"x-nvidia-gpu-driver-rim-cert-chain",
		CHAIN("valid", "good", "2027-01-01T00:00:00Z", "null,\"x\":1"), PM_E_REJECTED},
};

static void run_cases(const struct claim_case *cases, size_t n, const char *mod)
{
	for (size_t i = 0; i < n; i++) {
		const struct claim_case *c = &cases[i];
		json_t *claims;
		char what[160];

		teardown();
		setup();
		claims = mod ? json_object_get(maker.mods, mod) : maker.overall;
		eat_set(claims, c->claim, c->json);
		snprintf(what, sizeof(what), "%s = %s", c->claim, c->json ? c->json : "(none)");
		refused(eat_make(&maker), c->code, c->check ? c->check : c->claim, what);
	}
}

START_TEST(each_overall_claim_is_judged)
{
	run_cases(overall_cases, PM_ARRAY_LEN(overall_cases), NULL);
}
END_TEST

START_TEST(each_claim_of_a_device_is_judged)
{
	run_cases(gpu_cases, PM_ARRAY_LEN(gpu_cases), "GPU-1");
}
END_TEST

/* Every claim that says true must say it: not false, not null, not nothing. */
static void no_verdict_is_optional(const char *mod)
{
	json_t *names = json_deep_copy(json_object_get(maker.mods, mod)), *value;
	static const char *const others[] = {"false", "null", "\"true\"", "1", NULL};
	const char *name;
	size_t judged = 0;

	json_object_foreach(names, name, value)
	{
		for (size_t i = 0; json_is_true(value) && i < PM_ARRAY_LEN(others); i++) {
			json_t *claims = json_object_get(maker.mods, mod);

			eat_set(claims, name, others[i]);
			refused(eat_make(&maker), PM_E_REJECTED, name, name);
			eat_set(claims, name, "true");
			judged += i == 0;
		}
	}
	ck_assert_uint_ge(judged, 10);
	json_decref(names);
}

START_TEST(each_verdict_must_be_a_yes)
{
	teardown();
	setup_of(1, 1);
	no_verdict_is_optional("GPU-0");
	no_verdict_is_optional("SWITCH-0");
}
END_TEST

START_TEST(a_claim_that_may_be_missing_may)
{
	json_t *claims = json_object_get(maker.mods, "GPU-0");

	eat_set(claims, "oemid", "null");
	eat_set(claims, "x-nvidia-mismatch-measurement-records", "[]");
	eat_set(claims, "x-nvidia-error-details", "null");
	eat_set(claims, "jti", NULL);
	eat_set(claims, "x-nvidia-attestation-warning", NULL);
	ck_pm(judge(eat_make(&maker)), PM_OK);
}
END_TEST

START_TEST(certificates_bound_the_facts)
{
	eat_set(json_object_get(maker.mods, "GPU-1"), "x-nvidia-gpu-vbios-rim-cert-chain",
		CHAIN("valid", "good", "2026-03-01T00:10:00Z", "null"));
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_assert_int_eq(facts->valid_until, EAT_NOW + 600);
}
END_TEST

/* --- signatures ------------------------------------------------------------------------------ */

static const struct {
	const char *member, *json;
	int code;
} header_cases[] = {
	{"alg", "\"none\"", PM_E_UNSUPPORTED},
	{"alg", "\"ES256\"", PM_E_UNSUPPORTED},
	{"alg", "\"HS384\"", PM_E_UNSUPPORTED},
	{"alg", "\"es384\"", PM_E_UNSUPPORTED},
	{"alg", "[\"ES384\"]", PM_E_UNSUPPORTED},
	{"alg", NULL, PM_E_UNSUPPORTED},
	{"kid", "\"other\"", PM_E_MISSING},
	{"kid", "\"\"", PM_E_FORMAT},
	{"kid", "7", PM_E_FORMAT},
	{"kid", NULL, PM_E_FORMAT},
	{"typ", "\"JOSE\"", PM_E_UNSUPPORTED},
	{"typ", "1", PM_E_UNSUPPORTED},
	{"crit", "[\"b64\"]", PM_E_UNSUPPORTED},
	{"b64", "false", PM_E_UNSUPPORTED},
	{"jwk", "{}", PM_E_UNSUPPORTED},
	{"jku", "\"https://evil.test\"", PM_E_UNSUPPORTED},
	{"x5c", "[]", PM_E_UNSUPPORTED},
};

START_TEST(headers_are_of_one_profile)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(header_cases); i++) {
		teardown();
		setup();
		eat_set(maker.header, header_cases[i].member, header_cases[i].json);
		refused(eat_make(&maker), header_cases[i].code, "overall token",
			header_cases[i].member);
		teardown();
		setup();
		maker.mod_header = json_deep_copy(maker.header);
		eat_set(maker.mod_header, header_cases[i].member, header_cases[i].json);
		refused(eat_make(&maker), header_cases[i].code, "device's token",
			header_cases[i].member);
	}
}
END_TEST

START_TEST(signatures_are_verified)
{
	maker.mod_key = mint_ec("P-384");
	refused(eat_make(&maker), PM_E_REJECTED, "device's token", "another key for devices");
	EVP_PKEY_free(maker.key);
	maker.key = mint_ec("P-384");
	refused(eat_make(&maker), PM_E_REJECTED, "overall token", "another key");
}
END_TEST

/* The overall token's three segments, one of them replaced. */
static char *with_segment(size_t which, const char *text)
{
	json_t *parts = eat_parts(&maker);
	char *overall = eat_overall(&maker, parts), *save = NULL, *made, *all;
	const char *segments[3];

	segments[0] = strtok_r(overall, ".", &save);
	segments[1] = strtok_r(NULL, ".", &save);
	segments[2] = strtok_r(NULL, ".", &save);
	segments[which] = text;
	ck_assert_int_gt(asprintf(&made, "%s.%s.%s", segments[0], segments[1], segments[2]), 0);
	all = eat_detached(made, parts);
	free(made);
	free(overall);
	json_decref(parts);
	return all;
}

START_TEST(a_signature_has_96_bytes)
{
	uint8_t bytes[97] = {0};
	const size_t sizes[] = {0, 1, 48, 95, 97};

	for (size_t i = 0; i < PM_ARRAY_LEN(sizes); i++) {
		char *text = eat_base64url(bytes, sizes[i]);

		refused(with_segment(2, text), PM_E_FORMAT, "overall token", "size");
		free(text);
	}
	/* Of the right size and zero. */
	char *text = eat_base64url(bytes, 96);

	refused(with_segment(2, text), PM_E_REJECTED, "overall token", "zero");
	free(text);
}
END_TEST

/* HMAC with the public key: there is no such algorithm here, whatever the header says. */
START_TEST(a_public_key_is_no_secret)
{
	eat_set(maker.header, "alg", "\"HS384\"");
	refused(eat_make(&maker), PM_E_UNSUPPORTED, "overall token", "HS384");
}
END_TEST

START_TEST(segments_are_strict)
{
	static const char *const claims[] = {
		"e30=",		       /* padding */
		"e31",		       /* {} with other last bits */
		"e3 0",		       /* white space */
		"e30\n",	       /* a line's end */
		"ew",		       /* half an object */
		"W10",		       /* [] */
		"MQ",		       /* 1 */
		"bnVsbA",	       /* null */
		"e30wMA",	       /* more behind it */
		"eyJhIjoxLCJhIjoyfQ",  /* {"a":1,"a":2} */
		"eyJhIjoiXHUwMDAwIn0", /* {"a":"\u0000"} */
		"eyJhIjoi_yJ9",	       /* no UTF-8 */
		"a",
		"",
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(claims); i++) {
		teardown();
		setup();
		if (!claims[i][0])
			continue; /* strtok can't make it; see below */
		refused(with_segment(1, claims[i]), PM_E_FORMAT, "overall token", claims[i]);
	}
}
END_TEST

START_TEST(shapes_are_strict)
{
	static const char *const texts[] = {"", " ", "{}", "[]", "[[\"JWT\",\"a.b.c\"]]",
		"[[\"JWT\"],{}]", "[[\"JWT\",\"a.b.c\",1],{}]", "[[\"CWT\",\"a.b.c\"],{}]",
		"[[\"JWT\",7],{}]", "[[\"JWT\",\"a.b.c\"],[]]", "[[\"JWT\",\"a.b.c\"],{},1]",
		"[[\"JWT\",\"\"],{}]", "[[\"JWT\",\"..\"],{}]", "[[\"JWT\",\"a.b\"],{}]",
		"[[\"JWT\",\"a.b.c.d\"],{}]", "a.b.c", "..", "\"a.b.c\"", "a.b.c.d.e", "\x80"};

	for (size_t i = 0; i < PM_ARRAY_LEN(texts); i++) {
		struct pm_eat *parsed = NULL;

		ck_pm(pm_eat_parse(texts[i], strlen(texts[i]), report, &parsed), PM_E_FORMAT);
		ck_pm(pm_eat_parse(texts[i], strlen(texts[i]), NULL, &parsed), PM_E_FORMAT);
		ck_assert_ptr_null(parsed);
	}
}
END_TEST

START_TEST(nothing_may_follow)
{
	char *text = eat_make(&maker), *longer;

	ck_assert_int_gt(asprintf(&longer, "%s[]", text), 0);
	free(text);
	refused(longer, PM_E_FORMAT, "token", "an array behind it");
}
END_TEST

START_TEST(sizes_are_bounded)
{
	struct pm_view big = pm_view(malloc(PM_EAT_SIZE_MAX + 1), PM_EAT_SIZE_MAX + 1);
	struct pm_eat *parsed;

	memset((void *)(uintptr_t)big.ptr, ' ', big.len);
	ck_pm(pm_eat_parse(big.ptr, big.len, report, &parsed), PM_E_LIMIT);
	ck_pm(pm_jwks_parse(big.ptr, PM_JWKS_SIZE_MAX + 1, report, &jwks), PM_E_LIMIT);
	memset((void *)(uintptr_t)big.ptr, 'a', big.len);
	ck_pm(pm_eat_parse(big.ptr, PM_EAT_TOKEN_SIZE_MAX + 1, report, &parsed), PM_E_LIMIT);
	ck_pm(pm_eat_parse(big.ptr, PM_EAT_TOKEN_SIZE_MAX, report, &parsed), PM_E_FORMAT);
	test_free(big);
}
END_TEST

START_TEST(devices_are_bounded)
{
	teardown();
	setup_of(PM_EAT_DEVICES_MAX, 0);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_assert_uint_eq(facts->device_count, PM_EAT_DEVICES_MAX);
	teardown();
	setup_of(PM_EAT_DEVICES_MAX, 1);
	ck_pm(judge(eat_make(&maker)), PM_E_LIMIT);
}
END_TEST

/* --- the parts ------------------------------------------------------------------------------- */

START_TEST(parts_are_the_ones_digested)
{
	json_t *parts = eat_parts(&maker), *fewer = json_copy(parts), *more = json_copy(parts),
	       *other = json_copy(parts), *swapped = json_copy(parts), *again = eat_parts(&maker);
	char *overall = eat_overall(&maker, parts);

	json_object_del(fewer, "GPU-1");
	refused(eat_detached(overall, fewer), PM_E_REJECTED, "submods", "one missing");
	json_object_set(more, "GPU-2", json_object_get(parts, "GPU-1"));
	refused(eat_detached(overall, more), PM_E_REJECTED, "submods", "one more");
	json_object_set(other, "GPU-2", json_object_get(parts, "GPU-1"));
	json_object_del(other, "GPU-1");
	refused(eat_detached(overall, other), PM_E_REJECTED, "submods", "another name");
	json_object_set(swapped, "GPU-0", json_object_get(parts, "GPU-1"));
	json_object_set(swapped, "GPU-1", json_object_get(parts, "GPU-0"));
	refused(eat_detached(overall, swapped), PM_E_REJECTED, "submods", "swapped");
	refused(eat_detached(overall, again), PM_E_REJECTED, "submods", "signed again");
	ck_pm(judge(eat_detached(overall, parts)), PM_OK);
	json_decref(parts);
	json_decref(fewer);
	json_decref(more);
	json_decref(other);
	json_decref(swapped);
	json_decref(again);
	free(overall);
}
END_TEST

START_TEST(digests_have_one_form)
{
	static const char *const entries[] = {"{}", "[]", "[\"DIGEST\"]", "[\"DIGEST\",[]]",
		"[\"DIGEST\",[\"SHA-256\",\"00\"]]", "[\"DIGEST\",[\"SHA-1\",\"00\"]]",
		"[\"OTHER\",[\"SHA-256\",\"00\"]]", "\"DIGEST\"", "null"};
	json_t *parts = eat_parts(&maker);

	free(eat_overall(&maker, parts)); /* makes the digests */
	maker.digested = false;
	for (size_t i = 0; i < PM_ARRAY_LEN(entries); i++) {
		char *overall;

		eat_set(json_object_get(maker.overall, "submods"), "GPU-1", entries[i]);
		overall = eat_overall(&maker, parts);
		refused(eat_detached(overall, parts), PM_E_FORMAT, "submods", entries[i]);
		free(overall);
	}
	json_decref(parts);
}
END_TEST

START_TEST(other_names_of_devices_are_refused)
{
	static const char *const names[] = {
		"CPU-0", "GPU-", "GPU-x", "GPU-1 ", "GPU", "gpu-0", "GPU-0000", "SWITCH-", ""};

	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		teardown();
		setup();
		json_object_set(maker.mods, names[i], json_object_get(maker.mods, "GPU-1"));
		refused(eat_make(&maker), PM_E_UNSUPPORTED, "token", names[i]);
	}
}
END_TEST

START_TEST(an_overall_token_alone_needs_a_waiver)
{
	json_t *parts = eat_parts(&maker);
	char *overall = eat_overall(&maker, parts), *line;

	refused(strdup(overall), PM_E_MISSING, "submods", "alone");
	ck_pm(pm_eat_policy_waive(policy, PM_EAT_WAIVE_DEVICES), PM_OK);
	ck_assert_int_gt(asprintf(&line, "%s\r\n", overall), 0);
	ck_pm(judge(line), PM_OK);
	ck_assert_uint_eq(facts->device_count, 0);
	/* The waiver is for parts that are not there: an empty set is a wrong one. */
	json_object_clear(parts);
	refused(eat_detached(overall, parts), PM_E_REJECTED, "submods", "empty");
	ck_pm(pm_eat_policy_expect_count(policy, 2), PM_OK);
	refused(strdup(overall), PM_E_REJECTED, "devices", "two demanded");
	free(overall);
	json_decref(parts);
}
END_TEST

/* A device's token, as it stands in the detached one. */
static char *alone(const char *name)
{
	json_t *parts = eat_parts(&maker);
	char *text = strdup(json_string_value(json_object_get(parts, name)));

	json_decref(parts);
	return text;
}

START_TEST(a_device_token_alone_needs_a_waiver)
{
	refused(alone("GPU-1"), PM_E_MISSING, "overall token", "alone");
	ck_pm(pm_eat_policy_waive(policy, PM_EAT_WAIVE_DEVICES), PM_OK);
	refused(alone("GPU-1"), PM_E_MISSING, "overall token", "another waiver");
	ck_pm(pm_eat_policy_waive(policy, PM_EAT_WAIVE_OVERALL), PM_OK);
	ck_pm(judge(alone("GPU-1")), PM_OK);
	ck_assert_uint_eq(facts->device_count, 1);
	ck_assert_str_eq(facts->devices[0].name, "GPU");
	ck_assert_int_eq(facts->version, 3);
	ck_assert(facts->nonce_checked);
	ck_assert_int_gt(facts->issued_at, 0);
	ck_pm(pm_eat_policy_expect_count(policy, 2), PM_OK);
	refused(alone("GPU-1"), PM_E_REJECTED, "devices", "two demanded");
}
END_TEST

START_TEST(each_claim_of_a_device_alone_counts)
{
	json_t *claims = json_object_get(maker.mods, "GPU-1");
	static const struct {
		const char *claim, *value;
		int error;
	} rows[] = {
		{"measres", "\"fail\"", PM_E_REJECTED},
		{"secboot", NULL, PM_E_REJECTED},
		{"dbgstat", "\"enabled\"", PM_E_REJECTED},
		{"iss", "\"https://nras.test\"", PM_E_REJECTED},
		{"eat_nonce", OTHER_NONCE, PM_E_REJECTED},
		{"exp", "1", PM_E_STALE},
		{"x-nvidia-gpu-attestation-report-cert-chain", NULL, PM_E_REJECTED},
		{"x-nvidia-gpu-arch-check", "false", PM_E_REJECTED},
	};

	ck_pm(pm_eat_policy_waive(policy, PM_EAT_WAIVE_OVERALL), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		json_t *kept = json_deep_copy(claims);

		eat_set(claims, rows[i].claim, rows[i].value);
		ck_pm(judge(alone("GPU-1")), rows[i].error);
		json_object_clear(claims);
		json_object_update(claims, kept);
		json_decref(kept);
	}
	ck_pm(judge(alone("GPU-1")), PM_OK);
	maker.mod_key = mint_ec("P-384");
	ck_pm(judge(alone("GPU-1")), PM_E_REJECTED);
}
END_TEST

/* --- policy ---------------------------------------------------------------------------------- */

START_TEST(a_new_policy_is_incomplete)
{
	struct pm_eat_policy *fresh;
	char *text = eat_make(&maker);

	ck_pm(pm_eat_policy_new(&fresh), PM_OK);
	ck_pm(pm_eat_parse(text, strlen(text), report, &eat), PM_OK);
	ck_pm(pm_eat_verify(eat, jwks, fresh, EAT_NOW, report, &facts), PM_E_ARG);
	ck_assert_str_eq(failure(), "policy, nonce");
	ck_pm(pm_eat_policy_waive(fresh, PM_EAT_WAIVE_NONCE), PM_OK);
	ck_pm(pm_eat_verify(eat, jwks, fresh, EAT_NOW, NULL, &facts), PM_OK);
	ck_assert(!facts->nonce_checked);
	pm_eat_policy_free(fresh);
	free(text);
}
END_TEST

START_TEST(parts_agree_on_a_waived_nonce)
{
	struct pm_eat_policy *fresh;

	ck_pm(pm_eat_policy_new(&fresh), PM_OK);
	ck_pm(pm_eat_policy_waive(fresh, PM_EAT_WAIVE_NONCE), PM_OK);
	pm_eat_policy_free(policy);
	policy = fresh;
	eat_set(json_object_get(maker.mods, "GPU-1"), "eat_nonce", OTHER_NONCE);
	refused(eat_make(&maker), PM_E_REJECTED, "eat_nonce", "two nonces");
	eat_set(maker.overall, "eat_nonce", "\"zz\"");
	refused(eat_make(&maker), PM_E_REJECTED, "eat_nonce", "no nonce");
}
END_TEST

START_TEST(a_demand_prevails_over_a_waiver)
{
	ck_pm(pm_eat_policy_waive(policy, PM_EAT_WAIVE_NONCE), PM_OK);
	eat_set(maker.overall, "eat_nonce", OTHER_NONCE);
	refused(eat_make(&maker), PM_E_REJECTED, "eat_nonce", "demanded and waived");
}
END_TEST

START_TEST(setters_refuse_nonsense)
{
	char text[PM_EAT_TEXT_SIZE + 1];

	ck_pm(pm_eat_policy_waive(policy, 8), PM_E_ARG);
	ck_pm(pm_eat_policy_permit(policy, 4), PM_E_ARG);
	ck_pm(pm_eat_policy_expect_count(policy, 0), PM_E_ARG);
	ck_pm(pm_eat_policy_expect_count(policy, PM_EAT_DEVICES_MAX + 1), PM_E_ARG);
	ck_pm(pm_eat_policy_max_age(policy, 0), PM_E_ARG);
	ck_pm(pm_eat_policy_skew(policy, -1), PM_E_ARG);
	ck_pm(pm_eat_policy_skew(policy, PM_EAT_SKEW_MAX + 1), PM_E_ARG);
	ck_pm(pm_eat_policy_allow_issuer(policy, ""), PM_E_ARG);
	memset(text, 'a', sizeof(text));
	text[PM_EAT_TEXT_SIZE] = '\0';
	ck_pm(pm_eat_policy_allow_issuer(policy, text), PM_E_ARG);
	text[PM_EAT_TEXT_SIZE - 1] = '\0';
	ck_pm(pm_eat_policy_allow_issuer(policy, text), PM_OK);
	for (int i = 1; i < PM_EAT_POLICY_LIST_MAX; i++)
		ck_pm(pm_eat_policy_allow_issuer(policy, "x"), PM_OK);
	ck_pm(pm_eat_policy_allow_issuer(policy, "y"), PM_E_LIMIT);
	pm_eat_policy_free(NULL);
	pm_eat_free(NULL);
	pm_jwks_free(NULL);
}
END_TEST

START_TEST(issuers_are_an_exact_set)
{
	ck_pm(pm_eat_policy_allow_issuer(policy, "https://a.test"), PM_OK);
	refused(eat_make(&maker), PM_E_REJECTED, "iss", "the default is replaced");
	ck_pm(pm_eat_policy_allow_issuer(policy, PM_EAT_ISSUER), PM_OK);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	/* Allowed, and yet not the overall token's. */
	eat_set(json_object_get(maker.mods, "GPU-1"), "iss", "\"https://a.test\"");
	refused(eat_make(&maker), PM_E_REJECTED, "iss", "two issuers");
}
END_TEST

START_TEST(keys_can_be_pinned)
{
	struct pm_view spki = mint_spki(maker.key);
	uint8_t digest[PM_SHA256_SIZE] = {1};

	ck_pm(pm_eat_policy_pin_key(policy, digest), PM_OK);
	refused(eat_make(&maker), PM_E_REJECTED, "overall token", "another pin");
	ck_pm(pm_hash(PM_SHA256, spki, digest), PM_OK);
	ck_pm(pm_eat_policy_pin_key(policy, digest), PM_OK);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	test_free(spki);
}
END_TEST

START_TEST(counts_are_exact)
{
	ck_pm(pm_eat_policy_expect_count(policy, 2), PM_OK);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	ck_pm(pm_eat_policy_expect_count(policy, 1), PM_OK);
	refused(eat_make(&maker), PM_E_REJECTED, "devices", "too many");
	ck_pm(pm_eat_policy_expect_count(policy, 3), PM_OK);
	refused(eat_make(&maker), PM_E_REJECTED, "devices", "too few");
}
END_TEST

START_TEST(time_is_a_window_with_a_skew)
{
	ck_pm(judge_at(eat_make(&maker), EAT_NOW - 60), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW - 61), PM_E_STALE);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 3659), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 3660), PM_E_STALE);
	ck_assert_str_eq(failure(), "exp");
	ck_pm(judge_at(eat_make(&maker), INT64_MIN), PM_E_STALE);
	ck_pm(judge_at(eat_make(&maker), INT64_MAX), PM_E_STALE);
	ck_pm(pm_eat_policy_skew(policy, 0), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW - 1), PM_E_STALE);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 3599), PM_OK);
	/* RFC 7519, 4.1.4: not "on or after" exp */
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 3600), PM_E_STALE);
	ck_pm(pm_eat_policy_max_age(policy, 600), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 600), PM_OK);
	ck_pm(judge_at(eat_make(&maker), EAT_NOW + 601), PM_E_STALE);
	ck_assert_str_eq(failure(), "iat");
}
END_TEST

START_TEST(permissions_permit_what_they_name)
{
	json_t *claims = json_object_get(maker.mods, "GPU-1");

	ck_pm(pm_eat_policy_permit(policy, PM_EAT_PERMIT_WARNING), PM_OK);
	eat_set(claims, "x-nvidia-attestation-warning", "\"old\"");
	ck_pm(judge(eat_make(&maker)), PM_OK);
	eat_set(claims, "x-nvidia-new", "false");
	eat_set(maker.overall, "x-nvidia-new", "1");
	refused(eat_make(&maker), PM_E_REJECTED, "unknown claim", "not permitted");
	ck_pm(pm_eat_policy_permit(policy, PM_EAT_PERMIT_UNKNOWN_CLAIMS), PM_OK);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	eat_set(claims, "x-nvidia-error-details", "{}");
	refused(eat_make(&maker), PM_E_REJECTED, "x-nvidia-error-details", "an error");
}
END_TEST

START_TEST(facts_end_with_a_no)
{
	const struct pm_eat_facts *before;

	ck_pm(judge(eat_make(&maker)), PM_OK);
	before = facts;
	ck_pm(pm_eat_verify(eat, jwks, policy, EAT_NOW + 7200, report, &facts), PM_E_STALE);
	ck_assert_str_eq(before->issuer, "");
	ck_assert_uint_eq(before->device_count, 0);
}
END_TEST

/* --- keys ------------------------------------------------------------------------------------ */

static const struct {
	const char *member, *json;
	int code;
} jwk_cases[] = {
	{"kty", "\"RSA\"", PM_E_MISSING},
	{"kty", NULL, PM_E_MISSING},
	{"crv", "\"P-256\"", PM_E_MISSING},
	{"crv", "\"P-521\"", PM_E_MISSING},
	{"crv", NULL, PM_E_MISSING},
	{"use", "\"enc\"", PM_E_MISSING},
	{"alg", "\"ES256\"", PM_E_MISSING},
	{"alg", "7", PM_E_MISSING},
	{"kid", NULL, PM_E_MISSING},
	{"kid", "\"\"", PM_E_FORMAT},
	{"d", "\"AA\"", PM_E_FORMAT},
	{"x", NULL, PM_E_FORMAT},
	{"x", "\"\"", PM_E_FORMAT},
	{"y", "\"AAAA\"", PM_E_FORMAT},
	{"y", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", PM_E_FORMAT},
	{"x", "\"________________________________________________________________\"", PM_E_FORMAT},
};

static int parse_jwks(char *text)
{
	struct pm_jwks *set = NULL;
	int r = pm_jwks_parse(text, strlen(text), report, &set);

	pm_jwks_free(set);
	free(text);
	return r;
}

START_TEST(keys_are_whole)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(jwk_cases); i++) {
		json_t *jwk = eat_jwk(maker.key, "key");
		char *text;
		int r;

		eat_set(jwk, jwk_cases[i].member, jwk_cases[i].json);
		text = eat_jwks(jwk);
		r = parse_jwks(text);
		ck_assert_msg(r == jwk_cases[i].code, "%s = %s: %s", jwk_cases[i].member,
			jwk_cases[i].json ? jwk_cases[i].json : "(none)", pm_strerror(r));
	}
}
END_TEST

/* {"keys": keys} */
static char *set_of(json_t *keys)
{
	json_t *set = json_pack("{sO}", "keys", keys);
	char *text = json_dumps(set, 0);

	json_decref(set);
	return text;
}

START_TEST(sets_of_keys_are_strict)
{
	static const char *const texts[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[1]}",
		"{\"keys\":[],\"keys\":[]}", "{\"keys\":[]}x"};
	EVP_PKEY *other = mint_ec("P-384");
	json_t *keys = json_array();

	for (size_t i = 0; i < PM_ARRAY_LEN(texts); i++)
		ck_pm(parse_jwks(strdup(texts[i])), PM_E_FORMAT);
	ck_pm(parse_jwks(strdup("{\"keys\":[]}")), PM_E_MISSING);
	/* The same key twice, and two of one name. */
	json_array_append_new(keys, eat_jwk(maker.key, "key"));
	json_array_append_new(keys, eat_jwk(maker.key, "key"));
	ck_pm(parse_jwks(set_of(keys)), PM_OK);
	json_array_append_new(keys, eat_jwk(other, "key"));
	ck_pm(parse_jwks(set_of(keys)), PM_E_FORMAT);
	EVP_PKEY_free(other);
	/* More than there may be. */
	while (json_array_size(keys) <= PM_JWKS_KEYS_MAX)
		json_array_append_new(keys, json_object());
	ck_pm(parse_jwks(set_of(keys)), PM_E_LIMIT);
	json_decref(keys);
}
END_TEST

START_TEST(keys_for_other_things_are_left_out)
{
	json_t *set = json_pack(
		"{s[{ss ss} o]}", "keys", "kty", "RSA", "kid", "key", eat_jwk(maker.key, "key"));
	char *text = json_dumps(set, 0);

	pm_jwks_free(jwks);
	ck_pm(pm_jwks_parse(text, strlen(text), report, &jwks), PM_OK);
	ck_pm(judge(eat_make(&maker)), PM_OK);
	free(text);
	json_decref(set);
}
END_TEST

START_TEST(base64url_has_one_spelling)
{
	static const struct {
		const char *text;
		int code;
		size_t len;
	} cases[] = {{"", PM_OK, 0}, {"AA", PM_OK, 1}, {"AAA", PM_OK, 2}, {"-_-_", PM_OK, 3},
		{"A", PM_E_FORMAT}, {"AB", PM_E_FORMAT}, {"AAB", PM_E_FORMAT},
		{"AA==", PM_E_FORMAT}, {"+/+/", PM_E_FORMAT}, {"AA A", PM_E_FORMAT},
		{"AAAAA", PM_E_FORMAT}, {"AAAAAA", PM_E_LIMIT}};
	uint8_t bytes[3];
	size_t len;

	for (size_t i = 0; i < PM_ARRAY_LEN(cases); i++) {
		struct pm_view text = pm_view(cases[i].text, strlen(cases[i].text));

		len = 99;
		ck_pm(pm_base64url_decode(text, bytes, sizeof(bytes), &len), cases[i].code);
		ck_assert_uint_eq(len, cases[i].code == PM_OK ? cases[i].len : 99);
	}
}
END_TEST

/* --- real ones ------------------------------------------------------------------------------- */

static struct pm_jwks *real_jwks(void)
{
	struct pm_view text = test_vector("nvgpu/nras/jwks.recovered.json");
	struct pm_jwks *set = NULL;

	ck_pm(pm_jwks_parse(text.ptr, text.len, report, &set), PM_OK);
	test_free(text);
	return set;
}

static int judge_real(const char *path, int64_t now)
{
	struct pm_view text = test_vector(path);
	int r = judge_at(strndup((const char *)text.ptr, text.len), now);

	test_free(text);
	return r;
}

START_TEST(real_tokens_verify)
{
	if (!test_has_vectors())
		return;
	pm_jwks_free(jwks);
	jwks = real_jwks();
	ck_pm(judge_real("nvgpu/nras/hopperClaimsv3_detached_eat.json", 1749603600), PM_OK);
	ck_assert_str_eq(
		facts->devices[0].ueid, "478176379286082186618948445787393647364802107249");
	ck_assert_int_eq(facts->valid_until, 1749605457);
	ck_pm(judge_real("nvgpu/nras/hopperClaimsv3_detached_eat.json", 1749605519), PM_E_STALE);
	ck_pm(judge_real("nvgpu/nras/hopperClaimsv3_detached_eat.overall.jwt", 1749603600),
		PM_E_MISSING);
	/* Issued by the staging service. */
	ck_pm(judge_real("nvgpu/nras/switch_detached_eat.json", 1751156000), PM_E_REJECTED);
	ck_assert_str_eq(failure(), "iss");
	ck_pm(pm_eat_policy_allow_issuer(policy, "https://nras.attestation-stg.nvidia.com"), PM_OK);
	ck_pm(judge_real("nvgpu/nras/switch_detached_eat.json", 1751156000), PM_OK);
	ck_assert_int_eq(facts->devices[0].kind, PM_EAT_SWITCH);
}
END_TEST

static void add_policy_tests(TCase *t)
{
	tcase_add_test(t, a_new_policy_is_incomplete);
	tcase_add_test(t, parts_agree_on_a_waived_nonce);
	tcase_add_test(t, a_demand_prevails_over_a_waiver);
	tcase_add_test(t, setters_refuse_nonsense);
	tcase_add_test(t, issuers_are_an_exact_set);
	tcase_add_test(t, keys_can_be_pinned);
	tcase_add_test(t, counts_are_exact);
	tcase_add_test(t, time_is_a_window_with_a_skew);
	tcase_add_test(t, permissions_permit_what_they_name);
	tcase_add_test(t, facts_end_with_a_no);
	tcase_add_test(t, keys_are_whole);
	tcase_add_test(t, sets_of_keys_are_strict);
	tcase_add_test(t, keys_for_other_things_are_left_out);
	tcase_add_test(t, base64url_has_one_spelling);
}

static void add_token_tests(TCase *t)
{
	tcase_add_test(t, a_good_token_is_accepted);
	tcase_add_test(t, switches_are_accepted);
	tcase_add_test(t, version_2_is_accepted);
	tcase_add_test(t, a_type_in_the_header_is_accepted);
	tcase_add_test(t, each_overall_claim_is_judged);
	tcase_add_test(t, each_claim_of_a_device_is_judged);
	tcase_add_test(t, each_verdict_must_be_a_yes);
	tcase_add_test(t, a_claim_that_may_be_missing_may);
	tcase_add_test(t, certificates_bound_the_facts);
	tcase_add_test(t, headers_are_of_one_profile);
	tcase_add_test(t, signatures_are_verified);
	tcase_add_test(t, a_signature_has_96_bytes);
	tcase_add_test(t, a_public_key_is_no_secret);
	tcase_add_test(t, segments_are_strict);
	tcase_add_test(t, shapes_are_strict);
	tcase_add_test(t, nothing_may_follow);
	tcase_add_test(t, sizes_are_bounded);
	tcase_add_test(t, devices_are_bounded);
	tcase_add_test(t, parts_are_the_ones_digested);
	tcase_add_test(t, digests_have_one_form);
	tcase_add_test(t, other_names_of_devices_are_refused);
	tcase_add_test(t, an_overall_token_alone_needs_a_waiver);
	tcase_add_test(t, a_device_token_alone_needs_a_waiver);
	tcase_add_test(t, each_claim_of_a_device_alone_counts);
	tcase_add_test(t, real_tokens_verify);
}

int main(void)
{
	Suite *s = suite_create("eat");
	TCase *t = tcase_create("eat");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	add_token_tests(t);
	add_policy_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
