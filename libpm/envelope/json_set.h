/* SPDX-License-Identifier: Apache-2.0 */
/* One member of an object written anew, while the rest of the text stays to the byte. */
#ifndef PM_ENVELOPE_JSON_SET_H
#define PM_ENVELOPE_JSON_SET_H

#include "envelope/grow.h"
#include "envelope/json_scan.h"

/* The bytes from begin to end. */
static inline struct pm_view pm_json_between(const uint8_t *begin, const uint8_t *end)
{
	return pm_view(begin, (size_t)(end - begin));
}

/* The empty place before the bracket that closes the text of an object. */
struct pm_view pm_json_end(struct pm_view text);

/*
 * Appends the text of an object, which json has scanned, to out, with that member: its value is
 * replaced where it stands; where there is none it becomes the last one. PM_E_NOMEM.
 */
int pm_json_set(const struct pm_json *json, struct pm_view text, const char *name,
	struct pm_view value, struct pm_grow *out) PM_MUST_USE;

#endif
