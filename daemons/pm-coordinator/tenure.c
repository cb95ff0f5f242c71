/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/tenure.h"

#include <stdlib.h>
#include <string.h>

/* --- the whole ------------------------------------------------------------------------------- */

void tenure_free(struct tenure *tenure)
{
	if (!tenure)
		return;
	head_free(tenure->head);
	pm_manifest_free(tenure->manifest);
	pm_authority_free(tenure->authority);
	free(tenure->bytes);
	free(tenure);
}

static bool take_bytes(struct tenure *tenure, const void *bytes, size_t len)
{
	tenure->bytes = malloc(len ? len : 1);
	if (!tenure->bytes)
		return false;
	memcpy(tenure->bytes, bytes, len);
	tenure->len = len;
	return true;
}

bool tenure_set_manifest(struct tenure *tenure, const void *bytes, size_t len)
{
	struct pm_manifest *manifest = NULL;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	if (pm_manifest_parse(bytes, len, NULL, &manifest) < 0)
		return false;
	pm_manifest_hash(manifest, hash);
	if (memcmp(hash, tenure->head->manifest, sizeof(hash)) != 0 ||
		!take_bytes(tenure, bytes, len)) {
		pm_manifest_free(manifest);
		return false;
	}
	tenure->manifest = manifest;
	return true;
}

struct tenure *tenure_copy(const struct tenure *tenure)
{
	struct tenure *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->head = head_copy(tenure->head);
	if (copy->head &&
		(!tenure->manifest || tenure_set_manifest(copy, tenure->bytes, tenure->len)))
		return copy;
	tenure_free(copy);
	return NULL;
}

/* --- a new one ------------------------------------------------------------------------------- */

static int copy_history(const struct head *head, struct pm_history **ret)
{
	char *text = NULL;
	size_t len = 0;
	int r = pm_history_text(head->history, 0, &text, &len);

	if (r == PM_OK)
		r = pm_history_parse(text, len, NULL, ret);
	pm_history_text_free(text);
	return r;
}

/* Of a history no time goes back: who wrote the last link may have had a clock that was ahead. */
static int64_t not_before(const struct tenure_plan *plan)
{
	int64_t last = plan->before ? head_link(plan->before->head)->time : plan->now;

	return last > plan->now ? last : plan->now;
}

static int add_link(struct tenure *t, const struct tenure_plan *plan, struct pm_report *report)
{
	int r = plan->before ? copy_history(plan->before->head, &t->head->history)
			     : pm_history_new(&t->head->history);

	return r == PM_OK
		       ? pm_history_append(t->head->history, t->manifest,
				 pm_authority_history_key(t->authority), not_before(plan), report)
		       : r;
}

static bool set_certs(struct head *head, const struct pm_authority *authority)
{
	const uint8_t *mesh = pm_authority_mesh_ca(authority, &head->mesh_ca_len);
	const uint8_t *root = pm_authority_root_ca(authority, &head->root_ca_len);

	if (head->mesh_ca_len > HEAD_CERT_MAX || head->root_ca_len > HEAD_CERT_MAX)
		return false;
	memcpy(head->mesh_ca, mesh, head->mesh_ca_len);
	memcpy(head->root_ca, root, head->root_ca_len);
	return true;
}

static int settle(struct head *head, const struct pm_authority *authority)
{
	if (!set_certs(head, authority))
		return PM_E_LIMIT;
	return head_settle(head) ? PM_OK : PM_E_CRYPTO;
}

static int box_shares(struct head *head, const struct pm_manifest_share_owners *owners,
	const uint8_t *shares, size_t count)
{
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < count; i++) {
		const struct pm_manifest_share_owner *owner = pm_manifest_share_owner_at(owners, i);

		strcpy(head->shares[i].name, owner->name);
		r = pm_box_seal(owner->key, "seed share", head->commitment,
			sizeof(head->commitment), shares + i * PM_SHARE_SIZE, PM_SHARE_SIZE,
			head->shares[i].box);
	}
	if (r == PM_OK)
		head->share_count = count;
	return r;
}

/* Each to its owner, so that the host can keep them all. */
static int deal_shares(struct tenure *t, const struct pm_seed *seed)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(t->manifest);
	uint8_t shares[PM_SHARES_MAX * PM_SHARE_SIZE];
	size_t count = 0;
	int r;

	while (owners && pm_manifest_share_owner_at(owners, count))
		count++;
	if (!count)
		return PM_OK;
	if (count > PM_SHARES_MAX)
		return PM_E_LIMIT;
	r = pm_shares_split(
		pm_seed_bytes(seed), pm_manifest_share_owners_threshold(owners), count, shares);
	if (r == PM_OK)
		r = box_shares(t->head, owners, shares, count);
	if (r == PM_OK)
		t->head->dealt = pm_manifest_serial(t->manifest);
	explicit_bzero(shares, sizeof(shares));
	return r;
}

