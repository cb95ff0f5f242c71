/* SPDX-License-Identifier: Apache-2.0 */
/* What was good once: the validity of certificates, and revocation lists, on evidence made here. */
#include <string.h>

#include "base/report.h"
#include "evidence/snp_cache.h"
#include "scene.h"
#include "testing.h"

static int verify_at(struct scene *s, int64_t now, const char *failure)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_check *found;
	int r;

	s->now = now;
	r = scene_verify(s, NULL, report);
	found = pm_report_failure(report);
	ck_assert_str_eq(found ? found->name : "none", failure ? failure : "none");
	return r;
}

/* --- validity --------------------------------------------------------------------------------- */

static struct mint_cert *cert_of(struct scene *s, int which)
{
	return which == 0 ? &s->ark : which == 1 ? &s->ask : &s->vek;
}

START_TEST(each_certificate_has_its_time)
{
	static const char *const checks[] = {
		"root, validity", "intermediate, validity", "VEK, validity"};
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	cert_of(&s, _i)->not_before = SCENE_NOW - 10;
	cert_of(&s, _i)->not_after = SCENE_NOW + 10;
	ck_pm(verify_at(&s, SCENE_NOW - 11, checks[_i]), PM_E_STALE);
	ck_pm(verify_at(&s, SCENE_NOW - 10, NULL), PM_OK);
	ck_pm(verify_at(&s, SCENE_NOW + 10, NULL), PM_OK);
	ck_assert_int_eq(s.facts->valid_until, SCENE_NOW + 10);
	ck_pm(verify_at(&s, SCENE_NOW + 11, checks[_i]), PM_E_STALE);
	scene_free(&s);
}
END_TEST

START_TEST(no_time_is_too_far)
{
	static const int64_t times[] = {
		INT64_MIN, INT64_MIN + 1, -62135596800, -1, 0, 253402300799, INT64_MAX};
	static const long other = 7;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_add_list(&s, &other, 1);
	s.lists[0].this_update = SCENE_FROM;
	for (size_t i = 0; i < PM_ARRAY_LEN(times); i++)
		ck_pm(verify_at(&s, times[i], "root, validity"), PM_E_STALE);
	scene_free(&s);
}
END_TEST

/* --- revocation ------------------------------------------------------------------------------- */

static const long asks[] = {7, 0x10001, 0x20001};
static const long arks[] = {0x10000};
static const long others[] = {0, 1, 0x1000, 0x100010, 0x10101};

#define LIST(s, serials) scene_add_list(s, serials, PM_ARRAY_LEN(serials))

/* A function of one statement; the structure swallows the semicolon. */
#define CHANGE(name, statement)                                                                    \
	static void name(struct scene *s)                                                          \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name

static int require_crl(struct pm_snp_policy *p)
{
	return pm_snp_policy_require(p, PM_SNP_REQUIRE_CRL);
}

static int young_crl(struct pm_snp_policy *p)
{
	return pm_snp_policy_max_crl_age(p, SCENE_NOW - SCENE_FROM);
}

static int younger_crl(struct pm_snp_policy *p)
{
	return pm_snp_policy_max_crl_age(p, SCENE_NOW - SCENE_FROM - 1);
}

