/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "mesh/seal.h"
#include "testing.h"

#define LABEL	  "a label"
#define PLACE	  "place/1"
#define PLACE_LEN (sizeof(PLACE) - 1)
#define PLAIN	  "what is inside"
#define PLAIN_LEN (sizeof(PLAIN) - 1)
#define EPOCH	  7

#define SEALED_LEN (PLAIN_LEN + PM_SEAL_OVERHEAD)

/* Version and epoch stand before the rest: other answers are given for them. */
#define EPOCH_AT 1
#define SALT_AT	 5

static const uint8_t secret[PM_SEAL_SECRET_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static struct pm_seal_key *key;

static void make_key(void)
{
	ck_pm(pm_seal_key_new(secret, LABEL, EPOCH, &key), PM_OK);
}

static void free_key(void)
{
	pm_seal_key_free(key);
}

static void seal(uint8_t *ret_sealed)
{
	ck_pm(pm_seal(key, PLACE, PLACE_LEN, PLAIN, PLAIN_LEN, ret_sealed), PM_OK);
}

/* Opens the value from memory of its very size, so that a sanitizer sees a read beyond it. */
static int open_value(const uint8_t *sealed, size_t len, uint8_t *ret_plain)
{
	pm_cleanup(free) uint8_t *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	pm_copy(copy, sealed, len);
	return pm_seal_open(key, PLACE, PLACE_LEN, copy, len, ret_plain);
}

START_TEST(opens_what_was_sealed)
{
	uint8_t sealed[SEALED_LEN], plain[PLAIN_LEN];
	uint32_t epoch = 0;

	seal(sealed);
	ck_pm(open_value(sealed, sizeof(sealed), plain), PM_OK);
	ck_assert(pm_view_equal(pm_view(plain, sizeof(plain)), VIEW(PLAIN)));
	ck_assert_ptr_null(memmem(sealed, sizeof(sealed), PLAIN, PLAIN_LEN));
	ck_pm(pm_seal_epoch(sealed, sizeof(sealed), &epoch), PM_OK);
	ck_assert_uint_eq(epoch, EPOCH);
}
END_TEST

/* The value was made in Python, by HKDF and AES-GCM of its cryptography module. */
START_TEST(seals_as_others_do)
{
	struct pm_view want = test_hex(
		"0100000007808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		"afec79d59fb35800b75f04d8932b52856058d53ffe99151cc3e54e5b43cf");
	uint8_t salt[PM_SEAL_SALT_SIZE], sealed[SEALED_LEN], plain[PLAIN_LEN];

	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)(0x80 + i);
	ck_pm(pm_seal_with(key, salt, VIEW(PLACE), VIEW(PLAIN), sealed), PM_OK);
	ck_assert(pm_view_equal(pm_view(sealed, sizeof(sealed)), want));
	ck_pm(open_value(want.ptr, want.len, plain), PM_OK);
	ck_assert(pm_view_equal(pm_view(plain, sizeof(plain)), VIEW(PLAIN)));
	test_free(want);
}
END_TEST

START_TEST(no_two_values_are_alike)
{
	uint8_t a[SEALED_LEN], b[SEALED_LEN];

	seal(a);
	seal(b);
	ck_assert(memcmp(a + SALT_AT, b + SALT_AT, PM_SEAL_SALT_SIZE) != 0);
	ck_assert(memcmp(a + SALT_AT + PM_SEAL_SALT_SIZE, b + SALT_AT + PM_SEAL_SALT_SIZE,
			  PLAIN_LEN) != 0);
}
END_TEST

START_TEST(an_empty_value_is_one)
{
	uint8_t sealed[PM_SEAL_OVERHEAD], plain[1] = {7};

	ck_pm(pm_seal(key, NULL, 0, NULL, 0, sealed), PM_OK);
	ck_pm(pm_seal_open(key, NULL, 0, sealed, sizeof(sealed), plain), PM_OK);
	ck_assert_uint_eq(plain[0], 7);
	ck_pm(pm_seal_open(key, PLACE, 1, sealed, sizeof(sealed), plain), PM_E_REJECTED);
}
END_TEST

static int want_at(size_t byte)
{
	if (byte < EPOCH_AT)
		return PM_E_UNSUPPORTED;
	return byte < SALT_AT ? PM_E_MISSING : PM_E_REJECTED;
}

START_TEST(each_byte_counts)
{
	uint8_t sealed[SEALED_LEN], plain[PLAIN_LEN];

	seal(sealed);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		memset(plain, 0, sizeof(plain));
		sealed[i] ^= 1;
		ck_pm(open_value(sealed, sizeof(sealed), plain), want_at(i));
		ck_assert_ptr_null(memmem(plain, sizeof(plain), PLAIN, 4));
		sealed[i] ^= 1;
	}
	ck_pm(open_value(sealed, sizeof(sealed), plain), PM_OK);
}
END_TEST

static void refuses_key_of(const uint8_t *from, const char *label, uint32_t epoch, int want)
{
	pm_cleanup(pm_seal_key) struct pm_seal_key *other = NULL;
	uint8_t sealed[SEALED_LEN], plain[PLAIN_LEN];

	seal(sealed);
	ck_pm(pm_seal_key_new(from, label, epoch, &other), PM_OK);
	ck_pm(pm_seal_open(other, PLACE, PLACE_LEN, sealed, sizeof(sealed), plain), want);
	sealed[EPOCH_AT + 3] = (uint8_t)epoch; /* whoever says so does not make it so */
	if (want == PM_E_MISSING)
		ck_pm(pm_seal_open(other, PLACE, PLACE_LEN, sealed, sizeof(sealed), plain),
			PM_E_REJECTED);
}

