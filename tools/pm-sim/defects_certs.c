/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with certificates and revocation lists. */
#include "pm-sim/sim.h"

#include <string.h>

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

/* --- all of them ------------------------------------------------------------------------------ */

#define MEMBER(name) offsetof(struct sim_tcb, name)

static const struct sim_defect defects[] = {
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

	{"vek-hwid-der", "hwID as OCTET STRING", SIM_VEK_STAGE, vek_hwid_der, .harmless = true},
	{"vek-stepping", "another stepping in productName", SIM_VEK_STAGE, vek_stepping,
		.harmless = true},
	{"crl-revokes-other", "the CRL lists an unrelated one", SIM_CRL, crl_revokes, 0x20001,
		.harmless = true},
};

const struct sim_defects sim_cert_defects = {defects, sizeof(defects) / sizeof(defects[0])};
