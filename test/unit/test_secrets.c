/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-secrets decides and keeps, without sockets and stores. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_doc.h"
#include "pm-secrets/access.h"
#include "pm-secrets/backup.h"
#include "pm-secrets/hub.h"
#include "pm-secrets/limit.h"
#include "pm-secrets/record.h"
#include "pm-secrets/state_note.h"
#include "testing.h"

static const uint8_t secret[RING_SECRET_SIZE] = {7};
static const uint8_t v1[RECORD_OWNER_SIZE] = {1}, v2[RECORD_OWNER_SIZE] = {2};

/* --- records --------------------------------------------------------------------------------- */

static struct ring *new_ring(uint8_t first)
{
	uint8_t bytes[RING_SECRET_SIZE] = {first};
	struct ring *ring;

	ck_pm(ring_new(bytes, &ring), PM_OK);
	return ring;
}

static struct record new_record(void)
{
	return (struct record){.kind = RECORD_OWNERS,
		.rule_len = RECORD_NO_RULE,
		.created = 50,
		.expires = 100,
		.owner = {9}};
}

struct sealed {
	uint8_t *bytes;
	size_t len;
};

static struct sealed seal(struct ring *ring, const char *id, const struct record *record)
{
	uint8_t canary[] = "CANARY-of-a-secret";
	struct record_value value = {canary, sizeof(canary)};
	struct sealed s;

	ck_pm(record_seal(ring, id, record, &value, &s.bytes, &s.len), PM_OK);
	return s;
}

static int open_it(struct ring *ring, const char *id, struct sealed s)
{
	struct record_value value = {0};
	struct record record;
	int r = record_open(ring, id, s.bytes, s.len, &record, &value);

	if (r == PM_OK)
		ck_assert_str_eq((const char *)value.bytes, "CANARY-of-a-secret");
	else
		ck_assert_ptr_null(value.bytes);
	record_value_free(&value);
	return r;
}

START_TEST(records_are_sealed)
{
	struct ring *ring = new_ring(7), *again = new_ring(7), *other = new_ring(8);
	struct record record = new_record(), found;
	struct sealed s = seal(ring, "a", &record);
	struct record_value value = {0};

	ck_assert_ptr_null(memmem(s.bytes, s.len, "CANARY", 6));
	ck_pm(open_it(ring, "a", s), PM_OK);
	ck_pm(open_it(again, "a", s), PM_OK); /* of an instance that comes later */
	ck_pm(open_it(other, "a", s), PM_E_REJECTED);
	ck_pm(open_it(ring, "b", s), PM_E_REJECTED);
	ck_pm(open_it(ring, "", s), PM_E_FORMAT);
	ck_pm(record_open(ring, "a", s.bytes, s.len, &found, &value), PM_OK);
	ck_assert_int_eq(found.kind, RECORD_OWNERS);
	ck_assert_int_eq(found.created, 50);
	ck_assert_int_eq(found.expires, 100);
	ck_assert_mem_eq(found.owner, record.owner, sizeof(found.owner));
	record_value_free(&value);
	free(s.bytes);
	ring_free(ring);
	ring_free(again);
	ring_free(other);
}
END_TEST

/* Each byte counts: times, owner and rule as much as the value; and each length. */
START_TEST(records_are_whole)
{
	static const char *const names[] = {"worker"};
	const struct pm_command_statement statement = {.roles = names, .role_count = 1};
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct sealed s;

	ck_pm(record_set_rule(&record, &statement), PM_OK);
	s = seal(ring, "a", &record);
	for (size_t i = 0; i < s.len; i++) {
		s.bytes[i] ^= 1;
		ck_assert_int_ne(open_it(ring, "a", s), PM_OK);
		s.bytes[i] ^= 1;
	}
	for (size_t len = 0; len < s.len; len++)
		ck_assert_int_ne(open_it(ring, "a", (struct sealed){s.bytes, len}), PM_OK);
	ck_pm(open_it(ring, "a", s), PM_OK);
	free(s.bytes);
	ring_free(ring);
}
END_TEST

