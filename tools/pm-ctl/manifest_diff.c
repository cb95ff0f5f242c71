/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/manifest_changes.h"

static const char help[] =
	"Usage: pm-ctl manifest diff [--json] OLD NEW\n"
	"Say what NEW allows that OLD did not (+), what it forbids now (-), and what else is "
	"different (~).\n"
	"Signatures and validity are not looked at: see check.\n"
	"\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 NEW allows nothing that OLD did not, 1 it allows more, or a manifest is\n"
	"malformed, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest diff manifest.json next.json\n";

#define ABOUT_SIZE 160

typedef void (*compare_fn)(struct changes *c, const char *name, json_t *before, json_t *after);

/* Members of one name in both objects; those of one only are allowed, or forbidden, as a whole. */
static void compare_named(
	struct changes *c, const char *kind, json_t *before, json_t *after, compare_fn compare)
{
	const char *name;
	json_t *value;

	json_object_foreach(after, name, value)
	{
		json_t *old = json_object_get(before, name);

		if (old)
			compare(c, name, old, value);
		else
			changes_add(c, ALLOWS, "%s %s", kind, name);
	}
	json_object_foreach(before, name, value)
	{
		if (!json_object_get(after, name))
			changes_add(c, FORBIDS, "%s %s", kind, name);
	}
}

static void compare_role(struct changes *c, const char *name, json_t *before, json_t *after)
{
	bool old = json_is_true(json_object_get(before, "workload_secret"));
	bool new = json_is_true(json_object_get(after, "workload_secret"));
	char about[ABOUT_SIZE];

	snprintf(about, sizeof(about), "role %s", name);
	changes_of_snp(c, about, json_object_get(before, "snp"), json_object_get(after, "snp"));
	changes_of_gpu(c, about, json_object_get(before, "gpu"), json_object_get(after, "gpu"));
	changes_of_list(c, about, "serves model", json_object_get(before, "models"),
		json_object_get(after, "models"), 0);
	changes_of_list(c, about, "may call", json_object_get(before, "calls"),
		json_object_get(after, "calls"), 0);
	if (old != new)
		changes_add(c, new ? ALLOWS : FORBIDS, "%s: gets a workload secret", about);
}

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "none";
}

static void compare_model(struct changes *c, const char *name, json_t *before, json_t *after)
{
	if (json_equal(before, after))
		return;
	changes_add(c, ALLOWS, "model %s: another disk, root hash %s", name,
		text_of(after, "root_hash"));
	changes_add(c, FORBIDS, "model %s: the disk of before, root hash %s", name,
		text_of(before, "root_hash"));
}

/* --- what is a list of objects --------------------------------------------------------------- */

/* The object of a list whose key is that value. */
static json_t *find(json_t *list, const char *key, const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (json_equal(json_object_get(item, key), value))
			return item;
	}
	return NULL;
}

/* A key counts, whatever name it goes by. */
static void compare_keys(struct changes *c, const char *about, json_t *before, json_t *after)
{
	json_t *owner;
	size_t i;

	json_array_foreach(after, i, owner)
	{
		json_t *same = find(before, "key", json_object_get(owner, "key"));

		if (!same)
			changes_add(c, ALLOWS, "%s: the key of %s", about, text_of(owner, "name"));
		else if (!json_equal(same, owner))
			changes_add(c, OTHER, "%s: the key of %s is now %s", about,
				text_of(same, "name"), text_of(owner, "name"));
	}
	json_array_foreach(before, i, owner)
	{
		if (!find(after, "key", json_object_get(owner, "key")))
			changes_add(c, FORBIDS, "%s: the key of %s", about, text_of(owner, "name"));
	}
}

static void compare_owners(struct changes *c, const char *about, json_t *before, json_t *after)
{
	json_int_t old = json_integer_value(json_object_get(before, "threshold"));
	json_int_t new = json_integer_value(json_object_get(after, "threshold"));

	if (json_is_null(before) != json_is_null(after)) {
		changes_add(c, json_is_null(before) ? ALLOWS : FORBIDS, "%s", about);
		return;
	}
	if (old != new)
		changes_add(c, new < old ? ALLOWS : FORBIDS,
			"%s: %" JSON_INTEGER_FORMAT " must agree, was %" JSON_INTEGER_FORMAT, about,
			new, old);
	compare_keys(c, about, json_object_get(before, "keys"), json_object_get(after, "keys"));
}

