/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds and authorities: known answers, what differs from what, and what is refused. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/report.h"
#include "mesh/authority.h"
#include "mesh_scene.h"
#include "mint.h"
#include "testing.h"

#define HOUR 3600

/* SHA-256 of the root CA's certificate of the seed that counts up. */
#define ROOT_DIGEST "a3c8303ad06f9afca6c51679fd592cc7c9160cb3f894e305294f4272ad48c855"

/* The check that refused. */
static void ck_reason(const struct pm_report *report, const char *check)
{
	const struct pm_check *failure = pm_report_failure(report);

	ck_assert_str_eq(failure ? failure->name : "", check);
}

/* --- known answers, by another implementation ------------------------------------------------- */

static struct pm_authority *of_seed(const uint8_t *seed_bytes, int mark)
{
	struct pm_manifest *manifest = mesh_manifest(mark);
	struct pm_seed *seed = NULL;
	struct pm_authority *a = NULL;

	ck_pm(pm_seed_from(seed_bytes, &seed), PM_OK);
	ck_assert_mem_eq(pm_seed_bytes(seed), seed_bytes, PM_SEED_SIZE);
	ck_pm(pm_authority_new(seed, manifest, NULL, NULL, 0, MESH_NOW, NULL, &a), PM_OK);
	pm_seed_free(seed);
	pm_manifest_free(manifest);
	return a;
}

static void is_hex(const void *bytes, size_t len, const char *hex)
{
	struct pm_view want = test_hex(hex);

	ck_assert_uint_eq(want.len, len);
	ck_assert_mem_eq(bytes, want.ptr, len);
	test_free(want);
}

static void count_up(uint8_t *seed)
{
	for (size_t i = 0; i < PM_SEED_SIZE; i++)
		seed[i] = (uint8_t)i;
}

START_TEST(test_secrets_known)
{
	uint8_t bytes[PM_SEED_SIZE], got[PM_AUTHORITY_SECRET_SIZE];
	struct pm_seed *seed = NULL;
	struct pm_authority *a;

	count_up(bytes);
	ck_pm(pm_seed_from(bytes, &seed), PM_OK);
	ck_pm(pm_seed_commitment(seed, got), PM_OK);
	is_hex(got, sizeof(got),
		"7d6a79cc61051a2f6a6907bca665ea920301b11b65f528c539d250603bcdbe35");
	a = of_seed(bytes, 0);
	ck_pm(pm_authority_state_secret(a, got), PM_OK);
	is_hex(got, sizeof(got),
		"ed499f276c6124336a491712227d646366b2aac0a7d4396029b734506bf29cc9");
	ck_pm(pm_authority_workload_secret(a, "worker", got), PM_OK);
	is_hex(got, sizeof(got),
		"3e97926c1e65860ada56f1777a3b99581661c6b87e80ea698b14a317b3acc319");
	pm_authority_free(a);
	pm_seed_free(seed);
}
END_TEST

START_TEST(test_keys_known)
{
	uint8_t bytes[PM_SEED_SIZE], digest[PM_SHA256_SIZE];
	const struct pm_sign_public *key;
	struct pm_authority *a;
	struct pm_view root;

	count_up(bytes);
	a = of_seed(bytes, 0);
	is_hex(pm_sign_key_public(a->root)->id, PM_SIGN_ID_SIZE,
		"1fd9f0ad5096d74321c2b1578577d55efc5b448abb25191d7efb35074e83e282");
	key = pm_sign_key_public(pm_authority_history_key(a));
	ck_assert_int_eq(key->type, PM_SIGN_P384);
	is_hex(key->id, PM_SIGN_ID_SIZE,
		"2738859699996ecc089568caf33b0680fbe7550a831186bf95451af4082d8cdc");
	key = pm_sign_key_public(pm_authority_audit_key(a));
	ck_assert_int_eq(key->type, PM_SIGN_ED25519);
	is_hex(key->id, PM_SIGN_ID_SIZE,
		"7276857516e753d4bca2fb4a69f0bc16386212a87f0499af3462532bbad1ade7");
	/* The root's certificate is for ever: a coordinator of years to come makes the same. */
	root.ptr = pm_authority_root_ca(a, &root.len);
	ck_pm(pm_hash(PM_SHA256, root, digest), PM_OK);
	is_hex(digest, sizeof(digest), ROOT_DIGEST);
	pm_authority_free(a);
}
END_TEST

