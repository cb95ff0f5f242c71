/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/secrets_log_set.h"

#include <err.h>
#include <jansson.h>
#include <pm/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"

/* One line: nothing is verified by that. */
struct line {
	json_t *json;
	const char *name, *event;
	const json_t *fields;
	uint64_t sequence;
	struct secrets_log_entry entry;
};

/* --- lists ----------------------------------------------------------------------------------- */

/* Room for one more. */
static bool grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*list, more, size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

bool secrets_log_add_claim(struct secrets_log_claims *claims, const struct secrets_log_claim *claim)
{
	if (!grow((void **)&claims->list, claims->count, &claims->room, sizeof(*claims->list)))
		return false;
	claims->list[claims->count++] = *claim;
	return true;
}

const struct secrets_log_one *secrets_log_find(const struct secrets_log_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!strcmp(set->logs[i]->name, name))
			return set->logs[i];
	}
	return NULL;
}

/* A log stands in one place. */
static int add_log(struct secrets_log_set *set, const struct line *line, const char *text)
{
	struct secrets_log_one *log;

	if (secrets_log_find(set, line->name)) {
		warnx("%s: log %s comes twice", set->source, line->name);
		return PM_E_REJECTED;
	}
	if (!grow((void **)&set->logs, set->count, &set->room, sizeof(struct secrets_log_one *)))
		return PM_E_NOMEM;
	log = calloc(1, sizeof(*log));
	if (!log)
		return PM_E_NOMEM;
	strcpy(log->name, line->name); /* its length was checked */
	log->text = text;
	log->first = line->sequence;
	set->logs[set->count++] = log;
	return PM_OK;
}

static int add_entry(struct secrets_log_one *log, const struct line *line, size_t len)
{
	if (!grow((void **)&log->entries, log->count, &log->room, sizeof(*log->entries)))
		return PM_E_NOMEM;
	log->entries[log->count++] = line->entry;
	log->len += len;
	return PM_OK;
}

/* --- lines ----------------------------------------------------------------------------------- */

static int take_line(const char *text, size_t len, struct line *ret)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *previous = json_string_value(json_object_get(json, "previous"));
	const char *time = json_string_value(json_object_get(json, "time"));
	json_int_t sequence = json_integer_value(json_object_get(json, "sequence"));

	*ret = (struct line){.json = json,
		.name = json_string_value(json_object_get(json, "log")),
		.event = json_string_value(json_object_get(json, "event")),
		.fields = json_object_get(json, "fields"),
		.sequence = sequence > 0 ? (uint64_t)sequence : 0};
	if (!ret->name || strlen(ret->name) > PM_AUDIT_NAME_MAX || !ret->event || !ret->sequence ||
		!previous || !time ||
		pm_hex_decode(previous, ret->entry.previous, PM_AUDIT_HASH_SIZE) < 0 ||
		pm_time_parse(time, &ret->entry.time) < 0)
		return PM_E_FORMAT;
	return PM_OK;
}

static uint64_t number_of(const struct line *line, const char *field)
{
	const char *text = json_string_value(json_object_get(line->fields, field));
	char *end = NULL;
	unsigned long long n =
		text && text[0] >= '1' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;

	return n && !*end && n <= PM_AUDIT_ENTRIES_MAX ? n : 0;
}

/* --- claims ---------------------------------------------------------------------------------- */

static bool read_seen(const struct line *line, struct secrets_log_claim *claim)
{
	const char *until = json_string_value(json_object_get(line->fields, "until"));

	claim->entries = number_of(line, "entries");
	return claim->entries && until && pm_time_parse(until, &claim->until) == PM_OK;
}

/* It may have no entry any more. */
static bool read_cut(const struct line *line, struct secrets_log_claim *claim)
{
	claim->entries = number_of(line, "entries");
	claim->was = number_of(line, "was");
	return claim->was != 0;
}

static int take_claim(struct secrets_log_set *set, const char *by, const struct line *line)
{
	const char *seen = json_string_value(json_object_get(line->fields, "seen"));
	const char *hash = json_string_value(json_object_get(line->fields, "hash"));
	struct secrets_log_claim claim = {.by = by};
	bool is_seen = !strcmp(line->event, "log.seen");

	if (!is_seen && strcmp(line->event, "log.cut") != 0)
		return PM_OK;
	if (!seen || strlen(seen) > PM_AUDIT_NAME_MAX || !hash ||
		pm_hex_decode(hash, claim.hash, sizeof(claim.hash)) < 0 ||
		!(is_seen ? read_seen(line, &claim) : read_cut(line, &claim)))
		return PM_E_FORMAT;
	strcpy(claim.seen, seen);
	return secrets_log_add_claim(&set->claims, &claim) ? PM_OK : PM_E_NOMEM;
}

/* --- one log --------------------------------------------------------------------------------- */

