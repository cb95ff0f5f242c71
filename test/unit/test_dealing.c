/* SPDX-License-Identifier: Apache-2.0 */
/* To whom a coordinator deals shares of its seed, and when it deals them anew. */
#include <stdlib.h>
#include <string.h>

#include <pm/coordinator.h>
#include <pm/text.h>

#include "base/mem.h"
#include "manifest_doc.h"
#include "pm-coordinator/tenure.h"
#include "testing.h"

#define NOW	INT64_C(1780000000)
#define HOLDERS 4

static struct pm_box_key *keys[HOLDERS];
static const char *const names[HOLDERS] = {"dave", "erin", "frank", "grace"};
static struct pm_seed *seed;

/* Whose numbers, up to -1; and how many of their shares give the seed. */
struct holders {
	int who[HOLDERS + 1];
	int threshold;
};

static json_t *holder(int i)
{
	char text[PM_BOX_PUBLIC_SIZE * 2];

	ck_pm(pm_text_base64_encode(
		      pm_box_key_public(keys[i]), PM_BOX_PUBLIC_SIZE, text, sizeof(text)),
		PM_OK);
	return json_pack("{s:s, s:s}", "name", names[i], "key", text);
}

static json_t *holders_json(const struct holders *h)
{
	json_t *list;

	if (!h)
		return json_null();
	list = json_array();
	for (int i = 0; h->who[i] >= 0; i++)
		json_array_append_new(list, holder(h->who[i]));
	return json_pack("{s:i, s:o}", "threshold", h->threshold, "keys", list);
}

/* The tenure of a manifest with these holders, or none (NULL), behind another one, or none. */
static struct tenure *plan(const struct tenure *before, const struct holders *h)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	char hex[2 * PM_MANIFEST_HASH_SIZE + 1];
	struct tenure_plan what = {.before = before, .seed = seed, .now = NOW};
	struct tenure *t = NULL;
	struct pm_view text;

	doc_set(base, "serial", json_integer(before ? (json_int_t)before->head->at.serial + 1 : 1));
	doc_set(base, "previous", json_null());
	if (before) {
		pm_hex_encode(before->head->manifest, sizeof(before->head->manifest), hex);
		doc_set(base, "previous", json_string(hex));
	}
	doc_set(base, "seed_share_owners", holders_json(h));
	text = doc_text(base, 0);
	json_decref(table);
	what.bytes = text.ptr;
	what.len = text.len;
	ck_pm(tenure_plan(&what, NULL, &t), PM_OK);
	test_free(text);
	return t;
}

static void setup(void)
{
	for (size_t i = 0; i < HOLDERS; i++)
		ck_pm(pm_box_key_new(&keys[i]), PM_OK);
	ck_pm(pm_seed_new(&seed), PM_OK);
}

static void teardown(void)
{
	for (size_t i = 0; i < HOLDERS; i++)
		pm_box_key_free(keys[i]);
	pm_seed_free(seed);
}

static int open_share(const struct tenure *t, size_t place, int who, uint8_t *ret)
{
	const struct head *head = t->head;

	return pm_box_open(keys[who], PM_COORDINATOR_SHARE_LABEL, head->commitment,
		sizeof(head->commitment), head->shares[place].box, HEAD_BOX_SIZE, ret);
}

/* Do the first two shares of these tenures, of these holders, give the seed? */
static bool gives_seed(const struct tenure *a, int who_a, const struct tenure *b, int who_b)
{
	uint8_t shares[2 * PM_SHARE_SIZE], found[PM_SHARES_SECRET_SIZE];

	ck_pm(open_share(a, 0, who_a, shares), PM_OK);
	ck_pm(open_share(b, 1, who_b, shares + PM_SHARE_SIZE), PM_OK);
	ck_pm(pm_shares_combine(shares, 2, found), PM_OK);
	return memcmp(found, pm_seed_bytes(seed), sizeof(found)) == 0;
}

static const struct holders three = {{0, 1, 2, -1}, 2}, others = {{3, 1, 2, -1}, 2},
			    more_needed = {{0, 1, 2, -1}, 3}, fewer = {{0, 1, -1}, 2};

