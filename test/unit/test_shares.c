/* SPDX-License-Identifier: Apache-2.0 */
#include <libgfshare.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/shares.h>

#include "testing.h"

#define SIZE PM_SHARE_SIZE

static uint8_t secret[PM_SHARES_SECRET_SIZE];
static uint8_t shares[PM_SHARES_MAX * SIZE];

static void make_secret(void)
{
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(i * 7 + (i == 3 ? 0 : 1));
	memset(shares, 0, sizeof(shares));
}

/* --- failures of libgfshare ------------------------------------------------------------------ */

static bool no_memory;

gfshare_ctx *__real_gfshare_ctx_init_enc(
	unsigned char *numbers, unsigned int count, unsigned char threshold, unsigned int size);
gfshare_ctx *__wrap_gfshare_ctx_init_enc(
	unsigned char *numbers, unsigned int count, unsigned char threshold, unsigned int size);
gfshare_ctx *__real_gfshare_ctx_init_dec(
	unsigned char *numbers, unsigned int count, unsigned int size);
gfshare_ctx *__wrap_gfshare_ctx_init_dec(
	unsigned char *numbers, unsigned int count, unsigned int size);

gfshare_ctx *__wrap_gfshare_ctx_init_enc(
	unsigned char *numbers, unsigned int count, unsigned char threshold, unsigned int size)
{
	return no_memory ? NULL : __real_gfshare_ctx_init_enc(numbers, count, threshold, size);
}

gfshare_ctx *__wrap_gfshare_ctx_init_dec(
	unsigned char *numbers, unsigned int count, unsigned int size)
{
	return no_memory ? NULL : __real_gfshare_ctx_init_dec(numbers, count, size);
}

/* --- the field again, bit by bit ------------------------------------------------------------- */

/* Modulo x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
	unsigned int product = 0;

	for (int i = 7; i >= 0; i--) {
		product <<= 1;
		if (product & 0x100)
			product ^= 0x11d;
		if (b >> i & 1)
			product ^= a;
	}
	return (uint8_t)product;
}

/* a to the 254th. */
static uint8_t invert(uint8_t a)
{
	uint8_t r = 1;

	for (int i = 0; i < 254; i++)
		r = multiply(r, a);
	return r;
}

/* The value at x of the polynomial through count shares (Lagrange). */
static uint8_t value_at(uint8_t x, const uint8_t *from, size_t count, size_t byte)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t term = from[i * SIZE + 1 + byte];

		for (size_t j = 0; j < count; j++) {
			uint8_t xi = from[i * SIZE], xj = from[j * SIZE];

			if (j != i)
				term = multiply(term, multiply(x ^ xj, invert(xi ^ xj)));
		}
		sum ^= term;
	}
	return sum;
}

/* --- splitting ------------------------------------------------------------------------------- */

/* Each share, and the secret at 0, lies on the polynomials that the first threshold make. */
static void check_split(size_t threshold, size_t count)
{
	uint8_t at_zero[sizeof(secret)];

	ck_pm(pm_shares_split(secret, threshold, count, shares), PM_OK);
	for (size_t byte = 0; byte < sizeof(secret); byte++)
		at_zero[byte] = value_at(0, shares, threshold, byte);
	ck_assert(!memcmp(at_zero, secret, sizeof(secret)));
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(shares[i * SIZE], i + 1);
		for (size_t byte = 0; byte < sizeof(secret); byte++)
			ck_assert_uint_eq(value_at((uint8_t)(i + 1), shares, threshold, byte),
				shares[i * SIZE + 1 + byte]);
	}
}

START_TEST(splits_as_shamir_does)
{
	check_split(1, 1);
	check_split(1, 3);
	check_split(2, 3);
	check_split(3, 5);
	check_split(8, 8);
}
END_TEST

START_TEST(writes_its_shares_and_no_more)
{
	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_OK);
	ck_assert(pm_is_zero(shares + 3 * SIZE, sizeof(shares) - 3 * SIZE));
}
END_TEST

/* The coefficients are drawn anew each time, by libsodium, whatever hook was there. */
static void no_randomness(unsigned char *bytes, unsigned int n)
{
	memset(bytes, 0, n);
}

START_TEST(draws_its_coefficients)
{
	uint8_t again[3 * SIZE];

	gfshare_fill_rand = no_randomness;
	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_OK);
	gfshare_fill_rand = no_randomness;
	ck_pm(pm_shares_split(secret, 2, 3, again), PM_OK);
	ck_assert_ptr_ne(gfshare_fill_rand, no_randomness);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(memcmp(shares + i * SIZE + 1, secret, sizeof(secret)) != 0);
		ck_assert(memcmp(shares + i * SIZE + 1, again + i * SIZE + 1, SIZE - 1) != 0);
	}
}
END_TEST

/*
 * One share short of the threshold, each secret is as likely as the others: with the shares that
 * there are and any other secret there is a polynomial. So what comes out is another one, too.
 */
START_TEST(one_share_less_tells_nothing)
{
	uint8_t out[sizeof(secret)];

	ck_pm(pm_shares_split(secret, 3, 5, shares), PM_OK);
	ck_pm(pm_shares_combine(shares, 2, out), PM_OK);
	ck_assert(memcmp(out, secret, sizeof(out)) != 0);
}
END_TEST

START_TEST(a_threshold_must_be_one)
{
	ck_pm(pm_shares_split(secret, 0, 3, shares), PM_E_ARG);
	ck_pm(pm_shares_split(secret, 4, 3, shares), PM_E_ARG);
	ck_pm(pm_shares_split(secret, 0, 0, shares), PM_E_ARG);
	ck_pm(pm_shares_split(secret, 1, PM_SHARES_MAX + 1, shares), PM_E_ARG);
	ck_pm(pm_shares_split(secret, 257, 300, shares), PM_E_ARG);
	ck_assert(pm_is_zero(shares, sizeof(shares)));
	ck_pm(pm_shares_split(secret, PM_SHARES_MAX, PM_SHARES_MAX, shares), PM_OK);
}
END_TEST

