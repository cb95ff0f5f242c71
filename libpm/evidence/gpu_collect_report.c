/* SPDX-License-Identifier: Apache-2.0 */
/* Where a collected report ends, which nonce it answers, and how places on the bus are written. */
#include <stdio.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "evidence/gpu_nvml.h"

/* SPDM 1.1 (DMTF DSP0274), GET_MEASUREMENTS and MEASUREMENTS; as NVIDIA's GPUs fill them. */
#define SPDM_VERSION	 0x11
#define GET_MEASUREMENTS 0xe0
#define MEASUREMENTS	 0x60
#define SPDM_NONCE_SIZE	 32
#define SIGNATURE_SIZE	 96

static uint32_t read_le24(struct pm_rd *rd)
{
	uint32_t low = pm_rd_le16(rd);

	return low | (uint32_t)pm_rd_u8(rd) << 16;
}

/* Takes one report off the front; the nonce of its request is borrowed. */
static void skip_report(struct pm_rd *rd, struct pm_view *ret_nonce)
{
	if (pm_rd_u8(rd) != SPDM_VERSION || pm_rd_u8(rd) != GET_MEASUREMENTS)
		pm_rd_fail(rd);
	pm_rd_skip(rd, 2);
	*ret_nonce = pm_rd_bytes(rd, SPDM_NONCE_SIZE);
	pm_rd_skip(rd, 1); /* slot */
	if (pm_rd_u8(rd) != SPDM_VERSION || pm_rd_u8(rd) != MEASUREMENTS)
		pm_rd_fail(rd);
	pm_rd_skip(rd, 3); /* two parameters, and the number of blocks */
	pm_rd_skip(rd, read_le24(rd));
	pm_rd_skip(rd, SPDM_NONCE_SIZE);
	pm_rd_skip(rd, pm_rd_le16(rd));
	pm_rd_skip(rd, SIGNATURE_SIZE);
}

int pm_gpu_report_trim(
	struct pm_view bytes, const uint8_t *nonce, struct pm_report *report, struct pm_view *ret)
{
	struct pm_rd rd = pm_rd(bytes);
	struct pm_view echo;

	skip_report(&rd, &echo);
	if (!pm_rd_ok(&rd))
		return pm_fail(report, PM_E_FORMAT, "gpu.collect.report", "an SPDM transcript",
			"%zu bytes of something else", bytes.len);
	if (!pm_is_zero(rd.ptr, rd.left))
		return pm_fail(report, PM_E_FORMAT, "gpu.collect.report",
			"nothing behind the signature", "%zu bytes", rd.left);
	if (!pm_ct_equal(echo.ptr, nonce, SPDM_NONCE_SIZE))
		return pm_fail(report, PM_E_REJECTED, "gpu.collect.nonce",
			pm_hex(nonce, SPDM_NONCE_SIZE).s, "%s", pm_hex(echo.ptr, echo.len).s);
	*ret = pm_view(bytes.ptr, bytes.len - rd.left);
	return PM_OK;
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t read_digits(struct pm_rd *rd, size_t count)
{
	struct pm_view digits = pm_rd_bytes(rd, count);
	uint32_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		int digit = digit_of(digits.ptr[i]);

		if (digit < 0)
			pm_rd_fail(rd);
		value = value << 4 | (uint32_t)(digit & 15);
	}
	return value;
}

static void read_mark(struct pm_rd *rd, char mark)
{
	if (pm_rd_u8(rd) != (uint8_t)mark)
		pm_rd_fail(rd);
}

/* ":65:00.0" behind the domain. */
#define TAIL 8

int pm_gpu_bus_id_parse(struct pm_view text, struct pm_gpu_bus_id *ret)
{
	struct pm_rd rd = pm_rd(text);
	struct pm_gpu_bus_id id = {0};

	if (text.len < TAIL + 4 || text.len > TAIL + 8)
		return PM_E_FORMAT;
	id.domain = read_digits(&rd, text.len - TAIL);
	read_mark(&rd, ':');
	id.bus = (uint8_t)read_digits(&rd, 2);
	read_mark(&rd, ':');
	id.device = (uint8_t)read_digits(&rd, 2);
	read_mark(&rd, '.');
	id.function = (uint8_t)read_digits(&rd, 1);
	if (!pm_rd_done(&rd))
		return PM_E_FORMAT;
	*ret = id;
	return PM_OK;
}

bool pm_gpu_bus_id_equal(const struct pm_gpu_bus_id *a, const struct pm_gpu_bus_id *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device &&
	       a->function == b->function;
}

struct pm_gpu_bus_id_text pm_gpu_bus_id(const struct pm_gpu_bus_id *id)
{
	struct pm_gpu_bus_id_text text;

	snprintf(text.s, sizeof(text.s), "%08x:%02x:%02x.%x", id->domain, id->bus, id->device,
		id->function);
	return text;
}