static void is_kept(const struct tenure *before, const struct tenure *t)
{
	ck_assert_uint_eq(t->head->dealt, before->head->dealt);
	ck_assert_uint_eq(t->head->share_count, before->head->share_count);
	ck_assert_mem_eq(t->head->shares, before->head->shares, sizeof(t->head->shares));
}

/* What holders keep stays good as long as they are the same. */
START_TEST(the_same_holders_keep_theirs)
{
	struct tenure *one = plan(NULL, &three), *two = plan(one, &three);

	ck_assert_uint_eq(one->head->dealt, 1);
	ck_assert_uint_eq(one->head->share_count, 3);
	ck_assert(gives_seed(one, 0, one, 1));
	is_kept(one, two);
	tenure_free(one);
	tenure_free(two);
}
END_TEST

static void is_dealt_anew(const struct holders *now)
{
	uint8_t share[PM_SHARE_SIZE];
	struct tenure *one = plan(NULL, &three), *two = plan(one, now), *next = plan(two, now);
	size_t count = 0;

	ck_assert_uint_eq(two->head->dealt, 2);
	for (; now->who[count] >= 0; count++) {
		ck_assert_str_eq(two->head->shares[count].name, names[now->who[count]]);
		ck_pm(open_share(two, count, now->who[count], share), PM_OK);
	}
	ck_assert_uint_eq(two->head->share_count, count);
	ck_assert(gives_seed(two, now->who[0], two, now->who[1]) == (now->threshold == 2));
	/* One of before and one of now give another seed, which the commitment refuses. */
	ck_assert(!gives_seed(one, 0, two, now->who[1]));
	ck_assert(gives_seed(one, 0, one, 1));
	is_kept(two, next);
	tenure_free(one);
	tenure_free(two);
	tenure_free(next);
}

START_TEST(other_holders_get_others)
{
	is_dealt_anew(&others);
	is_dealt_anew(&more_needed);
	is_dealt_anew(&fewer);
}
END_TEST

/* Where nobody held shares, somebody may from now on. */
START_TEST(holders_that_come_later)
{
	struct tenure *one = plan(NULL, NULL), *two = plan(one, &three);

	ck_assert_uint_eq(one->head->share_count, 0);
	ck_assert_uint_eq(two->head->dealt, 2);
	ck_assert(gives_seed(two, 0, two, 1));
	tenure_free(one);
	tenure_free(two);
}
END_TEST

/* --- in the store ---------------------------------------------------------------------------- */

static void survives(const struct tenure *t, bool is_told)
{
	char *text = head_text(t->head);
	struct head *head = head_parse(text, strlen(text), 7);

	ck_assert_ptr_nonnull(head);
	ck_assert_uint_eq(head->dealt, t->head->dealt);
	ck_assert_mem_eq(head->shares, t->head->shares, sizeof(head->shares));
	ck_assert_int_eq(strstr(text, "\"dealt\"") != NULL, is_told);
	head_free(head);
	free(text);
}

static void is_no_head(const struct tenure *t, const char *dealt)
{
	char *text = head_text(t->head), *place = strstr(text, "\"dealt\":2");

	ck_assert_ptr_nonnull(place);
	memcpy(place + 8, dealt, strlen(dealt));
	ck_assert_ptr_null(head_parse(text, strlen(text), 7));
	free(text);
}

START_TEST(heads_tell_when_they_were_dealt)
{
	struct tenure *one = plan(NULL, &three), *two = plan(one, &others);

	survives(one, false);
	survives(two, true);
	is_no_head(two, "0");
	is_no_head(two, "t");
	tenure_free(one);
	tenure_free(two);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dealing");
	TCase *t = tcase_create("dealing");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_same_holders_keep_theirs);
	tcase_add_test(t, other_holders_get_others);
	tcase_add_test(t, holders_that_come_later);
	tcase_add_test(t, heads_tell_when_they_were_dealt);
	suite_add_tcase(s, t);
	return test_main(s);
}