/* --- what differs from what ------------------------------------------------------------------- */

#define DERIVED 6

/* 32 bytes of each thing that comes of a seed, private where it is. */
static void derive(const struct pm_seed *seed, uint8_t ret[DERIVED][32])
{
	pm_cleanup(secret) struct pm_secret prk = {0};

	ck_pm(pm_seed_extract(seed, &prk), PM_OK);
	for (int use = 0; use < DERIVED; use++)
		ck_pm(pm_seed_expand(&prk, (enum pm_seed_use)use, "", ret[use], 32), PM_OK);
}

START_TEST(test_all_distinct)
{
	struct pm_seed *one = NULL, *two = NULL;
	uint8_t all[2 * DERIVED + 2][32];

	ck_pm(pm_seed_new(&one), PM_OK);
	ck_pm(pm_seed_new(&two), PM_OK);
	derive(one, all);
	derive(two, all + DERIVED);
	pm_copy(all[2 * DERIVED], pm_seed_bytes(one), 32);
	pm_copy(all[2 * DERIVED + 1], pm_seed_bytes(two), 32);
	for (size_t i = 0; i < PM_ARRAY_LEN(all); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(all[i], all[j], 32);
	pm_seed_free(one);
	pm_seed_free(two);
}
END_TEST

/* Names of roles are part of what is derived, and no prefix of one is another. */
START_TEST(test_names_distinct)
{
	static const char *const names[] = {"", "w", "worker", "worker2"};
	pm_cleanup(secret) struct pm_secret prk = {0};
	uint8_t got[PM_ARRAY_LEN(names)][32];
	struct pm_seed *seed = NULL;

	ck_pm(pm_seed_new(&seed), PM_OK);
	ck_pm(pm_seed_extract(seed, &prk), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		ck_pm(pm_seed_expand(&prk, PM_SEED_WORKLOAD, names[i], got[i], 32), PM_OK);
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(got[i], got[j], 32);
	}
	pm_seed_free(seed);
}
END_TEST

static bool same_key(const struct pm_sign_key *a, const struct pm_sign_key *b)
{
	return !memcmp(pm_sign_key_public(a)->id, pm_sign_key_public(b)->id, PM_SIGN_ID_SIZE);
}

static bool same_root(const struct pm_authority *a, const struct pm_authority *b)
{
	struct pm_view one, two;

	one.ptr = pm_authority_root_ca(a, &one.len);
	two.ptr = pm_authority_root_ca(b, &two.len);
	return pm_view_equal(one, two);
}

START_TEST(test_other_manifest)
{
	uint8_t bytes[PM_SEED_SIZE] = {1}, one[32], two[32];
	struct pm_authority *a = of_seed(bytes, 0), *b = of_seed(bytes, 1),
			    *again = of_seed(bytes, 0);

	ck_assert(same_root(a, b));
	ck_assert(same_key(pm_authority_history_key(a), pm_authority_history_key(b)));
	ck_assert(same_key(pm_authority_audit_key(a), pm_authority_audit_key(b)));
	ck_pm(pm_authority_workload_secret(a, "worker", one), PM_OK);
	ck_pm(pm_authority_workload_secret(b, "worker", two), PM_OK);
	ck_assert_mem_eq(one, two, sizeof(one));
	/* The mesh CA is drawn each time, for the same manifest too. */
	ck_assert_mem_ne(pm_authority_mesh_key(a), pm_authority_mesh_key(b), 48);
	ck_assert_mem_ne(pm_authority_mesh_key(a), pm_authority_mesh_key(again), 48);
	ck_assert(!pm_view_equal(mesh_ca(a), mesh_ca(b)));
	pm_authority_free(again);
	pm_authority_free(b);
	pm_authority_free(a);
}
END_TEST

START_TEST(test_other_seed)
{
	uint8_t bytes[PM_SEED_SIZE] = {1}, others[PM_SEED_SIZE] = {2};
	struct pm_authority *a = of_seed(bytes, 0), *b = of_seed(others, 0);

	ck_assert(!same_root(a, b));
	ck_assert(!same_key(pm_authority_history_key(a), pm_authority_history_key(b)));
	ck_assert(!same_key(pm_authority_audit_key(a), pm_authority_audit_key(b)));
	pm_authority_free(b);
	pm_authority_free(a);
}
END_TEST

START_TEST(test_workload_secret)
{
	uint8_t bytes[PM_SEED_SIZE] = {1}, got[32];
	struct pm_authority *a = of_seed(bytes, 0);

	ck_pm(pm_authority_workload_secret(a, "worker", got), PM_OK);
	ck_pm(pm_authority_workload_secret(a, "secrets", got), PM_E_REJECTED);
	ck_pm(pm_authority_workload_secret(a, "nobody", got), PM_E_MISSING);
	pm_authority_free(a);
}
END_TEST

/* --- the CAs, by another library -------------------------------------------------------------- */

static X509 *read_x509(struct pm_view der)
{
	const uint8_t *p = der.ptr;
	X509 *cert = d2i_X509(NULL, &p, (long)der.len);

	ck_assert_ptr_nonnull(cert);
	return cert;
}

static struct pm_view intermediate_of(const struct pm_authority *a)
{
	struct pm_view v;

	v.ptr = pm_authority_intermediate(a, &v.len);
	return v;
}

START_TEST(test_intermediate)
{
	struct mesh_scene s = mesh_scene_new();
	X509 *mesh = read_x509(mesh_ca(s.authority));
	X509 *intermediate = read_x509(intermediate_of(s.authority));

	ck_assert_int_eq(
		X509_NAME_cmp(X509_get_subject_name(mesh), X509_get_subject_name(intermediate)), 0);
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(mesh), X509_get0_pubkey(intermediate)), 1);
	ck_assert_int_eq(X509_NAME_cmp(X509_get_issuer_name(mesh), X509_get_subject_name(mesh)), 0);
	ck_assert_int_ne(X509_NAME_cmp(X509_get_issuer_name(intermediate),
				 X509_get_subject_name(intermediate)),
		0);
	X509_free(mesh);
	X509_free(intermediate);
	mesh_scene_free(&s);
}
END_TEST