CHANGE(none, (void)s);
CHANGE(none_required, s->demand = require_crl);
CHANGE(empty, scene_add_list(s, NULL, 0));
CHANGE(empty_required, (empty(s), s->demand = require_crl));
CHANGE(of_others, LIST(s, others));
CHANGE(of_ask, LIST(s, asks));
CHANGE(of_ark, LIST(s, arks));
CHANGE(good_and_bad, (LIST(s, others), LIST(s, asks)));
CHANGE(bad_and_good, (LIST(s, asks), LIST(s, others)));
CHANGE(two_good, (LIST(s, others), empty(s), s->lists[1].next_update = SCENE_NOW + 5));
CHANGE(stale_and_fresh, (LIST(s, others), s->lists[0].next_update = SCENE_NOW - 1, empty(s)));
CHANGE(fresh_and_stale, (empty(s), LIST(s, others), s->lists[1].next_update = SCENE_NOW - 1));
CHANGE(both_stale, (stale_and_fresh(s), s->lists[1].next_update = SCENE_NOW - 1));
CHANGE(stale_and_telling, (LIST(s, asks), s->lists[0].next_update = SCENE_NOW - 1, empty(s)));
CHANGE(telling_last, (empty(s), LIST(s, asks), s->lists[1].next_update = SCENE_NOW - 1));
CHANGE(only_hosts, (empty(s), s->list_of_table[0] = true));
CHANGE(only_hosts_stale, (only_hosts(s), s->lists[0].next_update = SCENE_NOW - 1));
CHANGE(only_hosts_forged, (only_hosts(s), s->lists[0].signer.key = scene_keys.rsa));
CHANGE(stale_and_hosts, (stale_and_fresh(s), s->list_of_table[1] = true));
CHANGE(foreign_and_hosts, (stale_and_hosts(s), s->lists[0].signer.name = "ARK-Genoa"));
CHANGE(hosts_stale, (stale_and_fresh(s), s->list_of_table[0] = true));
CHANGE(hosts_stale_and_telling, (stale_and_telling(s), s->list_of_table[0] = true));
CHANGE(hosts_forged, (LIST(s, asks), s->lists[0].signer.key = scene_keys.rsa,
			     s->list_of_table[0] = true, empty(s)));
CHANGE(hosts_and_ours, (empty(s), s->list_of_table[0] = true, empty(s)));
CHANGE(foreign_and_good, (LIST(s, asks), s->lists[0].signer.name = "ARK-Genoa", empty(s)));
CHANGE(good_and_foreign, (empty(s), LIST(s, asks), s->lists[1].signer.name = "ARK-Genoa"));
CHANGE(foreign_and_stale, (foreign_and_good(s), s->lists[1].next_update = SCENE_NOW - 1));
CHANGE(good_and_forged, (empty(s), LIST(s, others), s->lists[1].signer.key = scene_keys.rsa));
CHANGE(good_and_ask_itself, (empty(s), LIST(s, others), s->lists[1].signer.key = scene_keys.ask,
				    s->lists[1].signer.name = "SEV-Milan"));
CHANGE(too_old_and_young,
	(LIST(s, others), s->lists[0].this_update--, empty(s), s->demand = young_crl));
CHANGE(last_second, (empty(s), s->lists[0].next_update = SCENE_NOW));
CHANGE(expired, (empty(s), s->lists[0].next_update = SCENE_NOW - 1));
CHANGE(first_second, (empty(s), s->lists[0].this_update = SCENE_NOW));
CHANGE(not_yet, (empty(s), s->lists[0].this_update = SCENE_NOW + 1));
CHANGE(no_end, (empty(s), s->lists[0].next_update = 0));
CHANGE(of_that_age, (empty(s), s->demand = young_crl));
CHANGE(too_old, (empty(s), s->demand = younger_crl));
CHANGE(other_issuer, (empty(s), s->lists[0].signer.name = "ARK-Genoa"));
CHANGE(by_stranger, (empty(s), s->lists[0].signer.key = scene_keys.rsa));
CHANGE(by_ask, (empty(s), s->lists[0].signer.key = scene_keys.ask));
CHANGE(of_ask_itself, (by_ask(s), s->lists[0].signer.name = "SEV-Milan"));
CHANGE(sha256, (empty(s), s->lists[0].signer.hash = "SHA256"));
CHANGE(pkcs1, (empty(s), s->lists[0].signer.padding = MINT_PKCS1));
CHANGE(by_ec, (empty(s), s->lists[0].signer.key = scene_keys.ec));
CHANGE(delta, (empty(s), s->lists[0].delta = true));
CHANGE(may_not_sign, (empty(s), s->ark.usage = "critical,keyCertSign"));

