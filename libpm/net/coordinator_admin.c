/* SPDX-License-Identifier: Apache-2.0 */
/* What owners and the curious ask a coordinator: its state, its log, and to take a manifest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "net/coordinator.h"

/* Of a status, and of what came of a share. */
#define STATUS_MAX 4096
/* Of PM_MANIFEST_OWNERS_MAX boxes in base64, and what stands around. */
#define CHANGE_MAX (PM_MANIFEST_OWNERS_MAX * (PM_COORDINATOR_BOX_MAX / 3 * 4 + 256) + 1024)

static int ask(struct pm_coordinator *coordinator, const struct pm_ask *ask,
	struct pm_report *report, json_t **ret)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	int r = pm_ask(&coordinator->server, ask, report, &response);

	return r < 0 ? r
		     : pm_json_parse(PM_COORDINATOR_CHECK, pm_view(response.body, response.len),
			       ask->max, report, ret);
}

/* --- status ---------------------------------------------------------------------------------- */

#define NUMBER_MAX 1000000

static int read_serial(PM_ASK_ARGS)
{
	struct pm_coordinator_status *status = target;
	int64_t serial = 0;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = pm_json_integer(at, value, 1, (int64_t)PM_MANIFEST_SERIAL_MAX, &serial);
	status->serial = (uint64_t)serial;
	return r;
}

static int read_hash(PM_ASK_ARGS)
{
	struct pm_coordinator_status *status = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = pm_json_hex(at, value, status->manifest, sizeof(status->manifest));
	status->has_manifest = r == PM_OK;
	return r;
}

static int read_mesh_ca(PM_ASK_ARGS)
{
	struct pm_coordinator_status *status = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = pm_json_hex(at, value, status->mesh_ca, sizeof(status->mesh_ca));
	status->has_mesh_ca = r == PM_OK;
	return r;
}

static int read_count(PM_ASK_ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 0, NUMBER_MAX, &n);

	if (r == PM_OK)
		*PM_JSON_SLOT(uint32_t, target, rule) = (uint32_t)n;
	return r;
}

#define AT(member) .offset = offsetof(struct pm_coordinator_status, member)

static const struct pm_json_rule shares_rules[] = {
	{.key = "Have", .read = read_count, AT(shares_have)},
	{.key = "Need", .read = read_count, AT(shares_need)},
};

static int read_shares(PM_ASK_ARGS)
{
	struct pm_coordinator_status *status = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = pm_json_object(at, value, shares_rules, PM_ARRAY_LEN(shares_rules), target);
	status->has_shares = r == PM_OK;
	return r;
}

static const struct pm_json_rule status_rules[] = {
	{.key = "State", .read = pm_coordinator_read_state, AT(state)},
	{.key = "Serial", .read = read_serial},
	{.key = "Manifest", .read = read_hash},
	{.key = "MeshCA", .read = read_mesh_ca, .optional = true},
	{.key = "Replicas", .read = read_count, AT(replicas)},
	{.key = "Shares", .read = read_shares},
};

_Static_assert(sizeof(enum pm_coordinator_state) == sizeof(unsigned int), "the slot of a state");

int pm_coordinator_status(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_status *ret_status)
{
	const struct pm_ask what = {
		.path = PM_COORDINATOR_STATUS_PATH, .type = PM_ASK_JSON, .max = STATUS_MAX};
	struct pm_json_at root = pm_json_root("status", report);
	struct pm_coordinator_status status = {0};
	pm_cleanup(json) json_t *json = NULL;
	int r = ask(coordinator, &what, report, &json);

	if (r == PM_OK)
		r = pm_json_object(&root, json, status_rules, PM_ARRAY_LEN(status_rules), &status);
	if (r < 0)
		return r;
	if (status.has_manifest != (status.serial != 0))
		return pm_fail(report, PM_E_FORMAT, "status",
			"Serial and Manifest, or null for both", "one of them");
	*ret_status = status;
	return PM_OK;
}

/* --- a manifest ------------------------------------------------------------------------------ */

static int read_change_serial(PM_ASK_ARGS)
{
	struct pm_coordinator_change *change = target;
	int64_t serial = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)PM_MANIFEST_SERIAL_MAX, &serial);

	(void)rule;
	if (r == PM_OK)
		change->serial = (uint64_t)serial;
	return r;
}