/* --- combining ------------------------------------------------------------------------------- */

static void check_combine(const uint8_t *from, size_t count)
{
	uint8_t out[sizeof(secret)];

	ck_pm(pm_shares_combine(from, count, out), PM_OK);
	ck_assert(!memcmp(out, secret, sizeof(out)));
}

/* Any threshold of them, in any order, and more. */
START_TEST(combines_any_of_them)
{
	ck_pm(pm_shares_split(secret, 3, 5, shares), PM_OK);
	for (size_t a = 0; a < 5; a++) {
		for (size_t b = 0; b < 5; b++) {
			for (size_t c = 0; c < 5; c++) {
				uint8_t three[3 * SIZE];

				if (a == b || b == c || a == c)
					continue;
				memcpy(three, shares + a * SIZE, SIZE);
				memcpy(three + SIZE, shares + b * SIZE, SIZE);
				memcpy(three + (size_t)2 * SIZE, shares + c * SIZE, SIZE);
				check_combine(three, 3);
			}
		}
	}
	check_combine(shares, 4);
	check_combine(shares, 5);
}
END_TEST

START_TEST(combines_all_there_may_be)
{
	ck_pm(pm_shares_split(secret, PM_SHARES_MAX, PM_SHARES_MAX, shares), PM_OK);
	check_combine(shares, PM_SHARES_MAX);
	ck_pm(pm_shares_split(secret, 1, PM_SHARES_MAX, shares), PM_OK);
	check_combine(shares + (PM_SHARES_MAX - 1) * SIZE, 1);
}
END_TEST

/*
 * Made in Python, where polynomials of random coefficients were evaluated by long multiplication
 * modulo 0x11d: 3 of 5, the shares 5, 2, 255.
 */
START_TEST(combines_shares_made_elsewhere)
{
	struct pm_view
		five = test_hex(
			"0558e7d62ea125107c1f84414476c51cb1c39c4355073be44d7419436948afea2b"),
		two = test_hex(
			"0264f9ed1ba2be617f199ba09cfe5af2318b6f46dc23e6d96600d40c0754b4b05e"),
		last = test_hex(
			"ff375218d1d1440cf133d95674a61e5c5059bee7cbfe46c209cd2496ffc2ed2d2e");
	uint8_t three[3 * SIZE];

	ck_assert(five.len == SIZE && two.len == SIZE && last.len == SIZE);
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(0xa0 + i);
	memcpy(three, five.ptr, SIZE);
	memcpy(three + SIZE, two.ptr, SIZE);
	memcpy(three + (size_t)2 * SIZE, last.ptr, SIZE);
	check_combine(three, 3);
	test_free(five);
	test_free(two);
	test_free(last);
}
END_TEST

/* No checksum: whoever combines has a commitment to compare with. */
START_TEST(a_wrong_share_gives_a_wrong_secret)
{
	uint8_t out[sizeof(secret)];

	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_OK);
	for (size_t i = 0; i < 2 * SIZE; i++) {
		if (i % SIZE == 0)
			continue;
		shares[i] ^= 1;
		ck_pm(pm_shares_combine(shares, 2, out), PM_OK);
		ck_assert(memcmp(out, secret, sizeof(out)) != 0);
		shares[i] ^= 1;
	}
	shares[0] = 77;
	ck_pm(pm_shares_combine(shares, 2, out), PM_OK);
	ck_assert(memcmp(out, secret, sizeof(out)) != 0);
}
END_TEST

START_TEST(refuses_what_are_no_shares)
{
	uint8_t out[sizeof(secret)] = {0};

	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_OK);
	ck_pm(pm_shares_combine(shares, 0, out), PM_E_ARG);
	ck_pm(pm_shares_combine(shares, PM_SHARES_MAX + 1, out), PM_E_LIMIT);
	ck_pm(pm_shares_combine(shares, SIZE_MAX, out), PM_E_LIMIT);
	shares[SIZE] = 1;
	ck_pm(pm_shares_combine(shares, 2, out), PM_E_FORMAT);
	shares[SIZE] = 0;
	ck_pm(pm_shares_combine(shares, 2, out), PM_E_FORMAT);
	ck_assert(pm_is_zero(out, sizeof(out)));
}
END_TEST

START_TEST(without_memory)
{
	uint8_t out[sizeof(secret)];

	no_memory = true;
	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_E_NOMEM);
	ck_assert(pm_is_zero(shares, sizeof(shares)));
	no_memory = false;
	ck_pm(pm_shares_split(secret, 2, 3, shares), PM_OK);
	no_memory = true;
	ck_pm(pm_shares_combine(shares, 2, out), PM_E_NOMEM);
	no_memory = false;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shares");
	TCase *t = tcase_create("shares");

	tcase_add_checked_fixture(t, make_secret, NULL);
	tcase_add_test(t, splits_as_shamir_does);
	tcase_add_test(t, writes_its_shares_and_no_more);
	tcase_add_test(t, draws_its_coefficients);
	tcase_add_test(t, one_share_less_tells_nothing);
	tcase_add_test(t, a_threshold_must_be_one);
	tcase_add_test(t, combines_any_of_them);
	tcase_add_test(t, combines_all_there_may_be);
	tcase_add_test(t, combines_shares_made_elsewhere);
	tcase_add_test(t, a_wrong_share_gives_a_wrong_secret);
	tcase_add_test(t, refuses_what_are_no_shares);
	tcase_add_test(t, without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
