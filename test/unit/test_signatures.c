/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of owners, their signatures under a manifest, how many are enough. OpenSSL is the peer. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "base/base64.h"
#include "base/report.h"
#include "manifest_doc.h"
#include "policy/signatures.h"
#include "testing.h"

#define NOW 1780000000 /* within the validity of the table's base */

static const enum pm_sign_type types[] = {PM_SIGN_ED25519, PM_SIGN_P384};

static struct pm_sign_key *new_key(enum pm_sign_type type)
{
	struct pm_sign_key *key = NULL;

	ck_pm(pm_sign_key_new(type, &key), PM_OK);
	return key;
}

/* --- keys ------------------------------------------------------------------------------------ */

static EVP_PKEY *to_openssl(const struct pm_sign_key *key)
{
	char pem[PM_SIGN_PEM_SIZE];
	EVP_PKEY *pkey;
	BIO *bio;

	ck_pm(pm_sign_key_pem(key, pem), PM_OK);
	bio = BIO_new_mem_buf(pem, -1);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(pkey);
	BIO_free(bio);
	return pkey;
}

static EVP_PKEY *openssl_key(enum pm_sign_type type)
{
	EVP_PKEY *pkey = type == PM_SIGN_P384 ? EVP_EC_gen("P-384")
					      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	ck_assert_ptr_nonnull(pkey);
	return pkey;
}

static struct pm_view private_pem(EVP_PKEY *pkey, BIO *bio)
{
	char *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	return pm_view(text, (size_t)len);
}

static void check_same_public(EVP_PKEY *pkey, const struct pm_sign_public *public)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);

	ck_assert_int_eq(len, (int)public->spki_size);
	ck_assert_mem_eq(der, public->spki, public->spki_size);
	OPENSSL_free(der);
}

START_TEST(test_key_to_openssl)
{
	struct pm_sign_key *key = new_key(types[_i]);
	EVP_PKEY *pkey = to_openssl(key);
	uint8_t id[PM_SIGN_ID_SIZE];
	const struct pm_sign_public *public = pm_sign_key_public(key);

	check_same_public(pkey, public);
	ck_assert_int_eq(public->type, types[_i]);
	ck_pm(pm_hash(PM_SHA256, pm_view(public->spki, public->spki_size), id), PM_OK);
	ck_assert_mem_eq(id, public->id, sizeof(id));
	EVP_PKEY_free(pkey);
	pm_sign_key_free(key);
}
END_TEST

START_TEST(test_key_from_openssl)
{
	EVP_PKEY *pkey = openssl_key(types[_i]);
	BIO *bio = BIO_new(BIO_s_mem());
	struct pm_view text = private_pem(pkey, bio);
	struct pm_sign_key *key = NULL;
	char pem[PM_SIGN_PEM_SIZE];

	ck_pm(pm_sign_key_parse(text.ptr, text.len, NULL, &key), PM_OK);
	check_same_public(pkey, pm_sign_key_public(key));
	ck_pm(pm_sign_key_pem(key, pem), PM_OK);
	ck_assert_uint_eq(strlen(pem), text.len);
	ck_assert_mem_eq(pem, text.ptr, text.len);
	pm_sign_key_free(key);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}
END_TEST

/* PKCS#8 whose ECPrivateKey holds the number alone, which RFC 5915 allows. */
START_TEST(test_key_short_form)
{
	static const char head[] = "304e020100301006072a8648ce3d020106052b8104002204373035020101"
				   "0430";
	struct pm_sign_key *key = new_key(PM_SIGN_P384), *again = NULL;
	EVP_PKEY *pkey = to_openssl(key);
	BIGNUM *number = NULL;
	uint8_t der[80];
	char base64[PM_BASE64_SIZE(80)], pem[256];

	ck_pm(pm_hex_decode(head, der, 32), PM_OK);
	ck_assert_int_eq(EVP_PKEY_get_bn_param(pkey, "priv", &number), 1);
	ck_assert_int_eq(BN_bn2binpad(number, der + 32, 48), 48);
	ck_pm(pm_base64_encode(pm_view(der, 80), base64, sizeof(base64)), PM_OK);
	snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		base64);
	ck_pm(pm_sign_key_parse(pem, strlen(pem), NULL, &again), PM_OK);
	check_same_public(pkey, pm_sign_key_public(again));
	BN_clear_free(number);
	EVP_PKEY_free(pkey);
	pm_sign_key_free(again);
	pm_sign_key_free(key);
}
END_TEST