static const struct row {
	const char *name;
	void (*change)(struct scene *s);
	int error;
	const char *check; /* that fails; NULL when none does */
} rows[] = {
	{"none", none, PM_OK, NULL},
	{"none, required", none_required, PM_E_MISSING, "CRL"},
	{"empty", empty, PM_OK, NULL},
	{"empty, required", empty_required, PM_OK, NULL},
	{"of others", of_others, PM_OK, NULL},
	{"of the ASK", of_ask, PM_E_REJECTED, "intermediate, revocation"},
	{"of the ARK", of_ark, PM_E_REJECTED, "root, revocation"},
	{"good and bad", good_and_bad, PM_E_REJECTED, "intermediate, revocation"},
	{"bad and good", bad_and_good, PM_E_REJECTED, "intermediate, revocation"},
	{"two good ones", two_good, PM_OK, NULL},
	{"stale and fresh", stale_and_fresh, PM_E_STALE, "CRL, validity"},
	{"fresh and stale", fresh_and_stale, PM_E_STALE, "CRL, validity"},
	{"the host's alone", only_hosts, PM_OK, NULL},
	{"the host's alone, stale", only_hosts_stale, PM_E_STALE, "CRL, validity"},
	{"the host's alone, forged", only_hosts_forged, PM_E_REJECTED, "CRL, signature"},
	{"stale, and the host's fresh", stale_and_hosts, PM_E_STALE, "CRL, validity"},
	{"of another root, and the host's", foreign_and_hosts, PM_E_REJECTED, "CRL, issuer"},
	{"the host's stale, and fresh", hosts_stale, PM_OK, NULL},
	{"the host's stale and telling", hosts_stale_and_telling, PM_E_REJECTED,
		"intermediate, revocation"},
	{"the host's forged, and good", hosts_forged, PM_OK, NULL},
	{"the host's, given by us too", hosts_and_ours, PM_OK, NULL},
	{"both stale", both_stale, PM_E_STALE, "CRL, validity"},
	{"stale and telling, and fresh", stale_and_telling, PM_E_REJECTED,
		"intermediate, revocation"},
	{"fresh, and stale and telling", telling_last, PM_E_REJECTED, "intermediate, revocation"},
	{"of another root, and good", foreign_and_good, PM_OK, NULL},
	{"good, and of another root", good_and_foreign, PM_OK, NULL},
	{"of another root, and stale", foreign_and_stale, PM_E_STALE, "CRL, validity"},
	{"good, and by a stranger", good_and_forged, PM_E_REJECTED, "CRL, signature"},
	{"good, and the ASK's own", good_and_ask_itself, PM_E_REJECTED, "CRL, issuer"},
	{"too old, and young enough", too_old_and_young, PM_E_STALE, "CRL, age"},
	{"last second", last_second, PM_OK, NULL},
	{"expired", expired, PM_E_STALE, "CRL, validity"},
	{"first second", first_second, PM_OK, NULL},
	{"not yet", not_yet, PM_E_STALE, "CRL, validity"},
	{"no nextUpdate", no_end, PM_E_STALE, "CRL, validity"},
	{"of that age", of_that_age, PM_OK, NULL},
	{"too old", too_old, PM_E_STALE, "CRL, age"},
	{"of another issuer", other_issuer, PM_E_REJECTED, "CRL, issuer"},
	{"by a stranger", by_stranger, PM_E_REJECTED, "CRL, signature"},
	{"by the ASK", by_ask, PM_E_REJECTED, "CRL, signature"},
	{"the ASK's own", of_ask_itself, PM_E_REJECTED, "CRL, issuer"},
	{"SHA-256", sha256, PM_E_UNSUPPORTED, "CRL, signature"},
	{"PKCS 1", pkcs1, PM_E_UNSUPPORTED, "CRL, signature"},
	{"ECDSA", by_ec, PM_E_REJECTED, "CRL, signature"},
	{"delta", delta, PM_E_FORMAT, "CRL"},
	{"the ARK may not sign lists", may_not_sign, PM_E_REJECTED, "CRL, signature"},
};

