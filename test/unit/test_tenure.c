/* SPDX-License-Identifier: Apache-2.0 */
/* Which head of the store is believed, with which keys: of a coordinator that has a seed, or
 * none. */
#include <string.h>

#include <pm/text.h>

#include "base/mem.h"
#include "manifest_doc.h"
#include "pm-coordinator/tenure.h"
#include "testing.h"

#define NOW	       INT64_C(1780000000)
#define NOT_AFTER      INT64_C(1790000000)
#define NOT_AFTER_TEXT "2026-09-21T14:13:20Z"

/* A manifest, as text that is freed by test_free(); behind another one, of that mark. */
static struct pm_view manifest_text(const struct tenure *before, int mark)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	char hex[2 * PM_MANIFEST_HASH_SIZE + 1];
	struct pm_view text;

	doc_set(base, "serial", json_integer(before ? (json_int_t)before->head->at.serial + 1 : 1));
	doc_set(base, "previous", json_null());
	doc_set(base, "not_after", json_string(NOT_AFTER_TEXT));
	doc_set(base, "models tiny data_blocks", json_integer(1 + mark));
	if (before) {
		pm_hex_encode(before->head->manifest, sizeof(before->head->manifest), hex);
		doc_set(base, "previous", json_string(hex));
	}
	text = doc_text(base, 0);
	json_decref(table);
	return text;
}

static int plan(const struct pm_seed *seed, const struct tenure *before, int mark, int64_t now,
	struct tenure **ret)
{
	struct pm_view text = manifest_text(before, mark);
	const struct tenure_plan plan = {
		.before = before, .seed = seed, .bytes = text.ptr, .len = text.len, .now = now};
	int r = tenure_plan(&plan, NULL, ret);

	test_free(text);
	return r;
}

/* A deployment with two manifests. */
struct town {
	struct pm_seed *seed;
	struct tenure *one, *two;
};

/* marks: of both manifests. */
static struct town town_new(int first, int second)
{
	struct town t = {0};

	ck_pm(pm_seed_new(&t.seed), PM_OK);
	ck_pm(plan(t.seed, NULL, first, NOW, &t.one), PM_OK);
	ck_pm(plan(t.seed, t.one, second, NOW + 1, &t.two), PM_OK);
	return t;
}

static void town_free(struct town *t)
{
	tenure_free(t->one);
	tenure_free(t->two);
	pm_seed_free(t->seed);
}

/* What a peer's keys of a tenure are worth to who holds another one, or none. */
static int take(const struct tenure *shown, const struct pm_seed *seed, const struct tenure *held)
{
	struct tenure *copy = tenure_copy(shown);
	int r;

	ck_assert_ptr_nonnull(copy);
	r = tenure_take(copy, seed, pm_authority_mesh_key(shown->authority), held, NOW + 2, NULL);
	ck_assert(r < 0 ? !copy->authority : copy->authority != NULL);
	tenure_free(copy);
	return r;
}

START_TEST(keys_of_a_peer)
{
	struct town t = town_new(0, 0), fork = town_new(0, 0);

	ck_pm(take(t.two, t.seed, t.one), PM_OK);
	ck_pm(take(t.two, t.seed, NULL), PM_OK);
	ck_pm(take(t.two, t.seed, t.two), PM_OK);
	ck_pm(take(t.one, t.seed, t.two), PM_E_REJECTED);
	ck_pm(take(t.two, fork.seed, t.one), PM_E_REJECTED);
	town_free(&t);
	town_free(&fork);
}
END_TEST

/*
 * A link's hash does not cover who signed it. So who writes to the store, and is the peer that is
 * asked, could have the links that are held signed anew by a seed of his own, with a manifest of
 * his behind them. A coordinator that took these keys beside its own seed would give that to whom
 * his manifest calls a coordinator.
 */
START_TEST(keys_of_another_seed)
{
	struct town ours = town_new(0, 0), his = town_new(0, 1);

	ck_assert_mem_eq(ours.one->head->at.link, his.one->head->at.link, MACHINE_HASH_SIZE);
	ck_pm(take(his.two, his.seed, NULL), PM_OK);
	ck_pm(take(his.two, his.seed, his.one), PM_OK);
	ck_pm(take(his.two, his.seed, ours.one), PM_E_REJECTED);
	ck_pm(take(his.one, his.seed, ours.one), PM_E_REJECTED);
	town_free(&ours);
	town_free(&his);
}
END_TEST

