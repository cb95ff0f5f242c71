/* SPDX-License-Identifier: Apache-2.0 */
/** @file ocsp.h
 * OCSP: what the issuer of a certificate says of its revocation, for the chains of NVIDIA's devices
 * and golden measurements.
 *
 * Responses are collected in a struct pm_ocsp_set, which is not trusted. pm_gpu_verify() (gpu.h)
 * and pm_rim_verify() (rim.h) look into it for each certificate that they rely on, and check the
 * response then: its signature, that its signer may speak for the issuer, its time, its answer.
 * Nothing here downloads or reads a clock.
 *
 * A response proves what the responder said at thisUpdate, not what holds now: whoever hands in the
 * responses may choose older ones that are still within their time (NVIDIA's: 24 hours), unless the
 * verifier sent a nonce itself.
 *
 * Sources: RFC 6960 (OCSP); RFC 8954 (its nonce).
 */
#ifndef PM_OCSP_H
#define PM_OCSP_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Longest response that is read; NVIDIA's have about 1,000 bytes. */
#define PM_OCSP_RESPONSE_SIZE_MAX 16384
/** Most responses of a set: three for each of 8 GPUs and 4 switches, three for each of 8 RIMs. */
#define PM_OCSP_RESPONSES_MAX 64
/** Size of a nonce. */
#define PM_OCSP_NONCE_SIZE 32
/** Room that holds each request. */
#define PM_OCSP_REQUEST_SIZE_MAX 512

/** Responses, parsed and not trusted. */
struct pm_ocsp_set;

/**
 * pm_ocsp_set_new - make an empty set
 * @ret_set: receives the set, to be freed with pm_ocsp_set_free()
 *
 * A set that nobody adds to may serve several threads. It remembers the signatures that were
 * verified, so that what several devices share is verified once.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_ocsp_set_new(struct pm_ocsp_set **ret_set) PM_MUST_USE;

/**
 * pm_ocsp_set_free - free a set
 * @set: the set, or NULL
 */
PM_API void pm_ocsp_set_free(struct pm_ocsp_set *set);

/**
 * pm_ocsp_set_add - add a response
 * @set: the set, unchanged on failure
 * @der: an OCSPResponse in DER and nothing behind it; copied
 * @size: how many bytes, at most PM_OCSP_RESPONSE_SIZE_MAX
 * @report: receives the reason of a refusal, or NULL
 *
 * The form is checked here, the rest when a certificate is; a response that nobody of the issuer's
 * signed then says nothing. Identifiers of certificates may be made with SHA-384, as those of
 * pm_ocsp_request(), with SHA-256 or SHA-1. A response that is there already is not added again.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another kind of response, hash or critical
 * extension; PM_E_REJECTED when the responder says that it has no answer; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_ocsp_set_add(struct pm_ocsp_set *set, const void *der, size_t size,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_ocsp_set_add_for - add the response to a request that bore a nonce
 * @set: as for pm_ocsp_set_add()
 * @der: likewise
 * @size: likewise
 * @nonce: the PM_OCSP_NONCE_SIZE bytes of the request
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: as pm_ocsp_set_add(); PM_E_REJECTED also when the response does not bear that nonce.
 */
PM_API int pm_ocsp_set_add_for(struct pm_ocsp_set *set, const void *der, size_t size,
	const uint8_t *nonce, struct pm_report *report) PM_MUST_USE;

/**
 * pm_ocsp_set_count - number of responses
 * @set: the set
 *
 * Return: at most PM_OCSP_RESPONSES_MAX.
 */
PM_API size_t pm_ocsp_set_count(const struct pm_ocsp_set *set);

/**
 * pm_ocsp_request - make the request for one certificate
 * @cert: the certificate to ask about, DER
 * @cert_size: how many bytes
 * @issuer: its issuer's certificate, DER
 * @issuer_size: how many bytes
 * @nonce: PM_OCSP_NONCE_SIZE fresh random bytes, or NULL for none
 * @ret_der: receives the OCSPRequest, to be sent as application/ocsp-request
 * @cap: its size; PM_OCSP_REQUEST_SIZE_MAX always suffices
 * @ret_size: receives how many bytes were written
 *
 * The certificate is named by SHA-384. The nonce is not critical: a responder that answers from
 * its store may leave it out, and pm_ocsp_set_add_for() then refuses the answer.
 *
 * Return: 0; PM_E_FORMAT for what is no certificate; PM_E_REJECTED when the names say that issuer
 * did not issue cert; PM_E_LIMIT when it does not fit; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_ocsp_request(const void *cert, size_t cert_size, const void *issuer,
	size_t issuer_size, const uint8_t *nonce, uint8_t *ret_der, size_t cap,
	size_t *ret_size) PM_MUST_USE;

PM_END_DECLS

#endif
