/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID blocks and the digests of their keys. The block, keys and signatures here were made once, with
 * Python and OpenSSL's library; the private keys were thrown away.
 */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/idblock.h>
#include <pm/text.h>

#include "base/base64.h"
#include "crypto/x509.h"
#include "testing.h"

static const char id_block[] =
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
	"28292a2b2c2d2e2f4646464646464646464646464646464649494949494949494949494949494949"
	"01000000070000000000030000000000";

static const char id_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			     "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEILdl4HVidLf6SObCDMRcg379rJ/iZ9oS\n"
			     "wBlfJVttuI4/V8AZCJDl2SdLcxdaQONjUqWN+aTjZIkIBNJ7G3+g4e1Us7gEQRyY\n"
			     "qurgZbCCPzsEXa3FOuaSHQTUweGfp8db\n"
			     "-----END PUBLIC KEY-----\n";

static const char author_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAELRrRVXrkAQFVNBebR9YD6V9vdZ1mq/Fb\n"
	"4iZ58JDpnEIOq2pUNL0motrPUvtR/F0sWjIX56szIQzA9bZU3RJI2jCpYBRgEyOQ\n"
	"O691w1ITWWpsx9an9VUPQyvg4rUfeBFu\n"
	"-----END PUBLIC KEY-----\n";

static const char id_digest[] = "55f1b5beb67f1a92cab84c3dbf8748b4bac19bdb0c029a3562dbbd366dc3d43044"
				"7742b6b4d882cd40e3a1a7c8da6796";
static const char author_digest[] = "5796d06a70a04a840ea86fdbf616ce5078cbed6594a3b3e4c7c565dfdc6ade"
				    "4214a2d65bac0aaa832ec1f6a11b89fa2e";

/* X and Y of the keys, R and S of the signatures: little endian, without the zeros after them. */
static const char *const id_point[2] = {"63e3405a17734b27d9e5900819c0573f8eb86d5b255f19c012da67e29f"
					"acfd7e835cc40cc2e648fab7746275e065b720",
	"5bc7a79fe1c1d4041d92e63ac5ad5d043b3f82b065e0eaaa981c4104b8b354ede1a07f1b7bd204088964e3a4f9"
	"8da552"};
static const char *const author_point[2] = {"2c5dfc51fb52cfdaa226bd34546aab0e429ce990f07926e25bf1ab"
					    "669d756f5fe903d6479b1734550101e47a55d11a2d",
	"6e11781fb5e2e02b430f55f5a7d6c76c6a591352c375af3b902313601460a930da4812dd54b6f5c00c2133abe7"
	"17325a"};
static const char *const block_signature[2] = {"da5e1a65314e006e86d1b54f386fa26507327c12eb56466cfc2"
					       "3f25ff0c096db2e77d9d080a4d58f963c4795bab0d476",
	"e414f6d7e0825170a22361e06e2ac590482780d9b98a3d5e42aa9f79058af2f00b46eab05bee0724b3b3afdd50"
	"31228b"};
static const char *const id_key_signature[2] = {"b8812a76927d32694ab687dd04a330c954f4bed0a4e53de9ed"
						"1f810725e220df9007206bdf1d517d01fbd32c2a558e0a",
	"acd27d2f0e91a03f407928f068b56673ed5158efc0b8b3fe7a8f4e7fa1fad1300cccd2fbf2e4765325c3368d73"
	"e5c78e"};

static const char p256_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgw4L17FEbIfszBhUb7qrw+6BhiK4\n"
			       "yAmwWEEuMG/sNsyYsiRHfCHavSYEgGrykov2S0PAFrfH3i5Rl503rF6XCw==\n"
			       "-----END PUBLIC KEY-----\n";

#define AUTH_BLOCK_SIG	0x40
#define AUTH_ID_KEY	0x240
#define AUTH_ID_KEY_SIG 0x680
#define AUTH_AUTHOR_KEY 0x880

static void put_pair(uint8_t *at, const char *const *pair)
{
	ck_pm(pm_hex_decode(pair[0], at, 48), PM_OK);
	ck_pm(pm_hex_decode(pair[1], at + 72, 48), PM_OK);
}

static void make_auth(uint8_t *auth, bool author)
{
	memset(auth, 0, PM_ID_AUTH_SIZE);
	auth[0] = 1;
	put_pair(auth + AUTH_BLOCK_SIG, block_signature);
	auth[AUTH_ID_KEY] = 2;
	put_pair(auth + AUTH_ID_KEY + 4, id_point);
	if (!author)
		return;
	auth[4] = 1;
	put_pair(auth + AUTH_ID_KEY_SIG, id_key_signature);
	auth[AUTH_AUTHOR_KEY] = 2;
	put_pair(auth + AUTH_AUTHOR_KEY + 4, author_point);
}

