/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of this process: bundles that bind a key of it to the processor's report. A security
 * processor signs some tens of reports a second, so a thread gathers all nonces that came while one
 * report was made, and has the next one made for all of them.
 */
#ifndef COMMON_EVIDENCE_H
#define COMMON_EVIDENCE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/bundle.h>
#include <pm/collect.h>

#include "common/loop.h"

/* Askers that may wait at a time; further ones are turned away. */
#define EVIDENCE_ASKERS_MAX 8192
#define EVIDENCE_FILES_MAX  8
/* Longest document that evidence is bound to. */
#define EVIDENCE_DOCUMENT_MAX 16777216

/* --- options --------------------------------------------------------------------------------- */

/* Begin with evidence_options_init(). */
struct evidence_options {
	const char *role;
	const char *models[PM_CLAIMS_MODELS_MAX]; /* NAME=ROOT HASH */
	size_t model_count;
	const char *certs[EVIDENCE_FILES_MAX]; /* where the host gives none */
	size_t cert_count;
	const char *crls[PM_BUNDLE_CRLS_MAX];
	size_t crl_count;
	const char *gpu_folder; /* NULL: without GPUs */
	struct pm_collect_options collect;
};

enum {
	EVIDENCE_OPTION_ROLE = 1100,
	EVIDENCE_OPTION_MODEL,
	EVIDENCE_OPTION_ATTESTER,
	EVIDENCE_OPTION_CERT,
	EVIDENCE_OPTION_CRL,
	EVIDENCE_OPTION_GPU,
};

/* Rows of the program's own table: who we are, where that is not given by the program, ... */
/* clang-format off */
#define EVIDENCE_ROLE_ROWS                                                                         \
	{"role", required_argument, NULL, EVIDENCE_OPTION_ROLE},                                   \
	{"model", required_argument, NULL, EVIDENCE_OPTION_MODEL}
/* ... where reports come from, ... */
#define EVIDENCE_OPTION_ROWS                                                                       \
	{"attester", required_argument, NULL, EVIDENCE_OPTION_ATTESTER},                           \
	{"snp-cert", required_argument, NULL, EVIDENCE_OPTION_CERT},                               \
	{"snp-crl", required_argument, NULL, EVIDENCE_OPTION_CRL}
/* ... and what is sent along of GPUs. */
#define EVIDENCE_GPU_ROWS                                                                          \
	{"gpu-evidence", required_argument, NULL, EVIDENCE_OPTION_GPU}
/* clang-format on */

#define EVIDENCE_ROLE_HELP                                                                         \
	"  --role NAME            the role of the manifest that this process has\n"                \
	"  --model NAME=ROOT      and a model disk that it has mounted; may be repeated\n"
#define EVIDENCE_OPTION_HELP                                                                       \
	"  --attester SOCKET      where reports come from (default: the kernel)\n"                 \
	"  --snp-cert FILE        and certificates, where the host gives none; may be repeated\n"  \
	"  --snp-crl FILE         and a revocation list to send along; may be repeated\n"
#define EVIDENCE_GPU_HELP "  --gpu-evidence DIR     and send along what pm-agent --evidence wrote\n"

void evidence_options_init(struct evidence_options *o);

/* Is it an option of one of these rows? */
bool evidence_is_option(int id);
/* Takes it: 0, or 2 when it said what is wrong. */
int evidence_option(struct evidence_options *o, int id, const char *value);

/* --- evidence -------------------------------------------------------------------------------- */

/* What evidence is bound to: who holds the private key of it is this process. */
struct evidence_subject {
	enum pm_claims_key key_kind;
	const uint8_t *key;
	size_t key_len;
	const uint8_t *tls_spki_sha256; /* 32 bytes; NULL: no TLS key is claimed */
	const void *document;		/* NULL: none yet, or never */
	size_t document_len;
};

struct evidence;
/* Somebody who waits. */
struct evidence_ask;

/* What the done function gets; it is gone when that returns. */
struct evidence_answer {
	int error; /* 0, or a negative enum pm_error: then there is nothing else */
	const uint8_t *bundle;
	size_t len;
	/* The document that was bound when this report was asked for, or NULL. */
	const void *document;
	size_t document_len;
};

/* In the loop of who asked. */
typedef void evidence_done(void *arg, const struct evidence_answer *answer);

/*
 * options must outlive it; what the subject points to is copied; without a subject there is
 * evidence_make() with one only. Reads the files. The thread begins
 * with the first question: by then privileges are given up. 0, or 2 when it said what is wrong.
 */
int evidence_new(const struct evidence_options *options, const struct evidence_subject *subject,
	struct evidence **ret_evidence);

/*
 * From now on evidence is bound to a copy of this document; NULL: to none. Each answer comes with
 * the document that it is bound to, also when that was replaced meanwhile. From any thread. 0;
 * PM_E_NOMEM, PM_E_LIMIT, PM_E_CRYPTO.
 */
int evidence_set_document(struct evidence *evidence, const void *document, size_t len);

/* The thread ends; the loops are still there, so that it can deliver what it has. */
void evidence_end(struct evidence *evidence);

/* After evidence_end(). */
void evidence_free(struct evidence *evidence);

/* NULL when too many wait, or without memory. From any loop. */
struct evidence_ask *evidence_ask(struct evidence *evidence, struct loop *loop,
	const uint8_t nonce[PM_BUNDLE_NONCE_SIZE], evidence_done *done, void *arg);

/* Nobody waits any more: done is not called. From the loop of who asked. */
void evidence_cancel(struct evidence_ask *ask);

/*
 * For who has a thread to wait in: one bundle for one nonce, to be freed. subject NULL: that of
 * evidence_new(); else its key, TLS key and document stand in place of those. Not beside
 * evidence_ask() of the same evidence, nor from two threads. 0 or a negative enum pm_error.
 */
int evidence_make(struct evidence *evidence, const uint8_t nonce[PM_BUNDLE_NONCE_SIZE],
	const struct evidence_subject *subject, uint8_t **ret_bundle, size_t *ret_len);

#endif
