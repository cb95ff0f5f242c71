/* SPDX-License-Identifier: Apache-2.0 */
/** @file mesh.h
 * Who is who in the mesh of a deployment. The coordinator verifies the evidence of each workload
 * and certifies its key: the certificate says which role of which manifest the holder was found to
 * have, which models it serves, and whether the key is for TLS or for signing. Who trusts the mesh
 * CA, which an attested coordinator names, so knows the workload without seeing its evidence.
 *
 * A mesh certificate has one form, and all else is refused (RFC 5280):
 *
 * - version 3, serial number of 16 bytes, signed by the mesh CA with ECDSA over P-384 and SHA-384;
 * - issuer: the mesh CA's name, CN=mesh CA, serialNumber=hash of the manifest in hexadecimal;
 * - subject: CN=role; subjectPublicKeyInfo: a P-256 key, its point uncompressed;
 * - extensions, in this order: authorityKeyIdentifier; keyUsage digitalSignature, critical;
 *   extKeyUsage serverAuth and clientAuth, for TLS only; subjectAltName with the DNS names ROLE and
 *   REPLICA.ROLE; and under the OID 2.25.122785497823947443121175649948723525846 the identity.
 *
 * The identity is deterministic CBOR as in bundle.h: {1: version, always 1, 2: purpose, 3: role,
 * 4: replica, 5: [model], 6: hash of the manifest, 7: its serial number}.
 *
 * A client that knows only TLS verifies the mesh CA and the host name ROLE: libcurl so by
 * CURLOPT_CONNECT_TO. The chain that a workload shows is its certificate and the intermediate: the
 * mesh CA's key and name, signed by the root CA. So who trusts the root CA alone, and with it each
 * manifest to come, verifies it too.
 *
 * A key for TLS signs nothing else, and one for signing does no TLS. Its messages are signed by
 * ECDSA with SHA-256 over "libpm mesh signature v1", a zero byte, a label, a zero byte, and the
 * message.
 *
 * Roles have the names that the manifest gives them; two have a meaning: PM_MESH_ROLE_COORDINATOR
 * and PM_MESH_ROLE_SECRETS.
 */
#ifndef PM_MESH_H
#define PM_MESH_H

#include <stddef.h>
#include <stdint.h>
#include <pm/bundle.h>
#include <pm/manifest.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** The role of the coordinator. */
#define PM_MESH_ROLE_COORDINATOR "coordinator"

/** The role of the secret service. */
#define PM_MESH_ROLE_SECRETS "secrets"

/** Longest name of a replica. */
#define PM_MESH_REPLICA_MAX 63

/** Longest label of a signature. */
#define PM_MESH_LABEL_MAX 64

/** Largest certificate, DER. */
#define PM_MESH_CERT_SIZE_MAX 8192

/** Largest chain, PEM, with its final NUL: what pm_authority_issue() makes. */
#define PM_MESH_CHAIN_SIZE_MAX 16384

/** Size of the SubjectPublicKeyInfo of a workload's key. */
#define PM_MESH_SPKI_SIZE 91

/** Room for a private key as PEM text, with its final NUL. */
#define PM_MESH_KEY_PEM_SIZE 320

/** Longest signature. */
#define PM_MESH_SIGNATURE_MAX 72

/** What the key of a certificate is for. */
enum pm_mesh_purpose {
	/** TLS, on both ends. */
	PM_MESH_TLS = 1,
	/** Signatures with a label, and those of key exchanges (keyex.h). */
	PM_MESH_SIGN = 2
};

/** What a mesh certificate says of its holder. */
struct pm_mesh_identity {
	/** Its role in the manifest. */
	char role[PM_CLAIMS_ROLE_MAX + 1];
	/** Which of those that hold the role: 1 to 63 of a-z 0-9 -, not - first or last. */
	char replica[PM_MESH_REPLICA_MAX + 1];
	/** Number of models. */
	size_t model_count;
	/** The models whose disks it was found to have, in the order of the names, each once. */
	char models[PM_CLAIMS_MODELS_MAX][PM_CLAIMS_MODEL_NAME_MAX + 1];
	/** What its key is for. */
	enum pm_mesh_purpose purpose;
	/** Hash of the manifest by which it was judged. */
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE];
	/** Serial number of that manifest. */
	uint64_t manifest_serial;
	/** First second of the certificate's validity, since 1970. */
	int64_t not_before;
	/** Last second. */
	int64_t not_after;
};

/** A workload's private key, on P-256. Opaque; in guarded memory, and wiped when it is freed. */
struct pm_mesh_key;

/* --- certificates ---------------------------------------------------------------------------- */

