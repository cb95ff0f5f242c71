/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest as a whole: its keys at the top, its one form, and its hash. */
#include "policy/manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/time.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the checks in a report. */
#define NAME "manifest"

/* Looked at first, so that another version is called that and not malformed. */
static int check_version(const struct pm_json_at *at, const json_t *json)
{
	struct pm_json_at here = pm_json_below(at, "version");
	const json_t *value = json_object_get(json, "version");

	if (!json_is_integer(value))
		return pm_json_complain(&here, value, "an integer");
	if (json_integer_value(value) != 1)
		return pm_json_fail(&here, PM_E_UNSUPPORTED, value, "1");
	return PM_OK;
}

static int read_nothing(ARGS)
{
	(void)at;
	(void)value;
	(void)rule;
	(void)target;
	return PM_OK;
}

static int read_serial(ARGS)
{
	struct pm_manifest *m = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)PM_MANIFEST_SERIAL_MAX, &n);

	(void)rule;
	if (r == PM_OK)
		m->serial = (uint64_t)n;
	return r;
}

/* After the serial: the first manifest has none before it, each other has one. */
static int read_previous(ARGS)
{
	struct pm_manifest *m = target;

	(void)rule;
	if (m->serial == 1 && json_is_null(value))
		return PM_OK;
	if (m->serial == 1)
		return pm_json_complain(at, value, "null for serial 1");
	m->has_previous = true;
	return pm_json_hex(at, value, m->previous, sizeof(m->previous));
}

static int read_time(ARGS)
{
	return pm_json_time(at, value, PM_JSON_SLOT(int64_t, target, rule));
}

static int read_not_after(ARGS)
{
	struct pm_manifest *m = target;
	int r = read_time(at, value, rule, target);

	if (r < 0)
		return r;
	if (m->not_after <= m->not_before)
		return pm_json_complain(at, value, "a time after not_before");
	return PM_OK;
}

/* --- test roots ------------------------------------------------------------------------------ */

static int read_root(ARGS)
{
	struct pm_manifest_roots *roots = target;

	(void)rule;
	return pm_json_hex(at, value, roots->sha256[roots->count++], PM_SHA256_SIZE);
}

static int read_root_list(ARGS)
{
	static const struct pm_json_rule element = {.read = read_root};
	struct pm_manifest *m = target;

	return pm_json_array(at, value, &element, PM_MANIFEST_ROOTS_MAX, &m->roots[rule->number]);
}

static const struct pm_json_rule root_rules[] = {
	{.key = "snp", .read = read_root_list, .optional = true, .number = PM_MANIFEST_ROOT_SNP},
	{.key = "gpu_device",
		.read = read_root_list,
		.optional = true,
		.number = PM_MANIFEST_ROOT_DEVICE},
	{.key = "gpu_rim",
		.read = read_root_list,
		.optional = true,
		.number = PM_MANIFEST_ROOT_RIM},
};

static int read_roots(ARGS)
{
	(void)rule;
	if (!json_object_size(value))
		return pm_json_complain(at, value, "an object with a kind of roots at least");
	return pm_json_object(at, value, root_rules, PM_ARRAY_LEN(root_rules), target);
}

/* --- the top --------------------------------------------------------------------------------- */

/* Models come before the roles that serve them, and both before the secrets policy. */
static const struct pm_json_rule rules[] = {
	{.key = "version", .read = read_nothing},
	{.key = "serial", .read = read_serial},
	{.key = "previous", .read = read_previous},
	{.key = "not_before",
		.read = read_time,
		.offset = offsetof(struct pm_manifest, not_before)},
	{.key = "not_after",
		.read = read_not_after,
		.offset = offsetof(struct pm_manifest, not_after)},
	{.key = "models", .read = pm_manifest_read_models},
	{.key = "roles", .read = pm_manifest_read_roles},
	{.key = "owners",
		.read = pm_manifest_read_owners,
		.offset = offsetof(struct pm_manifest, owners)},
	{.key = "seed_share_owners", .read = pm_manifest_read_share_owners},
	{.key = "secrets", .read = pm_manifest_read_secrets},
	{.key = "extra_roots", .read = read_roots, .optional = true},
};