START_TEST(records_have_limits)
{
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct record_value value = {calloc(1, RECORD_VALUE_MAX + 1), RECORD_VALUE_MAX};
	uint8_t *bytes;
	size_t len;

	ck_assert_ptr_nonnull(value.bytes);
	ck_pm(record_seal(ring, "a", &record, &value, &bytes, &len), PM_OK);
	free(bytes);
	value.len++;
	ck_pm(record_seal(ring, "a", &record, &value, &bytes, &len), PM_E_LIMIT);
	value.len = 1;
	ck_pm(record_seal(ring, "a b", &record, &value, &bytes, &len), PM_E_LIMIT);
	record_value_free(&value);
	ring_free(ring);
}
END_TEST

static int set_rule(struct record *record, size_t roles, size_t models)
{
	static const char *names[64];
	struct pm_command_statement s = {.roles = names, .role_count = roles, .models = names};

	for (size_t i = 0; i < 64; i++)
		names[i] = i % 2 ? "one" : "another-role-with-a-name-of-some-length-that-fills";
	s.model_count = models;
	return record_set_rule(record, &s);
}

START_TEST(rules_narrow)
{
	static const char *const roles[] = {"worker", "other"}, *const models[] = {"tiny"};
	struct pm_command_statement s = {.roles = roles, .role_count = 2};
	struct record record = new_record();

	ck_pm(record_set_rule(&record, &s), PM_OK);
	ck_assert(record_allows(&record, "worker", NULL));
	ck_assert(record_allows(&record, "other", "large"));
	ck_assert(!record_allows(&record, "work", NULL));
	ck_assert(!record_allows(&record, "workers", NULL));
	s.models = models;
	s.model_count = 1;
	ck_pm(record_set_rule(&record, &s), PM_OK);
	ck_assert(record_allows(&record, "worker", "tiny"));
	ck_assert(!record_allows(&record, "worker", NULL));
	ck_assert(!record_allows(&record, "worker", "large"));
	ck_assert(!record_allows(&record, "third", "tiny"));
	record.rule_len--; /* what can't be read lets nobody in */
	ck_assert(!record_allows(&record, "worker", "tiny"));
	record.rule_len = 0;
	ck_assert(!record_allows(&record, "worker", "tiny"));
	ck_pm(set_rule(&record, 40, 30), PM_OK);
	ck_pm(set_rule(&record, 64, 64), PM_E_LIMIT);
}
END_TEST

/* --- epochs ---------------------------------------------------------------------------------- */

START_TEST(epochs_go_on)
{
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct sealed first = seal(ring, "a", &record), second;
	uint32_t epoch;

	ring_set_epoch(ring, 2, true);
	second = seal(ring, "a", &record);
	ck_pm(record_epoch(first.bytes, first.len, &epoch), PM_OK);
	ck_assert_uint_eq(epoch, 1);
	ck_pm(record_epoch(second.bytes, second.len, &epoch), PM_OK);
	ck_assert_uint_eq(epoch, 2);
	ck_pm(open_it(ring, "a", first), PM_OK);
	ring_set_epoch(ring, 2, false);
	ck_pm(open_it(ring, "a", first), PM_OK); /* it may have come late */
	ring_set_epoch(ring, 3, true);
	ck_pm(open_it(ring, "a", first), PM_OK); /* and is sealed anew now */
	ring_set_epoch(ring, 3, false);
	ck_pm(open_it(ring, "a", first), PM_E_REJECTED);
	ck_pm(open_it(ring, "a", second), PM_OK);
	ring_set_epoch(ring, 2, false); /* an earlier one is passed over */
	ck_assert_uint_eq(ring_epoch(ring), 3);
	ck_assert(ring_accepts(ring, 4)); /* of another, who heard first */
	ck_assert(!ring_accepts(ring, 5));
	ck_assert(!ring_accepts(ring, 0));
	free(first.bytes);
	free(second.bytes);
	ring_free(ring);
}
END_TEST

START_TEST(notes_of_epochs)
{
	struct ring *ring = new_ring(7), *other = new_ring(8);
	struct state_note note = {5, false}, next, found;
	uint8_t bytes[STATE_NOTE_SIZE];

	ck_pm(state_note_rotate(&note, &next), PM_OK);
	ck_assert_uint_eq(next.epoch, 6);
	ck_assert(next.is_rotating);
	ck_pm(state_note_rotate(&next, &found), PM_E_STATE);
	ck_pm(state_note_seal(ring, &next, bytes), PM_OK);
	ck_pm(state_note_open(ring, bytes, sizeof(bytes), &found), PM_OK);
	ck_assert_uint_eq(found.epoch, 6);
	ck_assert(found.is_rotating);
	ck_pm(state_note_open(other, bytes, sizeof(bytes), &found), PM_E_REJECTED);
	ck_pm(state_note_open(ring, bytes, sizeof(bytes) - 1, &found), PM_E_FORMAT);
	bytes[sizeof(bytes) - 1] ^= 1;
	ck_pm(state_note_open(ring, bytes, sizeof(bytes), &found), PM_E_REJECTED);
	ring_free(ring);
	ring_free(other);
}
END_TEST