/* As a TLS client would: the chain that a workload shows, one trusted CA, a host name; strictly. */
static int openssl_says(const char *pem, struct pm_view trusted, const char *host, bool with_next)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	X509 *next = PEM_read_bio_X509(bio, NULL, NULL, NULL), *ca = read_x509(trusted);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509_VERIFY_PARAM *param;
	int error;

	if (with_next)
		sk_X509_push(chain, next);
	ck_assert_int_eq(X509_STORE_add_cert(store, ca), 1);
	ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, leaf, chain), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_time(param, MESH_NOW);
	X509_VERIFY_PARAM_set1_host(param, host, 0);
	error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(chain);
	X509_free(ca);
	X509_free(leaf);
	X509_free(next);
	BIO_free(bio);
	return error;
}

START_TEST(test_tls_clients)
{
	struct mesh_scene s = mesh_scene_new(), other = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "r-1", PM_MESH_TLS);
	char *pem = mesh_issue(&s, &who);
	struct pm_view root, mesh = mesh_ca(s.authority);

	root.ptr = pm_authority_root_ca(s.authority, &root.len);
	ck_assert_int_eq(openssl_says(pem, mesh, "worker", true), X509_V_OK);
	ck_assert_int_eq(openssl_says(pem, mesh, "worker", false), X509_V_OK);
	ck_assert_int_eq(openssl_says(pem, mesh, "r-1.worker", true), X509_V_OK);
	ck_assert_int_eq(openssl_says(pem, root, "worker", true), X509_V_OK);
	ck_assert_int_ne(openssl_says(pem, root, "worker", false), X509_V_OK);
	ck_assert_int_eq(openssl_says(pem, mesh, "secrets", true), X509_V_ERR_HOSTNAME_MISMATCH);
	ck_assert_int_ne(openssl_says(pem, mesh_ca(other.authority), "worker", true), X509_V_OK);
	pm_authority_pem_free(pem);
	mesh_scene_free(&other);
	mesh_scene_free(&s);
}
END_TEST

/* --- another coordinator's mesh CA ------------------------------------------------------------ */

static int adopt(const struct mesh_scene *s, const struct pm_manifest *manifest, const uint8_t *key,
	struct pm_view ca, int64_t now, const char *check)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_authority) struct pm_authority *a = NULL;
	int r = pm_authority_new(s->seed, manifest, key, ca.ptr, ca.len, now, report, &a);

	ck_reason(report, check);
	return r;
}

