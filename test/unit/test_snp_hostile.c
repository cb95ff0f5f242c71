/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that somebody made to get past the verifier, each with one thing wrong. */
#include <string.h>

#include "base/report.h"
#include "evidence/snp_cache.h"
#include "scene.h"
#include "testing.h"

/* --- one thing wrong -------------------------------------------------------------------------- */

static void leave_out(struct scene *s, enum scene_extension which)
{
	s->extensions[which].oid = SCENE_OID_UNKNOWN;
}

/* A function of one statement; the structure swallows the semicolon. */
#define CHANGE(name, statement)                                                                    \
	static void name(struct scene *s)                                                          \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name
#define EXTENSION(name, which, bytes) CHANGE(name, s->extensions[SCENE_##which].value = VIEW(bytes))
#define WITHOUT(name, which)	      CHANGE(name, leave_out(s, SCENE_##which))
#define MORE(name, arcs, bytes)                                                                    \
	CHANGE(name, (s->extensions[SCENE_MORE] = (struct mint_extension){                         \
			      "1.3.6.1.4.1.3704.1." arcs, VIEW(bytes)}))

#define ZEROS_8	 "\0\0\0\0\0\0\0\0"
#define ZEROS_56 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
#define X_8	 "xxxxxxxx"
#define X_56	 X_8 X_8 X_8 X_8 X_8 X_8 X_8

CHANGE(nothing, (void)s);

CHANGE(vek_p256, s->vek.key = scene_keys.p256);
CHANGE(vek_rsa, s->vek.key = scene_keys.rsa);
CHANGE(vek_koblitz, s->vek.key = scene_keys.koblitz);
CHANGE(ask_koblitz, s->ask.key = s->vek.signer.key = scene_keys.koblitz);
CHANGE(vek_ca, s->vek.constraints = "CA:TRUE");
CHANGE(vek_two_names, s->vek.name2 = "SEV-VCEK");
CHANGE(vek_nul, (s->vek.name = "SEV-VCEK\0x", s->vek.name_len = 10));
CHANGE(vek_longer, s->vek.name = "SEV-VCEK2");
CHANGE(vek_pkcs1, s->vek.signer.padding = MINT_PKCS1);
CHANGE(vek_sha256, s->vek.signer.hash = "SHA256");
CHANGE(vek_salt, s->vek.signer.salt = 20);
CHANGE(vek_forged, s->vek.signer.key = scene_keys.rsa);
CHANGE(vek_by_ark, s->vek.signer.key = scene_keys.ark);

CHANGE(ask_2048, s->ask.key = s->vek.signer.key = scene_keys.rsa);
CHANGE(ask_ec, s->ask.key = s->vek.signer.key = scene_keys.ec);
CHANGE(ask_forged, s->ask.signer.key = scene_keys.rsa);
CHANGE(ask_self_made, s->ask.signer.key = scene_keys.ask);
CHANGE(ask_sha256, s->ask.signer.hash = "SHA256");
CHANGE(ask_not_ca, s->ask.constraints = "CA:FALSE");
CHANGE(ask_silent, s->ask.constraints = NULL);
CHANGE(ask_no_sign, s->ask.usage = "critical,cRLSign");
CHANGE(ask_other_product, s->ask.name = s->vek.signer.name = "SEV-Genoa");
CHANGE(ask_other_kind, s->ask.name = s->vek.signer.name = "SEV-VLEK-Milan");
CHANGE(ask_longer, s->ask.name = s->vek.signer.name = "SEV-Milan2");
CHANGE(ask_missing, s->without_ask = true);

