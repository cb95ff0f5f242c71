/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp_signature.h"

#include <stdlib.h>

#include "base/report.h"
#include "crypto/der.h"

/* id-ce-extKeyUsage 2.5.29.37 and id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9, content octets */
static const char oid_eku[] = "\x55\x1d\x25";
static const char oid_ocsp_signing[] = "\x2b\x06\x01\x05\x05\x07\x03\x09";

#define VIEW_OF(literal) pm_view(literal, sizeof(literal) - 1)

/* A responder's certificate that the issuer issued for OCSP. */
struct responder {
	struct pm_shared shared;
	struct pm_pubkey *key;
	struct pm_ocsp_signer signer;
};

/* A response whose signature verified. */
struct verified_response {
	struct pm_shared shared;
	struct pm_ocsp_signer signer;
};

static void destroy_responder(struct pm_shared *shared)
{
	struct responder *r = (struct responder *)shared; /* its first member */

	pm_pubkey_free(r->key);
	free(r);
}

static void destroy_response(struct pm_shared *shared)
{
	free(shared);
}

/* What was verified, and under which issuer. */
static int cache_key(char what, const struct pm_cert *issuer, struct pm_view der, uint8_t *ret)
{
	uint8_t issuer_hash[PM_SHA256_SIZE];
	const struct pm_view parts[] = {
		pm_view(&what, 1), pm_view(issuer_hash, sizeof(issuer_hash)), der};
	int r = pm_hash(PM_SHA256, pm_cert_der(issuer), issuer_hash);

	return r < 0 ? r : pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

/* --- the responder's certificate ------------------------------------------------------------- */

/* ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER. "Any" does not count. */
static bool is_for_ocsp(const struct pm_cert *cert)
{
	struct pm_view value, list, oid;
	bool found = false;

	if (pm_cert_extension(cert, VIEW_OF(oid_eku), &value) < 0 ||
		!pm_der_only(value, PM_DER_SEQUENCE, &list))
		return false;
	while (list.len) {
		if (!pm_der_get(&list, PM_DER_OID, &oid))
			return false;
		found |= pm_view_equal(oid, VIEW_OF(oid_ocsp_signing));
	}
	return found;
}

static int check_profile(const struct pm_cert *cert, struct pm_report *report)
{
	if (pm_cert_is_ca(cert))
		return pm_fail(
			report, PM_E_REJECTED, "OCSP responder, basicConstraints", "no CA", "a CA");
	if (!pm_cert_may_sign(cert))
		return pm_fail(report, PM_E_REJECTED, "OCSP responder, keyUsage",
			"digitalSignature", "another use");
	if (!is_for_ocsp(cert))
		return pm_fail(report, PM_E_REJECTED, "OCSP responder, extKeyUsage", "OCSPSigning",
			"another purpose");
	return PM_OK;
}

static int check_issued(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_report *report)
{
	int r = PM_E_UNSUPPORTED;

	if (pm_cert_signed_with(cert, PM_SHA384))
		r = pm_cert_check_issuer(cert, issuer, issuer_key, 0);
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, "OCSP responder, signature", "ECDSA with SHA-384",
			"another algorithm");
	if (r < 0)
		return pm_fail(report, r, "OCSP responder, signature",
			"by the issuer of the certificate in question", "another's");
	return PM_OK;
}

static int load_key(const struct pm_cert *cert, struct pm_report *report, struct pm_pubkey **ret)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_cert_pubkey(cert, &key);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0 || pm_pubkey_type(key) != PM_KEY_P384)
		return pm_fail(report, r < 0 ? r : PM_E_REJECTED, "OCSP responder, public key",
			"a point on P-384", "another key");
	*ret = pm_steal(key);
	return PM_OK;
}

