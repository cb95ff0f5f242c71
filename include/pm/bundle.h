/* SPDX-License-Identifier: Apache-2.0 */
/** @file bundle.h
 * Evidence bundles: one piece of CBOR in which a worker proves who he is. The processor's report
 * binds his key, the model disks, the GPUs and the asker's nonce together, and all certificates,
 * reference measurements and revocation answers come along, so that whoever verifies needs no
 * network. This header makes bundles and takes them apart; what comes out is not trusted. The one
 * decision about a bundle is pm_appraise() (appraise.h).
 *
 * A bundle, of media type PM_BUNDLE_MEDIA_TYPE, is the map
 *
 *     {1: version, always 1,
 *      2: the verifier's nonce (32 bytes), or {1: nonce, 2: index, 3: [path, 32 bytes each]},
 *      3: claims, a byte string that holds CBOR,
 *      4: {1: SEV-SNP report, 2: [certificate in DER]},
 *      5: [{1: GPU report, 2: certificates in PEM, as a byte string, 3: architecture}],
 *      6: {1: [RIM], 2: [OCSP response], 3: [CRL of the processor's maker]}}
 *
 * and the claims are the map
 *
 *     {1: X-Wing public key (1216 bytes), or SubjectPublicKeyInfo of a mesh certificate's key,
 *      2: SHA-256 of the SubjectPublicKeyInfo of the TLS key; absent where the worker has none,
 *      3: [{1: model, 2: root hash of its disk}], in the order of the names, each once,
 *      4: [SHA-256 of each element of the bundle's 5, its exact bytes], in that order,
 *      5: role,
 *      6: issued at, seconds since 1970,
 *      7: GPU epoch nonce (32 bytes), 8: time of the GPU evidence; absent where 4 is empty,
 *      9: SHA-256 of a document that goes with the bundle; absent where there is none}
 *
 * Both are deterministically encoded (RFC 8949, 4.2.1): shortest forms, definite lengths, keys in
 * order and each once, no tags, nothing behind. Whatever is encoded otherwise is refused, so that
 * there is one encoding for what is said. Byte strings unless said otherwise; models and the role
 * are texts of printable ASCII without spaces.
 *
 *     REPORT_DATA = SHA-512("libpm evidence v1" || 0x00 || challenge || SHA-256(claims))
 *     GPU nonce   = SHA-256("libpm gpu nonce v1" || 0x00 || GPU epoch nonce || key)
 *
 * where key is what stands in claims under 1, and the challenge is the verifier's nonce or the root
 * of a tree of many verifiers' nonces (below). The collateral under 6 and the certificates are not
 * bound by anything: each of them carries a signature of its own.
 *
 * Published formats that come near: CMW (draft-ietf-rats-msg-wrap) wraps evidence of any kind by
 * its media type, so a bundle fits into one as it is. EAT (RFC 9711) claims say of one device what
 * it is; they have no place for several devices that one report binds, which is why the claims are
 * a map of their own. pm-verify uses EAT's and EAR's names in its JSON where the meaning is equal.
 *
 * Nonce trees. A security processor signs some tens of reports a second. A worker whom thousands
 * ask at once makes a tree of their nonces, has one report made for its root, and gives each asker
 * the same bundle but for the path from his own nonce to that root: leaf SHA-256(0x00 || nonce),
 * node SHA-256(0x01 || left || right). The number of leaves is rounded up to a power of two; a leaf
 * that is missing is 32 zero bytes, of which nobody knows a nonce. A path has one digest for each
 * level, from the leaf up; its length is the depth, at most PM_NONCE_TREE_DEPTH_MAX, and the index
 * of the leaf is below 2^depth. Bit i of the index tells whether the node is a right child at level
 * i. A tree of one leaf has depth 0.
 *
 * Thread safety: an object may be read by many threads at once; calls that change it must not
 * overlap with others on it.
 */