CHANGE(ark_2048, s->ark.key = s->ark.signer.key = s->ask.signer.key = scene_keys.rsa);
CHANGE(ark_ec, s->ark.key = s->ark.signer.key = s->ask.signer.key = scene_keys.ec);
CHANGE(ark_not_ca, s->ark.constraints = NULL);
CHANGE(ark_no_sign, s->ark.usage = "critical,cRLSign");
CHANGE(ark_no_ca_below, s->ark.constraints = "critical,CA:TRUE,pathlen:0");
CHANGE(ark_untrusted, s->untrusted = true);
CHANGE(ark_missing, s->without_ark = true);
CHANGE(ark_issued, s->ark.signer.name = "ARK-Genoa");

static void name_root(struct scene *s, const char *name)
{
	s->ark.name = s->ark.signer.name = s->ask.signer.name = name;
}

CHANGE(ark_other_product, name_root(s, "ARK-Genoa"));
CHANGE(ark_no_product, name_root(s, "ARK-"));
CHANGE(ark_unknown, name_root(s, "ARK-Rome"));
CHANGE(ark_longer, name_root(s, "ARK-Milan2"));
CHANGE(ark_other_prefix, name_root(s, "XRK-Milan"));
CHANGE(ark_short, name_root(s, "A"));

EXTENSION(version_1, STRUCT_VERSION, "\x02\x01\x01");
EXTENSION(version_text, STRUCT_VERSION,
	"\x16\x01"
	"0");
WITHOUT(no_version, STRUCT_VERSION);
EXTENSION(product_stepping, PRODUCT_NAME,
	"\x16\x08"
	"Milan-B0");
EXTENSION(product_genoa, PRODUCT_NAME,
	"\x16\x05"
	"Genoa");
EXTENSION(product_longer, PRODUCT_NAME,
	"\x16\x06"
	"Milan2");
EXTENSION(product_nul, PRODUCT_NAME,
	"\x16\x07"
	"Milan\0x");
EXTENSION(product_utf8, PRODUCT_NAME,
	"\x0c\x05"
	"Milan");
EXTENSION(product_more, PRODUCT_NAME,
	"\x16\x05"
	"Milan"
	"x");
EXTENSION(product_empty, PRODUCT_NAME, "\x16\x00");
EXTENSION(product_long, PRODUCT_NAME,
	"\x16\x20"
	"Milan-xx" X_8 X_8 X_8);
EXTENSION(product_fits, PRODUCT_NAME,
	"\x16\x1f"
	"Milan-x" X_8 X_8 X_8);
WITHOUT(no_product, PRODUCT_NAME);
WITHOUT(no_bl, BL);
WITHOUT(no_tee, TEE);
WITHOUT(no_snp, SNP);
WITHOUT(no_ucode, UCODE);
EXTENSION(bl_256, BL, "\x02\x02\x01\x00");
EXTENSION(tee_negative, TEE, "\x02\x01\x80");
EXTENSION(snp_padded, SNP, "\x02\x02\x00\x00");
EXTENSION(ucode_empty, UCODE, "\x02\x00");
EXTENSION(bl_1, BL, "\x02\x01\x01");
EXTENSION(tee_1, TEE, "\x02\x01\x01");
EXTENSION(snp_1, SNP, "\x02\x01\x01");
EXTENSION(ucode_255, UCODE, "\x02\x02\x00\xff");
WITHOUT(no_hwid, HWID);
EXTENSION(hwid_63, HWID, ZEROS_56 "\0\0\0\0\0\0\0");
EXTENSION(hwid_8, HWID, ZEROS_8);
EXTENSION(hwid_octets, HWID, "\x04\x40" ZEROS_56 ZEROS_8);
EXTENSION(hwid_66, HWID, "\x02\x40" ZEROS_56 ZEROS_8);
EXTENSION(hwid_empty, HWID, "");
MORE(spl4, "3.4", "\x02\x01\x01");
MORE(spl5, "3.5", "\x02\x01\x01");
MORE(spl6, "3.6", "\x02\x01\x01");
MORE(spl7, "3.7", "\x02\x01\x01");
MORE(spl7_zero, "3.7", "\x02\x01\x00");
MORE(spl7_text, "3.7",
	"\x16\x01"
	"0");
