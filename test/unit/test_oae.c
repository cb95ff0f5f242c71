/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "envelope/oae.h"
#include "jsonl.h"
#include "testing.h"

static const uint8_t secret[PM_OAE_SECRET_SIZE] = {1, 2, 3};
static const uint8_t header_q[PM_OAE_HEADER_SIZE] = {4, 5};
static const uint8_t header_p[PM_OAE_HEADER_SIZE] = {6, 7};

static struct pm_nonces *nonces;

static void make_nonces(void)
{
	ck_pm(pm_nonces_new(&nonces), PM_OK);
}

static void free_nonces(void)
{
	pm_nonces_free(nonces);
}

static void begin(struct pm_oae *oae, const uint8_t *q, const uint8_t *p)
{
	ck_pm(pm_oae_request(oae, secret, q), PM_OK);
	ck_pm(pm_oae_response(oae, p), PM_OK);
}

/* --- vectors --------------------------------------------------------------------------------- */

static size_t row_count;

/* Calls the function with each row of a file of vectors, and counts on their number. */
static void check_rows(const char *path, void (*use)(const json_t *row), size_t want)
{
	row_count = 0;
	jsonl_each(path, use);
	ck_assert_uint_eq(row_count, want);
}

/* One stream's messages: they open, and sealing with the same nonces gives the same bytes. */
static void use_messages(
	const json_t *list, struct pm_oae_stream *opener, struct pm_oae_stream *sealer)
{
	uint8_t out[1024];
	bool final = false;
	size_t i;
	json_t *row;

	json_array_foreach(list, i, row)
	{
		struct pm_view sealed = jsonl_hex(row, "sealed"),
			       plain = jsonl_hex(row, "plaintext_hex");
		bool want = json_is_true(json_object_get(row, "final"));

		ck_assert_uint_le(sealed.len, sizeof(out));
		ck_pm(pm_oae_open(opener, sealed, out, &final), PM_OK);
		ck_assert(pm_view_equal(pm_view(out, sealed.len - PM_OAE_OVERHEAD), plain));
		ck_assert_int_eq(final, want);
		ck_pm(pm_oae_seal_with(sealer, sealed.ptr + 1, want, plain, out), PM_OK);
		ck_assert(pm_view_equal(pm_view(out, plain.len + PM_OAE_OVERHEAD), sealed));
		test_free(sealed);
		test_free(plain);
	}
	ck_assert_uint_ge(i, 5);
	ck_pm(pm_oae_finish(opener), PM_OK);
}

static void use_exchange(const json_t *row)
{
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0};
	struct pm_view key = jsonl_hex(row, "secret"), q = jsonl_hex(row, "request_header"),
		       p = jsonl_hex(row, "response_header");

	ck_pm(pm_oae_request(&a, key.ptr, q.ptr), PM_OK);
	ck_pm(pm_oae_request(&b, key.ptr, q.ptr), PM_OK);
	ck_pm(pm_oae_response(&a, p.ptr), PM_OK);
	ck_pm(pm_oae_response(&b, p.ptr), PM_OK);
	use_messages(json_object_get(row, "request"), &b.request, &a.request);
	use_messages(json_object_get(row, "response"), &a.response, &b.response);
	test_free(key);
	test_free(q);
	test_free(p);
	row_count++;
}

START_TEST(exchanges_of_the_reference)
{
	if (test_has_vectors())
		check_rows("privatemode/oae.jsonl", use_exchange, 3);
}
END_TEST

static void use_keys(const json_t *row)
{
	pm_cleanup(oae) struct pm_oae a = {0};
	struct pm_view key = jsonl_hex(row, "secret"), q = jsonl_hex(row, "request_header"),
		       prk = jsonl_hex(row, "exchange_prk");

	ck_pm(pm_oae_request(&a, key.ptr, q.ptr), PM_OK);
	ck_assert(pm_view_equal(pm_view(a.prk, PM_SHA256_SIZE), prk));
	test_free(key);
	test_free(q);
	test_free(prk);
	row_count++;
}

START_TEST(keys_of_the_reference)
{
	if (test_has_vectors())
		check_rows("privatemode/oae_keys.jsonl", use_keys, 3);
}
END_TEST

