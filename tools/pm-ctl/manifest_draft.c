/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/manifest_draft.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/box_key.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/manifest_evidence.h"

json_t *draft_first_document(void)
{
	return json_pack("{s:i, s:i, s:n, s:s, s:s, s:{}, s:{}, s:{s:i, s:[]}, s:n, s:[]}",
		"version", 1, "serial", 1, "previous", "not_before", "", "not_after", "", "roles",
		"models", "owners", "threshold", 0, "keys", "seed_share_owners", "secrets");
}

int draft_begin_with(struct draft *d, const char *path)
{
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1];
	struct pm_manifest *m = NULL;
	int r;

	if (d->updates || json_object_size(json_object_get(d->doc, "roles")) ||
		json_object_size(json_object_get(d->doc, "models"))) {
		warnx("--update comes before what it is changed by");
		return TOOL_USAGE;
	}
	r = manifest_load(path, &m);
	if (r != TOOL_OK)
		return r;
	json_decref(d->doc);
	d->doc = manifest_json(m);
	d->updates = true;
	manifest_hash_text(m, hash);
	json_object_set_new(d->doc, "serial", json_integer((json_int_t)pm_manifest_serial(m) + 1));
	json_object_set_new(d->doc, "previous", json_string(hash));
	pm_manifest_free(m);
	return TOOL_OK;
}

static json_t *member(json_t *object, const char *key, json_t *otherwise)
{
	json_t *found = json_object_get(object, key);

	if (found)
		json_decref(otherwise);
	else
		json_object_set_new(object, key, otherwise);
	return json_object_get(object, key);
}

int draft_set_role(struct draft *d, const char *name)
{
	d->role_name = name;
	d->role = member(json_object_get(d->doc, "roles"), name,
		json_pack("{s:{}, s:n, s:[], s:[], s:b}", "snp", "gpu", "models", "calls",
			"workload_secret", 0));
	return TOOL_OK;
}

static int need_role(const struct draft *d, const char *option)
{
	if (d->role)
		return TOOL_OK;
	warnx("--%s needs a --role before it", option);
	return TOOL_USAGE;
}

static void add_once(json_t *list, const char *name)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (!strcmp(json_string_value(value), name))
			return;
	}
	json_array_append_new(list, json_string(name));
}

/* --- options of a role ----------------------------------------------------------------------- */

int draft_add_evidence(struct draft *d, const char *path)
{
	int r = need_role(d, "from-evidence");

	if (r != TOOL_OK)
		return r;
	return manifest_add_evidence(
		json_object_get(d->role, "snp"), path, d->product, d->allow_debug);
}

int draft_set_product(struct draft *d, const char *name)
{
	d->product = 0;
	for (int p = PM_SNP_MILAN; p <= PM_SNP_TURIN; p++) {
		if (!strcmp(name, pm_snp_product_name(p)))
			d->product = p;
	}
	if (d->product)
		return TOOL_OK;
	warnx("--product: found '%s', expected Milan, Genoa or Turin", name);
	return TOOL_USAGE;
}

int draft_read_number(const char *option, const char *text, long max, long *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && !*end && n >= 1 && n <= max) {
		*ret = n;
		return TOOL_OK;
	}
	warnx("--%s: found '%s', expected a number from 1 to %ld", option, text, max);
	return TOOL_USAGE;
}

/* Golden measurements and OCSP are demanded, and evidence of the last hour. */
int draft_set_gpu(struct draft *d, const char *text)
{
	size_t len = strcspn(text, ":");
	long count = 0;
	int r = need_role(d, "gpu");

	if (r == TOOL_OK && !text[len]) {
		warnx("--gpu: found '%s', expected hopper:COUNT or blackwell:COUNT", text);
		return TOOL_USAGE;
	}
	if (r == TOOL_OK)
		r = draft_read_number("gpu", text + len + 1, 64, &count);
	if (r != TOOL_OK)
		return r;
	json_object_set_new(d->role, "gpu",
		json_pack("{s:i, s:i, s:[s%], s:n, s:n, s:n, s:b, s:b}", "min_count", (int)count,
			"max_age", 3600, "archs", text, len, "modes", "drivers", "vbios",
			"require_rim", 1, "require_ocsp", 1));
	return TOOL_OK;
}

int draft_add_call(struct draft *d, const char *name)
{
	int r = need_role(d, "calls");

	if (r == TOOL_OK)
		add_once(json_object_get(d->role, "calls"), name);
	return r;
}

int draft_set_no_crl(struct draft *d)
{
	int r = need_role(d, "no-crl");

	if (r == TOOL_OK)
		json_object_set_new(json_object_get(d->role, "snp"), "require_crl", json_false());
	return r;
}

int draft_set_workload_secret(struct draft *d)
{
	int r = need_role(d, "workload-secret");

	if (r == TOOL_OK)
		json_object_set_new(d->role, "workload_secret", json_true());
	return r;
}

/* Of whatever model: which ones is for an editor to say. */
int draft_add_secret(struct draft *d, const char *id)
{
	json_t *rules = json_object_get(d->doc, "secrets"), *rule;
	size_t i;
	int r = need_role(d, "secret");

	if (r != TOOL_OK)
		return r;
	json_array_foreach(rules, i, rule)
	{
		if (!strcmp(json_string_value(json_object_get(rule, "id")), id)) {
			add_once(json_object_get(rule, "roles"), d->role_name);
			return TOOL_OK;
		}
	}
	json_array_append_new(
		rules, json_pack("{s:s, s:[s], s:n}", "id", id, "roles", d->role_name, "models"));
	return TOOL_OK;
}

/* --- models and owners ----------------------------------------------------------------------- */