START_TEST(lists)
{
	const struct row *row = &rows[_i];
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	row->change(&s);
	ck_assert_msg(verify_at(&s, SCENE_NOW, row->check) == row->error, "%s", row->name);
	if (row->error == PM_OK) {
		int64_t until = SCENE_TO;

		for (size_t i = 0; i < s.list_count; i++) {
			int64_t end = s.lists[i].next_update;

			until = end >= SCENE_NOW && end < until ? end : until;
		}
		ck_assert_int_eq(s.facts->valid_until, until);
		ck_assert(s.facts->crl_checked == (s.list_count > 0));
	}
	scene_free(&s);
}
END_TEST

/* The ASVK can be revoked, and the ASK's serial number is nothing to it. */
START_TEST(lists_and_vleks)
{
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VLEK);
	s.ask.serial = 0x10101;
	LIST(&s, asks);
	ck_pm(verify_at(&s, SCENE_NOW, NULL), PM_OK);
	LIST(&s, others);
	ck_pm(verify_at(&s, SCENE_NOW, "intermediate, revocation"), PM_E_REJECTED);
	scene_free(&s);
}
END_TEST

/* --- the cache -------------------------------------------------------------------------------- */

/* A list out of the cache is as good and as stale as it was. */
START_TEST(a_cached_list_grows_old)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	LIST(&s, others);
	s.lists[0].next_update = SCENE_NOW + 10;
	scene_make(&s, &ev, &p);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (int round = 0; round < 3; round++) {
		ck_pm(pm_snp_verify(ev, p, cache, SCENE_NOW + 11, NULL, &facts), PM_E_STALE);
		ck_pm(pm_snp_verify(ev, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
		ck_assert_int_eq(facts->valid_until, SCENE_NOW + 10);
	}
	pm_snp_policy_free(p);
}
END_TEST

/* A cached list that revokes does so each time; one that is not its issuer's is never kept. */
START_TEST(a_cached_list_says_the_same)
{
	static void (*const changes[])(struct scene * s) = {of_ask, by_ask};

	for (size_t i = 0; i < PM_ARRAY_LEN(changes); i++) {
		pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
		pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
		const struct pm_snp_facts *facts = NULL;
		struct pm_snp_policy *p;
		struct scene s;

		scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
		changes[i](&s);
		scene_make(&s, &ev, &p);
		ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
		for (int round = 0; round < 3; round++)
			ck_pm(pm_snp_verify(ev, p, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
		ck_assert_ptr_null(facts);
		pm_snp_policy_free(p);
	}
}
END_TEST

/* One list under two roots of one name: verified under the first, it is not good for the second. */
START_TEST(a_cached_list_belongs_to_its_root)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *a = NULL, *b = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p, *q;
	struct scene s, t;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_init(&t, PM_SNP_MILAN, PM_SNP_VCEK);
	empty(&s);
	t.ark.key = t.ark.signer.key = t.ask.signer.key = scene_keys.ask; /* another root */
	scene_make(&s, &a, &p);
	scene_make(&t, &b, &q);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	ck_pm(pm_snp_verify(b, q, cache, SCENE_NOW, NULL, &facts), PM_OK);
	ck_pm(pm_snp_verify(a, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
	ck_pm(pm_snp_evidence_add_crl(b, a->crls[0].ptr, a->crls[0].len, NULL), PM_OK);
	ck_pm(pm_snp_verify(b, q, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
	ck_pm(pm_snp_verify(a, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
	pm_snp_policy_free(p);
	pm_snp_policy_free(q);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snp_stale");
	TCase *t = tcase_create("snp_stale");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_loop_test(t, each_certificate_has_its_time, 0, 3);
	tcase_add_test(t, no_time_is_too_far);
	tcase_add_loop_test(t, lists, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, lists_and_vleks);
	tcase_add_test(t, a_cached_list_grows_old);
	tcase_add_test(t, a_cached_list_says_the_same);
	tcase_add_test(t, a_cached_list_belongs_to_its_root);
	suite_add_tcase(s, t);
	return test_main(s);
}
