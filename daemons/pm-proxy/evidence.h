/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence for clients of direct mode: bundles that bind this process's key to the processor's
 * report. A security processor signs some tens of reports a second, so a thread gathers all nonces
 * that came while one report was made, and has the next one made for all of them.
 */
#ifndef PROXY_EVIDENCE_H
#define PROXY_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include <pm/bundle.h>
#include <pm/collect.h>

#include "common/loop.h"

/* Askers that may wait at a time; further ones are turned away. */
#define EVIDENCE_ASKERS_MAX 8192
#define EVIDENCE_FILES_MAX  8

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

struct evidence;
/* Somebody who waits. */
struct evidence_ask;

/* The answer, in the loop of who asked: 0 and the bundle, or a negative enum pm_error. */
typedef void evidence_done(void *arg, int error, const uint8_t *bundle, size_t len);

/*
 * options must outlive it; public_key has PM_CLAIMS_XWING_SIZE bytes. Reads the files. The thread
 * begins with the first question: by then privileges are given up. 0, or 2 when it said what is
 * wrong.
 */
int evidence_new(const struct evidence_options *options, const uint8_t *public_key,
	struct evidence **ret_evidence);

/* The thread ends; the loops are still there, so that it can deliver what it has. */
void evidence_end(struct evidence *evidence);

/* After evidence_end(). */
void evidence_free(struct evidence *evidence);

/* NULL when too many wait, or without memory. From any loop. */
struct evidence_ask *evidence_ask(struct evidence *evidence, struct loop *loop,
	const uint8_t nonce[PM_BUNDLE_NONCE_SIZE], evidence_done *done, void *arg);

/* Nobody waits any more: done is not called. From the loop of who asked. */
void evidence_cancel(struct evidence_ask *ask);

#endif
