/* SPDX-License-Identifier: Apache-2.0 */
/* What a coordinator keeps in its store, and how, without memory: see alloc.h. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <pm/text.h>

#include "alloc.h"
#include "base/mem.h"
#include "common/loop.h"
#include "manifest_doc.h"
#include "pm-coordinator/consents.h"
#include "pm-coordinator/journal.h"
#include "pm-coordinator/tenure.h"
#include "testing.h"

#define NOW INT64_C(1780000000)

static struct pm_seed *seed;
static struct pm_view first_text, next_text; /* of manifests */
static struct tenure *one;
static char *head;
static struct loop *loop;

/* --- the head, and who has its keys ---------------------------------------------------------- */

static int parse_head(void)
{
	struct head *h = head_parse(head, strlen(head), 7);
	int r = h ? PM_OK : PM_E_NOMEM;

	if (h && h->at.revision != 7)
		r = ALLOC_WRONG;
	head_free(h);
	return r;
}

static int write_head(void)
{
	char *text = head_text(one->head);
	int r = text ? PM_OK : PM_E_NOMEM;

	if (text && strcmp(text, head) != 0)
		r = ALLOC_WRONG;
	free(text);
	return r;
}

static int write_shares(void)
{
	json_t *list = head_shares(one->head, "Name", "Box");
	int r = list ? PM_OK : PM_E_NOMEM;

	if (list && json_array_size(list) != one->head->share_count)
		r = ALLOC_WRONG;
	json_decref(list);
	return r;
}

static int copy_head(void)
{
	struct head *copy = head_copy(one->head);

	if (!copy)
		return PM_E_NOMEM;
	head_free(copy);
	return PM_OK;
}

static int plan(const struct tenure *before, struct pm_view text)
{
	const struct tenure_plan plan = {
		.before = before, .seed = seed, .bytes = text.ptr, .len = text.len, .now = NOW};
	struct tenure *t = NULL;
	int r = tenure_plan(&plan, NULL, &t);

	if (r == PM_OK && !t->authority)
		r = ALLOC_WRONG;
	tenure_free(t);
	return r;
}

static int plan_first(void)
{
	return plan(NULL, first_text);
}

static int plan_next(void)
{
	return plan(one, next_text);
}

static int draw_keys(void)
{
	struct tenure *copy = tenure_copy(one);
	int r = copy ? tenure_take(copy, seed, NULL, one, NOW, NULL) : PM_E_NOMEM;

	if (copy && (r == PM_OK) != (copy->authority != NULL))
		r = ALLOC_WRONG;
	tenure_free(copy);
	return r;
}

static int recover(void)
{
	uint8_t shares[2 * PM_SHARE_SIZE], link[MACHINE_HASH_SIZE] = {0},
					   owner[PM_SIGN_ID_SIZE] = {0};
	struct pm_seed *found = NULL;
	struct consents *c;
	int r = pm_shares_split(pm_seed_bytes(seed), 2, 2, shares);

	if (r < 0)
		return r;
	c = consents_new(link, 2, 1);
	if (!c)
		return PM_E_NOMEM;
	if (!consents_add(c, owner, shares) || !consents_add(c, owner, shares + PM_SHARE_SIZE))
		r = ALLOC_WRONG;
	else
		r = consents_combine(c, one->head->commitment, &found);
	pm_seed_free(found);
	consents_free(c);
	return r;
}

/* --- the log, on a store that has this much -------------------------------------------------- */

#define LINES_MAX 8

/* From 1 on; of length 0: none. */
static uint8_t lines[LINES_MAX + 1][4096];
static size_t line_lens[LINES_MAX + 1];

struct request {
	store_done *done;
	void *arg;
	size_t number;
	bool is_put, is_taken;
};

static struct request request; /* one at a time */

static struct store_op *ask(struct request what)
{
	request = what;
	return (struct store_op *)&request;
}

static size_t number_of(const char *key)
{
	return strtoul(key + strlen(JOURNAL_PREFIX), NULL, 10);
}

struct store_op *store_get(struct store *store, const char *key, store_done *done, void *arg)
{
	(void)store;
	return ask((struct request){done, arg, number_of(key), false, false});
}

struct store_op *store_put(struct store *store, const char *key, const void *value, size_t len,
	int64_t expires, uint64_t if_revision, store_done *done, void *arg)
{
	size_t n = number_of(key);

	(void)store;
	(void)expires;
	if (if_revision || !n || n > LINES_MAX || len > sizeof(lines[n]))
		abort();
	if (line_lens[n])
		return ask((struct request){done, arg, n, true, false});
	pm_copy(lines[n], value, len);
	line_lens[n] = len;
	return ask((struct request){done, arg, n, true, true});
}