static int error_named(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} rows[] = {
		{"ErrMessageAuthFailed", PM_E_REJECTED},
		{"ErrMalformedSealedMessage", PM_E_FORMAT},
		{"ErrStreamTruncated on Finish", PM_E_MISSING},
		{"ErrStreamClosed", PM_E_STATE},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		if (strcmp(name, rows[i].name) == 0)
			return rows[i].error;
	}
	ck_abort_msg("no error for %s", name);
}

/* All messages but the last open, unless the error came before and stays. */
static int open_all(const json_t *list, struct pm_oae_stream *stream)
{
	uint8_t out[1024];
	bool final;
	size_t i;
	json_t *item;
	int r = PM_OK;

	json_array_foreach(list, i, item)
	{
		struct pm_view sealed = test_hex(json_string_value(item));

		r = pm_oae_open(stream, sealed, out, &final);
		test_free(sealed);
	}
	return r < 0 ? r : pm_oae_finish(stream);
}

static void use_negative(const json_t *row)
{
	pm_cleanup(oae) struct pm_oae a = {0};
	const char *name = jsonl_text(row, "name");
	struct pm_view key = jsonl_hex(row, "secret"), q = jsonl_hex(row, "request_header");
	int want = error_named(jsonl_text(row, "expected")), r;

	ck_pm(pm_oae_request(&a, key.ptr, q.ptr), PM_OK);
	r = open_all(json_object_get(row, "sealed"), &a.request);
	ck_assert_msg(r == want, "%s: got %d, want %d", name, r, want);
	ck_pm(pm_oae_finish(&a.request), want);
	test_free(key);
	test_free(q);
	row_count++;
}

START_TEST(defects_of_the_reference)
{
	if (test_has_vectors())
		check_rows("privatemode/oae_negative.jsonl", use_negative, 13);
}
END_TEST

/* --- own ------------------------------------------------------------------------------------- */

START_TEST(any_size_comes_back)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 255, 4096, (1 << 20) + 1};
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0};

	begin(&a, header_q, header_p);
	begin(&b, header_q, header_p);
	for (size_t i = 0; i < PM_ARRAY_LEN(sizes); i++) {
		size_t n = sizes[i];
		uint8_t *plain = malloc(n + 1), *sealed = malloc(n + PM_OAE_OVERHEAD);
		bool final = true;

		pm_random(plain, n);
		ck_pm(pm_oae_seal(&a.request, nonces, false, pm_view(plain, n), sealed), PM_OK);
		/* in place */
		ck_pm(pm_oae_open(&b.request, pm_view(sealed, n + PM_OAE_OVERHEAD),
			      sealed + PM_OAE_PREFIX_SIZE, &final),
			PM_OK);
		ck_assert(
			pm_view_equal(pm_view(sealed + PM_OAE_PREFIX_SIZE, n), pm_view(plain, n)));
		ck_assert(!final);
		free(plain);
		free(sealed);
	}
}
END_TEST

START_TEST(sealing_in_place)
{
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0};
	uint8_t m[5 + PM_OAE_OVERHEAD], out[5];
	bool final = false;

	begin(&a, header_q, header_p);
	begin(&b, header_q, header_p);
	pm_copy(m + PM_OAE_PREFIX_SIZE, "hello", 5);
	ck_pm(pm_oae_seal(&a.response, nonces, true, pm_view(m + PM_OAE_PREFIX_SIZE, 5), m), PM_OK);
	ck_pm(pm_oae_open(&b.response, pm_view(m, sizeof(m)), out, &final), PM_OK);
	ck_assert(final && pm_view_equal(pm_view(out, 5), VIEW("hello")));
}
END_TEST