static int read_name(PM_ASK_ARGS)
{
	struct pm_coordinator_share *share = target;
	const char *name = json_string_value(value);
	int r;

	(void)rule;
	if (!name || strlen(name) > PM_MANIFEST_NAME_MAX)
		return pm_json_complain(at, value, "the name of an owner");
	r = pm_manifest_check_name(at, value, name);
	if (r == PM_OK)
		pm_copy(share->name, name, strlen(name) + 1);
	return r;
}

static int read_box(PM_ASK_ARGS)
{
	const struct pm_json_rule blob_rule = {.max = PM_COORDINATOR_BOX_MAX};
	struct pm_coordinator_share *share = target;
	pm_cleanup(blob) struct pm_blob box = {0};
	int r = pm_ask_read_blob(at, value, &blob_rule, &box);

	(void)rule;
	if (r < 0)
		return r;
	pm_copy(share->box, box.ptr, box.len);
	share->box_len = box.len;
	return PM_OK;
}

static int read_share(PM_ASK_ARGS)
{
	static const struct pm_json_rule rules[] = {
		{.key = "Name", .read = read_name},
		{.key = "Box", .read = read_box},
	};
	struct pm_coordinator_change *change = target;

	(void)rule;
	return pm_json_object(
		at, value, rules, PM_ARRAY_LEN(rules), &change->shares[change->share_count++]);
}

/* An empty list, too: later manifests bring no shares where the same hold them. */
static int read_change_shares(PM_ASK_ARGS)
{
	static const struct pm_json_rule share_rule = {.read = read_share};

	(void)rule;
	if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
		return PM_OK;
	return pm_json_array(at, value, &share_rule, PM_MANIFEST_OWNERS_MAX, target);
}

static const struct pm_json_rule change_rules[] = {
	{.key = "Serial", .read = read_change_serial},
	{.key = "Manifest",
		.read = pm_ask_read_hex,
		.max = PM_MANIFEST_HASH_SIZE,
		.offset = offsetof(struct pm_coordinator_change, manifest)},
	{.key = "Shares", .read = read_change_shares},
};

static bool has_share(const struct pm_coordinator_change *change, const char *name)
{
	for (size_t i = 0; i < change->share_count; i++)
		if (!strcmp(change->shares[i].name, name))
			return true;
	return false;
}

/* Does it bring shares? The first one must; a later one does when it deals them anew. */
static bool brings_shares(
	const struct pm_manifest *manifest, const struct pm_coordinator_change *change)
{
	return pm_manifest_serial(manifest) == 1 || change->share_count;
}

/* A share for each owner of shares, and no other: then each has one, as there are as many. */
static int check_shares(const struct pm_manifest *manifest,
	const struct pm_coordinator_change *change, struct pm_report *report)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(manifest);
	const struct pm_manifest_share_owner *owner;
	size_t wanted = 0;
	char expected[32];

	while (owners && brings_shares(manifest, change) &&
		(owner = pm_manifest_share_owner_at(owners, wanted))) {
		if (!has_share(change, owner->name))
			return pm_fail(report, PM_E_REJECTED, "shares", "one for each owner",
				"none for %s", owner->name);
		wanted++;
	}
	snprintf(expected, sizeof(expected), "%zu", wanted);
	if (change->share_count != wanted)
		return pm_fail(
			report, PM_E_REJECTED, "shares", expected, "%zu", change->share_count);
	return PM_OK;
}

static int check_change(const struct pm_manifest *manifest,
	const struct pm_coordinator_change *change, struct pm_report *report)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char expected[32];
	int r;

	pm_manifest_hash(manifest, hash);
	r = pm_check_bytes(report, "manifest that holds", hash, change->manifest, sizeof(hash));
	if (r < 0)
		return r;
	snprintf(expected, sizeof(expected), "%" PRIu64, pm_manifest_serial(manifest));
	if (change->serial != pm_manifest_serial(manifest))
		return pm_fail(
			report, PM_E_REJECTED, "serial", expected, "%" PRIu64, change->serial);
	return check_shares(manifest, change, report);
}

static int send_manifest(struct pm_coordinator *coordinator, struct pm_view manifest,
	struct pm_view signatures, struct pm_report *report, struct pm_coordinator_change *change)
{
	const struct pm_ask_member members[] = {{"Manifest", manifest}, {"Signatures", signatures}};
	struct pm_ask what = {.path = PM_COORDINATOR_MANIFEST_PATH,
		.type = PM_ASK_JSON,
		.max = CHANGE_MAX,
		.decides = true};
	struct pm_json_at root = pm_json_root("change", report);
	pm_cleanup(json) json_t *json = NULL;
	pm_cleanup(free) char *text = NULL;
	int r = pm_ask_json(members, PM_ARRAY_LEN(members), &text, &what.json.len);

