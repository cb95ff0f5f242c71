/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a device's report: its fields, signed as they are, and its signature. */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

/* --- fields ----------------------------------------------------------------------------------- */

/* The offset in the high half, the value in the low. */
#define AT(offset, value) ((uint32_t)(offset) << 16 | (value))

static void request_byte(struct sim_gpu_plan *plan, uint32_t arg)
{
	plan->report.request[arg >> 16] = (uint8_t)arg;
}

static void head_byte(struct sim_gpu_plan *plan, uint32_t arg)
{
	plan->report.head[arg >> 16] = (uint8_t)arg;
}

static void flip_nonce(struct sim_gpu_plan *plan, uint32_t offset)
{
	plan->report.request[4 + offset] ^= 1;
}

static void block_index(struct sim_gpu_plan *plan, uint32_t arg)
{
	plan->report.blocks[arg >> 16].index = (uint8_t)arg;
}

static void swap_blocks(struct sim_gpu_plan *plan, uint32_t arg)
{
	struct sim_gpu_block t = plan->report.blocks[3];

	(void)arg;
	plan->report.blocks[3] = plan->report.blocks[4];
	plan->report.blocks[4] = t;
}

static void block_spec(struct sim_gpu_plan *plan, uint32_t value)
{
	plan->report.blocks[2].spec = (uint8_t)value;
}

static void block_size(struct sim_gpu_plan *plan, uint32_t value)
{
	plan->report.blocks[2].size = (uint16_t)value;
}

static void value_type(struct sim_gpu_plan *plan, uint32_t value)
{
	plan->report.blocks[2].type = (uint8_t)value;
}

static void value_size(struct sim_gpu_plan *plan, uint32_t value)
{
	plan->report.blocks[2].value_size = (uint16_t)value;
}

/* One block fewer, and all lengths to match. */
static void drop_block(struct sim_gpu_plan *plan, uint32_t arg)
{
	struct sim_gpu_report *r = &plan->report;
	size_t record;

	(void)arg;
	r->block_count--;
	record = 55 * r->block_count;
	r->head[4] = (uint8_t)r->block_count;
	r->head[5] = (uint8_t)record;
	r->head[6] = (uint8_t)(record >> 8);
}

static void flip_measurement(struct sim_gpu_plan *plan, uint32_t index)
{
	plan->report.blocks[index].value[20] ^= 1;
}

static void zero_measurement(struct sim_gpu_plan *plan, uint32_t index)
{
	memset(plan->report.blocks[index].value, 0, SIM_GPU_DIGEST);
}

static void opaque_drop(struct sim_gpu_plan *plan, uint32_t type)
{
	struct sim_gpu_report *r = &plan->report;
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(r, (uint16_t)type);

	if (!o)
		return;
	*o = r->opaque[--r->opaque_count];
}

static void opaque_twice(struct sim_gpu_plan *plan, uint32_t type)
{
	struct sim_gpu_report *r = &plan->report;
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(r, (uint16_t)type);

	if (o)
		r->opaque[r->opaque_count++] = *o;
}

static void opaque_new(struct sim_gpu_plan *plan, uint32_t type)
{
	static const uint8_t four[4] = {1, 2, 3, 4};

	sim_gpu_opaque_add(&plan->report, (uint16_t)type, four, sizeof(four));
}

static void opaque_byte(struct sim_gpu_plan *plan, uint32_t arg)
{
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(&plan->report, (uint16_t)(arg >> 16));

	if (o)
		o->data[0] = (uint8_t)arg;
}

/* Of a value that is drawn: setting a byte would now and then change nothing. */
static void opaque_flip(struct sim_gpu_plan *plan, uint32_t type)
{
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(&plan->report, (uint16_t)type);

	if (o)
		o->data[0] ^= 1;
}

static void opaque_shorter(struct sim_gpu_plan *plan, uint32_t type)
{
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(&plan->report, (uint16_t)type);

	if (o)
		o->len--;
}

static void opaque_longer(struct sim_gpu_plan *plan, uint32_t type)
{
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(&plan->report, (uint16_t)type);

	if (o)
		o->data[o->len++] = 0;
}

static void opaque_runs_out(struct sim_gpu_plan *plan, uint32_t by)
{
	struct sim_gpu_report *r = &plan->report;

	r->opaque[r->opaque_count - 1].lie = (uint16_t)by;
}

static void opaque_length(struct sim_gpu_plan *plan, uint32_t by)
{
	plan->report.opaque_lie = (uint16_t)by;
}

/* Text that would leave the folder of manifests, if it became a file's name. */
static void driver_path(struct sim_gpu_plan *plan, uint32_t arg)
{
	static const char path[] = "../../etc/x";
	struct sim_gpu_opaque *o = sim_gpu_opaque_find(&plan->report, 3);

	(void)arg;
	if (!o)
		return;
	memcpy(o->data, path, sizeof(path));
	o->len = sizeof(path);
}

static void opaque_version(struct sim_gpu_plan *plan, uint32_t version)
{
	const uint8_t value[2] = {(uint8_t)version, 0};

	opaque_drop(plan, 34);
	sim_gpu_opaque_add(&plan->report, 34, value, sizeof(value));
}

static void rogue_key(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(plan->report.key, sizeof(plan->report.key), "rogue");
}

