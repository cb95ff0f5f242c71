/* SPDX-License-Identifier: Apache-2.0 */
/** @file join.h
 * How a workload joins the mesh: it proves to the coordinator (coordinator.h) what it is, and gets
 * a certificate that lasts for hours. Each renewal is a new join, with new evidence, and with new
 * keys unless the caller gives one; who needs one certificate for TLS and one for signing joins
 * twice.
 *
 *     challenge -> nonce
 *     evidence for that nonce, in whose claims stand the key that asks for a certificate, and the
 *       SHA-256 of an X-Wing key -> answer, signed by the coordinator's certificate
 *     what is secret in the answer lies in a box (box.h) to that X-Wing key
 *
 * The box is bound to the nonce and to the mesh CA of the answer. So who passes evidence on to a
 * coordinator can't give what comes of it away as his own: secrets of one deployment are not used
 * in the mesh of another.
 *
 * What is verified of an answer: the signature, by a certificate of role "coordinator" that signs,
 * of the mesh CA; the nonce; that the manifest is the one of that certificate; that the workload's
 * certificate is for its own key, role, purpose and manifest, by the mesh CA, and that the
 * intermediate certificate beside it has the key of the mesh CA and is the root CA's; and that the
 * box opens and holds what the manifest promises the role.
 *
 * Without a pin that says only that whoever answered holds one deployment together, not that it is
 * the right one: a workload that gets secrets by what it is, and gives none, may go without. With a
 * manifest or its hash as pin the coordinator is attested first, by pm_coordinator_attest(), and
 * the answer must be of the very mesh CA, root CA and manifest that were proved.
 *
 * Thread safety: each call stands for itself. A membership may be read by many threads.
 *
 * A library built without libcurl has these functions too: pm_join() ends with PM_E_UNSUPPORTED.
 */
#ifndef PM_JOIN_H
#define PM_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/coordinator.h>
#include <pm/mesh.h>

PM_BEGIN_DECLS

/** {}; answer {"Nonce": base64 of 32 bytes}. */
#define PM_JOIN_CHALLENGE_PATH "/pm/v1/challenge"
/** {"Evidence": base64, "Document": base64}; answer {"Answer", "Signature", "Signer"}. */
#define PM_JOIN_PATH "/pm/v1/join"
/** Label of the signature under an answer, and of the box in it. */
#define PM_JOIN_LABEL "join"
/** Largest answer, in bytes of its JSON, without the base64 around it. */
#define PM_JOIN_ANSWER_MAX (2u << 20)
/** Size of what binds the box of an answer: see pm_join_box_aad(). */
#define PM_JOIN_BOX_AAD_SIZE 64
/** Size of the secret of a workload, and of a seed. */
#define PM_JOIN_SECRET_SIZE 32

/** What the evidence of a join must be for. All belongs to the caller of collect. */
struct pm_join_request {
	/** The coordinator's nonce, PM_BUNDLE_NONCE_SIZE bytes. */
	const uint8_t *nonce;
	/** The key for the claims: SubjectPublicKeyInfo of a mesh key (PM_CLAIMS_SPKI). */
	const uint8_t *key;
	/** Its length. */
	size_t key_len;
	/** The claims say that it is the TLS key too: tls_spki_sha256 is SHA-256 of key. */
	bool is_tls;
	/** The document of the claims: an X-Wing public key of PM_CLAIMS_XWING_SIZE bytes. */
	const uint8_t *document;
	/** Its length. */
	size_t document_len;
};

/**
 * Makes a bundle, of at most PM_BUNDLE_SIZE_MAX bytes, by malloc(); the join frees it. Returns 0,
 * or a negative enum pm_error with its reason in the report, which ends the join.
 */
typedef int (*pm_join_collect_fn)(void *arg, const struct pm_join_request *request,
	struct pm_report *report, uint8_t **ret_bundle, size_t *ret_len);

/** How to join. Set size, role, purpose and collect; zeros stand for what is not given. */
struct pm_join_options {
	/** sizeof(struct pm_join_options) as the caller was compiled. */
	size_t size;
	/** The role of the claims, which the certificate must have. */
	const char *role;
	/** What the certificate is for. */
	enum pm_mesh_purpose purpose;
	/** Makes the evidence. */
	pm_join_collect_fn collect;
	/** Passed to collect. */
	void *arg;
	/** The manifest that must hold, which the caller trusts; or NULL. */
	const struct pm_manifest *manifest;
	/** The hash of the manifest that must hold, PM_MANIFEST_HASH_SIZE bytes; or NULL. */
	const uint8_t *manifest_hash;
	/** With a pin: as in struct pm_coordinator_options. */
	const char *memory_file;
	/** Certificate authorities for https, PEM; NULL for the system's. */
	const char *ca_file;
	/** Milliseconds to connect; 0 for PM_COORDINATOR_CONNECT_MS. */
	uint32_t connect_ms;
	/** Milliseconds for a request; 0 for PM_COORDINATOR_TOTAL_MS. */
	uint32_t total_ms;
	/**
	 * The key to be certified, of PM_MESH_TLS only: a key of TLS signs nothing else. It is
	 * copied, and stays the caller's. NULL: a new one is drawn for this join, which is best
	 * where nothing speaks against it. Evidence of GPUs does: it is made for a key beforehand
	 * (bundle.h), so that who shows it joins with that key, and again: each join is a new
	 * attestation of it. Callers that were compiled without this and what follows have a
	 * smaller size, which is fine.
	 */
	const struct pm_mesh_key *key;
};

/** What came of a join. Opaque. */
struct pm_membership;

