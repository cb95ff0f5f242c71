/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/gpu_list.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pm/text.h>

#include "base/base64.h"
#include "evidence/eat.h"

#define NAME "evidence list"

/* Members that tell of the report, and perhaps stand there. */
enum told { TOLD_VERSION, TOLD_ARCH, TOLD_NONCE, TOLD_DRIVER, TOLD_VBIOS, TOLD_COUNT };

static const char *const told_names[TOLD_COUNT] = {
	[TOLD_VERSION] = "version",
	[TOLD_ARCH] = "arch",
	[TOLD_NONCE] = "nonce",
	[TOLD_DRIVER] = "driver_version",
	[TOLD_VBIOS] = "vbios_version",
};

struct bytes {
	uint8_t *ptr;
	size_t len;
};

struct entry {
	struct bytes report, certs;
	const char *told[TOLD_COUNT]; /* of the JSON, or NULL */
};

struct pm_gpu_list {
	json_t *root;
	size_t count;
	struct entry entries[PM_GPU_SET_MAX];
};

PM_OWNER(pm_gpu_list, pm_gpu_list_free);

void pm_gpu_list_free(struct pm_gpu_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].report.ptr);
		free(list->entries[i].certs.ptr);
	}
	json_decref(list->root);
	free(list);
}

/* --- one device ------------------------------------------------------------------------------ */

/* 0 and no bytes when there is no such text, or it is not base64. PM_E_NOMEM. */
static int decode(const json_t *object, const char *key, struct bytes *ret)
{
	const json_t *value = json_object_get(object, key);
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	pm_cleanup(free) uint8_t *bytes = NULL;
	size_t len = 0;

	if (!json_is_string(value))
		return PM_OK;
	bytes = pm_alloc(text.len + 1);
	if (!bytes)
		return PM_E_NOMEM;
	if (pm_base64_decode(text, bytes, text.len, &len) == PM_OK)
		*ret = (struct bytes){pm_steal(bytes), len};
	return PM_OK;
}

static bool take_told(struct entry *entry, const char *key, const char *text)
{
	for (size_t i = 0; i < TOLD_COUNT; i++) {
		if (!strcmp(key, told_names[i])) {
			entry->told[i] = text;
			return true;
		}
	}
	return !strcmp(key, "evidence") || !strcmp(key, "certificate");
}

/* No member but those that the SDK writes, so that none is passed over. */
static bool take_members(struct entry *entry, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (!json_is_string(value) || !take_told(entry, key, json_string_value(value)))
			return false;
	}
	return true;
}

static int take(struct pm_gpu_list *list, json_t *object, struct pm_report *report)
{
	size_t index = list->count++;
	struct entry *entry = &list->entries[index];
	int r = decode(object, "evidence", &entry->report);

	if (r == PM_OK)
		r = decode(object, "certificate", &entry->certs);
	if (r < 0)
		return r;
	if (entry->report.ptr && entry->certs.ptr && take_members(entry, object))
		return PM_OK;
	return pm_fail(report, PM_E_FORMAT, NAME,
		"\"evidence\" and \"certificate\" in base64, and at most \"version\", \"arch\", "
		"\"nonce\", \"driver_version\", \"vbios_version\"",
		"another value at $[%zu]", index);
}

/* --- the list -------------------------------------------------------------------------------- */

/* The list in what the SDK's program prints, when that says that it is whole. */
static json_t *unwrap(json_t *root)
{
	const char *message;
	json_t *list;
	int code;

	if (!json_is_object(root))
		return root;
	if (json_unpack(root, "{s:o, s:i, s:s!}", "evidences", &list, "result_code", &code,
		    "result_message", &message) ||
		code)
		return NULL;
	return list;
}

static int read_json(struct pm_view text, struct pm_report *report, json_t **ret)
{
	json_error_t e;
	json_t *root;

	if (text.len > PM_GPU_LIST_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 4194304 bytes", "%zu", text.len);
	root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &e);
	if (!root && json_error_code(&e) == json_error_out_of_memory)
		return PM_E_NOMEM;
	if (!root)
		return pm_fail(report, PM_E_FORMAT, NAME, "JSON without doubled keys",
			"line %d: %s", e.line, e.text);
	*ret = root;
	return PM_OK;
}

int pm_gpu_list_parse(
	const void *text, size_t size, struct pm_report *report, struct pm_gpu_list **ret_list)
{
	pm_cleanup(pm_gpu_list) struct pm_gpu_list *list = pm_alloc(sizeof(*list));
	json_t *devices;
	size_t count;
	int r;

	if (!list)
		return PM_E_NOMEM;
	r = read_json(pm_view(text, size), report, &list->root);
	if (r < 0)
		return r;
	devices = unwrap(list->root);
	count = json_array_size(devices);
	if (!count || count > PM_GPU_SET_MAX)
		return pm_fail(report, count ? PM_E_LIMIT : PM_E_FORMAT, NAME,
			"a list of 1 to 64 devices, or that as \"evidences\" with result_code 0",
			"%s", count ? "more" : "another value");
	for (size_t i = 0; i < count; i++) {
		r = take(list, json_array_get(devices, i), report);
		if (r < 0)
			return r;
	}
	*ret_list = pm_steal(list);
	return PM_OK;
}

size_t pm_gpu_list_count(const struct pm_gpu_list *list)
{
	return list->count;
}

const uint8_t *pm_gpu_list_report(const struct pm_gpu_list *list, size_t index, size_t *ret_size)
{
	*ret_size = list->entries[index].report.len;
	return list->entries[index].report.ptr;
}

const uint8_t *pm_gpu_list_certs(const struct pm_gpu_list *list, size_t index, size_t *ret_size)
{
	*ret_size = list->entries[index].certs.len;
	return list->entries[index].certs.ptr;
}

/* --- what it tells --------------------------------------------------------------------------- */

static const char *arch_name(const struct pm_gpu_evidence *evidence)
{
	switch (pm_gpu_evidence_arch(evidence)) {
	case PM_GPU_HOPPER:
		return "HOPPER";
	case PM_GPU_BLACKWELL:
		return "BLACKWELL";
	case PM_GPU_LS10:
		return "LS10";
	default:
		return "";
	}
}

int pm_gpu_list_check(const struct pm_gpu_list *list, size_t index,
	const struct pm_gpu_evidence *evidence, struct pm_report *report)
{
	const struct pm_gpu_fields *f = pm_gpu_evidence_untrusted(evidence);
	char nonce[2 * PM_GPU_NONCE_SIZE + 1];
	const char *const said[TOLD_COUNT] = {
		[TOLD_VERSION] = "1.0",
		[TOLD_ARCH] = arch_name(evidence),
		[TOLD_NONCE] = nonce,
		[TOLD_DRIVER] = f->driver,
		[TOLD_VBIOS] = f->vbios,
	};

	pm_hex_encode(f->nonce, sizeof(f->nonce), nonce);
	for (size_t i = 0; i < TOLD_COUNT; i++) {
		const char *told = list->entries[index].told[i];

		/* A report need not tell all of it. */
		if (told && said[i][0] && strcasecmp(told, said[i]) != 0)
			return pm_fail(report, PM_E_FORMAT, NAME, said[i], "%.80s at $[%zu].%s",
				told, index, told_names[i]);
	}
	return PM_OK;
}
