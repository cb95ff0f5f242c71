/* SPDX-License-Identifier: Apache-2.0 */
/* An audit log as it is written. */
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "base/base64.h"
#include "mesh/audit.h"
#include "policy/manifest.h"

/* What stands in a line beside its fields is less than this. */
#define FRAME_MAX 1024

_Static_assert(FRAME_MAX + PM_AUDIT_FIELDS_MAX * (PM_AUDIT_NAME_MAX + PM_AUDIT_VALUE_MAX + 6) <=
		       PM_AUDIT_LINE_MAX,
	"each entry that may be written fits a line");

struct pm_audit {
	const struct pm_sign_key *key;
	char name[PM_AUDIT_NAME_MAX + 1];
	struct pm_audit_head head;
	char *line;
};

static bool is_name(const char *name)
{
	struct pm_json_at nowhere = pm_json_root("", NULL);

	return name && pm_manifest_check_name(&nowhere, NULL, name) == PM_OK;
}

int pm_audit_new(const struct pm_sign_key *key, const char *name, struct pm_audit **ret_audit)
{
	struct pm_audit *audit;

	if (!is_name(name))
		return PM_E_ARG;
	audit = pm_alloc(sizeof(*audit));
	if (!audit)
		return PM_E_NOMEM;
	audit->key = key;
	pm_copy(audit->name, name, strlen(name) + 1);
	*ret_audit = audit;
	return PM_OK;
}

void pm_audit_free(struct pm_audit *audit)
{
	if (audit)
		free(audit->line);
	free(audit);
}

void pm_audit_head(const struct pm_audit *audit, struct pm_audit_head *ret_head)
{
	*ret_head = audit->head;
}

static void set_head(struct pm_audit *audit, uint64_t sequence, int64_t time, const uint8_t *hash)
{
	audit->head.entries = sequence;
	audit->head.time = time;
	pm_copy(audit->head.hash, hash, sizeof(audit->head.hash));
}

int pm_audit_resume(struct pm_audit *audit, const void *line, size_t len, struct pm_report *report)
{
	struct pm_audit_entry entry;
	int r = pm_audit_entry_read("audit.line", pm_view(line, len), report, &entry);

	if (r == PM_OK)
		r = pm_audit_entry_check(
			"audit.line", &entry, audit->name, pm_sign_key_public(audit->key), report);
	if (r < 0)
		return r;
	set_head(audit, entry.sequence, entry.time, entry.hash);
	return PM_OK;
}

/* --- an entry -------------------------------------------------------------------------------- */

/* Takes the value over. */
static int put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) ? PM_E_NOMEM : PM_OK;
}

/* Text of whoever: what would need an escape becomes "?", so that a line has one spelling. */
static json_t *plain_text(const char *text, size_t len)
{
	pm_cleanup(free) uint8_t *copy = pm_dup(pm_view(text, len));

	for (size_t i = 0; copy && i < len; i++) {
		if (copy[i] < ' ' || copy[i] > '~' || copy[i] == '"' || copy[i] == '\\')
			copy[i] = '?';
	}
	return copy ? json_stringn((const char *)copy, len) : NULL;
}

static int put_field(json_t *fields, const struct pm_audit_field *field)
{
	size_t len;

	if (!is_name(field->name) || !field->value || json_object_get(fields, field->name))
		return PM_E_ARG;
	len = strnlen(field->value, PM_AUDIT_VALUE_MAX + 1);
	if (len > PM_AUDIT_VALUE_MAX)
		return PM_E_LIMIT;
	return put(fields, field->name, plain_text(field->value, len));
}

static int put_fields(json_t *entry, const struct pm_audit_field *fields, size_t count)
{
	json_t *object = json_object();
	int r = put(entry, "fields", object);

	for (size_t i = 0; r == PM_OK && i < count; i++)
		r = put_field(object, &fields[i]);
	return r;
}

static int put_hex(json_t *entry, const char *key, const uint8_t *hash)
{
	char text[2 * PM_AUDIT_HASH_SIZE + 1];

	pm_hex_encode(hash, PM_AUDIT_HASH_SIZE, text);
	return put(entry, key, json_string(text));
}

static int put_time(json_t *entry, int64_t now)
{
	char text[PM_TIME_TEXT_SIZE];
	int64_t again;

	pm_time_format(now, text);
	if (pm_time_parse(text, &again) < 0 || again != now)
		return PM_E_ARG;
	return put(entry, "time", json_string(text));
}

static int put_signature(json_t *entry, const struct pm_sign_key *key, const uint8_t *hash)
{
	char text[PM_BASE64_SIZE(PM_SIGN_SIGNATURE_MAX)];
	uint8_t message[PM_AUDIT_MESSAGE_SIZE], signature[PM_SIGN_SIGNATURE_MAX];
	size_t len = 0;
	int r;

	pm_audit_message(hash, message);
	r = pm_sign(key, pm_view(message, sizeof(message)), signature, &len);
	if (r == PM_OK)
		r = pm_base64_encode(pm_view(signature, len), text, sizeof(text));
	return r < 0 ? r : put(entry, "signature", json_string(text));
}

static int put_place(json_t *entry, const struct pm_audit *audit)
{
	const struct pm_audit_head *head = &audit->head;
	int r;

	if (head->entries >= PM_AUDIT_ENTRIES_MAX)
		return PM_E_LIMIT;
	r = put(entry, "version", json_integer(1));
	if (r == PM_OK)
		r = put(entry, "log", json_string(audit->name));
	if (r == PM_OK)
		r = put(entry, "sequence", json_integer((json_int_t)head->entries + 1));
	if (r == PM_OK)
		r = put_hex(entry, "previous", head->hash);
	return r;
}

/* The canonical form, a newline and a NUL. */
static int make_line(json_t *entry, char **ret_line, size_t *ret_len)
{
	pm_cleanup(free) uint8_t *text = NULL;
	size_t len = 0;
	int r = pm_json_canonical(entry, &text, &len);
	char *line;

	if (r < 0)
		return r;
	line = pm_alloc(len + 2);
	if (!line)
		return PM_E_NOMEM;
	pm_copy(line, text, len);
	line[len] = '\n';
	*ret_line = line;
	*ret_len = len + 1;
	return PM_OK;
}

int pm_audit_append(struct pm_audit *audit, int64_t now, const char *event,
	const struct pm_audit_field *fields, size_t count, const char **ret_line, size_t *ret_len)
{
	pm_cleanup(json) json_t *entry = json_object();
	uint8_t hash[PM_AUDIT_HASH_SIZE];
	char *line = NULL;
	int r;

	if (!is_name(event))
		return PM_E_ARG;
	if (count > PM_AUDIT_FIELDS_MAX)
		return PM_E_LIMIT;
	r = put_place(entry, audit);
	if (r == PM_OK)
		r = put(entry, "event", json_string(event));
	if (r == PM_OK)
		r = put_time(entry, now);
	if (r == PM_OK)
		r = put_fields(entry, fields, count);
	if (r == PM_OK)
		r = pm_audit_hash(entry, hash);
	if (r == PM_OK)
		r = put_signature(entry, audit->key, hash);
	if (r == PM_OK)
		r = make_line(entry, &line, ret_len);
	if (r < 0)
		return r;
	set_head(audit, audit->head.entries + 1, now, hash);
	free(audit->line);
	audit->line = line;
	*ret_line = line;
	return PM_OK;
}
