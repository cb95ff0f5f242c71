/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, key derivation, ciphers and DER, against published vectors and against OpenSSL. */
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/der.h"
#include "testing.h"

static const char *const hash_names[] = {"SHA256", "SHA384", "SHA512"};

/* --- hash ------------------------------------------------------------------------------------ */

#define BITS_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

START_TEST(hashes_of_fips_180)
{
	static const struct {
		enum pm_hash_alg alg;
		const char *text, *digest;
	} rows[] = {
		{PM_SHA256, "abc",
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{PM_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{PM_SHA256, BITS_448,
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{PM_SHA384, "abc",
			"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			"8086072ba1e7cc2358baeca134c825a7"},
		{PM_SHA512, "abc",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	};
	uint8_t got[PM_HASH_SIZE_MAX];

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_view want = test_hex(rows[i].digest);

		ck_assert_uint_eq(pm_hash_size(rows[i].alg), want.len);
		ck_pm(pm_hash(rows[i].alg, pm_view(rows[i].text, strlen(rows[i].text)), got),
			PM_OK);
		ck_assert(pm_ct_equal(got, want.ptr, want.len));
		test_free(want);
	}
}
END_TEST

START_TEST(hash_of_a_million)
{
	struct pm_view want =
		test_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	uint8_t *text = pm_alloc(1000000), got[PM_SHA256_SIZE];

	memset(text, 'a', 1000000);
	ck_pm(pm_hash(PM_SHA256, pm_view(text, 1000000), got), PM_OK);
	ck_assert(pm_ct_equal(got, want.ptr, want.len));
	free(text);
	test_free(want);
}
END_TEST

START_TEST(hash_of_parts)
{
	struct pm_view parts[] = {VIEW("a"), {NULL, 0}, VIEW("bc")};
	uint8_t whole[PM_SHA384_SIZE], split[PM_SHA384_SIZE];

	ck_pm(pm_hash(PM_SHA384, VIEW("abc"), whole), PM_OK);
	ck_pm(pm_hash_parts(PM_SHA384, parts, 3, split), PM_OK);
	ck_assert(pm_ct_equal(whole, split, sizeof(whole)));
	ck_pm(pm_hash_parts(PM_SHA384, parts, 2, split), PM_OK);
	ck_assert(!pm_ct_equal(whole, split, sizeof(whole)));
}
END_TEST

START_TEST(random_is_not_constant)
{
	uint8_t a[32] = {0}, b[32] = {0};

	pm_random(a, sizeof(a));
	pm_random(b, sizeof(b));
	ck_assert(!pm_ct_equal(a, b, sizeof(a)));
}
END_TEST

/* --- HKDF ------------------------------------------------------------------------------------ */

START_TEST(hkdf_of_rfc_5869)
{
	static const struct {
		const char *ikm, *salt, *info, *prk, *okm;
	} rows[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
			"f0f1f2f3f4f5f6f7f8f9",
			"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
			"34007208d5b887185865"},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		 "404142434445464748494a4b4c4d4e4f",
			"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
			"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
			"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
			"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
			"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
			"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
			"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
			"59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
			"cc30c58179ec3e87c14c01d5c1f3434f1d87"},
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
			"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
			"9d201395faa4b61a96c8"},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_view ikm = test_hex(rows[i].ikm), salt = test_hex(rows[i].salt);
		struct pm_view info = test_hex(rows[i].info), prk = test_hex(rows[i].prk);
		struct pm_view okm = test_hex(rows[i].okm);
		pm_cleanup(secret) struct pm_secret p = {0}, o = {0};

		ck_pm(pm_hkdf_extract(PM_SHA256, salt, ikm, &p), PM_OK);
		ck_assert(pm_view_equal(pm_view(p.ptr, p.len), prk));
		ck_pm(pm_hkdf_expand(PM_SHA256, prk, info, okm.len, &o), PM_OK);
		ck_assert(pm_view_equal(pm_view(o.ptr, o.len), okm));
		test_free(ikm);
		test_free(salt);
		test_free(info);
		test_free(prk);
		test_free(okm);
	}
}
END_TEST

/* OpenSSL's HKDF, extract and expand. */
static void peer_hkdf(const char *hash, uint8_t *ret, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *)hash, 0),
		OSSL_PARAM_construct_octet_string("key", (char *)"secret", 6),
		OSSL_PARAM_construct_octet_string("salt", (char *)"salt", 4),
		OSSL_PARAM_construct_octet_string("info", (char *)"info", 4),
		OSSL_PARAM_construct_end(),
	};

	ck_assert_int_eq(EVP_KDF_derive(ctx, ret, len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

START_TEST(hkdf_agrees_with_openssl)
{
	static const size_t lens[] = {1, 47, 48, 64, 65, 255 * 32};
	uint8_t want[255 * 32];

	for (int alg = PM_SHA256; alg <= PM_SHA512; alg++) {
		pm_cleanup(secret) struct pm_secret prk = {0};

		ck_pm(pm_hkdf_extract((enum pm_hash_alg)alg, VIEW("salt"), VIEW("secret"), &prk),
			PM_OK);
		for (size_t i = 0; i < PM_ARRAY_LEN(lens); i++) {
			pm_cleanup(secret) struct pm_secret okm = {0};

			peer_hkdf(hash_names[alg], want, lens[i]);
			ck_pm(pm_hkdf_expand((enum pm_hash_alg)alg, pm_view(prk.ptr, prk.len),
				      VIEW("info"), lens[i], &okm),
				PM_OK);
			ck_assert(pm_view_equal(pm_view(okm.ptr, okm.len), pm_view(want, lens[i])));
		}
	}
}
END_TEST

START_TEST(hkdf_has_an_end)
{
	pm_cleanup(secret) struct pm_secret okm = {0};
	uint8_t prk[32] = {1};

	ck_pm(pm_hkdf_expand(PM_SHA256, pm_view(prk, 32), VIEW(""), 255 * 32 + 1, &okm),
		PM_E_LIMIT);
	ck_pm(pm_hkdf_expand(PM_SHA256, pm_view(prk, 32), VIEW(""), 0, &okm), PM_E_LIMIT);
	ck_assert_ptr_null(okm.ptr);
}
END_TEST

/* --- AES-256-GCM ----------------------------------------------------------------------------- */

/* The linker sends the library's question here: so both ways are tested on any processor. */
int __wrap_crypto_aead_aes256gcm_is_available(void);
int __real_crypto_aead_aes256gcm_is_available(void);

static bool instructions_hidden;

int __wrap_crypto_aead_aes256gcm_is_available(void)
{
	return instructions_hidden ? 0 : __real_crypto_aead_aes256gcm_is_available();
}

#define GCM_KEY	  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_NONCE "cafebabefacedbaddecaf888"
#define GCM_PLAIN                                                                                  \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                         \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_SEALED                                                                                 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"                         \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static struct pm_aead *new_aead(const char *hex)
{
	struct pm_view key = test_hex(hex);
	struct pm_aead *aead = NULL;

	ck_pm(pm_aead_new(key, &aead), PM_OK);
	test_free(key);
	return aead;
}

/* Test cases 13 to 16 of the specification of GCM (McGrew and Viega), with 256-bit keys. */
START_TEST(gcm_known_answers)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *key, *nonce, *aad, *plain, *sealed;
	} rows[] = {
		{zeros, "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		{zeros, "000000000000000000000000", "", "00000000000000000000000000000000",
			"cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
		{GCM_KEY, GCM_NONCE, "", GCM_PLAIN "1aafd255",
			GCM_SEALED "898015adb094dac5d93471bdec1a502270e3cc6c"},
		{GCM_KEY, GCM_NONCE, "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAIN,
			GCM_SEALED "76fc6ece0f4e1768cddf8853bb2d551b"},
	};
	uint8_t out[128];

	instructions_hidden = _i;
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		pm_cleanup(pm_aead) struct pm_aead *aead = new_aead(rows[i].key);
		struct pm_view nonce = test_hex(rows[i].nonce), aad = test_hex(rows[i].aad);
		struct pm_view plain = test_hex(rows[i].plain), sealed = test_hex(rows[i].sealed);

		ck_pm(pm_aead_seal(aead, nonce.ptr, aad, plain, out), PM_OK);
		ck_assert(pm_view_equal(pm_view(out, plain.len + PM_AEAD_TAG_SIZE), sealed));
		ck_pm(pm_aead_open(aead, nonce.ptr, aad, sealed, out), PM_OK);
		ck_assert(pm_view_equal(pm_view(out, plain.len), plain));
		test_free(nonce);
		test_free(aad);
		test_free(plain);
		test_free(sealed);
	}
}
END_TEST