/* A mesh CA that is drawn for what the store showed, as of a coordinator that was recovered. */
static int draw(
	const struct tenure *shown, const struct pm_seed *seed, int64_t now, struct tenure **ret)
{
	int r;

	*ret = tenure_copy(shown);
	ck_assert_ptr_nonnull(*ret);
	r = tenure_take(*ret, seed, NULL, NULL, now, NULL);
	return r;
}

static int issue(const struct tenure *t, int64_t now)
{
	struct pm_mesh_identity who = {.role = "secrets", .replica = "1", .purpose = PM_MESH_SIGN};
	struct pm_mesh_key *key = NULL;
	char *pem = NULL;
	int r;

	strcpy(who.role, PM_MESH_ROLE_COORDINATOR);
	ck_pm(pm_mesh_key_new(&key), PM_OK);
	r = pm_authority_issue(t->authority, pm_mesh_key_spki(key, NULL), PM_MESH_SPKI_SIZE, &who,
		now, 60, NULL, &pem, NULL);
	pm_authority_pem_free(pem);
	pm_mesh_key_free(key);
	return r;
}

/* A manifest that ended while nobody had the seed: certifies nothing, and the next one follows. */
START_TEST(a_manifest_that_has_ended)
{
	struct town t = town_new(0, 0);
	struct tenure *late = NULL, *next = NULL;

	ck_pm(draw(t.one, t.seed, NOW, &late), PM_OK);
	ck_pm(issue(late, NOW), PM_OK);
	ck_assert_uint_eq(late->head->at.seq, t.one->head->at.seq + 1);
	tenure_free(late);
	ck_pm(draw(t.one, t.seed, NOT_AFTER + 1000, &late), PM_OK);
	ck_pm(issue(late, NOT_AFTER + 1000), PM_E_STALE);
	ck_assert_uint_eq(late->head->at.seq, t.one->head->at.seq + 1);
	ck_assert_mem_ne(late->head->at.mesh, t.one->head->at.mesh, MACHINE_HASH_SIZE);
	ck_assert_mem_eq(late->head->at.link, t.one->head->at.link, MACHINE_HASH_SIZE);
	ck_pm(plan(t.seed, late, 0, NOT_AFTER, &next), PM_OK);
	ck_assert_uint_eq(next->head->at.serial, 2);
	tenure_free(late);
	/* Not one that does not hold yet, and not with keys of a peer, who gives none then. */
	ck_pm(draw(t.one, t.seed, INT64_C(1000000000), &late), PM_E_STALE);
	tenure_free(late);
	late = tenure_copy(t.one);
	ck_pm(tenure_take(late, t.seed, pm_authority_mesh_key(t.one->authority), NULL,
		      NOT_AFTER + 1, NULL),
		PM_E_STALE);
	tenure_free(late);
	tenure_free(next);
	town_free(&t);
}
END_TEST

START_TEST(a_head_of_the_same_seed_leads_on)
{
	struct town ours = town_new(0, 0), his = town_new(0, 1);
	struct head *a = ours.one->head, *b = ours.two->head, *c = his.two->head;

	ck_assert(head_leads_on(b, a) && head_leads_on(a, a));
	ck_assert(!head_leads_on(a, b));
	ck_assert(!head_leads_on(c, a));
	/* One of both is not enough. */
	memcpy(c->commitment, a->commitment, sizeof(c->commitment));
	ck_assert(!head_leads_on(c, a));
	memcpy(c->root_ca, a->root_ca, a->root_ca_len);
	c->root_ca_len = a->root_ca_len;
	ck_assert(head_leads_on(c, a));
	c->root_ca_len--;
	ck_assert(!head_leads_on(c, a));
	c->root_ca_len++;
	c->commitment[0] ^= 1;
	ck_assert(!head_leads_on(c, a));
	town_free(&ours);
	town_free(&his);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tenure");
	TCase *tcase = tcase_create("tenure");

	tcase_add_test(tcase, keys_of_a_peer);
	tcase_add_test(tcase, keys_of_another_seed);
	tcase_add_test(tcase, a_manifest_that_has_ended);
	tcase_add_test(tcase, a_head_of_the_same_seed_leads_on);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