static int verify_responder(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_report *report, struct pm_shared **ret)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct responder *responder;
	int r = check_profile(cert, report);

	if (r < 0)
		return r;
	r = load_key(cert, report, &key);
	if (r < 0)
		return r;
	r = check_issued(cert, issuer, issuer_key, report);
	if (r < 0)
		return r;
	responder = pm_alloc(sizeof(*responder));
	if (!responder)
		return PM_E_NOMEM;
	pm_shared_init(&responder->shared, destroy_responder);
	responder->key = pm_steal(key);
	responder->signer.not_before = pm_cert_not_before(cert);
	responder->signer.not_after = pm_cert_not_after(cert);
	*ret = &responder->shared;
	return PM_OK;
}

/* The same, with the memory's help. */
static int get_responder(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_lru *verified, struct pm_report *report,
	struct pm_shared **ret)
{
	uint8_t key[PM_LRU_KEY_SIZE];
	int r;

	if (!verified)
		return verify_responder(cert, issuer, issuer_key, report, ret);
	r = cache_key('c', issuer, pm_cert_der(cert), key);
	if (r < 0)
		return r;
	*ret = pm_lru_get(verified, key);
	if (*ret)
		return PM_OK;
	r = verify_responder(cert, issuer, issuer_key, report, ret);
	if (r == PM_OK)
		pm_lru_put(verified, key, *ret);
	return r;
}

/* --- the response's signature ---------------------------------------------------------------- */

/* Is it the certificate that the response names as its signer's? */
static int is_named(const struct pm_ocsp_response *response, const struct pm_cert *cert, bool *ret)
{
	uint8_t id[PM_KEY_IDENTIFIER_SIZE];
	int r;

	if (!response->by_key) {
		*ret = pm_view_equal(response->responder, pm_cert_subject(cert));
		return PM_OK;
	}
	r = pm_key_identifier(pm_cert_key_bits(cert), id);
	*ret = r == PM_OK && pm_view_equal(response->responder, pm_view(id, sizeof(id)));
	return r;
}

/* Who may have signed, by responderID: the issuer itself, or who has one of these certificates. */
struct named {
	bool issuer;
	struct pm_cert *certs[PM_OCSP_CERTS_MAX];
	size_t count;
	int bad;	   /* the error of the first that is no certificate, or 0 */
	size_t bad_length; /* its length */
};

static void pm_cleanup_named(struct named *n)
{
	for (size_t i = 0; i < n->count; i++)
		pm_cert_free(n->certs[i]);
}

static int add_named(const struct pm_ocsp_response *response, size_t i, struct named *n)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	bool named = false;
	int r = pm_cert_parse(response->certs[i], &cert);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0) {
		n->bad_length = n->bad ? n->bad_length : response->certs[i].len;
		n->bad = n->bad ? n->bad : r;
		return PM_OK;
	}
	r = is_named(response, cert, &named);
	if (r == PM_OK && named)
		n->certs[n->count++] = pm_steal(cert);
	return r;
}

static int find_named(
	const struct pm_ocsp_response *response, const struct pm_cert *issuer, struct named *n)
{
	int r = is_named(response, issuer, &n->issuer);

	for (size_t i = 0; r == PM_OK && i < response->cert_count; i++)
		r = add_named(response, i, n);
	return r;
}

static int refuse_unnamed(const struct named *n, struct pm_report *report)
{
	if (n->bad)
		return pm_fail(report, n->bad, "OCSP responder", "a certificate",
			"%zu bytes that are not one", n->bad_length);
	return pm_fail(report, PM_E_REJECTED, "OCSP responder",
		"the issuer, or a certificate in the response", "neither");
}

static int check_bytes(const struct pm_ocsp_response *response, const struct pm_pubkey *key,
	struct pm_report *report)
{
	int r = pm_ecdsa_verify_der(key, PM_SHA384, response->body, response->signature);

	if (r < 0)
		return pm_fail(report, r, "OCSP, signature", "by the responder that it names",
			"one that does not verify");
	return PM_OK;
}

/* What a response is verified with. */
struct verifying {
	const struct pm_ocsp_response *response;
	const struct pm_cert *issuer;
	const struct pm_pubkey *issuer_key;
	struct pm_lru *verified;
};

