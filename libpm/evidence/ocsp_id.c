/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp_id.h"

#include "crypto/der.h"

#define NO_PARAMETERS "\x05\x00"

/* 2.16.840.1.101.3.4.2.2 */
static const char sha384_alg[] = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02" NO_PARAMETERS;

const struct pm_view pm_ocsp_sha384_alg = {(const uint8_t *)sha384_alg, sizeof(sha384_alg) - 1};

static const struct {
	const char *alg; /* AlgorithmIdentifier, content octets, with NULL for parameters */
	size_t alg_size, size;
} hashes[PM_OCSP_HASHES] = {
	/* 1.3.14.3.2.26 */
	[PM_OCSP_SHA1] = {"\x06\x05\x2b\x0e\x03\x02\x1a" NO_PARAMETERS, 9, PM_KEY_IDENTIFIER_SIZE},
	/* 2.16.840.1.101.3.4.2.1 */
	[PM_OCSP_SHA256] = {"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01" NO_PARAMETERS, 13,
		PM_SHA256_SIZE},
	[PM_OCSP_SHA384] = {sha384_alg, sizeof(sha384_alg) - 1, PM_SHA384_SIZE},
};

bool pm_ocsp_hash_of(struct pm_view alg, enum pm_ocsp_hash *ret)
{
	for (int i = 0; i < PM_OCSP_HASHES; i++) {
		struct pm_view whole = pm_view(hashes[i].alg, hashes[i].alg_size);

		if (!pm_view_equal(alg, whole) &&
			!pm_view_equal(alg, pm_view(whole.ptr, whole.len - 2)))
			continue;
		*ret = (enum pm_ocsp_hash)i;
		return true;
	}
	return false;
}

static int digest(struct pm_view bytes, uint8_t (*ret)[PM_SHA384_SIZE])
{
	int r = pm_key_identifier(bytes, ret[PM_OCSP_SHA1]);

	if (r == PM_OK)
		r = pm_hash(PM_SHA256, bytes, ret[PM_OCSP_SHA256]);
	return r < 0 ? r : pm_hash(PM_SHA384, bytes, ret[PM_OCSP_SHA384]);
}

int pm_ocsp_id_of(
	const struct pm_cert *cert, const struct pm_cert *issuer, struct pm_ocsp_own_id *ret)
{
	struct pm_view key = pm_cert_key_bits(issuer);
	int r;

	if (!key.len)
		return PM_E_FORMAT;
	ret->serial = pm_cert_serial(cert);
	r = digest(pm_cert_subject(issuer), ret->name_hash);
	return r < 0 ? r : digest(key, ret->key_hash);
}

bool pm_ocsp_id_equal(const struct pm_ocsp_own_id *own, const struct pm_ocsp_id *id)
{
	size_t size = hashes[id->hash].size;

	return pm_view_equal(pm_view(own->name_hash[id->hash], size), id->name_hash) &&
	       pm_view_equal(pm_view(own->key_hash[id->hash], size), id->key_hash) &&
	       pm_view_equal(own->serial, id->serial);
}
