/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How OCSP names a certificate (RFC 6960, 4.1.1, CertID): by digests of its issuer's name and key,
 * and its serial number. We ask with SHA-384; answers that others asked for, as NVIDIA's SDK and
 * OpenSSL do, have SHA-1 or SHA-256. The digests find the answer and decide nothing: whose
 * certificate it speaks of is decided by the responder's key, which that issuer itself appointed.
 */
#ifndef PM_EVIDENCE_OCSP_ID_H
#define PM_EVIDENCE_OCSP_ID_H

#include "crypto/x509.h"

enum pm_ocsp_hash { PM_OCSP_SHA1, PM_OCSP_SHA256, PM_OCSP_SHA384, PM_OCSP_HASHES };

/* Borrowed pieces of a CertID. */
struct pm_ocsp_id {
	enum pm_ocsp_hash hash;
	struct pm_view name_hash, key_hash, serial;
};

/* The same, computed, by each hash. serial is the certificate's. */
struct pm_ocsp_own_id {
	uint8_t name_hash[PM_OCSP_HASHES][PM_SHA384_SIZE];
	uint8_t key_hash[PM_OCSP_HASHES][PM_SHA384_SIZE];
	struct pm_view serial;
};

/* AlgorithmIdentifier of SHA-384, content octets: with NULL for parameters. */
extern const struct pm_view pm_ocsp_sha384_alg;

/* The hash of an AlgorithmIdentifier, with or without NULL for parameters. */
bool pm_ocsp_hash_of(struct pm_view alg, enum pm_ocsp_hash *ret);

/* PM_E_FORMAT for an issuer whose key can't be read; PM_E_CRYPTO. */
int pm_ocsp_id_of(const struct pm_cert *cert, const struct pm_cert *issuer,
	struct pm_ocsp_own_id *ret) PM_MUST_USE;

bool pm_ocsp_id_equal(const struct pm_ocsp_own_id *own, const struct pm_ocsp_id *id);

#endif