int draft_add_models(struct draft *d, const char *path)
{
	json_t *models, *entry;
	json_error_t error;
	uint8_t *bytes = NULL;
	const char *name;
	size_t len;
	int r = tool_read_file(path, PM_MANIFEST_SIZE_MAX, &bytes, &len);

	if (r != TOOL_OK)
		return r;
	models = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &error);
	free(bytes);
	if (!json_is_object(models)) {
		warnx("%s: expected models as pm-disk manifest-entry --name prints them", path);
		json_decref(models);
		return TOOL_REJECTED;
	}
	json_object_foreach(models, name, entry)
	{
		json_object_set(json_object_get(d->doc, "models"), name, entry);
		if (d->role)
			add_once(json_object_get(d->role, "models"), name);
	}
	json_decref(models);
	return TOOL_OK;
}

/* A name that is there already gets the new key. */
static void put_owner(json_t *keys, json_t *owner)
{
	const json_t *name = json_object_get(owner, "name");
	json_t *have;
	size_t i;

	json_array_foreach(keys, i, have)
	{
		if (json_equal(json_object_get(have, "name"), name)) {
			json_array_set_new(keys, i, owner);
			return;
		}
	}
	json_array_append_new(keys, owner);
}

/* NAME=KEY: the name, and the file of the key. */
static int split_owner(const char *text, char *ret_name, const char **ret_path)
{
	size_t len = strcspn(text, "=");

	if (!text[len] || len > PM_MANIFEST_NAME_MAX) {
		warnx("found owner '%s', expected NAME=KEY with a name of at most 64 characters",
			text);
		return TOOL_USAGE;
	}
	snprintf(ret_name, PM_MANIFEST_NAME_MAX + 1, "%.*s", (int)len, text);
	*ret_path = text + len + 1;
	return TOOL_OK;
}

int draft_add_owner(struct draft *d, const char *text)
{
	char name[PM_MANIFEST_NAME_MAX + 1];
	struct pm_sign_public public;
	const char *path;
	int r = split_owner(text, name, &path);

	if (r == TOOL_OK)
		r = manifest_load_public(path, &public);
	if (r != TOOL_OK)
		return r;
	put_owner(json_object_get(json_object_get(d->doc, "owners"), "keys"),
		manifest_owner_json(name, &public));
	return TOOL_OK;
}

int draft_add_share_owner(struct draft *d, const char *text)
{
	static const char group[] = "seed_share_owners";
	char name[PM_MANIFEST_NAME_MAX + 1];
	uint8_t public[PM_BOX_PUBLIC_SIZE];
	const char *path;
	int r = split_owner(text, name, &path);

	if (r == TOOL_OK)
		r = box_key_load(path, public);
	if (r != TOOL_OK)
		return r;
	if (json_is_null(json_object_get(d->doc, group)))
		json_object_set_new(
			d->doc, group, json_pack("{s:i, s:[]}", "threshold", 0, "keys"));
	put_owner(json_object_get(json_object_get(d->doc, group), "keys"),
		box_key_owner_json(name, public));
	return TOOL_OK;
}

int draft_set_threshold(struct draft *d, const char *group, const char *option, const char *text)
{
	json_t *owners = json_object_get(d->doc, group);
	long n = 0;
	int r = draft_read_number(option, text, PM_MANIFEST_OWNERS_MAX, &n);

	if (r != TOOL_OK)
		return r;
	if (!json_is_object(owners)) {
		warnx("--%s needs an owner before it", option);
		return TOOL_USAGE;
	}
	json_object_set_new(owners, "threshold", json_integer(n));
	return TOOL_OK;
}

int draft_add_test_root(struct draft *d, const char *maker, const char *text)
{
	json_t *roots = member(d->doc, "extra_roots", json_object());

	add_once(member(roots, maker, json_array()), text);
	return TOOL_OK;
}

int draft_set_time(struct draft *d, const char *text)
{
	if (pm_time_parse(text, &d->not_before) == PM_OK)
		return TOOL_OK;
	warnx("--not-before: found '%s', expected a time as 2026-03-01T00:00:00Z", text);
	return TOOL_USAGE;
}

/* --- the end --------------------------------------------------------------------------------- */

/* Without a threshold all must agree. */
static void finish_owners(json_t *owners)
{
	if (json_is_object(owners) && !json_integer_value(json_object_get(owners, "threshold")))
		json_object_set_new(owners, "threshold",
			json_integer((json_int_t)json_array_size(json_object_get(owners, "keys"))));
}

void draft_finish(struct draft *d)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(d->not_before, text);
	json_object_set_new(d->doc, "not_before", json_string(text));
	pm_time_format(d->not_before + (int64_t)d->days * 24 * 3600, text);
	json_object_set_new(d->doc, "not_after", json_string(text));
	finish_owners(json_object_get(d->doc, "owners"));
	finish_owners(json_object_get(d->doc, "seed_share_owners"));
}

/* What is written is a manifest: the parser says so. */
int draft_write(const struct draft *d)
{
	struct pm_report *report = pm_report_new();
	struct pm_manifest *m = NULL;
	char *text = json_dumps(d->doc, JSON_INDENT(2));
	int r = text ? pm_manifest_parse(text, strlen(text), report, &m) : PM_E_NOMEM, status;
	char *line = NULL;

	if (r < 0) {
		warnx("this is no manifest yet");
		tool_print_error("manifest init", r, report);
		status = tool_exit_status(r);
	} else if (asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
		status = TOOL_USAGE;
	} else {
		status = tool_write_file(d->output, line, strlen(line), 0644);
	}
	free(line);
	free(text);
	pm_manifest_free(m);
	pm_report_free(report);
	return status;
}
