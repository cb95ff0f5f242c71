/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/manifest_notes.h"

#include <string.h>

/* When a key has this value, a role deserves a remark. */
enum remarkable { IS_TRUE, IS_FALSE, IS_NULL, IS_ABSENT };

struct remark {
	const char *part; /* "snp" or "gpu" */
	const char *key;
	enum remarkable when;
	const char *text;
};

static const struct remark remarks[] = {
	{"snp", "permit_debug", IS_TRUE,
		"the host may read and write the guest's memory (debugging)"},
	{"snp", "permit_migrate_ma", IS_TRUE, "a migration agent may move the guest"},
	{"snp", "permit_cxl", IS_TRUE, "memory on CXL devices may be used"},
	{"snp", "permit_masked_chip_id", IS_TRUE, "a chip may hide which one it is"},
	{"snp", "host_data", IS_NULL, "any HOST_DATA is accepted"},
	{"snp", "chip_ids", IS_NULL, "any chip is accepted"},
	{"snp", "require_crl", IS_FALSE, "no revocation list is needed"},
	{"gpu", "modes", IS_NULL, "any mode of the GPUs is accepted"},
	{"gpu", "drivers", IS_NULL,
		"any driver that its golden measurements vouch for is accepted"},
	{"gpu", "vbios", IS_NULL, "any VBIOS that its golden measurements vouch for is accepted"},
	{"gpu", "require_rim", IS_FALSE, "GPUs need no golden measurements: any firmware may run"},
	{"gpu", "require_ocsp", IS_FALSE, "nothing need tell whether a GPU is revoked"},
	{"gpu", "require_fwid", IS_ABSENT, "GPUs may lack a firmware identity"},
	{"gpu", "permit_ocsp_unknown", IS_TRUE, "GPUs that OCSP does not know are accepted"},
	{"gpu", "permit_unknown_opaque", IS_TRUE, "unknown fields of GPU reports are accepted"},
	{"gpu", "require_all_golden", IS_ABSENT,
		"measurements without a golden value are accepted, as NVIDIA does"},
};

static bool applies(const struct remark *remark, const json_t *value)
{
	switch (remark->when) {
	case IS_TRUE:
		return json_is_true(value);
	case IS_FALSE:
		return json_is_false(value);
	case IS_NULL:
		return json_is_null(value);
	case IS_ABSENT:
		return !value;
	}
	return false;
}

static void add(json_t *notes, const char *about, const char *name, const char *text)
{
	json_array_append_new(notes, json_sprintf("%s%s: %s", about, name, text));
}

static bool has_word(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!strcmp(json_string_value(json_array_get(list, i)), word))
			return true;
	}
	return false;
}

static void note_role(json_t *notes, const char *name, const json_t *role)
{
	const json_t *snp = json_object_get(role, "snp"), *gpu = json_object_get(role, "gpu");

	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		const struct remark *r = &remarks[i];
		const json_t *part = json_object_get(role, r->part);

		if (json_is_object(part) && applies(r, json_object_get(part, r->key)))
			add(notes, "role ", name, r->text);
	}
	if (has_word(json_object_get(snp, "signers"), "VLEK"))
		add(notes, "role ", name,
			"a VLEK may sign, which all machines of a provider share");
	if (json_is_null(gpu))
		add(notes, "role ", name, "no GPU is demanded");
	else if (json_object_get(gpu, "permit_hold"))
		add(notes, "role ", name,
			"GPUs whose certificate is on hold are accepted for a time");
}

static void note_secrets(json_t *notes, json_t *secrets)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(secrets, i, rule)
	{
		const char *id = json_string_value(json_object_get(rule, "id"));

		if (!strcmp(id, "*"))
			add(notes, "secrets", "", "a rule gives every secret");
	}
}

static void note_shares(json_t *notes, const struct pm_manifest_share_owners *owners)
{
	if (!owners)
		add(notes, "seed share owners", "", "the seed is lost with the last coordinator");
	else if (pm_manifest_share_owners_threshold(owners) == 1)
		add(notes, "seed share owners", "", "one share alone gives the seed back");
}

json_t *manifest_notes(const struct pm_manifest *manifest)
{
	json_t *json = manifest_json(manifest), *notes = json_array(), *role;
	const char *name;

	if (pm_manifest_test_root(manifest))
		add(notes, "TEST ROOT", "",
			"evidence under roots that are not the makers' own is accepted");
	json_object_foreach(json_object_get(json, "roles"), name, role)
		note_role(notes, name, role);
	note_secrets(notes, json_object_get(json, "secrets"));
	if (pm_manifest_owners_threshold(pm_manifest_owners(manifest)) == 1)
		add(notes, "owners", "", "one owner alone may replace this manifest");
	note_shares(notes, pm_manifest_seed_share_owners(manifest));
	json_decref(json);
	return notes;
}
