/* SPDX-License-Identifier: Apache-2.0 */
/** @file coordinator.h
 * The coordinator of a deployment, as clients, workloads and owners see it, over libcurl. The
 * coordinator shows evidence (bundle.h) of role "coordinator" whose claims bind a document; the
 * document names the manifest that holds, the history that led to it, and the certificate
 * authorities of the mesh. What is proved by what:
 *
 *     your manifest (or its hash)
 *       proves the coordinator, by its evidence, whose nonce is yours
 *         proves the document, by its SHA-256 in the claims
 *           proves the manifest (it must be yours), the history key, the root CA and the mesh CA
 *             prove the history, each certificate of the mesh, and the answers that it signs
 *
 *     pm_coordinator_new(url, &options, report, &coordinator);
 *     pm_coordinator_attest(coordinator, &trust, verdict, report, &deployment);
 *     ca = pm_deployment_mesh_ca(deployment, &len);
 *
 * The document is the JSON object
 *
 *     {"version": 1, "state": "ready", "manifest": base64 of the manifest as it was set,
 *      "history": the object of pm_history_text(), "history_key": base64 of SubjectPublicKeyInfo,
 *      "audit_key": base64 of SubjectPublicKeyInfo, "root_ca": base64 of DER,
 *      "mesh_ca": base64 of DER, "log": {"entries": number, "head": hexadecimal SHA-256},
 *      "commitment": hexadecimal}
 *
 * in which a coordinator that is "empty" or "sealed" has null for what it does not know. The audit
 * key may be left out.
 *
 * All requests and answers are JSON objects (pm_coordinator_log() has text), over http or https:
 * what decides is proved whatever lies in between, and what nothing proves is said to be so.
 * Redirects of requests that have a body, and those to other servers, are refused, as is an answer
 * of another media type, of another form, or longer than a named maximum.
 *
 * The memory. With a memory file (memory_file.h) a history that is older than what was seen, or
 * that forks from it, is refused; the newest is remembered when the rest was proved.
 *
 * Thread safety: any number of threads may call with one coordinator at once.
 *
 * A library built without libcurl has these functions too: pm_coordinator_new() ends with
 * PM_E_UNSUPPORTED.
 */
#ifndef PM_COORDINATOR_H
#define PM_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/appraise.h>
#include <pm/history.h>
#include <pm/key.h>
#include <pm/manifest.h>
#include <pm/signatures.h>
#include <pm/verdict.h>

PM_BEGIN_DECLS

/** The role of a coordinator: a reserved word of each manifest. */
#define PM_COORDINATOR_ROLE "coordinator"

/** Where a coordinator takes requests. */
#define PM_COORDINATOR_STATUS_PATH "/pm/v1/status"
/** {"Nonce": base64 of 32 bytes}; answer {"Evidence": base64, "Document": base64}. */
#define PM_COORDINATOR_ATTEST_PATH "/pm/v1/attest"
/** {"Manifest": base64, "Signatures": base64}. */
#define PM_COORDINATOR_MANIFEST_PATH "/pm/v1/manifest"
/** {"Box": base64}. */
#define PM_COORDINATOR_RECOVER_PATH "/pm/v1/recover"
/** No body. */
#define PM_COORDINATOR_WORKERS_PATH "/pm/v1/workers"
/** No body; ?after=NUMBER. */
#define PM_COORDINATOR_LOG_PATH "/pm/v1/log"

/** Longest URL, in bytes without the final NUL. */
#define PM_COORDINATOR_URL_MAX 255
/** Largest document. */
#define PM_COORDINATOR_DOCUMENT_MAX (8u << 20)
/** Most workers of a list. */
#define PM_COORDINATOR_WORKERS_MAX 1024
/** Largest list of workers, in bytes of the answer. */
#define PM_COORDINATOR_WORKERS_SIZE_MAX (64u << 20)
/** Largest piece of a log that is fetched at once. */
#define PM_COORDINATOR_LOG_MAX (16u << 20)
/** Largest box with a share. */
#define PM_COORDINATOR_BOX_MAX 2048
/** Size of the commitment to a seed. */
#define PM_COORDINATOR_COMMITMENT_SIZE 32
/** Milliseconds to connect, where the options say nothing else. */
#define PM_COORDINATOR_CONNECT_MS 10000
/** Milliseconds for a request, where the options say nothing else. */
#define PM_COORDINATOR_TOTAL_MS 60000
/** Most milliseconds of either. */
#define PM_COORDINATOR_TIMEOUT_MAX_MS 600000