/**
 * pm_join - join the mesh
 * @url: the coordinator's address
 * @options: the options; may be freed afterwards
 * @verdict: receives each check of a pinned coordinator's evidence, or NULL
 * @report: receives each check of the answer, and the reason of a failure, with the words of a
 * coordinator that refuses; or NULL
 * @ret_membership: receives what came of it, to be freed with pm_membership_free()
 *
 * For the role "coordinator" it is the meeting of two coordinators: there is no certificate, and
 * what comes are the seed and the key of the mesh CA.
 *
 * Return: 0; as pm_coordinator_new() and, with a pin, pm_coordinator_attest(); what collect
 * returned; PM_E_REJECTED when the coordinator says no, and when the answer is not accepted;
 * PM_E_STALE for a certificate that is not valid now; PM_E_FORMAT, PM_E_LIMIT for another answer;
 * PM_E_NET when none came; PM_E_ARG for options that lack something; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_join(const char *url, const struct pm_join_options *options,
	struct pm_verdict *verdict, struct pm_report *report,
	struct pm_membership **ret_membership) PM_MUST_USE;

/**
 * pm_join_box_aad - what binds the box of an answer, for a coordinator
 * @nonce: the nonce that was answered, PM_BUNDLE_NONCE_SIZE bytes
 * @mesh_ca: the mesh CA of the answer, DER
 * @len: how many bytes
 * @ret_aad: receives PM_JOIN_BOX_AAD_SIZE bytes, the associated data of the box (box.h): the nonce,
 * and SHA-256 of the certificate
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_join_box_aad(
	const uint8_t *nonce, const void *mesh_ca, size_t len, uint8_t *ret_aad) PM_MUST_USE;

/**
 * pm_membership_free - free a membership; its secrets are wiped
 * @membership: the membership, or NULL
 */
PM_API void pm_membership_free(struct pm_membership *membership);

/**
 * pm_membership_identity - who the workload is in the mesh
 * @membership: the membership
 *
 * Return: as its certificate has it, owned by the membership; NULL for a coordinator. Thread safe,
 * as are all that follow.
 */
PM_API const struct pm_mesh_identity *pm_membership_identity(
	const struct pm_membership *membership);

/**
 * pm_membership_certificate - its certificate and the intermediate one
 * @membership: the membership
 * @ret_len: receives the length of the text
 *
 * Return: PEM text with a NUL, owned by the membership; NULL for a coordinator.
 */
PM_API const char *pm_membership_certificate(
	const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_leaf - its certificate alone
 * @membership: the membership
 * @ret_len: receives how many bytes
 *
 * Return: DER, at most PM_MESH_CERT_SIZE_MAX bytes, owned by the membership; NULL for a
 * coordinator.
 */
PM_API const uint8_t *pm_membership_leaf(const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_key - the key of the certificate
 * @membership: the membership
 *
 * Return: the private key, owned by the membership: the one that was drawn, or a copy of the
 * caller's.
 */
PM_API const struct pm_mesh_key *pm_membership_key(const struct pm_membership *membership);

/**
 * pm_membership_mesh_ca - whose certificates the mesh accepts
 * @membership: the membership
 * @ret_len: receives how many bytes
 *
 * Return: a certificate, DER, owned by the membership.
 */
PM_API const uint8_t *pm_membership_mesh_ca(
	const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_root_ca - the certificate authority that lasts as long as the seed
 * @membership: the membership
 * @ret_len: receives how many bytes
 *
 * Return: a certificate, DER, owned by the membership.
 */
PM_API const uint8_t *pm_membership_root_ca(
	const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_manifest - the manifest that holds
 * @membership: the membership
 *
 * Return: the manifest, owned by the membership.
 */
PM_API const struct pm_manifest *pm_membership_manifest(const struct pm_membership *membership);

/**
 * pm_membership_manifest_bytes - the manifest as it was set
 * @membership: the membership
 * @ret_len: receives how many bytes
 *
 * Return: bytes, owned by the membership.
 */
PM_API const uint8_t *pm_membership_manifest_bytes(
	const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_expires - when the certificate ends
 * @membership: the membership
 *
 * Return: seconds since 1970; 0 for a coordinator. Join again well before.
 */
PM_API int64_t pm_membership_expires(const struct pm_membership *membership);

/**
 * pm_membership_secret - the secret of the role, derived of the seed
 * @membership: the membership
 *
 * Return: PM_JOIN_SECRET_SIZE bytes in guarded memory, owned by the membership; NULL where the
 * manifest gives the role none.
 */
PM_API const uint8_t *pm_membership_secret(const struct pm_membership *membership);

/**
 * pm_membership_seed - the seed, for another coordinator
 * @membership: the membership
 *
 * Return: PM_JOIN_SECRET_SIZE bytes in guarded memory, owned by the membership; NULL for all other
 * roles.
 */
PM_API const uint8_t *pm_membership_seed(const struct pm_membership *membership);

/**
 * pm_membership_mesh_key - the private key of the mesh CA, for another coordinator
 * @membership: the membership
 * @ret_len: receives how many bytes
 *
 * Return: bytes in guarded memory, as pm_authority_new() takes them (authority.h), owned by the
 * membership; NULL for all other roles.
 */
PM_API const uint8_t *pm_membership_mesh_key(
	const struct pm_membership *membership, size_t *ret_len);

/**
 * pm_membership_deployment - what was proved of the coordinator
 * @membership: the membership
 *
 * Return: the deployment, owned by the membership; NULL without a pin.
 */
PM_API const struct pm_deployment *pm_membership_deployment(const struct pm_membership *membership);

PM_END_DECLS

#endif
