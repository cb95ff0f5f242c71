/* SPDX-License-Identifier: Apache-2.0 */
/** @file authority.h
 * What a coordinator is: the keys of a deployment, and those of one manifest.
 *
 * The first coordinator draws a seed. All that must outlive it is derived from the seed by HKDF
 * (RFC 5869) with SHA-256: salt "libpm seed v1", and as info a label of its own, a zero byte and,
 * for secrets of a role, its name:
 *
 *  - "libpm root CA v1": key of the root CA, P-384;
 *  - "libpm history key v1": key that signs the history (history.h), P-384;
 *  - "libpm audit key v1": key that signs the audit log, Ed25519;
 *  - "libpm state secret v1": secret under which the coordinator seals its state;
 *  - "libpm workload secret v1": secret of a role, for data that outlives a workload;
 *  - "libpm seed commitment v1": what tells the right seed from others, and is public.
 *
 * P-384 keys are the 48 bytes as a number (FIPS 186-5, A.2.2: a number that is no key, as one of
 * 2^189 is, is an error). The root CA's certificate is the same bytes for the same seed.
 *
 * The key of the mesh CA is no part of that: it is drawn at random for each manifest, lives in
 * memory, and goes to other coordinators only, so that who puts the seed together from its shares
 * can't forge certificates of the mesh. To trust the mesh CA is to trust one manifest; to trust the
 * root CA is to trust each one to come.
 *
 * An authority may be used by several threads at once, as long as nobody frees it.
 */
#ifndef PM_AUTHORITY_H
#define PM_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>
#include <pm/key.h>
#include <pm/manifest.h>
#include <pm/mesh.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Size of a seed. */
#define PM_SEED_SIZE 32

/** Size of what tells a seed from others. */
#define PM_SEED_COMMITMENT_SIZE 32

/** Size of the mesh CA's private key. */
#define PM_AUTHORITY_MESH_KEY_SIZE 48

/** Size of a workload's secret, and of the state's. */
#define PM_AUTHORITY_SECRET_SIZE 32

/** Seconds by which a workload's clock may be behind: certificates are valid that much earlier. */
#define PM_AUTHORITY_SKEW 60

/** Longest life of a workload's certificate, in seconds: 31 days. */
#define PM_AUTHORITY_LIFETIME_MAX 2678400

/** The seed of a deployment. Opaque; in guarded memory, and wiped when it is freed. */
struct pm_seed;

/** The keys of one manifest. Opaque; private ones in guarded memory, and wiped when freed. */
struct pm_authority;

/* --- seed ------------------------------------------------------------------------------------ */

/**
 * pm_seed_new - draw a seed
 * @ret_seed: receives it, to be freed with pm_seed_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_seed_new(struct pm_seed **ret_seed) PM_MUST_USE;

/**
 * pm_seed_from - a seed that there was before
 * @bytes: PM_SEED_SIZE bytes; copied, and the caller wipes its own
 * @ret_seed: receives it, to be freed with pm_seed_free()
 *
 * Whether it is the right one, pm_seed_commitment() tells.
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_seed_from(const uint8_t *bytes, struct pm_seed **ret_seed) PM_MUST_USE;

/**
 * pm_seed_bytes - the seed itself, to be split into shares or sent to another coordinator
 * @seed: the seed
 *
 * Return: PM_SEED_SIZE bytes, owned by the seed. Thread safe.
 */
PM_API const uint8_t *pm_seed_bytes(const struct pm_seed *seed);

/**
 * pm_seed_free - wipe and free a seed
 * @seed: the seed, or NULL
 */
PM_API void pm_seed_free(struct pm_seed *seed);

/**
 * pm_seed_commitment - what tells this seed from others, and does not give it away
 * @seed: the seed
 * @ret_commitment: receives PM_SEED_COMMITMENT_SIZE bytes
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_seed_commitment(const struct pm_seed *seed, uint8_t *ret_commitment) PM_MUST_USE;

/* --- authority ------------------------------------------------------------------------------- */

/**
 * pm_authority_new - take charge of a manifest
 * @seed: the deployment's seed; not needed any more afterwards
 * @manifest: the manifest, whose owners' consent was verified; likewise
 * @mesh_key: NULL to draw a key for the mesh CA; or that of another coordinator of this manifest,
 * PM_AUTHORITY_MESH_KEY_SIZE bytes, which the caller wipes
 * @mesh_ca: with mesh_key: the mesh CA's certificate, DER
 * @mesh_ca_len: how many bytes
 * @now: the time, seconds since 1970; a mesh CA that is drawn is valid from a minute before until
 * the manifest ends
 * @report: receives the reason of a refusal, or NULL
 * @ret_authority: receives it, to be freed with pm_authority_free()
 *
 * Return: 0; PM_E_STALE when the manifest does not hold now, or the mesh CA is not valid now;
 * PM_E_ARG for a key without a certificate; PM_E_REJECTED for a certificate that is not that key's
 * and this manifest's, or a key that is none; PM_E_FORMAT or PM_E_LIMIT for a certificate that
 * can't be read; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_authority_new(const struct pm_seed *seed, const struct pm_manifest *manifest,
	const uint8_t *mesh_key, const void *mesh_ca, size_t mesh_ca_len, int64_t now,
	struct pm_report *report, struct pm_authority **ret_authority) PM_MUST_USE;

/**
 * pm_authority_free - wipe and free an authority and all that was handed out for it
 * @authority: the authority, or NULL
 */
