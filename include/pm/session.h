/* SPDX-License-Identifier: Apache-2.0 */
/** @file session.h
 * A client's session with one worker in direct mode (direct.h), over libcurl: it asks for evidence
 * with a fresh nonce, has it judged against the manifest (appraise.h), agrees on a secret with
 * exactly the key that was proved, and renews all of this before the secret ends. What is sent
 * under a secret of a session can be read by the worker that was verified, and by nobody else.
 * With the options' coordinator it is a session with a mesh, see below.
 *
 *     pm_session_open(url, manifest, &options, verdict, report, &session);
 *     pm_session_get(session, report, &key);
 *     pm_exchange_client_new(pm_session_key_exchange(key), model, "", bucket, &exchange);
 *
 * How the sealed request travels is the caller's business: see exchange.h, and pm-client(8) for a
 * program that does it. A worker that was started anew does not know the secret any more. It then
 * answers with an error in plaintext, which anybody in between may have written. So tell the
 * session by pm_session_distrust(), get a key again, and send the request once more; not a third
 * time.
 *
 * Each renewal asks for new evidence. PM_SESSION_RENEW seconds after the agreement the next call
 * renews. When the worker can't be reached then, the old secret serves until PM_SESSION_END; when
 * what it shows is refused, the old secret is given up at once. The clock goes on while the machine
 * sleeps, and is not the one that people set.
 *
 * The mesh. The session has the coordinator (coordinator.h) show evidence and the history of the
 * manifest, trusts the mesh CA that it proves, and agrees on a secret with the secret service
 * (keyex.h): its answer must be signed by a certificate of that CA, of role "secrets", for signing,
 * under that very manifest. The coordinator lets into the mesh who is what the manifest says, and
 * the secret service gives the secret to those whom the manifest's secrets policy names, so what is
 * sent under it can be read by them, by the secret service, and by nobody else. What was proved of
 * a key is what was proved of the coordinator.
 *
 * The address. "https://HOST[:PORT][/PATH]", or http: the evidence binds the key, and TLS is but an
 * outer layer, which hides who asks whom for which model. Redirects to other servers are refused,
 * proxies serve for HTTPS only. A call ends after the time of the options for each request, of
 * which it makes two; answers are bounded by PM_BUNDLE_SIZE_MAX.
 *
 * The memory. With a memory file (memory_file.h) a session refuses a manifest that is older than
 * one that was in use before, and another one of the same number; it remembers a manifest once a
 * worker proved to be what that manifest says. Each renewal looks again, so a session with an old
 * manifest ends soon after another process uses the next one.
 *
 * Thread safety: any number of threads may call with one session at once. One of them talks to the
 * worker, the others wait for what comes of it. Keys may be used and freed in any thread.
 *
 * A library built without libcurl has these functions too: opening ends with PM_E_UNSUPPORTED.
 */
#ifndef PM_SESSION_H
#define PM_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <pm/appraise.h>
#include <pm/coordinator.h>
#include <pm/exchange.h>
#include <pm/manifest.h>
#include <pm/rules.h>
#include <pm/verdict.h>

PM_BEGIN_DECLS

/** Where a worker takes requests for evidence: {"Nonce": base64 of 32 bytes}. */
#define PM_SESSION_EVIDENCE_PATH "/pm/v1/evidence"
/** Where the secret service of a mesh takes requests of keyex.h. */
#define PM_SESSION_SECRET_PATH "/privatemode/v1/secret"
/** Longest URL, in bytes without the final NUL. */
#define PM_SESSION_URL_MAX 255
/** Seconds after which a secret is renewed. */
#define PM_SESSION_RENEW 2700
/** Seconds after which a secret is not used any more; the worker keeps it for 3600. */
#define PM_SESSION_END 3300
/** Milliseconds to connect, where the options say nothing else. */
#define PM_SESSION_CONNECT_MS 10000
/** Milliseconds for a request, where the options say nothing else. */
#define PM_SESSION_TOTAL_MS 60000
/** Most milliseconds of either. */
#define PM_SESSION_TIMEOUT_MAX_MS 600000

/** How a session works. Set size; zeros stand for what is not given. Texts are copied. */
struct pm_session_options {
	/** sizeof(struct pm_session_options) as the caller was compiled. */
	size_t size;
	/** The role that is wanted; NULL for any of the manifest's, and in a mesh. */
	const char *role;
	/**
	 * The model disk that the worker must have mounted; NULL for none in particular, and in a
	 * mesh.
	 */
	const char *model;
	/** Most seconds since the claims were made; 0 for PM_APPRAISE_AGE_DEFAULT. */
	int64_t max_age;
	/** File in which the manifest is remembered; NULL: nothing is remembered. */
	const char *memory_file;
	/** Certificate authorities for https, PEM; NULL for the system's. */
	const char *ca_file;
	/** Milliseconds to connect; 0 for PM_SESSION_CONNECT_MS. */
	uint32_t connect_ms;
	/** Milliseconds for a request; 0 for PM_SESSION_TOTAL_MS. */
	uint32_t total_ms;
	/**
	 * The coordinator's address, for a session with a mesh; NULL for direct mode. Callers that
	 * were compiled without this and what follows have a smaller size, which is fine.
	 */
	const char *coordinator;
	/** The address of the mesh's secret service; NULL: it is reached at the session's own. */
	const char *secrets;
};

/** A session. Opaque. */
struct pm_session;

/** A secret that was agreed on, and what was proved of the worker that has it. Opaque. */
struct pm_session_key;

