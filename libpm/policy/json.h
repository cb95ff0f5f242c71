/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON (RFC 8259) for documents that decide: bounded size and depth, no doubled key, plain
 * text only, and each object read by a table of rules that knows all its keys. What is wrong is
 * noted with the place where it stands: "found 256 at $.roles.worker.snp.vmpls[0]".
 *
 * Text is printable ASCII without quote and backslash. So no string has an escape, none has two
 * spellings, and the canonical form (sorted keys, no white space: RFC 8785 of such documents) is
 * what jansson prints.
 */
#ifndef PM_POLICY_JSON_H
#define PM_POLICY_JSON_H

#include <jansson.h>

#include "base/mem.h"
#include "base/report.h"

/* Deepest nesting of arrays and objects. */
#define PM_JSON_DEPTH_MAX 16

/* The largest integer that each reader of JSON keeps exactly: 2^53 - 1. */
#define PM_JSON_INT_MAX INT64_C(9007199254740991)

static inline void pm_cleanup_json(json_t **json)
{
	json_decref(*json);
}

/* A place in a document: a chain up to its root. */
struct pm_json_at {
	const struct pm_json_at *up; /* NULL at the root */
	const char *key;	     /* NULL for an element of an array, and at the root */
	size_t index;
	const char *name; /* of the checks in the report, at each place */
	struct pm_report *report;
	bool has_lines; /* texts may have newlines, as PEM has */
};

struct pm_json_rule;

/* Reads the value of a key into the target. 0, or an error that it has noted. */
typedef int (*pm_json_fn)(
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target);

/* A key of an object, how it is read, and what its reader needs beyond. */
struct pm_json_rule {
	const char *key;
	pm_json_fn read;
	bool optional;
	unsigned int number;
	int64_t max;
	size_t offset; /* into the target */
};

/* Where a reader puts its result. */
#define PM_JSON_SLOT(type, target, rule) ((type *)(void *)((char *)(target) + (rule)->offset))

/*
 * Parses bytes: at most max of them, one object, no doubled key, plain text, no fraction. Freed by
 * json_decref(). PM_E_FORMAT, PM_E_LIMIT for size and depth, PM_E_NOMEM.
 */
int pm_json_parse(const char *name, struct pm_view bytes, size_t max, struct pm_report *report,
	json_t **ret) PM_MUST_USE;

/* The same, of a document whose texts may have newlines. */
int pm_json_parse_lines(const char *name, struct pm_view bytes, size_t max,
	struct pm_report *report, json_t **ret) PM_MUST_USE;

struct pm_json_at pm_json_root(const char *name, struct pm_report *report);
struct pm_json_at pm_json_below(const struct pm_json_at *at, const char *key);
struct pm_json_at pm_json_element(const struct pm_json_at *at, size_t index);

/* Notes that value was found where something else is expected. Returns PM_E_FORMAT. */
int pm_json_complain(const struct pm_json_at *at, const json_t *value, const char *expected);

/* The same of any error. */
int pm_json_fail(const struct pm_json_at *at, int error, const json_t *value, const char *expected);

/* Each key by its rule, in the order of the rules: none besides, none left out that is needed. */
int pm_json_object(const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rules,
	size_t count, void *target) PM_MUST_USE;

/* Each element by rule->read; at least one, at most max, none twice. */
int pm_json_array(const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule,
	size_t max, void *target) PM_MUST_USE;

int pm_json_integer(const struct pm_json_at *at, const json_t *value, int64_t min, int64_t max,
	int64_t *ret) PM_MUST_USE;
int pm_json_bool(const struct pm_json_at *at, const json_t *value, bool *ret) PM_MUST_USE;

/* Lower-case digits, so that one value has one spelling. */
int pm_json_hex(
	const struct pm_json_at *at, const json_t *value, uint8_t *ret, size_t size) PM_MUST_USE;

/* A time as 2026-03-01T00:00:00Z, in this very form. */
int pm_json_time(const struct pm_json_at *at, const json_t *value, int64_t *ret) PM_MUST_USE;

/* One of the words of a list that ends with NULL; its index. */
int pm_json_word(const struct pm_json_at *at, const json_t *value, const char *const *words,
	const char *expected, unsigned int *ret) PM_MUST_USE;

/* The canonical form. PM_E_NOMEM. */
int pm_json_canonical(json_t *json, uint8_t **ret, size_t *ret_len) PM_MUST_USE;

#endif
