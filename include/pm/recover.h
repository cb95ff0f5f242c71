/* SPDX-License-Identifier: Apache-2.0 */
/** @file recover.h
 * The consent of an owner to the recovery of a coordinator. A coordinator that was started anew has
 * no seed. It gets shares of it, and with each share the signature of an owner of the manifest
 * (manifest.h) over "libpm recover v1", a zero byte, SHA-256 of the process's X-Wing key, the hash
 * of the last link of the history (history.h), and SHA-256 of the share: so a consent is good for
 * one process, one history and one share.
 */
#ifndef PM_RECOVER_H
#define PM_RECOVER_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/key.h>

PM_BEGIN_DECLS

struct pm_report;

/** Most bytes of the signature; PM_SIGNATURE_SIZE_MAX of signatures.h. */
#define PM_RECOVER_SIGNATURE_MAX 104

/** What an owner consents to. */
struct pm_recover_consent {
	/** The X-Wing public key of the coordinator's process: 1216 bytes. */
	const uint8_t *process_key;
	/** The hash of the last link of the history: 32 bytes. */
	const uint8_t *head;
	/** The share: 33 bytes. */
	const uint8_t *share;
};

/**
 * pm_recover_sign - consent
 * @consent: to what
 * @owner: the owner's key
 * @ret_signature: receives the signature: room for PM_RECOVER_SIGNATURE_MAX bytes
 * @ret_len: receives how many
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_recover_sign(const struct pm_recover_consent *consent,
	const struct pm_sign_key *owner, uint8_t *ret_signature, size_t *ret_len) PM_MUST_USE;

/**
 * pm_recover_verify - did the owner consent to this?
 * @consent: to what
 * @owner: the owner's key
 * @signature: the signature
 * @len: its length
 * @report: receives the check, or NULL
 *
 * Return: 0; PM_E_REJECTED; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_recover_verify(const struct pm_recover_consent *consent,
	const struct pm_sign_public *owner, const uint8_t *signature, size_t len,
	struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
