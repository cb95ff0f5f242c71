/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation report of a GPU or switch: an SPDM 1.1 GET_MEASUREMENTS request, the MEASUREMENTS
 * response, the fields of NVIDIA's opaque data as real devices fill them in.
 */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

/* Of the opaque data. */
enum opaque_id {
	DRIVER_VERSION = 3,
	GPU_INFO = 4,
	VBIOS_VERSION = 6,
	NVDEC0_STATUS = 11,
	MSRSCNT = 12,
	CPRINFO = 13,
	BOARD_ID = 14,
	CHIP_SKU = 15,
	CHIP_SKU_MOD = 16,
	PROJECT = 17,
	PROJECT_SKU = 18,
	PROJECT_SKU_MOD = 19,
	FWID = 20,
	PROTECTED_PCIE = 21,
	PDI = 22,
	DISABLED_PORTS = 23,
	POSITION_ID = 24,
	LOCK_SWITCH = 25,
	GPU_PDIS = 26,
	SYS_ENABLE = 33,
	OPAQUE_VERSION = 34,
	CHIP_INFO = 35,
	FEATURE_FLAG = 36
};

#define ON  0xaa
#define OFF 0x55

/* A GPU names the switch at the end of each of its links. */
#define LINKS 18

/* --- values ----------------------------------------------------------------------------------- */

static bool has(uint64_t set, unsigned int index)
{
	return index < 64 && set >> index & 1;
}

/* A version of the driver or of the VBIOS stands behind each value, so that they change with it. */
void sim_gpu_measurement(const struct sim_gpu_machine *m, const struct sim_gpu_device *d,
	unsigned int index, uint8_t *ret)
{
	const struct sim_gpu_arch *a = d->arch;
	const char *version = sim_gpu_is_switch(d)	      ? m->bios
			      : has(a->driver_indices, index) ? m->driver
							      : m->vbios;
	bool known = has(a->driver_indices | a->vbios_indices, index);

	memset(ret, 0, SIM_GPU_DIGEST);
	if (known && !has(a->zero_indices, index))
		sim_gpu_derive(
			m, ret, SIM_GPU_DIGEST, "measurement %s %s %u", a->product, version, index);
}

void sim_gpu_fwid(const struct sim_gpu_machine *m, const struct sim_gpu_device *d, uint8_t *ret)
{
	sim_gpu_derive(m, ret, SIM_GPU_DIGEST, "fwid %s %s", d->arch->product,
		sim_gpu_is_switch(d) ? m->bios : m->vbios);
}

