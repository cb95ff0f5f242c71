/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a report, before it is signed and after. */
#include "pm-sim/sim.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#define R_OFFSET    0x2a0
#define S_OFFSET    0x2e8
#define SCALAR	    48
#define SCALAR_SIZE 72

/* Offsets of fields; see report.c. */
#define POLICY	 0x008
#define VMPL	 0x030
#define KEY_INFO 0x048
#define FMS	 0x188
#define CHIP_ID	 0x1a0

/* --- fields of the report, signed as they are ------------------------------------------------- */

static void set_version(struct sim_plan *plan, uint32_t version)
{
	sim_report_set_number(plan, 0, 4, version);
}

static void set_policy_bit(struct sim_plan *plan, uint32_t bit)
{
	uint64_t policy = sim_report_number(plan, POLICY, 8);

	sim_report_set_number(plan, POLICY, 8, policy | UINT64_C(1) << bit);
}

static void clear_policy_bit(struct sim_plan *plan, uint32_t bit)
{
	uint64_t policy = sim_report_number(plan, POLICY, 8);

	sim_report_set_number(plan, POLICY, 8, policy & ~(UINT64_C(1) << bit));
}

static void set_vmpl(struct sim_plan *plan, uint32_t vmpl)
{
	sim_report_set_number(plan, VMPL, 4, vmpl);
}

static void set_signature_algo(struct sim_plan *plan, uint32_t value)
{
	sim_report_set_number(plan, 0x034, 4, value);
}

static void set_signing_key(struct sim_plan *plan, uint32_t value)
{
	uint64_t flags = sim_report_number(plan, KEY_INFO, 4);

	sim_report_set_number(plan, KEY_INFO, 4, (flags & ~UINT64_C(0x1c)) | value << 2);
}

static void swap_signing_key(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	set_signing_key(plan, plan->machine->vlek ? 0 : 1);
}

static void set_key_info_bit(struct sim_plan *plan, uint32_t bit)
{
	uint64_t flags = sim_report_number(plan, KEY_INFO, 4);

	sim_report_set_number(plan, KEY_INFO, 4, flags | UINT64_C(1) << bit);
}

static void set_byte(struct sim_plan *plan, uint32_t offset)
{
	plan->report[offset] = 1;
}

static void flip_byte(struct sim_plan *plan, uint32_t offset)
{
	plan->report[offset] ^= 1;
}

static void other_model(struct sim_plan *plan, uint32_t arg)
{
	bool milan = strcmp(plan->machine->product->name, "Milan") == 0;

	(void)arg;
	memcpy(plan->report + FMS, sim_product_find(milan ? "Turin" : "Milan")->fms, 3);
}

static void unknown_model(struct sim_plan *plan, uint32_t family)
{
	plan->report[FMS] = (uint8_t)family;
}

static void flip_chip_id(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->report[CHIP_ID] ^= 0x80;
}

static void mask_chip_id(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	memset(plan->report + CHIP_ID, 0, PM_SNP_CHIP_ID_SIZE);
}

static void sign_with(struct sim_plan *plan, uint32_t key)
{
	plan->report_key = (enum sim_key)key;
}

/* --- bytes of the report after it was signed -------------------------------------------------- */

static void swap_scalars(struct sim_plan *plan, uint32_t arg)
{
	uint8_t r[SCALAR_SIZE];

	(void)arg;
	memcpy(r, plan->report + R_OFFSET, sizeof(r));
	memcpy(plan->report + R_OFFSET, plan->report + S_OFFSET, sizeof(r));
	memcpy(plan->report + S_OFFSET, r, sizeof(r));
}

static void zero_scalars(struct sim_plan *plan, uint32_t size)
{
	memset(plan->report + R_OFFSET, 0, size);
}

static void zero_s(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	memset(plan->report + S_OFFSET, 0, SCALAR_SIZE);
}

static void reverse(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t t = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = t;
	}
}

static void big_endian(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	reverse(plan->report + R_OFFSET, SCALAR);
	reverse(plan->report + S_OFFSET, SCALAR);
}

/* The other signature that the same key could have made: n - S verifies as well. */
static void negate_s(struct sim_plan *plan, uint32_t arg)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	BIGNUM *s = BN_lebin2bn(plan->report + S_OFFSET, SCALAR_SIZE, NULL);

	(void)arg;
	if (!group || !s || BN_sub(s, EC_GROUP_get0_order(group), s) != 1 ||
		BN_bn2lebinpad(s, plan->report + S_OFFSET, SCALAR_SIZE) != SCALAR_SIZE)
		(void)sim_fail("can't negate the signature");
	BN_free(s);
	EC_GROUP_free(group);
}

/* R + n is the same number to the curve and another one to the standard. */
static void add_order(struct sim_plan *plan, uint32_t offset)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	BIGNUM *n = BN_lebin2bn(plan->report + offset, SCALAR_SIZE, NULL);

	if (!group || !n || BN_add(n, EC_GROUP_get0_order(group), n) != 1 ||
		BN_bn2lebinpad(n, plan->report + offset, SCALAR_SIZE) != SCALAR_SIZE)
		(void)sim_fail("can't lift the signature");
	BN_free(n);
	EC_GROUP_free(group);
}

