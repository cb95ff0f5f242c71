/* SPDX-License-Identifier: Apache-2.0 */
/* Key exchange: both sides with each other, what is refused and why, and known answers. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include <pm/keyex.h>
#include <pm/report.h>

#include "crypto/x509.h"
#include "envelope/hpke.h"
#include "envelope/keyex.h"
#include "jsonl.h"
#include "mint.h"

/* 2026-03-01. */
#define NOW  INT64_C(1772323200)
#define YEAR INT64_C(31536000)

static const char constraints_ca[] = "critical,CA:TRUE";

/* A mesh: its CA, and the secret service's leaf and key. */
static struct {
	EVP_PKEY *ca_key, *key, *other_key;
	struct pm_view ca, leaf;
} mesh;

/* id-ce-extKeyUsage with one purpose. */
static const uint8_t server_auth[] = {
	0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
static const uint8_t client_auth[] = {
	0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};

static struct mint_cert leaf_template(void)
{
	return (struct mint_cert){
		.signer = {.key = mesh.ca_key, .name = "mesh"},
		.key = mesh.key,
		.name = "secrets",
		.serial = 2,
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
	};
}

static void make_mesh(void)
{
	struct mint_cert ca;
	struct mint_cert leaf;

	mesh.ca_key = mint_ec("P-384");
	mesh.key = mint_ec("P-256");
	mesh.other_key = mint_ec("P-256");
	ca = (struct mint_cert){.signer = {.key = mesh.ca_key, .name = "mesh"},
		.key = mesh.ca_key,
		.name = "mesh",
		.serial = 1,
		.not_before = NOW - YEAR,
		.not_after = NOW + YEAR,
		.constraints = constraints_ca};
	mesh.ca = mint_cert(&ca);
	leaf = leaf_template();
	mesh.leaf = mint_cert(&leaf);
}

static void free_mesh(void)
{
	EVP_PKEY_free(mesh.ca_key);
	EVP_PKEY_free(mesh.key);
	EVP_PKEY_free(mesh.other_key);
	test_free(mesh.ca);
	test_free(mesh.leaf);
}

static int sign_with(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(arg, NULL);

	*ret_len = PM_KEYEX_SIGNATURE_MAX;
	ck_assert_int_eq(EVP_PKEY_sign_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_sign(ctx, ret_signature, ret_len, digest, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	return PM_OK;
}

/* The role is a common name here; arg is the one wanted. */
static int named(const uint8_t *der, size_t len, void *arg)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	int r = pm_cert_parse(pm_view(der, len), &cert);

	if (r < 0)
		return r;
	return pm_cert_is_named(cert, arg) ? PM_OK : PM_E_REJECTED;
}

static struct pm_keyex_trust trust_mesh(void)
{
	return (struct pm_keyex_trust){.size = sizeof(struct pm_keyex_trust),
		.ca = mesh.ca.ptr,
		.ca_len = mesh.ca.len,
		.now = NOW,
		.check_role = named,
		.arg = (void *)"secrets"};
}

/* One exchange up to the response. */
struct run {
	struct pm_keyex_client *client;
	char request[PM_KEYEX_REQUEST_SIZE];
	char *response;
	char id[PM_KEYEX_ID_SIZE];
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
};

static struct run run_with(struct pm_view cert, EVP_PKEY *key)
{
	struct pm_keyex_signer signer = {sizeof(signer), cert.ptr, cert.len, sign_with, key, NULL};
	struct run run = {0};

	ck_pm(pm_keyex_client_new(&run.client), PM_OK);
	pm_keyex_client_request(run.client, run.request);
	run.response = malloc(pm_keyex_response_room(cert.len));
	ck_assert_ptr_nonnull(run.response);
	ck_pm(pm_keyex_respond(run.request, strlen(run.request), &signer, run.response, run.id,
		      run.secret, NULL),
		PM_OK);
	ck_assert_uint_lt(strlen(run.response), pm_keyex_response_room(cert.len));
	return run;
}

static void free_run(struct run *run)
{
	pm_keyex_client_free(run->client);
	free(run->response);
}

/* The client's verdict on a response; says which check refused. */
static void finishes(const struct pm_keyex_client *client, const char *response,
	const struct pm_keyex_trust *trust, int error, const char *check)
{
	static const uint8_t zeros[PM_KEYEX_SECRET_SIZE];
	uint8_t secret[PM_KEYEX_SECRET_SIZE] = {0};
	struct pm_report *report = pm_report_new();

	ck_pm(pm_keyex_client_finish(client, response, strlen(response), trust, secret, report),
		error);
	ck_assert_ptr_nonnull(pm_report_failure(report));
	ck_assert_str_eq(pm_report_failure(report)->name, check);
	ck_assert_mem_eq(secret, zeros, sizeof(zeros));
	pm_report_free(report);
}

START_TEST(both_sides_agree)
{
	struct run run = run_with(mesh.leaf, mesh.key), again = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();
	uint8_t secret[PM_KEYEX_SECRET_SIZE] = {0};

	ck_assert_uint_eq(strlen(run.request) + 1, PM_KEYEX_REQUEST_SIZE);
	ck_pm(pm_keyex_client_finish(
		      run.client, run.response, strlen(run.response), &trust, secret, NULL),
		PM_OK);
	ck_assert_mem_eq(secret, run.secret, sizeof(secret));
	ck_assert(!pm_is_zero(secret, sizeof(secret)));
	ck_assert_str_eq(run.id, pm_keyex_client_id(run.client));
	ck_assert_str_ne(run.id, again.id);
	ck_assert_mem_ne(run.secret, again.secret, sizeof(secret));
	free_run(&run);
	free_run(&again);
}
END_TEST

START_TEST(each_answer_is_fresh)
{
	struct run run = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_signer signer = {
		sizeof(signer), mesh.leaf.ptr, mesh.leaf.len, sign_with, mesh.key, NULL};
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	char id[PM_KEYEX_ID_SIZE];

	ck_pm(pm_keyex_respond(
		      run.request, strlen(run.request), &signer, run.response, id, secret, NULL),
		PM_OK);
	ck_assert_mem_ne(secret, run.secret, sizeof(secret));
	free_run(&run);
}
END_TEST

/* What is agreed on for one purpose says nothing of what the same keys give for another. */
START_TEST(purposes_are_apart)
{
	char too_long[PM_KEYEX_PURPOSE_MAX + 2] = {0};
	struct pm_keyex_signer signer = {.size = sizeof(signer),
		.cert = mesh.leaf.ptr,
		.cert_len = mesh.leaf.len,
		.sign = sign_with,
		.arg = mesh.key,
		.purpose = "libpm operator v1"};
	struct pm_keyex_trust trust = trust_mesh();
	struct run run = run_with(mesh.leaf, mesh.key);
	uint8_t ours[PM_KEYEX_SECRET_SIZE], secret[PM_KEYEX_SECRET_SIZE];

	ck_pm(pm_keyex_respond(
		      run.request, strlen(run.request), &signer, run.response, run.id, ours, NULL),
		PM_OK);
	ck_pm(pm_keyex_client_finish(
		      run.client, run.response, strlen(run.response), &trust, secret, NULL),
		PM_OK);
	ck_assert_mem_ne(secret, ours, sizeof(secret));
	trust.purpose = "libpm operator v1";
	ck_pm(pm_keyex_client_finish(
		      run.client, run.response, strlen(run.response), &trust, secret, NULL),
		PM_OK);
	ck_assert_mem_eq(secret, ours, sizeof(secret));
	memset(too_long, 'x', sizeof(too_long) - 1);
	signer.purpose = trust.purpose = too_long;
	finishes(run.client, run.response, &trust, PM_E_ARG, "keyex.trust");
	ck_pm(pm_keyex_respond(
		      run.request, strlen(run.request), &signer, run.response, run.id, ours, NULL),
		PM_E_ARG);
	trust.purpose = "";
	finishes(run.client, run.response, &trust, PM_E_ARG, "keyex.trust");
	free_run(&run);
}
END_TEST

START_TEST(another_clients_response)
{
	struct run a = run_with(mesh.leaf, mesh.key), b = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();

	finishes(a.client, b.response, &trust, PM_E_REJECTED, "Signature");
	free_run(&a);
	free_run(&b);
}
END_TEST

START_TEST(another_key_signed)
{
	struct run run = run_with(mesh.leaf, mesh.other_key);
	struct pm_keyex_trust trust = trust_mesh();

	finishes(run.client, run.response, &trust, PM_E_REJECTED, "Signature");
	free_run(&run);
}
END_TEST

/* Each leaf that must not be believed. */
enum bad_leaf { OTHER_CA, OTHER_ROLE, EXPIRED, NOT_YET, CLIENT_ONLY, TWO_PURPOSES, BAD_LEAVES };

static const struct {
	int error;
	const char *check;
} verdicts[BAD_LEAVES] = {
	[OTHER_CA] = {PM_E_REJECTED, "MeshCert.issuer"},
	[OTHER_ROLE] = {PM_E_REJECTED, "MeshCert.role"},
	[EXPIRED] = {PM_E_STALE, "MeshCert.validity"},
	[NOT_YET] = {PM_E_STALE, "MeshCert.validity"},
	[CLIENT_ONLY] = {PM_E_REJECTED, "MeshCert.purpose"},
	[TWO_PURPOSES] = {PM_E_REJECTED, "MeshCert.purpose"},
};

static struct pm_view bad_leaf(enum bad_leaf which)
{
	struct mint_cert leaf = leaf_template();

	leaf.oid = which == CLIENT_ONLY || which == TWO_PURPOSES ? "2.5.29.37" : NULL;
	leaf.oid_value = pm_view(client_auth, sizeof(client_auth));
	leaf.oid_count = which == TWO_PURPOSES ? 2 : 1;
	if (which == OTHER_CA)
		leaf.signer.key = mesh.other_key;
	if (which == OTHER_ROLE)
		leaf.name = "worker";
	if (which == EXPIRED)
		leaf.not_after = NOW - 1;
	if (which == NOT_YET)
		leaf.not_before = NOW + 1;
	return mint_cert(&leaf);
}

START_TEST(bad_leaves_are_refused)
{
	struct pm_view leaf = bad_leaf((enum bad_leaf)_i);
	struct run run = run_with(leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();
	/* A certificate with two extensions of one kind may be refused by its parser. */
	bool unparsed = _i == TWO_PURPOSES;
	struct pm_cert *cert = NULL;

	if (unparsed && pm_cert_parse(leaf, &cert) < 0)
		finishes(run.client, run.response, &trust, PM_E_FORMAT, "MeshCert");
	else
		finishes(run.client, run.response, &trust, verdicts[_i].error, verdicts[_i].check);
	pm_cert_free(cert);
	free_run(&run);
	test_free(leaf);
}
END_TEST

START_TEST(server_purpose_is_fine)
{
	struct mint_cert with = leaf_template();
	struct pm_keyex_trust trust = trust_mesh();
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	struct pm_view leaf;
	struct run run;

	with.oid = "2.5.29.37";
	with.oid_value = pm_view(server_auth, sizeof(server_auth));
	with.oid_count = 1;
	leaf = mint_cert(&with);
	run = run_with(leaf, mesh.key);
	ck_pm(pm_keyex_client_finish(
		      run.client, run.response, strlen(run.response), &trust, secret, NULL),
		PM_OK);
	free_run(&run);
	test_free(leaf);
}
END_TEST

/* The leaf must come straight from the CA, which must be one, and valid. */
START_TEST(bad_anchors_are_refused)
{
	struct run run = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();

	trust.ca = mesh.leaf.ptr;
	trust.ca_len = mesh.leaf.len;
	finishes(run.client, run.response, &trust, PM_E_REJECTED, "MeshCert.issuer");
	trust.ca_len--;
	finishes(run.client, run.response, &trust, PM_E_FORMAT, "mesh_ca");
	trust = trust_mesh();
	trust.now = NOW + 2 * YEAR;
	finishes(run.client, run.response, &trust, PM_E_STALE, "mesh_ca.validity");
	free_run(&run);
}
END_TEST

START_TEST(trust_must_be_complete)
{
	struct run run = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();

	trust.check_role = NULL;
	finishes(run.client, run.response, &trust, PM_E_ARG, "keyex.trust");
	trust = trust_mesh();
	trust.ca = NULL;
	finishes(run.client, run.response, &trust, PM_E_ARG, "keyex.trust");
	trust = trust_mesh();
	trust.size--;
	finishes(run.client, run.response, &trust, PM_E_ARG, "keyex.trust");
	free_run(&run);
}
END_TEST

START_TEST(each_changed_character_is_refused)
{
	struct run run = run_with(mesh.leaf, mesh.key);
	struct pm_keyex_trust trust = trust_mesh();
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	size_t len = strlen(run.response);

	for (size_t i = 0; i < len; i += i < 60 || i > len - 60 ? 1 : 41) {
		char was = run.response[i];

		run.response[i] = was == 'A' ? 'B' : 'A';
		ck_assert_int_lt(
			pm_keyex_client_finish(run.client, run.response, len, &trust, secret, NULL),
			0);
		run.response[i] = was;
	}
	ck_pm(pm_keyex_client_finish(run.client, run.response, len, &trust, secret, NULL), PM_OK);
	free_run(&run);
}
END_TEST

/* --- text ------------------------------------------------------------------------------------ */

static const struct {
	const char *json;
	int error;
} texts[] = {
	{"{\"a\":\"1\",\"b\":\"2\"}", PM_OK},
	{"{\"b\":\"2\",\"a\":\"1\"}", PM_OK},
	{" \t\r\n{ \"b\" : \"2\" ,\n\"a\" :\t\"1\" }\n", PM_OK},
	{"", PM_E_FORMAT},
	{"{}", PM_E_FORMAT},
	{"{\"a\":\"1\"}", PM_E_FORMAT},
	{"{\"a\":\"1\",\"a\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}", PM_E_FORMAT},
	{"{\"a\":\"1\",\"b\":\"2\",}", PM_E_FORMAT},
	{"{\"a\":\"1\",\"b\":\"2\"", PM_E_FORMAT},
	{"{\"a\":\"1\",\"b\":\"2\"}x", PM_E_FORMAT},
	{"{\"a\":\"1\",\"b\":\"2\"}{}", PM_E_FORMAT},
	{"{\"A\":\"1\",\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":1,\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":null,\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":\"1\" \"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":\"\\u0031\",\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"\\u0061\":\"1\",\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":\"1\n\",\"b\":\"2\"}", PM_E_FORMAT},
	{"{\"a\":\"\xc3\xa4\",\"b\":\"2\"}", PM_E_FORMAT},
	{"[\"a\",\"1\"]", PM_E_FORMAT},
	{"\xef\xbb\xbf{\"a\":\"1\",\"b\":\"2\"}", PM_E_FORMAT},
};

START_TEST(json_is_strict)
{
	struct pm_keyex_member members[] = {{.name = "a"}, {.name = "b"}};
	size_t len = strlen(texts[_i].json);
	char *exact = malloc(len + 1);

	ck_assert_ptr_nonnull(exact);
	pm_copy(exact, texts[_i].json, len);
	ck_pm(pm_keyex_read(pm_view(exact, len), members, 2, NULL), texts[_i].error);
	if (texts[_i].error == PM_OK) {
		ck_assert(pm_view_equal(members[0].value, VIEW("1")));
		ck_assert(pm_view_equal(members[1].value, VIEW("2")));
	}
	free(exact);
}
END_TEST

static void request_refused(const char *json, size_t len, int error)
{
	struct pm_keyex_signer signer = {
		sizeof(signer), mesh.leaf.ptr, mesh.leaf.len, sign_with, mesh.key, NULL};
	static char response[PM_KEYEX_JSON_MAX];
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	char id[PM_KEYEX_ID_SIZE] = "";

	ck_pm(pm_keyex_respond(json, len, &signer, response, id, secret, NULL), error);
	ck_assert_str_eq(id, "");
}

START_TEST(bad_requests_are_refused)
{
	struct run run = run_with(mesh.leaf, mesh.key);
	static char huge[PM_KEYEX_JSON_MAX + 1];
	size_t len = strlen(run.request);

	request_refused(run.request, len - 1, PM_E_FORMAT);
	request_refused("{\"PublicKey\":\"\"}", 16, PM_E_FORMAT);
	request_refused("{\"PublicKey\":\"QUJD\"}", 20, PM_E_FORMAT);
	run.request[20] = '*';
	request_refused(run.request, len, PM_E_FORMAT);
	memset(huge, ' ', sizeof(huge));
	request_refused(huge, sizeof(huge), PM_E_LIMIT);
	free_run(&run);
}
END_TEST

/* FIPS 203, 7.2: coefficients are below 3329; RFC 7748, 6.1: an all-zero result is refused. */
START_TEST(invalid_public_keys_are_refused)
{
	uint8_t public[PM_KEM_PUBLIC_SIZE], ciphertext[PM_KEM_CIPHERTEXT_SIZE];
	struct pm_brief shared = {0}, none = {0};
	struct pm_secret seed = {0};

	ck_pm(pm_kem_new(&seed), PM_OK);
	ck_pm(pm_kem_public(&seed, public), PM_OK);
	memset(public, 0xff, 3);
	ck_pm(pm_kem_encapsulate(public, ciphertext, &shared), PM_E_REJECTED);
	ck_pm(pm_kem_public(&seed, public), PM_OK);
	memset(public + PM_KEM_PUBLIC_SIZE - 32, 0, 32);
	ck_pm(pm_kem_encapsulate(public, ciphertext, &shared), PM_E_REJECTED);
	ck_pm(pm_kem_public(&seed, public), PM_OK);
	ck_pm(pm_kem_encapsulate(public, ciphertext, &shared), PM_OK);
	memset(ciphertext + PM_KEM_CIPHERTEXT_SIZE - 32, 0, 32);
	ck_pm(pm_kem_decapsulate(&seed, ciphertext, &shared), PM_E_REJECTED);
	ck_assert_mem_eq(shared.bytes, none.bytes, sizeof(none.bytes));
	pm_secret_free(&seed);
}
END_TEST

START_TEST(signer_must_be_complete)
{
	struct pm_keyex_signer signer = {
		sizeof(signer), mesh.leaf.ptr, mesh.leaf.len, NULL, mesh.key, NULL};
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	char id[PM_KEYEX_ID_SIZE];
	struct run run = run_with(mesh.leaf, mesh.key);

	ck_pm(pm_keyex_respond(
		      run.request, strlen(run.request), &signer, run.response, id, secret, NULL),
		PM_E_ARG);
	free_run(&run);
}
END_TEST

/* --- known answers --------------------------------------------------------------------------- */

/*
 * RFC 4231, test case 2, and a schedule that Python's hmac computed from RFC 9180's definitions, of
 * a shared secret of 32 times 0x07 and info "info"; its export with context "context" has 42 bytes.
 */
START_TEST(known_answers)
{
	struct pm_view mac =
		test_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	struct pm_view want = test_hex("ac546cacfa1dcfd77de8222614a5fc014643ce1f"
				       "c4acbf595e539e9345ecc11baa8526e417f52991fe28");
	uint8_t found[PM_SHA256_SIZE], out[42], shared[PM_HPKE_SHARED_SIZE];

	pm_hmac_sha256(VIEW("Jefe"), VIEW("what do ya want for nothing?"), found);
	ck_assert_mem_eq(found, mac.ptr, sizeof(found));
	memset(shared, 7, sizeof(shared));
	ck_pm(pm_hpke_export(shared, VIEW("info"), VIEW("context"), out, sizeof(out)), PM_OK);
	ck_assert(pm_view_equal(pm_view(out, sizeof(out)), want));
	test_free(mac);
	test_free(want);
}
END_TEST

START_TEST(long_info_is_refused)
{
	static const uint8_t info[PM_HPKE_INFO_MAX + 64];
	static const uint8_t shared[PM_HPKE_SHARED_SIZE];
	uint8_t out[32];

	ck_pm(pm_hpke_export(shared, pm_view(info, sizeof(info)), VIEW(""), out, sizeof(out)),
		PM_E_LIMIT);
	ck_pm(pm_hpke_export(shared, VIEW(""), pm_view(info, sizeof(info)), out, sizeof(out)),
		PM_E_LIMIT);
	ck_pm(pm_hpke_export(shared, VIEW(""), VIEW(""), out, 0), PM_E_LIMIT);
	ck_pm(pm_hpke_export(shared, VIEW(""), VIEW(""), out, 65536), PM_E_LIMIT);
}
END_TEST

static int take_first(struct pm_view der, void *arg)
{
	*(struct pm_view *)arg = pm_view(pm_dup(der), der.len);
	return PM_OK;
}

static void check_row(const json_t *row)
{
	struct pm_view seed = jsonl_hex(row, "seed"), want = jsonl_hex(row, "inference_secret");
	struct pm_view ca = {0};
	const char *pem = jsonl_text(row, "mesh_ca_pem"), *json = jsonl_text(row, "response_json");
	struct pm_keyex_trust trust = {.size = sizeof(trust), .now = NOW, .check_role = named};
	struct pm_keyex_client *client = NULL;
	char request[PM_KEYEX_REQUEST_SIZE];
	uint8_t secret[PM_KEYEX_SECRET_SIZE];

	ck_pm(pm_pem_each(pm_view(pem, strlen(pem)), "CERTIFICATE", take_first, &ca), PM_OK);
	trust.ca = ca.ptr;
	trust.ca_len = ca.len;
	trust.arg = (void *)"root";
	ck_pm(pm_keyex_client_from_seed(seed, &client), PM_OK);
	pm_keyex_client_request(client, request);
	ck_assert_str_eq(request, jsonl_text(row, "request_json"));
	ck_assert_str_eq(pm_keyex_client_id(client), jsonl_text(row, "secret_id"));
	ck_pm(pm_keyex_client_finish(client, json, strlen(json), &trust, secret, NULL), PM_OK);
	ck_assert(pm_view_equal(pm_view(secret, sizeof(secret)), want));
	trust.arg = (void *)"secrets";
	finishes(client, json, &trust, PM_E_REJECTED, "MeshCert.role");
	pm_keyex_client_free(client);
	test_free(seed);
	test_free(want);
	test_free(ca);
}

START_TEST(reference_exchanges)
{
	jsonl_each("privatemode/secret_exchange.jsonl", check_row);
}
END_TEST

static void add_refusals(TCase *tc)
{
	tcase_add_test(tc, purposes_are_apart);
	tcase_add_test(tc, another_clients_response);
	tcase_add_test(tc, another_key_signed);
	tcase_add_loop_test(tc, bad_leaves_are_refused, 0, BAD_LEAVES);
	tcase_add_test(tc, bad_anchors_are_refused);
	tcase_add_test(tc, trust_must_be_complete);
	tcase_add_test(tc, each_changed_character_is_refused);
	tcase_add_loop_test(tc, json_is_strict, 0, PM_ARRAY_LEN(texts));
	tcase_add_test(tc, bad_requests_are_refused);
	tcase_add_test(tc, invalid_public_keys_are_refused);
	tcase_add_test(tc, signer_must_be_complete);
	tcase_add_test(tc, long_info_is_refused);
}

int main(void)
{
	Suite *suite = suite_create("keyex");
	TCase *tc = tcase_create("keyex");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, make_mesh, free_mesh);
	tcase_add_test(tc, both_sides_agree);
	tcase_add_test(tc, each_answer_is_fresh);
	tcase_add_test(tc, server_purpose_is_fine);
	tcase_add_test(tc, known_answers);
	add_refusals(tc);
	if (test_has_vectors())
		tcase_add_test(tc, reference_exchanges);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
