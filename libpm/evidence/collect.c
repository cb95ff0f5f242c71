/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/collect_os.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rd.h"
#include "crypto/crypto.h"

/* Offsets in the report (AMD 56860, table "ATTESTATION_REPORT"). */
#define VMPL_OFFSET	   0x30
#define REPORT_DATA_OFFSET 0x50

#define VMPL_MAX 3

static const char *const source_names[] = {
	[PM_COLLECT_AUTO] = "automatic",
	[PM_COLLECT_CONFIGFS] = "configfs-tsm",
	[PM_COLLECT_DEVICE] = "sev-guest device",
	[PM_COLLECT_ATTESTER] = "attester",
};

int pm_collected_set_report(struct pm_collected *c, struct pm_report *report, struct pm_view bytes)
{
	if (bytes.len != PM_SNP_REPORT_SIZE)
		return pm_fail(report, PM_E_FORMAT, "collect.report", "1184 bytes", "%zu bytes",
			bytes.len);
	pm_copy(c->bytes, bytes.ptr, bytes.len);
	return PM_OK;
}

int pm_collected_set_table(struct pm_collected *c, struct pm_report *report, struct pm_view bytes)
{
	uint8_t *copy;

	if (bytes.len > PM_COLLECT_TABLE_MAX)
		return pm_fail(report, PM_E_LIMIT, "collect.table", "at most 65536 bytes",
			"%zu bytes", bytes.len);
	copy = pm_dup(bytes);
	if (!copy)
		return PM_E_NOMEM;
	free(c->table);
	c->table = copy;
	c->table_size = bytes.len;
	return PM_OK;
}

static int check_option_size(const struct pm_collect_options *options, struct pm_report *report)
{
	if (options->size == sizeof(*options))
		return PM_OK;
	return pm_fail(report, PM_E_ARG, "collect.options.size", "that of this version", "%zu",
		options->size);
}

static int check_options(const struct pm_collect_options *o, struct pm_report *report)
{
	if (o->source < PM_COLLECT_AUTO || o->source > PM_COLLECT_ATTESTER)
		return pm_fail(report, PM_E_ARG, "collect.options.source", "a known source", "%d",
			o->source);
	if (o->vmpl > VMPL_MAX)
		return pm_fail(report, PM_E_ARG, "collect.options.vmpl", "0 to 3", "%u", o->vmpl);
	if (o->timeout_ms > PM_COLLECT_TIMEOUT_MAX_MS)
		return pm_fail(report, PM_E_ARG, "collect.options.timeout_ms", "at most 600000",
			"%u", o->timeout_ms);
	if (o->source == PM_COLLECT_ATTESTER && !o->socket)
		return pm_fail(report, PM_E_ARG, "collect.options.socket", "a path", "none");
	if (o->reserved)
		return pm_fail(
			report, PM_E_ARG, "collect.options.reserved", "0", "%u", o->reserved);
	return PM_OK;
}

static int check_path(const char *path, struct pm_report *report)
{
	if (!path || (path[0] && strlen(path) < PM_COLLECT_PATH_SIZE))
		return PM_OK;
	return pm_fail(report, PM_E_ARG, "collect.options.path", "1 to 255 bytes", "%zu bytes",
		strlen(path));
}

static int check_paths(const struct pm_collect_options *o, struct pm_report *report)
{
	int r = check_path(o->configfs, report);

	if (r == PM_OK)
		r = check_path(o->device, report);
	if (r == PM_OK)
		r = check_path(o->socket, report);
	return r;
}

/*
 * configfs first. When this machine lacks it, that is no failure yet: it goes into the report as a
 * check that was not made, and the device gets its turn.
 */
static int collect_auto(
	const struct pm_collect_ask *ask, struct pm_report *report, struct pm_collected *ret)
{
	pm_cleanup(pm_report) struct pm_report *first = pm_report_new();
	const struct pm_check *why;
	int r;

	if (!first)
		return PM_E_NOMEM;
	r = pm_collect_configfs(ask, first, ret);
	if (r == PM_OK)
		return PM_OK;
	why = pm_report_failure(first);
	if (r != PM_E_MISSING)
		return pm_fail(report, r, why ? why->name : "collect.configfs",
			why ? why->expected : "", "%s", why ? why->found : pm_strerror(r));
	pm_skip(report, "collect.configfs", "%s", why ? why->found : pm_strerror(r));
	ret->source = PM_COLLECT_DEVICE;
	return pm_collect_device(ask, report, ret);
}

