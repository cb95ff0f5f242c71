/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at the store each second. A head that is another than ours is followed: its manifest is
 * fetched, and its keys come from a peer. Where no peer answers, another mesh CA is made; the wait
 * before that doubles, so that coordinators that can't see each other do not take turns for long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#include "common/clock.h"
#include "common/log.h"
#include "pm-coordinator/coordinator.h"
#include "pm-coordinator/peer.h"

#define TICK_MILLISECONDS 1000
#define ASK_MILLISECONDS  3000 /* between two rounds of peers */
#define RENEW_FIRST	  10000
#define RENEW_LAST	  3600000
/* How many coordinators there are: each says so, for so long. */
#define REPLICA_PREFIX	   "coordinator/replica/"
#define REPLICA_SECONDS	   30
#define COUNT_MILLISECONDS 10000

/* --- another mesh CA ------------------------------------------------------------------------- */

static void on_renewed(void *arg, bool taken)
{
	struct coordinator *c = arg;
	const struct pm_audit_field field = {"reason", "no peer gave the keys of the mesh CA"};

	if (!taken)
		return;
	log_event(LOG_LEVEL_WARN, "renewed", "reason", field.value, NULL);
	(void)journal_add(c->journal, "mesh.renewed", &field, 1, NULL, NULL);
}

static void renew(struct coordinator *c)
{
	struct pm_report *report = pm_report_new();
	struct tenure *next = c->seen ? tenure_copy(c->seen) : NULL;
	int r = next && report
			? tenure_take(next, c->seed, NULL, c->own, (int64_t)time(NULL), report)
			: PM_E_NOMEM;

	c->renew_at = 0;
	if (r < 0) {
		log_event(LOG_LEVEL_ERROR, "renew", "reason",
			report && *pm_report_reason(report) ? pm_report_reason(report)
							    : pm_strerror(r),
			NULL);
		tenure_free(next);
	} else {
		c->renew_wait = 2 * c->renew_wait > RENEW_LAST ? RENEW_LAST : 2 * c->renew_wait;
		(void)commit_start(c, MACHINE_RENEW, next, NULL, on_renewed, c);
	}
	pm_report_free(report);
}

/* --- keys of a peer -------------------------------------------------------------------------- */

/* Ours, where we have one: keys of another deployment are not held beside it. */
static int check_seed(const struct coordinator *c, const struct pm_seed *seed)
{
	uint8_t ours[PM_SEED_COMMITMENT_SIZE], theirs[PM_SEED_COMMITMENT_SIZE];
	int r = c->seed ? pm_seed_commitment(c->seed, ours) : PM_OK;

	if (r < 0 || !c->seed)
		return r;
	r = pm_seed_commitment(seed, theirs);
	return r == PM_OK && memcmp(ours, theirs, sizeof(ours)) != 0 ? PM_E_REJECTED : r;
}

/* The seed proves itself by the commitment, the history and the mesh CA: see tenure_take(). */
static int take_keys(struct coordinator *c, struct pm_membership *membership,
	struct pm_report *report, struct tenure *tenure)
{
	size_t ca_len = 0, key_len = 0;
	const uint8_t *seed_bytes = pm_membership_seed(membership);
	const uint8_t *ca = pm_membership_mesh_ca(membership, &ca_len);
	const uint8_t *key = pm_membership_mesh_key(membership, &key_len);
	struct pm_seed *seed = NULL;
	int r;

	if (!seed_bytes || !key || key_len != PM_AUTHORITY_MESH_KEY_SIZE ||
		ca_len != tenure->head->mesh_ca_len ||
		memcmp(ca, tenure->head->mesh_ca, ca_len) != 0)
		return PM_E_REJECTED;
	r = pm_seed_from(seed_bytes, &seed);
	if (r == PM_OK)
		r = check_seed(c, seed);
	if (r == PM_OK)
		r = tenure_take(tenure, seed, key, c->own, (int64_t)time(NULL), report);
	if (r == PM_OK && !machine_took(&c->machine, &tenure->head->at))
		r = PM_E_STATE;
	if (r == PM_OK && !c->seed)
		coordinator_set_seed(c, seed);
	else
		pm_seed_free(seed);
	return r;
}