	what.json.ptr = (const uint8_t *)text;
	if (r == PM_OK)
		r = ask(coordinator, &what, report, &json);
	if (r < 0)
		return r;
	return pm_json_object(&root, json, change_rules, PM_ARRAY_LEN(change_rules), change);
}

/* What is malformed is not sent: the coordinator would say less well what is wrong. */
static int check_signatures(struct pm_view text, struct pm_report *report)
{
	struct pm_signatures *signatures = NULL;
	int r = pm_signatures_parse(text.ptr, text.len, report, &signatures);

	pm_signatures_free(signatures);
	return r;
}

int pm_coordinator_set_manifest(struct pm_coordinator *coordinator, const void *manifest,
	size_t manifest_len, const void *signatures, size_t signatures_len,
	struct pm_report *report, struct pm_coordinator_change *ret_change)
{
	pm_cleanup(pm_manifest) struct pm_manifest *parsed = NULL;
	pm_cleanup(free) struct pm_coordinator_change *change = pm_alloc(sizeof(*change));
	int r = change ? pm_manifest_parse(manifest, manifest_len, report, &parsed) : PM_E_NOMEM;

	if (r == PM_OK)
		r = check_signatures(pm_view(signatures, signatures_len), report);
	if (r == PM_OK)
		r = send_manifest(coordinator, pm_view(manifest, manifest_len),
			pm_view(signatures, signatures_len), report, change);
	if (r == PM_OK)
		r = check_change(parsed, change, report);
	if (r == PM_OK)
		*ret_change = *change;
	return r;
}

/* --- the log --------------------------------------------------------------------------------- */

static int check_lines(const struct pm_http_response *response, struct pm_report *report)
{
	if (response->len && response->body[response->len - 1] != '\n')
		return pm_fail(report, PM_E_FORMAT, "log", "whole lines", "a line without end");
	if (response->len && memchr(response->body, '\0', response->len))
		return pm_fail(report, PM_E_FORMAT, "log", "text", "a zero byte");
	return PM_OK;
}

int pm_coordinator_log(struct pm_coordinator *coordinator, uint64_t after, struct pm_report *report,
	char **ret_text, size_t *ret_len)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	char path[sizeof(PM_COORDINATOR_LOG_PATH) + 32];
	const struct pm_ask what = {
		.path = path, .type = PM_ASK_TEXT, .max = PM_COORDINATOR_LOG_MAX};
	char *text;
	int r;

	snprintf(path, sizeof(path), "%s?after=%" PRIu64, PM_COORDINATOR_LOG_PATH, after);
	r = pm_ask(&coordinator->server, &what, report, &response);
	if (r == PM_OK)
		r = check_lines(&response, report);
	if (r < 0)
		return r;
	text = pm_alloc(response.len + 1);
	if (!text)
		return PM_E_NOMEM;
	pm_copy(text, response.body, response.len);
	*ret_text = text;
	*ret_len = response.len;
	return PM_OK;
}

void pm_coordinator_text_free(char *text)
{
	free(text);
}

/* --- recovery -------------------------------------------------------------------------------- */

/* {"Have", "Need", "State"}, as in a status. */
static int read_progress(
	json_t *json, struct pm_report *report, struct pm_coordinator_status *ret_status)
{
	static const struct pm_json_rule rules[] = {
		{.key = "Have", .read = read_count, AT(shares_have)},
		{.key = "Need", .read = read_count, AT(shares_need)},
		{.key = "State", .read = pm_coordinator_read_state, AT(state)},
	};
	struct pm_coordinator_status status = {.has_shares = true};
	struct pm_json_at root = pm_json_root("recovery", report);
	int r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), &status);

	if (r == PM_OK)
		*ret_status = status;
	return r;
}

int pm_coordinator_send_share(struct pm_coordinator *coordinator, struct pm_view box,
	struct pm_report *report, struct pm_coordinator_status *ret_status)
{
	const struct pm_ask_member member = {"Box", box};
	struct pm_ask what = {.path = PM_COORDINATOR_RECOVER_PATH,
		.type = PM_ASK_JSON,
		.max = STATUS_MAX,
		.decides = true};
	pm_cleanup(json) json_t *json = NULL;
	pm_cleanup(free) char *text = NULL;
	int r = pm_ask_json(&member, 1, &text, &what.json.len);

	what.json.ptr = (const uint8_t *)text;
	if (r == PM_OK)
		r = ask(coordinator, &what, report, &json);
	return r < 0 ? r : read_progress(json, report, ret_status);
}
