/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/rim_chain.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/ocsp.h"
#include "evidence/validity.h"

#define ROOT (PM_RIM_CERTS - 1)

/* id-ce-extKeyUsage 2.5.29.37, content octets */
static const char oid_eku[] = "\x55\x1d\x25";

/* Names of the checks of each certificate. */
static const struct {
	const char *cert, *key, *signature, *validity, *ocsp;
} names[PM_RIM_CERTS] = {
	{"RIM signer", "RIM signer, public key", "RIM signer, signature", "RIM signer, validity",
		"RIM signer, OCSP"},
	{"RIM CA 2", "RIM CA 2, public key", "RIM CA 2, signature", "RIM CA 2, validity",
		"RIM CA 2, OCSP"},
	{"RIM CA 1", "RIM CA 1, public key", "RIM CA 1, signature", "RIM CA 1, validity",
		"RIM CA 1, OCSP"},
	{"RIM root", "RIM root, public key", "RIM root, signature", "RIM root, validity",
		"RIM root, OCSP"},
};

void pm_rim_chain_free(struct pm_rim_chain *chain)
{
	if (!chain)
		return;
	for (size_t i = 0; i < PM_RIM_CERTS; i++) {
		pm_cert_free(chain->certs[i]);
		pm_pubkey_free(chain->keys[i]);
	}
	free(chain);
}

static int open_cert(
	struct pm_rim_chain *chain, size_t i, struct pm_view der, struct pm_report *report)
{
	int r = pm_cert_parse(der, &chain->certs[i]);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, names[i].cert, "a DER certificate, nothing behind it",
			"%zu bytes that are not one", der.len);
	r = pm_cert_pubkey(chain->certs[i], &chain->keys[i]);
	if (r == PM_E_NOMEM)
		return r;
	if (r < 0 || pm_pubkey_type(chain->keys[i]) != PM_KEY_P384)
		return pm_fail(report, r < 0 ? r : PM_E_REJECTED, names[i].key, "a point on P-384",
			"another key");
	return PM_OK;
}

/* First of all: no work for strangers' chains. */
static int check_root(struct pm_rim_chain *chain, struct pm_view der,
	const struct pm_gpu_policy *policy, struct pm_report *report)
{
	uint8_t *sha256 = chain->root_sha256;
	int r = pm_hash(PM_SHA256, der, sha256);

	if (r < 0)
		return r;
	if (!pm_gpu_policy_root(policy, PM_GPU_ROOT_RIM, sha256, &chain->test_root))
		return pm_fail(report, PM_E_REJECTED, names[ROOT].cert,
			"NVIDIA's for reference values", "SHA-256 %s, not trusted",
			pm_hex(sha256, PM_SHA256_SIZE).s);
	if (report)
		pm_pass(report, names[ROOT].cert, "SHA-256 %s%s", pm_hex(sha256, PM_SHA256_SIZE).s,
			chain->test_root ? ", a test root of the policy" : "");
	return PM_OK;
}

static int check_signature(const struct pm_rim_chain *chain, size_t i, struct pm_report *report)
{
	const struct pm_cert *cert = chain->certs[i];
	int r = PM_E_UNSUPPORTED;

	/* The root twice would make the chain shorter, and its authorities others. */
	if (pm_view_equal(pm_cert_subject(cert), pm_cert_issuer(cert)))
		return pm_fail(report, PM_E_REJECTED, names[i].cert, "issued by another",
			"a certificate that issued itself");
	if (pm_cert_signed_with(cert, PM_SHA384))
		r = pm_cert_check_issuer(cert, chain->certs[i + 1], chain->keys[i + 1], (int)i);
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(
			report, r, names[i].signature, "ECDSA with SHA-384", "another algorithm");
	if (r < 0)
		return pm_fail(report, r, names[i].signature,
			"issued and signed by the certificate behind it",
			"a signature or issuer that is not");
	return PM_OK;
}

/*
 * The signer's certificate is for signatures and for nothing else in particular: the responders of
 * OCSP have certificates of the same issuers, whose extKeyUsage tells them apart.
 */
static int check_signer(const struct pm_cert *cert, struct pm_report *report)
{
	struct pm_view cn = pm_cert_common_name(cert), value;
	int r;

	if (pm_cert_is_ca(cert))
		return pm_fail(
			report, PM_E_REJECTED, "RIM signer, basicConstraints", "no CA", "a CA");
	if (!pm_cert_may_sign(cert))
		return pm_fail(report, PM_E_REJECTED, "RIM signer, keyUsage", "digitalSignature",
			"another use");
	r = pm_cert_extension(cert, pm_view(oid_eku, sizeof(oid_eku) - 1), &value);
	if (r != PM_E_MISSING)
		return pm_fail(report, PM_E_REJECTED, "RIM signer, extKeyUsage", "none",
			"a certificate for another purpose");
	pm_pass(report, names[0].cert, "%.*s", (int)cn.len, (const char *)cn.ptr);
	return PM_OK;
}

static int check_signatures(const struct pm_rim_chain *chain, struct pm_report *report)
{
	for (size_t i = ROOT; i > 0; i--) {
		int r = check_signature(chain, i - 1, report);

		if (r < 0)
			return r;
	}
	return check_signer(chain->certs[0], report);
}

static int check_times(struct pm_rim_chain *chain, int64_t now, struct pm_report *report)
{
	chain->until = INT64_MAX;
	for (size_t i = 0; i < PM_RIM_CERTS; i++) {
		int r = pm_check_validity(
			chain->certs[i], names[i].validity, now, report, &chain->until);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* From the top: what is said of a certificate counts only when its issuer is good. */
static int check_revocation(struct pm_rim_chain *chain, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, int64_t now, struct pm_report *report)
{
	chain->ocsp_checked = true;
	for (size_t i = ROOT; i > 0; i--) {
		int r = pm_ocsp_demand(ocsp, chain->certs[i - 1], chain->certs[i], chain->keys[i],
			policy, now, names[i - 1].ocsp, report, &chain->until,
			&chain->ocsp_checked);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int verify(struct pm_rim_chain *chain, const struct pm_rim_document *document,
	const struct pm_gpu_policy *policy, struct pm_report *report)
{
	int r = check_root(chain, document->certs[ROOT], policy, report);

	if (r < 0)
		return r;
	for (size_t i = 0; i < PM_RIM_CERTS; i++) {
		r = open_cert(chain, i, document->certs[i], report);
		if (r < 0)
			return r;
	}
	return check_signatures(chain, report);
}

int pm_rim_chain_verify(const struct pm_rim_document *document, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, int64_t now, struct pm_report *report,
	struct pm_rim_chain **ret)
{
	pm_cleanup(pm_rim_chain) struct pm_rim_chain *chain = pm_alloc(sizeof(*chain));
	int r;

	if (!chain)
		return PM_E_NOMEM;
	r = verify(chain, document, policy, report);
	if (r < 0)
		return r;
	r = check_times(chain, now, report);
	if (r < 0)
		return r;
	r = check_revocation(chain, policy, ocsp, now, report);
	if (r < 0)
		return r;
	*ret = pm_steal(chain);
	return PM_OK;
}
