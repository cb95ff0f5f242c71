/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a manifest: what dm-verity needs to know of each disk. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

static int root_hash(ARGS)
{
	struct pm_manifest_model *model = target;

	(void)rule;
	return pm_json_hex(at, value, model->root_hash, sizeof(model->root_hash));
}

static int data_blocks(ARGS)
{
	struct pm_manifest_model *model = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, PM_JSON_INT_MAX, &n);

	(void)rule;
	if (r == PM_OK)
		model->params.data_blocks = (uint64_t)n;
	return r;
}

static int hash_offset(ARGS)
{
	struct pm_manifest_model *model = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 0, PM_JSON_INT_MAX, &n);

	(void)rule;
	if (r < 0)
		return r;
	if (n % 512)
		return pm_json_complain(at, value, "a multiple of 512");
	model->params.hash_offset = (uint64_t)n;
	return PM_OK;
}

static int block_size(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, PM_VERITY_BLOCK_MIN, PM_VERITY_BLOCK_MAX, &n);

	if (r < 0)
		return r;
	if (n & (n - 1))
		return pm_json_complain(at, value, "a power of two");
	*PM_JSON_SLOT(uint32_t, target, rule) = (uint32_t)n;
	return PM_OK;
}

static int salt(ARGS)
{
	struct pm_manifest_model *model = target;
	size_t len = json_string_length(value);
	int r;

	(void)rule;
	if (!json_is_string(value) || len % 2 || len / 2 > PM_VERITY_SALT_MAX)
		return pm_json_complain(
			at, value, "at most 512 lower-case hexadecimal digits, an even number");
	r = pm_json_hex(at, value, model->params.salt, len / 2);
	if (r == PM_OK)
		model->params.salt_size = (uint32_t)(len / 2);
	return r;
}

#define PARAM(field) offsetof(struct pm_manifest_model, params.field)

static const struct pm_json_rule rules[] = {
	{.key = "root_hash", .read = root_hash},
	{.key = "hash_offset", .read = hash_offset},
	{.key = "data_blocks", .read = data_blocks},
	{.key = "salt", .read = salt},
	{.key = "data_block_size", .read = block_size, .offset = PARAM(data_block_size)},
	{.key = "hash_block_size", .read = block_size, .offset = PARAM(hash_block_size)},
};

static int read_model(
	const struct pm_json_at *at, json_t *value, const char *name, struct pm_manifest_model *ret)
{
	struct pm_verity_layout layout;
	int r = pm_manifest_check_model_name(at, value, name);

	if (r < 0)
		return r;
	*ret = (struct pm_manifest_model){.name = name, .params.size = sizeof(ret->params)};
	r = pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), ret);
	if (r < 0)
		return r;
	if (pm_verity_layout_of(&ret->params, NULL, &layout) < 0)
		return pm_json_complain(at, value, "a disk that ends below 2^63 bytes");
	return PM_OK;
}

int pm_manifest_read_models(ARGS)
{
	struct pm_manifest *m = target;
	const char *name;
	json_t *model;

	(void)rule;
	if (!json_is_object(value))
		return pm_json_complain(at, value, "an object");
	if (json_object_size(value) > PM_MANIFEST_MODELS_MAX)
		return pm_json_fail(at, PM_E_LIMIT, value, "at most 256 models");
	m->models = pm_alloc((json_object_size(value) + 1) * sizeof(m->models[0]));
	if (!m->models)
		return PM_E_NOMEM;
	json_object_foreach(value, name, model)
	{
		struct pm_json_at here = pm_json_below(at, name);
		int r = read_model(&here, model, name, &m->models[m->model_count]);

		if (r < 0)
			return r;
		m->model_count++;
	}
	return PM_OK;
}

const struct pm_manifest_model *pm_manifest_model_at(
	const struct pm_manifest *manifest, size_t index)
{
	return index < manifest->model_count ? &manifest->models[index] : NULL;
}

const struct pm_manifest_model *pm_manifest_model(
	const struct pm_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->model_count; i++) {
		if (!strcmp(manifest->models[i].name, name))
			return &manifest->models[i];
	}
	return NULL;
}
