/* SPDX-License-Identifier: Apache-2.0 */
/* Direct mode: this process has a key of its own, proves it to clients, and agrees with them. */
#ifndef PROXY_DIRECT_H
#define PROXY_DIRECT_H

#include "common/evidence.h"
#include "pm-proxy/job.h"

/* Where clients ask for evidence: {"Nonce": base64 of 32 bytes}. */
#define DIRECT_EVIDENCE_PATH "/pm/v1/evidence"

struct direct;

/* 0, or 2 when it said what is wrong. */
int direct_new(const struct evidence_options *options, struct direct **ret_direct);
/* Writes the public key, whole or not at all: 0, or 2 when it said what is wrong. */
int direct_write_key(const struct direct *direct, const char *path);
/* The thread that collects evidence ends; while the loops are still there. */
void direct_end(struct direct *direct);
void direct_free(struct direct *direct);

/* Is the request for direct mode? Then its body goes to direct_take() and direct_finish(). */
bool direct_is_for(const struct direct *direct, const struct http_request *request);
void direct_take(struct job *job, const char *bytes, size_t len);
void direct_finish(struct job *job);

#endif
