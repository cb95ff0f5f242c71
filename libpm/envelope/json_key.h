/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of JSON objects as they stand in the document, between their quotes: compared by what they
 * mean, not by how they are spelled. All keys here have passed pm_json_scan().
 */
#ifndef PM_ENVELOPE_JSON_KEY_H
#define PM_ENVELOPE_JSON_KEY_H

#include "base/mem.h"

struct pm_json_key {
	/* The bytes between the quotes. */
	struct pm_view raw;
	/* They hold a backslash. */
	bool escaped;
};

/*
 * The order in which the reference numbers its messages: bytewise on the decoded key, in which each
 * '.', '?' and '*' has got a backslash before it. 0 only for keys that mean the same.
 */
int pm_json_key_compare(struct pm_json_key a, struct pm_json_key b);

/* The same as pm_json_key_is(), for a key that holds a backslash. */
bool pm_json_key_decodes_to(struct pm_json_key key, const char *name);

/* Does the key mean that name, which has no character that needs an escape? */
static inline bool pm_json_key_is(struct pm_json_key key, const char *name)
{
	size_t i = 0;

	if (key.escaped)
		return pm_json_key_decodes_to(key, name);
	/* Most differ in the first byte. */
	while (i < key.raw.len && name[i] && key.raw.ptr[i] == (uint8_t)name[i])
		i++;
	return i == key.raw.len && !name[i];
}

/* Does a lone surrogate stand in the key, which readers decode differently? */
bool pm_json_key_is_ambiguous(struct pm_json_key key);

/*
 * Do two of the keys mean the same? May change their order. Takes n log n comparisons, whatever the
 * keys are, and no memory.
 */
bool pm_json_keys_repeat(struct pm_json_key *keys, size_t count);

#endif
