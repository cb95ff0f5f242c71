/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "base/base64.h"
#include "base/report.h"
#include "envelope/box.h"
#include "testing.h"

#define LABEL "a label"
#define AAD   "additional data"
#define PLAIN "what is inside"

#define PLAIN_LEN (sizeof(PLAIN) - 1)
#define BOX_LEN	  (PLAIN_LEN + PM_BOX_OVERHEAD)

/* draft-connolly-cfrg-xwing-kem-10, appendix D: the seed 00 01 .. 1f. */
static const char draft_key[] = "-----BEGIN PRIVATE KEY-----\n"
				"MDQCAQAwDQYLKwYBBAGD5i2ByHoEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ\n"
				"GhscHR4f\n"
				"-----END PRIVATE KEY-----\n";

/* SHA-256 of the SubjectPublicKeyInfo that stands there. */
static const char draft_id[] = "11f463e56a32c42e69011a2c34e0487090b71b07be7356a91f5b9452ca3c0695";

/*
 * A box for that key, made in Python: ML-KEM, X25519 and AES-GCM of its cryptography module, SHA-3
 * and HMAC of its own library, and HPKE's key schedule written down there from RFC 9180.
 */
static const char vector[] =
	"ko8jmHWGrp1i4LASo+K8oyy8leE1NXKxjX0b4aOSPlQ5/LCjlcl9Zpr4bfILlbcF5MLU8Bm3BRJs"
	"jCHN1AO2ellamOM7sRJpb7CSgss8tXZFpZ3cSHCLEFaRQyeMzGErPJgMw7fJ+S5gXc1IYzKp5siL"
	"MtAsxCpZgVSwJ4MZqWM+EACI1iMJUK4X4zA7vycQmyFhf5KGgYRtt2XzhuNPMy3hGrmSGtA/9q24"
	"HmrV08KIWWQ8DzIKvaf9kDaZapfTZyTp+ngKakb/hVWTyWeRgZ5ts8pgXmickFGszKRht3aJYzkR"
	"n9fNrmxCbCvCuJpUjGVZ8ZHYIWE47RGpMH7Bt5JUEpkafYARVHKoj+uBcLDsehIv1fIyjjeCJ5/x"
	"e+6vZiu5BqPwyNKdyqi/zr9ZIEMcslCqDhA+glhUXIQiEslZ9R4/KgOgDWSjP0oqz16w4c/DC5mb"
	"zXgIj/5DcIgH5E5R8SfadOm0WJSE+9p3Etr168F+6/kTJeiW1XwZWn/6IGK79NnSydHNlhyObrWl"
	"l/0EOTGxdy8ghEiUpDG4pn0LwfA4Dv4yXz+aEBpjsscwQg73b4heqLRUoCav/9JVCiY7rtEU/oQO"
	"kl9NO8/P+xMJDH2qDLb4pR3YFTv5yARbw9JPrpaNfr75dx1Hoi/uLp0pE/aDN/I6IulohzjMRZsz"
	"DEnoW2Zm9QLBx3p1flS8RTnbxnLyTlZWiBFtYWIsjByvilIhIHimVmO5iqSqwz6gHaUsmeBtu+Qp"
	"ai8brezHMxXO03tbDz0sB8Tmnctqf1eUHdQcaQaUarb/oOJmyov7gF6siWKtAOVBnwcMx3z5kVn3"
	"ZYpnlxvfnwNE0i2XGxZRoT6MlSX8NIkQ8MwXxtOtW805MjLi8TVQw+MPSrQ03txoRNv/f5xMPkwo"
	"ZyQsCwFFmjd02SOVT0ubbxmaoDlUj7Pmc9fQpBGiQ86nxTTjS+6aVz0lYuLmSeF07yICzlERDpLI"
	"11ikf0oZV768VU4e7XUcmNFVyMBX+Jg0edsNYBeKou300xjuq7qV4NUrBBBgtuAtA9HdwzaKBETj"
	"msN0hhAonnPHbbtpm0qHVcLtipz/H/uHOWavOco7Wl6NZpS7JERuDk2xCnGkmQQCmWqR3ymGrEHH"
	"qQBVYVcys6Nqh5patCxc82bshgxVDIhHQfglQhG7MGA1DsfAd1s7brzYfAidDa3izuA5ExF3aga2"
	"B/c13zlKqO8Ut6Sl6f+vHaWFw9Xg/JOEB/46C5Bhwt2Ov04hs0Fe0Arpt6u2wU2Mbz+MrQV/UOeZ"
	"kzpxtX4M4hfEtSOGtVltuJ2Gws5ICi02B+qkNipV/CuNeeexFtn0eBen6ZVK2xDVpBbuYQXAsyyY"
	"yX2ZwJKnnQo/BXOfpSnGRwH5HtWg+BbmUuoBFf8Eyr9Riun4tsyLk4kAvhpwNt5Q//zdkvMJUPzz"
	"Hw3JC30nNTrURo2cpGgGH20Uy1CVWgrdXUItlz4x/JdsEmDuOluvBpGLZjo67HY0odCn0nwcnmiL"
	"yPd3f/mgD9QS/g==";