static void expect_hex(const uint8_t *bytes, const char *want)
{
	char text[2 * PM_ID_KEY_DIGEST_SIZE + 1];

	pm_hex_encode(bytes, PM_ID_KEY_DIGEST_SIZE, text);
	ck_assert_str_eq(text, want);
}

START_TEST(id_block_both_ways)
{
	struct pm_view want = test_hex(id_block);
	struct pm_id_block block;
	uint8_t bytes[PM_ID_BLOCK_SIZE];

	ck_pm(pm_id_block_decode(want.ptr, want.len, NULL, &block), PM_OK);
	ck_assert_uint_eq(block.launch_digest[47], 47);
	ck_assert_uint_eq(block.family_id[15], 'F');
	ck_assert_uint_eq(block.image_id[0], 'I');
	ck_assert_uint_eq(block.guest_svn, 7);
	ck_assert_uint_eq(block.policy, 0x30000);
	pm_id_block_encode(&block, bytes);
	ck_assert(pm_view_equal(pm_view(bytes, sizeof(bytes)), want));
	ck_pm(pm_id_block_decode(bytes, sizeof(bytes) - 1, NULL, &block), PM_E_FORMAT);
	bytes[80] = 2;
	ck_pm(pm_id_block_decode(bytes, sizeof(bytes), NULL, &block), PM_E_UNSUPPORTED);
	test_free(want);
}
END_TEST

static int key_digest(const char *pem, uint8_t *ret)
{
	return pm_id_key_digest((const uint8_t *)pem, strlen(pem), NULL, ret);
}

START_TEST(key_digests)
{
	uint8_t digest[PM_ID_KEY_DIGEST_SIZE];
	char two[sizeof(id_pem) + sizeof(author_pem)];

	ck_pm(key_digest(id_pem, digest), PM_OK);
	expect_hex(digest, id_digest);
	ck_pm(key_digest(author_pem, digest), PM_OK);
	expect_hex(digest, author_digest);
	ck_pm(key_digest(p256_pem, digest), PM_E_UNSUPPORTED);
	ck_pm(key_digest("", digest), PM_E_FORMAT);
	ck_pm(key_digest("-----BEGIN EC PRIVATE KEY-----\n", digest), PM_E_FORMAT);
	memcpy(two, id_pem, sizeof(id_pem) - 1);
	memcpy(two + sizeof(id_pem) - 1, author_pem, sizeof(author_pem));
	ck_pm(key_digest(two, digest), PM_E_FORMAT);
	expect_hex(digest, author_digest); /* of before: failures write nothing */
}
END_TEST

static int keep_der(struct pm_view der, void *arg)
{
	*(struct pm_view *)arg = pm_view(pm_dup(der), der.len);
	return PM_OK;
}

START_TEST(key_digest_of_der)
{
	uint8_t digest[PM_ID_KEY_DIGEST_SIZE], long_key[PM_ID_KEY_MAX + 1] = {0x30};
	struct pm_view der = {0};

	ck_pm(pm_pem_each(pm_view(id_pem, sizeof(id_pem) - 1), "PUBLIC KEY", keep_der, &der),
		PM_OK);
	ck_pm(pm_id_key_digest(der.ptr, der.len, NULL, digest), PM_OK);
	expect_hex(digest, id_digest);
	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_lt(pm_id_key_digest(der.ptr, n, NULL, digest), 0);
	((uint8_t *)der.ptr)[der.len - 1] ^= 1; /* off the curve */
	ck_pm(pm_id_key_digest(der.ptr, der.len, NULL, digest), PM_E_FORMAT);
	ck_pm(pm_id_key_digest(long_key, sizeof(long_key), NULL, digest), PM_E_LIMIT);
	test_free(der);
}
END_TEST

START_TEST(id_block_verifies)
{
	struct pm_view block = test_hex(id_block);
	uint8_t auth[PM_ID_AUTH_SIZE];
	struct pm_id_signers signers;

	make_auth(auth, true);
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers), PM_OK);
	ck_assert_int_eq(signers.has_author, 1);
	expect_hex(signers.id_key_digest, id_digest);
	expect_hex(signers.author_key_digest, author_digest);
	make_auth(auth, false);
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers), PM_OK);
	ck_assert_int_eq(signers.has_author, 0);
	expect_hex(signers.id_key_digest, id_digest);
	ck_assert(pm_is_zero(signers.author_key_digest, 48));
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth) - 1, NULL, &signers),
		PM_E_FORMAT);
	test_free(block);
}
END_TEST