START_TEST(gcm_detects_each_flipped_bit)
{
	pm_cleanup(pm_aead) struct pm_aead *aead = NULL;
	uint8_t nonce[12] = {1}, aad[5] = "head", sealed[9 + 16], out[9];
	struct pm_view s = pm_view(sealed, sizeof(sealed)), a = pm_view(aad, sizeof(aad));

	instructions_hidden = _i;
	aead = new_aead(GCM_KEY);
	ck_pm(pm_aead_seal(aead, nonce, a, VIEW("plaintext"), sealed), PM_OK);
	for (size_t bit = 0; bit < 8 * (sizeof(sealed) + sizeof(aad) + sizeof(nonce)); bit++) {
		size_t at = bit / 8;
		uint8_t *byte = at < 25 ? &sealed[at] : at < 30 ? &aad[at - 25] : &nonce[at - 30];

		*byte ^= (uint8_t)(1 << bit % 8);
		pm_copy(out, "untouched", 9);
		ck_pm(pm_aead_open(aead, nonce, a, s, out), PM_E_REJECTED);
		ck_assert(!pm_ct_equal(out, "plaintext", 9));
		*byte ^= (uint8_t)(1 << bit % 8);
	}
	ck_pm(pm_aead_open(aead, nonce, a, s, out), PM_OK);
	for (size_t n = 0; n < sizeof(sealed); n++)
		ck_pm(pm_aead_open(aead, nonce, a, pm_view(sealed, n), out),
			n < PM_AEAD_TAG_SIZE ? PM_E_FORMAT : PM_E_REJECTED);
}
END_TEST

