/* SPDX-License-Identifier: Apache-2.0 */
/** @file appraise.h
 * The one decision about an evidence bundle (bundle.h): is who sent it what the manifest
 * (manifest.h) says, now, and for this verifier? A key of the claims may be used only after a yes:
 * take it from what a yes hands out.
 *
 * What is checked, in this order:
 *
 *  - the manifest holds at this time; the role of the claims is one of its roles, and the one asked
 *    for;
 *  - the bundle's nonce is the verifier's own, its path leads to the challenge, the claims are
 *    neither from the future nor too old, and the document that came along, where the verifier
 *    gives it, is the one that they name;
 *  - the processor's report, its certificates and revocation lists satisfy the role's demands
 *    (pm_snp_verify()), and REPORT_DATA binds the challenge and these claims;
 *  - each model of the claims is one that the role serves, by the root hash of the manifest, and
 *    the one asked for is among them;
 *  - each GPU that the claims name is there, in that order, and no other; its evidence is for the
 *    GPU nonce, young enough, and satisfies the role's demands (pm_gpu_verify()) by golden
 *    measurements and OCSP responses of the bundle that verify themselves; no GPU counts twice.
 *
 * All parts are looked at even when one fails, so that a verdict shows every reason.
 *
 * Who vouches for the manifest is the caller's business: pin its hash, or verify its owners'
 * signatures.
 */
#ifndef PM_APPRAISE_H
#define PM_APPRAISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/bundle.h>
#include <pm/manifest.h>
#include <pm/snp.h>
#include <pm/verdict.h>

PM_BEGIN_DECLS

/** Seconds by which a worker's clock may be ahead of the verifier's. */
#define PM_APPRAISE_SKEW 60
/** Most seconds since claims were made, where the verifier says nothing else. */
#define PM_APPRAISE_AGE_DEFAULT 86400

struct pm_gpu_facts;
struct pm_gpu_cache;

/** What a verifier asks. Zeros stand for what is not given. */
struct pm_appraisal {
	/** The manifest, which the caller trusts. */
	const struct pm_manifest *manifest;
	/** The verifier's nonce, PM_BUNDLE_NONCE_SIZE bytes: fresh, random, used once. */
	const uint8_t *nonce;
	/** The role that is wanted; NULL for any of the manifest's. */
	const char *role;
	/** The model that must be among those of the claims; NULL for none in particular. */
	const char *model;
	/** The time, seconds since 1970-01-01T00:00:00Z. */
	int64_t now;
	/** Most seconds since the claims were made; 0 for PM_APPRAISE_AGE_DEFAULT. */
	int64_t max_age;
	/** Chains of processors that were verified before, or NULL. */
	struct pm_snp_cache *snp_cache;
	/** Chains of GPUs that were verified before, or NULL. */
	struct pm_gpu_cache *gpu_cache;
	/**
	 * The document that came with the bundle: the claims must name its SHA-256. NULL for none:
	 * what the claims say of one is then not looked at.
	 */
	const void *document;
	/** Its length. */
	size_t document_len;
	/**
	 * The manifest may have ended: for what its owners do then, such as the recovery of a
	 * coordinator that was down. Never to trust a worker.
	 */
	bool allow_ended;
};

/** What was proved: made by pm_appraise() only, and only when it accepts. */
struct pm_appraised {
	/** The claims, now authentic: the key, the role, the models. */
	struct pm_claims claims;
	/** What was proved of the processor and of what runs on it. */
	const struct pm_snp_facts *snp;
	/** What was proved of each GPU, in the order of the claims. */
	const struct pm_gpu_facts *const *gpus;
	/** How many GPUs. */
	size_t gpu_count;
	/** The hash of the manifest: see pm_manifest_hash(). */
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE];
	/** Its serial number. */
	uint64_t manifest_serial;
	/** After this second the answer would be no: of a certificate, a list, an age. */
	int64_t valid_until;
	/** A root is not the maker's own: nothing is proved about real hardware. */
	bool test_root;
};

/**
 * pm_appraise - decide about a bundle
 * @bundle: the bundle; may serve several threads
 * @ask: what is asked
 * @verdict: receives each check that was made, or NULL
 * @ret_appraised: receives what was proved, to be freed with pm_appraised_free(); untouched unless
 * the answer is yes
 *
 * Return: 0 when the evidence is accepted; else the error of the first part that was not:
 * PM_E_REJECTED; PM_E_STALE for what is not valid at that time, or too old; PM_E_MISSING for
 * certificates, golden measurements or revocation answers that the bundle lacks; PM_E_FORMAT,
 * PM_E_UNSUPPORTED or PM_E_LIMIT for a part that is malformed; PM_E_ARG without manifest or nonce,
 * or with the length of a document alone; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_appraise(const struct pm_bundle *bundle, const struct pm_appraisal *ask,
	struct pm_verdict *verdict, const struct pm_appraised **ret_appraised) PM_MUST_USE;

/**
 * pm_appraised_free - free what was proved
 * @appraised: as pm_appraise() gave it, or NULL
 */
PM_API void pm_appraised_free(const struct pm_appraised *appraised);

PM_END_DECLS

#endif