static int parse_key(const char *base64)
{
	struct pm_sign_key *key = NULL;
	char pem[512];
	int r;

	snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		base64);
	r = pm_sign_key_parse(pem, strlen(pem), NULL, &key);
	pm_sign_key_free(key);
	return r;
}

START_TEST(test_key_bad)
{
	struct pm_sign_key *key = NULL;
	char *big = calloc(1, PM_SIGN_FILE_MAX + 1);

	/* A seed of 31 bytes; a byte behind; version 1; X25519; the number zero. */
	ck_pm(parse_key("MC0CAQAwBQYDK2VwBCEEHwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4="),
		PM_E_FORMAT);
	ck_pm(parse_key("MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAA=="),
		PM_E_FORMAT);
	ck_pm(parse_key("MC4CAQEwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"),
		PM_E_FORMAT);
	ck_pm(parse_key("MC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"),
		PM_E_UNSUPPORTED);
	ck_pm(parse_key("ME4CAQAwEAYHKoZIzj0CAQYFK4EEACIENzA1AgEBBDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		PM_E_FORMAT);
	ck_pm(parse_key("MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"), PM_OK);
	ck_pm(parse_key("%%%%"), PM_E_FORMAT);
	ck_pm(pm_sign_key_parse("", 0, NULL, &key), PM_E_FORMAT);
	ck_pm(pm_sign_key_parse(big, PM_SIGN_FILE_MAX + 1, NULL, &key), PM_E_LIMIT);
	ck_pm(pm_sign_key_new((enum pm_sign_type)3, &key), PM_E_ARG);
	ck_assert_ptr_null(key);
	free(big);
}
END_TEST

START_TEST(test_public)
{
	struct pm_sign_key *key = new_key(types[_i]);
	const struct pm_sign_public *public = pm_sign_key_public(key);
	struct pm_sign_public found;
	char pem[2 * PM_SIGN_PEM_SIZE];
	size_t len;

	ck_pm(pm_sign_public_parse(public->spki, public->spki_size, NULL, &found), PM_OK);
	ck_assert_mem_eq(found.id, public->id, sizeof(found.id));
	ck_pm(pm_sign_public_pem(public, pem), PM_OK);
	len = strlen(pem);
	ck_pm(pm_sign_public_parse(pem, len, NULL, &found), PM_OK);
	ck_assert_mem_eq(found.spki, public->spki, public->spki_size);
	memmove(pem + len, pem, len + 1); /* two keys in one file */
	ck_pm(pm_sign_public_parse(pem, 2 * len, NULL, &found), PM_E_FORMAT);
	ck_pm(pm_sign_public_parse(public->spki, public->spki_size - 1, NULL, &found),
		PM_E_UNSUPPORTED);
	ck_pm(pm_sign_public_parse(pem, PM_SIGN_FILE_MAX + 1, NULL, &found), PM_E_LIMIT);
	pm_sign_key_free(key);
}
END_TEST

/* --- manifests and owners of one's own ------------------------------------------------------- */

/* Three keys, of which two must agree; and a stranger. */
struct scene {
	struct pm_sign_key *keys[4];
	json_t *base;
	struct pm_manifest *m;
};

static json_t *owner_json(const char *name, const struct pm_sign_key *key)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	char text[PM_BASE64_SIZE(PM_SIGN_SPKI_MAX)];

	ck_pm(pm_base64_encode(pm_view(public->spki, public->spki_size), text, sizeof(text)),
		PM_OK);
	return json_pack("{s:s, s:s}", "name", name, "key", text);
}

static struct pm_manifest *parse_doc(json_t *doc)
{
	struct pm_report *report = pm_report_new();
	struct pm_view text = doc_text(doc, 0);
	struct pm_manifest *m = NULL;
	int r = pm_manifest_parse(text.ptr, text.len, report, &m);

	ck_assert_msg(r == PM_OK, "%s", pm_report_reason(report));
	test_free(text);
	pm_report_free(report);
	return m;
}

static struct scene scene_new(void)
{
	json_t *table = doc_table();
	struct scene s = {.base = json_incref(json_object_get(table, "base"))};

	for (size_t i = 0; i < 4; i++)
		s.keys[i] = new_key(types[i % 2]);
	doc_set(s.base, "owners",
		json_pack("{s:i, s:[o, o, o]}", "threshold", 2, "keys", owner_json("a", s.keys[0]),
			owner_json("b", s.keys[1]), owner_json("c", s.keys[2])));
	s.m = parse_doc(s.base);
	json_decref(table);
	return s;
}

static void scene_free(struct scene *s)
{
	for (size_t i = 0; i < 4; i++)
		pm_sign_key_free(s->keys[i]);
	json_decref(s->base);
	pm_manifest_free(s->m);
}

/* Signatures of the keys whose digits the text has. */
static struct pm_signatures *sign(
	const struct scene *s, const struct pm_manifest *m, const char *who)
{
	struct pm_signatures *signatures = NULL;

	ck_pm(pm_signatures_new(m, &signatures), PM_OK);
	for (; *who; who++)
		ck_pm(pm_signatures_sign(signatures, s->keys[*who - '0']), PM_OK);
	return signatures;
}

static int verify(const struct scene *s, const char *who)
{
	struct pm_signatures *signatures = sign(s, s->m, who);
	int r = pm_manifest_verify(s->m, signatures, pm_manifest_owners(s->m), NOW, NULL);

	pm_signatures_free(signatures);
	return r;
}

START_TEST(test_threshold)
{
	struct scene s = scene_new();

	ck_pm(verify(&s, ""), PM_E_REJECTED);
	ck_pm(verify(&s, "0"), PM_E_REJECTED);
	ck_pm(verify(&s, "1"), PM_E_REJECTED);
	ck_pm(verify(&s, "01"), PM_OK);
	ck_pm(verify(&s, "20"), PM_OK);
	ck_pm(verify(&s, "012"), PM_OK);
	ck_pm(verify(&s, "03"), PM_E_REJECTED); /* a stranger does not count */
	ck_pm(verify(&s, "3012"), PM_OK);	/* and does no harm */
	scene_free(&s);
}
END_TEST

START_TEST(test_twice)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "0");

	ck_pm(pm_signatures_sign(signatures, s.keys[0]), PM_E_STATE);
	signatures->list[1] = signatures->list[0]; /* what no file can hold */
	signatures->count = 2;
	ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
		PM_E_REJECTED);
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

