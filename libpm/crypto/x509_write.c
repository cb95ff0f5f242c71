/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509_write.h"

#include <stdlib.h>

#include "crypto/der.h"

/* INTEGER 2: version 3 (RFC 5280, 4.1.2.1). */
static const uint8_t version3[] = {PM_DER_INTEGER, 1, 2};

/* AlgorithmIdentifier of ecdsa-with-SHA384, without parameters (RFC 5758, 3.2). */
static const uint8_t ecdsa_sha384[] = {
	0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};

/* The first two bits of our serial numbers: positive, and of full length. */
#define SERIAL_MASK 0xc0
#define SERIAL_TOP  0x40

static void put_validity(struct pm_wr *wr, const struct pm_cert_form *form)
{
	size_t at = wr->len;

	pm_der_put_time(wr, form->not_before);
	pm_der_put_time(wr, form->not_after);
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
}

static void put_extensions(struct pm_wr *wr, struct pm_view extensions)
{
	size_t at = wr->len;

	pm_der_put(wr, PM_DER_SEQUENCE, extensions);
	pm_der_wrap(wr, at, PM_DER_EXPLICIT(3));
}

/* TBSCertificate (RFC 5280, 4.1). */
static void put_tbs(struct pm_wr *wr, const struct pm_cert_form *form)
{
	size_t at = wr->len;

	pm_der_put(wr, PM_DER_EXPLICIT(0), pm_view(version3, sizeof(version3)));
	pm_der_put(wr, PM_DER_INTEGER, form->serial);
	pm_wr_bytes(wr, pm_view(ecdsa_sha384, sizeof(ecdsa_sha384)));
	pm_wr_bytes(wr, form->issuer);
	put_validity(wr, form);
	pm_wr_bytes(wr, form->subject);
	pm_wr_bytes(wr, form->spki);
	put_extensions(wr, form->extensions);
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
}

int pm_cert_check_form(const struct pm_cert *cert, const struct pm_cert_form *form)
{
	struct pm_view tbs = pm_cert_tbs(cert);
	pm_cleanup(free) uint8_t *wanted = pm_alloc(tbs.len);
	struct pm_wr wr = pm_wr(wanted, tbs.len);
	size_t len;

	if (!wanted)
		return PM_E_NOMEM;
	put_tbs(&wr, form);
	if (!pm_wr_done(&wr, &len) || !pm_view_equal(pm_view(wanted, len), tbs))
		return PM_E_REJECTED;
	return PM_OK;
}

int pm_cert_write(const struct pm_cert_form *form, const struct pm_sign_key *issuer, uint8_t *ret,
	size_t cap, size_t *ret_len)
{
	uint8_t signature[1 + PM_SIGN_SIGNATURE_MAX] = {0}; /* of a BIT STRING: no bit unused */
	struct pm_wr wr = pm_wr(ret, cap);
	size_t len = 0;
	int r;

	put_tbs(&wr, form);
	if (!pm_wr_done(&wr, NULL))
		return PM_E_LIMIT;
	r = pm_sign_fixed(issuer, pm_view(ret, wr.len), signature + 1, &len);
	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(ecdsa_sha384, sizeof(ecdsa_sha384)));
	pm_der_put(&wr, PM_DER_BIT_STRING, pm_view(signature, 1 + len));
	pm_der_wrap(&wr, 0, PM_DER_SEQUENCE);
	return pm_wr_done(&wr, ret_len) ? PM_OK : PM_E_LIMIT;
}

void pm_cert_serial_from(uint8_t *serial)
{
	serial[0] = (uint8_t)((serial[0] & ~SERIAL_MASK) | SERIAL_TOP);
}

bool pm_cert_serial_is_ours(struct pm_view serial)
{
	return serial.len == PM_CERT_SERIAL_SIZE && (serial.ptr[0] & SERIAL_MASK) == SERIAL_TOP;
}

int pm_cert_key_id(struct pm_view spki, uint8_t *ret)
{
	struct pm_view body, algorithm, bits;
	uint8_t digest[PM_SHA256_SIZE];
	int r;

	if (!pm_der_only(spki, PM_DER_SEQUENCE, &body) ||
		!pm_der_get(&body, PM_DER_SEQUENCE, &algorithm) || !pm_der_bits(body, &bits))
		return PM_E_FORMAT;
	r = pm_hash(PM_SHA256, bits, digest);
	if (r < 0)
		return r;
	pm_copy(ret, digest, PM_CERT_KEY_ID_SIZE);
	return PM_OK;
}