START_TEST(rings_know_their_secret)
{
	struct ring *ring = new_ring(7), *again = new_ring(7), *other = new_ring(8);
	uint8_t wrong[RING_SECRET_SIZE] = {7, 1};
	const struct pm_sign_public *a = pm_sign_key_public(ring_audit_key(ring));

	ck_assert(ring_is_of(ring, secret));
	ck_assert(!ring_is_of(ring, wrong));
	ck_assert_mem_eq(a->id, pm_sign_key_public(ring_audit_key(again))->id, sizeof(a->id));
	ck_assert_mem_ne(a->id, pm_sign_key_public(ring_audit_key(other))->id, sizeof(a->id));
	ring_free(ring);
	ring_free(again);
	ring_free(other);
}
END_TEST

/* --- who may have what ----------------------------------------------------------------------- */

struct court {
	struct pm_manifest *m;
	struct pm_mesh_identity who;
	struct record record;
};

static struct court *court_new(void)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	struct court *c = calloc(1, sizeof(*c));
	struct pm_view text;

	ck_assert_ptr_nonnull(c);
	doc_set(base, "roles worker calls", json_pack("[s, s]", "coordinator", "secrets"));
	doc_set(base, "roles secrets",
		json_deep_copy(json_object_get(json_object_get(base, "roles"), "coordinator")));
	text = doc_text(base, 0);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &c->m), PM_OK);
	test_free(text);
	json_decref(table);
	c->record = new_record();
	c->who = (struct pm_mesh_identity){.role = "worker",
		.replica = "a",
		.model_count = 1,
		.models = {"meta-llama/Llama-3.3-70B"},
		.purpose = PM_MESH_TLS,
		.not_before = 10,
		.not_after = 90};
	pm_manifest_hash(c->m, c->who.manifest_hash);
	return c;
}

static void court_free(struct court *c)
{
	pm_manifest_free(c->m);
	free(c);
}

static bool may(const struct court *c, const char *id)
{
	return access_may_have(c->m, &c->who, id, &c->record, 50);
}