/* One bad signature in an owner's name refuses all, though enough others are good. */
START_TEST(test_forged)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "012");

	for (size_t i = 0; i < 3; i++) {
		struct pm_signature *one = &signatures->list[i], before = *one;

		one->bytes[one->size - 1] ^= 1;
		ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
			PM_E_REJECTED);
		*one = before;
		one->size--;
		ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
			PM_E_REJECTED);
		*one = before;
		one->type = one->type == PM_SIGN_P384 ? PM_SIGN_ED25519 : PM_SIGN_P384;
		ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
			PM_E_REJECTED);
		*one = before;
	}
	ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL), PM_OK);
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

/* Signatures of another manifest, whether the file says so or lies. */
START_TEST(test_other_manifest)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures;
	struct pm_manifest *other;

	doc_set(s.base, "not_after", json_string("2028-01-01T00:00:00Z"));
	other = parse_doc(s.base);
	signatures = sign(&s, other, "012");
	ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
		PM_E_REJECTED);
	pm_manifest_hash(s.m, signatures->manifest);
	ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL),
		PM_E_REJECTED);
	pm_signatures_free(signatures);
	pm_manifest_free(other);
	scene_free(&s);
}
END_TEST

START_TEST(test_time)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "01");
	const struct pm_manifest_owners *owners = pm_manifest_owners(s.m);

	ck_pm(pm_manifest_verify(s.m, signatures, owners, pm_manifest_not_after(s.m) + 1, NULL),
		PM_E_STALE);
	ck_pm(pm_manifest_verify(s.m, signatures, owners, pm_manifest_not_before(s.m) - 1, NULL),
		PM_E_STALE);
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

/* --- updates --------------------------------------------------------------------------------- */

/* The base with serial + 1 and the hash of the one before; who owns it then is key 3 alone. */
static struct pm_manifest *successor(const struct scene *s, int64_t serial, bool right_hash)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char text[2 * PM_MANIFEST_HASH_SIZE + 1];

	pm_manifest_hash(s->m, hash);
	hash[0] ^= !right_hash;
	pm_hex_encode(hash, sizeof(hash), text);
	doc_set(s->base, "serial", json_integer(serial));
	doc_set(s->base, "previous", json_string(text));
	doc_set(s->base, "owners",
		json_pack("{s:i, s:[o]}", "threshold", 1, "keys", owner_json("d", s->keys[3])));
	return parse_doc(s->base);
}