static int collect_from(int source, const struct pm_collect_ask *ask, struct pm_report *report,
	struct pm_collected *ret)
{
	ret->source = source;
	if (source == PM_COLLECT_CONFIGFS)
		return pm_collect_configfs(ask, report, ret);
	if (source == PM_COLLECT_DEVICE)
		return pm_collect_device(ask, report, ret);
	if (source == PM_COLLECT_ATTESTER)
		return pm_collect_attester(ask, report, ret);
	ret->source = PM_COLLECT_CONFIGFS;
	return collect_auto(ask, report, ret);
}

/* A source may be mistaken or hostile: the report must be an answer to this question. */
static int check_echo(
	const struct pm_collect_ask *ask, struct pm_report *report, const struct pm_collected *c)
{
	struct pm_rd rd = pm_rd(pm_view(c->bytes, sizeof(c->bytes)));
	struct pm_view data;
	uint32_t vmpl;

	pm_rd_skip(&rd, VMPL_OFFSET);
	vmpl = pm_rd_le32(&rd);
	pm_rd_skip(&rd, REPORT_DATA_OFFSET - VMPL_OFFSET - 4);
	data = pm_rd_bytes(&rd, PM_SNP_REPORT_DATA_SIZE);
	if (!pm_view_equal(data, pm_view(ask->report_data, PM_SNP_REPORT_DATA_SIZE)))
		return pm_fail(report, PM_E_REJECTED, "collect.REPORT_DATA",
			pm_hex(ask->report_data, PM_SNP_REPORT_DATA_SIZE).s, "%s",
			pm_hex(data.ptr, data.len).s);
	if (vmpl != ask->vmpl)
		return pm_fail(report, PM_E_REJECTED, "collect.VMPL", "the level asked for",
			"%u instead of %u", vmpl, ask->vmpl);
	pm_pass(report, "collect.source", "%s", source_names[c->source]);
	pm_pass(report, "collect.table", "%zu bytes", c->table_size);
	return PM_OK;
}

static struct pm_collect_ask make_ask(const struct pm_collect_os *os, const uint8_t *report_data,
	const struct pm_collect_options *o)
{
	return (struct pm_collect_ask){
		.os = os,
		.report_data = report_data,
		.vmpl = o->vmpl,
		.configfs = o->configfs ? o->configfs : "/sys/kernel/config/tsm/report",
		.device = o->device ? o->device : "/dev/sev-guest",
		.socket = o->socket,
		.timeout_ms = o->timeout_ms ? o->timeout_ms : PM_COLLECT_TIMEOUT_MS,
	};
}

static int collect(const struct pm_collect_ask *ask, int source, struct pm_report *report,
	struct pm_collected **ret_collected)
{
	pm_cleanup(pm_collected) struct pm_collected *c = pm_alloc(sizeof(*c));
	int r;

	if (!c)
		return PM_E_NOMEM;
	r = pm_collected_set_table(c, report, pm_view(NULL, 0));
	if (r == PM_OK)
		r = collect_from(source, ask, report, c);
	if (r == PM_OK)
		r = check_echo(ask, report, c);
	if (r == PM_OK)
		*ret_collected = pm_steal(c);
	return r;
}

int pm_collect_snp_with(const struct pm_collect_os *os, const uint8_t *report_data,
	const struct pm_collect_options *options, struct pm_report *report,
	struct pm_collected **ret_collected)
{
	static const struct pm_collect_options defaults = {.size = sizeof(defaults)};
	const struct pm_collect_options *o = options ? options : &defaults;
	struct pm_collect_ask ask;
	int r;

	if (!report_data || !ret_collected)
		return PM_E_ARG;
	r = check_option_size(o, report);
	if (r == PM_OK)
		r = check_options(o, report);
	if (r == PM_OK)
		r = check_paths(o, report);
	if (r == PM_OK)
		r = pm_crypto_init();
	if (r != PM_OK)
		return r;
	ask = make_ask(os, report_data, o);
	return collect(&ask, o->source, report, ret_collected);
}

int pm_collect_snp(const uint8_t *report_data, const struct pm_collect_options *options,
	struct pm_report *report, struct pm_collected **ret_collected)
{
	return pm_collect_snp_with(
		&pm_collect_os_real, report_data, options, report, ret_collected);
}

void pm_collected_free(struct pm_collected *collected)
{
	if (!collected)
		return;
	free(collected->table);
	free(collected);
}

const uint8_t *pm_collected_report(const struct pm_collected *collected)
{
	return collected->bytes;
}

const uint8_t *pm_collected_table(const struct pm_collected *collected, size_t *ret_size)
{
	*ret_size = collected->table_size;
	return collected->table;
}

int pm_collected_source(const struct pm_collected *collected)
{
	return collected->source;
}