START_TEST(refuses_other_secrets_labels_and_epochs)
{
	uint8_t other[sizeof(secret)];

	pm_copy(other, secret, sizeof(other));
	other[31] ^= 1;
	refuses_key_of(other, LABEL, EPOCH, PM_E_REJECTED);
	refuses_key_of(secret, "a labels", EPOCH, PM_E_REJECTED);
	refuses_key_of(secret, "a labe", EPOCH, PM_E_REJECTED);
	refuses_key_of(secret, LABEL, EPOCH + 1, PM_E_MISSING);
	refuses_key_of(secret, LABEL, 0, PM_E_MISSING);
}
END_TEST

/* A value that was moved to another place of the store is refused there. */
START_TEST(refuses_other_places)
{
	uint8_t sealed[SEALED_LEN], plain[PLAIN_LEN];

	seal(sealed);
	ck_pm(pm_seal_open(key, "place/2", PLACE_LEN, sealed, sizeof(sealed), plain),
		PM_E_REJECTED);
	ck_pm(pm_seal_open(key, PLACE, PLACE_LEN - 1, sealed, sizeof(sealed), plain),
		PM_E_REJECTED);
	ck_pm(pm_seal_open(key, NULL, 0, sealed, sizeof(sealed), plain), PM_E_REJECTED);
}
END_TEST

START_TEST(refuses_values_of_other_lengths)
{
	uint8_t sealed[SEALED_LEN + 1], plain[PLAIN_LEN + 1];
	uint32_t epoch;

	seal(sealed);
	sealed[SEALED_LEN] = 0;
	ck_pm(open_value(sealed, sizeof(sealed), plain), PM_E_REJECTED);
	for (size_t len = 0; len < SEALED_LEN; len++)
		ck_pm(open_value(sealed, len, plain),
			len < PM_SEAL_OVERHEAD ? PM_E_FORMAT : PM_E_REJECTED);
	ck_pm(pm_seal_epoch(sealed, PM_SEAL_OVERHEAD - 1, &epoch), PM_E_FORMAT);
	sealed[0] = 2;
	ck_pm(pm_seal_epoch(sealed, PM_SEAL_OVERHEAD, &epoch), PM_E_UNSUPPORTED);
}
END_TEST

START_TEST(lengths_have_a_limit)
{
	pm_cleanup(free) uint8_t *plain = pm_alloc(PM_SEAL_PLAIN_MAX + 1);
	pm_cleanup(free) uint8_t *sealed = pm_alloc(PM_SEAL_PLAIN_MAX + 1 + PM_SEAL_OVERHEAD);
	const size_t context = PM_SEAL_CONTEXT_MAX;

	ck_assert(plain && sealed);
	ck_pm(pm_seal(key, plain, context + 1, plain, 1, sealed), PM_E_LIMIT);
	ck_pm(pm_seal(key, NULL, 0, plain, PM_SEAL_PLAIN_MAX + 1, sealed), PM_E_LIMIT);
	ck_pm(pm_seal(key, NULL, 0, plain, SIZE_MAX, sealed), PM_E_LIMIT);
	ck_pm(pm_seal(key, plain, context, plain, PM_SEAL_PLAIN_MAX, sealed), PM_OK);
	ck_pm(pm_seal_open(key, plain, context + 1, sealed, PM_SEAL_OVERHEAD, plain), PM_E_LIMIT);
	ck_pm(pm_seal_open(key, NULL, 0, sealed, PM_SEAL_PLAIN_MAX + 1 + PM_SEAL_OVERHEAD, plain),
		PM_E_LIMIT);
	ck_pm(pm_seal_open(
		      key, plain, context, sealed, PM_SEAL_PLAIN_MAX + PM_SEAL_OVERHEAD, plain),
		PM_OK);
}
END_TEST

START_TEST(a_label_must_be_one)
{
	pm_cleanup(pm_seal_key) struct pm_seal_key *got = NULL;
	char label[PM_SEAL_LABEL_MAX + 2];

	memset(label, 'a', sizeof(label));
	label[PM_SEAL_LABEL_MAX + 1] = 0;
	ck_pm(pm_seal_key_new(secret, "", EPOCH, &got), PM_E_ARG);
	ck_pm(pm_seal_key_new(secret, label, EPOCH, &got), PM_E_ARG);
	ck_assert_ptr_null(got);
	label[PM_SEAL_LABEL_MAX] = 0;
	ck_pm(pm_seal_key_new(secret, label, EPOCH, &got), PM_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("seal");
	TCase *t = tcase_create("seal");

	tcase_add_checked_fixture(t, make_key, free_key);
	tcase_add_test(t, opens_what_was_sealed);
	tcase_add_test(t, seals_as_others_do);
	tcase_add_test(t, no_two_values_are_alike);
	tcase_add_test(t, an_empty_value_is_one);
	tcase_add_test(t, each_byte_counts);
	tcase_add_test(t, refuses_other_secrets_labels_and_epochs);
	tcase_add_test(t, refuses_other_places);
	tcase_add_test(t, refuses_values_of_other_lengths);
	tcase_add_test(t, lengths_have_a_limit);
	tcase_add_test(t, a_label_must_be_one);
	suite_add_tcase(s, t);
	return test_main(s);
}