static struct pm_box_key *key, *other;

static void make_keys(void)
{
	ck_pm(pm_box_key_new(&key), PM_OK);
	ck_pm(pm_box_key_new(&other), PM_OK);
}

static void free_keys(void)
{
	pm_box_key_free(key);
	pm_box_key_free(other);
}

static void seal(uint8_t *ret_box)
{
	ck_pm(pm_box_seal(pm_box_key_public(key), LABEL, AAD, sizeof(AAD) - 1, PLAIN, PLAIN_LEN,
		      ret_box),
		PM_OK);
}

/* Opens the box from memory of its very size, so that a sanitizer sees a read beyond it. */
static int open_box(const uint8_t *box, size_t len, uint8_t *ret_plain)
{
	pm_cleanup(free) uint8_t *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	pm_copy(copy, box, len);
	return pm_box_open(key, LABEL, AAD, sizeof(AAD) - 1, copy, len, ret_plain);
}

/* --- boxes ----------------------------------------------------------------------------------- */

START_TEST(opens_what_was_sealed)
{
	uint8_t box[BOX_LEN], plain[PLAIN_LEN];

	seal(box);
	ck_pm(open_box(box, sizeof(box), plain), PM_OK);
	ck_assert(pm_view_equal(pm_view(plain, sizeof(plain)), VIEW(PLAIN)));
	ck_assert_ptr_null(memmem(box, sizeof(box), PLAIN, PLAIN_LEN));
}
END_TEST

START_TEST(opens_a_box_made_elsewhere)
{
	pm_cleanup(pm_box_key) struct pm_box_key *draft = NULL;
	uint8_t box[BOX_LEN], plain[PLAIN_LEN];
	size_t len = 0;

	ck_pm(pm_box_key_parse(draft_key, sizeof(draft_key) - 1, NULL, &draft), PM_OK);
	ck_pm(pm_base64_decode(VIEW(vector), box, sizeof(box), &len), PM_OK);
	ck_assert_uint_eq(len, sizeof(box));
	ck_pm(pm_box_open(draft, LABEL, AAD, sizeof(AAD) - 1, box, len, plain), PM_OK);
	ck_assert(pm_view_equal(pm_view(plain, sizeof(plain)), VIEW(PLAIN)));
}
END_TEST

START_TEST(no_two_boxes_are_alike)
{
	uint8_t a[BOX_LEN], b[BOX_LEN];

	seal(a);
	seal(b);
	ck_assert(memcmp(a, b, PM_KEM_CIPHERTEXT_SIZE) != 0);
	ck_assert(memcmp(a + PM_KEM_CIPHERTEXT_SIZE, b + PM_KEM_CIPHERTEXT_SIZE, PLAIN_LEN) != 0);
}
END_TEST

START_TEST(an_empty_box_is_one)
{
	uint8_t box[PM_BOX_OVERHEAD], plain[1] = {7};

	ck_pm(pm_box_seal(pm_box_key_public(key), LABEL, NULL, 0, NULL, 0, box), PM_OK);
	ck_pm(pm_box_open(key, LABEL, NULL, 0, box, sizeof(box), plain), PM_OK);
	ck_assert_uint_eq(plain[0], 7);
	ck_pm(pm_box_open(key, LABEL, AAD, 1, box, sizeof(box), plain), PM_E_REJECTED);
}
END_TEST

START_TEST(each_byte_counts)
{
	uint8_t box[BOX_LEN], plain[PLAIN_LEN];

	seal(box);
	for (size_t i = 0; i < sizeof(box); i++) {
		memset(plain, 0, sizeof(plain));
		box[i] ^= 1;
		ck_pm(open_box(box, sizeof(box), plain), PM_E_REJECTED);
		ck_assert_ptr_null(memmem(plain, sizeof(plain), PLAIN, 4));
		box[i] ^= 1;
	}
	ck_pm(open_box(box, sizeof(box), plain), PM_OK);
}
END_TEST