MORE(fmc, "3.9", "\x02\x01\x00");
MORE(csp_id, "5",
	"\x16\x04"
	"CN=x");
MORE(two_versions, "1", "\x02\x01\x00");
MORE(two_products, "2",
	"\x16\x05"
	"Milan");
MORE(two_bls, "3.1", "\x02\x01\x00");
MORE(two_hwids, "4", ZEROS_56 ZEROS_8);

static void two_spl7(struct scene *s)
{
	spl7_zero(s);
	s->vek.oid = s->extensions[SCENE_MORE].oid;
	s->vek.oid_value = s->extensions[SCENE_MORE].value;
	s->vek.oid_count = 1;
}

CHANGE(chip_tail, (s->report[0x1df] = 1, s->extensions[SCENE_HWID].value = VIEW(X_56 X_8)));
CHANGE(tcb_bl, s->report[0x180] = 1);
CHANGE(tcb_ucode, s->report[0x187] = 1);
CHANGE(signed_by_other, s->report_key = scene_keys.ec);
CHANGE(not_signed, s->report_key = NULL);

struct row {
	const char *name;
	void (*change)(struct scene *s);
	int error;
	const char *check; /* that fails first; NULL when none does */
};

static const struct row rows[] = {
	{"nothing", nothing, PM_OK, NULL},
	{"VEK on P-256", vek_p256, PM_E_REJECTED, "VEK public key"},
	{"VEK of RSA", vek_rsa, PM_E_REJECTED, "VEK public key"},
	{"VEK on secp256k1", vek_koblitz, PM_E_UNSUPPORTED, "VEK public key"},
	{"ASK on secp256k1", ask_koblitz, PM_E_UNSUPPORTED, "intermediate, public key"},
	{"VEK is a CA", vek_ca, PM_E_REJECTED, "VEK basicConstraints"},
	{"VEK of two names", vek_two_names, PM_E_MISSING, "VEK"},
	{"NUL in the name", vek_nul, PM_E_MISSING, "VEK"},
	{"longer name", vek_longer, PM_E_MISSING, "VEK"},
	{"VEK by PKCS 1", vek_pkcs1, PM_E_UNSUPPORTED, "VEK, signature"},
	{"VEK with SHA-256", vek_sha256, PM_E_UNSUPPORTED, "VEK, signature"},
	{"VEK with a short salt", vek_salt, PM_E_UNSUPPORTED, "VEK, signature"},
	{"VEK by a stranger", vek_forged, PM_E_REJECTED, "VEK, signature"},
	{"VEK by the ARK", vek_by_ark, PM_E_REJECTED, "VEK, signature"},
	{"ASK of 2048 bits", ask_2048, PM_E_REJECTED, "intermediate, public key"},
	{"ASK on P-384", ask_ec, PM_E_REJECTED, "intermediate, public key"},
	{"ASK by a stranger", ask_forged, PM_E_REJECTED, "intermediate, signature"},
	{"ASK by itself", ask_self_made, PM_E_REJECTED, "intermediate, signature"},
	{"ASK with SHA-256", ask_sha256, PM_E_UNSUPPORTED, "intermediate, signature"},
	{"ASK no CA", ask_not_ca, PM_E_REJECTED, "VEK, signature"},
	{"ASK does not say CA", ask_silent, PM_E_REJECTED, "VEK, signature"},
	{"ASK may not sign", ask_no_sign, PM_E_REJECTED, "VEK, signature"},
	{"ASK of Genoa", ask_other_product, PM_E_REJECTED, "intermediate, common name"},
	{"ASVK for a VCEK", ask_other_kind, PM_E_REJECTED, "intermediate, common name"},
	{"ASK, longer name", ask_longer, PM_E_REJECTED, "intermediate, common name"},
	{"no ASK", ask_missing, PM_E_MISSING, "intermediate"},
	{"ARK of 2048 bits", ark_2048, PM_E_REJECTED, "root, public key"},
	{"ARK on P-384", ark_ec, PM_E_REJECTED, "root, public key"},
	{"ARK no CA", ark_not_ca, PM_E_REJECTED, "intermediate, signature"},
	{"ARK may not sign", ark_no_sign, PM_E_REJECTED, "intermediate, signature"},
	{"ARK without CAs below", ark_no_ca_below, PM_E_REJECTED, "intermediate, signature"},
	{"ARK not trusted", ark_untrusted, PM_E_REJECTED, "root"},
	{"no ARK", ark_missing, PM_E_MISSING, "root"},
	{"ARK issued by another", ark_issued, PM_E_MISSING, "root"},
	{"ARK of Genoa", ark_other_product, PM_E_REJECTED, "intermediate, common name"},
	{"ARK of nothing", ark_no_product, PM_E_REJECTED, "root, common name"},
	{"ARK of Rome", ark_unknown, PM_E_REJECTED, "root, common name"},
	{"ARK, longer name", ark_longer, PM_E_REJECTED, "root, common name"},
	{"XRK", ark_other_prefix, PM_E_REJECTED, "root, common name"},
	{"ARK, short name", ark_short, PM_E_REJECTED, "root, common name"},
	{"structVersion 1", version_1, PM_E_REJECTED, "VEK structVersion"},
	{"structVersion of text", version_text, PM_E_FORMAT, "VEK structVersion"},
	{"no structVersion", no_version, PM_E_REJECTED, "VEK structVersion"},
	{"two structVersions", two_versions, PM_E_FORMAT, "VEK structVersion"},
	{"product with stepping", product_stepping, PM_OK, NULL},
	{"product Genoa", product_genoa, PM_E_REJECTED, "VEK productName"},
	{"product longer", product_longer, PM_E_REJECTED, "VEK productName"},
	{"product with NUL", product_nul, PM_E_FORMAT, "VEK productName"},
	{"product in UTF-8", product_utf8, PM_E_FORMAT, "VEK productName"},
	{"bytes behind product", product_more, PM_E_FORMAT, "VEK productName"},
	{"product empty", product_empty, PM_E_FORMAT, "VEK productName"},
	{"product of 32 bytes", product_long, PM_E_FORMAT, "VEK productName"},
	{"product of 31 bytes", product_fits, PM_OK, NULL},
	{"no product", no_product, PM_E_REJECTED, "VEK productName"},
	{"two products", two_products, PM_E_FORMAT, "VEK productName"},
	{"no blSPL", no_bl, PM_E_REJECTED, "VEK blSPL"},
	{"no teeSPL", no_tee, PM_E_REJECTED, "VEK teeSPL"},
	{"no snpSPL", no_snp, PM_E_REJECTED, "VEK snpSPL"},
	{"no ucodeSPL", no_ucode, PM_E_REJECTED, "VEK ucodeSPL"},
	{"two blSPLs", two_bls, PM_E_FORMAT, "VEK blSPL"},
	{"blSPL 256", bl_256, PM_E_FORMAT, "VEK blSPL"},
	{"teeSPL negative", tee_negative, PM_E_FORMAT, "VEK teeSPL"},
	{"snpSPL padded", snp_padded, PM_E_FORMAT, "VEK snpSPL"},
	{"ucodeSPL empty", ucode_empty, PM_E_FORMAT, "VEK ucodeSPL"},
	{"blSPL 1", bl_1, PM_E_REJECTED, "VEK TCB"},
	{"teeSPL 1", tee_1, PM_E_REJECTED, "VEK TCB"},
	{"snpSPL 1", snp_1, PM_E_REJECTED, "VEK TCB"},
	{"ucodeSPL 255", ucode_255, PM_E_REJECTED, "VEK TCB"},
	{"no hwID", no_hwid, PM_E_REJECTED, "VEK hwID"},
	{"hwID of 63 bytes", hwid_63, PM_E_FORMAT, "VEK hwID"},
	{"hwID of 8 bytes", hwid_8, PM_E_FORMAT, "VEK hwID"},
	{"hwID in octets", hwid_octets, PM_OK, NULL},
	{"hwID of 66 bytes", hwid_66, PM_E_FORMAT, "VEK hwID"},
	{"hwID empty", hwid_empty, PM_E_FORMAT, "VEK hwID"},
	{"two hwIDs", two_hwids, PM_E_FORMAT, "VEK hwID"},
	{"spl4", spl4, PM_E_REJECTED, "VEK spl4"},
	{"spl5", spl5, PM_E_REJECTED, "VEK spl5"},
	{"spl6", spl6, PM_E_REJECTED, "VEK spl6"},
	{"spl7", spl7, PM_E_REJECTED, "VEK spl7"},
	{"spl7 of 0", spl7_zero, PM_OK, NULL},
	{"spl7 of text", spl7_text, PM_E_REJECTED, "VEK spl7"},
	{"spl7 twice", two_spl7, PM_E_REJECTED, "VEK spl7"},
	{"fmcSPL of Milan", fmc, PM_E_REJECTED, "VEK fmcSPL"},
	{"cspID of a VCEK", csp_id, PM_E_REJECTED, "VEK cspID"},
	{"another chip", chip_tail, PM_E_REJECTED, "VEK hwID, CHIP_ID"},
	{"REPORTED_TCB, boot loader", tcb_bl, PM_E_REJECTED, "VEK TCB"},
	{"REPORTED_TCB, microcode", tcb_ucode, PM_E_REJECTED, "VEK TCB"},
	{"report by another key", signed_by_other, PM_E_REJECTED, "SIGNATURE"},
	{"report not signed", not_signed, PM_E_REJECTED, "SIGNATURE"},
};

