/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of JSON (RFC 8259) that builds nothing: it says whether the text is one valid document,
 * and where the members of its outermost object or array stand, so that the rest of the text can
 * stay as it is to the byte. A library that parses and writes anew would change numbers, escapes
 * and spacing, which the other side may depend on.
 *
 * Stricter than the grammar where readers are known to disagree: two keys of one object that mean
 * the same are refused at any depth; so are invalid UTF-8, a key of the outermost object with a
 * lone surrogate, and nesting deeper than PM_JSON_DEPTH_MAX. A lone surrogate elsewhere passes: it
 * does occur in texts that were cut. Numbers are not interpreted.
 */
#ifndef PM_ENVELOPE_JSON_SCAN_H
#define PM_ENVELOPE_JSON_SCAN_H

#include <pm/body.h>
#include <pm/error.h>
#include "envelope/grow.h"
#include "envelope/json_key.h"

/* Deepest nesting of objects and arrays. */
#define PM_JSON_DEPTH_MAX 512

/* Most members of the outermost object or array, and most keys of all objects open at a time. */
#define PM_JSON_MEMBERS_MAX 262144u

/* Longest text. */
#define PM_JSON_TEXT_MAX PM_BODY_MAX

enum pm_json_type {
	PM_JSON_OBJECT = 1,
	PM_JSON_ARRAY,
	PM_JSON_STRING,
	PM_JSON_NUMBER,
	PM_JSON_TRUE,
	PM_JSON_FALSE,
	PM_JSON_NULL
};

/* A member of the outermost object, or an element of the outermost array (then without key). */
struct pm_json_member {
	struct pm_json_key key;
	struct pm_view value;
};

/* What a scan found; the memory serves the next scan too. Begin with zeros. */
struct pm_json {
	/*
	 * Of the caller: the text is a value out of a document. Its outermost keys are inner ones,
	 * which may hold lone surrogates.
	 */
	bool is_inner;
	enum pm_json_type type;
	/* The members, in the order of the text: views of the text. */
	struct pm_json_member *members;
	size_t count;
	/* White space of the text holds an end of a line; strings can't. */
	bool has_lines;
	/* After a failure: where, what was the matter, and whether the text ended too early. */
	size_t offset;
	const char *why;
	bool truncated;

	/* Of the scanner: */
	struct pm_grow member_memory, key_memory;
};

/*
 * Scans one document. PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM; offset and why then tell more, and there
 * are no members.
 */
int pm_json_scan(struct pm_json *json, struct pm_view text) PM_MUST_USE;

/* The member whose key means that name, or NULL. */
const struct pm_json_member *pm_json_find(const struct pm_json *json, const char *name);

/* The type of a valid value, by its first character. */
enum pm_json_type pm_json_type_of(struct pm_view value);

/* An unsigned integer, written as such; false for anything else and what does not fit. */
bool pm_json_uint(struct pm_view value, uint64_t *ret);

void pm_json_free(struct pm_json *json);

#endif