static int update(
	const struct scene *s, const struct pm_manifest *next, const char *who, int64_t now)
{
	struct pm_signatures *signatures = sign(s, next, who);
	int r = pm_manifest_verify_update(next, s->m, signatures, now, NULL);

	pm_signatures_free(signatures);
	return r;
}

/* Owners of the manifest before decide, never those of the new one. */
START_TEST(test_update)
{
	struct scene s = scene_new();
	struct pm_manifest *next = successor(&s, 3, true);

	ck_pm(update(&s, next, "01", NOW), PM_OK);
	ck_pm(update(&s, next, "301", NOW), PM_OK);
	ck_pm(update(&s, next, "3", NOW), PM_E_REJECTED);
	ck_pm(update(&s, next, "03", NOW), PM_E_REJECTED);
	ck_pm(update(&s, next, "01", pm_manifest_not_after(next) + 1), PM_E_STALE);
	pm_manifest_free(next);
	scene_free(&s);
}
END_TEST

START_TEST(test_update_succession)
{
	static const struct {
		int64_t serial;
		bool right_hash;
	} rows[] = {{2, true}, {4, true}, {3, false}};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct scene s = scene_new();
		struct pm_manifest *next = successor(&s, rows[i].serial, rows[i].right_hash);

		ck_pm(update(&s, next, "012", NOW), PM_E_REJECTED);
		pm_manifest_free(next);
		scene_free(&s);
	}
}
END_TEST

/* A first manifest replaces nothing, whatever it follows. */
START_TEST(test_update_by_first)
{
	struct scene s = scene_new();
	struct pm_manifest *first;

	doc_set(s.base, "serial", json_integer(1));
	doc_set(s.base, "previous", json_null());
	first = parse_doc(s.base);
	ck_pm(update(&s, first, "012", NOW), PM_E_REJECTED);
	pm_manifest_free(first);
	scene_free(&s);
}
END_TEST

/* --- the file -------------------------------------------------------------------------------- */

START_TEST(test_file)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "0123"), *again = NULL;
	char *text = malloc(PM_SIGNATURES_SIZE_MAX);
	size_t len = 0;

	ck_pm(pm_signatures_text(signatures, text, &len), PM_OK);
	ck_assert_uint_eq(len, strlen(text));
	ck_pm(pm_signatures_parse(text, len, NULL, &again), PM_OK);
	ck_assert_mem_eq(pm_signatures_manifest(again), signatures->manifest, 32);
	for (size_t i = 0; i < 4; i++) {
		const struct pm_signature *one = pm_signatures_at(again, i);

		ck_assert_mem_eq(one->key_id, pm_sign_key_public(s.keys[i])->id, 32);
		ck_assert_int_eq(one->type, types[i % 2]);
		ck_assert_mem_eq(one->bytes, signatures->list[i].bytes, one->size);
	}
	ck_assert_ptr_null(pm_signatures_at(again, 4));
	ck_pm(pm_manifest_verify(s.m, again, pm_manifest_owners(s.m), NOW, NULL), PM_OK);
	pm_signatures_free(again);
	pm_signatures_free(signatures);
	free(text);
	scene_free(&s);
}
END_TEST

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define ENTRY(key, algorithm, signature)                                                           \
	"{\"key\": \"" key "\", \"algorithm\": \"" algorithm "\", \"signature\": \"" signature "\"}"
#define FILE_OF(list) "{\"manifest\": \"" HASH "\", \"signatures\": [" list "]}"

START_TEST(test_file_bad)
{
	static const struct {
		const char *text, *at;
	} rows[] = {
		{"{}", "$.manifest"},
		{"{\"manifest\": \"00\", \"signatures\": []}", "$.manifest"},
		{"{\"manifest\": \"" HASH "\"}", "$.signatures"},
		{"{\"manifest\": \"" HASH "\", \"signatures\": [], \"x\": 1}", "$.x"},
		{"{\"manifest\": \"" HASH "\", \"signatures\": {}}", "$.signatures"},
		{FILE_OF("1"), "$.signatures[0]"},
		{FILE_OF(ENTRY("00", "ed25519", "AAAA")), "$.signatures[0].key"},
		{FILE_OF(ENTRY(HASH, "rsa", "AAAA")), "$.signatures[0].algorithm"},
		{FILE_OF(ENTRY(HASH, "ed25519", "")), "$.signatures[0].signature"},
		{FILE_OF(ENTRY(HASH, "ed25519", "AA")), "$.signatures[0].signature"},
		{FILE_OF(ENTRY(HASH, "ed25519", "AAAA") "," ENTRY(HASH, "ed25519", "AAAB")),
			"$.signatures[1]"},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_report *report = pm_report_new();
		struct pm_signatures *signatures = NULL;

		ck_pm(pm_signatures_parse(rows[i].text, strlen(rows[i].text), report, &signatures),
			PM_E_FORMAT);
		ck_assert_msg(strstr(pm_report_reason(report), rows[i].at), "%s: %s", rows[i].at,
			pm_report_reason(report));
		pm_report_free(report);
	}
}
END_TEST