static void on_peer(void *arg, struct pm_membership *membership)
{
	struct coordinator *c = arg;
	struct pm_report *report = pm_report_new();
	struct tenure *tenure = membership && c->seen ? tenure_copy(c->seen) : NULL;
	int r = tenure && report ? take_keys(c, membership, report, tenure) : PM_E_MISSING;

	pm_membership_free(membership);
	c->is_asking_peers = false;
	c->ask_peers_at = loop_now() + ASK_MILLISECONDS;
	if (r == PM_OK) {
		/* The machine says that they are here: without memory it ends, as after a crash. */
		if (!coordinator_install(c, tenure))
			abort();
		log_event(LOG_LEVEL_INFO, "followed", "by", "peer", NULL);
		look_now(c);
	} else if (tenure) {
		log_event(LOG_LEVEL_WARN, "follow", "reason",
			report && *pm_report_reason(report) ? pm_report_reason(report)
							    : pm_strerror(r),
			NULL);
		tenure_free(tenure);
	}
	pm_report_free(report);
}

/* --- following ------------------------------------------------------------------------------- */

static void on_manifest(void *arg, const struct store_result *result)
{
	struct coordinator *c = arg;

	c->is_fetching = false;
	if (!c->seen || c->seen->manifest)
		return;
	if (result->error != PM_OK)
		log_event(LOG_LEVEL_WARN, "store", "what", "manifest", "reason",
			result->error == PM_E_MISSING ? "it is not there" : result->reason, NULL);
	else if (!tenure_set_manifest(c->seen, result->entries[0].value, result->entries[0].len))
		log_event(LOG_LEVEL_ERROR, "store", "what", "manifest", "reason",
			"it does not have the hash of the history", NULL);
	c->is_document_old = true;
}

static void fetch_manifest(struct coordinator *c)
{
	char key[STORE_KEY_MAX], hex[2 * PM_MANIFEST_HASH_SIZE + 1];

	pm_hex_encode(c->seen->head->manifest, PM_MANIFEST_HASH_SIZE, hex);
	snprintf(key, sizeof(key), "coordinator/manifest/%s", hex);
	c->is_fetching = store_get(c->store, key, on_manifest, c) != NULL;
}

/*
 * When no peer gave the keys for a while. Without peers, others of this store are a mistake; but
 * who was recovered and could not write yet has nobody to follow.
 */
static void consider_renewal(struct coordinator *c)
{
	int64_t now = loop_now();

	if (!c->seed || (c->own && !c->options->peer_count) || c->commit)
		return;
	if (!c->renew_at)
		c->renew_at = now + c->renew_wait;
	else if (now >= c->renew_at)
		renew(c);
}

static void follow(struct coordinator *c)
{
	if (!c->seen)
		return;
	if (!c->seen->manifest) {
		if (!c->is_fetching)
			fetch_manifest(c);
		return;
	}
	if (!c->options->peer_count || c->is_asking_peers || loop_now() < c->ask_peers_at) {
		if (!c->is_asking_peers)
			consider_renewal(c);
		return;
	}
	c->is_asking_peers = peers_ask(c->peers, c->seen->bytes, c->seen->len, on_peer, c);
}

/* --- looking --------------------------------------------------------------------------------- */

/* Another head than the one that is known. */
static void adopt(struct coordinator *c, struct head *head)
{
	struct tenure *tenure = calloc(1, sizeof(*tenure));

	if (!tenure) {
		head_free(head);
		return;
	}
	tenure->head = head;
	tenure_free(c->seen);
	c->seen = tenure;
	c->is_document_old = true;
	c->ask_peers_at = 0;
	if (c->own && memcmp(c->own->head->manifest, head->manifest, sizeof(head->manifest)) == 0)
		(void)tenure_set_manifest(tenure, c->own->bytes, c->own->len);
	if (c->own && !c->options->peer_count)
		log_event(LOG_LEVEL_ERROR, "store", "reason",
			"another coordinator writes there: --peer is needed", NULL);
}

