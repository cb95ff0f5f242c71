/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of questions and answers, which needs no network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "net/ask.h"

/* --- writing --------------------------------------------------------------------------------- */

static size_t room_of(const struct pm_ask_member *members, size_t count)
{
	size_t room = sizeof("{}");

	for (size_t i = 0; i < count; i++)
		room += strlen(members[i].name) + PM_BASE64_SIZE(members[i].bytes.len) +
			sizeof("\"\":\"\",");
	return room;
}

void pm_ask_put_text(struct pm_wr *wr, const char *text)
{
	pm_wr_bytes(wr, pm_view(text, strlen(text)));
}

void pm_ask_put_base64(struct pm_wr *wr, struct pm_view bytes)
{
	if (wr->failed || pm_base64_encode(bytes, (char *)wr->ptr + wr->len, wr->cap - wr->len) < 0)
		wr->failed = true;
	else
		wr->len += PM_BASE64_SIZE(bytes.len) - 1;
}

int pm_ask_json(const struct pm_ask_member *members, size_t count, char **ret, size_t *ret_len)
{
	size_t room = room_of(members, count);
	pm_cleanup(free) uint8_t *text = pm_alloc(room);
	struct pm_wr wr = pm_wr(text, room);

	if (!text)
		return PM_E_NOMEM;
	for (size_t i = 0; i < count; i++) {
		pm_ask_put_text(&wr, i ? ",\"" : "{\"");
		pm_ask_put_text(&wr, members[i].name);
		pm_ask_put_text(&wr, "\":\"");
		pm_ask_put_base64(&wr, members[i].bytes);
		pm_ask_put_text(&wr, "\"");
	}
	pm_ask_put_text(&wr, count ? "}" : "{}");
	if (!pm_wr_done(&wr, ret_len))
		return PM_E_LIMIT;
	*ret = (char *)pm_steal(text); /* zeroed: it ends with a NUL */
	return PM_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

void pm_blob_clear(struct pm_blob *blob)
{
	free(blob->ptr);
	*blob = (struct pm_blob){0};
}

int pm_ask_read_blob(PM_ASK_ARGS)
{
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	struct pm_blob *blob = PM_JSON_SLOT(struct pm_blob, target, rule);
	char expected[64];

	snprintf(expected, sizeof(expected), "base64 of 1 to %lld bytes", (long long)rule->max);
	if (!text.ptr || !text.len)
		return pm_json_complain(at, value, expected);
	pm_blob_clear(blob);
	blob->ptr = pm_alloc(text.len / 4 * 3 + 1);
	if (!blob->ptr)
		return PM_E_NOMEM;
	if (pm_base64_decode(text, blob->ptr, text.len / 4 * 3, &blob->len) < 0 || !blob->len)
		return pm_json_complain(at, value, expected);
	if (blob->len > (size_t)rule->max)
		return pm_json_fail(at, PM_E_LIMIT, value, expected);
	return PM_OK;
}

int pm_ask_read_blob_or_null(PM_ASK_ARGS)
{
	return json_is_null(value) ? PM_OK : pm_ask_read_blob(at, value, rule, target);
}

int pm_ask_read_bytes(PM_ASK_ARGS)
{
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	uint8_t *to = PM_JSON_SLOT(uint8_t, target, rule);
	size_t len = 0;
	char expected[64];

	if (text.ptr && pm_base64_decode(text, to, (size_t)rule->max, &len) == PM_OK &&
		len == (size_t)rule->max)
		return PM_OK;
	snprintf(expected, sizeof(expected), "base64 of %lld bytes", (long long)rule->max);
	return pm_json_complain(at, value, expected);
}

int pm_ask_read_hex(PM_ASK_ARGS)
{
	return pm_json_hex(at, value, PM_JSON_SLOT(uint8_t, target, rule), (size_t)rule->max);
}

int pm_ask_read_number(PM_ASK_ARGS)
{
	return pm_json_integer(at, value, 0, rule->max, PM_JSON_SLOT(int64_t, target, rule));
}

int pm_ask_read_version(PM_ASK_ARGS)
{
	int64_t version;

	(void)rule;
	(void)target;
	return pm_json_integer(at, value, 1, 1, &version);
}
