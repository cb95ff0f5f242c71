/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct peers {
	struct loop *loop;
	const struct peers_options *options;
	pthread_t thread;
	bool has_thread; /* begun and not joined */
	atomic_bool is_ending;
	char *manifest;
	size_t len;
	struct pm_membership *membership;
	peers_done *done;
	void *arg;
};

static int collect(void *arg, const struct pm_join_request *request, struct pm_report *report,
	uint8_t **ret_bundle, size_t *ret_len)
{
	struct peers *peers = arg;
	const struct evidence_subject subject = {
		.key_kind = PM_CLAIMS_SPKI,
		.key = request->key,
		.key_len = request->key_len,
		.document = request->document,
		.document_len = request->document_len,
	};

	(void)report;
	return evidence_make(
		peers->options->evidence, request->nonce, &subject, ret_bundle, ret_len);
}

static bool ask(struct peers *peers, const char *url, const struct pm_manifest *manifest)
{
	struct pm_join_options options = {
		.size = sizeof(options),
		.role = PM_MESH_ROLE_COORDINATOR,
		.purpose = PM_MESH_SIGN,
		.collect = collect,
		.arg = peers,
		.manifest = manifest,
		.ca_file = peers->options->ca_file,
		.connect_ms = 2000,
		.total_ms = 10000,
	};
	struct pm_verdict *verdict = pm_verdict_new();
	struct pm_report *report = pm_report_new();
	const char *reason;
	int r = PM_E_NOMEM;

	if (verdict && report)
		r = pm_join(url, &options, verdict, report, &peers->membership);
	reason = verdict && *pm_verdict_reason(verdict) ? pm_verdict_reason(verdict)
		 : report				? pm_report_reason(report)
							: "";
	log_event(r < 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "peer", "url", url, "result",
		r < 0 ? pm_strerror(r) : "keys", "reason", r < 0 ? reason : NULL, NULL);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return r == PM_OK;
}

/* In the loop. */
static void deliver(void *arg)
{
	struct peers *peers = arg;
	struct pm_membership *membership = peers->membership;

	pthread_join(peers->thread, NULL);
	peers->has_thread = false;
	peers->membership = NULL;
	free(peers->manifest);
	peers->manifest = NULL;
	peers->done(peers->arg, membership);
}

static void *run(void *arg)
{
	struct peers *peers = arg;
	struct pm_manifest *manifest = NULL;
	bool had = false;

	if (pm_manifest_parse(peers->manifest, peers->len, NULL, &manifest) == PM_OK)
		for (size_t i = 0; !had && !peers->is_ending && i < peers->options->count; i++)
			had = ask(peers, peers->options->urls[i], manifest);
	pm_manifest_free(manifest);
	if (loop_post(peers->loop, deliver, peers) < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
	return NULL;
}

struct peers *peers_new(struct loop *loop, const struct peers_options *options)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		return NULL;
	peers->loop = loop;
	peers->options = options;
	return peers;
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	peers->is_ending = true;
	if (peers->has_thread)
		pthread_join(peers->thread, NULL);
	pm_membership_free(peers->membership);
	free(peers->manifest);
	free(peers);
}

bool peers_ask(struct peers *peers, const void *manifest, size_t len, peers_done *done, void *arg)
{
	sigset_t all, before;

	if (peers->has_thread || !peers->options->count)
		return false;
	peers->manifest = malloc(len ? len : 1);
	if (!peers->manifest)
		return false;
	memcpy(peers->manifest, manifest, len);
	peers->len = len;
	peers->done = done;
	peers->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	peers->has_thread = pthread_create(&peers->thread, NULL, run, peers) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!peers->has_thread) {
		free(peers->manifest);
		peers->manifest = NULL;
	}
	return peers->has_thread;
}
