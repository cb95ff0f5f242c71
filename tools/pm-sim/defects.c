/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be wrong with evidence, one deviation each. All but the last group are to be refused; a
 * test pairs each with the check of the verifier that must notice it.
 */
#include "pm-sim/sim.h"

#include <stdio.h>
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

/* --- the VEK's certificate -------------------------------------------------------------------- */

static void vek_tcb(struct sim_plan *plan, uint32_t member)
{
	((uint8_t *)&plan->vek.tcb)[member]++;
	plan->vek.remake = true;
}

/* A VLEK gets one, which it must not have. */
static void vek_hwid(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.hwid_size = plan->machine->product->hwid_size;
	plan->vek.hwid[plan->vek.hwid_size - 1] ^= 1;
	plan->vek.remake = true;
}

/* An OCTET STRING within the extension's value, as old notes of AMD have it. */
static void vek_hwid_der(struct sim_plan *plan, uint32_t arg)
{
	struct sim_vek_plan *vek = &plan->vek;

	(void)arg;
	memmove(vek->hwid + 2, vek->hwid, vek->hwid_size);
	vek->hwid[0] = 0x04;
	vek->hwid[1] = (uint8_t)vek->hwid_size;
	vek->hwid_size += 2;
	vek->remake = true;
}

static void vek_hwid_size(struct sim_plan *plan, uint32_t size)
{
	plan->vek.hwid_size = size;
	plan->vek.remake = true;
}

static void vek_csp_id(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.csp_id = "CN=cloud.test";
	plan->vek.remake = true;
}

static void vek_no_csp_id(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.csp_id = "";
	plan->vek.remake = true;
}

static void vek_doubled(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.doubled = true;
	plan->vek.remake = true;
}

static void vek_no_ucode(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.no_ucode = true;
	plan->vek.remake = true;
}

static void vek_product(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.product_name =
		strcmp(plan->machine->product->name, "Genoa") == 0 ? "Milan-B0" : "Genoa";
	plan->vek.remake = true;
}

static void vek_stepping(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.product_name =
		strcmp(plan->machine->product->name, "Genoa") == 0 ? "Genoa-B1" : "Milan-B1";
	plan->vek.remake = strcmp(plan->machine->product->name, "Turin") != 0;
}

static void vek_struct_version(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.struct_version ^= 1;
	plan->vek.remake = true;
}

static void vek_name(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.cn = plan->machine->vlek ? "SEV-VCEK" : "SEV-VLEK";
	plan->vek.remake = true;
}

static void vek_expired(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.not_before = plan->now - 2 * SIM_DAY;
	plan->vek.not_after = plan->now - SIM_DAY;
	plan->vek.remake = true;
}

static void vek_future(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.not_before = plan->now + SIM_DAY;
	plan->vek.remake = true;
}

static void vek_ca(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.ca = true;
	plan->vek.remake = true;
}

static void vek_pkcs1(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->vek.by.pkcs1 = true;
	plan->vek.remake = true;
}

static void vek_sha256(struct sim_plan *plan, uint32_t salt)
{
	plan->vek.by.hash = "SHA256";
	plan->vek.by.salt = (int)salt;
	plan->vek.remake = true;
}

static void vek_salt(struct sim_plan *plan, uint32_t salt)
{
	plan->vek.by.salt = (int)salt;
	plan->vek.remake = true;
}

static void vek_signer(struct sim_plan *plan, uint32_t key)
{
	plan->vek.by.key = (enum sim_key)key;
	plan->vek.remake = true;
}

/* The report is signed by the key that the certificate holds: only the kind of key is wrong. */
static void vek_p256(struct sim_plan *plan, uint32_t key)
{
	plan->vek.key = (enum sim_key)key;
	plan->report_key = (enum sim_key)key;
	plan->vek.remake = true;
}

static void vek_other_key(struct sim_plan *plan, uint32_t key)
{
	plan->vek.key = (enum sim_key)key;
	plan->vek.remake = true;
}

/* --- the authorities -------------------------------------------------------------------------- */

static void ask_not_ca(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->ica.ca = false;
	plan->ica.remake = true;
}

static void ask_other_key(struct sim_plan *plan, uint32_t key)
{
	plan->ica.key = (enum sim_key)key;
	plan->ica.remake = true;
}

