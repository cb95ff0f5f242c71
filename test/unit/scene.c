/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <string.h>

#include "crypto/crypto.h"
#include "evidence/snp_evidence.h"
#include "testing.h"

struct scene_keys scene_keys;

void scene_make_keys(void)
{
	scene_keys = (struct scene_keys){
		.ark = mint_rsa(4096),
		.ask = mint_rsa(4096),
		.rsa = mint_rsa(2048),
		.vek = mint_ec("P-384"),
		.ec = mint_ec("P-384"),
		.p256 = mint_ec("P-256"),
		.koblitz = mint_ec("secp256k1"),
	};
}

void scene_free_keys(void)
{
	EVP_PKEY_free(scene_keys.ark);
	EVP_PKEY_free(scene_keys.ask);
	EVP_PKEY_free(scene_keys.rsa);
	EVP_PKEY_free(scene_keys.vek);
	EVP_PKEY_free(scene_keys.ec);
	EVP_PKEY_free(scene_keys.p256);
	EVP_PKEY_free(scene_keys.koblitz);
}

/* What is called how. */
static const struct {
	const char *ark, *ask, *asvk;
	struct pm_view product_name;
	uint8_t family, model;
} names[] = {
	[PM_SNP_MILAN] = {"ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan", {(void *)"\x16\x05Milan", 7},
		0x19, 0x01},
	[PM_SNP_GENOA] = {"ARK-Genoa", "SEV-Genoa", "SEV-VLEK-Genoa", {(void *)"\x16\x05Genoa", 7},
		0x19, 0x11},
	[PM_SNP_TURIN] = {"ARK-Turin", "SEV-Turin", "SEV-VLEK-Turin", {(void *)"\x16\x05Turin", 7},
		0x1a, 0x02},
};

static const char *const oids[SCENE_EXTENSIONS] = {
	[SCENE_STRUCT_VERSION] = "1.3.6.1.4.1.3704.1.1",
	[SCENE_PRODUCT_NAME] = "1.3.6.1.4.1.3704.1.2",
	[SCENE_BL] = "1.3.6.1.4.1.3704.1.3.1",
	[SCENE_TEE] = "1.3.6.1.4.1.3704.1.3.2",
	[SCENE_SNP] = "1.3.6.1.4.1.3704.1.3.3",
	[SCENE_UCODE] = "1.3.6.1.4.1.3704.1.3.8",
	[SCENE_FMC] = "1.3.6.1.4.1.3704.1.3.9",
	[SCENE_HWID] = "1.3.6.1.4.1.3704.1.4",
	[SCENE_CSP_ID] = "1.3.6.1.4.1.3704.1.5",
	[SCENE_MORE] = SCENE_OID_UNKNOWN,
};

static void set_extensions(struct scene *s, enum pm_snp_product product, enum pm_snp_signer signer)
{
	static const uint8_t zeros[PM_SNP_CHIP_ID_SIZE];
	bool turin = product == PM_SNP_TURIN;

	for (size_t i = 0; i < SCENE_EXTENSIONS; i++)
		s->extensions[i] = (struct mint_extension){oids[i], VIEW("\x02\x01\x00")};
	if (turin)
		s->extensions[SCENE_STRUCT_VERSION].value = VIEW("\x02\x01\x01");
	else
		s->extensions[SCENE_FMC].oid = SCENE_OID_UNKNOWN;
	s->extensions[SCENE_PRODUCT_NAME].value = names[product].product_name;
	s->extensions[SCENE_HWID].value = pm_view(zeros, turin ? 8 : sizeof(zeros));
	s->extensions[SCENE_CSP_ID].value = VIEW("\x16\x04"
						 "CN=x");
	s->extensions[signer == PM_SNP_VLEK ? SCENE_HWID : SCENE_CSP_ID].oid = SCENE_OID_UNKNOWN;
	s->vek.extensions = s->extensions;
	s->vek.extension_count = SCENE_EXTENSIONS;
}

static void set_report(struct scene *s, enum pm_snp_product product, enum pm_snp_signer signer)
{
	s->report[0x000] = 3;
	s->report[0x00a] = 0x03; /* POLICY: SMT and the reserved one */
	s->report[0x034] = 1;
	s->report[0x048] = signer == PM_SNP_VLEK ? 1 << 2 : 0;
	s->report[0x188] = names[product].family;
	s->report[0x189] = names[product].model;
}

static struct mint_cert cert_spec(
	EVP_PKEY *issuer_key, const char *issuer, EVP_PKEY *key, const char *name)
{
	return (struct mint_cert){
		.signer = {.key = issuer_key, .name = issuer},
		.key = key,
		.name = name,
		.not_before = SCENE_FROM,
		.not_after = SCENE_TO,
	};
}

