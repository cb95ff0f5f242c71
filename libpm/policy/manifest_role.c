/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: what each demands of evidence, and what it may do. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* The policy is made anew for each caller, who may add to it; here it shows that all is well. */
static int read_snp(ARGS)
{
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *policy = NULL;
	struct pm_manifest_role *role = target;
	int r = pm_snp_policy_new(&policy);

	if (r < 0)
		return r;
	role->snp = value;
	return pm_manifest_read_snp(at, value, rule, policy);
}

static int read_gpu(ARGS)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	struct pm_manifest_role *role = target;
	int r;

	if (json_is_null(value))
		return PM_OK;
	r = pm_gpu_policy_new(&policy);
	if (r < 0)
		return r;
	role->gpu = value;
	r = pm_manifest_read_gpu(at, value, rule, policy);
	return r < 0 ? r : pm_manifest_read_gpu_set(at, value, &role->gpu_set);
}

static int read_workload_secret(ARGS)
{
	struct pm_manifest_role *role = target;

	(void)rule;
	return pm_json_bool(at, value, &role->workload_secret);
}

#define NAMES(name, most)                                                                          \
	{                                                                                          \
		.key = #name, .read = pm_manifest_read_names, .max = most,                         \
		.offset = offsetof(struct pm_manifest_role, name)                                  \
	}

static const struct pm_json_rule rules[] = {
	{.key = "snp", .read = read_snp},
	{.key = "gpu", .read = read_gpu},
	NAMES(models, PM_MANIFEST_MODELS_MAX),
	NAMES(calls, PM_MANIFEST_ROLES_MAX),
	{.key = "workload_secret", .read = read_workload_secret},
};

static int read_role(
	const struct pm_json_at *at, json_t *value, const char *name, struct pm_manifest_role *role)
{
	int r = pm_manifest_check_name(at, value, name);

	if (r < 0)
		return r;
	role->name = name;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), role);
}

/* What a role names is there: all roles and models are known by now. */
static int check_references(const struct pm_json_at *at, const struct pm_manifest_role *role,
	const struct pm_manifest *m)
{
	struct pm_json_at here = pm_json_below(at, role->name);
	int r = pm_manifest_check_models(&here, "models", role->models, m);

	return r < 0 ? r : pm_manifest_check_roles(&here, "calls", role->calls, m);
}

static int read_all(const struct pm_json_at *at, json_t *value, struct pm_manifest *m)
{
	const char *name;
	json_t *role;

	json_object_foreach(value, name, role)
	{
		struct pm_json_at here = pm_json_below(at, name);
		int r = read_role(&here, role, name, &m->roles[m->role_count++]);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

int pm_manifest_read_roles(ARGS)
{
	struct pm_manifest *m = target;
	int r;

	(void)rule;
	if (!json_object_size(value))
		return pm_json_complain(at, value, "an object with a role at least");
	if (json_object_size(value) > PM_MANIFEST_ROLES_MAX)
		return pm_json_fail(at, PM_E_LIMIT, value, "at most 64 roles");
	m->roles = pm_alloc(json_object_size(value) * sizeof(m->roles[0]));
	if (!m->roles)
		return PM_E_NOMEM;
	r = read_all(at, value, m);
	for (size_t i = 0; r == PM_OK && i < m->role_count; i++)
		r = check_references(at, &m->roles[i], m);
	return r;
}

/* --- accessors ------------------------------------------------------------------------------- */

const struct pm_manifest_role *pm_manifest_role_at(const struct pm_manifest *manifest, size_t index)
{
	return index < manifest->role_count ? &manifest->roles[index] : NULL;
}

const struct pm_manifest_role *pm_manifest_role(
	const struct pm_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->role_count; i++) {
		if (!strcmp(manifest->roles[i].name, name))
			return &manifest->roles[i];
	}
	return NULL;
}

const char *pm_manifest_role_name(const struct pm_manifest_role *role)
{
	return role->name;
}

bool pm_manifest_role_may_call(const struct pm_manifest_role *role, const char *callee)
{
	return pm_manifest_has_name(role->calls, callee);
}

const char *pm_manifest_role_model_at(const struct pm_manifest_role *role, size_t index)
{
	return json_string_value(json_array_get(role->models, index));
}

bool pm_manifest_role_has_model(const struct pm_manifest_role *role, const char *model)
{
	return pm_manifest_has_name(role->models, model);
}

bool pm_manifest_role_workload_secret(const struct pm_manifest_role *role)
{
	return role->workload_secret;
}

const struct pm_manifest_gpu *pm_manifest_role_gpu(const struct pm_manifest_role *role)
{
	return role->gpu ? &role->gpu_set : NULL;
}

static int add_snp_roots(const struct pm_manifest_roots *roots, struct pm_snp_policy *policy)
{
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < roots->count; i++)
		r = pm_snp_policy_add_test_root(policy, roots->sha256[i]);
	return r;
}

int pm_manifest_role_snp_policy(const struct pm_manifest *manifest,
	const struct pm_manifest_role *role, struct pm_snp_policy **ret_policy)
{
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *policy = NULL;
	struct pm_json_at root = pm_json_root("manifest", NULL);
	int r = pm_snp_policy_new(&policy);

	if (r == PM_OK)
		r = pm_manifest_read_snp(&root, role->snp, NULL, policy);
	if (r == PM_OK)
		r = add_snp_roots(&manifest->roots[PM_MANIFEST_ROOT_SNP], policy);
	if (r < 0)
		return r;
	*ret_policy = pm_steal(policy);
	return PM_OK;
}

static int add_gpu_roots(
	const struct pm_manifest_roots *roots, enum pm_gpu_root kind, struct pm_gpu_policy *policy)
{
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < roots->count; i++)
		r = pm_gpu_policy_add_test_root(policy, kind, roots->sha256[i]);
	return r;
}

int pm_manifest_role_gpu_policy(const struct pm_manifest *manifest,
	const struct pm_manifest_role *role, struct pm_gpu_policy **ret_policy)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	const struct pm_manifest_roots *device = &manifest->roots[PM_MANIFEST_ROOT_DEVICE];
	const struct pm_manifest_roots *rim = &manifest->roots[PM_MANIFEST_ROOT_RIM];
	struct pm_json_at root = pm_json_root("manifest", NULL);
	int r = role->gpu ? pm_gpu_policy_new(&policy) : PM_E_MISSING;

	if (r == PM_OK)
		r = pm_manifest_read_gpu(&root, role->gpu, NULL, policy);
	if (r == PM_OK)
		r = add_gpu_roots(device, PM_GPU_ROOT_DEVICE, policy);
	if (r == PM_OK)
		r = add_gpu_roots(rim, PM_GPU_ROOT_RIM, policy);
	if (r < 0)
		return r;
	*ret_policy = pm_steal(policy);
	return PM_OK;
}
