/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/record.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1

static const char label[] = "libpm secrets record v1"; /* with its final NUL */

#define CONTEXT_MAX (sizeof(label) + PM_COMMAND_ID_MAX + 1 + RECORD_HEAD_MAX)

_Static_assert(CONTEXT_MAX <= PM_SEAL_CONTEXT_MAX, "a head is a context");

void record_value_free(struct record_value *value)
{
	if (value->bytes)
		explicit_bzero(value->bytes, value->len);
	free(value->bytes);
	*value = (struct record_value){0};
}

bool record_is_id(const char *id)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789._:+/=-";
	size_t len = strlen(id);

	return len && len <= PM_COMMAND_ID_MAX && strspn(id, characters) == len;
}

void record_key(const char *id, char ret[RECORD_KEY_SIZE])
{
	char *end = stpcpy(ret, RECORD_PREFIX);

	strncpy(end, id, PM_COMMAND_ID_MAX);
	end[PM_COMMAND_ID_MAX] = '\0';
}

/* --- numbers --------------------------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
	return at + size;
}

/* What is left to be read. */
struct cursor {
	const uint8_t *at;
	size_t left;
};

static bool take(struct cursor *c, size_t size, const uint8_t **ret)
{
	if (c->left < size)
		return false;
	*ret = c->at;
	c->at += size;
	c->left -= size;
	return true;
}

static bool take_number(struct cursor *c, size_t size, uint64_t *ret)
{
	const uint8_t *bytes;
	uint64_t number = 0;

	if (!take(c, size, &bytes))
		return false;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	*ret = number;
	return true;
}

/* --- rules ----------------------------------------------------------------------------------- */

static bool add_names(struct record *record, const char *const *names, size_t count)
{
	uint8_t *at = record->rule + record->rule_len;

	if (record->rule_len + 2 > sizeof(record->rule))
		return false;
	put_number(at, count, 2);
	record->rule_len += 2;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names[i]);

		if (len > UINT8_MAX || record->rule_len + 1 + len > sizeof(record->rule))
			return false;
		at = put_number(record->rule + record->rule_len, len, 1);
		memcpy(at, names[i], len);
		record->rule_len += 1 + len;
	}
	return true;
}

int record_set_rule(struct record *record, const struct pm_command_statement *statement)
{
	record->rule_len = 0;
	if (add_names(record, statement->roles, statement->role_count) &&
		add_names(record, statement->models, statement->model_count))
		return PM_OK;
	record->rule_len = 0;
	return PM_E_LIMIT;
}

/* Reads names, and whether one of them is that of name; none lets all in. */
static bool read_names(struct cursor *c, const char *name, bool *ret_allowed)
{
	size_t want = name ? strlen(name) : 0;
	uint64_t count, len;
	const uint8_t *text;

	if (!take_number(c, 2, &count))
		return false;
	*ret_allowed = count == 0;
	for (uint64_t i = 0; i < count; i++) {
		if (!take_number(c, 1, &len) || !len || !take(c, len, &text))
			return false;
		if (name && len == want && !memcmp(text, name, len))
			*ret_allowed = true;
	}
	return true;
}

static bool check_rule(const struct record *record, const char *role, const char *model,
	bool *ret_role, bool *ret_model)
{
	struct cursor c = {record->rule, record->rule_len};

	return read_names(&c, role, ret_role) && read_names(&c, model, ret_model) && c.left == 0;
}

bool record_allows(const struct record *record, const char *role, const char *model)
{
	bool by_role = false, by_model = false;

	return check_rule(record, role, model, &by_role, &by_model) && by_role && by_model;
}

/* NULL without memory: fewer names, or none, would read as a wider rule. */
static json_t *names_json(struct cursor *c)
{
	json_t *list = json_array();
	bool good = list != NULL;
	const uint8_t *text;
	uint64_t count, len;

	if (!take_number(c, 2, &count))
		count = 0;
	for (uint64_t i = 0; good && i < count && take_number(c, 1, &len) && take(c, len, &text);
		i++)
		good = json_array_append_new(list, json_stringn((const char *)text, len)) == 0;
	if (good && json_array_size(list))
		return list;
	json_decref(list);
	return good ? json_null() : NULL;
}

json_t *record_rule_json(const struct record *record)
{
	struct cursor c = {record->rule, record->rule_len};
	json_t *roles = names_json(&c), *models = names_json(&c);

	return json_pack("{s:o, s:o}", "roles", roles, "models", models);
}

/* --- heads ----------------------------------------------------------------------------------- */

size_t record_write_head(const struct record *record, uint8_t ret[RECORD_HEAD_MAX])
{
	uint8_t *at = put_number(ret, VERSION, 1);

	at = put_number(at, (uint64_t)record->kind, 1);
	at = put_number(at, (uint64_t)record->created, 8);
	at = put_number(at, (uint64_t)record->expires, 8);
	memcpy(at, record->owner, RECORD_OWNER_SIZE);
	at = put_number(at + RECORD_OWNER_SIZE, record->rule_len, 2);
	memcpy(at, record->rule, record->rule_len);
	return (size_t)(at - ret) + record->rule_len;
}

