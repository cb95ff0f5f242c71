/* SPDX-License-Identifier: Apache-2.0 */
/* Which worker of pm-secrets hears of what. */
#include <stdlib.h>
#include <string.h>

#include "pm-secrets/hub.h"
#include "testing.h"

static const uint8_t v1[RECORD_OWNER_SIZE] = {1}, v2[RECORD_OWNER_SIZE] = {2};

static void count_wakes(void *arg)
{
	++*(int *)arg;
}

static const char *take(struct hub *hub, struct hub_watch *watch)
{
	static char text[PM_COMMAND_ID_MAX + 16];
	char id[PM_COMMAND_ID_MAX + 1];
	enum hub_event event;
	bool is_lost;

	if (!hub_take(hub, watch, id, &event, &is_lost))
		return is_lost ? "lost" : "none";
	snprintf(text, sizeof(text), "%s %s", id, event == HUB_EXPIRED ? "expired" : "revoked");
	return text;
}

/* Each is newer than all before. */
static uint64_t revision = 1;

static int note(struct hub *hub, const char *worker, const char *id, const uint8_t *version,
	int64_t expires)
{
	return hub_note(hub, worker, id, version, expires, ++revision);
}

static void changed(struct hub *hub, const char *id, const uint8_t *version, int64_t now)
{
	hub_changed(hub, id, version, ++revision, now);
}

/* What changed between the store's answer and the note would be told to nobody. */
START_TEST(changes_on_the_way_are_noticed)
{
	struct hub *hub = hub_new();

	hub_changed(hub, "a", NULL, 7, 10); /* revoked, while the store's answer was on its way */
	ck_pm(hub_note(hub, "w", "a", v1, 100, 6), PM_E_STALE);
	ck_assert_uint_eq(hub_count(hub), 0);
	ck_assert(!hub_has(hub, "w", "a", v1));
	ck_pm(hub_note(hub, "w", "b", v1, 100, 6), PM_OK); /* another one */
	hub_missed(hub, 9);				   /* nobody knows what changed */
	hub_missed(hub, 8);
	ck_pm(hub_note(hub, "w", "a", v1, 100, 8), PM_E_STALE);
	ck_pm(hub_note(hub, "w", "a", v1, 100, 9), PM_OK);
	/* And between the note and the answer. */
	ck_assert(hub_has(hub, "w", "a", v1));
	ck_assert(!hub_has(hub, "w", "a", v2));
	ck_assert(!hub_has(hub, "v", "a", v1));
	hub_changed(hub, "a", v1, 10, 10);
	ck_assert(hub_has(hub, "w", "a", v1));
	hub_changed(hub, "a", v2, 11, 10);
	ck_assert(!hub_has(hub, "w", "a", v1));
	hub_free(hub);
}
END_TEST

/* A change that comes late, after its outcome was seen, ends nothing. */
START_TEST(late_changes_end_nothing)
{
	struct hub *hub = hub_new();

	ck_pm(hub_note(hub, "w", "a", v2, 100, 20), PM_OK);
	hub_changed(hub, "a", NULL, 18, 10);
	hub_changed(hub, "a", v1, 20, 10);
	ck_assert(hub_has(hub, "w", "a", v2));
	hub_changed(hub, "a", NULL, 21, 10);
	ck_assert(!hub_has(hub, "w", "a", v2));
	hub_free(hub);
}
END_TEST

/* What this process revoked is over for all, whatever revisions the store shows. */
START_TEST(our_own_revocations)
{
	struct hub *hub = hub_new();
	int wakes = 0;
	struct hub_watch *watch = hub_watch(hub, "w/1", count_wakes, &wakes);

	ck_pm(hub_note(hub, "w/1", "a", v1, 100, UINT64_MAX - 1), PM_OK);
	ck_pm(hub_note(hub, "w/2", "a", v2, 100, 20), PM_OK);
	ck_pm(hub_note(hub, "w/1", "b", v1, 100, 20), PM_OK);
	hub_ended(hub, "a", 10);
	ck_assert_str_eq(take(hub, watch), "a revoked");
	ck_assert_str_eq(take(hub, watch), "none");
	ck_assert(!hub_has(hub, "w/1", "a", v1));
	ck_assert(!hub_has(hub, "w/2", "a", v2));
	ck_assert(hub_has(hub, "w/1", "b", v1));
	/* What is put then is had again; what changed by then is told once. */
	hub_changed(hub, "a", NULL, 21, 10);
	ck_assert_str_eq(take(hub, watch), "none");
	ck_pm(hub_note(hub, "w/1", "a", v2, 100, 22), PM_OK);
	ck_assert(hub_has(hub, "w/1", "a", v2));
	hub_unwatch(hub, watch);
	hub_free(hub);
}
END_TEST

