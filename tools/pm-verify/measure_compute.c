/* SPDX-License-Identifier: Apache-2.0 */
/* From the files that the command line names to the digest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/wrong.h"
#include "pm-verify/measure.h"

/* Largest kernel and initial RAM disk; beyond it their digests can be given. */
#define BLOB_MAX ((size_t)1 << 30)

/* A file of the command line; free() its bytes. */
struct file {
	uint8_t *bytes;
	size_t size;
};

static int read_file(const char *path, size_t max, struct file *ret)
{
	if (!path)
		return TOOL_OK;
	return tool_read_evidence(path, max, tool_wants_json(), &ret->bytes, &ret->size);
}

/* Prints a failure under the name of what it is about. */
static int judge(const char *subject, int error, const struct pm_report *report)
{
	if (error < 0)
		tool_print_error(subject, error, report);
	return tool_exit_status(error);
}

/* The same of a file. */
static int judge_file(const char *path, int error, const struct pm_report *report)
{
	if (error < 0)
		tool_refuse_input(
			tool_wants_json(), path, error, report ? pm_report_reason(report) : "");
	return tool_exit_status(error);
}

static int set_firmware(
	const struct measure_options *o, struct pm_measure *m, struct pm_report *report)
{
	struct file f = {0};
	int r, status = read_file(o->ovmf, PM_MEASURE_FIRMWARE_MAX, &f);

	if (status != TOOL_OK)
		return status;
	r = pm_measure_set_firmware(m, f.bytes, f.size, report);
	free(f.bytes);
	if (r == PM_OK && o->has_ovmf_hash)
		r = pm_measure_set_firmware_digest(m, o->ovmf_hash);
	return judge_file(o->ovmf, r, report);
}

static int set_svsm(const struct measure_options *o, struct pm_measure *m, struct pm_report *report)
{
	struct file f = {0};
	int r, status = read_file(o->svsm, PM_MEASURE_FIRMWARE_MAX, &f);

	if (status != TOOL_OK || !o->svsm)
		return status;
	r = pm_measure_set_svsm(m, f.bytes, f.size, o->vars_size, report);
	free(f.bytes);
	return judge_file(o->svsm, r, report);
}

static int set_kernel_digests(const struct measure_options *o, struct pm_measure *m)
{
	const uint8_t *initrd = o->has_initrd_sha256 ? o->initrd_sha256 : NULL;
	int r = pm_measure_set_kernel_digests(m, o->kernel_sha256, initrd, o->append);

	return judge("--append", r, NULL);
}

static int set_kernel_files(const struct measure_options *o, struct pm_measure *m)
{
	struct file kernel = {0}, initrd = {0};
	int r, status = read_file(o->kernel, BLOB_MAX, &kernel);

	if (status == TOOL_OK)
		status = read_file(o->initrd, BLOB_MAX, &initrd);
	if (status == TOOL_OK) {
		r = pm_measure_set_kernel(
			m, kernel.bytes, kernel.size, initrd.bytes, initrd.size, o->append);
		status = judge("--append", r, NULL);
	}
	free(kernel.bytes);
	free(initrd.bytes);
	return status;
}

static int set_kernel(const struct measure_options *o, struct pm_measure *m)
{
	if (o->has_kernel_sha256)
		return set_kernel_digests(o, m);
	return o->kernel ? set_kernel_files(o, m) : TOOL_OK;
}

static int set_vcpus(const struct measure_options *o, struct pm_measure *m)
{
	int r = pm_measure_set_vmm(m, o->vmm);

	if (r == PM_OK)
		r = pm_measure_set_features(m, o->features);
	if (r == PM_OK)
		r = pm_measure_set_vcpus(m, o->vcpus);
	if (r == PM_OK && o->vcpu_type)
		r = pm_measure_set_cpu(m, o->vcpu_type);
	if (o->has_signature)
		pm_measure_set_cpu_signature(m, o->signature);
	return judge("measure", r, NULL);
}

static int compute(const struct measure_options *o, struct pm_measure *m, struct pm_report *report,
	uint8_t *ret_digest)
{
	int status = set_firmware(o, m, report);

	if (status == TOOL_OK && o->ovmf_only)
		return judge_file(o->ovmf, pm_measure_firmware_digest(m, ret_digest), report);
	if (status == TOOL_OK)
		status = set_svsm(o, m, report);
	if (status == TOOL_OK)
		status = set_kernel(o, m);
	if (status == TOOL_OK)
		status = set_vcpus(o, m);
	if (status == TOOL_OK)
		status = judge_file(o->ovmf, pm_measure_digest(m, report, ret_digest), report);
	return status;
}

static int digest_key(const char *path, uint8_t *ret)
{
	struct pm_report *report = pm_report_new();
	struct file f = {0};
	int status = read_file(path, PM_ID_KEY_MAX, &f);

	if (path && status == TOOL_OK)
		status = judge_file(path, pm_id_key_digest(f.bytes, f.size, report, ret), report);
	free(f.bytes);
	pm_report_free(report);
	return status;
}

/* The block, for its owner to sign. */
static int make_block(const struct measure_options *o, struct measure_result *result)
{
	struct pm_id_block block = o->id_block;
	int status;

	for (size_t i = 0; i < sizeof(block.launch_digest); i++)
		block.launch_digest[i] = result->digest[i];
	pm_id_block_encode(&block, result->id_block);
	if (!o->id_block_file)
		return TOOL_OK;
	status =
		tool_write_file(o->id_block_file, result->id_block, sizeof(result->id_block), 0644);
	if (status != TOOL_OK && tool_wants_json())
		tool_print_object(o->id_block_file, PM_E_SYS, strerror(errno));
	return status;
}

int measure_compute(const struct measure_options *o, struct measure_result *ret)
{
	struct pm_report *report = pm_report_new();
	struct pm_measure *m = NULL;
	int status = report ? judge("measure", pm_measure_new(&m), NULL)
			    : judge("measure", PM_E_NOMEM, NULL);

	if (status == TOOL_OK)
		status = compute(o, m, report, ret->digest);
	if (status == TOOL_OK)
		status = digest_key(o->id_key, ret->id_key_digest);
	if (status == TOOL_OK)
		status = digest_key(o->author_key, ret->author_key_digest);
	if (status == TOOL_OK)
		status = make_block(o, ret);
	pm_measure_free(m);
	pm_report_free(report);
	return status;
}