static int read_fixed(struct cursor *c, struct record *ret, uint64_t *ret_rule_len)
{
	uint64_t version, kind, created, expires;
	const uint8_t *owner;

	if (!take_number(c, 1, &version))
		return PM_E_FORMAT;
	if (version != VERSION)
		return PM_E_UNSUPPORTED;
	if (!take_number(c, 1, &kind) || !take_number(c, 8, &created) ||
		!take_number(c, 8, &expires) || !take(c, RECORD_OWNER_SIZE, &owner) ||
		!take_number(c, 2, ret_rule_len))
		return PM_E_FORMAT;
	if (kind < RECORD_CLIENT || kind > RECORD_OPERATOR || created > INT64_MAX ||
		expires > INT64_MAX)
		return PM_E_FORMAT;
	ret->kind = (enum record_kind)kind;
	ret->created = (int64_t)created;
	ret->expires = (int64_t)expires;
	memcpy(ret->owner, owner, RECORD_OWNER_SIZE);
	return PM_OK;
}

/* The head, and where the sealed value begins. */
static int read_head(struct cursor *c, struct record *ret)
{
	const uint8_t *rule;
	bool role, model;
	uint64_t len;
	int r = read_fixed(c, ret, &len);

	if (r < 0)
		return r;
	if (len > RECORD_RULE_MAX)
		return PM_E_LIMIT;
	if (!take(c, len, &rule))
		return PM_E_FORMAT;
	memcpy(ret->rule, rule, len);
	ret->rule_len = len;
	return check_rule(ret, NULL, NULL, &role, &model) ? PM_OK : PM_E_FORMAT;
}

int record_read_head(const uint8_t *bytes, size_t len, struct record *ret)
{
	struct cursor c = {bytes, len};
	struct record record = {0};
	int r = read_head(&c, &record);

	if (r == PM_OK)
		*ret = record;
	return r;
}

int record_read_whole_head(const uint8_t *bytes, size_t len, struct record *ret)
{
	struct cursor c = {bytes, len};
	struct record record = {0};
	int r = read_head(&c, &record);

	if (r == PM_OK && c.left)
		r = PM_E_FORMAT;
	if (r == PM_OK)
		*ret = record;
	return r;
}

int record_epoch(const uint8_t *bytes, size_t len, uint32_t *ret)
{
	struct cursor c = {bytes, len};
	struct record record = {0};
	int r = read_head(&c, &record);

	return r < 0 ? r : pm_seal_epoch(c.at, c.left, ret);
}

/* --- the whole ------------------------------------------------------------------------------- */

static size_t write_context(
	const char *id, const uint8_t *head, size_t head_len, uint8_t ret[CONTEXT_MAX])
{
	size_t id_len = strlen(id);
	uint8_t *at = ret;

	memcpy(at, label, sizeof(label));
	at += sizeof(label);
	memcpy(at, id, id_len + 1);
	at += id_len + 1;
	memcpy(at, head, head_len);
	return (size_t)(at - ret) + head_len;
}

int record_seal(struct ring *ring, const char *id, const struct record *record,
	const struct record_value *value, uint8_t **ret_bytes, size_t *ret_len)
{
	uint8_t head[RECORD_HEAD_MAX], context[CONTEXT_MAX], *bytes;
	size_t head_len = record_write_head(record, head);
	const struct pm_seal_key *key;
	int r;

	if (value->len > RECORD_VALUE_MAX || !record_is_id(id))
		return PM_E_LIMIT;
	r = ring_key(ring, ring_epoch(ring), &key);
	if (r < 0)
		return r;
	bytes = malloc(head_len + value->len + PM_SEAL_OVERHEAD);
	if (!bytes)
		return PM_E_NOMEM;
	memcpy(bytes, head, head_len);
	r = pm_seal(key, context, write_context(id, head, head_len, context), value->bytes,
		value->len, bytes + head_len);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_len = head_len + value->len + PM_SEAL_OVERHEAD;
	return PM_OK;
}

static int find_key(struct ring *ring, const struct cursor *sealed, const struct pm_seal_key **ret)
{
	uint32_t epoch = 0;
	int r = pm_seal_epoch(sealed->at, sealed->left, &epoch);

	if (r < 0)
		return r;
	return ring_accepts(ring, epoch) ? ring_key(ring, epoch, ret) : PM_E_REJECTED;
}

int record_open(struct ring *ring, const char *id, const uint8_t *bytes, size_t len,
	struct record *ret, struct record_value *ret_value)
{
	struct record_value value = {0};
	struct cursor c = {bytes, len};
	const struct pm_seal_key *key;
	struct record record = {0};
	uint8_t context[CONTEXT_MAX];
	int r = record_is_id(id) ? read_head(&c, &record) : PM_E_FORMAT;

	if (r == PM_OK)
		r = find_key(ring, &c, &key);
	if (r < 0)
		return r;
	if (c.left < PM_SEAL_OVERHEAD || c.left - PM_SEAL_OVERHEAD > RECORD_VALUE_MAX)
		return PM_E_FORMAT;
	value.len = c.left - PM_SEAL_OVERHEAD;
	value.bytes = malloc(value.len ? value.len : 1);
	if (!value.bytes)
		return PM_E_NOMEM;
	r = pm_seal_open(key, context, write_context(id, bytes, len - c.left, context), c.at,
		c.left, value.bytes);
	if (r < 0) {
		record_value_free(&value);
		return r;
	}
	*ret = record;
	*ret_value = value;
	return PM_OK;
}
