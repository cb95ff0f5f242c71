/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_etcd.h"

#include <errno.h>
#include <pm/error.h>
#include <pm/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_VERSION	   1
#define RECORD_HEADER_SIZE 9
#define RECORD_MAX	   (RECORD_HEADER_SIZE + STORE_VALUE_MAX)

/* --- bytes ----------------------------------------------------------------------------------- */

static json_t *base64(const void *bytes, size_t len)
{
	size_t room = (len + 2) / 3 * 4 + 1;
	char *text = malloc(room);
	json_t *json = NULL;

	if (text && pm_text_base64_encode(bytes, len, text, room) == PM_OK)
		json = json_string(text);
	free(text);
	return json;
}

/* NULL: it is none, or too long; or *ret_error says that there is no memory. */
static uint8_t *unbase64(const json_t *json, size_t max, size_t *ret_len, int *ret_error)
{
	size_t len = json_string_length(json), room = len / 4 * 3;
	uint8_t *bytes;

	*ret_error = PM_E_FORMAT;
	if (!json_is_string(json) || room > max + 3)
		return NULL;
	bytes = malloc(room + 1);
	if (!bytes) {
		*ret_error = PM_E_NOMEM;
		return NULL;
	}
	if (pm_text_base64_decode(json_string_value(json), len, bytes, room, ret_len) < 0 ||
		*ret_len > max) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

static void store_be64(uint8_t *bytes, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (56 - 8 * i));
}

static uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

static json_t *record(const struct store_op *op)
{
	uint8_t *bytes = malloc(RECORD_HEADER_SIZE + op->len);
	json_t *json;

	if (!bytes)
		return NULL;
	store_be64(bytes, op->expires ? (uint64_t)op->expires : UINT64_MAX);
	bytes[8] = RECORD_VERSION;
	if (op->len)
		memcpy(bytes + RECORD_HEADER_SIZE, op->value, op->len);
	json = base64(bytes, RECORD_HEADER_SIZE + op->len);
	free(bytes);
	return json;
}

static json_t *digits(uint64_t n)
{
	/* No revision is greater, and the gateway takes no other numbers. */
	return json_sprintf("%llu", (unsigned long long)(n < INT64_MAX ? n : INT64_MAX));
}

/* --- requests -------------------------------------------------------------------------------- */

/* What is greater than all keys that begin with it. */
static json_t *range_end(const char *prefix)
{
	char end[STORE_KEY_MAX + 1];
	size_t len = strlen(prefix);

	memcpy(end, prefix, len);
	end[len] = '\xff';
	return base64(end, len + 1);
}

json_t *etcd_range(const char *from, size_t from_len, const char *prefix, size_t limit)
{
	/* An empty key is none: the least one is a zero byte. */
	return json_pack("{s:o, s:o, s:o}", "key",
		from_len ? base64(from, from_len) : base64("", 1), "range_end", range_end(prefix),
		"limit", digits(limit));
}

json_t *etcd_get(const char *key)
{
	return json_pack("{s:o}", "key", base64(key, strlen(key)));
}

json_t *etcd_grant(int64_t seconds)
{
	return json_pack("{s:o}", "TTL", digits((uint64_t)seconds));
}

json_t *etcd_watch_request(const char *prefix, uint64_t from_revision)
{
	size_t len = strlen(prefix);

	return json_pack("{s:{s:o, s:o, s:o, s:b, s:b}}", "create_request", "key",
		len ? base64(prefix, len) : base64("", 1), "range_end", range_end(prefix),
		"start_revision", digits(from_revision), "progress_notify", 1, "fragment", 1);
}

static json_t *key_of(const struct store_op *op)
{
	return base64(op->key, op->key_len);
}

/*
 * Records of the same time are longer than it is, and so greater: an entry is there while its
 * record is greater than the next second, and expired while it is less.
 */
static json_t *compare_time(const struct store_op *op, int64_t now, const char *result)
{
	uint8_t time[8];

	store_be64(time, (uint64_t)now + 1);
	return json_pack("{s:o, s:s, s:s, s:o}", "key", key_of(op), "target", "VALUE", "result",
		result, "value", base64(time, sizeof(time)));
}

static json_t *compare_revision(const struct store_op *op)
{
	return json_pack("{s:o, s:s, s:s, s:o}", "key", key_of(op), "target", "MOD", "result",
		"EQUAL", "mod_revision", digits(op->if_revision));
}