static int compute_hash(struct pm_manifest *m)
{
	static const char label[] = "libpm manifest v1"; /* with its final NUL */
	struct pm_view parts[] = {
		pm_view(label, sizeof(label)), pm_view(m->canonical, m->canonical_len)};

	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), m->hash);
}

static int read(struct pm_manifest *m, struct pm_report *report)
{
	struct pm_json_at root = pm_json_root(NAME, report);
	int r = check_version(&root, m->json);

	if (r == PM_OK)
		r = pm_json_object(&root, m->json, rules, PM_ARRAY_LEN(rules), m);
	if (r == PM_OK)
		r = pm_json_canonical(m->json, &m->canonical, &m->canonical_len);
	return r < 0 ? r : compute_hash(m);
}

int pm_manifest_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_manifest **ret_manifest)
{
	pm_cleanup(pm_manifest) struct pm_manifest *m = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	m = pm_alloc(sizeof(*m));
	if (!m)
		return PM_E_NOMEM;
	r = pm_json_parse(NAME, pm_view(bytes, size), PM_MANIFEST_SIZE_MAX, report, &m->json);
	if (r == PM_OK)
		r = read(m, report);
	if (r < 0)
		return r;
	if (report)
		pm_pass(report, NAME, "serial %llu, %s", (unsigned long long)m->serial,
			pm_hex(m->hash, sizeof(m->hash)).s);
	*ret_manifest = pm_steal(m);
	return PM_OK;
}

void pm_manifest_free(struct pm_manifest *manifest)
{
	if (!manifest)
		return;
	free(manifest->roles);
	free(manifest->secrets);
	free(manifest->models);
	pm_manifest_free_owners(&manifest->owners);
	free(manifest->share_owners.keys.list);
	free(manifest->canonical);
	json_decref(manifest->json);
	free(manifest);
}

/* --- accessors ------------------------------------------------------------------------------- */

void pm_manifest_hash(const struct pm_manifest *manifest, uint8_t *ret_hash)
{
	pm_copy(ret_hash, manifest->hash, sizeof(manifest->hash));
}

const char *pm_manifest_canonical(const struct pm_manifest *manifest, size_t *ret_size)
{
	*ret_size = manifest->canonical_len;
	return (const char *)manifest->canonical;
}

uint64_t pm_manifest_serial(const struct pm_manifest *manifest)
{
	return manifest->serial;
}

const uint8_t *pm_manifest_previous(const struct pm_manifest *manifest)
{
	return manifest->has_previous ? manifest->previous : NULL;
}

int64_t pm_manifest_not_before(const struct pm_manifest *manifest)
{
	return manifest->not_before;
}

int64_t pm_manifest_not_after(const struct pm_manifest *manifest)
{
	return manifest->not_after;
}

int pm_manifest_check_time(
	const struct pm_manifest *manifest, int64_t now, struct pm_report *report)
{
	const struct pm_time_text from = pm_time(manifest->not_before);
	const struct pm_time_text to = pm_time(manifest->not_after);
	char expected[80];

	if (now < manifest->not_before || now > manifest->not_after) {
		snprintf(expected, sizeof(expected), "a time from %s to %s", from.s, to.s);
		return pm_fail(
			report, PM_E_STALE, "manifest.validity", expected, "%s", pm_time(now).s);
	}
	pm_pass(report, "manifest.validity", "%s to %s", from.s, to.s);
	return PM_OK;
}

bool pm_manifest_test_root(const struct pm_manifest *manifest)
{
	size_t count = 0;

	for (size_t i = 0; i < PM_MANIFEST_ROOT_KINDS; i++)
		count += manifest->roots[i].count;
	return count > 0;
}

const struct pm_manifest_owners *pm_manifest_owners(const struct pm_manifest *manifest)
{
	return &manifest->owners;
}
