/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu_fetch.h
 * Client of NVIDIA's services for golden measurements (RIM) and revocation (OCSP): what the
 * verification of GPU evidence (gpu.h) needs and what did not come with the evidence.
 *
 * Nothing that these functions return is trusted. They look whether an answer has the shape of what
 * was asked for, and no further: whether NVIDIA signed it is for pm_rim_verify() and
 * pm_gpu_verify() to find out, each time, also for what came from the cache.
 *
 * Servers. Each service may have up to PM_GPU_FETCH_SERVERS_MAX servers, mirrors of each other,
 * which are asked in their order until one gives a good answer. Each may have a file with a bearer
 * token (a service key), which is read anew for each request and goes to that server alone.
 *
 * The cache. With a folder set, answers are kept there and serve all processes that share it:
 * - golden measurements for PM_GPU_FETCH_RIM_FRESH seconds, and never past the validity of a
 *   certificate in them: NVIDIA signs the same measurements anew from time to time;
 * - what OCSP says until its own nextUpdate, unless a nonce was sent.
 * What is older is fetched again. Where that fails, golden measurements that are still valid are
 * returned after all. What the cache holds may have been put there by a server that lies: when the
 * verifier rejects it, ask once more with PM_GPU_FETCH_REFRESH. Entries carry a checksum and appear
 * whole or not at all, as those of kds.h.
 *
 * Connections are those of kds.h too: HTTPS, or plain HTTP to this machine; redirects of a GET
 * within one origin.
 *
 * Thread safety: set a handle up in one thread; then any number of threads may fetch with it at
 * once. Calls that ask for the same thing at the same time make one request together.
 *
 * A library built without libcurl has these functions too: the fetches end with PM_E_UNSUPPORTED.
 *
 * Sources: NVIDIA RIM service API, version 1; RFC 6960 (OCSP), appendix A.
 */
#ifndef PM_GPU_FETCH_H
#define PM_GPU_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Where NVIDIA has golden measurements. */
#define PM_GPU_RIM_URL "https://rim.attestation.nvidia.com"
/** Where NVIDIA answers for its certificates. */
#define PM_GPU_OCSP_URL "https://ocsp.ndis.nvidia.com"
/** Most servers of a service. */
#define PM_GPU_FETCH_SERVERS_MAX 4
/** Longest name of golden measurements, in bytes without the final NUL. */
#define PM_GPU_FETCH_ID_MAX 128
/** Seconds for which golden measurements from the cache are as good as new ones: 7 days. */
#define PM_GPU_FETCH_RIM_FRESH 604800

/** The services. */
enum pm_gpu_service {
	/** Golden measurements. */
	PM_GPU_SERVICE_RIM = 1,
	/** Revocation. */
	PM_GPU_SERVICE_OCSP = 2
};

/** How a handle uses its cache. */
enum pm_gpu_fetch_mode {
	/** The cache first, then the services. */
	PM_GPU_FETCH_CACHE_FIRST = 0,
	/** The services always; what they answer replaces what the cache holds. */
	PM_GPU_FETCH_REFRESH = 1,
	/** The cache alone: no connection is made. */
	PM_GPU_FETCH_OFFLINE = 2
};

/** A client of both services, with its settings. Opaque. */
struct pm_gpu_fetch;

/**
 * pm_gpu_fetch_new - make a client of NVIDIA's services without a cache
 * @ret_fetch: receives the client, to be freed with pm_gpu_fetch_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO when the random generator can't be set up.
 */
PM_API int pm_gpu_fetch_new(struct pm_gpu_fetch **ret_fetch) PM_MUST_USE;

/**
 * pm_gpu_fetch_free - free a client
 * @fetch: the client, or NULL; no call may be under way with it
 *
 * The cache on disk stays.
 */
PM_API void pm_gpu_fetch_free(struct pm_gpu_fetch *fetch);

/**
 * pm_gpu_fetch_add_server - ask a server
 * @fetch: the client
 * @service: the service; its first server replaces NVIDIA's, further ones are asked when those
 *           before them fail
 * @url: "https://HOST[:PORT][/PATH]", or http for this machine alone; copied. Golden measurements
 *       are asked for at URL/v1/rim/ID; OCSP requests are posted to the URL itself.
 * @token_file: file with a bearer token for this server, copied; NULL for none
 * @report: receives the reason of a refusal, or NULL
 *
 * A server is trusted with nothing but the privacy of the questions, and with its token.
 *
 * Return: 0; PM_E_ARG for an unknown service; PM_E_LIMIT for a longer URL than 255 bytes and for
 * one server too many; PM_E_FORMAT for what is no such URL; PM_E_REJECTED for plain HTTP to
 * another machine; PM_E_NET when libcurl can't be set up; PM_E_NOMEM; PM_E_UNSUPPORTED without
 * libcurl.
 */