static void check_failure(const struct row *row, const struct pm_report *report)
{
	const struct pm_check *failure = pm_report_failure(report);
	size_t last = pm_report_count(report) - 1;

	ck_assert_msg(!failure == !row->check, "%s: %s", row->name, pm_report_reason(report));
	if (!failure)
		return;
	ck_assert_msg(
		!strcmp(failure->name, row->check), "%s: %s", row->name, pm_report_reason(report));
	ck_assert_ptr_eq(failure, pm_report_at(report, last)); /* and went no further */
}

/* All is as the row says, with a cache and without, and only one thing failed. */
static void check_row(struct scene *s, const struct row *row)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;

	ck_pm(pm_snp_cache_new(1, &cache), PM_OK);
	row->change(s);
	scene_make(s, &ev, &p);
	for (int round = 0; round < 3; round++) {
		int r = pm_snp_verify(ev, p, round ? cache : NULL, SCENE_NOW, report, &facts);

		ck_assert_msg(
			r == row->error, "%s: %d, %s", row->name, r, pm_report_reason(report));
		ck_assert((facts != NULL) == (r == PM_OK));
		check_failure(row, report);
		pm_report_reset(report);
	}
	pm_snp_policy_free(p);
	scene_free(s);
}

START_TEST(milan_vcek)
{
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	check_row(&s, &rows[_i]);
}
END_TEST