static void ask_forged(struct sim_plan *plan, uint32_t key)
{
	plan->ica.by.key = (enum sim_key)key;
	plan->ica.remake = true;
}

static void ask_expired(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->ica.not_before = plan->now - 2 * SIM_DAY;
	plan->ica.not_after = plan->now - SIM_DAY;
	plan->ica.remake = true;
}

/* The other hierarchy of the same root issues the VEK: one provider's key poses as a chip's. */
static void ask_other_kind(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->ica_kind = plan->ica_kind == SIM_ASK ? SIM_ASVK : SIM_ASK;
	plan->vek.by.key = plan->ica_kind;
	plan->vek.remake = true;
}

/* A whole hierarchy of the same names, in itself correct. */
static void ark_forged(struct sim_plan *plan, uint32_t key)
{
	plan->ark.key = (enum sim_key)key;
	plan->ark.by.key = (enum sim_key)key;
	plan->ica.by.key = (enum sim_key)key;
	plan->crl.by.key = (enum sim_key)key;
	plan->ark.remake = true;
	plan->ica.remake = true;
	plan->crl.remake = true;
}

/* --- the revocation list ---------------------------------------------------------------------- */

static void crl_expired(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->crl.this_update = plan->now - 50 * SIM_DAY;
	plan->crl.next_update = plan->now - SIM_DAY;
	plan->crl.remake = true;
}

static void crl_future(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->crl.this_update = plan->now + SIM_DAY;
	plan->crl.remake = true;
}

static void crl_no_next(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->crl.no_next_update = true;
	plan->crl.remake = true;
}

static void crl_forged(struct sim_plan *plan, uint32_t key)
{
	plan->crl.by.key = (enum sim_key)key;
	plan->crl.remake = true;
}

static void crl_issuer(struct sim_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->crl.issuer = strcmp(plan->crl.issuer, "Genoa") == 0 ? "Milan" : "Genoa";
	plan->crl.remake = true;
}

static void crl_revokes_ica(struct sim_plan *plan, uint32_t arg)
{
	const struct sim_product *p = plan->machine->product;

	(void)arg;
	plan->crl.revoked[0] = plan->ica_kind == SIM_ASVK ? p->asvk_serial : p->ask_serial;
	plan->crl.revoked_count = 1;
	plan->crl.remake = true;
}

static void crl_revokes(struct sim_plan *plan, uint32_t serial)
{
	plan->crl.revoked[0] = serial;
	plan->crl.revoked_count = 1;
	plan->crl.remake = true;
}