#ifndef PM_BUNDLE_H
#define PM_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** The media type of a bundle. */
#define PM_BUNDLE_MEDIA_TYPE "application/vnd.pm.evidence+cbor"
/** The version that this library reads and writes. */
#define PM_BUNDLE_VERSION 1
/** Largest bundle. */
#define PM_BUNDLE_SIZE_MAX 4194304
/** Size of a verifier's nonce, of the GPU epoch nonce and of a challenge. */
#define PM_BUNDLE_NONCE_SIZE 32
/** Size of a SHA-256. */
#define PM_BUNDLE_DIGEST_SIZE 32
/** Size of what pm_bundle_report_data() makes. */
#define PM_BUNDLE_REPORT_DATA_SIZE 64
/** Largest claims. */
#define PM_BUNDLE_CLAIMS_SIZE_MAX 16384
/** Most certificates of the processor. */
#define PM_BUNDLE_CERTS_MAX 8
/** Largest certificate. */
#define PM_BUNDLE_CERT_SIZE_MAX 16384
/** Most GPUs and switches. */
#define PM_BUNDLE_GPUS_MAX 16
/** Largest report of a GPU, and largest chain of certificates of one. */
#define PM_BUNDLE_GPU_SIZE_MAX 65536
/** Most reference measurements. */
#define PM_BUNDLE_RIMS_MAX 16
/** Largest reference measurement. */
#define PM_BUNDLE_RIM_SIZE_MAX 262144
/** Most OCSP responses. */
#define PM_BUNDLE_OCSP_MAX 64
/** Largest OCSP response. */
#define PM_BUNDLE_OCSP_SIZE_MAX 16384
/** Most revocation lists. */
#define PM_BUNDLE_CRLS_MAX 2
/** Largest revocation list. */
#define PM_BUNDLE_CRL_SIZE_MAX 1048576

/** Size of an X-Wing public key. */
#define PM_CLAIMS_XWING_SIZE 1216
/** Largest key of the claims. */
#define PM_CLAIMS_KEY_SIZE_MAX 1216
/** Most models. */
#define PM_CLAIMS_MODELS_MAX 32
/** Longest name of a model. */
#define PM_CLAIMS_MODEL_NAME_MAX 128
/** Longest name of a role. */
#define PM_CLAIMS_ROLE_MAX 64

/** Longest path of a nonce tree. */
#define PM_NONCE_TREE_DEPTH_MAX 16
/** Most nonces of a tree. */
#define PM_NONCE_TREE_LEAVES_MAX 65536

/** Bytes that belong to somebody else. */
struct pm_bytes {
	/** The first, or NULL when there are none. */
	const uint8_t *ptr;
	/** How many. */
	size_t len;
};

/** A verifier's nonce, and its way to the challenge that the report binds. */
struct pm_bundle_nonce {
	/** The nonce. */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	/** The challenge is a tree's root; else it is the nonce, and the rest has no meaning. */
	bool in_tree;
	/** Which leaf the nonce is, below 2^depth. */
	uint32_t index;
	/** Digests of the path. */
	uint32_t depth;
	/** The path, from the leaf up. */
	uint8_t path[PM_NONCE_TREE_DEPTH_MAX][PM_BUNDLE_DIGEST_SIZE];
};

/** What the key of the claims is. */
enum pm_claims_key {
	/** An X-Wing public key, for HPKE. */
	PM_CLAIMS_XWING = 1,
	/** SubjectPublicKeyInfo of an elliptic curve key that asks for a mesh certificate. */
	PM_CLAIMS_SPKI = 2
};

/** A model that a worker has mounted. */
struct pm_claims_model {
	/** Its name in the manifest. */
	char name[PM_CLAIMS_MODEL_NAME_MAX + 1];
	/** The root hash of its disk. */
	uint8_t root_hash[PM_BUNDLE_DIGEST_SIZE];
};

/** What a worker says of himself. */
struct pm_claims {
	/** What the key is. */
	enum pm_claims_key key_kind;
	/** Bytes of the key. */
	size_t key_len;
	/** The key. */
	uint8_t key[PM_CLAIMS_KEY_SIZE_MAX];
	/** There is a TLS key. */
	bool has_tls;
	/** SHA-256 of its SubjectPublicKeyInfo. */
	uint8_t tls_spki_sha256[PM_BUNDLE_DIGEST_SIZE];
	/** Number of models. */
	size_t model_count;
	/** The models, in the order of their names. */
	struct pm_claims_model models[PM_CLAIMS_MODELS_MAX];
	/** Number of GPUs. */
	size_t gpu_count;
	/** SHA-256 of each GPU's entry: see pm_bundle_gpu_digest(). */
	uint8_t gpus[PM_BUNDLE_GPUS_MAX][PM_BUNDLE_DIGEST_SIZE];
	/** The role. */
	char role[PM_CLAIMS_ROLE_MAX + 1];
	/** When the claims were made, seconds since 1970. */
	int64_t issued_at;
	/** Of which the GPU nonce is made; only where there are GPUs. */
	uint8_t gpu_epoch_nonce[PM_BUNDLE_NONCE_SIZE];
	/** When the GPU evidence was made, seconds since 1970; only where there are GPUs. */
	int64_t gpu_time;
	/** A document goes with the bundle. */
	bool has_document;
	/** SHA-256 of the document, whatever it is: what the role makes of it is not said here. */
	uint8_t document_sha256[PM_BUNDLE_DIGEST_SIZE];
};