/* Each byte of the block and of what goes with it counts. */
START_TEST(id_block_flipped_bytes)
{
	struct pm_view hex = test_hex(id_block);
	uint8_t block[PM_ID_BLOCK_SIZE], auth[PM_ID_AUTH_SIZE];
	struct pm_id_signers signers = {.has_author = 9};

	memcpy(block, hex.ptr, sizeof(block));
	test_free(hex);
	make_auth(auth, true);
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 0x10;
		ck_assert_int_lt(pm_id_block_verify(
					 block, sizeof(block), auth, sizeof(auth), NULL, &signers),
			0);
		block[i] ^= 0x10;
	}
	for (size_t i = 0; i < sizeof(auth); i++) {
		auth[i] ^= 0x10;
		ck_assert_msg(pm_id_block_verify(
				      block, sizeof(block), auth, sizeof(auth), NULL, &signers) < 0,
			"byte %zu", i);
		auth[i] ^= 0x10;
	}
	ck_assert_int_eq(signers.has_author, 9);
	ck_pm(pm_id_block_verify(block, sizeof(block), auth, sizeof(auth), NULL, &signers), PM_OK);
}
END_TEST

/* A key of an author without its algorithm, or an algorithm without a key, is no "no author". */
START_TEST(half_an_author)
{
	struct pm_view block = test_hex(id_block);
	uint8_t auth[PM_ID_AUTH_SIZE];
	struct pm_id_signers signers;

	make_auth(auth, true);
	auth[4] = 0;
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers),
		PM_E_UNSUPPORTED);
	make_auth(auth, false);
	auth[4] = 1;
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers),
		PM_E_UNSUPPORTED);
	make_auth(auth, false);
	put_pair(auth + AUTH_AUTHOR_KEY + 4, author_point);
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers),
		PM_E_UNSUPPORTED);
	make_auth(auth, true);
	memcpy(auth + AUTH_ID_KEY_SIG, auth + AUTH_BLOCK_SIG, 512);
	ck_pm(pm_id_block_verify(block.ptr, block.len, auth, sizeof(auth), NULL, &signers),
		PM_E_REJECTED);
	test_free(block);
}
END_TEST

/* --- keys of others -------------------------------------------------------------------------- */

/* The vectors are private keys; their last 97 bytes are the public point (RFC 5915, section 3). */
static int digest_public_part(struct pm_view der, void *arg)
{
	struct pm_view head = test_hex("3076301006072a8648ce3d020106052b81040022036200");
	uint8_t spki[120];

	ck_assert_uint_eq(der.ptr[der.len - 97], 0x04);
	memcpy(spki, head.ptr, head.len);
	memcpy(spki + head.len, der.ptr + der.len - 97, 97);
	test_free(head);
	return pm_id_key_digest(spki, sizeof(spki), NULL, arg);
}

static void expect_key(const char *path, const char *want)
{
	struct pm_view pem = test_vector(path);
	uint8_t digest[PM_ID_KEY_DIGEST_SIZE];
	char text[PM_BASE64_SIZE(PM_ID_KEY_DIGEST_SIZE)];

	ck_pm(pm_id_key_digest(pem.ptr, pem.len, NULL, digest), PM_E_FORMAT); /* it is private */
	ck_pm(pm_pem_each(pem, "EC PRIVATE KEY", digest_public_part, digest), PM_OK);
	ck_pm(pm_base64_encode(pm_view(digest, sizeof(digest)), text, sizeof(text)), PM_OK);
	ck_assert_str_eq(text, want);
	test_free(pem);
}

START_TEST(id_key_vectors)
{
	expect_key("snp/measure/id_key_test.pem",
		"hwt+NcU/inLQ0yL3WrKvgmJ5Kq9leWIs5BMcPyHyied8sFYKXjuQs5MuZ07HCcsU");
	expect_key("snp/measure/author_key_test.pem",
		"YxEcNLv8Ckk4+aAJvQdJgNgXIyPmFZnJ/TNtqGcySOHcqY0L6PdjdqEGuK/UwKBX");
}
END_TEST

static TCase *id_blocks(void)
{
	TCase *tc = tcase_create("id block");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, id_block_both_ways);
	tcase_add_test(tc, key_digests);
	tcase_add_test(tc, key_digest_of_der);
	tcase_add_test(tc, id_block_verifies);
	tcase_add_test(tc, id_block_flipped_bytes);
	tcase_add_test(tc, half_an_author);
	return tc;
}

static TCase *vectors(void)
{
	TCase *tc = tcase_create("vector");

	tcase_add_test(tc, id_key_vectors);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("idblock");

	suite_add_tcase(suite, id_blocks());
	if (test_has_vectors())
		suite_add_tcase(suite, vectors());
	return test_main(suite);
}