START_TEST(gcm_works_in_place)
{
	pm_cleanup(pm_aead) struct pm_aead *aead = NULL;
	uint8_t nonce[12] = {7}, b[100 + 16], want[100 + 16];

	instructions_hidden = _i;
	aead = new_aead(GCM_KEY);
	for (int i = 0; i < 100; i++)
		b[i] = (uint8_t)i;
	ck_pm(pm_aead_seal(aead, nonce, VIEW(""), pm_view(b, 100), want), PM_OK);
	ck_pm(pm_aead_seal(aead, nonce, VIEW(""), pm_view(b, 100), b), PM_OK);
	ck_assert(pm_ct_equal(b, want, sizeof(b)));
	ck_pm(pm_aead_open(aead, nonce, VIEW(""), pm_view(b, sizeof(b)), b), PM_OK);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(b[i], (unsigned int)i);
	want[50] ^= 1;
	ck_pm(pm_aead_open(aead, nonce, VIEW(""), pm_view(want, sizeof(want)), want),
		PM_E_REJECTED);
	ck_assert(!pm_ct_equal(want, b, 40)); /* the good part of it does not leak either */
}
END_TEST

START_TEST(gcm_keys_have_one_size)
{
	struct pm_aead *aead = NULL;
	uint8_t key[33] = {0};

	instructions_hidden = _i;
	ck_pm(pm_aead_new(pm_view(key, 16), &aead), PM_E_ARG);
	ck_pm(pm_aead_new(pm_view(key, 31), &aead), PM_E_ARG);
	ck_pm(pm_aead_new(pm_view(key, 33), &aead), PM_E_ARG);
	ck_pm(pm_aead_new(pm_view(key, 0), &aead), PM_E_ARG);
	ck_assert_ptr_null(aead);
	pm_aead_free(NULL);
}
END_TEST

/* --- DER ------------------------------------------------------------------------------------- */

START_TEST(der_lengths_are_shortest)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool want;
	} rows[] = {
		{"\x04\x01x", 3, true},
		{"\x04\x00", 2, true},
		{"\x04\x81\x01x", 4, false},
		{"\x04\x82\x00\x01x", 5, false},
		{"\x04\x80x\x00\x00", 5, false},
		{"\x04\x02x", 3, false},
		{"\x04", 1, false},
		{"\x04\x84\xff\xff\xff\xff", 6, false},
		{"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10, false},
		{"\x05\x01x", 3, false},
		{"", 0, false},
	};
	uint8_t big[4 + 256] = {4, 0x81, 0x80};
	struct pm_view v, from;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_assert_int_eq(
			pm_der_only(pm_view(rows[i].bytes, rows[i].size), PM_DER_OCTET_STRING, &v),
			rows[i].want);
	ck_assert(pm_der_only(pm_view(big, 3 + 0x80), 4, &v) && v.len == 0x80);
	pm_copy(big, "\x04\x82\x01\x00", 4);
	ck_assert(pm_der_only(pm_view(big, sizeof(big)), 4, &v) && v.len == 256);
	from = VIEW("\x04\x01x\x04\x02yz");
	ck_assert(!pm_der_only(from, 4, &v));
	ck_assert(pm_der_get(&from, 4, &v) && pm_view_equal(v, VIEW("x")));
	ck_assert(pm_der_get(&from, 4, &v) && pm_view_equal(v, VIEW("yz")) && !from.len);
}
END_TEST