/**
 * pm_session_new - make a session, without asking the worker
 * @url: the worker's address; that of a mesh's secret service, or NULL with the options' secrets
 * @manifest: the manifest, which the caller trusts; it must outlive the session
 * @options: the options, or NULL
 * @report: receives the reason of a refusal, or NULL
 * @ret_session: receives the session, to be freed with pm_session_free()
 *
 * Return: 0; PM_E_FORMAT for a malformed address; PM_E_LIMIT for a longer one; PM_E_ARG for other
 * options; PM_E_REJECTED, PM_E_MISSING for a manifest that the memory file speaks against, see
 * pm_memory_check(); PM_E_SYS for a memory file that can't be read; PM_E_UNSUPPORTED without
 * libcurl; PM_E_NET when libcurl can't be set up; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_session_new(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_report *report,
	struct pm_session **ret_session) PM_MUST_USE;

/**
 * pm_session_open - make a session, and agree on its first secret
 * @url: as in pm_session_new()
 * @manifest: the manifest, which the caller trusts; it must outlive the session
 * @options: the options, or NULL
 * @verdict: receives each check of the evidence, or NULL
 * @report: receives the reason of any other failure, or NULL
 * @ret_session: receives the session, to be freed with pm_session_free()
 *
 * Return: as pm_session_new() and pm_session_renew().
 */
PM_API int pm_session_open(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session **ret_session) PM_MUST_USE;

/**
 * pm_session_free - end a session
 * @session: the session, or NULL; no call may be under way with it
 *
 * Keys that were handed out stay until they are freed.
 */
PM_API void pm_session_free(struct pm_session *session);

/**
 * pm_session_attest - ask for evidence and judge it, and no more
 * @session: the session
 * @verdict: receives each check of the evidence, or NULL
 * @report: receives the reason of any other failure, or NULL
 * @ret_appraised: receives what was proved, to be freed with pm_appraised_free()
 *
 * In a mesh: the coordinator's.
 *
 * Return: in a mesh as pm_coordinator_attest(). Else 0; as pm_appraise(), when the evidence is not
 * accepted; PM_E_REJECTED, PM_E_MISSING also as pm_memory_check(); PM_E_FORMAT, PM_E_LIMIT for what
 * is no bundle; PM_E_NET when no answer came, or an error; PM_E_SYS for the memory file;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_session_attest(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, const struct pm_appraised **ret_appraised) PM_MUST_USE;

/**
 * pm_session_renew - ask for evidence, judge it, and agree on a new secret
 * @session: the session
 * @verdict: receives each check of the evidence, or NULL
 * @report: receives the reason of any other failure, or NULL
 *
 * After PM_E_NET the secret from before serves on, as the top says, and after PM_E_STATE, of a
 * mesh's coordinator that is not ready; after any other failure there is none.
 *
 * Return: as pm_session_attest(); PM_E_REJECTED also for a worker whose key is not for an
 * agreement, and for an answer that does not speak of our secret; in a mesh as
 * pm_keyex_client_finish().
 */
PM_API int pm_session_renew(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_session_get - a secret to use now
 * @session: the session
 * @report: receives the reason of a failure, the first check of evidence that failed too; or NULL
 * @ret_key: receives the key, to be freed with pm_session_key_free()
 *
 * Renews when it is time, and then waits for the network.
 *
 * Return: as pm_session_renew().
 */
PM_API int pm_session_get(struct pm_session *session, struct pm_report *report,
	struct pm_session_key **ret_key) PM_MUST_USE;

/**
 * pm_session_peek - a secret to use now, when there is one that needs no renewal
 * @session: the session
 *
 * Never waits for the network.
 *
 * Return: the key, to be freed with pm_session_key_free(); or NULL.
 */
PM_API struct pm_session_key *pm_session_peek(struct pm_session *session);

/**
 * pm_session_distrust - the worker is said not to know a secret
 * @session: the session
 * @key: the secret
 *
 * Unless another one took its place, it is not handed out any more.
 */
PM_API void pm_session_distrust(struct pm_session *session, const struct pm_session_key *key);

/**
 * pm_session_key_id - the secret's id, for the field Pm-Secret-Id
 * @key: the key
 *
 * Return: text, owned by the key. Thread safe.
 */
PM_API const char *pm_session_key_id(const struct pm_session_key *key);

/**
 * pm_session_key_exchange - the secret, for pm_exchange_client_new()
 * @key: the key
 *
 * Return: the key of exchanges, owned by the key. Thread safe.
 */
PM_API struct pm_exchange_key *pm_session_key_exchange(const struct pm_session_key *key);

/**
 * pm_session_key_appraised - what was proved of the worker, or of a mesh's coordinator
 * @key: the key
 *
 * Return: the facts, owned by the key. Thread safe.
 */
PM_API const struct pm_appraised *pm_session_key_appraised(const struct pm_session_key *key);

/**
 * pm_session_key_deployment - what was proved of the mesh
 * @key: the key
 *
 * Return: the deployment, owned by the key; NULL in direct mode. Thread safe.
 */
PM_API const struct pm_deployment *pm_session_key_deployment(const struct pm_session_key *key);

/**
 * pm_session_key_ocsp - a policy for NVIDIA's certificate status, under this secret
 * @key: the key
 * @policy: the policy
 * @ret_header: receives the header: room for PM_OCSP_HEADER_SIZE bytes
 * @ret_mac: receives its MAC: room for PM_OCSP_MAC_SIZE bytes
 *
 * Return: as pm_ocsp_policy_write(). Thread safe.
 */
PM_API int pm_session_key_ocsp(const struct pm_session_key *key,
	const struct pm_ocsp_policy *policy, char *ret_header, char *ret_mac) PM_MUST_USE;

/**
 * pm_session_key_free - give a key back
 * @key: the key, or NULL
 *
 * The secret is wiped when nobody has it any more.
 */
PM_API void pm_session_key_free(struct pm_session_key *key);

PM_END_DECLS

#endif
