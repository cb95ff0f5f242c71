/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_hcl.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "crypto/crypto.h"

#define MAGIC		 "HCLA"
#define MAGIC_SIZE	 4
#define REQUEST_SNP	 2 /* type of the header */
#define REPORT_TYPE_SNP	 2 /* type of the runtime data */
#define HASH_TYPE_SHA256 1

bool pm_snp_hcl_is(struct pm_view bytes)
{
	return bytes.len >= MAGIC_SIZE &&
	       pm_view_equal(pm_view(bytes.ptr, MAGIC_SIZE), pm_view(MAGIC, MAGIC_SIZE));
}

/* 32 bytes: magic, version, size, type, status, reserved. */
static int read_header(struct pm_rd *rd, struct pm_report *report)
{
	uint32_t version, type;

	pm_rd_skip(rd, MAGIC_SIZE);
	version = pm_rd_le32(rd);
	pm_rd_skip(rd, 4);
	type = pm_rd_le32(rd);
	pm_rd_skip(rd, 16);
	if (!pm_rd_ok(rd))
		return pm_fail(report, PM_E_FORMAT, "HCL header", "32 bytes", "fewer");
	if (version != 1 && version != 2)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "HCL version", "1 or 2", "%" PRIu32, version);
	if (type != REQUEST_SNP)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "HCL request type", "2 (SNP)", "%" PRIu32, type);
	return PM_OK;
}

/*
 * Size, version, report type, hash type, size of the data, the data. What follows up to the end of
 * the NV index is left over from earlier writes and means nothing.
 */
static int read_runtime_data(struct pm_rd *rd, struct pm_report *report, struct pm_view *ret)
{
	uint32_t version, type, hash, size;
	struct pm_view data;

	pm_rd_skip(rd, 4);
	version = pm_rd_le32(rd);
	type = pm_rd_le32(rd);
	hash = pm_rd_le32(rd);
	size = pm_rd_le32(rd);
	data = pm_rd_bytes(rd, size);
	if (!pm_rd_ok(rd))
		return pm_fail(report, PM_E_FORMAT, "HCL runtime data", "inside of the blob",
			"%" PRIu32 " bytes, beyond its end", size);
	if (version != 1)
		return pm_fail(report, PM_E_UNSUPPORTED, "HCL runtime data version", "1",
			"%" PRIu32, version);
	if (type != REPORT_TYPE_SNP)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "HCL report type", "2 (SNP)", "%" PRIu32, type);
	if (hash != HASH_TYPE_SHA256)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "HCL hash type", "1 (SHA-256)", "%" PRIu32, hash);
	if (!size)
		return pm_fail(report, PM_E_FORMAT, "HCL runtime data", "not empty", "0 bytes");
	*ret = data;
	return PM_OK;
}

int pm_snp_hcl_parse(struct pm_view bytes, struct pm_report *report, struct pm_snp_hcl *ret)
{
	struct pm_rd rd = pm_rd(bytes);
	struct pm_snp_hcl hcl;
	int r = read_header(&rd, report);

	if (r < 0)
		return r;
	hcl.report = pm_rd_bytes(&rd, PM_SNP_REPORT_SIZE);
	if (!pm_rd_ok(&rd))
		return pm_fail(report, PM_E_FORMAT, "HCL blob", "header and report, 1216 bytes",
			"%zu bytes", bytes.len);
	r = read_runtime_data(&rd, report, &hcl.runtime_data);
	if (r < 0)
		return r;
	*ret = hcl;
	return PM_OK;
}

int pm_snp_hcl_check(
	struct pm_view runtime_data, const uint8_t *report_data, struct pm_report *report)
{
	uint8_t expected[PM_SNP_REPORT_DATA_SIZE] = {0};
	int r = pm_hash(PM_SHA256, runtime_data, expected);

	if (r < 0)
		return r;
	return pm_check_bytes(
		report, "HCL runtime data, REPORT_DATA", expected, report_data, sizeof(expected));
}
