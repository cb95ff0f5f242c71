/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp_id.h"

#include "crypto/der.h"

/* 2.16.840.1.101.3.4.2.2 */
#define OID_SHA384 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"

static const char with_null[] = OID_SHA384 "\x05\x00";
static const char without[] = OID_SHA384;

const struct pm_view pm_ocsp_sha384_alg = {(const uint8_t *)with_null, sizeof(with_null) - 1};

bool pm_ocsp_is_sha384(struct pm_view alg)
{
	return pm_view_equal(alg, pm_ocsp_sha384_alg) ||
	       pm_view_equal(alg, pm_view(without, sizeof(without) - 1));
}

int pm_ocsp_id_of(
	const struct pm_cert *cert, const struct pm_cert *issuer, struct pm_ocsp_own_id *ret)
{
	struct pm_view key = pm_cert_key_bits(issuer);
	int r;

	if (!key.len)
		return PM_E_FORMAT;
	r = pm_hash(PM_SHA384, pm_cert_subject(issuer), ret->name_hash);
	if (r < 0)
		return r;
	ret->serial = pm_cert_serial(cert);
	return pm_hash(PM_SHA384, key, ret->key_hash);
}

bool pm_ocsp_id_equal(const struct pm_ocsp_own_id *own, const struct pm_ocsp_id *id)
{
	return pm_view_equal(pm_view(own->name_hash, PM_SHA384_SIZE), id->name_hash) &&
	       pm_view_equal(pm_view(own->key_hash, PM_SHA384_SIZE), id->key_hash) &&
	       pm_view_equal(own->serial, id->serial);
}