START_TEST(test_file_limits)
{
	struct pm_signatures *signatures = NULL;
	char *text = malloc(PM_SIGNATURES_SIZE_MAX + 1);
	json_t *list = json_array(), *doc;
	struct pm_view made;

	memset(text, ' ', PM_SIGNATURES_SIZE_MAX + 1);
	ck_pm(pm_signatures_parse(text, PM_SIGNATURES_SIZE_MAX + 1, NULL, &signatures), PM_E_LIMIT);
	for (int i = 0; i <= PM_SIGNATURES_MAX; i++) {
		char id[65];

		snprintf(id, sizeof(id), "%064d", i);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "key", id, "algorithm",
						    "ed25519", "signature", "AAAA"));
	}
	doc = json_pack("{s:s, s:o}", "manifest", HASH, "signatures", list);
	made = doc_text(doc, 0);
	ck_pm(pm_signatures_parse(made.ptr, made.len, NULL, &signatures), PM_E_LIMIT);
	test_free(made);
	json_decref(doc);
	free(text);
}
END_TEST

/* The largest file that can be made can be written and read. */
START_TEST(test_file_full)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "1"), *again = NULL;
	char *text = malloc(PM_SIGNATURES_SIZE_MAX);
	size_t len = 0;

	for (size_t i = 1; i < PM_SIGNATURES_MAX; i++) {
		signatures->list[i] = signatures->list[0];
		signatures->list[i].key_id[0] ^= (uint8_t)i;
		signatures->list[i].size = PM_SIGNATURE_SIZE_MAX;
	}
	signatures->count = PM_SIGNATURES_MAX;
	ck_pm(pm_signatures_sign(signatures, s.keys[0]), PM_E_LIMIT);
	ck_pm(pm_signatures_text(signatures, text, &len), PM_OK);
	ck_pm(pm_signatures_parse(text, len, NULL, &again), PM_OK);
	pm_signatures_free(again);
	pm_signatures_free(signatures);
	free(text);
	scene_free(&s);
}
END_TEST

/* --- OpenSSL --------------------------------------------------------------------------------- */

static const EVP_MD *digest_of(enum pm_sign_type type)
{
	return type == PM_SIGN_P384 ? EVP_sha384() : NULL;
}

START_TEST(test_openssl_verifies)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "01");

	for (size_t i = 0; i < 2; i++) {
		const struct pm_signature *one = pm_signatures_at(signatures, i);
		EVP_PKEY *pkey = to_openssl(s.keys[i]);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		uint8_t message[PM_SIGNATURE_MESSAGE_SIZE];

		pm_signatures_message(pm_signatures_manifest(signatures), message);
		ck_assert_str_eq((char *)message, "libpm manifest signature v1");
		ck_assert_mem_eq(message + 28, signatures->manifest, 32);
		ck_assert_int_eq(
			EVP_DigestVerifyInit(ctx, NULL, digest_of(one->type), NULL, pkey), 1);
		ck_assert_int_eq(
			EVP_DigestVerify(ctx, one->bytes, one->size, message, sizeof(message)), 1);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
	}
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

START_TEST(test_openssl_signs)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "");

	for (size_t i = 0; i < 2; i++) {
		const struct pm_sign_public *public = pm_sign_key_public(s.keys[i]);
		EVP_PKEY *pkey = to_openssl(s.keys[i]);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		uint8_t message[PM_SIGNATURE_MESSAGE_SIZE], bytes[256];
		size_t len = sizeof(bytes);

		pm_signatures_message(pm_signatures_manifest(signatures), message);
		ck_assert_int_eq(
			EVP_DigestSignInit(ctx, NULL, digest_of(public->type), NULL, pkey), 1);
		ck_assert_int_eq(EVP_DigestSign(ctx, bytes, &len, message, sizeof(message)), 1);
		bytes[len - 1] ^= 1;
		ck_pm(pm_signatures_add(signatures, public, bytes, len), PM_E_REJECTED);
		bytes[len - 1] ^= 1;
		ck_pm(pm_signatures_add(signatures, public, bytes, sizeof(bytes)), PM_E_REJECTED);
		ck_pm(pm_signatures_add(signatures, public, bytes, len), PM_OK);
		ck_pm(pm_signatures_add(signatures, public, bytes, len), PM_E_STATE);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
	}
	ck_pm(pm_manifest_verify(s.m, signatures, pm_manifest_owners(s.m), NOW, NULL), PM_OK);
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