/** The evidence of a GPU or switch. */
struct pm_bundle_gpu {
	/** The report: SPDM request and response. */
	struct pm_bytes report;
	/** The device's certificates, in PEM. */
	struct pm_bytes certs;
	/** The architecture, an enum pm_gpu_arch. */
	uint32_t arch;
};

/** All of a bundle. */
struct pm_bundle_content {
	/** For whom the bundle is. */
	struct pm_bundle_nonce nonce;
	/** The claims, encoded: see pm_claims_encode(). */
	struct pm_bytes claims;
	/** The processor's report. */
	struct pm_bytes snp_report;
	/** Its certificates, DER. */
	const struct pm_bytes *certs;
	/** How many. */
	size_t cert_count;
	/** The GPUs, in the order of the claims. */
	const struct pm_bundle_gpu *gpus;
	/** How many. */
	size_t gpu_count;
	/** Reference measurements of the GPUs' firmware and driver. */
	const struct pm_bytes *rims;
	/** How many. */
	size_t rim_count;
	/** OCSP responses, DER. */
	const struct pm_bytes *ocsp;
	/** How many. */
	size_t ocsp_count;
	/** Revocation lists of the processor's maker, DER or PEM. */
	const struct pm_bytes *crls;
	/** How many. */
	size_t crl_count;
};

/** A bundle that was parsed. Opaque. */
struct pm_bundle;

/** A tree of nonces. Opaque. */
struct pm_nonce_tree;

/**
 * pm_bundle_report_data - what a worker has his processor sign
 * @challenge: PM_BUNDLE_NONCE_SIZE bytes: the verifier's nonce, or the root of a tree
 * @claims: the claims, encoded
 * @claims_len: how many bytes
 * @ret_report_data: receives PM_BUNDLE_REPORT_DATA_SIZE bytes
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_bundle_report_data(const uint8_t *challenge, const uint8_t *claims, size_t claims_len,
	uint8_t *ret_report_data) PM_MUST_USE;

/**
 * pm_bundle_gpu_nonce - what a worker gives his GPUs as nonce
 * @epoch_nonce: PM_BUNDLE_NONCE_SIZE random bytes, new each time that GPU evidence is made
 * @key: the key of the claims
 * @key_len: how many bytes
 * @ret_nonce: receives PM_BUNDLE_NONCE_SIZE bytes
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_bundle_gpu_nonce(const uint8_t *epoch_nonce, const uint8_t *key, size_t key_len,
	uint8_t *ret_nonce) PM_MUST_USE;

/**
 * pm_bundle_gpu_digest - what the claims say of a GPU
 * @gpu: its evidence
 * @ret_digest: receives the SHA-256 of its encoding, PM_BUNDLE_DIGEST_SIZE bytes
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_bundle_gpu_digest(const struct pm_bundle_gpu *gpu, uint8_t *ret_digest) PM_MUST_USE;

/**
 * pm_bundle_challenge - the challenge that a nonce and its path lead to
 * @nonce: the nonce
 * @ret_challenge: receives PM_BUNDLE_NONCE_SIZE bytes
 *
 * Return: 0; PM_E_FORMAT for a path that is too long, or an index that is not below 2^depth;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_bundle_challenge(
	const struct pm_bundle_nonce *nonce, uint8_t *ret_challenge) PM_MUST_USE;

/**
 * pm_claims_encode - write claims
 * @claims: the claims
 * @report: receives the reason of a refusal, or NULL
 * @ret_bytes: receives the bytes: room for PM_BUNDLE_CLAIMS_SIZE_MAX
 * @ret_len: receives how many
 *
 * Return: 0; PM_E_FORMAT for claims that the format does not allow, such as models out of order or
 * a key of another kind; PM_E_LIMIT above a maximum; PM_E_NOMEM. Thread safe.
 */