static void put_le(uint8_t *p, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* "96.00.9F.00.01" as 00 9f 00 96 01 00 00 00. */
static void pack_vbios(const char *version, uint8_t *ret)
{
	unsigned int v[5] = {0};

	(void)sscanf(version, "%2x.%2x.%2x.%2x.%2x", &v[0], &v[1], &v[2], &v[3], &v[4]);
	memset(ret, 0, 8);
	for (int i = 0; i < 4; i++)
		ret[i] = (uint8_t)v[3 - i];
	ret[4] = (uint8_t)v[4];
}

/* --- opaque data ------------------------------------------------------------------------------ */

struct sim_gpu_opaque *sim_gpu_opaque_find(struct sim_gpu_report *r, uint16_t type)
{
	for (size_t i = 0; i < r->opaque_count; i++)
		if (r->opaque[i].type == type)
			return &r->opaque[i];
	return NULL;
}

struct sim_gpu_opaque *sim_gpu_opaque_add(
	struct sim_gpu_report *r, uint16_t type, const void *ptr, size_t len)
{
	struct sim_gpu_opaque *o = &r->opaque[r->opaque_count++];

	*o = (struct sim_gpu_opaque){.type = type, .len = (uint16_t)len};
	memcpy(o->data, ptr, len);
	return o;
}

static void add_number(struct sim_gpu_report *r, uint16_t type, size_t size, uint64_t value)
{
	uint8_t bytes[8];

	put_le(bytes, sizeof(bytes), value);
	sim_gpu_opaque_add(r, type, bytes, size);
}

/* Text in a field of fixed size, filled up with zeros. */
static void add_text(struct sim_gpu_report *r, uint16_t type, size_t size, const char *text)
{
	char field[64] = "";

	snprintf(field, sizeof(field), "%s", text);
	sim_gpu_opaque_add(r, type, field, size);
}

/* How often each index was extended. */
static void add_counts(struct sim_gpu_report *r)
{
	static const uint8_t zero[SIM_GPU_DIGEST];
	uint8_t counts[4 * SIM_GPU_BLOCKS] = {0};
	/* A switch of 31 blocks counts 26 of them. */
	size_t n = r->block_count == SIM_GPU_BLOCKS ? SIM_GPU_BLOCKS : 26;

	for (size_t i = 0; i < n; i++)
		counts[4 * i] = memcmp(r->blocks[i].value, zero, sizeof(zero)) != 0;
	sim_gpu_opaque_add(r, MSRSCNT, counts, 4 * n);
}

/* Protected PCIe: eight GPUs behind four switches, whose bytes the GPU names in reverse. */
static void add_links(const struct sim_gpu_machine *m, struct sim_gpu_report *r)
{
	uint8_t pdis[LINKS * 8], pdi[8];

	for (unsigned int i = 0; i < LINKS; i++) {
		sim_gpu_pdi(m, true, i % m->switches, pdi);
		for (unsigned int k = 0; k < 8; k++)
			pdis[8 * i + k] = pdi[7 - k];
	}
	sim_gpu_opaque_add(r, PDI, pdis, sizeof(pdis));
}

static void gpu_product(
	const struct sim_gpu_machine *m, const struct sim_gpu_arch *a, struct sim_gpu_report *r)
{
	uint8_t vbios[8];

	pack_vbios(m->vbios, vbios);
	sim_gpu_opaque_add(r, VBIOS_VERSION, vbios, sizeof(vbios));
	add_number(r, BOARD_ID, 4, a->board_id);
	add_text(r, CHIP_SKU, 9, a->chip_sku);
	add_text(r, CHIP_SKU_MOD, 5, "0");
	add_text(r, PROJECT, 5, a->project);
	add_text(r, PROJECT_SKU, 5, a->project_sku);
	add_number(r, PROJECT_SKU_MOD, 2, a->project_sku_mod);
	add_text(r, DRIVER_VERSION, strlen(m->driver) + 1, m->driver);
	add_number(r, GPU_INFO, 8, a->gpu_info | UINT64_C(0x100));
}

static void gpu_opaque(
	const struct sim_gpu_machine *m, const struct sim_gpu_device *d, struct sim_gpu_report *r)
{
	const struct sim_gpu_arch *a = d->arch;
	bool ppcie = m->switches > 0, newer = ppcie || a->tcb_info;
	uint8_t fwid[SIM_GPU_DIGEST];

	gpu_product(m, a, r);
	add_counts(r);
	add_number(r, CPRINFO, 4, a->cpr_info);
	add_number(r, NVDEC0_STATUS, 1, a->nvdec);
	sim_gpu_fwid(m, d, fwid);
	sim_gpu_opaque_add(r, FWID, fwid, sizeof(fwid));
	if (!a->tcb_info)
		add_number(r, PROTECTED_PCIE, 1, ppcie ? ON : OFF);
	if (ppcie)
		add_links(m, r);
	if (a->tcb_info)
		add_number(r, SYS_ENABLE, 2, 0x0707);
	if (newer)
		add_number(r, OPAQUE_VERSION, 2, 1);
	if (a->tcb_info)
		add_text(r, CHIP_INFO, strlen(a->product) + 1, a->product);
	if (newer)
		add_number(r, FEATURE_FLAG, 2, ppcie ? 2 : 0);
}

static void switch_opaque(
	const struct sim_gpu_machine *m, const struct sim_gpu_device *d, struct sim_gpu_report *r)
{
	uint8_t pdis[128];

	add_text(r, VBIOS_VERSION, strlen(m->bios), m->bios);
	sim_gpu_pdi(m, true, d->index, pdis);
	sim_gpu_opaque_add(r, PDI, pdis, 8);
	add_counts(r);
	memset(pdis, 0, 64);
	memset(pdis + 64, 0xff, 64);
	for (unsigned int i = 0; i < 8 && i < m->gpus; i++) {
		sim_gpu_pdi(m, false, i, pdis + (size_t)8 * i);
		memset(pdis + 64 + (size_t)2 * i, (int)i, 2);
	}
	sim_gpu_opaque_add(r, GPU_PDIS, pdis, sizeof(pdis));
	add_number(r, DISABLED_PORTS, 2, 0x00ec);
	add_number(r, POSITION_ID, 2, d->index);
	add_number(r, LOCK_SWITCH, 2, 1);
}

/* --- the report ------------------------------------------------------------------------------- */

static void head_init(struct sim_gpu_report *r, const uint8_t *nonce)
{
	static const uint8_t request[4] = {0x11, 0xe0, 0x01, 0xff};
	size_t record = 55 * r->block_count;

	memcpy(r->request, request, sizeof(request));
	memcpy(r->request + 4, nonce, SIM_GPU_NONCE);
	r->request[36] = 0;
	r->head[0] = 0x11;
	r->head[1] = 0x60;
	r->head[4] = (uint8_t)r->block_count;
	put_le(r->head + 5, 3, record);
}

void sim_gpu_report_init(struct sim_gpu_plan *plan, const uint8_t *nonce)
{
	const struct sim_gpu_machine *m = plan->machine;
	struct sim_gpu_report *r = &plan->report;

	*r = (struct sim_gpu_report){.block_count = plan->device.arch->blocks};
	for (unsigned int i = 0; i < r->block_count; i++) {
		r->blocks[i] = (struct sim_gpu_block){(uint8_t)(i + 1), 1, 51, 1, 48, {0}};
		sim_gpu_measurement(m, &plan->device, i, r->blocks[i].value);
	}
	head_init(r, nonce);
	sim_gpu_derive(m, r->nonce, sizeof(r->nonce), "response nonce %s %02x%02x%02x%02x",
		plan->device.name, nonce[0], nonce[1], nonce[2], nonce[3]);
	if (sim_gpu_is_switch(&plan->device))
		switch_opaque(m, &plan->device, r);
	else
		gpu_opaque(m, &plan->device, r);
	snprintf(r->key, sizeof(r->key), "%s", plan->chain[0].name);
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static uint8_t *put_block(uint8_t *p, const struct sim_gpu_block *b)
{
	*p++ = b->index;
	*p++ = b->spec;
	put_le(p, 2, b->size);
	p[2] = b->type;
	put_le(p + 3, 2, b->value_size);
	return put(p + 5, b->value, SIM_GPU_DIGEST);
}

static uint8_t *put_opaque(uint8_t *p, const struct sim_gpu_report *r)
{
	uint8_t *length = p;

	p += 2;
	for (size_t i = 0; i < r->opaque_count; i++) {
		put_le(p, 2, r->opaque[i].type);
		put_le(p + 2, 2, (uint64_t)r->opaque[i].len + r->opaque[i].lie);
		p = put(p + 4, r->opaque[i].data, r->opaque[i].len);
	}
	put_le(length, 2, (uint64_t)(p - length - 2) + r->opaque_lie);
	return p;
}

int sim_gpu_report_sign(struct sim_gpu_plan *plan)
{
	struct sim_gpu_report *r = &plan->report;
	uint8_t *p = put(r->bytes, r->request, sizeof(r->request));
	size_t n;

	p = put(p, r->head, sizeof(r->head));
	for (size_t i = 0; i < r->block_count; i++)
		p = put_block(p, &r->blocks[i]);
	p = put(p, r->nonce, sizeof(r->nonce));
	p = put_opaque(p, r);
	n = (size_t)(p - r->bytes);
	r->size = n + 2 * SIM_GPU_SCALAR;
	return sim_gpu_sign(plan->machine, r->key, r->bytes, n, p);
}

int sim_gpu_chain_make(const struct sim_gpu_plan *plan, struct sim_bytes *ret)
{
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text t = {0};
	int r = TOOL_OK;

	sim_text_add(&t, "%s", "");
	for (size_t i = 0; r == TOOL_OK && i < plan->order_count; i++) {
		sim_cleanup(X509) X509 *cert = NULL;

		r = sim_gpu_cert_get(plan->machine, &plan->chain[plan->order[i]], &cert);
		if (r == TOOL_OK)
			r = sim_gpu_cert_pem(cert, &t);
	}
	return r ? r : sim_text_take(&t, ret);
}

/* --- the plan --------------------------------------------------------------------------------- */

void sim_gpu_plan_init(struct sim_gpu_plan *plan, const struct sim_gpu_machine *m,
	const struct sim_gpu_device *d, int64_t now)
{
	*plan = (struct sim_gpu_plan){.machine = m, .device = *d, .now = now};
	sim_gpu_chain_init(m, d, plan->chain);
	for (unsigned int i = 0; i < SIM_GPU_CHAIN; i++)
		plan->order[i] = i;
	plan->order_count = SIM_GPU_CHAIN;
	sim_ocsp_init(plan);
}

void sim_gpu_plan_free(struct sim_gpu_plan *plan)
{
	sim_token_free(&plan->token);
}

int sim_gpu_report_make(
	struct sim_gpu_plan *plan, const struct sim_gpu_request *request, const uint8_t *nonce)
{
	int r;

	sim_gpu_report_init(plan, nonce);
	sim_gpu_apply(request, SIM_GPU_FIELDS, plan);
	r = sim_gpu_report_sign(plan);
	if (r == TOOL_OK)
		sim_gpu_apply(request, SIM_GPU_SIGNED, plan);
	return r;
}