static const struct sim_gpu_defect field_defects[] = {
	{"spdm-version", "the request is of SPDM 1.0", request_byte, AT(0, 0x10)},
	{"spdm-request-code", "the request is another one", request_byte, AT(1, 0xe1)},
	{"spdm-request-unsigned", "the request asks for no signature", request_byte, AT(2, 0)},
	{"spdm-request-one", "the request asks for one block", request_byte, AT(3, 1)},
	{"spdm-slot", "the request names another slot", request_byte, AT(36, 1)},
	{"spdm-response-version", "the response is of SPDM 1.2", head_byte, AT(0, 0x12)},
	{"spdm-response-code", "the response is another one", head_byte, AT(1, 0x61)},
	{"spdm-block-count", "more blocks told of than there are", head_byte, AT(4, 65)},
	{"spdm-record-length", "the record is longer than told", head_byte, AT(5, 0xbf)},
	{"block-missing", "the last block is missing", drop_block},
	{"block-order", "two blocks swapped", swap_blocks},
	{"block-duplicate", "an index twice", block_index, AT(5, 5)},
	{"block-zero", "the index 0", block_index, AT(0, 0)},
	{"block-spec", "a block not of DMTF's", block_spec, 2},
	{"block-size", "a block of another size", block_size, 50},
	{"block-value-type", "a value that is no digest", value_type, 2},
	{"block-value-size", "a digest of another size", value_size, 32},
	{"nonce", "for another nonce", flip_nonce, 0},
	{"nonce-tail", "for another nonce, last byte", flip_nonce, 31},
	{"measurement-driver", "a firmware measurement of the driver differs", flip_measurement,
		22},
	{"measurement-vbios", "a firmware measurement of the VBIOS differs", flip_measurement, 3},
	{"measurement-zero", "a measurement is missing", zero_measurement, 25},
	{"opaque-length", "the opaque data is shorter than told", opaque_length, 1},
	{"opaque-runs-out", "a field is longer than the data", opaque_runs_out, 9},
	{"opaque-duplicate", "the driver's version twice", opaque_twice, 3},
	{"opaque-unknown", "a field that nobody knows", opaque_new, 200},
	{"opaque-version", "a newer version of the opaque data", opaque_version, 2},
	{"opaque-no-driver", "no version of the driver", opaque_drop, 3},
	{"opaque-no-vbios", "no version of the VBIOS", opaque_drop, 6},
	{"opaque-no-project", "no project", opaque_drop, 17, .harmless = true},
	{"driver-unterminated", "the driver's version has no end", opaque_shorter, 3,
		.harmless = true},
	{"driver-path", "the driver's version is a path", driver_path},
	{"driver-other", "another version of the driver", opaque_byte, AT(3, '9')},
	{"vbios-size", "the VBIOS's version has seven bytes", opaque_shorter, 6},
	{"vbios-other", "another version of the VBIOS", opaque_byte, AT(6, 7)},
	{"project-other", "another project", opaque_byte, AT(17, 'X'), .harmless = true},
	{"nvdec-value", "NVDEC0 is neither on nor off", opaque_byte, AT(11, 0)},
	{"fwid-other", "the FWID is not the certificate's", opaque_flip, 20},
	{"fwid-size", "the FWID has 49 bytes", opaque_longer, 20},
	{"sig-other-key", "signed by another key", rogue_key},
};

const struct sim_gpu_defects sim_gpu_field_defects = {
	SIM_GPU_FIELDS, "report", field_defects, sizeof(field_defects) / sizeof(field_defects[0])};

/* --- after it was signed ---------------------------------------------------------------------- */

static void flip_byte(struct sim_gpu_plan *plan, uint32_t offset)
{
	plan->report.bytes[offset] ^= 1;
}

static void flip_scalar(struct sim_gpu_plan *plan, uint32_t offset)
{
	plan->report.bytes[plan->report.size - 96 + offset] ^= 1;
}

static void swap_scalars(struct sim_gpu_plan *plan, uint32_t arg)
{
	uint8_t t[SIM_GPU_SCALAR], *r = plan->report.bytes + plan->report.size - 96;

	(void)arg;
	memcpy(t, r, sizeof(t));
	memcpy(r, r + SIM_GPU_SCALAR, sizeof(t));
	memcpy(r + SIM_GPU_SCALAR, t, sizeof(t));
}

static void zero_scalars(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	memset(plan->report.bytes + plan->report.size - 96, 0, 96);
}

static void add_size(struct sim_gpu_plan *plan, uint32_t n)
{
	memset(plan->report.bytes + plan->report.size, 0x41, n);
	plan->report.size += n;
}

static void trailing_nul(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->report.bytes[plan->report.size++] = 0;
}

static void cut_to(struct sim_gpu_plan *plan, uint32_t size)
{
	plan->report.size = size;
}

static void cut_last(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->report.size--;
}

static const struct sim_gpu_defect signed_defects[] = {
	{"sig-bad", "the signature does not verify", flip_scalar, 40},
	{"sig-bad-s", "the signature does not verify, last byte", flip_scalar, 95},
	{"sig-swapped", "R and S swapped", swap_scalars},
	{"sig-zero", "R and S zero", zero_scalars},
	{"sig-nonce", "the nonce changed after signing", flip_byte, 10},
	{"sig-measurement", "a measurement changed after signing", flip_byte, 37 + 8 + 55 * 3 + 20},
	{"truncated", "the last byte is missing", cut_last},
	{"truncated-head", "only the request", cut_to, 37},
	{"empty", "no byte at all", cut_to, 0},
	{"trailing", "a byte too many", add_size, 1},
	{"trailing-nul", "a NUL too many", trailing_nul},
	{"oversized", "longer than any report", add_size, 8192},
};

const struct sim_gpu_defects sim_gpu_signed_defects = {SIM_GPU_SIGNED, "signature", signed_defects,
	sizeof(signed_defects) / sizeof(signed_defects[0])};