/* --- Turin and VLEKs -------------------------------------------------------------------------- */

EXTENSION(version_0, STRUCT_VERSION, "\x02\x01\x00");
WITHOUT(no_fmc, FMC);
EXTENSION(fmc_1, FMC, "\x02\x01\x01");
EXTENSION(hwid_64, HWID, ZEROS_56 ZEROS_8);
EXTENSION(hwid_8_octets, HWID, "\x04\x08" ZEROS_8);
CHANGE(tcb_fmc, s->report[0x180] = 1);

static void that_chip(struct scene *s)
{
	memset(s->report + 0x1a0, 'x', 8);
	s->extensions[SCENE_HWID].value = VIEW(X_8);
}

CHANGE(more_than_that_chip, (that_chip(s), s->report[0x1a8] = 'x'));

static const struct row turin_rows[] = {
	{"nothing", nothing, PM_OK, NULL},
	{"structVersion 0", version_0, PM_E_REJECTED, "VEK structVersion"},
	{"no fmcSPL", no_fmc, PM_E_REJECTED, "VEK fmcSPL"},
	{"fmcSPL 1", fmc_1, PM_E_REJECTED, "VEK TCB"},
	{"REPORTED_TCB, FMC", tcb_fmc, PM_E_REJECTED, "VEK TCB"},
	{"hwID of 64 bytes", hwid_64, PM_E_FORMAT, "VEK hwID"},
	{"hwID in octets", hwid_8_octets, PM_OK, NULL},
	{"that chip", that_chip, PM_OK, NULL},
	{"more than that chip", more_than_that_chip, PM_E_REJECTED, "VEK hwID, CHIP_ID"},
};