static void set_size(struct sim_plan *plan, uint32_t size)
{
	plan->report_size = size;
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct sim_defect defects[] = {
	{"version-1", "VERSION is 1", SIM_FIELDS, set_version, 1},
	{"version-6", "VERSION is 6", SIM_FIELDS, set_version, 6},
	{"policy-bit17", "POLICY bit 17 is zero", SIM_FIELDS, clear_policy_bit, 17},
	{"policy-mbz", "POLICY bit 26 is one", SIM_FIELDS, set_policy_bit, 26},
	{"policy-mbz-high", "POLICY bit 63 is one", SIM_FIELDS, set_policy_bit, 63},
	{"debug", "POLICY allows debugging", SIM_FIELDS, set_policy_bit, 19},
	{"migrate", "POLICY allows a migration agent", SIM_FIELDS, set_policy_bit, 18},
	{"cxl", "POLICY allows CXL memory", SIM_FIELDS, set_policy_bit, 21},
	{"vmpl-1", "VMPL is 1", SIM_FIELDS, set_vmpl, 1},
	{"vmpl-4", "VMPL is 4", SIM_FIELDS, set_vmpl, 4},
	{"vmpl-host", "the host asked for the report", SIM_FIELDS, set_vmpl, UINT32_MAX},
	{"algo-0", "SIGNATURE_ALGO is 0", SIM_FIELDS, set_signature_algo, 0},
	{"algo-2", "SIGNATURE_ALGO is 2", SIM_FIELDS, set_signature_algo, 2},
	{"signing-key-lie", "SIGNING_KEY says the other kind", SIM_FIELDS, swap_signing_key},
	{"signing-key-2", "SIGNING_KEY is reserved", SIM_FIELDS, set_signing_key, 2},
	{"signing-key-none", "SIGNING_KEY says NONE", SIM_FIELDS, set_signing_key, 7},
	{"key-info-mbz", "KEY_INFO bit 5 is one", SIM_FIELDS, set_key_info_bit, 5},
	{"key-info-mbz-high", "KEY_INFO bit 31 is one", SIM_FIELDS, set_key_info_bit, 31},
	{"reserved-03c", "reserved byte of CURRENT_TCB", SIM_FIELDS, set_byte, 0x03c},
	{"reserved-04c", "reserved byte at 0x04c", SIM_FIELDS, set_byte, 0x04c},
	{"reserved-184", "reserved byte of REPORTED_TCB", SIM_FIELDS, set_byte, 0x184},
	{"reserved-18b", "reserved byte at 0x18b", SIM_FIELDS, set_byte, 0x18b},
	{"reserved-19f", "reserved byte at 0x19f", SIM_FIELDS, set_byte, 0x19f},
	{"reserved-1e4", "reserved byte of COMMITTED_TCB", SIM_FIELDS, set_byte, 0x1e4},
	{"reserved-1eb", "reserved byte at 0x1eb", SIM_FIELDS, set_byte, 0x1eb},
	{"reserved-1ef", "reserved byte at 0x1ef", SIM_FIELDS, set_byte, 0x1ef},
	{"reserved-1f4", "reserved byte of LAUNCH_TCB", SIM_FIELDS, set_byte, 0x1f4},
	{"reserved-1f8", "byte at 0x1f8 before version 5", SIM_FIELDS, set_byte, 0x1f8},
	{"reserved-208", "reserved byte at 0x208", SIM_FIELDS, set_byte, 0x208},
	{"reserved-29f", "reserved byte at 0x29f", SIM_FIELDS, set_byte, 0x29f},
	{"model-other", "CPUID of another product", SIM_FIELDS, other_model},
	{"model-unknown", "CPUID of no product", SIM_FIELDS, unknown_model, 0x17},
	{"chip-id", "CHIP_ID is not the certificate's", SIM_FIELDS, flip_chip_id},
	{"chip-id-tail", "last byte of CHIP_ID changed", SIM_FIELDS, flip_byte, CHIP_ID + 63},
	{"chip-id-masked", "CHIP_ID is zero", SIM_FIELDS, mask_chip_id},
	{"sig-other-key", "signed by another key", SIM_FIELDS, sign_with, SIM_ROGUE_EC},

	{"sig-bad", "the signature does not verify", SIM_SIGNED, flip_byte, R_OFFSET},
	{"sig-measurement", "MEASUREMENT changed after signing", SIM_SIGNED, flip_byte, 0x090},
	{"sig-r-high", "byte above R set", SIM_SIGNED, set_byte, R_OFFSET + SCALAR},
	{"sig-s-high", "byte above S set", SIM_SIGNED, set_byte, S_OFFSET + SCALAR_SIZE - 1},
	{"sig-r-order", "the curve's order added to R", SIM_SIGNED, add_order, R_OFFSET},
	{"sig-s-order", "the curve's order added to S", SIM_SIGNED, add_order, S_OFFSET},
	{"sig-swapped", "R and S swapped", SIM_SIGNED, swap_scalars},
	{"sig-big-endian", "R and S in the other byte order", SIM_SIGNED, big_endian},
	{"sig-zero", "R and S zero", SIM_SIGNED, zero_scalars, 2 * SCALAR_SIZE},
	{"sig-r-zero", "R zero", SIM_SIGNED, zero_scalars, SCALAR_SIZE},
	{"sig-s-zero", "S zero", SIM_SIGNED, zero_s},
	{"tail-330", "first unsigned byte behind S set", SIM_SIGNED, set_byte, 0x330},
	{"tail-49f", "last unsigned byte set", SIM_SIGNED, set_byte, 0x49f},
	{"truncated", "last byte missing", SIM_SIGNED, set_size, PM_SNP_REPORT_SIZE - 1},
	{"trailing", "one byte too many", SIM_SIGNED, set_size, PM_SNP_REPORT_SIZE + 1},
	{"empty", "no byte at all", SIM_SIGNED, set_size, 0},

	{"sig-negated", "S replaced by n - S", SIM_SIGNED, negate_s, .harmless = true},
};

const struct sim_defects sim_report_defects = {defects, sizeof(defects) / sizeof(defects[0])};