static json_t *compare_absent(const struct store_op *op)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "key", key_of(op), "target", "VERSION", "result",
		"EQUAL", "version", "0");
}

static json_t *put(const struct store_op *op, const char *lease)
{
	return json_pack("{s:{s:o, s:o, s:s}}", "request_put", "key", key_of(op), "value",
		record(op), "lease", lease ? lease : "0");
}

json_t *etcd_put_if(const struct store_op *op, const char *lease, int64_t now)
{
	if (op->if_revision == STORE_ANY)
		return json_pack("{s:[o]}", "success", put(op, lease));
	if (op->if_revision)
		return json_pack("{s:[o, o], s:[o]}", "compare", compare_revision(op),
			compare_time(op, now, "GREATER"), "success", put(op, lease));
	/* There is none, or one that expired. */
	return json_pack("{s:[o], s:[o], s:[{s:{s:[o], s:[o]}}]}", "compare", compare_absent(op),
		"success", put(op, lease), "failure", "request_txn", "compare",
		compare_time(op, now, "LESS"), "success", put(op, lease));
}

json_t *etcd_delete_if(const struct store_op *op, int64_t now)
{
	if (op->if_revision == STORE_ANY)
		return json_pack("{s:[o], s:[{s:{s:o}}]}", "compare",
			compare_time(op, now, "GREATER"), "success", "request_delete_range", "key",
			key_of(op));
	/* Else says whether there is another one. */
	return json_pack("{s:[o, o], s:[{s:{s:o}}], s:[{s:{s:[o]}}]}", "compare",
		compare_revision(op), compare_time(op, now, "GREATER"), "success",
		"request_delete_range", "key", key_of(op), "failure", "request_txn", "compare",
		compare_time(op, now, "GREATER"));
}

/* --- answers --------------------------------------------------------------------------------- */

bool etcd_number(const json_t *object, const char *name, uint64_t *ret)
{
	const json_t *json = json_object_get(object, name);
	const char *text = json_string_value(json);
	char *end;

	*ret = 0;
	if (!json)
		return true;
	if (!text || *text < '0' || *text > '9' || strlen(text) > 19)
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0 && *ret <= INT64_MAX;
}

bool etcd_revision(const json_t *reply, uint64_t *ret)
{
	return etcd_number(json_object_get(reply, "header"), "revision", ret) && *ret;
}

bool etcd_succeeded(const json_t *reply)
{
	return json_is_true(json_object_get(reply, "succeeded"));
}

bool etcd_succeeded_within(const json_t *reply)
{
	const json_t *first = json_array_get(json_object_get(reply, "responses"), 0);

	return etcd_succeeded(json_object_get(first, "response_txn"));
}

/* What is before the value. */
static bool parse_record(struct etcd_entry *e, size_t len)
{
	uint64_t expires;

	if (len < RECORD_HEADER_SIZE || e->record[8] != RECORD_VERSION)
		return false;
	expires = load_be64(e->record);
	if (expires == 0 || (expires > INT64_MAX && expires != UINT64_MAX))
		return false;
	e->entry.expires = expires == UINT64_MAX ? 0 : (int64_t)expires;
	e->entry.value = e->record + RECORD_HEADER_SIZE;
	e->entry.len = len - RECORD_HEADER_SIZE;
	return true;
}

static int parse_entry(const json_t *kv, bool gone, struct etcd_entry *e)
{
	size_t len = 0;
	int error;

	e->key = (char *)unbase64(json_object_get(kv, "key"), STORE_KEY_MAX, &e->key_len, &error);
	if (!e->key)
		return error;
	if (!e->key_len || !store_is_key(e->key, e->key_len) ||
		!etcd_number(kv, "mod_revision", &e->entry.revision) || !e->entry.revision)
		return PM_E_FORMAT;
	if (gone)
		return PM_OK;
	e->record = unbase64(json_object_get(kv, "value"), RECORD_MAX, &len, &error);
	if (!e->record)
		return error;
	return parse_record(e, len) ? PM_OK : PM_E_FORMAT;
}

int etcd_entry_parse(const json_t *kv, bool gone, struct etcd_entry *ret)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = parse_entry(kv, gone, ret);
	if (r < 0)
		etcd_entry_free(ret);
	return r;
}

void etcd_entry_free(struct etcd_entry *entry)
{
	free(entry->key);
	free(entry->record);
	memset(entry, 0, sizeof(*entry));
}