static void judge(struct coordinator *c, struct head *head)
{
	const struct tenure *known = coordinator_newest(c);
	bool leads_on = !known || head_leads_on(head, known->head);
	bool is_new = !known || head->at.revision != known->head->at.revision;
	enum machine_next next = machine_saw(&c->machine, &head->at, leads_on, c->look_asked);

	if (next == MACHINE_REFUSE) {
		log_event(LOG_LEVEL_ERROR, "store", "reason",
			"it shows an older state, or another history, than it did before", NULL);
		head_free(head);
		return;
	}
	if (is_new && !c->commit && (!c->own || next == MACHINE_FOLLOW))
		adopt(c, head);
	else
		head_free(head);
}

/* So that a history is not read again each second. */
static bool is_known(const struct coordinator *c, const struct store_entry *entry)
{
	const struct tenure *known = coordinator_newest(c);
	uint8_t text[TLS_DIGEST_SIZE];

	return known && known->head->at.revision == entry->revision &&
	       tls_sha256(entry->value, entry->len, text) == PM_OK &&
	       memcmp(text, known->head->text, sizeof(text)) == 0;
}

static void on_head(void *arg, const struct store_result *result)
{
	struct coordinator *c = arg;
	const struct tenure *known = coordinator_newest(c);
	const struct store_entry *e = result->entries;
	struct head *head = NULL;

	c->is_looking = false;
	if (result->error == PM_E_MISSING) {
		if (machine_saw(&c->machine, NULL, true, c->look_asked) == MACHINE_REFUSE)
			log_event(LOG_LEVEL_ERROR, "store", "reason", "its head is gone", NULL);
		return;
	}
	if (result->error != PM_OK) {
		log_event(LOG_LEVEL_WARN, "store", "reason", result->reason, NULL);
		return;
	}
	if (is_known(c, e))
		(void)machine_saw(&c->machine, &known->head->at, true, c->look_asked);
	else if ((head = head_parse(e->value, e->len, e->revision)))
		judge(c, head);
	else
		log_event(LOG_LEVEL_ERROR, "store", "reason", "its head is malformed", NULL);
	follow(c);
}

void look_now(struct coordinator *c)
{
	if (c->is_looking)
		return;
	c->look_asked = loop_now();
	c->is_looking = store_get(c->store, HEAD_KEY, on_head, c) != NULL;
}

/* --- how many there are ---------------------------------------------------------------------- */

static void on_counted(void *arg, const struct store_result *result)
{
	struct coordinator *c = arg;

	c->is_counting = false;
	if (result->error == PM_OK)
		c->replicas = (unsigned int)result->count;
}

static void on_told(void *arg, const struct store_result *result)
{
	struct coordinator *c = arg;

	(void)result;
	c->is_counting = store_list(c->store, REPLICA_PREFIX, NULL, 0, on_counted, c) != NULL;
}

static void count(struct coordinator *c)
{
	char key[STORE_KEY_MAX];

	if (c->is_counting || loop_now() < c->count_at)
		return;
	c->count_at = loop_now() + COUNT_MILLISECONDS;
	snprintf(key, sizeof(key), REPLICA_PREFIX "%s", c->id);
	c->is_counting = store_put(c->store, key, "", 0, clock_seconds() + REPLICA_SECONDS,
				 STORE_ANY, on_told, c) != NULL;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct coordinator *c = arg;

	(void)fd;
	(void)what;
	look_now(c);
	journal_look(c->journal);
	count(c);
}

int look_start(struct coordinator *c)
{
	struct timeval period = loop_time(TICK_MILLISECONDS);

	c->renew_wait = RENEW_FIRST;
	c->tick = event_new(c->loop->base, -1, EV_PERSIST, on_tick, c);
	if (!c->tick || event_add(c->tick, &period))
		return PM_E_NOMEM;
	look_now(c);
	count(c);
	return PM_OK;
}