/* Answers until nothing is asked any more. */
static void answer(void)
{
	while (request.done) {
		struct request r = request;
		struct store_entry entry = {.key = "x", .revision = 1};
		struct store_result result = {.error = PM_E_MISSING, .reason = ""};

		request.done = NULL;
		if (r.is_put) {
			result.error = r.is_taken ? PM_OK : PM_E_STATE;
		} else if (r.number && r.number <= LINES_MAX && line_lens[r.number]) {
			entry.value = lines[r.number];
			entry.len = line_lens[r.number];
			result = (struct store_result){.reason = "", .entries = &entry, .count = 1};
		}
		r.done(r.arg, &result);
	}
}

static int outcome;

static void on_written(void *arg, int error)
{
	(void)arg;
	outcome = error;
}

/* A line; who gets no memory tries again later, which is not waited for. */
/* at: which it must be */
static int write_at(size_t at)
{
	const struct pm_audit_field fields[] = {{"role", "worker"}, {"reason", NULL}};
	struct journal *j;
	bool taken;

	line_lens[at] = 0;
	outcome = PM_E_NOMEM;
	j = journal_new(loop, NULL);
	if (!j)
		return PM_E_NOMEM;
	taken = journal_set_key(j, pm_authority_audit_key(one->authority)) &&
		journal_add(j, "worker.refused", fields, 2, on_written, NULL);
	if (taken)
		answer();
	request.done = NULL;
	journal_free(j);
	if (outcome == PM_OK && !line_lens[at])
		return ALLOC_WRONG;
	return outcome == PM_OK ? PM_OK : PM_E_NOMEM;
}

static int write_third(void)
{
	return write_at(3);
}

/* --- all of them ----------------------------------------------------------------------------- */

static struct pm_view manifest_text(const struct tenure *before)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	char hex[2 * PM_MANIFEST_HASH_SIZE + 1];
	struct pm_view text;

	doc_set(base, "serial", json_integer(before ? 2 : 1));
	doc_set(base, "previous", json_null());
	if (before) {
		pm_hex_encode(before->head->manifest, sizeof(before->head->manifest), hex);
		doc_set(base, "previous", json_string(hex));
	}
	text = doc_text(base, 0);
	json_decref(table);
	return text;
}

static void set_up(void)
{
	struct tenure_plan plan = {.now = NOW};

	json_set_alloc_funcs(alloc_sure, free);
	ck_pm(pm_seed_new(&seed), PM_OK);
	first_text = manifest_text(NULL);
	plan.seed = seed;
	plan.bytes = first_text.ptr;
	plan.len = first_text.len;
	ck_pm(tenure_plan(&plan, NULL, &one), PM_OK);
	next_text = manifest_text(one);
	head = head_text(one->head);
	ck_assert_ptr_nonnull(head);
	ck_pm(loop_new(0, &loop), PM_OK);
}

static void clean_up(void)
{
	loop_free(loop);
	free(head);
	test_free(next_text);
	test_free(first_text);
	tenure_free(one);
	pm_seed_free(seed);
}

START_TEST(without_memory)
{
	ck_assert_uint_ge(alloc_walk("head_parse", parse_head, ALLOC_LOSSY), 3);
	ck_assert_uint_ge(alloc_walk("head_text", write_head, ALLOC_LOSSY), 3);
	ck_assert_uint_ge(alloc_walk("head_shares", write_shares, ALLOC_LOSSY), 1);
	ck_assert_uint_ge(alloc_walk("head_copy", copy_head, ALLOC_LOSSY), 3);
	ck_assert_uint_ge(alloc_walk("tenure_plan", plan_first, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("a next one", plan_next, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("another mesh CA", draw_keys, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("consents", recover, ALLOC_LOSSY), 3);
}
END_TEST

/* What is not written is not said to be. */
START_TEST(a_log_without_memory)
{
	ck_pm(write_at(1), PM_OK);
	ck_pm(write_at(2), PM_OK);
	ck_assert_uint_ge(alloc_walk("journal", write_third, ALLOC_LOSSY), 20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tenure_alloc");
	TCase *t = tcase_create("tenure_alloc");

	tcase_add_unchecked_fixture(t, set_up, clean_up);
	tcase_set_timeout(t, 500);
	tcase_add_test(t, without_memory);
	tcase_add_test(t, a_log_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
