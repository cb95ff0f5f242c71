/* SPDX-License-Identifier: Apache-2.0 */
/* The document that a coordinator's claims bind: its form, and no decision. */
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "crypto/x509.h"
#include "net/coordinator.h"

#define NAME "document"

/* --- states ---------------------------------------------------------------------------------- */

static const char *const state_names[] = {
	[PM_COORDINATOR_EMPTY - 1] = "empty",
	[PM_COORDINATOR_SEALED - 1] = "sealed",
	[PM_COORDINATOR_READY - 1] = "ready",
	[PM_COORDINATOR_STALE - 1] = "stale",
	NULL,
};

const char *pm_coordinator_state_name(int state)
{
	return state >= PM_COORDINATOR_EMPTY && state <= PM_COORDINATOR_STALE
		       ? state_names[state - PM_COORDINATOR_EMPTY]
		       : "unknown";
}

int pm_coordinator_read_state(PM_ASK_ARGS)
{
	unsigned int *state = PM_JSON_SLOT(unsigned int, target, rule);
	unsigned int index = 0;
	int r = pm_json_word(at, value, state_names, "empty, sealed, ready or stale", &index);

	if (r == PM_OK)
		*state = index + PM_COORDINATOR_EMPTY;
	return r;
}

/* --- members --------------------------------------------------------------------------------- */

static int read_manifest(PM_ASK_ARGS)
{
	struct pm_document *document = target;
	int r = pm_ask_read_blob_or_null(at, value, rule, target);

	if (r < 0 || !document->manifest_bytes.ptr)
		return r;
	return pm_manifest_parse(document->manifest_bytes.ptr, document->manifest_bytes.len,
		at->report, &document->manifest);
}

/* The history is an object of the document, and has a parser of its own. */
static int read_history(PM_ASK_ARGS)
{
	struct pm_document *document = target;
	pm_cleanup(free) uint8_t *text = NULL;
	size_t len = 0;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	if (!json_is_object(value))
		return pm_json_complain(at, value, "a history, or null");
	r = pm_json_canonical(value, &text, &len);
	return r < 0 ? r : pm_history_parse(text, len, at->report, &document->history);
}

static int read_key(const struct pm_json_at *at, json_t *value, struct pm_sign_public *ret)
{
	const struct pm_json_rule rule = {.max = PM_SIGN_SPKI_MAX};
	pm_cleanup(blob) struct pm_blob spki = {0};
	int r = pm_ask_read_blob(at, value, &rule, &spki);

	return r < 0 ? r : pm_sign_public_parse(spki.ptr, spki.len, at->report, ret);
}

static int read_history_key(PM_ASK_ARGS)
{
	struct pm_document *document = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = read_key(at, value, &document->history_key);
	if (r == PM_OK && document->history_key.type != PM_SIGN_P384)
		return pm_json_fail(at, PM_E_UNSUPPORTED, value, "a P-384 key");
	document->has_history_key = r == PM_OK;
	return r;
}

static int read_audit_key(PM_ASK_ARGS)
{
	struct pm_document *document = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = read_key(at, value, &document->audit_key);
	document->has_audit_key = r == PM_OK;
	return r;
}

static int read_log(PM_ASK_ARGS)
{
	static const struct pm_json_rule rules[] = {
		{.key = "entries",
			.read = pm_ask_read_number,
			.max = PM_JSON_INT_MAX,
			.offset = offsetof(struct pm_document, log_entries)},
		{.key = "head",
			.read = pm_ask_read_hex,
			.max = PM_MANIFEST_HASH_SIZE,
			.offset = offsetof(struct pm_document, log_head)},
	};
	struct pm_document *document = target;
	int r;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	r = pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), document);
	document->has_log = r == PM_OK;
	return r;
}

static int read_commitment(PM_ASK_ARGS)
{
	struct pm_document *document = target;
	int r;

	if (json_is_null(value))
		return PM_OK;
	r = pm_ask_read_hex(at, value, rule, target);
	document->has_commitment = r == PM_OK;
	return r;
}

/* --- the document ---------------------------------------------------------------------------- */

#define AT(member) .offset = offsetof(struct pm_document, member)

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = pm_ask_read_version},
	{.key = "state", .read = pm_coordinator_read_state, AT(state)},
	{.key = "manifest", .read = read_manifest, .max = PM_MANIFEST_SIZE_MAX, AT(manifest_bytes)},
	{.key = "history", .read = read_history},
	{.key = "history_key", .read = read_history_key},
	{.key = "audit_key", .read = read_audit_key, .optional = true},
	{.key = "root_ca", .read = pm_ask_read_blob_or_null, .max = PM_CERT_SIZE_MAX, AT(root_ca)},
	{.key = "mesh_ca", .read = pm_ask_read_blob_or_null, .max = PM_CERT_SIZE_MAX, AT(mesh_ca)},
	{.key = "log", .read = read_log},
	{.key = "commitment",
		.read = read_commitment,
		.max = PM_COORDINATOR_COMMITMENT_SIZE,
		AT(commitment)},
};

int pm_document_parse(struct pm_view text, struct pm_report *report, struct pm_document *ret)
{
	struct pm_json_at root = pm_json_root(NAME, report);
	pm_cleanup(json) json_t *json = NULL;
	int r = pm_json_parse(NAME, text, PM_COORDINATOR_DOCUMENT_MAX, report, &json);

	if (r < 0)
		return r;
	*ret = (struct pm_document){0};
	r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), ret);
	if (r < 0)
		pm_document_clear(ret);
	return r;
}

void pm_document_clear(struct pm_document *document)
{
	pm_blob_clear(&document->manifest_bytes);
	pm_blob_clear(&document->root_ca);
	pm_blob_clear(&document->mesh_ca);
	pm_manifest_free(document->manifest);
	pm_history_free(document->history);
	*document = (struct pm_document){0};
}