START_TEST(test_adopt)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_view ca = mesh_ca(s.authority);
	struct pm_authority *peer = NULL;
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS), got;
	char *pem = NULL;

	ck_pm(pm_authority_new(s.seed, s.manifest, pm_authority_mesh_key(s.authority), ca.ptr,
		      ca.len, MESH_NOW + HOUR, NULL, &peer),
		PM_OK);
	ck_assert(pm_view_equal(mesh_ca(peer), ca));
	ck_assert(pm_view_equal(intermediate_of(peer), intermediate_of(s.authority)));
	ck_assert_mem_eq(pm_authority_mesh_key(peer), pm_authority_mesh_key(s.authority),
		PM_AUTHORITY_MESH_KEY_SIZE);
	ck_pm(pm_authority_issue(peer, pm_mesh_key_spki(s.key, NULL), PM_MESH_SPKI_SIZE, &who,
		      MESH_NOW, HOUR, NULL, &pem, NULL),
		PM_OK);
	ck_pm(pm_mesh_verify(pem, strlen(pem), ca.ptr, ca.len, MESH_NOW, NULL, &got), PM_OK);
	pm_authority_pem_free(pem);
	pm_authority_free(peer);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_adopt_refuses)
{
	static const uint8_t none[48] = {0};
	struct mesh_scene s = mesh_scene_new(), other = mesh_scene_new();
	struct pm_manifest *manifest = mesh_manifest(1);
	struct pm_view ca = mesh_ca(s.authority), root;
	const uint8_t *key = pm_authority_mesh_key(s.authority);
	uint8_t most[48];

	memset(most, 0xff, sizeof(most));
	root.ptr = pm_authority_root_ca(s.authority, &root.len);
	ck_pm(adopt(&s, s.manifest, key, ca, MESH_NOW, ""), PM_OK);
	ck_pm(adopt(&s, manifest, key, ca, MESH_NOW, "mesh_ca"), PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, key, root, MESH_NOW, "mesh_ca"), PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, key, intermediate_of(s.authority), MESH_NOW, "mesh_ca"),
		PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, key, mesh_ca(other.authority), MESH_NOW, "mesh_ca"),
		PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, pm_authority_mesh_key(other.authority), ca, MESH_NOW,
		      "mesh_ca"),
		PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, none, ca, MESH_NOW, "mesh_key"), PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, most, ca, MESH_NOW, "mesh_key"), PM_E_REJECTED);
	ck_pm(adopt(&s, s.manifest, key, pm_view(NULL, 0), MESH_NOW, "mesh_ca"), PM_E_ARG);
	ck_pm(adopt(&s, s.manifest, NULL, ca, MESH_NOW, "mesh_ca"), PM_E_ARG);
	ck_pm(adopt(&s, s.manifest, key, ca, MESH_NOW - PM_AUTHORITY_SKEW - 1, "mesh_ca.validity"),
		PM_E_STALE);
	ck_pm(adopt(&s, s.manifest, key, pm_view(ca.ptr, ca.len - 1), MESH_NOW, "mesh_ca"),
		PM_E_FORMAT);
	pm_manifest_free(manifest);
	mesh_scene_free(&other);
	mesh_scene_free(&s);
}
END_TEST

/* A mesh CA as ours but for its serial number, by the holder of the key. */
static struct pm_view write_ca(const struct mesh_scene *s, struct pm_view serial, uint8_t *der)
{
	const struct pm_sign_public *key = pm_sign_key_public(s->authority->mesh);
	uint8_t ext[256], name[PM_MESH_NAME_MAX], key_id[PM_CERT_KEY_ID_SIZE];
	struct pm_wr ext_wr = pm_wr(ext, sizeof(ext)), name_wr = pm_wr(name, sizeof(name));
	struct pm_cert_form form = {.serial = serial,
		.not_before = s->authority->not_before,
		.not_after = s->authority->not_after,
		.spki = pm_view(key->spki, key->spki_size)};
	size_t len;

