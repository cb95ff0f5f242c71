/* SPDX-License-Identifier: Apache-2.0 */
/* A detached EAT in JSON, or one token alone. Nothing here is trusted. */
#include <stdlib.h>
#include <string.h>

#include "evidence/eat.h"

#define NAME "token"

void pm_eat_free(struct pm_eat *eat)
{
	if (!eat)
		return;
	pm_jws_clear(&eat->overall);
	for (size_t i = 0; i < eat->count; i++)
		pm_jws_clear(&eat->parts[i].jws);
	json_decref(eat->root);
	free(eat);
}

static struct pm_view text_of(const json_t *value)
{
	return pm_view(json_string_value(value), json_string_length(value));
}

/* "GPU-0", "SWITCH-12": the prefix and a number of at most three digits. */
static bool is_numbered(const char *name, const char *prefix)
{
	size_t n = strlen(prefix), digits;

	if (strncmp(name, prefix, n) != 0)
		return false;
	digits = strspn(name + n, "0123456789");
	return digits >= 1 && digits <= 3 && !name[n + digits];
}

static int kind_of(const char *name, struct pm_report *report, enum pm_eat_kind *ret)
{
	if (is_numbered(name, "GPU-")) {
		*ret = PM_EAT_GPU;
		return PM_OK;
	}
	if (is_numbered(name, "SWITCH-")) {
		*ret = PM_EAT_SWITCH;
		return PM_OK;
	}
	return pm_fail(report, PM_E_UNSUPPORTED, NAME, "devices GPU-N and SWITCH-N", "%s", name);
}

static int read_parts(json_t *parts, struct pm_report *report, struct pm_eat *eat)
{
	const char *name;
	json_t *value;
	int r;

	if (json_object_size(parts) > PM_EAT_DEVICES_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 32 devices", "%zu",
			json_object_size(parts));
	json_object_foreach(parts, name, value)
	{
		struct pm_eat_part *part = &eat->parts[eat->count];

		if (!json_is_string(value))
			return pm_fail(
				report, PM_E_FORMAT, NAME, "a token for each device", "other");
		r = kind_of(name, report, &part->kind);
		if (r < 0)
			return r;
		part->name = name;
		r = pm_jws_parse(text_of(value), "device's token", report, &part->jws);
		if (r < 0)
			return r;
		eat->count++;
	}
	eat->has_parts = true;
	return PM_OK;
}

/* [["JWT", TOKEN], {NAME: TOKEN, ...}] */
static int read_detached(struct pm_report *report, struct pm_eat *eat)
{
	const json_t *pair = json_array_get(eat->root, 0);
	json_t *parts = json_array_get(eat->root, 1);
	const char *type = json_string_value(json_array_get(pair, 0));
	const json_t *token = json_array_get(pair, 1);
	int r;

	if (json_array_size(eat->root) != 2 || json_array_size(pair) != 2 || !json_is_object(parts))
		return pm_fail(report, PM_E_FORMAT, NAME, "[[\"JWT\", TOKEN], {NAME: TOKEN}]",
			"another JSON value");
	if (!type || strcmp(type, "JWT") != 0 || !json_is_string(token))
		return pm_fail(report, PM_E_FORMAT, NAME, "a token of type JWT", "another type");
	r = pm_jws_parse(text_of(token), "overall token", report, &eat->overall);
	return r < 0 ? r : read_parts(parts, report, eat);
}

/* One token alone, perhaps with a line's end behind it. */
static int read_single(struct pm_view text, struct pm_report *report, struct pm_eat *eat)
{
	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		text.len--;
	if (text.len > PM_EAT_TOKEN_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 16384 bytes", "%zu", text.len);
	eat->root = json_stringn((const char *)text.ptr, text.len);
	if (!eat->root) /* no UTF-8, or no memory: jansson does not say which */
		return pm_fail(report, PM_E_FORMAT, NAME, "JSON, or a JWT", "other bytes");
	return pm_jws_parse(text_of(eat->root), "overall token", report, &eat->overall);
}

static bool looks_like_json(struct pm_view text)
{
	size_t i = 0;

	while (i < text.len && strchr(" \t\r\n", text.ptr[i]) && text.ptr[i])
		i++;
	return i < text.len && text.ptr[i] == '[';
}

int pm_eat_parse(const void *bytes, size_t size, struct pm_report *report, struct pm_eat **ret_eat)
{
	pm_cleanup(pm_eat) struct pm_eat *eat = NULL;
	int r;

	if (size > PM_EAT_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 262144 bytes", "%zu", size);
	eat = pm_alloc(sizeof(*eat));
	if (!eat)
		return PM_E_NOMEM;
	if (looks_like_json(pm_view(bytes, size))) {
		r = pm_eat_json(NAME, pm_view(bytes, size), report, &eat->root);
		r = r < 0 ? r : read_detached(report, eat);
	} else {
		r = read_single(pm_view(bytes, size), report, eat);
	}
	if (r < 0)
		return r;
	*ret_eat = pm_steal(eat);
	return PM_OK;
}