PM_API int pm_gpu_fetch_add_server(struct pm_gpu_fetch *fetch, enum pm_gpu_service service,
	const char *url, const char *token_file, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_cache - keep answers in a folder
 * @fetch: the client
 * @path: the folder, copied; NULL or "" for no cache. As for pm_kds_set_cache(), which may have the
 *        same.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_gpu_fetch_set_cache(struct pm_gpu_fetch *fetch, const char *path) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_mode - say how the cache is used
 * @fetch: the client
 * @mode: the mode
 *
 * Return: 0; PM_E_ARG for an unknown mode.
 */
PM_API int pm_gpu_fetch_set_mode(
	struct pm_gpu_fetch *fetch, enum pm_gpu_fetch_mode mode) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_ca_file - trust other certificate authorities for the connections
 * @fetch: the client
 * @path: PEM file, copied; NULL for the system's
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_gpu_fetch_set_ca_file(struct pm_gpu_fetch *fetch, const char *path) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_timeouts - bound the time of a call
 * @fetch: the client
 * @connect_ms: milliseconds for one connection, TLS included; 10000 without this call
 * @total_ms: milliseconds for the whole call, all servers and waits; 90000 without this call
 *
 * Return: 0; PM_E_ARG when one is 0 or above an hour.
 */
PM_API int pm_gpu_fetch_set_timeouts(
	struct pm_gpu_fetch *fetch, uint32_t connect_ms, uint32_t total_ms) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_attempts - bound the requests of a call to one server
 * @fetch: the client
 * @attempts: from 1 to 20; 5 without this call
 *
 * When all servers have failed, and one of them answered 429 or 5xx or broke the connection off,
 * all are asked again after a wait, as pm_kds_set_attempts() says.
 *
 * Return: 0; PM_E_ARG outside the range.
 */
PM_API int pm_gpu_fetch_set_attempts(struct pm_gpu_fetch *fetch, unsigned int attempts) PM_MUST_USE;

/**
 * pm_gpu_fetch_set_log - hear what the client does
 * @fetch: the client
 * @log: called with one line of text, without line end, that lives as long as the call; from the
 *       thread that fetches; NULL for silence. Tokens are never in it.
 * @arg: handed to log
 */
PM_API void pm_gpu_fetch_set_log(
	struct pm_gpu_fetch *fetch, void (*log)(void *arg, const char *text), void *arg);

/**
 * pm_gpu_fetch_rim - get golden measurements
 * @fetch: the client
 * @id: their name, such as pm_gpu_evidence_rim_id() makes it: letters, digits and "._-", at most
 *      PM_GPU_FETCH_ID_MAX
 * @now: seconds since 1970-01-01T00:00:00Z at which the certificates of a copy from the cache must
 *       be valid
 * @report: receives the reason of a failure, or NULL
 * @ret_xml: receives the document, input of pm_rim_parse(), to be freed with free()
 * @ret_size: receives its size
 *
 * The answer must be for this name and of TCG's format, and its digest must match: this finds
 * damage and mix-ups, not lies.
 *
 * Return: 0;
 * PM_E_ARG for what is no name;
 * PM_E_FORMAT for an answer that is no such document; PM_E_UNSUPPORTED for one of another format;
 * PM_E_MISSING when the service answers 404, or when offline and not in the cache;
 * PM_E_REJECTED for an answer with another name or digest;
 * PM_E_LIMIT for an answer that is too long;
 * PM_E_NET when the service can't be reached in time, or answers with another error;
 * PM_E_SYS, PM_E_FORMAT or PM_E_LIMIT for a bad token file;
 * PM_E_NOMEM; PM_E_CRYPTO; PM_E_UNSUPPORTED without libcurl. Of several servers, the first one's.
 */
PM_API int pm_gpu_fetch_rim(struct pm_gpu_fetch *fetch, const char *id, int64_t now,
	struct pm_report *report, uint8_t **ret_xml, size_t *ret_size) PM_MUST_USE;

/**
 * pm_gpu_fetch_ocsp - ask whether a certificate is revoked
 * @fetch: the client
 * @cert: the certificate, DER
 * @cert_size: how many bytes
 * @issuer: its issuer's, DER
 * @issuer_size: how many bytes
 * @nonce: PM_OCSP_NONCE_SIZE random bytes for an answer that nobody had before, and that no cache
 *         holds: then pm_ocsp_set_add_for() takes it; NULL for an answer that may be some hours old
 * @now: seconds since 1970-01-01T00:00:00Z at which the answer must be current
 * @report: receives the reason of a failure, or NULL
 * @ret_der: receives the response, input of pm_ocsp_set_add(), to be freed with free()
 * @ret_size: receives its size
 *
 * Return: as pm_gpu_fetch_rim(); PM_E_REJECTED also when the responder has no answer, or answers
 * for another certificate; PM_E_STALE when its answer is not current; PM_E_FORMAT also for what is
 * no certificate.
 */
PM_API int pm_gpu_fetch_ocsp(struct pm_gpu_fetch *fetch, const uint8_t *cert, size_t cert_size,
	const uint8_t *issuer, size_t issuer_size, const uint8_t *nonce, int64_t now,
	struct pm_report *report, uint8_t **ret_der, size_t *ret_size) PM_MUST_USE;

PM_END_DECLS

#endif