PM_API int pm_claims_encode(const struct pm_claims *claims, struct pm_report *report,
	uint8_t *ret_bytes, size_t *ret_len) PM_MUST_USE;

/**
 * pm_bundle_room - how many bytes the encoding of a bundle needs at most
 * @content: the bundle
 *
 * Return: bytes; more than PM_BUNDLE_SIZE_MAX when it may not fit. Thread safe.
 */
PM_API size_t pm_bundle_room(const struct pm_bundle_content *content);

/**
 * pm_bundle_encode - write a bundle
 * @content: the bundle
 * @report: receives the reason of a refusal, or NULL
 * @ret_bytes: receives the bytes
 * @room: how many there is room for; pm_bundle_room() is always enough
 * @ret_len: receives how many were written
 *
 * Only the form is looked at: whether the claims fit the evidence, the verifier decides.
 *
 * Return: 0; PM_E_FORMAT for what the format does not allow; PM_E_LIMIT above a maximum, or without
 * room. Thread safe.
 */
PM_API int pm_bundle_encode(const struct pm_bundle_content *content, struct pm_report *report,
	uint8_t *ret_bytes, size_t room, size_t *ret_len) PM_MUST_USE;

/**
 * pm_bundle_parse - read a bundle
 * @bytes: the bundle; copied
 * @size: how many bytes; above PM_BUNDLE_SIZE_MAX they are refused unread
 * @report: receives the reason of a refusal, or NULL
 * @ret_bundle: receives the bundle, to be freed with pm_bundle_free()
 *
 * Return: 0; PM_E_FORMAT for what is not encoded as this header says, claims included;
 * PM_E_UNSUPPORTED for another version, or a key of another kind; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_bundle_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_bundle **ret_bundle) PM_MUST_USE;

/**
 * pm_bundle_free - free a bundle
 * @bundle: the bundle, or NULL
 */
PM_API void pm_bundle_free(struct pm_bundle *bundle);

/**
 * pm_bundle_untrusted - what a bundle holds, before anything was verified
 * @bundle: the bundle
 *
 * For display, and to know what must be fetched. Anybody can have written it.
 *
 * Return: the content, owned by the bundle.
 */
PM_API const struct pm_bundle_content *pm_bundle_untrusted(const struct pm_bundle *bundle);

/**
 * pm_bundle_untrusted_claims - what a bundle claims, before anything was verified
 * @bundle: the bundle
 *
 * Return: the claims, owned by the bundle.
 */
PM_API const struct pm_claims *pm_bundle_untrusted_claims(const struct pm_bundle *bundle);

/**
 * pm_nonce_tree_new - make a tree of nonces
 * @nonces: the nonces, one behind the other, PM_BUNDLE_NONCE_SIZE bytes each; copied
 * @count: how many, 1 to PM_NONCE_TREE_LEAVES_MAX
 * @ret_tree: receives the tree, to be freed with pm_nonce_tree_free()
 *
 * Takes 64 bytes of memory a nonce besides the copy, and a hash for each of its nodes.
 *
 * Return: 0; PM_E_ARG for no nonce; PM_E_LIMIT for too many; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_nonce_tree_new(
	const uint8_t *nonces, size_t count, struct pm_nonce_tree **ret_tree) PM_MUST_USE;

/**
 * pm_nonce_tree_free - free a tree
 * @tree: the tree, or NULL
 */
PM_API void pm_nonce_tree_free(struct pm_nonce_tree *tree);

/**
 * pm_nonce_tree_root - the challenge that stands for all nonces of a tree
 * @tree: the tree
 *
 * Return: PM_BUNDLE_NONCE_SIZE bytes, owned by the tree.
 */
PM_API const uint8_t *pm_nonce_tree_root(const struct pm_nonce_tree *tree);

/**
 * pm_nonce_tree_path - what a bundle says to the owner of one nonce
 * @tree: the tree
 * @index: which nonce, in the order in which they were given, from 0
 * @ret_nonce: receives the nonce and its path
 *
 * Return: 0; PM_E_ARG for an index past the end.
 */
PM_API int pm_nonce_tree_path(const struct pm_nonce_tree *tree, size_t index,
	struct pm_bundle_nonce *ret_nonce) PM_MUST_USE;

PM_END_DECLS

#endif
