/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <pm/gpu.h>
#include <pm/seal.h>
#include <pm/snp.h>
#include <pm/text.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/metrics.h"
#include "common/tls_digest.h"
#include "common/whole_file.h"
#include "pm-coordinator/consents.h"
#include "pm-coordinator/job.h"
#include "pm-coordinator/options.h"
#include "pm-coordinator/peer.h"

#define PREFIX	      "pm_coordinator"
#define FILE_SIZE_MAX 1048576
#define CACHE_ENTRIES 1024

/* What files say; NULL: not given. */
struct files {
	char *owners;
	size_t owners_len;
	struct store_files store;
};

/* What main() has beside the coordinator. */
struct program {
	struct coordinator c;
	struct files files;
	struct peers_options peers;
};

/* --- files ----------------------------------------------------------------------------------- */

static int read_files(struct program *p)
{
	const struct coordinator_options *o = p->c.options;
	struct files *f = &p->files;
	int r = whole_file_read(o->owners, FILE_SIZE_MAX, &f->owners, &f->owners_len);

	return r == 0 ? store_files_read(&o->store, &f->store) : r;
}

static int parse_owners(struct program *p)
{
	const char *text = p->files.owners;
	struct pm_report *report = pm_report_new();
	int r = text ? pm_manifest_owners_parse(text, p->files.owners_len, report, &p->c.owners)
		     : 0;

	if (r < 0)
		warnx("%s: %s", p->c.options->owners,
			report ? pm_report_reason(report) : pm_strerror(r));
	pm_report_free(report);
	return r < 0 ? 2 : 0;
}

/* --- keys and evidence ----------------------------------------------------------------------- */

static int make_keys(struct coordinator *c)
{
	uint8_t digest[TLS_DIGEST_SIZE];
	int r = pm_box_key_new(&c->box);

	if (r == PM_OK)
		r = pm_mesh_key_new(&c->key);
	if (r == PM_OK)
		r = pm_snp_cache_new(CACHE_ENTRIES, &c->snp_cache);
	if (r == PM_OK)
		r = pm_gpu_cache_new(CACHE_ENTRIES, &c->gpu_cache);
	if (r == PM_OK)
		r = tls_sha256(pm_box_key_public(c->box), PM_BOX_PUBLIC_SIZE, digest);
	c->visitors = visitors_new(c->options->rate);
	if (r < 0 || !c->visitors) {
		warnx("out of memory");
		return 2;
	}
	pm_hex_encode(digest, (COORDINATOR_ID_SIZE - 1) / 2, c->id);
	return 0;
}

static int make_evidence(struct coordinator *c)
{
	const struct evidence_subject subject = {
		.key_kind = PM_CLAIMS_XWING,
		.key = pm_box_key_public(c->box),
		.key_len = PM_BOX_PUBLIC_SIZE,
	};
	int r = evidence_new(&c->options->evidence, &subject, &c->evidence);

	return r == 0 ? evidence_new(&c->options->evidence, NULL, &c->peer_evidence) : r;
}