PM_API void pm_authority_free(struct pm_authority *authority);

/**
 * pm_authority_root_ca - the certificate of the root CA
 * @authority: the authority
 * @ret_len: receives how many bytes
 *
 * Return: DER, owned by the authority: the same for each authority of one seed.
 */
PM_API const uint8_t *pm_authority_root_ca(const struct pm_authority *authority, size_t *ret_len);

/**
 * pm_authority_mesh_ca - the certificate of the mesh CA, signed by itself
 * @authority: the authority
 * @ret_len: receives how many bytes
 *
 * Return: DER, owned by the authority: the same for each coordinator that was given its key.
 */
PM_API const uint8_t *pm_authority_mesh_ca(const struct pm_authority *authority, size_t *ret_len);

/**
 * pm_authority_intermediate - the mesh CA's key and name, certified by the root CA
 * @authority: the authority
 * @ret_len: receives how many bytes
 *
 * Return: DER, owned by the authority: the same for each coordinator that was given its key.
 */
PM_API const uint8_t *pm_authority_intermediate(
	const struct pm_authority *authority, size_t *ret_len);

/**
 * pm_authority_mesh_key - the mesh CA's private key, for other coordinators and nobody else
 * @authority: the authority
 *
 * Return: PM_AUTHORITY_MESH_KEY_SIZE bytes in guarded memory, owned by the authority.
 */
PM_API const uint8_t *pm_authority_mesh_key(const struct pm_authority *authority);

/**
 * pm_authority_history_key - the key that signs the history
 * @authority: the authority
 *
 * Return: a P-384 key, owned by the authority: the same for each authority of one seed.
 */
PM_API const struct pm_sign_key *pm_authority_history_key(const struct pm_authority *authority);

/**
 * pm_authority_audit_key - the key that signs the audit log
 * @authority: the authority
 *
 * Return: an Ed25519 key, owned by the authority: the same for each authority of one seed.
 */
PM_API const struct pm_sign_key *pm_authority_audit_key(const struct pm_authority *authority);

/**
 * pm_authority_workload_secret - the secret of a role, the same under each manifest
 * @authority: the authority
 * @role: the role
 * @ret_secret: receives PM_AUTHORITY_SECRET_SIZE bytes, which the caller wipes
 *
 * Return: 0; PM_E_MISSING when the manifest has no such role; PM_E_REJECTED when the role gets
 * none; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_authority_workload_secret(
	const struct pm_authority *authority, const char *role, uint8_t *ret_secret) PM_MUST_USE;

/**
 * pm_authority_state_secret - the secret under which the coordinator seals its state
 * @authority: the authority
 * @ret_secret: receives PM_AUTHORITY_SECRET_SIZE bytes, which the caller wipes
 *
 * The same for each authority of one seed.
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_authority_state_secret(
	const struct pm_authority *authority, uint8_t *ret_secret) PM_MUST_USE;

/**
 * pm_authority_issue - certify a workload's key
 * @authority: the authority
 * @spki: SubjectPublicKeyInfo of the key, DER, as the workload's evidence binds it
 * @spki_len: how many bytes
 * @who: who it is: role, replica, models and purpose, which its evidence proved; the rest is not
 * looked at
 * @now: the time, seconds since 1970: valid from a minute before, though not before the mesh CA
 * @lifetime: how many seconds it is valid, 1 to PM_AUTHORITY_LIFETIME_MAX, though not longer than
 * the mesh CA
 * @report: receives the reason of a refusal, or NULL
 * @ret_pem: receives the certificate and the intermediate, PEM and a NUL, at most
 * PM_MESH_CHAIN_SIZE_MAX bytes, to be freed with pm_authority_pem_free()
 * @ret_not_after: receives the last second at which it is valid; may be NULL
 *
 * Return: 0; PM_E_ARG for another lifetime, or an identity that mesh.h does not allow; PM_E_STALE
 * when the mesh CA is not valid now; PM_E_MISSING when the manifest has no such role; PM_E_REJECTED
 * for a model that is not the role's, or a replica whose name REPLICA.ROLE is that of a role;
 * PM_E_FORMAT or PM_E_UNSUPPORTED for a key that is not on P-256; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_authority_issue(const struct pm_authority *authority, const uint8_t *spki,
	size_t spki_len, const struct pm_mesh_identity *who, int64_t now, int64_t lifetime,
	struct pm_report *report, char **ret_pem, int64_t *ret_not_after) PM_MUST_USE;

/**
 * pm_authority_pem_free - free what pm_authority_issue() made
 * @pem: the text, or NULL
 */
PM_API void pm_authority_pem_free(char *pem);

PM_END_DECLS

#endif