/**
 * pm_mesh_verify - who holds this certificate?
 * @cert: the certificate, DER; or PEM with the certificate first, behind which the intermediate may
 * stand, which is not needed and must have the mesh CA's key and name
 * @len: how many bytes
 * @mesh_ca: the mesh CA's certificate, DER or PEM, which the caller trusts
 * @ca_len: how many bytes
 * @now: the time, seconds since 1970: both must be valid then
 * @report: receives each check, or NULL
 * @ret_identity: receives who it is
 *
 * That the peer has the certificate's private key is for TLS or a signature to prove. The caller
 * looks at the purpose and the role.
 *
 * Return: 0; PM_E_STALE outside a validity; PM_E_REJECTED for a certificate that the mesh CA did
 * not sign, or of another form, or of another manifest than the mesh CA's; PM_E_FORMAT, PM_E_LIMIT
 * or PM_E_UNSUPPORTED for what can't be read; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_verify(const void *cert, size_t len, const void *mesh_ca, size_t ca_len,
	int64_t now, struct pm_report *report, struct pm_mesh_identity *ret_identity) PM_MUST_USE;

/**
 * pm_mesh_leaf - the first certificate of a chain, as DER
 * @chain: the chain, PEM or DER; nothing is verified
 * @len: how many bytes
 * @ret_der: receives the certificate: room for PM_MESH_CERT_SIZE_MAX bytes
 * @ret_len: receives how many
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_leaf(
	const void *chain, size_t len, uint8_t *ret_der, size_t *ret_len) PM_MUST_USE;

/**
 * pm_mesh_claims_purpose - what a workload wants its key certified for
 * @claims: its claims, which were appraised
 * @ret_purpose: receives PM_MESH_TLS when the claims name the key as that of TLS: their digest of
 * the TLS key is the SHA-256 of their key; else PM_MESH_SIGN
 *
 * Return: 0; PM_E_UNSUPPORTED when the key of the claims is not a P-256 key; PM_E_CRYPTO. Thread
 * safe.
 */
PM_API int pm_mesh_claims_purpose(
	const struct pm_claims *claims, enum pm_mesh_purpose *ret_purpose) PM_MUST_USE;

/**
 * pm_mesh_keyex_role - is it the secret service? For check_role of struct pm_keyex_trust
 * @cert: the certificate, DER, which the mesh CA did sign
 * @cert_len: how many bytes
 * @manifest_hash: the hash of the manifest that the caller trusts, PM_MANIFEST_HASH_SIZE bytes, not
 * changed: arg of struct pm_keyex_trust
 *
 * Return: 0 for a mesh certificate of role PM_MESH_ROLE_SECRETS and purpose PM_MESH_SIGN under that
 * manifest; PM_E_REJECTED for another; PM_E_FORMAT, PM_E_LIMIT or PM_E_UNSUPPORTED for what can't
 * be read; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_keyex_role(
	const uint8_t *cert, size_t cert_len, void *manifest_hash) PM_MUST_USE;

/* --- keys ------------------------------------------------------------------------------------ */

/**
 * pm_mesh_key_new - draw a key
 * @ret_key: receives it, to be freed with pm_mesh_key_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_key_new(struct pm_mesh_key **ret_key) PM_MUST_USE;

/**
 * pm_mesh_key_free - wipe and free a key
 * @key: the key, or NULL
 */
PM_API void pm_mesh_key_free(struct pm_mesh_key *key);

/**
 * pm_mesh_key_spki - its public half
 * @key: the key
 * @ret_len: receives PM_MESH_SPKI_SIZE; may be NULL
 *
 * Return: SubjectPublicKeyInfo, DER, owned by the key. Thread safe.
 */
PM_API const uint8_t *pm_mesh_key_spki(const struct pm_mesh_key *key, size_t *ret_len);

/**
 * pm_mesh_key_pem - the private key as PKCS#8, for a TLS library
 * @key: the key
 * @ret_pem: receives PEM text and a NUL, at most PM_MESH_KEY_PEM_SIZE bytes; the caller wipes it
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_key_pem(const struct pm_mesh_key *key, char *ret_pem) PM_MUST_USE;

/* --- signatures ------------------------------------------------------------------------------ */

/**
 * pm_mesh_sign - sign a message
 * @key: a key whose certificate is for signing
 * @label: what kind of message it is, 1 to PM_MESH_LABEL_MAX printable ASCII characters
 * @message: the message
 * @len: how many bytes
 * @ret_signature: receives the signature (RFC 3279, 2.2.3): room for PM_MESH_SIGNATURE_MAX bytes
 * @ret_len: receives how many
 *
 * Return: 0; PM_E_ARG for another label; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_sign(const struct pm_mesh_key *key, const char *label, const void *message,
	size_t len, uint8_t *ret_signature, size_t *ret_len) PM_MUST_USE;

/**
 * pm_mesh_verify_signature - did the holder of a certificate sign this message?
 * @cert: the certificate, DER or PEM as in pm_mesh_verify(), which accepted it just before
 * @cert_len: how many bytes
 * @label: what kind of message it is
 * @message: the message
 * @len: how many bytes
 * @signature: the signature
 * @signature_len: how many bytes
 * @report: receives each check, or NULL
 *
 * Looks at the certificate's form and purpose and at the signature, not at who signed the
 * certificate.
 *
 * Return: 0; PM_E_ARG for another label; PM_E_REJECTED for another signature, or a certificate that
 * is not for signing; PM_E_FORMAT, PM_E_LIMIT or PM_E_UNSUPPORTED for a certificate that can't be
 * read; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_verify_signature(const void *cert, size_t cert_len, const char *label,
	const void *message, size_t len, const void *signature, size_t signature_len,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_mesh_key_sign_digest - sign a digest as it is: for sign of struct pm_keyex_signer only
 * @digest: 32 bytes: SHA-256 of what keyex.h says
 * @ret_signature: receives the signature (RFC 3279, 2.2.3): room for PM_MESH_SIGNATURE_MAX bytes
 * @ret_len: receives how many
 * @key: a struct pm_mesh_key, not changed: arg of struct pm_keyex_signer
 *
 * Signatures of key exchanges have no label, because other clients know none. Sign nothing else by
 * it: pm_mesh_sign() is there for that.
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_mesh_key_sign_digest(
	const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *key) PM_MUST_USE;

PM_END_DECLS

#endif
