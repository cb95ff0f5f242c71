/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the coordinator's client share. */
#ifndef PM_NET_COORDINATOR_H
#define PM_NET_COORDINATOR_H

#include <pm/box.h>
#include <pm/coordinator.h>

#include "crypto/x509.h"
#include "net/ask.h"
#include "policy/history.h"

#define PM_COORDINATOR_CHECK "coordinator"

struct pm_coordinator {
	struct pm_ask_server server; /* whose texts it owns */
	char *url, *ca_file, *memory_file;
	int64_t max_age;
	struct pm_net_clock clock;
	struct pm_snp_cache *snp_cache;
	struct pm_gpu_cache *gpu_cache;
};

/* What a document says. A blob without bytes, and has_..., stand for null. */
struct pm_document {
	unsigned int state; /* an enum pm_coordinator_state */
	struct pm_blob manifest_bytes;
	struct pm_manifest *manifest;
	struct pm_history *history;
	bool has_history_key, has_audit_key;
	struct pm_sign_public history_key, audit_key;
	struct pm_blob root_ca, mesh_ca;
	bool has_log;
	int64_t log_entries;
	uint8_t log_head[PM_MANIFEST_HASH_SIZE];
	bool has_commitment;
	uint8_t commitment[PM_COORDINATOR_COMMITMENT_SIZE];
};

struct pm_deployment {
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct pm_blob bundle, text; /* as received; text is the document's */
	struct pm_document document;
	const struct pm_appraised *appraised;
};

PM_OWNER(pm_coordinator, pm_coordinator_free);
PM_OWNER(pm_deployment, pm_deployment_free);
PM_OWNER(pm_coordinator_workers, pm_coordinator_workers_free);

/* For tests, and for a session that has its own. */
void pm_coordinator_set_clock(struct pm_coordinator *coordinator, const struct pm_net_clock *clock);

/* A word of enum pm_coordinator_state, into an unsigned int. */
int pm_coordinator_read_state(PM_ASK_ARGS);

/* PM_E_FORMAT, PM_E_LIMIT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_document_parse(
	struct pm_view text, struct pm_report *report, struct pm_document *ret) PM_MUST_USE;
void pm_document_clear(struct pm_document *document);

/*
 * Is it a CA of a P-384 key that certifies itself, now? PM_E_REJECTED, PM_E_STALE,
 * PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_coordinator_check_ca(const char *name, const struct pm_cert *ca, int64_t now,
	struct pm_report *report) PM_MUST_USE;

/* A share in its box. Errors as pm_coordinator_recover(). */
int pm_coordinator_send_share(struct pm_coordinator *coordinator, struct pm_view box,
	struct pm_report *report, struct pm_coordinator_status *ret_status) PM_MUST_USE;

/* Takes what was proved of the coordinator out of the deployment, which is then of no more use. */
const struct pm_appraised *pm_deployment_take(struct pm_deployment *deployment);

#endif
