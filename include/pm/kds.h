/* SPDX-License-Identifier: Apache-2.0 */
/** @file kds.h
 * Client of AMD's Key Distribution Service (KDS): the certificates and revocation lists that the
 * verification of SEV-SNP evidence (snp.h) needs and that did not come with the evidence.
 *
 * Nothing that these functions return is trusted. They look whether an answer has the shape of a
 * certificate, a chain or a revocation list, and no further: whether AMD signed it, and whether it
 * belongs to the evidence, is for pm_snp_verify() to find out, each time, also for what came from
 * the cache.
 *
 * What is asked for comes from evidence that nobody has verified yet. So a call works for a bounded
 * time with a bounded number of requests; make one pm_kds_vcek() call for a piece of evidence, and
 * only once its other checks, which need no certificate, have passed. The service limits VCEK
 * requests to about one in ten seconds for an address: best is a server that sends its VCEK along.
 *
 * The cache. With a folder set, answers are kept there and serve all processes that share it:
 * - a VCEK for as long as it is valid: for one chip and TCB there is but one key;
 * - a chain for PM_KDS_CHAIN_FRESH seconds, since AMD has replaced an intermediate key before;
 * - a revocation list for PM_KDS_CRL_FRESH seconds, and never past its nextUpdate.
 * What is older is fetched again. Where that fails, the older copy is returned after all, except
 * for a revocation list past its nextUpdate. That is safe, because nothing from here is trusted and
 * the verifier looks at each time again; it keeps a client alive through an outage. Each entry
 * carries a checksum; one that is damaged, too long, not a plain file or a symbolic link is taken
 * for missing and replaced. Entries appear whole or not at all. A cache that can't be written costs
 * a message to the log function, nothing else. Nothing is ever removed from it but by replacement.
 *
 * Connections. HTTPS with the system's certificate authorities (or pm_kds_set_ca_file()), TLS 1.2
 * or newer. Plain HTTP is accepted for a mirror on this machine alone: http://127.0.0.1,
 * http://localhost, http://[::1]. Redirects are followed within one scheme, host and port only.
 * Proxies for HTTPS are taken from the environment (https_proxy, all_proxy, no_proxy), as libcurl
 * does by itself; plain HTTP never takes one.
 *
 * Thread safety: set a handle up in one thread; then any number of threads may fetch with it at
 * once. Calls that ask for the same thing at the same time make one request together.
 *
 * A library built without libcurl has these functions too: the fetches end with PM_E_UNSUPPORTED.
 *
 * Source: AMD 57230 (Versioned Chip Endorsement Key Certificate and KDS Interface Specification),
 * chapter 4.
 */
#ifndef PM_KDS_H
#define PM_KDS_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>
#include <pm/snp.h>

PM_BEGIN_DECLS

/** Where AMD runs the service. */
#define PM_KDS_URL "https://kdsintf.amd.com"
/** Longest base URL, in bytes without the final NUL. */
#define PM_KDS_URL_MAX 255

/** Longest VCEK that is accepted, in bytes. */
#define PM_KDS_VCEK_MAX 16384
/** Longest chain that is accepted, in bytes. */
#define PM_KDS_CHAIN_MAX 65536
/** Longest revocation list that is accepted, in bytes. */
#define PM_KDS_CRL_MAX 1048576

/** Seconds for which a chain from the cache is as good as a new one: 30 days. */
#define PM_KDS_CHAIN_FRESH 2592000
/** Seconds for which a revocation list from the cache is as good as a new one: a day. */
#define PM_KDS_CRL_FRESH 86400

/** Milliseconds to connect, unless pm_kds_set_timeouts() says otherwise. */
#define PM_KDS_CONNECT_MS 10000
/** Milliseconds for one call, unless pm_kds_set_timeouts() says otherwise. */
#define PM_KDS_TOTAL_MS 90000
/** Most milliseconds that pm_kds_set_timeouts() takes: an hour. */
#define PM_KDS_TIMEOUT_MAX_MS 3600000
/** Requests that one call makes, unless pm_kds_set_attempts() says otherwise. */
#define PM_KDS_ATTEMPTS 5
/** Most requests that pm_kds_set_attempts() takes. */
#define PM_KDS_ATTEMPTS_MAX 20

/** How a handle uses its cache. */
enum pm_kds_mode {
	/** The cache first, then the service. */
	PM_KDS_CACHE_FIRST = 0,
	/**
	 * The service always; what it answers replaces what the cache holds. For the case that the
	 * verifier rejected what the cache gave.
	 */
	PM_KDS_REFRESH = 1,
	/** The cache alone: no connection is made. */
	PM_KDS_OFFLINE = 2
};

/** A client of the service, with its settings. Opaque. */
struct pm_kds;

/**
 * pm_kds_new - make a client of PM_KDS_URL without a cache
 * @ret_kds: receives the client, to be freed with pm_kds_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO when the random generator can't be set up.
 */
PM_API int pm_kds_new(struct pm_kds **ret_kds) PM_MUST_USE;

/**
 * pm_kds_free - free a client
 * @kds: the client, or NULL; no call may be under way with it
 *
 * The cache on disk stays.
 */
PM_API void pm_kds_free(struct pm_kds *kds);

/**
 * pm_kds_set_base_url - use a mirror of the service
 * @kds: the client
 * @url: "https://HOST[:PORT][/PATH]", or http for this machine alone (see above); no user name, no
 *       query, no fragment. Copied.
 * @report: receives the reason of a refusal, or NULL
 *
 * A mirror is trusted with nothing but the privacy of the questions: which chips are asked about.
 *
 * Return: 0; PM_E_LIMIT above PM_KDS_URL_MAX; PM_E_FORMAT for what is no such URL; PM_E_REJECTED
 * for plain HTTP to another machine; PM_E_NET when libcurl can't be set up; PM_E_NOMEM;
 * PM_E_UNSUPPORTED without libcurl.
 */