START_TEST(der_small_integers)
{
	static const struct {
		const char *bytes;
		size_t size;
		int want; /* -1: refused */
	} rows[] = {
		{"\x02\x01\x00", 3, 0},
		{"\x02\x01\x7f", 3, 127},
		{"\x02\x02\x00\x80", 4, 128},
		{"\x02\x02\x00\xff", 4, 255},
		{"\x02\x01\x80", 3, -1},     /* negative */
		{"\x02\x02\x00\x7f", 4, -1}, /* not the shortest */
		{"\x02\x02\x01\x01", 4, -1}, /* 257, whose last byte is 1 */
		{"\x02\x03\x00\x01\x01", 5, -1},
		{"\x02\x00", 2, -1},
		{"\x02\x01\x01\x00", 4, -1}, /* a byte behind */
		{"\x04\x01\x01", 3, -1},
	};
	uint8_t value;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		bool ok = pm_der_uint8(pm_view(rows[i].bytes, rows[i].size), &value);

		ck_assert_int_eq(ok ? value : -1, rows[i].want);
	}
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

START_TEST(der_whole_element)
{
	struct pm_view from = VIEW("\x04\x01x\x04\x02yz"), whole, v;

	ck_assert(!pm_der_get_whole(&from, PM_DER_NULL, &whole, &v) && from.len == 7);
	ck_assert(pm_der_get_whole(&from, PM_DER_OCTET_STRING, &whole, &v));
	ck_assert(pm_view_equal(whole, VIEW("\x04\x01x")) && pm_view_equal(v, VIEW("x")));
	ck_assert_uint_eq(from.len, 4);
}
END_TEST

START_TEST(der_bits_are_whole_bytes)
{
	struct pm_view v;

	ck_assert(pm_der_bits(VIEW("\x03\x02\x00x"), &v) && pm_view_equal(v, VIEW("x")));
	ck_assert(pm_der_bits(VIEW("\x03\x01\x00"), &v) && !v.len);
	ck_assert(!pm_der_bits(VIEW("\x03\x02\x01x"), &v));
	ck_assert(!pm_der_bits(VIEW("\x03\x00"), &v));
	ck_assert(!pm_der_bits(VIEW("\x03\x02\x00xy"), &v));
	ck_assert(!pm_der_bits(VIEW("\x04\x02\x00x"), &v));
}
END_TEST

START_TEST(der_times)
{
	static const char *const bad[] = {"20250821064707", "20250821064707+0000", "250821064707Z",
		"2025082106470Z", "20250821064707z", "20251321064707Z", "20250230064707Z",
		"20250821244707Z", "2025082106:707Z", "20250821064707.5Z", ""};
	uint8_t der[32] = {0x18};
	struct pm_view from;
	int64_t t = 0;

	from = VIEW("\x18\x0f"
		    "20250821064707Z\x05");
	ck_assert(pm_der_get_time(&from, &t) && from.len == 1);
	ck_assert_int_eq(t, INT64_C(1755758827));
	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		der[1] = (uint8_t)strlen(bad[i]);
		memcpy(der + 2, bad[i], der[1]);
		from = pm_view(der, 2 + (size_t)der[1]);
		ck_assert_msg(!pm_der_get_time(&from, &t), "%s", bad[i]);
	}
}
END_TEST

/* SHA-1 of "abc", FIPS 180. */
START_TEST(key_identifier)
{
	struct pm_view want = test_hex("a9993e364706816aba3e25717850c26c9cd0d89d");
	uint8_t id[PM_KEY_IDENTIFIER_SIZE];

	ck_pm(pm_key_identifier(VIEW("abc"), id), PM_OK);
	ck_assert(pm_view_equal(pm_view(id, sizeof(id)), want));
	test_free(want);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(t, hashes_of_fips_180);
	tcase_add_test(t, hash_of_a_million);
	tcase_add_test(t, hash_of_parts);
	tcase_add_test(t, random_is_not_constant);
	tcase_add_test(t, hkdf_of_rfc_5869);
	tcase_add_test(t, hkdf_agrees_with_openssl);
	tcase_add_test(t, hkdf_has_an_end);
	tcase_add_loop_test(t, gcm_known_answers, 0, 2);
	tcase_add_loop_test(t, gcm_detects_each_flipped_bit, 0, 2);
	tcase_add_loop_test(t, gcm_works_in_place, 0, 2);
	tcase_add_loop_test(t, gcm_keys_have_one_size, 0, 2);
	tcase_add_test(t, der_whole_element);
	tcase_add_test(t, der_bits_are_whole_bytes);
	tcase_add_test(t, der_times);
	tcase_add_test(t, key_identifier);
	tcase_add_test(t, der_lengths_are_shortest);
	tcase_add_test(t, der_small_integers);
}

int main(void)
{
	Suite *s = suite_create("crypto");
	TCase *t = tcase_create("crypto");

	if (pm_crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