START_TEST(turin_vcek)
{
	struct scene s;

	scene_init(&s, PM_SNP_TURIN, PM_SNP_VCEK);
	check_row(&s, &turin_rows[_i]);
}
END_TEST

MORE(hwid, "4", ZEROS_56 ZEROS_8);
WITHOUT(no_csp_id, CSP_ID);
EXTENSION(csp_empty, CSP_ID, "\x16\x00");
EXTENSION(csp_63, CSP_ID, "\x16\x3f" X_56 "xxxxxxx");
EXTENSION(csp_64, CSP_ID, "\x16\x40" X_56 X_8);
EXTENSION(csp_nul, CSP_ID,
	"\x16\x05"
	"CN=x\0");
EXTENSION(csp_escape, CSP_ID,
	"\x16\x05"
	"CN=\x1bx");
EXTENSION(csp_printable, CSP_ID,
	"\x16\x02"
	" ~");
EXTENSION(csp_unit, CSP_ID,
	"\x16\x02"
	"x\x1f");
EXTENSION(csp_delete, CSP_ID,
	"\x16\x02"
	"x\x7f");
MORE(two_csp_ids, "5",
	"\x16\x04"
	"CN=x");
CHANGE(any_chip, s->report[0x1a0] = 1);
CHANGE(named_vcek, s->vek.name = "SEV-VCEK");
CHANGE(by_ask, s->ask.name = s->vek.signer.name = "SEV-Milan");
CHANGE(says_vcek, s->report[0x048] = 0);

static const struct row vlek_rows[] = {
	{"nothing", nothing, PM_OK, NULL},
	{"hwID of a VLEK", hwid, PM_E_REJECTED, "VEK hwID"},
	{"no cspID", no_csp_id, PM_E_REJECTED, "VEK cspID"},
	{"two cspIDs", two_csp_ids, PM_E_FORMAT, "VEK cspID"},
	{"cspID empty", csp_empty, PM_E_FORMAT, "VEK cspID"},
	{"cspID of 63 bytes", csp_63, PM_OK, NULL},
	{"cspID of 64 bytes", csp_64, PM_E_FORMAT, "VEK cspID"},
	{"cspID with NUL", csp_nul, PM_E_FORMAT, "VEK cspID"},
	{"cspID with ESC", csp_escape, PM_E_FORMAT, "VEK cspID"},
	{"cspID of space and tilde", csp_printable, PM_OK, NULL},
	{"cspID with 1f", csp_unit, PM_E_FORMAT, "VEK cspID"},
	{"cspID with 7f", csp_delete, PM_E_FORMAT, "VEK cspID"},
	{"any chip", any_chip, PM_OK, NULL},
	{"VCEK by the ASVK", named_vcek, PM_E_MISSING, "VEK"},
	{"VLEK by the ASK", by_ask, PM_E_REJECTED, "intermediate, common name"},
	{"report says VCEK", says_vcek, PM_E_MISSING, "VEK"},
	{"no fmcSPL of Milan", fmc, PM_E_REJECTED, "VEK fmcSPL"},
};