#define MEMBER(name) offsetof(struct sim_tcb, name)

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

	{"vek-bl", "certificate of another boot loader", SIM_VEK_STAGE, vek_tcb, MEMBER(bl)},
	{"vek-tee", "certificate of another TEE", SIM_VEK_STAGE, vek_tcb, MEMBER(tee)},
	{"vek-snp", "certificate of another SNP firmware", SIM_VEK_STAGE, vek_tcb, MEMBER(snp)},
	{"vek-ucode", "certificate of another microcode", SIM_VEK_STAGE, vek_tcb, MEMBER(ucode)},
	{"vek-fmc", "certificate of another FMC (Turin)", SIM_VEK_STAGE, vek_tcb, MEMBER(fmc)},
	{"vek-spare", "reserved TCB components set", SIM_VEK_STAGE, vek_tcb, MEMBER(spare)},
	{"vek-no-ucode", "no ucodeSPL", SIM_VEK_STAGE, vek_no_ucode},
	{"vek-doubled", "ucodeSPL twice", SIM_VEK_STAGE, vek_doubled},
	{"vek-hwid", "hwID of another chip", SIM_VEK_STAGE, vek_hwid},
	{"vek-hwid-missing", "no hwID", SIM_VEK_STAGE, vek_hwid_size, 0},
	{"vek-hwid-short", "hwID of 7 bytes", SIM_VEK_STAGE, vek_hwid_size, 7},
	{"vek-csp-id", "a VCEK with cspID", SIM_VEK_STAGE, vek_csp_id},
	{"vek-csp-id-missing", "a VLEK without cspID", SIM_VEK_STAGE, vek_no_csp_id},
	{"vek-product", "productName of another product", SIM_VEK_STAGE, vek_product},
	{"vek-struct-version", "structVersion of others", SIM_VEK_STAGE, vek_struct_version},
	{"vek-name", "common name of the other kind", SIM_VEK_STAGE, vek_name},
	{"vek-ca", "a certification authority", SIM_VEK_STAGE, vek_ca},
	{"vek-expired", "expired", SIM_VEK_STAGE, vek_expired},
	{"vek-future", "not yet valid", SIM_VEK_STAGE, vek_future},
	{"vek-pkcs1", "signed with PKCS#1 v1.5", SIM_VEK_STAGE, vek_pkcs1},
	{"vek-sha256", "signed with PSS and SHA-256", SIM_VEK_STAGE, vek_sha256, 32},
	{"vek-salt32", "signed with PSS, salt of 32", SIM_VEK_STAGE, vek_salt, 32},
	{"vek-p256", "a key on P-256", SIM_VEK_STAGE, vek_p256, SIM_P256},
	{"vek-other-key", "certifies another key", SIM_VEK_STAGE, vek_other_key, SIM_ROGUE_EC},
	{"vek-forged", "signed by no ASK", SIM_VEK_STAGE, vek_signer, SIM_ROGUE_RSA},
	{"vek-by-ark", "signed by the ARK itself", SIM_VEK_STAGE, vek_signer, SIM_ARK},

	{"ask-not-ca", "the ASK is no authority", SIM_CHAIN, ask_not_ca},
	{"ask-other-key", "the ASK has another key", SIM_CHAIN, ask_other_key, SIM_ROGUE_RSA},
	{"ask-forged", "the ASK is not signed by the ARK", SIM_CHAIN, ask_forged, SIM_ROGUE_RSA},
	{"ask-expired", "the ASK has expired", SIM_CHAIN, ask_expired},
	{"ask-other-kind", "the ASVK issued the VCEK", SIM_CHAIN, ask_other_kind},
	{"ark-forged", "the whole chain is of a root with another key", SIM_CHAIN, ark_forged,
		SIM_ROGUE_RSA},

	{"crl-expired", "the CRL has expired", SIM_CRL, crl_expired},
	{"crl-future", "the CRL is not yet valid", SIM_CRL, crl_future},
	{"crl-no-next-update", "the CRL never expires", SIM_CRL, crl_no_next},
	{"crl-forged", "the CRL is signed by another key", SIM_CRL, crl_forged, SIM_ROGUE_RSA},
	{"crl-by-ask", "the CRL is signed by the ASK", SIM_CRL, crl_forged, SIM_ASK},
	{"crl-issuer", "the CRL is of another product", SIM_CRL, crl_issuer},
	{"crl-revokes-ask", "the CRL lists the ASK or ASVK in use", SIM_CRL, crl_revokes_ica},

	{"sig-negated", "S replaced by n - S", SIM_SIGNED, negate_s, .harmless = true},
	{"vek-hwid-der", "hwID as OCTET STRING", SIM_VEK_STAGE, vek_hwid_der, .harmless = true},
	{"vek-stepping", "another stepping in productName", SIM_VEK_STAGE, vek_stepping,
		.harmless = true},
	{"crl-revokes-other", "the CRL lists an unrelated one", SIM_CRL, crl_revokes, 0x20001,
		.harmless = true},
};

#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

const struct sim_defect *sim_defect_find(const char *name)
{
	for (size_t i = 0; i < DEFECTS; i++)
		if (strcmp(defects[i].name, name) == 0)
			return &defects[i];
	(void)sim_fail("%s: unknown defect; see: pm-sim defects", name);
	return NULL;
}

void sim_defect_list(void)
{
	static const char *const stages[] = {[SIM_FIELDS] = "report",
		[SIM_SIGNED] = "signature",
		[SIM_VEK_STAGE] = "vek",
		[SIM_CHAIN] = "chain",
		[SIM_CRL] = "crl"};

	for (size_t i = 0; i < DEFECTS; i++)
		printf("%-20s %-9s %s%s\n", defects[i].name, stages[defects[i].stage],
			defects[i].text, defects[i].harmless ? " (to be accepted)" : "");
}