/* --- owners that stand alone ----------------------------------------------------------------- */

START_TEST(test_owners_alone)
{
	struct scene s = scene_new();
	struct pm_signatures *signatures = sign(&s, s.m, "01");
	struct pm_view text = doc_text(json_object_get(s.base, "owners"), 0);
	struct pm_manifest_owners *owners = NULL;

	ck_pm(pm_manifest_owners_parse(text.ptr, text.len, NULL, &owners), PM_OK);
	ck_assert_uint_eq(pm_manifest_owners_threshold(owners), 2);
	ck_assert_str_eq(pm_manifest_owner_at(owners, 2)->name, "c");
	ck_pm(pm_manifest_verify(s.m, signatures, owners, NOW, NULL), PM_OK);
	pm_manifest_owners_free(owners);
	owners = NULL;
	ck_pm(pm_manifest_owners_parse("{}", 2, NULL, &owners), PM_E_FORMAT);
	ck_pm(pm_manifest_owners_parse(text.ptr, text.len - 1, NULL, &owners), PM_E_FORMAT);
	ck_assert_ptr_null(owners);
	test_free(text);
	pm_signatures_free(signatures);
	scene_free(&s);
}
END_TEST

/* By Python's hmac from RFC 5869's definition, and OpenSSL's Ed25519. */
START_TEST(test_key_derived)
{
	static const struct {
		const char *label, *public_key;
	} rows[] = {
		{"libpm secrets audit key v1",
			"60d6c1bf036029345aeea119c713a4d4a479a5c0286091a535813c0a64a7c03c"},
		{"x", "8dd8abd7ee9ab2798223c70318fb711969d4429a908eaa11549c330405ed07da"},
	};
	char too_long[PM_SIGN_LABEL_MAX + 2] = {0};
	uint8_t secret[PM_SIGN_SECRET_SIZE], want[32];
	struct pm_sign_key *key;

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		const struct pm_sign_public *public;

		ck_pm(pm_sign_key_derive(secret, rows[i].label, &key), PM_OK);
		ck_pm(pm_hex_decode(rows[i].public_key, want, sizeof(want)), PM_OK);
		public = pm_sign_key_public(key);
		ck_assert_int_eq(public->type, PM_SIGN_ED25519);
		ck_assert_mem_eq(public->spki + public->spki_size - 32, want, sizeof(want));
		pm_sign_key_free(key);
	}
	memset(too_long, 'x', sizeof(too_long) - 1);
	ck_pm(pm_sign_key_derive(secret, too_long, &key), PM_E_ARG);
	ck_pm(pm_sign_key_derive(secret, "", &key), PM_E_ARG);
}
END_TEST

static TCase *key_case(void)
{
	TCase *tcase = tcase_create("keys");

	tcase_add_loop_test(tcase, test_key_to_openssl, 0, 2);
	tcase_add_loop_test(tcase, test_key_from_openssl, 0, 2);
	tcase_add_test(tcase, test_key_short_form);
	tcase_add_test(tcase, test_key_bad);
	tcase_add_loop_test(tcase, test_public, 0, 2);
	tcase_add_test(tcase, test_key_derived);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("signatures");
	TCase *tcase = tcase_create("signatures");

	tcase_add_test(tcase, test_threshold);
	tcase_add_test(tcase, test_twice);
	tcase_add_test(tcase, test_forged);
	tcase_add_test(tcase, test_other_manifest);
	tcase_add_test(tcase, test_time);
	tcase_add_test(tcase, test_update);
	tcase_add_test(tcase, test_update_succession);
	tcase_add_test(tcase, test_update_by_first);
	tcase_add_test(tcase, test_file);
	tcase_add_test(tcase, test_file_bad);
	tcase_add_test(tcase, test_file_limits);
	tcase_add_test(tcase, test_file_full);
	tcase_add_test(tcase, test_openssl_verifies);
	tcase_add_test(tcase, test_openssl_signs);
	tcase_add_test(tcase, test_owners_alone);
	suite_add_tcase(suite, key_case());
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
