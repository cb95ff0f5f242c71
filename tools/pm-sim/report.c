/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation report (AMD 56860, table "ATTESTATION_REPORT"): its fields and its signature. */
#include "pm-sim/sim.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#define SIGNED_SIZE 0x2a0
#define SCALAR_SIZE 72

#define REPORT_DATA_OFFSET 0x50

#define KEY_INFO_VLEK (1u << 2)

enum kind { NUMBER, BYTES, TCB };

static const struct field {
	const char *name;
	size_t offset, size;
	enum kind kind;
} fields[] = {
	{"version", 0x000, 4, NUMBER},
	{"guest_svn", 0x004, 4, NUMBER},
	{"policy", 0x008, 8, NUMBER},
	{"family_id", 0x010, 16, BYTES},
	{"image_id", 0x020, 16, BYTES},
	{"vmpl", 0x030, 4, NUMBER},
	{"signature_algo", 0x034, 4, NUMBER},
	{"current_tcb", 0x038, 8, TCB},
	{"platform_info", 0x040, 8, NUMBER},
	{"key_info", 0x048, 4, NUMBER},
	{"report_data", 0x050, 64, BYTES},
	{"measurement", 0x090, 48, BYTES},
	{"host_data", 0x0c0, 32, BYTES},
	{"id_key_digest", 0x0e0, 48, BYTES},
	{"author_key_digest", 0x110, 48, BYTES},
	{"report_id", 0x140, 32, BYTES},
	{"report_id_ma", 0x160, 32, BYTES},
	{"reported_tcb", 0x180, 8, TCB},
	{"fms", 0x188, 3, BYTES},
	{"chip_id", 0x1a0, 64, BYTES},
	{"committed_tcb", 0x1e0, 8, TCB},
	{"current_build", 0x1e8, 1, NUMBER},
	{"current_minor", 0x1e9, 1, NUMBER},
	{"current_major", 0x1ea, 1, NUMBER},
	{"committed_build", 0x1ec, 1, NUMBER},
	{"committed_minor", 0x1ed, 1, NUMBER},
	{"committed_major", 0x1ee, 1, NUMBER},
	{"launch_tcb", 0x1f0, 8, TCB},
	{"launch_mit_vector", 0x1f8, 8, NUMBER},
	{"current_mit_vector", 0x200, 8, NUMBER},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

void sim_report_set_number(struct sim_plan *plan, size_t offset, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		plan->report[offset + i] = (uint8_t)(value >> 8 * i);
}

uint64_t sim_report_number(const struct sim_plan *plan, size_t offset, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | plan->report[offset + i - 1];
	return value;
}

void sim_report_set_data(struct sim_plan *plan, const uint8_t *report_data)
{
	memcpy(plan->report + REPORT_DATA_OFFSET, report_data, PM_SNP_REPORT_DATA_SIZE);
}

static void init_firmware(struct sim_plan *plan)
{
	static const size_t builds[] = {0x1e8, 0x1ec};
	static const size_t tcbs[] = {0x038, 0x180, 0x1e0, 0x1f0};
	const struct sim_machine *m = plan->machine;

	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		memcpy(plan->report + builds[i], (const uint8_t[]){29, 55, 1}, 3);
	for (size_t i = 0; i < sizeof(tcbs) / sizeof(tcbs[0]); i++)
		sim_tcb_raw(m->product, &m->tcb, plan->report + tcbs[i]);
}

/* The guest that runs here: always the same one, so that its measurement can be expected. */
static void init_guest(struct sim_plan *plan)
{
	static const char guest[] = "pm-sim guest";
	uint8_t digest[EVP_MAX_MD_SIZE];

	EVP_Digest(guest, sizeof(guest) - 1, digest, NULL, EVP_sha384(), NULL);
	memcpy(plan->report + 0x090, digest, PM_SNP_DIGEST_SIZE);
	EVP_Digest(plan->machine->chip_id, PM_SNP_CHIP_ID_SIZE, digest, NULL, EVP_sha256(), NULL);
	memcpy(plan->report + 0x140, digest, 32);
	memset(plan->report + 0x160, 0xff, 32);
}

void sim_report_init(struct sim_plan *plan, uint32_t version)
{
	const struct sim_machine *m = plan->machine;

	memset(plan->report, 0, sizeof(plan->report));
	plan->report_size = PM_SNP_REPORT_SIZE;
	sim_report_set_number(plan, 0x000, 4, version);
	sim_report_set_number(plan, 0x008, 8, PM_SNP_POLICY_SMT | PM_SNP_POLICY_RESERVED_ONE);
	sim_report_set_number(plan, 0x034, 4, 1);
	sim_report_set_number(plan, 0x040, 8,
		PM_SNP_PLATFORM_SMT_EN | PM_SNP_PLATFORM_ECC_EN |
			PM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
	init_firmware(plan);
	init_guest(plan);
	if (version >= 3)
		memcpy(plan->report + 0x188, m->product->fms, 3);
	if (version >= 5)
		memset(plan->report + 0x1f8, 0x3f, 1), memset(plan->report + 0x200, 0x3f, 1);
	if (m->vlek)
		sim_report_set_number(plan, 0x048, 4, KEY_INFO_VLEK);
	else
		memcpy(plan->report + 0x1a0, m->chip_id, PM_SNP_CHIP_ID_SIZE);
}

static int set_tcb(struct sim_plan *plan, const struct field *f, const char *value)
{
	struct sim_tcb tcb;
	uint64_t number;
	int r;

	if (strchr(value, ',')) {
		r = sim_tcb_parse(value, &tcb);
		if (r == TOOL_OK)
			sim_tcb_raw(plan->machine->product, &tcb, plan->report + f->offset);
		return r;
	}
	r = sim_number_parse(value, UINT64_MAX, &number);
	if (r == TOOL_OK)
		sim_report_set_number(plan, f->offset, f->size, number);
	return r;
}

static int set_number(struct sim_plan *plan, const struct field *f, const char *value)
{
	uint64_t max = f->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * f->size) - 1;
	uint64_t number;
	int r = sim_number_parse(value, max, &number);

	if (r == TOOL_OK)
		sim_report_set_number(plan, f->offset, f->size, number);
	return r;
}

static int set_bytes(struct sim_plan *plan, const struct field *f, const char *value)
{
	if (pm_hex_decode(value, plan->report + f->offset, f->size) == PM_OK)
		return TOOL_OK;
	return sim_fail("%s: needs %zu bytes in hexadecimal", f->name, f->size);
}

int sim_report_set(struct sim_plan *plan, const char *assignment)
{
	const char *value = strchr(assignment, '=');

	for (size_t i = 0; value && i < FIELDS; i++) {
		const struct field *f = &fields[i];

		if (strlen(f->name) != (size_t)(value - assignment) ||
			strncmp(f->name, assignment, strlen(f->name)) != 0)
			continue;
		if (f->kind == BYTES)
			return set_bytes(plan, f, value + 1);
		if (f->kind == TCB)
			return set_tcb(plan, f, value + 1);
		return set_number(plan, f, value + 1);
	}
	return sim_fail("%s: not NAME=VALUE of a known field; see: pm-sim fields", assignment);
}

void sim_report_list_fields(void)
{
	static const char *const forms[] = {
		[NUMBER] = "number", [BYTES] = "hexadecimal", [TCB] = "[fmc,]bl,tee,snp,ucode"};

	for (size_t i = 0; i < FIELDS; i++)
		printf("%-20s 0x%03zx  %2zu bytes  %s\n", fields[i].name, fields[i].offset,
			fields[i].size, forms[fields[i].kind]);
}

static int put_scalar(const BIGNUM *n, uint8_t *ret)
{
	return BN_bn2lebinpad(n, ret, SCALAR_SIZE) == SCALAR_SIZE ? TOOL_OK
								  : sim_fail("can't sign");
}

static int put_signature(struct sim_plan *plan, const uint8_t *der, size_t len)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int r = sig ? put_scalar(ECDSA_SIG_get0_r(sig), plan->report + SIGNED_SIZE)
		    : sim_fail("can't sign");

	if (r == TOOL_OK)
		r = put_scalar(ECDSA_SIG_get0_s(sig), plan->report + SIGNED_SIZE + SCALAR_SIZE);
	ECDSA_SIG_free(sig);
	return r;
}

int sim_report_sign(struct sim_plan *plan)
{
	sim_cleanup(EVP_MD_CTX) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[256];
	size_t len = sizeof(der);
	EVP_PKEY *key = NULL;
	int r = sim_machine_key(plan->machine, plan->report_key, &key);

	if (r != TOOL_OK)
		return r;
	if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) != 1 ||
		EVP_DigestSign(ctx, der, &len, plan->report, SIGNED_SIZE) != 1)
		return sim_fail("can't sign the report");
	return put_signature(plan, der, len);
}