PM_API int pm_kds_set_base_url(
	struct pm_kds *kds, const char *url, struct pm_report *report) PM_MUST_USE;

/**
 * pm_kds_set_cache - keep answers in a folder
 * @kds: the client
 * @path: the folder, copied; NULL or "" for no cache. It and its parents are made, with mode 0700,
 *        when the first answer is stored.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_kds_set_cache(struct pm_kds *kds, const char *path) PM_MUST_USE;

/**
 * pm_kds_set_mode - say how the cache is used
 * @kds: the client
 * @mode: the mode
 *
 * Return: 0; PM_E_ARG for an unknown mode.
 */
PM_API int pm_kds_set_mode(struct pm_kds *kds, enum pm_kds_mode mode) PM_MUST_USE;

/**
 * pm_kds_set_ca_file - trust other certificate authorities for the connection
 * @kds: the client
 * @path: PEM file, copied; NULL for the system's
 *
 * This says who may run the mirror. It has no bearing on the evidence, whose roots are pinned.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_kds_set_ca_file(struct pm_kds *kds, const char *path) PM_MUST_USE;

/**
 * pm_kds_set_timeouts - bound the time of a call
 * @kds: the client
 * @connect_ms: milliseconds for one connection, TLS included
 * @total_ms: milliseconds for the whole call: all requests, and the waits between them
 *
 * Return: 0; PM_E_ARG when one is 0 or above PM_KDS_TIMEOUT_MAX_MS.
 */
PM_API int pm_kds_set_timeouts(
	struct pm_kds *kds, uint32_t connect_ms, uint32_t total_ms) PM_MUST_USE;

/**
 * pm_kds_set_attempts - bound the requests of a call
 * @kds: the client
 * @attempts: from 1 to PM_KDS_ATTEMPTS_MAX
 *
 * A request is repeated when the service answers 429 or 5xx or breaks the connection off, after the
 * time that its Retry-After asks for, else after 2, 4, 8... seconds with a random addition, as far
 * as the time of the call reaches. When the name can't be resolved or no connection comes about,
 * the call fails at once.
 *
 * Return: 0; PM_E_ARG outside the range.
 */
PM_API int pm_kds_set_attempts(struct pm_kds *kds, unsigned int attempts) PM_MUST_USE;

/**
 * pm_kds_set_log - hear what the client does
 * @kds: the client
 * @log: called with one line of text, without line end, that lives as long as the call, such as
 *       "KDS answered 429"; from the thread that fetches; NULL for silence
 * @arg: handed to log
 */
PM_API void pm_kds_set_log(struct pm_kds *kds, void (*log)(void *arg, const char *text), void *arg);

/**
 * pm_kds_vcek - get the certificate of a chip's VCEK for one TCB version
 * @kds: the client
 * @product: product of the chip
 * @hwid: CHIP_ID of the report
 * @hwid_len: 64; for Turin 8, or 64 with zeros after the first 8
 * @tcb: REPORTED_TCB of the report; fmc counts for Turin only
 * @report: receives the reason of a failure, or NULL
 * @ret_der: receives the certificate in DER, to be freed with free()
 * @ret_len: receives its length
 *
 * VLEKs can't be had this way: their certificates come from the cloud provider, with the evidence.
 *
 * Return: 0;
 * PM_E_ARG for an unknown product or another hwid_len;
 * PM_E_FORMAT for a Turin hwid with more than 8 bytes set, or an answer that is no certificate;
 * PM_E_MISSING when hwid is all zero (the platform hides it), when the service answers 404, or when
 * offline and not in the cache;
 * PM_E_LIMIT for an answer above PM_KDS_VCEK_MAX;
 * PM_E_NET when the service can't be reached in time, or answers with another error;
 * PM_E_NOMEM; PM_E_UNSUPPORTED without libcurl.
 */
PM_API int pm_kds_vcek(struct pm_kds *kds, enum pm_snp_product product, const uint8_t *hwid,
	size_t hwid_len, const struct pm_snp_tcb *tcb, struct pm_report *report, uint8_t **ret_der,
	size_t *ret_len) PM_MUST_USE;

/**
 * pm_kds_chain - get the certificates above the VCEKs or VLEKs of a product
 * @kds: the client
 * @product: the product
 * @signer: kind of key
 * @report: receives the reason of a failure, or NULL
 * @ret_pem: receives two certificates in PEM, ASK or ASVK and then ARK, to be freed with free();
 *           not NUL-terminated
 * @ret_len: receives the length of the text
 *
 * Return: as pm_kds_vcek(); PM_E_ARG also for an unknown signer; the limit is PM_KDS_CHAIN_MAX.
 */
PM_API int pm_kds_chain(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_report *report, uint8_t **ret_pem, size_t *ret_len) PM_MUST_USE;

/**
 * pm_kds_crl - get the revocation list of a product's root
 * @kds: the client
 * @product: the product
 * @signer: kind of key
 * @now: seconds since 1970-01-01T00:00:00Z at which the list must be current
 * @report: receives the reason of a failure, or NULL
 * @ret_der: receives the list in DER, to be freed with free()
 * @ret_len: receives its length
 *
 * Return: as pm_kds_chain(); PM_E_STALE when the service's list is not current at that time, or
 * does not say until when it is; the limit is PM_KDS_CRL_MAX.
 */
PM_API int pm_kds_crl(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	int64_t now, struct pm_report *report, uint8_t **ret_der, size_t *ret_len) PM_MUST_USE;

PM_END_DECLS

#endif