static void compare_secrets(struct changes *c, json_t *before, json_t *after)
{
	char about[ABOUT_SIZE];
	json_t *rule, *same;
	size_t i;

	json_array_foreach(after, i, rule)
	{
		same = find(before, "id", json_object_get(rule, "id"));
		snprintf(about, sizeof(about), "secret %s", text_of(rule, "id"));
		if (!same) {
			changes_add(c, ALLOWS, "%s", about);
			continue;
		}
		changes_of_list(c, about, "goes to role", json_object_get(same, "roles"),
			json_object_get(rule, "roles"), 0);
		changes_of_list(c, about, "for model", json_object_get(same, "models"),
			json_object_get(rule, "models"), 1);
	}
	json_array_foreach(before, i, rule)
	{
		if (!find(after, "id", json_object_get(rule, "id")))
			changes_add(c, FORBIDS, "secret %s", text_of(rule, "id"));
	}
}

static void compare_roots(struct changes *c, json_t *before, json_t *after)
{
	static const char *const kinds[] = {"snp", "gpu_device", "gpu_rim"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		changes_of_list(c, "TEST ROOT", kinds[i], json_object_get(before, kinds[i]),
			json_object_get(after, kinds[i]), 0);
}

/* Each manifest has other ones of these: they are told, and never alone a reason to object. */
static void compare_top(struct changes *c, json_t *before, json_t *after)
{
	static const char *const keys[] = {"not_before", "not_after"};
	json_int_t old = json_integer_value(json_object_get(before, "serial"));
	json_int_t new = json_integer_value(json_object_get(after, "serial"));

	if (old != new)
		changes_add(c, OTHER, "serial %" JSON_INTEGER_FORMAT ", was %" JSON_INTEGER_FORMAT,
			new, old);
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(text_of(before, keys[i]), text_of(after, keys[i])))
			changes_add(c, OTHER, "%s %s, was %s", keys[i], text_of(after, keys[i]),
				text_of(before, keys[i]));
	}
}

#define BOTH(key) json_object_get(before, key), json_object_get(after, key)

static void compare_all(struct changes *c, json_t *before, json_t *after)
{
	compare_top(c, before, after);
	compare_named(c, "role", BOTH("roles"), compare_role);
	compare_named(c, "model", BOTH("models"), compare_model);
	compare_owners(c, "owners", BOTH("owners"));
	compare_owners(c, "seed share owners", BOTH("seed_share_owners"));
	compare_secrets(c, BOTH("secrets"));
	compare_roots(c, BOTH("extra_roots"));
}

/* --- output ---------------------------------------------------------------------------------- */

static void print_list(const char *sign, json_t *list)
{
	json_t *line;
	size_t i;

	json_array_foreach(list, i, line) printf("%s %s\n", sign, json_string_value(line));
}

static int print(const struct changes *c, bool json)
{
	if (json)
		return manifest_print_json(json_pack("{s:O, s:O, s:O}", "allows", c->allows,
			"forbids", c->forbids, "other", c->other));
	print_list("+", c->allows);
	print_list("-", c->forbids);
	print_list("~", c->other);
	return TOOL_OK;
}

static int diff(const struct pm_manifest *old, const struct pm_manifest *new, bool json)
{
	struct changes c = {json_array(), json_array(), json_array()};
	json_t *before = manifest_json(old), *after = manifest_json(new);
	int r;

	compare_all(&c, before, after);
	r = print(&c, json);
	if (r == TOOL_OK && json_array_size(c.allows))
		r = TOOL_REJECTED;
	json_decref(before);
	json_decref(after);
	json_decref(c.allows);
	json_decref(c.forbids);
	json_decref(c.other);
	return r;
}

int manifest_diff(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct pm_manifest *old = NULL, *new = NULL;
	int r;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	if (argc != 3 + json || (!json && argv[1][0] == '-' && argv[1][1])) {
		warnx("manifest diff needs OLD and NEW; try --help");
		return TOOL_USAGE;
	}
	r = manifest_load(argv[1 + json], &old);
	if (r == TOOL_OK)
		r = manifest_load(argv[2 + json], &new);
	if (r == TOOL_OK)
		r = diff(old, new, json);
	pm_manifest_free(old);
	pm_manifest_free(new);
	return r;
}