	ck_pm(pm_cert_key_id(form.spki, key_id), PM_OK);
	pm_cert_put_subject_key(&ext_wr, key_id);
	pm_cert_put_ca(&ext_wr, 0);
	pm_mesh_put_ca_name(&name_wr, s->authority->manifest_hash);
	form.issuer = form.subject = pm_view(name, name_wr.len);
	form.extensions = pm_view(ext, ext_wr.len);
	ck_pm(pm_cert_write(&form, s->authority->mesh, der, PM_AUTHORITY_CA_MAX, &len), PM_OK);
	return pm_view(der, len);
}

START_TEST(test_adopt_serial)
{
	struct mesh_scene s = mesh_scene_new();
	const uint8_t *key = pm_authority_mesh_key(s.authority);
	uint8_t der[PM_AUTHORITY_CA_MAX];

	ck_pm(adopt(&s, s.manifest, key,
		      write_ca(&s, VIEW("\x41\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), der), MESH_NOW, ""),
		PM_OK);
	ck_pm(adopt(&s, s.manifest, key, write_ca(&s, VIEW("\x41"), der), MESH_NOW, "mesh_ca"),
		PM_E_REJECTED);
	mesh_scene_free(&s);
}
END_TEST

/* Each byte counts: of a key, a manifest, a serial number and a time there is one certificate. */
START_TEST(test_adopt_flips)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_view ca = mesh_ca(s.authority);
	uint8_t bytes[PM_AUTHORITY_CA_MAX];
	struct pm_authority *a = NULL;

	pm_copy(bytes, ca.ptr, ca.len);
	for (size_t i = 0; i < ca.len; i++) {
		bytes[i] ^= 1;
		if (pm_authority_new(s.seed, s.manifest, pm_authority_mesh_key(s.authority), bytes,
			    ca.len, MESH_NOW, NULL, &a) == PM_OK)
			ck_abort_msg("byte %zu: accepted", i);
		bytes[i] ^= 1;
	}
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_manifest_time)
{
	struct mesh_scene s = mesh_scene_new();
	int64_t first = pm_manifest_not_before(s.manifest),
		last = pm_manifest_not_after(s.manifest);
	struct pm_authority *a = NULL;

	ck_pm(pm_authority_new(s.seed, s.manifest, NULL, NULL, 0, first - 1, NULL, &a), PM_E_STALE);
	ck_pm(pm_authority_new(s.seed, s.manifest, NULL, NULL, 0, last + 1, NULL, &a), PM_E_STALE);
	ck_pm(pm_authority_new(s.seed, s.manifest, NULL, NULL, 0, last, NULL, &a), PM_OK);
	pm_authority_free(a);
	mesh_scene_free(&s);
}
END_TEST

/* --- issuing ---------------------------------------------------------------------------------- */

static int issue(const struct mesh_scene *s, struct pm_view spki,
	const struct pm_mesh_identity *who, int64_t now, int64_t lifetime, const char *check)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	char *pem = NULL;
	int r = pm_authority_issue(
		s->authority, spki.ptr, spki.len, who, now, lifetime, report, &pem, NULL);

	ck_reason(report, check);
	pm_authority_pem_free(pem);
	return r;
}

START_TEST(test_issue_time)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	struct pm_view spki = pm_view(s.key->spki, sizeof(s.key->spki));
	int64_t end = pm_manifest_not_after(s.manifest);

	ck_pm(issue(&s, spki, &who, MESH_NOW, 1, ""), PM_OK);
	ck_pm(issue(&s, spki, &who, MESH_NOW, PM_AUTHORITY_LIFETIME_MAX, ""), PM_OK);
	ck_pm(issue(&s, spki, &who, MESH_NOW, 0, "mesh.lifetime"), PM_E_ARG);
	ck_pm(issue(&s, spki, &who, MESH_NOW, PM_AUTHORITY_LIFETIME_MAX + 1, "mesh.lifetime"),
		PM_E_ARG);
	ck_pm(issue(&s, spki, &who, MESH_NOW - PM_AUTHORITY_SKEW - 1, HOUR, "mesh_ca.validity"),
		PM_E_STALE);
	ck_pm(issue(&s, spki, &who, end, HOUR, ""), PM_OK);
	ck_pm(issue(&s, spki, &who, end + 1, HOUR, "mesh_ca.validity"), PM_E_STALE);
	mesh_scene_free(&s);
}
END_TEST

