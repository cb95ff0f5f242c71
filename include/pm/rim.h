/* SPDX-License-Identifier: Apache-2.0 */
/** @file rim.h
 * Reference integrity manifests (RIM) of NVIDIA: the measurements that the firmware of a GPU or
 * switch must have, signed by NVIDIA.
 *
 * A manifest is parsed into a struct pm_rim_document, which is not trusted. pm_rim_verify() makes a
 * struct pm_rim of it, which is what pm_gpu_verify() (gpu.h) takes. One struct pm_rim serves any
 * number of devices. Nothing here downloads or reads a clock.
 *
 * A manifest does not say for which board it is: its name at NVIDIA's server
 * ("NV_GPU_VBIOS_1010_0200_882_96009F0001") is no part of it. What is signed is the product, the
 * version, and the measurements. Sources: ISO/IEC 19770-2:2015 (SWID); TCG Reference Integrity
 * Manifest Information Model 1.01; XML Signature 1.1; Canonical XML 1.1.
 */
#ifndef PM_RIM_H
#define PM_RIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Longest manifest that is read; NVIDIA's have about 25,000 bytes. */
#define PM_RIM_SIZE_MAX 262144
/** Certificates of a manifest: the signer first, the root last. */
#define PM_RIM_CERTS 4

/** Kind of manifest. */
enum pm_rim_kind {
	/** Driver of a GPU. */
	PM_RIM_DRIVER = 1,
	/** VBIOS of a GPU. */
	PM_RIM_VBIOS = 2,
	/** BIOS of a switch. */
	PM_RIM_SWITCH = 3
};

struct pm_gpu_policy;
struct pm_ocsp_set;

/** A manifest, parsed and not trusted. */
struct pm_rim_document;

/** A manifest that was verified. It never changes and may serve several threads. */
struct pm_rim;

/**
 * pm_rim_parse - read a manifest
 * @bytes: XML as NVIDIA's server gives it after base64
 * @size: how many, at most PM_RIM_SIZE_MAX
 * @report: receives the reason of a refusal, or NULL
 * @ret_document: receives the document, to be freed with pm_rim_document_free()
 *
 * Takes one profile of XML and XML Signature, the one that NVIDIA uses: ASCII; no declaration,
 * document type, comment, entity or processing instruction; the elements that are known, in their
 * order, the signature last; one reference to the whole document; one algorithm each. Attributes
 * that libpm does not know are refused in measurements and the signature, and passed over in what
 * describes the manifest: they are signed.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another algorithm; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_rim_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_rim_document **ret_document) PM_MUST_USE;

/**
 * pm_rim_document_free - free a document
 * @document: the document, or NULL
 */
PM_API void pm_rim_document_free(struct pm_rim_document *document);

/**
 * pm_rim_document_cert - a certificate of the document, not trusted: to ask OCSP about it
 * @document: the document
 * @index: 0 for the signer to PM_RIM_CERTS - 1 for the root
 * @ret_der: receives the DER, owned by the document
 * @ret_size: receives how many bytes
 *
 * Return: 0; PM_E_ARG for another index.
 */
PM_API int pm_rim_document_cert(const struct pm_rim_document *document, size_t index,
	const uint8_t **ret_der, size_t *ret_size) PM_MUST_USE;

/**
 * pm_rim_verify - decide whether a document is NVIDIA's
 * @document: the document; may be freed afterwards
 * @policy: says which roots, and what of OCSP
 * @ocsp: responses for the certificates, or NULL for none
 * @now: the time of the verification, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check that was made, or NULL
 * @ret_rim: receives the manifest, to be freed with pm_rim_free(); untouched unless the answer is
 * yes
 *
 * Checks the chain of four certificates up to NVIDIA's root for manifests, which is pinned by
 * SHA-256, or a test root of the policy; profile, validity and revocation of each; then the
 * digest of the document and the signature over it by the first certificate's key.
 *
 * Return: 0 when the document is good; PM_E_REJECTED; PM_E_STALE when a certificate or a response
 * is not valid at that time; PM_E_MISSING when a response is not there and not waived; PM_E_FORMAT
 * or PM_E_UNSUPPORTED for a bad certificate; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_rim_verify(const struct pm_rim_document *document, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, int64_t now, struct pm_report *report,
	struct pm_rim **ret_rim) PM_MUST_USE;

/**
 * pm_rim_free - free a manifest
 * @rim: the manifest, or NULL
 */
PM_API void pm_rim_free(struct pm_rim *rim);

/**
 * pm_rim_kind - what the manifest is for
 * @rim: the manifest
 *
 * Return: the kind.
 */
PM_API enum pm_rim_kind pm_rim_kind(const struct pm_rim *rim);

/**
 * pm_rim_id - the identifier in the manifest (tagId)
 * @rim: the manifest
 *
 * Return: printable text, owned by the manifest. It is not the name at NVIDIA's server.
 */
PM_API const char *pm_rim_id(const struct pm_rim *rim);

/**
 * pm_rim_product - the product that the manifest is for
 * @rim: the manifest
 *
 * Return: such as "GH100" or "LS10"; capital letters and digits; owned by the manifest.
 */
PM_API const char *pm_rim_product(const struct pm_rim *rim);

/**
 * pm_rim_version - the version of the driver or VBIOS that the manifest is for
 * @rim: the manifest
 *
 * Return: such as "550.90.07" or "96.00.9F.00.01"; owned by the manifest.
 */
PM_API const char *pm_rim_version(const struct pm_rim *rim);

/**
 * pm_rim_oem_id - who made the firmware
 * @rim: the manifest
 *
 * Return: the private enterprise number in decimal, "5703" for NVIDIA; owned by the manifest.
 */
PM_API const char *pm_rim_oem_id(const struct pm_rim *rim);

/**
 * pm_rim_test_root - is the root not NVIDIA's but one that the policy named?
 * @rim: the manifest
 *
 * Return: true for a test root.
 */
PM_API bool pm_rim_test_root(const struct pm_rim *rim);

/**
 * pm_rim_ocsp_checked - was revocation checked for each certificate below the root?
 * @rim: the manifest
 *
 * Return: false when a response was missing and the policy waives it.
 */
PM_API bool pm_rim_ocsp_checked(const struct pm_rim *rim);

/**
 * pm_rim_valid_until - the last second at which all certificates and responses are valid
 * @rim: the manifest
 *
 * Return: seconds since 1970-01-01T00:00:00Z.
 */
PM_API int64_t pm_rim_valid_until(const struct pm_rim *rim);

PM_END_DECLS

#endif