/** Label of the box (box.h) in which an owner gets a share of the seed. */
#define PM_COORDINATOR_SHARE_LABEL "seed share"
/** Label of the box in which an owner gives it back. */
#define PM_COORDINATOR_RECOVER_LABEL "recover"

struct pm_report;

/** A coordinator, as its address and how to talk to it. Opaque. */
struct pm_coordinator;

/** What was proved of a deployment. Opaque; made by pm_coordinator_attest() only. */
struct pm_deployment;

/** A list of workers. Opaque. */
struct pm_coordinator_workers;

/** How to talk to a coordinator. Set size; zeros stand for what is not given. Texts are copied. */
struct pm_coordinator_options {
	/** sizeof(struct pm_coordinator_options) as the caller was compiled. */
	size_t size;
	/** File in which the history is remembered; NULL: nothing is remembered. */
	const char *memory_file;
	/** Certificate authorities for https, PEM; NULL for the system's. */
	const char *ca_file;
	/** Most seconds since claims were made; 0 for PM_APPRAISE_AGE_DEFAULT. */
	int64_t max_age;
	/** Milliseconds to connect; 0 for PM_COORDINATOR_CONNECT_MS. */
	uint32_t connect_ms;
	/** Milliseconds for a request; 0 for PM_COORDINATOR_TOTAL_MS. */
	uint32_t total_ms;
};

/** What a coordinator can be in. */
enum pm_coordinator_state {
	/** It has no manifest yet. */
	PM_COORDINATOR_EMPTY = 1,
	/** It has a manifest and lacks the seed: it waits for shares, or for another one. */
	PM_COORDINATOR_SEALED = 2,
	/** It serves. */
	PM_COORDINATOR_READY = 3,
	/** It does not know whether its manifest still holds, and serves nothing. */
	PM_COORDINATOR_STALE = 4
};

/** What a coordinator says of itself. Nothing proves it: for display. */
struct pm_coordinator_status {
	/** The state. */
	enum pm_coordinator_state state;
	/** There is a manifest. */
	bool has_manifest;
	/** Its serial number. */
	uint64_t serial;
	/** Its hash. */
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	/** How many coordinators there are. */
	uint32_t replicas;
	/** It waits for shares. */
	bool has_shares;
	/** How many it has. */
	uint32_t shares_have;
	/** How many it needs. */
	uint32_t shares_need;
	/** It says which mesh CA is newest. */
	bool has_mesh_ca;
	/** SHA-256 of that certificate in DER. */
	uint8_t mesh_ca[32];
};

/** Whom to accept as coordinator. Set size; zeros stand for what is not given. */
struct pm_coordinator_trust {
	/** sizeof(struct pm_coordinator_trust) as the caller was compiled. */
	size_t size;
	/** The manifest that must hold, which the caller trusts; or NULL, with its hash. */
	const struct pm_manifest *manifest;
	/** Its hash, PM_MANIFEST_HASH_SIZE bytes; or NULL, with the manifest. */
	const uint8_t *manifest_hash;
	/**
	 * A coordinator that is sealed will do too: to give it a share. Its manifest may have ended
	 * then: once it is recovered, it takes the next one, and certifies nobody before.
	 */
	bool allow_sealed;
};

/** A share of the seed, in a box to its owner. */
struct pm_coordinator_share {
	/** The owner's name in the manifest. */
	char name[PM_MANIFEST_NAME_MAX + 1];
	/** The box. */
	uint8_t box[PM_COORDINATOR_BOX_MAX];
	/** Its length. */
	size_t box_len;
};

/** What came of setting a manifest. */
struct pm_coordinator_change {
	/** Serial number of the manifest that holds now. */
	uint64_t serial;
	/** Its hash. */
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	/**
	 * How many shares: one for each owner of shares where this manifest dealt them, as the
	 * first does, and each that has other such owners, or another threshold, than the one
	 * before; else 0.
	 */
	size_t share_count;
	/** The shares, in the order of the answer. */
	struct pm_coordinator_share shares[PM_MANIFEST_OWNERS_MAX];
};

/** A worker that the coordinator let into the mesh, and what it showed. */
struct pm_coordinator_worker {
	/** Its role. */
	const char *role;
	/** Its name among those of the role. */
	const char *replica;
	/** The models that it serves. */
	const char *const *models;
	/** How many. */
	size_t model_count;
	/** When it joined, seconds since 1970. */
	int64_t joined;
	/** When its certificate ends, seconds since 1970. */
	int64_t expires;
	/** The coordinator's nonce for it. */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	/** The bundle. */
	const uint8_t *bundle;
	/** Its length. */
	size_t bundle_len;
};