START_TEST(milan_vlek)
{
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VLEK);
	check_row(&s, &vlek_rows[_i]);
}
END_TEST

/* --- what is said ----------------------------------------------------------------------------- */

START_TEST(a_name_does_not_steer_the_terminal)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	name_root(&s, "ARK-\x1b[2J\nVERIFIED\x7f\xc2\x9b");
	ck_pm(scene_verify(&s, NULL, report), PM_E_REJECTED);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "found ARK-?[2J?VERIFIED?"));
	for (const char *c = pm_report_reason(report); *c; c++)
		ck_assert(*c >= ' ' && *c <= '~');
	scene_free(&s);
}
END_TEST

/* Why there is no signature is said only where it is so. */
START_TEST(a_masked_key_is_named)
{
	static const struct {
		uint8_t flags, first_byte;
		bool named;
	} scenes[] = {{2, 0, true}, {0, 0, false}, {2, 1, false}};
	struct scene s;

	for (size_t i = 0; i < PM_ARRAY_LEN(scenes); i++) {
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();

		scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
		s.report_key = NULL;
		s.report[0x048] = scenes[i].flags;
		s.report[0x2a0] = scenes[i].first_byte;
		ck_pm(scene_verify(&s, NULL, report), PM_E_REJECTED);
		ck_assert(scenes[i].named == !!strstr(pm_report_reason(report), "MASK_CHIP_KEY"));
		scene_free(&s);
	}
	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	s.report[0x048] = 2;
	ck_pm(scene_verify(&s, NULL, NULL), PM_OK); /* the flag alone says nothing */
	scene_free(&s);
}
END_TEST

/* Azure's runtime data is what REPORT_DATA says, and nothing else. */
START_TEST(runtime_data_is_bound)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	ck_pm(pm_hash(PM_SHA256, VIEW("{}"), s.report + 0x50), PM_OK);
	scene_make(&s, &ev, &p);
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, NULL, &facts), PM_OK);
	ck_assert(!facts->runtime_data && !facts->runtime_data_size);
	ev->runtime_data = pm_view(pm_dup(VIEW("{}")), 2);
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, NULL, &facts), PM_OK);
	ck_assert(
		pm_view_equal(pm_view(facts->runtime_data, facts->runtime_data_size), VIEW("{}")));
	test_free(ev->runtime_data);
	ev->runtime_data = pm_view(pm_dup(VIEW("{ ")), 2);
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, report, &facts), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "HCL runtime data, REPORT_DATA");
	ck_assert_ptr_null(facts->runtime_data); /* taken back */
	pm_snp_policy_free(p);
}
END_TEST

/* A masked chip is accepted only where the policy says so. */
START_TEST(a_masked_chip_needs_permission)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_make(&s, &ev, &p);
	p->permissions = 0;
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, report, &facts), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "VEK hwID, CHIP_ID");
	pm_snp_policy_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snp_hostile");
	TCase *t = tcase_create("snp_hostile");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_loop_test(t, milan_vcek, 0, PM_ARRAY_LEN(rows));
	tcase_add_loop_test(t, turin_vcek, 0, PM_ARRAY_LEN(turin_rows));
	tcase_add_loop_test(t, milan_vlek, 0, PM_ARRAY_LEN(vlek_rows));
	tcase_add_test(t, a_name_does_not_steer_the_terminal);
	tcase_add_test(t, a_masked_key_is_named);
	tcase_add_test(t, runtime_data_is_bound);
	tcase_add_test(t, a_masked_chip_needs_permission);
	suite_add_tcase(s, t);
	return test_main(s);
}