/* Up to the last newline there: whole lines. */
static size_t piece_of(const struct secrets_log_one *log, size_t at)
{
	size_t len = log->len - at;
	const char *end;

	if (len <= SECRETS_LOG_PIECE)
		return len;
	end = memrchr(log->text + at, '\n', SECRETS_LOG_PIECE);
	return end ? (size_t)(end - (log->text + at)) + 1 : len;
}

/*
 * Of a log whose beginning is gone the first line says what was before: that is not proved, but
 * all that follows is.
 */
static void verify(const struct secrets_log_set *set, struct secrets_log_one *log)
{
	struct pm_report *report = pm_report_new();
	struct pm_audit_head head = {.entries = log->first - 1};
	int r = PM_OK;

	memcpy(head.hash, log->entries[0].previous, sizeof(head.hash));
	for (size_t at = 0, len; r == PM_OK && at < log->len; at += len) {
		len = piece_of(log, at);
		r = pm_audit_verify(
			log->text + at, len, &set->key, log->name, &head, report, &head);
	}
	/* Between pieces lines could be repeated, and pass. */
	if (r == PM_OK && head.entries != log->first + log->count - 1)
		r = PM_E_REJECTED;
	if (r < 0)
		tool_print_error(log->name, r, report);
	log->is_authentic = r == PM_OK;
	log->head = head;
	pm_report_free(report);
}

static int end_log(struct secrets_log_set *set, size_t claims)
{
	struct secrets_log_one *log = set->count ? set->logs[set->count - 1] : NULL;

	if (!log)
		return PM_OK;
	verify(set, log);
	if (log->is_authentic)
		return PM_OK;
	set->claims.count = claims;
	return PM_E_REJECTED;
}

/* --- all of them ----------------------------------------------------------------------------- */

/* {"days": how long lines are kept, "key": who signs}; of an earlier service without days. */
static int read_head(struct secrets_log_set *set, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(json, "key"));
	uint8_t spki[PM_SIGN_SPKI_MAX];
	size_t spki_len = 0;
	int r = text ? pm_text_base64_decode(text, strlen(text), spki, sizeof(spki), &spki_len)
		     : PM_E_FORMAT;

	set->days = json_integer_value(json_object_get(json, "days"));
	if (set->days < 0 || set->days > 36500)
		r = PM_E_FORMAT;
	json_decref(json);
	return r == PM_OK ? pm_sign_public_parse(spki, spki_len, NULL, &set->key) : r;
}

/* What the walk over the lines knows. */
struct walk {
	struct secrets_log_set *set;
	size_t claims; /* before the present log */
	int verdict;   /* PM_E_REJECTED: a log is not authentic */
};

static int change_log(struct walk *walk, const struct line *line, const char *text)
{
	int r = end_log(walk->set, walk->claims);

	if (r < 0)
		walk->verdict = r;
	walk->claims = walk->set->claims.count;
	return line ? add_log(walk->set, line, text) : PM_OK;
}

static int walk_line(struct walk *walk, const struct line *line, const char *text, size_t len)
{
	struct secrets_log_set *set = walk->set;
	struct secrets_log_one *log = set->count ? set->logs[set->count - 1] : NULL;
	int r = PM_OK;

	if (!log || strcmp(log->name, line->name) != 0) {
		r = change_log(walk, line, text);
		if (r < 0)
			return r;
		log = set->logs[set->count - 1];
	}
	if (line->sequence == 1 && !strcmp(line->event, "instance.began"))
		log->days = (int64_t)number_of(line, "days");
	r = add_entry(log, line, len);
	return r < 0 ? r : take_claim(set, log->name, line);
}

static int walk_lines(struct walk *walk, const char *text, size_t len)
{
	int r = PM_OK;

	for (size_t at = 0; r == PM_OK && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) + 1 - at : 0;
		struct line line = {0};

		r = end ? take_line(text + at, n, &line) : PM_E_FORMAT;
		if (r == PM_OK)
			r = walk_line(walk, &line, text + at, n);
		json_decref(line.json);
		at += n;
	}
	if (r == PM_OK)
		r = change_log(walk, NULL, NULL);
	return r;
}

int secrets_log_read(
	const char *source, const char *text, size_t len, struct secrets_log_set *ret_set)
{
	const char *end = len ? memchr(text, '\n', len) : NULL;
	size_t head = end ? (size_t)(end - text) + 1 : 0;
	struct walk walk = {.set = ret_set};
	int r;

	*ret_set = (struct secrets_log_set){.source = source};
	r = end ? read_head(ret_set, text, head) : PM_E_FORMAT;
	if (r == PM_OK)
		r = walk_lines(&walk, text + head, len - head);
	if (r < 0)
		tool_print_error(source, r, NULL);
	else
		r = walk.verdict;
	return tool_exit_status(r);
}

void secrets_log_clear(struct secrets_log_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->logs[i]->entries);
		free(set->logs[i]);
	}
	free(set->logs);
	free(set->claims.list);
	*set = (struct secrets_log_set){0};
}
