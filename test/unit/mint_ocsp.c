/* SPDX-License-Identifier: Apache-2.0 */
#include "mint_ocsp.h"

#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "testing.h"

#define EKU "2.5.29.37"

/* 1.3.6.1.5.5.7.3.9; the same and 1.3.6.1.5.5.7.48.1.5; 1.3.6.1.5.5.7.3.1 */
const struct mint_extension mint_eku_ocsp = {
	EKU, {(const uint8_t *)"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09", 12}};
const struct mint_extension mint_eku_ocsp_nocheck = {
	EKU, {(const uint8_t *)"\x30\x15\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09"
			       "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x05",
		     23}};
const struct mint_extension mint_eku_server = {
	EKU, {(const uint8_t *)"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12}};

static X509 *open_cert(struct pm_view der)
{
	const unsigned char *p = der.ptr;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);

	ck_assert_ptr_nonnull(x);
	return x;
}

static ASN1_GENERALIZEDTIME *new_time(int64_t t)
{
	return t ? ASN1_GENERALIZEDTIME_set(NULL, t) : NULL;
}

static OCSP_CERTID *new_id(const struct mint_ocsp *spec, struct pm_view cert)
{
	const EVP_MD *md = EVP_get_digestbyname(spec->id_hash ? spec->id_hash : "SHA384");
	X509 *subject = open_cert(cert), *issuer = open_cert(spec->issuer);
	OCSP_CERTID *id = OCSP_cert_to_id(md, subject, issuer);

	ck_assert_ptr_nonnull(id);
	X509_free(subject);
	X509_free(issuer);
	return id;
}

static const int statuses[] = {
	V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN};

static OCSP_SINGLERESP *add_single(OCSP_BASICRESP *basic, const struct mint_ocsp *spec,
	struct pm_view cert, enum mint_ocsp_status status)
{
	ASN1_GENERALIZEDTIME *from = new_time(spec->this_update);
	ASN1_GENERALIZEDTIME *to = new_time(spec->next_update);
	ASN1_GENERALIZEDTIME *revoked = new_time(spec->revoked_at);
	OCSP_CERTID *id = new_id(spec, cert);
	OCSP_SINGLERESP *single = OCSP_basic_add1_status(
		basic, id, statuses[status], spec->reason, revoked, from, to);

	ck_assert_ptr_nonnull(single);
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(from);
	ASN1_GENERALIZEDTIME_free(to);
	ASN1_GENERALIZEDTIME_free(revoked);
	return single;
}

static X509_EXTENSION *unknown_critical(void)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	return ext;
}

static void add_nonce(OCSP_BASICRESP *basic, struct pm_view nonce)
{
	struct pm_view value = mint_wrap(0x04, nonce, pm_view(NULL, 0));
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len);
	ext = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, octets);
	ck_assert_int_eq(OCSP_BASICRESP_add_ext(basic, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(octets);
	test_free(value);
}

static void add_extensions(
	OCSP_BASICRESP *basic, OCSP_SINGLERESP *single, const struct mint_ocsp *spec)
{
	X509_EXTENSION *ext = unknown_critical();

	if (spec->nonce.len)
		add_nonce(basic, spec->nonce);
	if (spec->nonce_twice)
		add_nonce(basic, spec->nonce);
	if (spec->critical)
		ck_assert_int_eq(OCSP_BASICRESP_add_ext(basic, ext, -1), 1);
	if (spec->critical_single)
		ck_assert_int_eq(OCSP_SINGLERESP_add_ext(single, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void sign(OCSP_BASICRESP *basic, const struct mint_ocsp *spec)
{
	unsigned long flags = OCSP_NOTIME | (spec->by_name ? 0 : OCSP_RESPID_KEY) |
			      (spec->no_cert || spec->first_cert.len ? OCSP_NOCERTS : 0);
	const EVP_MD *md = EVP_get_digestbyname(spec->hash ? spec->hash : "SHA384");
	X509 *signer = open_cert(spec->responder);
	const ASN1_OCTET_STRING *signature;

	/* There is no other way to set it. */
	ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)OCSP_resp_get0_produced_at(basic),
		spec->produced_at ? spec->produced_at : spec->this_update);
	ck_assert_int_eq(OCSP_basic_sign(basic, signer, spec->key, md, NULL, flags), 1);
	if (spec->first_cert.len) {
		X509 *first = open_cert(spec->first_cert);

		for (size_t i = 0; i < (spec->first_count ? spec->first_count : 1); i++)
			ck_assert_int_eq(OCSP_basic_add1_cert(basic, first), 1);
		ck_assert_int_eq(OCSP_basic_add1_cert(basic, signer), 1);
		X509_free(first);
	}
	signature = OCSP_resp_get0_signature(basic);
	if (spec->forged)
		((unsigned char *)ASN1_STRING_get0_data(
			signature))[ASN1_STRING_length(signature) - 1] ^= 1;
	X509_free(signer);
}

struct pm_view mint_ocsp(const struct mint_ocsp *spec)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	OCSP_SINGLERESP *single;
	struct pm_view copy;
	int len;

	for (size_t i = 0; i < spec->first_singles; i++)
		add_single(basic, spec, spec->cert, spec->status);
	single = add_single(basic, spec, spec->cert, spec->status);
	if (spec->more.given)
		add_single(basic, spec, spec->more.cert, spec->more.status);
	add_extensions(basic, single, spec);
	sign(basic, spec);
	response =
		OCSP_response_create(spec->response_status, spec->response_status ? NULL : basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	ck_assert_int_gt(len, 0);
	copy = pm_view(pm_dup(pm_view(der, (size_t)len)), (size_t)len);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return copy;
}