START_TEST(refuses_other_keys_labels_and_data)
{
	uint8_t box[BOX_LEN], plain[PLAIN_LEN];

	seal(box);
	ck_pm(pm_box_open(other, LABEL, AAD, sizeof(AAD) - 1, box, sizeof(box), plain),
		PM_E_REJECTED);
	ck_pm(pm_box_open(key, "a labe", AAD, sizeof(AAD) - 1, box, sizeof(box), plain),
		PM_E_REJECTED);
	ck_pm(pm_box_open(key, "a labels", AAD, sizeof(AAD) - 1, box, sizeof(box), plain),
		PM_E_REJECTED);
	ck_pm(pm_box_open(key, LABEL, AAD, sizeof(AAD) - 2, box, sizeof(box), plain),
		PM_E_REJECTED);
	ck_pm(pm_box_open(key, LABEL, "Additional data", sizeof(AAD) - 1, box, sizeof(box), plain),
		PM_E_REJECTED);
	ck_pm(pm_box_open(key, LABEL, NULL, 0, box, sizeof(box), plain), PM_E_REJECTED);
}
END_TEST

START_TEST(refuses_boxes_of_other_lengths)
{
	uint8_t box[BOX_LEN + 1], plain[PLAIN_LEN + 1];

	seal(box);
	box[BOX_LEN] = 0;
	ck_pm(open_box(box, sizeof(box), plain), PM_E_REJECTED);
	for (size_t len = 0; len < BOX_LEN; len++)
		ck_pm(open_box(box, len, plain),
			len < PM_BOX_OVERHEAD ? PM_E_FORMAT : PM_E_REJECTED);
}
END_TEST

START_TEST(lengths_have_a_limit)
{
	const uint8_t *public = pm_box_key_public(key);
	pm_cleanup(free) uint8_t *plain = pm_alloc(PM_BOX_PLAIN_MAX + 1);
	pm_cleanup(free) uint8_t *box = pm_alloc(PM_BOX_PLAIN_MAX + 1 + PM_BOX_OVERHEAD);

	ck_assert(plain && box);
	ck_pm(pm_box_seal(public, LABEL, plain, PM_BOX_AAD_MAX + 1, plain, 1, box), PM_E_LIMIT);
	ck_pm(pm_box_seal(public, LABEL, NULL, 0, plain, PM_BOX_PLAIN_MAX + 1, box), PM_E_LIMIT);
	ck_pm(pm_box_seal(public, LABEL, NULL, 0, plain, SIZE_MAX, box), PM_E_LIMIT);
	ck_pm(pm_box_seal(public, LABEL, plain, PM_BOX_AAD_MAX, plain, PM_BOX_PLAIN_MAX, box),
		PM_OK);
	ck_pm(pm_box_open(key, LABEL, plain, PM_BOX_AAD_MAX, box,
		      PM_BOX_PLAIN_MAX + PM_BOX_OVERHEAD, plain),
		PM_OK);
	ck_pm(pm_box_open(key, LABEL, plain, PM_BOX_AAD_MAX + 1, box, PM_BOX_OVERHEAD, plain),
		PM_E_LIMIT);
	ck_pm(pm_box_open(key, LABEL, NULL, 0, box, PM_BOX_PLAIN_MAX + 1 + PM_BOX_OVERHEAD, plain),
		PM_E_LIMIT);
}
END_TEST

START_TEST(a_label_must_be_one)
{
	const uint8_t *public = pm_box_key_public(key);
	uint8_t box[PM_BOX_OVERHEAD], plain[1];
	char label[PM_BOX_LABEL_MAX + 2];

	memset(label, 'a', sizeof(label));
	label[PM_BOX_LABEL_MAX + 1] = 0;
	ck_pm(pm_box_seal(public, "", NULL, 0, NULL, 0, box), PM_E_ARG);
	ck_pm(pm_box_seal(public, label, NULL, 0, NULL, 0, box), PM_E_ARG);
	label[PM_BOX_LABEL_MAX] = 0;
	ck_pm(pm_box_seal(public, label, NULL, 0, NULL, 0, box), PM_OK);
	ck_pm(pm_box_open(key, label, NULL, 0, box, sizeof(box), plain), PM_OK);
	ck_pm(pm_box_open(key, "", NULL, 0, box, sizeof(box), plain), PM_E_ARG);
}
END_TEST

/* A key of small order, or with a coefficient out of range, is nobody's. */
START_TEST(seals_for_nobody)
{
	uint8_t public[PM_BOX_PUBLIC_SIZE], box[PM_BOX_OVERHEAD];

	pm_copy(public, pm_box_key_public(key), sizeof(public));
	memset(public + sizeof(public) - 32, 0, 32);
	ck_pm(pm_box_seal(public, LABEL, NULL, 0, NULL, 0, box), PM_E_REJECTED);
	memset(public, 0xff, 3);
	ck_pm(pm_box_seal(public, LABEL, NULL, 0, NULL, 0, box), PM_E_REJECTED);
}
END_TEST

