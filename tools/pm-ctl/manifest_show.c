/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "pm-ctl/box_key.h"
#include "pm-ctl/manifest.h"

static const char help[] =
	"Usage: pm-ctl manifest show FILE\n"
	"Print what a manifest says, for people. Nothing is checked but its form: see check.\n"
	"\n"
	"Exit status: 0 done, 1 the manifest is malformed, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest show manifest.json\n";

#define KEY_WIDTH 28

static void print_line(int depth, const char *key, const char *text)
{
	printf("%*s%-*s %s\n", 2 * depth, "", KEY_WIDTH - 2 * depth, key, text);
}

/* What null says depends on the key. */
static const char *null_text(const char *key)
{
	static const char *const none[] = {"gpu", "previous", "seed_share_owners"};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (!strcmp(key, none[i]))
			return "none";
	}
	return "any";
}

static void print_scalar(int depth, const char *key, const json_t *value)
{
	char number[32];

	if (json_is_string(value)) {
		print_line(depth, key, json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		print_line(depth, key, number);
	} else if (json_is_boolean(value)) {
		print_line(depth, key, json_is_true(value) ? "yes" : "no");
	} else {
		print_line(depth, key, null_text(key));
	}
}

static void print_members(int depth, json_t *object);

static void print_value(int depth, const char *key, json_t *value)
{
	json_t *item;
	size_t i;

	if (json_is_object(value)) {
		print_line(depth, key, json_object_size(value) ? "" : "none");
		print_members(depth + 1, value);
		return;
	}
	if (!json_is_array(value)) {
		print_scalar(depth, key, value);
		return;
	}
	if (!json_array_size(value))
		print_line(depth, key, "none");
	json_array_foreach(value, i, item) print_value(depth, i ? "" : key, item);
}

static void print_members(int depth, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) print_value(depth, key, value);
}

static void print_owners(const struct pm_manifest_owners *owners)
{
	const struct pm_manifest_owner *owner;
	char id[2 * PM_SIGN_ID_SIZE + 1];
	size_t count = 0;

	while (pm_manifest_owner_at(owners, count))
		count++;
	printf("\nowners: %zu of %zu\n", pm_manifest_owners_threshold(owners), count);
	for (size_t i = 0; (owner = pm_manifest_owner_at(owners, i)); i++) {
		pm_hex_encode(owner->key.id, sizeof(owner->key.id), id);
		printf("  %s (%s) %s\n", owner->name, pm_sign_type_name((int)owner->key.type), id);
	}
}

static void print_share_owners(const struct pm_manifest_share_owners *owners)
{
	const struct pm_manifest_share_owner *owner;
	char id[2 * PM_BOX_ID_SIZE + 1];
	size_t count = 0;

	if (!owners) {
		puts("\nseed share owners: none");
		return;
	}
	while (pm_manifest_share_owner_at(owners, count))
		count++;
	printf("\nseed share owners: %zu of %zu\n", pm_manifest_share_owners_threshold(owners),
		count);
	for (size_t i = 0; (owner = pm_manifest_share_owner_at(owners, i)); i++) {
		pm_hex_encode(owner->id, sizeof(owner->id), id);
		printf("  %s (%s) %s\n", owner->name, BOX_KEY_TYPE, id);
	}
}

static void print_secrets(json_t *secrets)
{
	json_t *rule;
	size_t i;

	printf("\nsecrets%s\n", json_array_size(secrets) ? "" : ": none");
	json_array_foreach(secrets, i, rule)
	{
		printf("  %s\n", json_string_value(json_object_get(rule, "id")));
		print_value(2, "roles", json_object_get(rule, "roles"));
		print_value(2, "models", json_object_get(rule, "models"));
	}
}

static void print_top(const struct pm_manifest *m)
{
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1], from[PM_TIME_TEXT_SIZE], to[PM_TIME_TEXT_SIZE];

	manifest_hash_text(m, hash);
	pm_time_format(pm_manifest_not_before(m), from);
	pm_time_format(pm_manifest_not_after(m), to);
	printf("serial    %llu\nhash      %s\n", (unsigned long long)pm_manifest_serial(m), hash);
	if (pm_manifest_previous(m)) {
		pm_hex_encode(pm_manifest_previous(m), PM_MANIFEST_HASH_SIZE, hash);
		printf("previous  %s\n", hash);
	}
	printf("valid     %s to %s\n", from, to);
	if (pm_manifest_test_root(m))
		puts("TEST ROOT: evidence under roots that are not the makers' own is accepted");
}

static void print_named(const char *kind, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		printf("\n%s %s\n", kind, name);
		print_members(1, value);
	}
}

static int show(const struct pm_manifest *m)
{
	json_t *json = manifest_json(m);

	if (!json) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	print_top(m);
	print_named("role", json_object_get(json, "roles"));
	print_named("model", json_object_get(json, "models"));
	print_owners(pm_manifest_owners(m));
	print_share_owners(pm_manifest_seed_share_owners(m));
	print_secrets(json_object_get(json, "secrets"));
	if (json_object_get(json, "extra_roots")) {
		puts("\ntest roots");
		print_members(1, json_object_get(json, "extra_roots"));
	}
	json_decref(json);
	return TOOL_OK;
}

int manifest_show(int argc, char **argv)
{
	struct pm_manifest *m = NULL;
	int r;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	if (argc != 2) {
		warnx("manifest show needs one FILE; try --help");
		return TOOL_USAGE;
	}
	r = manifest_load(argv[1], &m);
	if (r == TOOL_OK)
		r = show(m);
	pm_manifest_free(m);
	return r;
}