/**
 * pm_coordinator_new - name a coordinator, without asking it
 * @url: its address: "https://HOST[:PORT][/PATH]", or http
 * @options: the options, or NULL
 * @report: receives the reason of a refusal, or NULL
 * @ret_coordinator: receives the object, to be freed with pm_coordinator_free()
 *
 * Return: 0; PM_E_FORMAT for a malformed address; PM_E_LIMIT for a longer one; PM_E_ARG for other
 * options; PM_E_UNSUPPORTED without libcurl; PM_E_NET when libcurl can't be set up; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_coordinator_new(const char *url, const struct pm_coordinator_options *options,
	struct pm_report *report, struct pm_coordinator **ret_coordinator) PM_MUST_USE;

/**
 * pm_coordinator_free - free it
 * @coordinator: the coordinator, or NULL; no call may be under way with it
 */
PM_API void pm_coordinator_free(struct pm_coordinator *coordinator);

/**
 * pm_coordinator_state_name - the word for a state
 * @state: an enum pm_coordinator_state
 *
 * Return: "empty", "sealed", "ready" or "stale"; "unknown". Static.
 */
PM_API const char *pm_coordinator_state_name(int state);

/**
 * pm_coordinator_status - ask how it is
 * @coordinator: the coordinator
 * @report: receives the reason of a failure, or NULL
 * @ret_status: receives the answer, which nothing proves
 *
 * Return: 0; PM_E_FORMAT, PM_E_LIMIT for another answer; PM_E_NET when there was none, or an error;
 * PM_E_NOMEM.
 */
PM_API int pm_coordinator_status(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_status *ret_status) PM_MUST_USE;

/**
 * pm_coordinator_attest - ask for evidence, and judge it and all that it proves
 * @coordinator: the coordinator
 * @trust: the manifest that must hold
 * @verdict: receives each check, a group for each part, or NULL
 * @report: receives the reason of a failure to ask, or NULL
 * @ret_deployment: receives what was proved, to be freed with pm_deployment_free()
 *
 * With a fresh nonce. Accepted is evidence that pm_appraise() accepts for the role "coordinator" by
 * the wanted manifest, with a document that
 *
 *  - has the SHA-256 that the claims have, and its form to the last byte;
 *  - is of a coordinator that is ready (or sealed, where that will do);
 *  - holds the wanted manifest;
 *  - holds a history that its history key signed, that leads to the manifest, and on from what the
 *    memory file remembers: see pm_history_verify();
 *  - holds a root CA and a mesh CA, each certifying itself, as CAs, valid now, of different keys.
 *
 * Of a sealed coordinator the history key is not known: its history is not verified, but compared
 * with the memory; see pm_coordinator_recover(). It is not remembered.
 *
 * Return: 0; as pm_appraise(), when the evidence is not accepted; PM_E_STATE for a coordinator in
 * another state; PM_E_FORMAT, PM_E_LIMIT for an answer or a document of another form; PM_E_REJECTED
 * for another document, manifest, history or CA; PM_E_STALE for a CA that is not valid now;
 * PM_E_MISSING for links that lack between the memory and the history; PM_E_NET when no answer
 * came, or an error; PM_E_SYS for the memory file; PM_E_ARG for a trust of nobody; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_coordinator_attest(struct pm_coordinator *coordinator,
	const struct pm_coordinator_trust *trust, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_deployment **ret_deployment) PM_MUST_USE;

/**
 * pm_deployment_free - free what was proved
 * @deployment: the deployment, or NULL
 */
PM_API void pm_deployment_free(struct pm_deployment *deployment);

/**
 * pm_deployment_appraised - what was proved of the coordinator
 * @deployment: the deployment
 *
 * Return: the facts, owned by the deployment. Thread safe, as are all that follow.
 */
PM_API const struct pm_appraised *pm_deployment_appraised(const struct pm_deployment *deployment);

/**
 * pm_deployment_state - the state, as the document has it
 * @deployment: the deployment
 *
 * Return: PM_COORDINATOR_READY, or PM_COORDINATOR_SEALED where that was allowed.
 */
PM_API enum pm_coordinator_state pm_deployment_state(const struct pm_deployment *deployment);

/**
 * pm_deployment_manifest - the manifest that holds
 * @deployment: the deployment
 *
 * Return: the manifest, owned by the deployment.
 */
PM_API const struct pm_manifest *pm_deployment_manifest(const struct pm_deployment *deployment);