START_TEST(workers_hear_of_theirs)
{
	struct hub *hub = hub_new();
	int wakes = 0, other_wakes = 0;
	struct hub_watch *watch = hub_watch(hub, "w/1", count_wakes, &wakes);
	struct hub_watch *other = hub_watch(hub, "w/2", count_wakes, &other_wakes);

	ck_pm(note(hub, "w/1", "a", v1, 100), PM_OK);
	ck_pm(note(hub, "w/1", "b", v1, 100), PM_OK);
	ck_pm(note(hub, "w/2", "c", v1, 50), PM_OK);
	changed(hub, "a", v1, 10); /* sealed anew: the same value */
	ck_assert_str_eq(take(hub, watch), "none");
	changed(hub, "a", NULL, 10);
	ck_assert_str_eq(take(hub, watch), "a revoked");
	changed(hub, "a", NULL, 10); /* told once */
	changed(hub, "b", v2, 10);   /* another value */
	ck_assert_str_eq(take(hub, watch), "b revoked");
	ck_assert_str_eq(take(hub, watch), "none");
	ck_assert_str_eq(take(hub, other), "none");
	hub_sweep(hub, 49);
	ck_assert_str_eq(take(hub, other), "none");
	hub_sweep(hub, 50);
	ck_assert_str_eq(take(hub, other), "c expired");
	ck_assert_int_eq(wakes, 2);
	ck_assert_int_eq(other_wakes, 1);
	ck_assert_uint_eq(hub_count(hub), 0);
	hub_unwatch(hub, watch);
	hub_unwatch(hub, other);
	hub_free(hub);
}
END_TEST

/* A change at the time of expiry, by the store's own hand, is no revocation. */
START_TEST(an_expiry_is_no_revocation)
{
	struct hub *hub = hub_new();
	int wakes = 0;
	struct hub_watch *watch = hub_watch(hub, "w", count_wakes, &wakes);

	ck_pm(note(hub, "w", "a", v1, 100), PM_OK);
	changed(hub, "a", NULL, 100);
	ck_assert_str_eq(take(hub, watch), "none");
	hub_sweep(hub, 100);
	ck_assert_str_eq(take(hub, watch), "a expired");
	hub_unwatch(hub, watch);
	hub_free(hub);
}
END_TEST

START_TEST(what_ended_meanwhile_waits)
{
	struct hub *hub = hub_new();
	struct hub_watch *watch;
	int wakes = 0;

	ck_pm(note(hub, "w", "a", v1, 100), PM_OK);
	changed(hub, "a", NULL, 10);
	ck_assert_uint_eq(hub_count(hub), 1);
	watch = hub_watch(hub, "w", count_wakes, &wakes);
	ck_assert_int_eq(wakes, 1);
	ck_assert_str_eq(take(hub, watch), "a revoked");
	hub_unwatch(hub, watch);
	/* Fetched again, it is new again. */
	ck_pm(note(hub, "w", "a", v2, 100), PM_OK);
	changed(hub, "a", NULL, 10);
	ck_pm(note(hub, "w", "a", v2, 100), PM_OK);
	watch = hub_watch(hub, "w", count_wakes, &wakes);
	ck_assert_str_eq(take(hub, watch), "none");
	hub_unwatch(hub, watch);
	hub_free(hub);
}
END_TEST

START_TEST(the_hub_is_bounded)
{
	struct hub *hub = hub_new();
	struct hub_watch *watch, *watches[HUB_WATCHES_MAX];
	char id[32];
	int wakes = 0;

	for (int i = 0; i < HUB_IDS_MAX; i++) {
		snprintf(id, sizeof(id), "id-%d", i);
		ck_pm(note(hub, "w", id, v1, 100), PM_OK);
	}
	ck_pm(note(hub, "w", "more", v1, 100), PM_E_LIMIT);
	ck_pm(note(hub, "w", "id-5", v1, 100), PM_OK);
	ck_pm(note(hub, "v", "more", v1, 100), PM_OK);
	watch = hub_watch(hub, "w", count_wakes, &wakes);
	hub_sweep(hub, 100); /* more events than wait: the watch is of no use any more */
	ck_assert_str_eq(take(hub, watch), "lost");
	ck_assert_uint_eq(hub_count(hub), 0);
	hub_unwatch(hub, watch);
	for (size_t i = 0; i < HUB_WATCHES_MAX; i++)
		ck_assert_ptr_nonnull(watches[i] = hub_watch(hub, "w", count_wakes, &wakes));
	ck_assert_ptr_null(hub_watch(hub, "w", count_wakes, &wakes));
	for (size_t i = 0; i < HUB_WATCHES_MAX; i++)
		hub_unwatch(hub, watches[i]);
	for (int i = 0; i < HUB_WORKERS_MAX; i++) {
		snprintf(id, sizeof(id), "w-%d", i);
		ck_pm(note(hub, id, "a", v1, 100), PM_OK);
	}
	ck_pm(note(hub, "w", "a", v1, 100), PM_E_LIMIT);
	hub_sweep(hub, 100);
	ck_pm(note(hub, "w", "a", v1, 100), PM_OK);
	hub_free(hub);
}
END_TEST

