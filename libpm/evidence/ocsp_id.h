/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How OCSP names a certificate (RFC 6960, 4.1.1, CertID): by digests of its issuer's name and key,
 * and its serial number. Always SHA-384 here: it is what we ask with and what NVIDIA's responders
 * answer with, so no decision rests on SHA-1.
 */
#ifndef PM_EVIDENCE_OCSP_ID_H
#define PM_EVIDENCE_OCSP_ID_H

#include "crypto/x509.h"

/* Borrowed pieces of a CertID. */
struct pm_ocsp_id {
	struct pm_view name_hash, key_hash, serial;
};

/* The same, computed. serial is the certificate's. */
struct pm_ocsp_own_id {
	uint8_t name_hash[PM_SHA384_SIZE];
	uint8_t key_hash[PM_SHA384_SIZE];
	struct pm_view serial;
};

/* AlgorithmIdentifier of SHA-384, content octets: with and without NULL for parameters. */
extern const struct pm_view pm_ocsp_sha384_alg;
bool pm_ocsp_is_sha384(struct pm_view alg);

/* PM_E_FORMAT for an issuer whose key can't be read; PM_E_CRYPTO. */
int pm_ocsp_id_of(const struct pm_cert *cert, const struct pm_cert *issuer,
	struct pm_ocsp_own_id *ret) PM_MUST_USE;

bool pm_ocsp_id_equal(const struct pm_ocsp_own_id *own, const struct pm_ocsp_id *id);

#endif
