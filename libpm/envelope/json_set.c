/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/json_set.h"

#include <string.h>

struct pm_view pm_json_end(struct pm_view text)
{
	const uint8_t *at = text.ptr + text.len - 1;

	while (*at != '}')
		at--;
	return pm_view(at, 0);
}

static int add_all(struct pm_grow *out, const struct pm_view *pieces, size_t count)
{
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < count; i++)
		r = pm_grow_add(out, pieces[i]);
	return r;
}

static struct pm_view view_of(const char *text)
{
	return pm_view(text, strlen(text));
}

int pm_json_set(const struct pm_json *json, struct pm_view text, const char *name,
	struct pm_view value, struct pm_grow *out)
{
	const struct pm_json_member *member = pm_json_find(json, name);
	struct pm_view old = member ? member->value : pm_json_end(text);
	const uint8_t *end = text.ptr + text.len;
	const struct pm_view key[] = {
		view_of(json->count ? ",\"" : "\""), view_of(name), view_of("\":")};
	int r = pm_grow_add(out, pm_json_between(text.ptr, old.ptr));

	if (r == PM_OK && !member)
		r = add_all(out, key, PM_ARRAY_LEN(key));
	if (r == PM_OK)
		r = pm_grow_add(out, value);
	return r < 0 ? r : pm_grow_add(out, pm_json_between(old.ptr + old.len, end));
}
