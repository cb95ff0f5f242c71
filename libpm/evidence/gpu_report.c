/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_report.h"

#include "base/rd.h"
#include "base/report.h"
#include "evidence/gpu_opaque.h"

#define SPDM_1_1	 0x11
#define GET_MEASUREMENTS 0xe0
#define MEASUREMENTS	 0x60
#define SIGNED		 0x01 /* Param1 of the request: a signature is wanted */
#define ALL_BLOCKS	 0xff /* Param2 of the request: all measurements */

#define GPU_BLOCKS    64
#define SWITCH_BLOCKS 31
#define BLOCK_SIZE    55

/* A block: DMTF's form, a digest of raw bits that nobody may change. */
#define SPEC_DMTF    1
#define DMTF_SIZE    51
#define VALUE_DIGEST 1

/* A byte or number that the format fixes, and what was found. */
struct fixed {
	const char *name;
	unsigned int found, wanted;
};

static int check_fixed(struct pm_report *report, const struct fixed *rows, size_t count)
{
	static const char *const texts[] = {"0", "1", "0x11", "0x60", "0xe0", "0xff"};
	static const unsigned int values[] = {0, 1, 0x11, 0x60, 0xe0, 0xff};

	for (size_t i = 0; i < count; i++) {
		const char *wanted = "the one that the format fixes";

		if (rows[i].found == rows[i].wanted)
			continue;
		for (size_t k = 0; k < PM_ARRAY_LEN(values); k++)
			wanted = values[k] == rows[i].wanted ? texts[k] : wanted;
		return pm_fail(report, PM_E_FORMAT, rows[i].name, wanted, "0x%02x", rows[i].found);
	}
	return PM_OK;
}

static int read_request(struct pm_rd *rd, struct pm_report *report, struct pm_gpu_fields *f)
{
	uint8_t version = pm_rd_u8(rd), code = pm_rd_u8(rd);
	uint8_t param1 = pm_rd_u8(rd), param2 = pm_rd_u8(rd);
	uint8_t slot;

	pm_rd_copy(rd, f->nonce, sizeof(f->nonce));
	slot = pm_rd_u8(rd);
	if (pm_rd_ok(rd) && version != SPDM_1_1)
		return pm_fail(report, PM_E_UNSUPPORTED, "request, SPDM version", "0x11", "0x%02x",
			version);
	return check_fixed(report,
		(const struct fixed[]){
			{"request, code", code, GET_MEASUREMENTS},
			{"request, Param1", param1, SIGNED},
			{"request, Param2", param2, ALL_BLOCKS},
			{"request, slot", slot, 0},
		},
		4);
}

static int check_counts(unsigned int blocks, unsigned int size, struct pm_report *report)
{
	if (blocks != GPU_BLOCKS && blocks != SWITCH_BLOCKS)
		return pm_fail(report, PM_E_UNSUPPORTED, "number of measurements",
			"64 (a GPU) or 31 (a switch)", "%u", blocks);
	if (size != blocks * BLOCK_SIZE)
		return pm_fail(report, PM_E_FORMAT, "length of the measurements", "55 bytes each",
			"%u bytes for %u", size, blocks);
	return PM_OK;
}

static int read_response(struct pm_rd *rd, struct pm_report *report, unsigned int *ret_blocks)
{
	uint8_t version = pm_rd_u8(rd), code = pm_rd_u8(rd);
	uint8_t param1 = pm_rd_u8(rd), param2 = pm_rd_u8(rd);
	unsigned int blocks = pm_rd_u8(rd), size = pm_rd_le16(rd);
	int r;

	size |= (unsigned int)pm_rd_u8(rd) << 16;
	if (!pm_rd_ok(rd))
		return pm_fail(report, PM_E_FORMAT, "report length", "a request and a response",
			"fewer bytes");
	r = check_fixed(report,
		(const struct fixed[]){
			{"response, SPDM version", version, SPDM_1_1},
			{"response, code", code, MEASUREMENTS},
			{"response, Param1", param1, 0},
			{"response, Param2", param2, 0},
		},
		4);
	if (r < 0)
		return r;
	*ret_blocks = blocks;
	return check_counts(blocks, size, report);
}

static int read_block(struct pm_rd *rd, unsigned int index, struct pm_report *report, uint8_t *ret)
{
	uint8_t found = pm_rd_u8(rd), spec = pm_rd_u8(rd);
	uint16_t size = pm_rd_le16(rd);
	uint8_t type = pm_rd_u8(rd);
	uint16_t value_size = pm_rd_le16(rd);

	pm_rd_copy(rd, ret, PM_GPU_DIGEST_SIZE);
	if (!pm_rd_ok(rd))
		return pm_fail(report, PM_E_FORMAT, "measurement", "55 bytes each",
			"block %u ends early", index);
	if (found != index)
		return pm_fail(report, PM_E_FORMAT, "measurement, index", "1, 2, 3 and so on",
			"%u in place of %u", found, index);
	if (spec != SPEC_DMTF || size != DMTF_SIZE || type != VALUE_DIGEST ||
		value_size != PM_GPU_DIGEST_SIZE)
		return pm_fail(report, PM_E_FORMAT, "measurement, header",
			"DMTF's form, a digest of 48 bytes", "another in block %u", index);
	return PM_OK;
}

static int read_blocks(
	struct pm_rd *rd, unsigned int count, struct pm_report *report, struct pm_gpu_fields *f)
{
	for (unsigned int i = 0; i < count; i++) {
		int r = read_block(rd, i + 1, report, f->measurements[i]);

		if (r < 0)
			return r;
	}
	f->measurement_count = count;
	return PM_OK;
}

/* The response's own nonce, opaque fields and signature; then nothing. */
static int read_tail(struct pm_rd *rd, struct pm_report *report, struct pm_gpu_fields *f,
	struct pm_view *ret_signature)
{
	struct pm_view opaque;

	pm_rd_skip(rd, PM_GPU_NONCE_SIZE);
	opaque = pm_rd_bytes(rd, pm_rd_le16(rd));
	*ret_signature = pm_rd_bytes(rd, PM_GPU_SIGNATURE_SIZE);
	if (!pm_rd_ok(rd))
		return pm_fail(report, PM_E_FORMAT, "report length",
			"opaque fields and a signature at the end", "fewer bytes");
	if (!pm_rd_done(rd))
		return pm_fail(report, PM_E_FORMAT, "report length", "nothing behind the signature",
			"%zu bytes more", rd->left);
	return pm_gpu_opaque_parse(opaque, f->measurement_count == SWITCH_BLOCKS, report, f);
}

int pm_gpu_report_parse(struct pm_view bytes, struct pm_report *report,
	struct pm_gpu_fields *ret_fields, struct pm_gpu_signed *ret_signed)
{
	struct pm_rd rd = pm_rd(bytes);
	struct pm_gpu_fields f = {0};
	unsigned int blocks = 0;
	struct pm_view signature;
	int r;

	r = read_request(&rd, report, &f);
	if (r < 0)
		return r;
	r = read_response(&rd, report, &blocks);
	if (r < 0)
		return r;
	r = read_blocks(&rd, blocks, report, &f);
	if (r < 0)
		return r;
	r = read_tail(&rd, report, &f, &signature);
	if (r < 0)
		return r;
	*ret_fields = f;
	*ret_signed = (struct pm_gpu_signed){
		pm_view(bytes.ptr, bytes.len - PM_GPU_SIGNATURE_SIZE), signature};
	return PM_OK;
}