START_TEST(refuses_an_encapsulation_of_small_order)
{
	uint8_t box[BOX_LEN], plain[PLAIN_LEN];

	seal(box);
	memset(box + PM_KEM_CIPHERTEXT_SIZE - 32, 0, 32);
	ck_pm(open_box(box, sizeof(box), plain), PM_E_REJECTED);
}
END_TEST

/* --- private keys ---------------------------------------------------------------------------- */

START_TEST(reads_and_writes_the_draft_s_key)
{
	pm_cleanup(pm_box_key) struct pm_box_key *draft = NULL;
	char pem[PM_BOX_PEM_SIZE], hex[2 * PM_BOX_ID_SIZE + 1];
	uint8_t id[PM_BOX_ID_SIZE];

	ck_pm(pm_box_key_parse(draft_key, sizeof(draft_key) - 1, NULL, &draft), PM_OK);
	ck_pm(pm_box_key_pem(draft, pem), PM_OK);
	ck_assert_str_eq(pem, draft_key);
	ck_pm(pm_box_public_id(pm_box_key_public(draft), id), PM_OK);
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	ck_assert_str_eq(hex, draft_id);
}
END_TEST

static void refuses_private(const void *text, size_t len, int want, const char *reason)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_box_key) struct pm_box_key *got = NULL;

	ck_pm(pm_box_key_parse(text, len, report, &got), want);
	ck_assert_ptr_null(got);
	ck_assert_str_eq(pm_report_reason(report), reason);
}

static void refuses_der(const uint8_t *der, size_t len, int want, const char *reason)
{
	char text[512], base64[256];

	ck_pm(pm_base64_encode(pm_view(der, len), base64, sizeof(base64)), PM_OK);
	snprintf(text, sizeof(text), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		base64);
	refuses_private(text, strlen(text), want, reason);
}

#define NO_PKCS8  "private key: found something else, expected PKCS#8 as PEM, not encrypted"
#define NO_X_WING "private key: found another kind, expected X-Wing"

START_TEST(refuses_what_is_no_private_key)
{
	static const char ed25519[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		"-----END PRIVATE KEY-----\n";
	static char long_text[PM_BOX_FILE_MAX + 1];

	refuses_private("", 0, PM_E_FORMAT, NO_PKCS8);
	refuses_private("x", 1, PM_E_FORMAT, NO_PKCS8);
	refuses_private(draft_key, sizeof(draft_key) / 2, PM_E_FORMAT, NO_PKCS8);
	refuses_private(ed25519, sizeof(ed25519) - 1, PM_E_UNSUPPORTED, NO_X_WING);
	refuses_private(long_text, sizeof(long_text), PM_E_LIMIT,
		"private key: found 16385, expected at most 16384 bytes");
}
END_TEST

START_TEST(refuses_malformed_pkcs8)
{
	uint8_t der[56];
	size_t len = 0;

	ck_pm(pm_base64_decode(
		      VIEW("MDQCAQAwDQYLKwYBBAGD5i2ByHoEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ"
			   "GhscHR4f"),
		      der, sizeof(der), &len),
		PM_OK);
	ck_assert_uint_eq(len, 54);
	for (size_t cut = 0; cut < len; cut++)
		refuses_der(der, cut, PM_E_FORMAT, NO_PKCS8);
	der[54] = 0;
	refuses_der(der, 55, PM_E_FORMAT, NO_PKCS8);
	der[4] = 1; /* a version with a public key behind, which there isn't */
	refuses_der(der, len, PM_E_FORMAT, NO_PKCS8);
	der[4] = 0;
	der[19] ^= 1; /* another object identifier */
	refuses_der(der, len, PM_E_UNSUPPORTED, NO_X_WING);
	der[19] ^= 1;
	der[21] = 31; /* a shorter seed, of an outer length that fits */
	der[1] = 51;
	refuses_der(der, len - 1, PM_E_FORMAT, NO_PKCS8);
}
END_TEST

/* --- public keys ----------------------------------------------------------------------------- */

static void refuses_public(const void *bytes, size_t len, int want, const char *found)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t public[PM_BOX_PUBLIC_SIZE] = {0};
	pm_cleanup(free) uint8_t *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	pm_copy(copy, bytes, len);
	ck_pm(pm_box_public_parse(copy, len, report, public), want);
	ck_assert(pm_is_zero(public, sizeof(public)));
	ck_assert_str_eq(pm_report_failure(report)->found, found);
}