/* Each bit of a message counts. */
START_TEST(each_bit_counts)
{
	uint8_t m[4 + PM_OAE_OVERHEAD], out[4];
	bool final;

	for (size_t bit = 0; bit < 8 * sizeof(m); bit++) {
		pm_cleanup(oae) struct pm_oae a = {0}, b = {0};
		int want = bit > 0 && bit < 8 ? PM_E_FORMAT : PM_E_REJECTED;

		begin(&a, header_q, header_p);
		begin(&b, header_q, header_p);
		ck_pm(pm_oae_seal(&a.request, nonces, false, VIEW("data"), m), PM_OK);
		m[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_pm(pm_oae_open(&b.request, pm_view(m, sizeof(m)), out, &final), want);
	}
}
END_TEST

/* A message opens in its exchange, direction and place, and nowhere else. */
START_TEST(nowhere_else)
{
	static const uint8_t other[32] = {9};
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0}, c = {0}, d = {0};
	uint8_t m0[1 + PM_OAE_OVERHEAD], m1[1 + PM_OAE_OVERHEAD], out[1];
	bool final;

	begin(&a, header_q, header_p);
	begin(&b, header_q, header_p);
	begin(&c, other, header_p);
	begin(&d, header_q, other);
	ck_pm(pm_oae_seal(&a.response, nonces, false, VIEW("0"), m0), PM_OK);
	ck_pm(pm_oae_seal(&a.response, nonces, false, VIEW("1"), m1), PM_OK);
	ck_pm(pm_oae_open(&b.request, pm_view(m0, sizeof(m0)), out, &final), PM_E_REJECTED);
	ck_pm(pm_oae_open(&c.response, pm_view(m0, sizeof(m0)), out, &final), PM_E_REJECTED);
	ck_pm(pm_oae_open(&d.response, pm_view(m0, sizeof(m0)), out, &final), PM_E_REJECTED);
	ck_pm(pm_oae_open(&b.response, pm_view(m1, sizeof(m1)), out, &final), PM_E_REJECTED);
	/* and the error stays, though this one is right */
	ck_pm(pm_oae_open(&b.response, pm_view(m0, sizeof(m0)), out, &final), PM_E_REJECTED);
	ck_pm(pm_oae_finish(&b.response), PM_E_REJECTED);
}
END_TEST

START_TEST(nothing_after_the_end)
{
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0};
	uint8_t m[PM_OAE_OVERHEAD];
	bool final;

	begin(&a, header_q, header_p);
	begin(&b, header_q, header_p);
	ck_pm(pm_oae_seal(&a.request, nonces, true, VIEW(""), m), PM_OK);
	ck_pm(pm_oae_seal(&a.request, nonces, true, VIEW(""), m), PM_E_STATE);
	ck_pm(pm_oae_open(&b.request, pm_view(m, sizeof(m)), m, &final), PM_OK);
	ck_pm(pm_oae_finish(&b.request), PM_OK);
	ck_pm(pm_oae_finish(&b.request), PM_OK);
	ck_pm(pm_oae_open(&b.request, pm_view(m, sizeof(m)), m, &final), PM_E_STATE);
	ck_pm(pm_oae_finish(&b.request), PM_E_STATE);
}
END_TEST

START_TEST(cut_short)
{
	pm_cleanup(oae) struct pm_oae a = {0};
	uint8_t m[PM_OAE_OVERHEAD];
	bool final;

	begin(&a, header_q, header_p);
	ck_pm(pm_oae_finish(&a.request), PM_E_MISSING);
	ck_pm(pm_oae_finish(&a.request), PM_E_MISSING);
	ck_pm(pm_oae_open(&a.request, pm_view(m, sizeof(m)), m, &final), PM_E_MISSING);
}
END_TEST

START_TEST(states)
{
	pm_cleanup(oae) struct pm_oae a = {0};
	uint8_t m[PM_OAE_OVERHEAD];

	ck_pm(pm_oae_response(&a, header_p), PM_E_STATE);
	ck_pm(pm_oae_request(&a, secret, header_q), PM_OK);
	ck_pm(pm_oae_request(&a, secret, header_q), PM_E_STATE);
	ck_pm(pm_oae_seal(&a.response, nonces, false, VIEW(""), m), PM_E_STATE);
	ck_pm(pm_oae_response(&a, header_p), PM_OK);
	ck_pm(pm_oae_response(&a, header_p), PM_E_STATE);
}
END_TEST

static bool is_wiped(const struct pm_oae *oae, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (oae->memory.ptr[i])
			return false;
	return true;
}

