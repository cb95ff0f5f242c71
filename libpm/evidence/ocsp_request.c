/* SPDX-License-Identifier: Apache-2.0 */
/* The request for one certificate (RFC 6960, 4.1.1), not signed. */
#include <pm/ocsp.h>

#include "base/wr.h"
#include "crypto/der.h"
#include "evidence/ocsp_id.h"

/* OID 1.3.6.1.5.5.7.48.1.2, id-pkix-ocsp-nonce, with tag and length */
static const char oid_nonce[] = "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02";

/* Room for what is wrapped: all of it is far shorter. */
struct element {
	uint8_t bytes[PM_OCSP_REQUEST_SIZE_MAX];
	size_t len;
};

static struct pm_view view_of(const struct element *e)
{
	return pm_view(e->bytes, e->len);
}

static void put(struct pm_wr *wr, uint8_t tag, struct pm_view content)
{
	pm_wr_u8(wr, tag);
	if (content.len >= 0x100) {
		pm_wr_u8(wr, 0x82);
		pm_wr_be16(wr, (uint16_t)content.len);
	} else if (content.len >= 0x80) {
		pm_wr_u8(wr, 0x81);
		pm_wr_u8(wr, (uint8_t)content.len);
	} else {
		pm_wr_u8(wr, (uint8_t)content.len);
	}
	pm_wr_bytes(wr, content);
}

/* content in the tag; inner and outer may be one. */
static bool wrap(uint8_t tag, const struct element *inner, struct element *outer)
{
	struct element e = {0};
	struct pm_wr wr = pm_wr(e.bytes, sizeof(e.bytes));

	put(&wr, tag, view_of(inner));
	if (!pm_wr_done(&wr, &e.len))
		return false;
	*outer = e;
	return true;
}

/* requestList: SEQUENCE OF Request { CertID } with one member. */
static bool put_list(const struct pm_ocsp_own_id *id, struct element *ret)
{
	struct element e = {0};
	struct pm_wr wr = pm_wr(e.bytes, sizeof(e.bytes));

	put(&wr, PM_DER_SEQUENCE, pm_ocsp_sha384_alg);
	put(&wr, PM_DER_OCTET_STRING, pm_view(id->name_hash[PM_OCSP_SHA384], PM_SHA384_SIZE));
	put(&wr, PM_DER_OCTET_STRING, pm_view(id->key_hash[PM_OCSP_SHA384], PM_SHA384_SIZE));
	put(&wr, PM_DER_INTEGER, id->serial);
	return pm_wr_done(&wr, &e.len) && wrap(PM_DER_SEQUENCE, &e, &e) &&
	       wrap(PM_DER_SEQUENCE, &e, &e) && wrap(PM_DER_SEQUENCE, &e, ret);
}

/* requestExtensions [2]: the nonce. */
static bool put_nonce(const uint8_t *nonce, struct element *ret)
{
	struct element value = {0}, e = {0};
	struct pm_wr wr = pm_wr(value.bytes, sizeof(value.bytes));

	put(&wr, PM_DER_OCTET_STRING, pm_view(nonce, PM_OCSP_NONCE_SIZE));
	if (!pm_wr_done(&wr, &value.len))
		return false;
	wr = pm_wr(e.bytes, sizeof(e.bytes));
	pm_wr_bytes(&wr, pm_view(oid_nonce, sizeof(oid_nonce) - 1));
	put(&wr, PM_DER_OCTET_STRING, view_of(&value));
	return pm_wr_done(&wr, &e.len) && wrap(PM_DER_SEQUENCE, &e, &e) &&
	       wrap(PM_DER_SEQUENCE, &e, &e) && wrap(PM_DER_EXPLICIT(2), &e, ret);
}

/* OCSPRequest ::= SEQUENCE { SEQUENCE { requestList, requestExtensions } } */
static bool put_request(const struct pm_ocsp_own_id *id, const uint8_t *nonce, struct element *ret)
{
	struct element list = {0}, extensions = {0}, e = {0};
	struct pm_wr wr = pm_wr(e.bytes, sizeof(e.bytes));

	if (!put_list(id, &list) || (nonce && !put_nonce(nonce, &extensions)))
		return false;
	pm_wr_bytes(&wr, view_of(&list));
	pm_wr_bytes(&wr, view_of(&extensions));
	return pm_wr_done(&wr, &e.len) && wrap(PM_DER_SEQUENCE, &e, &e) &&
	       wrap(PM_DER_SEQUENCE, &e, ret);
}

int pm_ocsp_request(const void *cert, size_t cert_size, const void *issuer, size_t issuer_size,
	const uint8_t *nonce, uint8_t *ret_der, size_t cap, size_t *ret_size)
{
	pm_cleanup(pm_cert) struct pm_cert *c = NULL, *i = NULL;
	struct pm_ocsp_own_id id;
	struct element e = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	r = pm_cert_parse(pm_view(cert, cert_size), &c);
	if (r < 0)
		return r;
	r = pm_cert_parse(pm_view(issuer, issuer_size), &i);
	if (r < 0)
		return r;
	if (!pm_view_equal(pm_cert_issuer(c), pm_cert_subject(i)))
		return PM_E_REJECTED;
	r = pm_ocsp_id_of(c, i, &id);
	if (r < 0)
		return r;
	if (!put_request(&id, nonce, &e) || e.len > cap)
		return PM_E_LIMIT;
	pm_copy(ret_der, e.bytes, e.len);
	*ret_size = e.len;
	return PM_OK;
}