/* No longer than the CA, on either side. */
START_TEST(test_issue_within_ca)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS), got;
	int64_t end = pm_manifest_not_after(s.manifest), not_after = 0;
	struct pm_view ca = mesh_ca(s.authority);
	char *pem = NULL;

	ck_pm(pm_authority_issue(s.authority, s.key->spki, sizeof(s.key->spki), &who, end - 10,
		      HOUR, NULL, &pem, &not_after),
		PM_OK);
	ck_assert_int_eq(not_after, end);
	ck_pm(pm_mesh_verify(pem, strlen(pem), ca.ptr, ca.len, end, NULL, &got), PM_OK);
	ck_assert_int_eq(got.not_after, end);
	pm_authority_pem_free(pem);
	ck_pm(pm_authority_issue(s.authority, s.key->spki, sizeof(s.key->spki), &who, MESH_NOW - 30,
		      HOUR, NULL, &pem, NULL),
		PM_OK);
	ck_pm(pm_mesh_verify(pem, strlen(pem), ca.ptr, ca.len, MESH_NOW, NULL, &got), PM_OK);
	ck_assert_int_eq(got.not_before, MESH_NOW - PM_AUTHORITY_SKEW);
	pm_authority_pem_free(pem);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_issue_who)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_view spki = pm_view(s.key->spki, sizeof(s.key->spki));
	struct pm_mesh_identity who = mesh_identity("nobody", "a", PM_MESH_TLS);

	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.role"), PM_E_MISSING);
	who = mesh_identity("worker", "a", PM_MESH_TLS);
	strcpy(who.models[0], "tiny"); /* a model of the manifest, and not of the role */
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.models"), PM_E_REJECTED);
	who = mesh_identity("worker", "zone", PM_MESH_TLS); /* zone.worker is a role */
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.replica"), PM_E_REJECTED);
	who = mesh_identity("secrets", "zone", PM_MESH_TLS);
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, ""), PM_OK);
	mesh_scene_free(&s);
}
END_TEST

static const char *const bad_replicas[] = {"", "-a", "a-", "a.b", "A", "a_b", "*"};

START_TEST(test_issue_replica)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_view spki = pm_view(s.key->spki, sizeof(s.key->spki));
	struct pm_mesh_identity who = mesh_identity("worker", bad_replicas[_i], PM_MESH_TLS);

	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_issue_identity)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_view spki = pm_view(s.key->spki, sizeof(s.key->spki));
	struct pm_mesh_identity good = mesh_identity("worker", "a", PM_MESH_TLS), who = good;

	who.purpose = (enum pm_mesh_purpose)0;
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	who = good;
	who.model_count = PM_CLAIMS_MODELS_MAX + 1;
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	who = good;
	who.model_count = 2; /* the second is empty */
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	strcpy(who.models[1], who.models[0]);
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	who = good;
	memset(who.role, 'r', sizeof(who.role)); /* no NUL */
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	who = good;
	memset(who.replica, 'r', sizeof(who.replica));
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	who = good;
	memset(who.models[0], 'm', sizeof(who.models[0]));
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.identity"), PM_E_ARG);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_issue_key)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	const struct pm_sign_public *p384 =
		pm_sign_key_public(pm_authority_history_key(s.authority));
	struct pm_view spki = pm_view(s.key->spki, sizeof(s.key->spki));

	ck_pm(issue(&s, pm_view(p384->spki, p384->spki_size), &who, MESH_NOW, HOUR, "mesh.key"),
		PM_E_UNSUPPORTED);
	ck_pm(issue(&s, pm_view(spki.ptr, spki.len - 1), &who, MESH_NOW, HOUR, "mesh.key"),
		PM_E_UNSUPPORTED);
	ck_pm(issue(&s, pm_view(NULL, 0), &who, MESH_NOW, HOUR, "mesh.key"), PM_E_UNSUPPORTED);
	s.key->spki[40] ^= 1; /* off the curve */
	ck_pm(issue(&s, spki, &who, MESH_NOW, HOUR, "mesh.key"), PM_E_FORMAT);
	mesh_scene_free(&s);
}
END_TEST

/* --- the peer whose place this takes ---------------------------------------------------------- */