/**
 * pm_deployment_manifest_bytes - the manifest as it was set
 * @deployment: the deployment
 * @ret_len: receives how many bytes
 *
 * Return: bytes, owned by the deployment.
 */
PM_API const uint8_t *pm_deployment_manifest_bytes(
	const struct pm_deployment *deployment, size_t *ret_len);

/**
 * pm_deployment_history - the manifests so far
 * @deployment: the deployment
 *
 * Return: the history, owned by the deployment; verified where the state is ready.
 */
PM_API const struct pm_history *pm_deployment_history(const struct pm_deployment *deployment);

/**
 * pm_deployment_history_key - who signs the history
 * @deployment: the deployment
 *
 * Return: the key, owned by the deployment; NULL while it is sealed.
 */
PM_API const struct pm_sign_public *pm_deployment_history_key(
	const struct pm_deployment *deployment);

/**
 * pm_deployment_audit_key - who signs the log of the coordinator
 * @deployment: the deployment
 *
 * Return: the key, owned by the deployment; NULL while it is sealed, and where the document does
 * not name it.
 */
PM_API const struct pm_sign_public *pm_deployment_audit_key(const struct pm_deployment *deployment);

/**
 * pm_deployment_root_ca - the certificate authority that lasts as long as the seed
 * @deployment: the deployment
 * @ret_len: receives how many bytes
 *
 * Return: a certificate, DER, owned by the deployment; NULL while it is sealed.
 */
PM_API const uint8_t *pm_deployment_root_ca(
	const struct pm_deployment *deployment, size_t *ret_len);

/**
 * pm_deployment_mesh_ca - the certificate authority of this manifest
 * @deployment: the deployment
 * @ret_len: receives how many bytes
 *
 * Return: a certificate, DER, owned by the deployment; NULL while it is sealed.
 */
PM_API const uint8_t *pm_deployment_mesh_ca(
	const struct pm_deployment *deployment, size_t *ret_len);

/**
 * pm_deployment_commitment - what the seed is held to
 * @deployment: the deployment
 *
 * Return: PM_COORDINATOR_COMMITMENT_SIZE bytes, owned by the deployment.
 */
PM_API const uint8_t *pm_deployment_commitment(const struct pm_deployment *deployment);

/**
 * pm_deployment_log - how far the log of the coordinator had come
 * @deployment: the deployment
 * @ret_entries: receives how many entries it had
 *
 * Return: the hash of the last of them, PM_MANIFEST_HASH_SIZE bytes, owned by the deployment; NULL
 * while it is sealed.
 */
PM_API const uint8_t *pm_deployment_log(
	const struct pm_deployment *deployment, uint64_t *ret_entries);

/**
 * pm_deployment_document - the document that the claims bind
 * @deployment: the deployment
 * @ret_len: receives how many bytes
 *
 * Return: bytes, owned by the deployment.
 */
PM_API const uint8_t *pm_deployment_document(
	const struct pm_deployment *deployment, size_t *ret_len);

/**
 * pm_deployment_bundle - the evidence, as it was received
 * @deployment: the deployment
 * @ret_len: receives how many bytes
 * @ret_nonce: receives the nonce that it is for: PM_BUNDLE_NONCE_SIZE bytes; or NULL
 *
 * Return: bytes, owned by the deployment.
 */
PM_API const uint8_t *pm_deployment_bundle(
	const struct pm_deployment *deployment, size_t *ret_len, uint8_t *ret_nonce);