START_TEST(secrets_by_the_manifest)
{
	struct court *c = court_new();

	ck_assert(may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	ck_assert(!may(c, "other"));	  /* no rule for this role */
	c->record.kind = RECORD_OPERATOR; /* whatever the manifest says */
	ck_assert(!may(c, "inference/x"));
	ck_assert(!may(c, "tls"));
	c->record.kind = RECORD_OWNERS;
	ck_assert(!may(c, "tls2"));
	strcpy(c->who.models[0], "tiny");
	ck_assert(!may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	c->who.model_count = 0;
	ck_assert(!may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	strcpy(c->who.role, "coordinator");
	ck_assert(may(c, "other"));
	ck_assert(may(c, "inference/x"));
	strcpy(c->who.role, "secrets");
	ck_assert(!may(c, "tls"));
	court_free(c);
}
END_TEST

START_TEST(secrets_by_their_own_rule)
{
	static const char *const workers[] = {"worker"}, *const others[] = {"coordinator"};
	static const char *const tiny[] = {"tiny"};
	struct pm_command_statement s = {.roles = workers, .role_count = 1};
	struct court *c = court_new();

	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(may(c, "tls"));
	ck_assert(!may(c, "other")); /* it never widens */
	s.models = tiny;
	s.model_count = 1;
	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(!may(c, "tls"));
	strcpy(c->who.models[1], "tiny");
	c->who.model_count = 2;
	ck_assert(may(c, "tls"));
	/* One and the same model must satisfy both. */
	ck_assert(!may(c, "inference/x"));
	s = (struct pm_command_statement){.roles = others, .role_count = 1};
	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(!may(c, "tls"));
	court_free(c);
}
END_TEST

START_TEST(secrets_end)
{
	struct court *c = court_new();

	ck_assert(access_may_have(c->m, &c->who, "tls", &c->record, 99));
	ck_assert(!access_may_have(c->m, &c->who, "tls", &c->record, 100));
	ck_assert(!access_may_have(c->m, &c->who, "tls", &c->record, 101));
	court_free(c);
}
END_TEST

/* --- rates ----------------------------------------------------------------------------------- */

START_TEST(rates)
{
	static const struct limit_rules rules = {2, 3, 1000, 1000};
	struct limit *limit = limit_new(&rules, 1);

	ck_assert_ptr_nonnull(limit);
	for (int i = 0; i < 3; i++)
		ck_assert(limit_take(limit, "a", 1, 1000));
	ck_assert(!limit_take(limit, "a", 1, 1000));
	ck_assert(limit_take(limit, "b", 1, 1000)); /* another's is his own */
	ck_assert(!limit_take(limit, "a", 1, 1499));
	ck_assert(limit_take(limit, "a", 1, 1500)); /* two a second */
	ck_assert(!limit_take(limit, "a", 1, 1500));
	for (int i = 0; i < 3; i++)
		ck_assert(limit_take(limit, "a", 1, INT64_MAX / 2));
	ck_assert(!limit_take(limit, "a", 1, INT64_MAX / 2));
	ck_assert(!limit_take(limit, "", 0, INT64_MAX / 2));
	limit_free(limit);
}
END_TEST

/* Whoever comes from a great many addresses is held by the rate of all. */
START_TEST(rate_of_all)
{
	static const struct limit_rules rules = {1, 1, 1, 100};
	struct limit *limit = limit_new(&rules, 1);
	size_t taken = 0;

	for (uint32_t i = 0; i < 4 * LIMIT_CLIENTS; i++)
		taken += limit_take(limit, &i, sizeof(i), 5);
	ck_assert_uint_eq(taken, 100);
	limit_free(limit);
}
END_TEST

START_TEST(clients_by_address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6}, mapped = {.sin6_family = AF_INET6};
	uint8_t a[LIMIT_KEY_MAX], b[LIMIT_KEY_MAX];
	size_t n = limit_key_of_address((struct sockaddr *)&v4, a);

	mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
	mapped.sin6_addr.s6_addr[12] = 127;
	mapped.sin6_addr.s6_addr[15] = 1;
	ck_assert_uint_eq(limit_key_of_address((struct sockaddr *)&mapped, b), n);
	ck_assert_mem_eq(a, b, n);
	v6.sin6_addr.s6_addr[0] = 0x20;
	n = limit_key_of_address((struct sockaddr *)&v6, a);
	v6.sin6_addr.s6_addr[15] = 9; /* the same customer */
	ck_assert_uint_eq(limit_key_of_address((struct sockaddr *)&v6, b), n);
	ck_assert_mem_eq(a, b, n);
	v6.sin6_addr.s6_addr[7] = 9;
	limit_key_of_address((struct sockaddr *)&v6, b);
	ck_assert_mem_ne(a, b, n);
}
END_TEST

/* --- who hears what -------------------------------------------------------------------------- */

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
	struct hub *hub = hub_new(1);

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
	struct hub *hub = hub_new(1);

	ck_pm(hub_note(hub, "w", "a", v2, 100, 20), PM_OK);
	hub_changed(hub, "a", NULL, 18, 10);
	hub_changed(hub, "a", v1, 20, 10);
	ck_assert(hub_has(hub, "w", "a", v2));
	hub_changed(hub, "a", NULL, 21, 10);
	ck_assert(!hub_has(hub, "w", "a", v2));
	hub_free(hub);
}
END_TEST

START_TEST(workers_hear_of_theirs)
{
	struct hub *hub = hub_new(1);
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
	struct hub *hub = hub_new(1);
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
	struct hub *hub = hub_new(1);
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
	struct hub *hub = hub_new(1);
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

START_TEST(all_ids_of_the_hub)
{
	enum { COUNT = 1000 };
	char ids[16][PM_COMMAND_ID_MAX + 1], id[16];
	bool seen[COUNT] = {0};
	struct hub *hub = hub_new(1);
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

/* --- backups --------------------------------------------------------------------------------- */

struct tape {
	struct backup backup;
	struct buffer text;
	uint8_t key[BACKUP_KEY_SIZE];
	char *lines[8];
	size_t count;
};

static void split(struct tape *t)
{
	char *at = t->text.bytes, *end;

	t->count = 0;
	while ((end = memchr(at, '\n', t->text.len - (size_t)(at - t->text.bytes)))) {
		*end = '\0';
		t->lines[t->count++] = at;
		at = end + 1;
	}
}

/* The first line is for the holders of shares; the key is as if one of them had opened his box. */
static void record_tape(struct tape *t)
{
	uint8_t canary[] = "CANARY-of-a-secret";
	struct record_value value = {canary, sizeof(canary)};
	struct record record = new_record();

	*t = (struct tape){.key = {3}};
	ck_pm(backup_open(&t->backup, t->key), PM_OK);
	ck_assert(buffer_add(&t->text, "{}\n", 3, SIZE_MAX));
	ck_pm(backup_add(&t->backup, "a", &record, &value, &t->text), PM_OK);
	ck_pm(backup_add(&t->backup, "b", &record, &value, &t->text), PM_OK);
	ck_pm(backup_end(&t->backup, &t->text), PM_OK);
	backup_free(&t->backup);
	ck_assert_ptr_null(memmem(t->text.bytes, t->text.len, "CANARY", 6));
	split(t);
	ck_assert_uint_eq(t->count, 4);
}

static int play(struct tape *t, size_t line, char ret_id[PM_COMMAND_ID_MAX + 1])
{
	struct record_value value = {0};
	struct record record;
	int r = backup_read(
		&t->backup, t->lines[line], strlen(t->lines[line]), ret_id, &record, &value);

	if (r == PM_OK && !t->backup.is_whole) {
		ck_assert_str_eq((const char *)value.bytes, "CANARY-of-a-secret");
		ck_assert_int_eq(record.expires, 100);
	}
	record_value_free(&value);
	return r;
}

START_TEST(backups_come_back)
{
	char id[PM_COMMAND_ID_MAX + 1];
	struct tape t;

	record_tape(&t);
	ck_pm(backup_open(&t.backup, t.key), PM_OK);
	ck_pm(play(&t, 2, id), PM_E_REJECTED); /* moved */
	ck_pm(play(&t, 1, id), PM_OK);
	ck_assert_str_eq(id, "a");
	ck_pm(play(&t, 1, id), PM_E_REJECTED); /* twice */
	ck_pm(play(&t, 3, id), PM_E_REJECTED); /* one is missing */
	ck_pm(play(&t, 2, id), PM_OK);
	ck_assert_str_eq(id, "b");
	ck_assert(!t.backup.is_whole);
	ck_pm(play(&t, 3, id), PM_OK);
	ck_assert(t.backup.is_whole);
	ck_pm(play(&t, 3, id), PM_E_REJECTED);
	backup_free(&t.backup);
	t.key[0] ^= 1;
	ck_pm(backup_open(&t.backup, t.key), PM_OK);
	ck_pm(play(&t, 1, id), PM_E_REJECTED);
	backup_free(&t.backup);
	buffer_free(&t.text);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("secrets");
	TCase *tc = tcase_create("secrets");

	tcase_add_test(tc, records_are_sealed);
	tcase_add_test(tc, records_are_whole);
	tcase_add_test(tc, records_have_limits);
	tcase_add_test(tc, rules_narrow);
	tcase_add_test(tc, epochs_go_on);
	tcase_add_test(tc, notes_of_epochs);
	tcase_add_test(tc, rings_know_their_secret);
	tcase_add_test(tc, secrets_by_the_manifest);
	tcase_add_test(tc, secrets_by_their_own_rule);
	tcase_add_test(tc, secrets_end);
	tcase_add_test(tc, rates);
	tcase_add_test(tc, rate_of_all);
	tcase_add_test(tc, clients_by_address);
	tcase_add_test(tc, changes_on_the_way_are_noticed);
	tcase_add_test(tc, late_changes_end_nothing);
	tcase_add_test(tc, workers_hear_of_theirs);
	tcase_add_test(tc, an_expiry_is_no_revocation);
	tcase_add_test(tc, what_ended_meanwhile_waits);
	tcase_add_test(tc, the_hub_is_bounded);
	tcase_add_test(tc, all_ids_of_the_hub);
	tcase_add_test(tc, backups_come_back);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