void scene_init(struct scene *s, enum pm_snp_product product, enum pm_snp_signer signer)
{
	const struct scene_keys *k = &scene_keys;
	const char *ark = names[product].ark;
	const char *ask = signer == PM_SNP_VLEK ? names[product].asvk : names[product].ask;

	*s = (struct scene){.report_key = k->vek, .now = SCENE_NOW};
	s->ark = cert_spec(k->ark, ark, k->ark, ark);
	s->ark.constraints = "critical,CA:TRUE";
	s->ark.usage = "critical,keyCertSign,cRLSign";
	s->ark.serial = 0x10000;
	s->ask = cert_spec(k->ark, ark, k->ask, ask);
	s->ask.constraints = "critical,CA:TRUE,pathlen:0";
	s->ask.usage = "critical,keyCertSign";
	s->ask.serial = 0x10001;
	s->vek = cert_spec(k->ask, ask, k->vek, signer == PM_SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK");
	set_extensions(s, product, signer);
	set_report(s, product, signer);
}

void scene_free(struct scene *s)
{
	for (size_t i = 0; i < s->more_count; i++)
		test_free(s->more[i]);
	test_free(s->trusted);
	pm_snp_evidence_free(s->ev);
}

void scene_add(struct scene *s, struct pm_view der)
{
	ck_assert_uint_lt(s->more_count, SCENE_MORE_MAX);
	s->more[s->more_count++] = der;
}

void scene_add_list(struct scene *s, const long *serials, size_t count)
{
	ck_assert_uint_lt(s->list_count, PM_SNP_CRLS_MAX);
	s->lists[s->list_count++] = (struct mint_crl){
		.signer = {.key = s->ark.key, .name = s->ark.name},
		.this_update = SCENE_FROM,
		.next_update = SCENE_TO,
		.serials = serials,
		.count = count,
	};
}

/* --- policy ----------------------------------------------------------------------------------- */

static void trust(struct pm_snp_policy *p, struct pm_view der)
{
	uint8_t sha256[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, der, sha256), PM_OK);
	ck_pm(pm_snp_policy_add_test_root(p, sha256), PM_OK);
}

/* The ARK's signature is made with a random salt: which certificate is meant, the evidence says. */
static struct pm_snp_policy *policy_for(const struct scene *s, struct pm_view ark)
{
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_crypto_init(), PM_OK);
	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(pm_snp_policy_waive(p,
		      PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB),
		PM_OK);
	ck_pm(pm_snp_policy_permit(p, PM_SNP_PERMIT_MASKED_CHIP_ID), PM_OK);
	if (!s->untrusted)
		trust(p, ark);
	if (s->trusted.len)
		trust(p, s->trusted);
	if (s->demand)
		ck_pm(s->demand(p), PM_OK);
	return p;
}

/* --- evidence --------------------------------------------------------------------------------- */

static void reverse(uint8_t *ret, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = from[n - 1 - i];
}

static struct pm_snp_evidence *make_report(const struct scene *s)
{
	struct pm_snp_evidence *ev = NULL;
	uint8_t b[PM_SNP_REPORT_SIZE];
	struct pm_view signature;

	pm_copy(b, s->report, sizeof(b));
	if (s->report_key) {
		signature = mint_ecdsa(s->report_key, "SHA384", pm_view(b, 0x2a0), 48);
		reverse(b + 0x2a0, signature.ptr, 48);
		reverse(b + 0x2e8, signature.ptr + 48, 48);
		test_free(signature);
	}
	ck_pm(pm_snp_evidence_parse(b, sizeof(b), NULL, &ev), PM_OK);
	return ev;
}

static void add(struct pm_snp_evidence *ev, struct pm_view der, bool leave_out)
{
	if (!leave_out)
		ck_pm(pm_snp_evidence_add_certs(ev, der.ptr, der.len, NULL), PM_OK);
}

static void add_more(struct pm_snp_evidence *ev, const struct scene *s, bool first)
{
	for (size_t i = 0; i < s->more_count && s->more_first == first; i++)
		add(ev, s->more[i], false);
}

static void add_minted(struct pm_snp_evidence *ev, const struct mint_cert *spec, bool leave_out)
{
	struct pm_view der = mint_cert(spec);

	add(ev, der, leave_out);
	test_free(der);
}

static struct pm_snp_evidence *evidence_for(const struct scene *s, struct pm_view ark)
{
	struct pm_snp_evidence *ev = make_report(s);

	add_more(ev, s, true);
	add_minted(ev, &s->vek, false);
	add_minted(ev, &s->ask, s->without_ask);
	add(ev, ark, s->without_ark);
	add_more(ev, s, false);
	for (size_t i = 0; i < s->list_count; i++) {
		struct pm_view der = mint_crl(&s->lists[i]);

		if (s->list_of_table[i])
			ck_pm(pm_snp_evidence_add_table_crl(ev, der, NULL), PM_OK);
		else
			ck_pm(pm_snp_evidence_add_crl(ev, der.ptr, der.len, NULL), PM_OK);
		test_free(der);
	}
	return ev;
}

void scene_make(
	const struct scene *s, struct pm_snp_evidence **ret_ev, struct pm_snp_policy **ret_policy)
{
	struct pm_view ark = mint_cert(&s->ark);

	*ret_ev = evidence_for(s, ark);
	*ret_policy = policy_for(s, ark);
	test_free(ark);
}

int scene_verify(struct scene *s, struct pm_snp_cache *cache, struct pm_report *report)
{
	struct pm_snp_policy *policy;
	int r;

	pm_snp_evidence_free(s->ev);
	s->facts = NULL;
	scene_make(s, &s->ev, &policy);
	r = pm_snp_verify(s->ev, policy, cache, s->now, report, &s->facts);
	ck_assert((r == PM_OK) == (s->facts != NULL));
	pm_snp_policy_free(policy);
	return r;
}