/*
 * Contrast folds its manifests into transitions, SHA-256(manifest hash || hash of the one before),
 * and binds an attestation by SHA-256(nonce || transition || SHA-256(root CA) || SHA-256(mesh CA)),
 * without labels. Its vectors hold here, and ours are other constructions on purpose: nothing that
 * one signs is of use to the other.
 */
static void fold(struct pm_view manifest, const uint8_t *before, uint8_t *ret)
{
	uint8_t hash[PM_SHA256_SIZE];
	struct pm_view parts[] = {pm_view(hash, sizeof(hash)), pm_view(before, PM_SHA256_SIZE)};

	ck_pm(pm_hash(PM_SHA256, manifest, hash), PM_OK);
	ck_pm(pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret), PM_OK);
}

START_TEST(test_contrast_transitions)
{
	uint8_t first[PM_SHA256_SIZE] = {0}, second[PM_SHA256_SIZE];

	fold(VIEW("{}"), first, first);
	is_hex(first, sizeof(first),
		"a48bf97e27b31e740c70c45c448a6662348ac17929be75f4575cad36401c8211");
	fold(VIEW("{\"a\":1}"), first, second);
	is_hex(second, sizeof(second),
		"992c89d1a1f8f338ba40935c4c3ecbe6ec0c61ce7864c9a97e7d765963e65fd4");
}
END_TEST

START_TEST(test_contrast_report_data)
{
	uint8_t nonce[32], transition[32], root[32], mesh[32], theirs[PM_SHA256_SIZE];
	uint8_t ours[PM_BUNDLE_REPORT_DATA_SIZE], claims[96];
	struct pm_view parts[] = {
		pm_view(nonce, 32), pm_view(transition, 32), pm_view(root, 32), pm_view(mesh, 32)};
	struct pm_wr wr = pm_wr(claims, sizeof(claims));

	for (size_t i = 0; i < 32; i++) {
		nonce[i] = (uint8_t)i;
		transition[i] = (uint8_t)(0xa0 + i);
	}
	ck_pm(pm_hash(PM_SHA256, VIEW("root-ca"), root), PM_OK);
	ck_pm(pm_hash(PM_SHA256, VIEW("mesh-ca"), mesh), PM_OK);
	ck_pm(pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), theirs), PM_OK);
	is_hex(theirs, sizeof(theirs),
		"ec25193fbfa21fb46964de80adca8e7d70222ad41e67c77a696e2f188c02a0f2");
	for (size_t i = 1; i < PM_ARRAY_LEN(parts); i++)
		pm_wr_bytes(&wr, parts[i]);
	ck_pm(pm_bundle_report_data(nonce, claims, wr.len, ours), PM_OK);
	ck_assert_mem_ne(ours, theirs, sizeof(theirs));
	ck_assert(!pm_is_zero(ours + 32, 32)); /* theirs ends with zeros */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority");
	TCase *derived = tcase_create("derived"), *cas = tcase_create("CAs");
	TCase *issuing = tcase_create("issuing");

	tcase_add_test(derived, test_secrets_known);
	tcase_add_test(derived, test_keys_known);
	tcase_add_test(derived, test_all_distinct);
	tcase_add_test(derived, test_names_distinct);
	tcase_add_test(derived, test_other_manifest);
	tcase_add_test(derived, test_other_seed);
	tcase_add_test(derived, test_workload_secret);
	tcase_add_test(derived, test_contrast_transitions);
	tcase_add_test(derived, test_contrast_report_data);
	suite_add_tcase(suite, derived);
	tcase_set_timeout(cas, 120);
	tcase_add_test(cas, test_intermediate);
	tcase_add_test(cas, test_tls_clients);
	tcase_add_test(cas, test_adopt);
	tcase_add_test(cas, test_adopt_refuses);
	tcase_add_test(cas, test_adopt_serial);
	tcase_add_test(cas, test_adopt_flips);
	tcase_add_test(cas, test_manifest_time);
	suite_add_tcase(suite, cas);
	tcase_add_test(issuing, test_issue_time);
	tcase_add_test(issuing, test_issue_within_ca);
	tcase_add_test(issuing, test_issue_who);
	tcase_add_loop_test(issuing, test_issue_replica, 0, PM_ARRAY_LEN(bad_replicas));
	tcase_add_test(issuing, test_issue_identity);
	tcase_add_test(issuing, test_issue_key);
	suite_add_tcase(suite, issuing);
	return test_main(suite);
}
