/* SPDX-License-Identifier: Apache-2.0 */
/* What a client remembers, as JSON with a checksum. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/wr.h"
#include "policy/history.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the checks in a report. */
#define NAME "memory"

struct file {
	struct pm_memory memory;
	uint8_t sum[PM_SHA256_SIZE];
};

static const char label[] = "libpm memory v1"; /* with its final NUL */

static int checksum(const struct pm_memory *memory, uint8_t *ret)
{
	uint8_t bytes[sizeof(label) + 8 + 1 + 2 * PM_MANIFEST_HASH_SIZE];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));

	pm_wr_bytes(&wr, pm_view(label, sizeof(label)));
	pm_wr_be64(&wr, memory->serial);
	pm_wr_bytes(&wr, pm_view(memory->manifest, sizeof(memory->manifest)));
	pm_wr_u8(&wr, memory->has_link);
	if (memory->has_link)
		pm_wr_bytes(&wr, pm_view(memory->link, sizeof(memory->link)));
	return pm_hash(PM_SHA256, pm_view(bytes, wr.len), ret);
}

static int read_version(ARGS)
{
	int64_t n;

	(void)rule;
	(void)target;
	return pm_json_integer(at, value, 1, 1, &n);
}

static int read_serial(ARGS)
{
	struct file *file = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)PM_MANIFEST_SERIAL_MAX, &n);

	(void)rule;
	if (r == PM_OK)
		file->memory.serial = (uint64_t)n;
	return r;
}

static int read_hash(ARGS)
{
	return pm_json_hex(at, value, PM_JSON_SLOT(uint8_t, target, rule), PM_SHA256_SIZE);
}

static int read_link(ARGS)
{
	struct file *file = target;

	file->memory.has_link = !json_is_null(value);
	return file->memory.has_link ? read_hash(at, value, rule, target) : PM_OK;
}

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = read_version},
	{.key = "serial", .read = read_serial},
	{.key = "manifest", .read = read_hash, .offset = offsetof(struct file, memory.manifest)},
	{.key = "link", .read = read_link, .offset = offsetof(struct file, memory.link)},
	{.key = "checksum", .read = read_hash, .offset = offsetof(struct file, sum)},
};

int pm_memory_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_memory *ret_memory)
{
	struct pm_json_at root = pm_json_root(NAME, report);
	pm_cleanup(json) json_t *json = NULL;
	uint8_t sum[PM_SHA256_SIZE];
	struct file file = {0};
	int r = pm_json_parse(NAME, pm_view(bytes, size), PM_MEMORY_SIZE_MAX, report, &json);

	if (r == PM_OK)
		r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), &file);
	if (r == PM_OK)
		r = checksum(&file.memory, sum);
	if (r < 0)
		return r;
	if (!pm_ct_equal(sum, file.sum, sizeof(sum)))
		return pm_fail(report, PM_E_FORMAT, "memory.checksum", pm_hex(sum, sizeof(sum)).s,
			"%s", pm_hex(file.sum, sizeof(file.sum)).s);
	*ret_memory = file.memory;
	return PM_OK;
}

int pm_memory_text(const struct pm_memory *memory, char *ret_text, size_t *ret_size)
{
	struct pm_hex_text link = {"null"};
	const char *quote = memory->has_link ? "\"" : "";
	uint8_t sum[PM_SHA256_SIZE];
	int r = checksum(memory, sum);

	if (r < 0)
		return r;
	if (memory->has_link)
		link = pm_hex(memory->link, PM_SHA256_SIZE);
	*ret_size = (size_t)snprintf(ret_text, PM_MEMORY_SIZE_MAX,
		"{\"version\": 1, \"serial\": %llu,\n \"manifest\": \"%s\",\n \"link\": %s%s%s,\n"
		" \"checksum\": \"%s\"}\n",
		(unsigned long long)memory->serial, pm_hex(memory->manifest, PM_SHA256_SIZE).s,
		quote, link.s, quote, pm_hex(sum, sizeof(sum)).s);
	return PM_OK;
}