static void reads_public(const void *bytes, size_t len)
{
	uint8_t public[PM_BOX_PUBLIC_SIZE];

	ck_pm(pm_box_public_parse(bytes, len, NULL, public), PM_OK);
	ck_assert(!memcmp(public, pm_box_key_public(key), sizeof(public)));
}

START_TEST(reads_public_keys_in_each_form)
{
	const uint8_t *public = pm_box_key_public(key);
	char pem[PM_BOX_PUBLIC_PEM_SIZE];
	uint8_t spki[PM_KEM_SPKI_SIZE];

	pm_kem_spki(public, spki);
	reads_public(public, PM_BOX_PUBLIC_SIZE);
	reads_public(spki, sizeof(spki));
	ck_pm(pm_box_public_pem(public, pem), PM_OK);
	ck_assert_uint_lt(strlen(pem), PM_BOX_PUBLIC_PEM_SIZE);
	reads_public(pem, strlen(pem));
}
END_TEST

START_TEST(refuses_what_is_no_public_key)
{
	static const char none[] = "something else";
	static uint8_t long_bytes[PM_BOX_FILE_MAX + 1];
	const uint8_t *public = pm_box_key_public(key);
	char pem[2 * PM_BOX_PUBLIC_PEM_SIZE];
	uint8_t spki[PM_KEM_SPKI_SIZE + 1] = {0};
	size_t len;

	pm_kem_spki(public, spki);
	refuses_public(NULL, 0, PM_E_FORMAT, none);
	refuses_public(spki, sizeof(spki), PM_E_FORMAT, none);
	for (len = 1; len < PM_KEM_SPKI_SIZE; len++) {
		if (len != PM_BOX_PUBLIC_SIZE)
			refuses_public(spki, len, PM_E_FORMAT, none);
	}
	refuses_public(public, PM_BOX_PUBLIC_SIZE - 1, PM_E_FORMAT, none);
	refuses_public(long_bytes, sizeof(long_bytes), PM_E_LIMIT, "16385");
	ck_pm(pm_box_public_pem(public, pem), PM_OK);
	len = strlen(pem);
	ck_pm(pm_box_public_pem(public, pem + len), PM_OK);
	refuses_public(pem, 2 * len, PM_E_FORMAT, none);
	spki[18] ^= 1; /* within the object identifier */
	refuses_public(spki, PM_KEM_SPKI_SIZE, PM_E_UNSUPPORTED, "another kind");
	spki[18] ^= 1;
	spki[23] = 1; /* bits that are not used */
	refuses_public(spki, PM_KEM_SPKI_SIZE, PM_E_FORMAT, none);
}
END_TEST

START_TEST(refuses_public_keys_that_nobody_has)
{
	uint8_t public[PM_BOX_PUBLIC_SIZE];

	pm_copy(public, pm_box_key_public(key), sizeof(public));
	memset(public, 0xff, 3);
	refuses_public(public, sizeof(public), PM_E_FORMAT, "something else");
	pm_copy(public, pm_box_key_public(key), sizeof(public));
	memset(public + sizeof(public) - 32, 0, 32);
	refuses_public(public, sizeof(public), PM_E_FORMAT, "something else");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("box");
	TCase *t = tcase_create("box");

	tcase_add_checked_fixture(t, make_keys, free_keys);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, opens_what_was_sealed);
	tcase_add_test(t, opens_a_box_made_elsewhere);
	tcase_add_test(t, no_two_boxes_are_alike);
	tcase_add_test(t, an_empty_box_is_one);
	tcase_add_test(t, each_byte_counts);
	tcase_add_test(t, refuses_other_keys_labels_and_data);
	tcase_add_test(t, refuses_boxes_of_other_lengths);
	tcase_add_test(t, lengths_have_a_limit);
	tcase_add_test(t, a_label_must_be_one);
	tcase_add_test(t, seals_for_nobody);
	tcase_add_test(t, refuses_an_encapsulation_of_small_order);
	tcase_add_test(t, reads_and_writes_the_draft_s_key);
	tcase_add_test(t, refuses_what_is_no_private_key);
	tcase_add_test(t, refuses_malformed_pkcs8);
	tcase_add_test(t, reads_public_keys_in_each_form);
	tcase_add_test(t, refuses_what_is_no_public_key);
	tcase_add_test(t, refuses_public_keys_that_nobody_has);
	suite_add_tcase(s, t);
	return test_main(s);
}
