/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/store_backend.h"

int64_t store_time(void)
{
	return clock_seconds();
}

bool store_is_expired(int64_t expires, int64_t now)
{
	return expires != 0 && expires <= now;
}

void store_op_clear(struct store_op *op)
{
	for (size_t i = 0; i < op->count; i++)
		free((char *)op->entries[i].key);
	free(op->entries);
	op->entries = NULL;
	op->count = op->space = op->bytes = 0;
	op->more = false;
}

void store_op_fail(struct store_op *op, int error, const char *format, ...)
{
	va_list args;

	store_op_clear(op);
	op->error = error;
	va_start(args, format);
	vsnprintf(op->reason, sizeof(op->reason), format, args);
	va_end(args);
}

bool store_is_key(const char *key, size_t len)
{
	if (len > STORE_KEY_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return true;
}

bool store_has_prefix(const struct store_op *op, const char *key, size_t len)
{
	return len >= op->key_len && !memcmp(key, op->key, op->key_len);
}

/* Is it greater than that one? It need not end with a NUL. */
static bool is_behind(const char *key, size_t len, const char *before)
{
	size_t n = strlen(before);
	int order = memcmp(key, before, len < n ? len : n);

	return order > 0 || (order == 0 && len > n);
}

bool store_op_wants(const struct store_op *op, const char *key, size_t len)
{
	if (!store_has_prefix(op, key, len))
		return false;
	if (op->kind == STORE_GET)
		return len == op->key_len;
	return op->kind != STORE_LIST ||
	       (is_behind(key, len, op->after) &&
		       (!op->count || is_behind(key, len, op->entries[op->count - 1].key)));
}

bool store_op_add(struct store_op *op, const char *key, size_t key_len, const struct store_entry *e)
{
	size_t space = op->space ? 2 * op->space : op->kind == STORE_GET ? 1 : 16;
	struct store_entry *more = op->entries;
	size_t len = e->value ? e->len : 0;
	char *block;

	if (!key_len || !store_is_key(key, key_len) || len > STORE_VALUE_MAX ||
		!store_op_wants(op, key, key_len)) {
		store_op_fail(op, PM_E_SYS, "the store holds what is no entry");
		return false;
	}
	block = malloc(key_len + 1 + len + 1);
	if (block && op->count == op->space)
		more = realloc(op->entries, space * sizeof(*more));
	if (!block || !more) {
		free(block);
		store_op_fail(op, PM_E_NOMEM, "out of memory");
		return false;
	}
	op->space = op->count == op->space ? space : op->space;
	op->entries = more;
	memcpy(block, key, key_len);
	block[key_len] = '\0';
	if (len)
		memcpy(block + key_len + 1, e->value, len);
	more[op->count] = *e;
	more[op->count].key = block;
	more[op->count].value = e->value ? (uint8_t *)block + key_len + 1 : NULL;
	more[op->count].len = len;
	op->count++;
	op->bytes += len;
	return true;
}

bool store_op_is_full(struct store_op *op, size_t limit, size_t len)
{
	op->more = op->count >= limit || (op->count && op->bytes + len > STORE_LIST_BYTES_MAX);
	return op->more;
}