static int set_up(struct program *p)
{
	int r = read_files(p);

	if (r == 0)
		r = parse_owners(p);
	if (r == 0)
		r = make_keys(&p->c);
	return r == 0 ? make_evidence(&p->c) : r;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void close_loop(struct loop *loop, void *arg)
{
	struct program *p = arg;
	struct coordinator *c = &p->c;

	(void)loop;
	if (c->tick)
		event_free(c->tick);
	store_close(c->store);
	commit_free(c->commit);
	journal_free(c->journal);
	c->tick = NULL;
	c->store = NULL;
	c->commit = NULL;
	c->journal = NULL;
}

static int open_loop(struct loop *loop, void *arg)
{
	struct program *p = arg;
	struct coordinator *c = &p->c;
	int r;

	c->loop = loop;
	p->peers = (struct peers_options){
		.urls = c->options->peers,
		.count = c->options->peer_count,
		.ca_file = c->options->peer_ca,
		.evidence = c->peer_evidence,
	};
	r = store_open_by_options(loop, &c->options->store, &p->files.store, &c->store);
	if (r == PM_OK) {
		c->journal = journal_new(loop, c->store);
		c->peers = peers_new(loop, &p->peers);
		r = c->journal && c->peers ? look_start(c) : PM_E_NOMEM;
	}
	if (r < 0)
		close_loop(loop, arg);
	return r;
}

/* Threads end while the loop still takes what they deliver. */
static void end(void *arg)
{
	struct program *p = arg;

	peers_free(p->c.peers);
	p->c.peers = NULL;
	evidence_end(p->c.evidence);
}

/* --- metrics --------------------------------------------------------------------------------- */

static void write_metrics(struct evbuffer *out, void *arg)
{
	const struct coordinator *c = &((struct program *)arg)->c;
	const struct tenure *t = coordinator_newest(c);
	enum machine_state state = coordinator_state(c);

	metrics_begin(out, PREFIX "_state", "gauge", "1 for the state that it is in.");
	for (enum machine_state s = MACHINE_EMPTY; s <= MACHINE_STALE; s++)
		metrics_sample(
			out, PREFIX "_state", "state", coordinator_state_name(s), s == state);
	metrics_single(out, PREFIX "_serial", "gauge", "Serial number of the manifest, 0 for none.",
		t ? (int64_t)t->head->at.serial : 0);
	metrics_single(out, PREFIX "_manifest_not_after", "gauge",
		"End of the manifest, seconds since 1970; 0 for none.",
		t && t->manifest ? pm_manifest_not_after(t->manifest) : 0);
	metrics_single(out, PREFIX "_replicas", "gauge", "Coordinators that use the store.",
		(int64_t)c->replicas);
	metrics_single(out, PREFIX "_joined_total", "counter", "Joins that were accepted.",
		(int64_t)c->joins);
	metrics_single(out, PREFIX "_refused_total", "counter", "Joins that were refused.",
		(int64_t)c->refusals);
	metrics_single(out, PREFIX "_manifests_total", "counter",
		"Manifests that took force by this process.", (int64_t)c->manifests);
	metrics_single(out, PREFIX "_limited_total", "counter",
		"Requests above the rate of their address.", (int64_t)c->limited);
}

static bool is_ready(void *arg)
{
	return coordinator_state(&((struct program *)arg)->c) == MACHINE_READY;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int run(struct program *p)
{
	struct http_handler handler = job_handler;
	const struct daemon_program program = {
		.name = "pm-coordinator",
		.metrics_prefix = PREFIX,
		.handler = &handler,
		.open_loop = open_loop,
		.close_loop = close_loop,
		.end = end,
		.is_ready = is_ready,
		.metrics = write_metrics,
		.arg = p,
	};

	handler.arg = &p->c;
	return daemon_run(&p->c.options->common, &program);
}

static void tear_down(struct program *p)
{
	struct coordinator *c = &p->c;

	peers_free(c->peers);
	evidence_end(c->evidence);
	evidence_free(c->evidence);
	evidence_free(c->peer_evidence);
	tenure_free(c->own);
	tenure_free(c->seen);
	pm_seal_key_free(c->state_key);
	consents_free(c->consents);
	pm_seed_free(c->seed);
	pm_manifest_owners_free(c->owners);
	pm_box_key_free(c->box);
	pm_mesh_key_free(c->key);
	pm_snp_cache_free(c->snp_cache);
	pm_gpu_cache_free(c->gpu_cache);
	visitors_free(c->visitors);
	free(p->files.owners);
	store_files_clear(&p->files.store);
}

int main(int argc, char **argv)
{
	struct coordinator_options options;
	struct program p = {.c = {.options = &options}};
	int r = options_parse(argc, argv, &options);

	if (r != OPTIONS_RUN)
		return r;
	memory_wipe_freed();
	r = set_up(&p);
	if (r == 0)
		r = run(&p);
	tear_down(&p);
	return r;
}