/* Workers that come and go do not keep others out; those that may use what they have stay. */
START_TEST(who_is_gone_makes_room)
{
	struct hub *hub = hub_new();
	struct hub_watch *watch;
	int wakes = 0;
	char id[32];

	hub_sweep(hub, 1000);
	ck_pm(note(hub, "watching", "a", v1, 99999), PM_OK);
	watch = hub_watch(hub, "watching", count_wakes, &wakes);
	for (int i = 1; i < HUB_WORKERS_MAX; i++) {
		snprintf(id, sizeof(id), "w-%d", i);
		ck_pm(note(hub, id, "a", v1, 99999), PM_OK);
		ck_pm(note(hub, id, "b", v1, 99999), PM_OK);
	}
	hub_sweep(hub, 1000 + HUB_GONE - 1);
	ck_pm(note(hub, "w-1", "a", v1, 99999), PM_OK); /* it is heard of */
	ck_pm(note(hub, "new", "a", v1, 99999), PM_E_LIMIT);
	hub_sweep(hub, 1000 + HUB_GONE);
	ck_pm(note(hub, "new", "a", v1, 99999), PM_OK);
	ck_assert_uint_eq(hub_count(hub), 1 + 2 * (HUB_WORKERS_MAX - 1) - 2 + 1);
	ck_assert(hub_has(hub, "watching", "a", v1));
	ck_assert(hub_has(hub, "w-1", "a", v1));
	ck_assert(hub_has(hub, "new", "a", v1));
	/* Who watches anew was heard of, too, and then others go. */
	hub_unwatch(hub, watch);
	for (int i = 2; i < HUB_WORKERS_MAX; i++) {
		snprintf(id, sizeof(id), "x-%d", i);
		ck_pm(note(hub, id, "a", v1, 99999), i < HUB_WORKERS_MAX - 1 ? PM_OK : PM_E_LIMIT);
	}
	ck_assert(hub_has(hub, "watching", "a", v1));
	ck_assert(hub_has(hub, "w-1", "a", v1));
	hub_free(hub);
}
END_TEST

/* Nor do their secrets keep those of others out. */
START_TEST(secrets_of_who_is_gone_make_room)
{
	struct hub *hub = hub_new();
	char id[32];

	for (int i = 0; i < HUB_NOTES_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		ck_pm(note(hub, id + strlen(id) - 1, id, v1, 99999), PM_OK);
	}
	ck_pm(note(hub, "new", "a", v1, 99999), PM_E_LIMIT);
	hub_sweep(hub, HUB_GONE);
	ck_pm(note(hub, "new", "a", v1, 99999), PM_OK);
	ck_pm(note(hub, "new", "b", v1, 99999), PM_OK);
	ck_assert_uint_gt(hub_count(hub), HUB_NOTES_MAX / 2);
	hub_free(hub);
}
END_TEST

START_TEST(all_ids_of_the_hub)
{
	enum { COUNT = 1000 };
	char ids[16][PM_COMMAND_ID_MAX + 1], id[16];
	bool seen[COUNT] = {0};
	struct hub *hub = hub_new();
	size_t place = 0, count = 0;

	for (int i = 0; i < COUNT; i++) {
		snprintf(id, sizeof(id), "%d", i);
		ck_pm(note(hub, "w/1", id, v1, 100), PM_OK);
		ck_pm(note(hub, "w/2", id, v1, 100), PM_OK);
	}
	do {
		size_t n = hub_ids(hub, place, 16, ids, &place);

		for (size_t i = 0; i < n; i++)
			seen[atoi(ids[i])] = true;
	} while (place);
	for (int i = 0; i < COUNT; i++)
		count += seen[i];
	ck_assert_uint_eq(count, COUNT);
	hub_free(hub);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("hub");
	TCase *tc = tcase_create("hub");

	tcase_add_test(tc, changes_on_the_way_are_noticed);
	tcase_add_test(tc, late_changes_end_nothing);
	tcase_add_test(tc, our_own_revocations);
	tcase_add_test(tc, workers_hear_of_theirs);
	tcase_add_test(tc, an_expiry_is_no_revocation);
	tcase_add_test(tc, what_ended_meanwhile_waits);
	tcase_add_test(tc, the_hub_is_bounded);
	tcase_add_test(tc, who_is_gone_makes_room);
	tcase_add_test(tc, secrets_of_who_is_gone_make_room);
	tcase_add_test(tc, all_ids_of_the_hub);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
