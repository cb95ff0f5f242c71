/* SPDX-License-Identifier: Apache-2.0 */
/* A history as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/time.h"
#include "base/wr.h"
#include "policy/history.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the checks in a report. */
#define NAME "history"

/* --- reading --------------------------------------------------------------------------------- */

static int read_version(ARGS)
{
	int64_t n;

	(void)rule;
	(void)target;
	return pm_json_integer(at, value, 1, 1, &n);
}

static int read_serial(ARGS)
{
	struct pm_history_link *link = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)PM_MANIFEST_SERIAL_MAX, &n);

	(void)rule;
	if (r == PM_OK)
		link->serial = (uint64_t)n;
	return r;
}

static int read_hash(ARGS)
{
	return pm_json_hex(at, value, PM_JSON_SLOT(uint8_t, target, rule), PM_MANIFEST_HASH_SIZE);
}

static int read_time(ARGS)
{
	struct pm_history_link *link = target;

	(void)rule;
	return pm_json_time(at, value, &link->time);
}

static int read_signature(ARGS)
{
	struct pm_history_link *link = target;
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));

	(void)rule;
	if (!json_is_string(value) || !text.len ||
		pm_base64_decode(
			text, link->signature, sizeof(link->signature), &link->signature_size) < 0)
		return pm_json_complain(at, value, "base64 of a signature of at most 104 bytes");
	return PM_OK;
}

static const struct pm_json_rule link_rules[] = {
	{.key = "serial", .read = read_serial},
	{.key = "time", .read = read_time},
	{.key = "manifest",
		.read = read_hash,
		.offset = offsetof(struct pm_history_link, manifest)},
	{.key = "previous",
		.read = read_hash,
		.offset = offsetof(struct pm_history_link, previous)},
	{.key = "signature", .read = read_signature},
};

static int read_link(const struct pm_json_at *at, json_t *value, struct pm_history *history)
{
	struct pm_history_link link = {0};
	int r = pm_json_object(at, value, link_rules, PM_ARRAY_LEN(link_rules), &link);

	if (r == PM_OK)
		r = pm_history_hash(&link);
	if (r == PM_OK)
		r = pm_history_add(history, &link, at->report);
	return r == PM_E_REJECTED ? PM_E_FORMAT : r;
}

static int read_links(ARGS)
{
	json_t *item;
	size_t i;

	(void)rule;
	if (!json_is_array(value))
		return pm_json_complain(at, value, "an array");
	json_array_foreach(value, i, item)
	{
		struct pm_json_at here = pm_json_element(at, i);
		int r = read_link(&here, item, target);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = read_version},
	{.key = "links", .read = read_links},
};

int pm_history_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_history **ret_history)
{
	pm_cleanup(pm_history) struct pm_history *history = NULL;
	struct pm_json_at root = pm_json_root(NAME, report);
	pm_cleanup(json) json_t *json = NULL;
	int r = pm_history_new(&history);

	if (r == PM_OK)
		r = pm_json_parse(NAME, pm_view(bytes, size), PM_HISTORY_SIZE_MAX, report, &json);
	if (r == PM_OK)
		r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), history);
	if (r < 0)
		return r;
	*ret_history = pm_steal(history);
	return PM_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Longest text of a link, and what stands around all of them. */
#define LINK_TEXT_MAX  512
#define FRAME_TEXT_MAX 64

static void write_text(struct pm_wr *wr, const char *text)
{
	pm_wr_bytes(wr, pm_view(text, strlen(text)));
}

static int write_link(struct pm_wr *wr, const struct pm_history_link *link)
{
	char signature[PM_BASE64_SIZE(PM_SIGNATURE_SIZE_MAX)], text[LINK_TEXT_MAX];
	int r = pm_base64_encode(
		pm_view(link->signature, link->signature_size), signature, sizeof(signature));

	if (r < 0)
		return r;
	snprintf(text, sizeof(text),
		"{\"serial\": %llu, \"time\": \"%s\",\n  \"manifest\": \"%s\",\n"
		"  \"previous\": \"%s\",\n  \"signature\": \"%s\"}",
		(unsigned long long)link->serial, pm_time(link->time).s,
		pm_hex(link->manifest, sizeof(link->manifest)).s,
		pm_hex(link->previous, sizeof(link->previous)).s, signature);
	write_text(wr, text);
	return PM_OK;
}

static int write_links(const struct pm_history *history, uint64_t after, struct pm_wr *wr)
{
	bool first = true;
	int r = PM_OK;

	write_text(wr, "{\"version\": 1, \"links\": [");
	for (size_t i = 0; r == PM_OK && i < history->count; i++) {
		if (history->links[i].serial <= after)
			continue;
		write_text(wr, first ? "\n " : ",\n ");
		r = write_link(wr, &history->links[i]);
		first = false;
	}
	write_text(wr, "]}\n");
	pm_wr_u8(wr, 0);
	return r;
}

int pm_history_text(
	const struct pm_history *history, uint64_t after, char **ret_text, size_t *ret_size)
{
	size_t room = FRAME_TEXT_MAX + history->count * LINK_TEXT_MAX, len = 0;
	pm_cleanup(free) char *text = pm_alloc(room);
	struct pm_wr wr = pm_wr(text, room);
	int r;

	if (!text)
		return PM_E_NOMEM;
	r = write_links(history, after, &wr);
	if (r == PM_OK && !pm_wr_done(&wr, &len))
		r = PM_E_LIMIT;
	if (r < 0)
		return r;
	*ret_text = pm_steal(text);
	*ret_size = len - 1;
	return PM_OK;
}

void pm_history_text_free(char *text)
{
	free(text);
}