/**
 * pm_coordinator_set_manifest - have a manifest take force
 * @coordinator: the coordinator
 * @manifest: the manifest, as its file has it
 * @manifest_len: how many bytes
 * @signatures: its owners' signatures (signatures.h), as their file has them
 * @signatures_len: how many bytes
 * @report: receives the reason of a failure, with the words of a coordinator that refuses; or NULL
 * @ret_change: receives what came of it
 *
 * The answer must speak of this manifest, and hold a share for each owner of shares, if it is the
 * first; if it is a later one, for each of them or for none. The same manifest may be set once
 * more: the answer is the same. Who answered nothing proves: attest the coordinator afterwards.
 *
 * Return: 0; PM_E_FORMAT, PM_E_LIMIT, PM_E_UNSUPPORTED for a malformed manifest or file of
 * signatures, which is not sent, and for another answer; PM_E_REJECTED for an answer that speaks of
 * another manifest or lacks shares, and when the coordinator says no; PM_E_NET when no answer came,
 * so that nobody knows; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_coordinator_set_manifest(struct pm_coordinator *coordinator, const void *manifest,
	size_t manifest_len, const void *signatures, size_t signatures_len,
	struct pm_report *report, struct pm_coordinator_change *ret_change) PM_MUST_USE;

/**
 * pm_coordinator_recover - give a sealed coordinator a share of its seed, and an owner's consent
 * @coordinator: the coordinator
 * @deployment: what was proved of it: the share is sealed to that process's key and no other
 * @share: PM_SHARE_SIZE bytes (shares.h), from the owner's box; the caller wipes them
 * @owner: a key of the manifest's owners, who consents
 * @report: receives the reason of a failure, with the words of a coordinator that refuses; or NULL
 * @ret_status: receives what the coordinator says of its state and its shares; all else is zero
 *
 * The owner signs the process's key, the last link of the history, and the share: see recover.h.
 *
 * Return: 0; PM_E_STATE when the coordinator was not sealed; PM_E_FORMAT, PM_E_LIMIT for another
 * answer; PM_E_REJECTED when the coordinator says no; PM_E_NET when no answer came; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_coordinator_recover(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const uint8_t *share,
	const struct pm_sign_key *owner, struct pm_report *report,
	struct pm_coordinator_status *ret_status) PM_MUST_USE;

/**
 * pm_coordinator_workers - who is in the mesh, with what each showed
 * @coordinator: the coordinator
 * @report: receives the reason of a failure, or NULL
 * @ret_workers: receives the list, to be freed with pm_coordinator_workers_free()
 *
 * Nothing proves the list: it may lack workers. Each worker is proved by its own bundle:
 * pm_coordinator_check_worker().
 *
 * Return: 0; PM_E_FORMAT, PM_E_LIMIT for another answer; PM_E_NET when there was none, or an error;
 * PM_E_NOMEM.
 */
PM_API int pm_coordinator_workers(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_workers **ret_workers) PM_MUST_USE;

/**
 * pm_coordinator_worker_at - one worker, in the order of the answer
 * @workers: the list
 * @index: from 0
 *
 * Return: the worker, owned by the list; NULL past the end.
 */
PM_API const struct pm_coordinator_worker *pm_coordinator_worker_at(
	const struct pm_coordinator_workers *workers, size_t index);

/**
 * pm_coordinator_check_worker - is a worker what the manifest of a deployment says?
 * @coordinator: the coordinator; only its options and caches are used
 * @deployment: what was proved
 * @worker: a worker of the list
 * @verdict: receives each check, or NULL
 * @report: receives why a bundle can't be read, or NULL
 * @ret_appraised: receives what was proved of it, to be freed with pm_appraised_free()
 *
 * As pm_appraise(), with the nonce of the coordinator: that the evidence is of today the
 * coordinator vouches, by having asked. Role and models of the list must be those of the claims.
 *
 * Return: as pm_appraise(), and as pm_bundle_parse(); PM_E_REJECTED for another role or models;
 * PM_E_STALE after the end of its certificate.
 */
PM_API int pm_coordinator_check_worker(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const struct pm_coordinator_worker *worker,
	struct pm_verdict *verdict, struct pm_report *report,
	const struct pm_appraised **ret_appraised) PM_MUST_USE;

/**
 * pm_coordinator_workers_free - free a list
 * @workers: the list, or NULL
 */
PM_API void pm_coordinator_workers_free(struct pm_coordinator_workers *workers);

/**
 * pm_coordinator_log - fetch lines of the log
 * @coordinator: the coordinator
 * @after: number of the last entry that the caller has; 0 for all
 * @report: receives the reason of a failure, or NULL
 * @ret_text: receives whole lines and a NUL, to be freed with pm_coordinator_text_free()
 * @ret_len: receives the length of the text; 0 when there is nothing more
 *
 * One answer holds what the coordinator chooses to send at once: ask again until it is empty. What
 * proves the lines is audit.h, and pm_deployment_log().
 *
 * Return: 0; PM_E_FORMAT, PM_E_LIMIT for another answer; PM_E_NET when there was none, or an error;
 * PM_E_NOMEM.
 */
PM_API int pm_coordinator_log(struct pm_coordinator *coordinator, uint64_t after,
	struct pm_report *report, char **ret_text, size_t *ret_len) PM_MUST_USE;

/**
 * pm_coordinator_text_free - free a text
 * @text: from pm_coordinator_log(), or NULL
 */
PM_API void pm_coordinator_text_free(char *text);

PM_END_DECLS

#endif