/* Each key is wiped as soon as it is not needed any more, though its memory stays. */
START_TEST(keys_are_wiped)
{
	size_t aead = offsetof(struct pm_oae_memory, response);
	size_t prk = offsetof(struct pm_oae_memory, prk);
	size_t own = offsetof(struct pm_oae_memory, secret);
	pm_cleanup(oae) struct pm_oae a = {0};
	uint8_t m[PM_OAE_OVERHEAD], *place = NULL, *again;

	ck_pm(pm_oae_begin(&a, &place), PM_OK);
	ck_pm(pm_oae_begin(&a, &again), PM_E_STATE);
	ck_assert_ptr_eq(place, a.memory.ptr + own);
	pm_copy(place, secret, PM_OAE_SECRET_SIZE);
	ck_pm(pm_oae_request(&a, place, header_q), PM_OK);
	ck_assert(is_wiped(&a, own, a.memory.len));
	ck_assert(!is_wiped(&a, prk, own));
	ck_pm(pm_oae_response(&a, header_p), PM_OK);
	ck_assert(is_wiped(&a, prk, own));
	ck_assert(!is_wiped(&a, 0, aead));
	ck_pm(pm_oae_seal(&a.request, nonces, true, VIEW(""), m), PM_OK);
	ck_assert(is_wiped(&a, 0, aead));
	ck_assert(!is_wiped(&a, aead, prk));
	ck_pm(pm_oae_seal(&a.response, nonces, true, VIEW(""), m), PM_OK);
	ck_assert(is_wiped(&a, 0, a.memory.len));
}
END_TEST

/* The counter would wrap: the stream ends instead. */
START_TEST(message_limit)
{
	pm_cleanup(oae) struct pm_oae a = {0}, b = {0};
	uint8_t m[PM_OAE_OVERHEAD];
	bool final;

	begin(&a, header_q, header_p);
	begin(&b, header_q, header_p);
	a.request.seq = b.request.seq = PM_OAE_MESSAGES_MAX - 1;
	ck_pm(pm_oae_seal(&a.request, nonces, false, VIEW(""), m), PM_OK);
	ck_pm(pm_oae_seal(&a.request, nonces, false, VIEW(""), m), PM_E_LIMIT);
	ck_pm(pm_oae_open(&b.request, pm_view(m, sizeof(m)), m, &final), PM_OK);
	ck_pm(pm_oae_open(&b.request, pm_view(m, sizeof(m)), m, &final), PM_E_LIMIT);
	ck_pm(pm_oae_seal(&a.request, nonces, true, VIEW(""), m), PM_E_LIMIT);
}
END_TEST

static int compare_nonces(const void *a, const void *b)
{
	return memcmp(a, b, PM_AEAD_NONCE_SIZE);
}

START_TEST(nonces_are_unique)
{
	enum { COUNT = 20000 };
	pm_cleanup(oae) struct pm_oae a = {0};
	uint8_t(*seen)[PM_AEAD_NONCE_SIZE] = calloc(COUNT, sizeof(*seen));
	uint8_t m[PM_OAE_OVERHEAD];

	begin(&a, header_q, header_p);
	for (size_t i = 0; i < COUNT; i++) {
		ck_pm(pm_oae_seal(&a.request, nonces, false, VIEW(""), m), PM_OK);
		pm_copy(seen[i], m + 1, PM_AEAD_NONCE_SIZE);
	}
	qsort(seen, COUNT, sizeof(*seen), compare_nonces);
	for (size_t i = 1; i < COUNT; i++)
		ck_assert_int_ne(compare_nonces(seen[i - 1], seen[i]), 0);
	free(seen);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oae");
	TCase *t = tcase_create("oae");

	tcase_add_checked_fixture(t, make_nonces, free_nonces);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, exchanges_of_the_reference);
	tcase_add_test(t, keys_of_the_reference);
	tcase_add_test(t, defects_of_the_reference);
	tcase_add_test(t, any_size_comes_back);
	tcase_add_test(t, sealing_in_place);
	tcase_add_test(t, each_bit_counts);
	tcase_add_test(t, nowhere_else);
	tcase_add_test(t, nothing_after_the_end);
	tcase_add_test(t, cut_short);
	tcase_add_test(t, states);
	tcase_add_test(t, keys_are_wiped);
	tcase_add_test(t, message_limit);
	tcase_add_test(t, nonces_are_unique);
	suite_add_tcase(s, t);
	return test_main(s);
}