static bool is_same_owner(
	const struct pm_manifest_share_owner *a, const struct pm_manifest_share_owner *b)
{
	return strcmp(a->name, b->name) == 0 && memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

static bool are_same_owners(
	const struct pm_manifest_share_owners *a, const struct pm_manifest_share_owners *b)
{
	const struct pm_manifest_share_owner *x, *y;

	if (!a || !b)
		return a == b;
	if (pm_manifest_share_owners_threshold(a) != pm_manifest_share_owners_threshold(b))
		return false;
	for (size_t i = 0;; i++) {
		x = pm_manifest_share_owner_at(a, i);
		y = pm_manifest_share_owner_at(b, i);
		if (!x || !y)
			return x == y;
		if (!is_same_owner(x, y))
			return false;
	}
}

/* Those of before, whole: of two dealings no share goes with one of the other. */
static void keep_shares(struct head *head, const struct head *before)
{
	head->dealt = before->dealt;
	head->share_count = before->share_count;
	memcpy(head->shares, before->shares, sizeof(head->shares));
}

static int set_shares(struct tenure *t, const struct tenure_plan *plan)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(t->manifest);
	const struct pm_manifest_share_owners *before =
		plan->before ? pm_manifest_seed_share_owners(plan->before->manifest) : NULL;

	t->head->dealt = 1;
	if (!plan->before || !are_same_owners(owners, before))
		return deal_shares(t, plan->seed);
	keep_shares(t->head, plan->before->head);
	return PM_OK;
}

static int fill(struct tenure *t, const struct tenure_plan *plan, struct pm_report *report)
{
	int r = pm_manifest_parse(plan->bytes, plan->len, report, &t->manifest);

	if (r == PM_OK && !take_bytes(t, plan->bytes, plan->len))
		r = PM_E_NOMEM;
	if (r == PM_OK)
		r = pm_authority_new(
			plan->seed, t->manifest, NULL, NULL, 0, plan->now, report, &t->authority);
	if (r == PM_OK)
		r = pm_seed_commitment(plan->seed, t->head->commitment);
	if (r == PM_OK)
		r = add_link(t, plan, report);
	if (r == PM_OK)
		r = set_shares(t, plan);
	if (r < 0)
		return r;
	t->head->at.seq = (plan->before ? plan->before->head->at.seq : 0) + 1;
	pm_manifest_hash(t->manifest, t->head->manifest);
	r = settle(t->head, t->authority);
	return r < 0 ? r : head_check_room(t->head);
}

int tenure_plan(
	const struct tenure_plan *plan, struct pm_report *report, struct tenure **ret_tenure)
{
	struct tenure *t = calloc(1, sizeof(*t));
	int r = PM_E_NOMEM;

	if (t)
		t->head = calloc(1, sizeof(*t->head));
	if (t && t->head)
		r = fill(t, plan, report);
	if (r < 0) {
		tenure_free(t);
		return r;
	}
	*ret_tenure = t;
	return PM_OK;
}

/* --- one that the store showed --------------------------------------------------------------- */

/* Only who has the seed could have made it: its root CA, its commitment, and its links. */
static int check_head(const struct tenure *t, const struct pm_seed *seed,
	const struct pm_authority *authority, const struct tenure *held, struct pm_report *report)
{
	const struct head *head = t->head;
	uint8_t commitment[PM_SEED_COMMITMENT_SIZE];
	struct pm_memory memory = {0}, seen;
	size_t root_len = 0;
	const uint8_t *root = pm_authority_root_ca(authority, &root_len);
	int r = pm_seed_commitment(seed, commitment);

	if (r < 0)
		return r;
	if (memcmp(commitment, head->commitment, sizeof(commitment)) != 0 ||
		root_len != head->root_ca_len || memcmp(root, head->root_ca, root_len) != 0 ||
		(held && !head_leads_on(head, held->head)))
		return PM_E_REJECTED;
	if (held) {
		memory.serial = held->head->at.serial;
		memcpy(memory.manifest, held->head->manifest, sizeof(memory.manifest));
		memory.has_link = true;
		memcpy(memory.link, held->head->at.link, sizeof(memory.link));
	}
	return pm_history_verify(head->history,
		pm_sign_key_public(pm_authority_history_key(authority)), t->manifest,
		held ? &memory : NULL, report, &seen);
}

/*
 * Without peers, nobody would get at the seed again after the end of a manifest, if no mesh CA
 * could be drawn for it.
 */
static int64_t not_past_end(const struct tenure *tenure, int64_t now)
{
	int64_t end = pm_manifest_not_after(tenure->manifest);

	return now < end ? now : end;
}

int tenure_take(struct tenure *tenure, const struct pm_seed *seed, const uint8_t *mesh_key,
	const struct tenure *held, int64_t now, struct pm_report *report)
{
	struct pm_authority *authority = NULL;
	int r = mesh_key ? pm_authority_new(seed, tenure->manifest, mesh_key, tenure->head->mesh_ca,
				   tenure->head->mesh_ca_len, now, report, &authority)
			 : pm_authority_new(seed, tenure->manifest, NULL, NULL, 0,
				   not_past_end(tenure, now), report, &authority);

	if (r == PM_OK)
		r = check_head(tenure, seed, authority, held, report);
	if (r == PM_OK && !mesh_key) {
		tenure->head->at.seq++;
		r = settle(tenure->head, authority);
	}
	if (r < 0) {
		pm_authority_free(authority);
		return r;
	}
	pm_authority_free(tenure->authority);
	tenure->authority = authority;
	return PM_OK;
}