static int verify_delegated(const struct verifying *v, const struct pm_cert *cert,
	struct pm_report *report, struct pm_ocsp_signer *ret)
{
	pm_cleanup(pm_shared) struct pm_shared *shared = NULL;
	const struct responder *responder;
	int r = get_responder(cert, v->issuer, v->issuer_key, v->verified, report, &shared);

	if (r < 0)
		return r;
	responder = (const struct responder *)shared;
	r = check_bytes(v->response, responder->key, report);
	if (r < 0)
		return r;
	*ret = responder->signer;
	return PM_OK;
}

/* Number i of those that are named, the issuer first. */
static int verify_by(const struct verifying *v, const struct named *n, size_t i,
	struct pm_report *report, struct pm_ocsp_signer *ret)
{
	int r;

	if (!n->issuer || i)
		return verify_delegated(v, n->certs[i - n->issuer], report, ret);
	r = check_bytes(v->response, v->issuer_key, report);
	if (r == PM_OK)
		*ret = (struct pm_ocsp_signer){INT64_MIN, INT64_MAX};
	return r;
}

/* Of those that verify the one that lasts longest; PM_E_MISSING: none does. */
static int find_best(const struct verifying *v, const struct named *n, struct pm_ocsp_signer *ret)
{
	struct pm_ocsp_signer signer;
	int found = PM_E_MISSING;

	for (size_t i = 0; i < n->count + n->issuer; i++) {
		int r = verify_by(v, n, i, NULL, &signer);

		if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
			return r;
		if (r < 0 || (found == PM_OK && signer.not_after <= ret->not_after))
			continue;
		*ret = signer;
		found = PM_OK;
	}
	return found;
}

/* Several can have one name or key, as when a responder got a new certificate: one must verify. */
static int verify_by_any(const struct verifying *v, const struct named *n, struct pm_report *report,
	struct pm_ocsp_signer *ret)
{
	size_t count = n->count + n->issuer;
	int r = count > 1 ? find_best(v, n, ret) : PM_E_MISSING;

	if (r != PM_E_MISSING)
		return r;
	return count ? verify_by(v, n, 0, report, ret) : refuse_unnamed(n, report);
}

static int verify(const struct pm_ocsp_response *response, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_lru *verified, struct pm_report *report,
	struct pm_ocsp_signer *ret)
{
	__attribute__((cleanup(pm_cleanup_named))) struct named named = {0};
	const struct verifying v = {response, issuer, issuer_key, verified};
	int r = find_named(response, issuer, &named);

	return r < 0 ? r : verify_by_any(&v, &named, report, ret);
}

/* Not to remember does no harm: it is verified again. */
static void remember(
	struct pm_lru *verified, const uint8_t *key, const struct pm_ocsp_signer *signer)
{
	pm_cleanup(pm_shared) struct pm_shared *shared = NULL;
	struct verified_response *v = pm_alloc(sizeof(*v));

	if (!v)
		return;
	pm_shared_init(&v->shared, destroy_response);
	v->signer = *signer;
	shared = &v->shared;
	pm_lru_put(verified, key, shared);
}

int pm_ocsp_check_signature(const struct pm_ocsp_response *response, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_lru *verified, struct pm_report *report,
	struct pm_ocsp_signer *ret)
{
	pm_cleanup(pm_shared) struct pm_shared *known = NULL;
	struct pm_ocsp_signer signer;
	uint8_t key[PM_LRU_KEY_SIZE];
	int r;

	if (!verified)
		return verify(response, issuer, issuer_key, NULL, report, ret);
	r = cache_key('s', issuer, response->der, key);
	if (r < 0)
		return r;
	known = pm_lru_get(verified, key);
	if (known) {
		*ret = ((const struct verified_response *)known)->signer;
		return PM_OK;
	}
	r = verify(response, issuer, issuer_key, verified, report, &signer);
	if (r < 0)
		return r;
	remember(verified, key, &signer);
	*ret = signer;
	return PM_OK;
}
