/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of an audit log, as it is read. */
#include <string.h>

#include "base/base64.h"
#include "mesh/audit.h"
#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

#define HASH_LABEL "libpm audit hash v1"

_Static_assert(PM_AUDIT_HASH_SIZE == PM_SHA256_SIZE, "a hash");
_Static_assert(PM_AUDIT_ENTRIES_MAX == PM_JSON_INT_MAX, "sequence numbers");
_Static_assert(PM_AUDIT_NAME_MAX == PM_MANIFEST_NAME_MAX, "names as those of a manifest");

static int read_version(ARGS)
{
	(void)rule;
	(void)target;
	if (json_is_integer(value) && json_integer_value(value) != 1)
		return pm_json_fail(at, PM_E_UNSUPPORTED, value, "1");
	return json_is_integer(value) ? PM_OK : pm_json_complain(at, value, "1");
}

static int read_name(ARGS)
{
	(void)rule;
	(void)target;
	if (!json_is_string(value))
		return pm_json_complain(at, value, "a name");
	return pm_manifest_check_name(at, value, json_string_value(value));
}

static int read_log(ARGS)
{
	struct pm_audit_entry *entry = target;
	int r = read_name(at, value, rule, target);

	if (r == PM_OK)
		pm_copy(entry->log, json_string_value(value), json_string_length(value) + 1);
	return r;
}

static int read_field(const struct pm_json_at *at, json_t *value)
{
	int r = pm_manifest_check_name(at, value, at->key);

	if (r < 0)
		return r;
	if (!json_is_string(value) || json_string_length(value) > PM_AUDIT_VALUE_MAX)
		return pm_json_complain(at, value, "a text of at most 1024 characters");
	return PM_OK;
}

static int read_fields(ARGS)
{
	const char *key;
	json_t *member;

	(void)rule;
	(void)target;
	if (!json_is_object(value) || json_object_size(value) > PM_AUDIT_FIELDS_MAX)
		return pm_json_complain(at, value, "an object of at most 32 members");
	json_object_foreach(value, key, member)
	{
		struct pm_json_at here = pm_json_below(at, key);
		int r = read_field(&here, member);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int read_previous(ARGS)
{
	struct pm_audit_entry *entry = target;

	(void)rule;
	return pm_json_hex(at, value, entry->previous, sizeof(entry->previous));
}

static int read_sequence(ARGS)
{
	struct pm_audit_entry *entry = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, PM_JSON_INT_MAX, &n);

	(void)rule;
	if (r == PM_OK)
		entry->sequence = (uint64_t)n;
	return r;
}

static int read_signature(ARGS)
{
	struct pm_audit_entry *entry = target;
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));

	(void)rule;
	if (!json_is_string(value) || !text.len ||
		pm_base64_decode(text, entry->signature, sizeof(entry->signature),
			&entry->signature_size) < 0)
		return pm_json_complain(at, value, "base64 of a signature of at most 104 bytes");
	return PM_OK;
}

static int read_time(ARGS)
{
	struct pm_audit_entry *entry = target;

	(void)rule;
	return pm_json_time(at, value, &entry->time);
}

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = read_version},
	{.key = "event", .read = read_name},
	{.key = "fields", .read = read_fields},
	{.key = "log", .read = read_log},
	{.key = "previous", .read = read_previous},
	{.key = "sequence", .read = read_sequence},
	{.key = "signature", .read = read_signature},
	{.key = "time", .read = read_time},
};

/* --- one spelling ---------------------------------------------------------------------------- */

static int check_spelling(
	const char *name, json_t *json, struct pm_view text, struct pm_report *report)
{
	pm_cleanup(free) uint8_t *canonical = NULL;
	size_t len = 0;
	int r = pm_json_canonical(json, &canonical, &len);

	if (r < 0)
		return r;
	if (!pm_view_equal(pm_view(canonical, len), text))
		return pm_fail(report, PM_E_FORMAT, name, "sorted keys and no white space",
			"another spelling");
	return PM_OK;
}

int pm_audit_hash(json_t *unsigned_entry, uint8_t *ret_hash)
{
	pm_cleanup(free) uint8_t *canonical = NULL;
	size_t len = 0;
	int r = pm_json_canonical(unsigned_entry, &canonical, &len);
	const struct pm_view parts[] = {
		pm_view(HASH_LABEL, sizeof(HASH_LABEL)), pm_view(canonical, len)};

	return r < 0 ? r : pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret_hash);
}

static int check_newline(const char *name, struct pm_view line, struct pm_report *report)
{
	if (line.len > PM_AUDIT_LINE_MAX)
		return pm_fail(report, PM_E_LIMIT, name, "at most 65536 bytes", "%zu", line.len);
	if (!line.len || line.ptr[line.len - 1] != '\n')
		return pm_fail(report, PM_E_FORMAT, name, "a newline at its end", "none");
	return PM_OK;
}

int pm_audit_entry_read(
	const char *name, struct pm_view line, struct pm_report *report, struct pm_audit_entry *ret)
{
	struct pm_json_at root = pm_json_root(name, report);
	pm_cleanup(json) json_t *json = NULL;
	struct pm_audit_entry entry = {0};
	int r = check_newline(name, line, report);

	if (r < 0)
		return r;
	line.len--;
	r = pm_json_parse(name, line, PM_AUDIT_LINE_MAX, report, &json);
	if (r == PM_OK)
		r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), &entry);
	if (r == PM_OK)
		r = check_spelling(name, json, line, report);
	if (r < 0)
		return r;
	if (json_object_del(json, "signature"))
		return PM_E_NOMEM;
	r = pm_audit_hash(json, entry.hash);
	if (r < 0)
		return r;
	*ret = entry;
	return PM_OK;
}

/* --- whose it is ----------------------------------------------------------------------------- */

void pm_audit_message(const uint8_t *hash, uint8_t *ret_message)
{
	pm_copy(ret_message, PM_AUDIT_SIGN_LABEL, sizeof(PM_AUDIT_SIGN_LABEL));
	pm_copy(ret_message + sizeof(PM_AUDIT_SIGN_LABEL), hash, PM_AUDIT_HASH_SIZE);
}

int pm_audit_entry_check(const char *name, const struct pm_audit_entry *entry, const char *log,
	const struct pm_sign_public *key, struct pm_report *report)
{
	uint8_t message[PM_AUDIT_MESSAGE_SIZE];
	int r;

	if (strcmp(entry->log, log))
		return pm_fail(
			report, PM_E_REJECTED, name, "an entry of this log", "log %s", entry->log);
	pm_audit_message(entry->hash, message);
	r = pm_sign_verify(key, pm_view(message, sizeof(message)),
		pm_view(entry->signature, entry->signature_size));
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, name, "a signature of the log's key", "another");
	return r;
}
