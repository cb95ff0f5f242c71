/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <pm/coordinator.h>
#include <pm/error.h>
#include <pm/report.h>
#include <pm/text.h>

#include "common/log.h"
#include "common/mesh_files.h"
#include "common/mesh_gpus.h"
#include "common/mesh_join.h"
#include "common/mesh_papers.h"
#include "common/metrics.h"
#include "common/tls_digest.h"

/* After a failure, in milliseconds: twice as long each time. */
#define RETRY_FIRST 1000
#define RETRY_LAST  60000
/* Between two looks for evidence of GPUs, which is a folder of this machine. */
#define GPU_LOOK 1000
/* Between two looks at the coordinator's status. */
#define LOOK 15000
/* Between a join and the next because of a doubt. */
#define DOUBT 10000

struct watcher {
	struct loop *loop;
	mesh_changed *changed;
	void *arg;
};

struct mesh {
	/* Copies: a thread that was left behind shall not look at what has gone. */
	struct mesh_options options;
	struct evidence_options evidence_options;
	struct evidence *evidence;
	struct watcher watchers[MESH_WATCHERS_MAX];
	size_t watcher_count;
	pthread_t thread;
	bool has_thread, is_left;
	atomic_uint_fast64_t joined, failed;
	struct mesh_gpus gpus; /* of the thread, as what follows */
	uint64_t generation;
	int64_t join_at, look_at, joined_at; /* milliseconds of loop_now() */
	int64_t pause;			     /* milliseconds */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct service *service;
	const struct mesh_identity *identity;
	bool is_ending, is_busy, is_doubtful;
};

/* --- who holds what -------------------------------------------------------------------------- */

static bool is_valid(const struct mesh_identity *identity)
{
	return identity && (int64_t)time(NULL) < identity->expires;
}

const struct mesh_identity *mesh_hold(struct mesh *mesh)
{
	const struct mesh_identity *identity = NULL;

	pthread_mutex_lock(&mesh->lock);
	if (is_valid(mesh->identity))
		identity = mesh_identity_ref(mesh->identity);
	pthread_mutex_unlock(&mesh->lock);
	return identity;
}

bool mesh_is_ready(struct mesh *mesh)
{
	bool ready;

	pthread_mutex_lock(&mesh->lock);
	ready = is_valid(mesh->identity);
	pthread_mutex_unlock(&mesh->lock);
	return ready;
}

void mesh_doubt(struct mesh *mesh)
{
	pthread_mutex_lock(&mesh->lock);
	mesh->is_doubtful = true;
	pthread_cond_signal(&mesh->changed);
	pthread_mutex_unlock(&mesh->lock);
}

struct change {
	const struct watcher *watcher;
	const struct mesh_identity *identity;
};

static void deliver(void *arg)
{
	struct change *change = arg;

	change->watcher->changed(change->watcher->arg, change->identity);
	mesh_drop(change->identity);
	free(change);
}

static void tell(const struct watcher *watcher, const struct mesh_identity *identity)
{
	struct change *change = malloc(sizeof(*change));

	if (change) {
		*change = (struct change){watcher, mesh_identity_ref(identity)};
		if (loop_post(watcher->loop, deliver, change) == PM_OK)
			return;
		mesh_drop(identity);
		free(change);
	}
	log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
}

static void write_files(const struct mesh *mesh, const struct mesh_identity *identity)
{
	const char *folder = mesh->options.files;

	if (folder && identity && mesh_files_write(folder, identity) < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "files of the mesh", "which", folder,
			"reason", strerror(errno), NULL);
}

/* From now on it is this one, which is taken; NULL: none. Not when the loops may be gone. */
static void publish(struct mesh *mesh, const struct mesh_identity *identity)
{
	const struct mesh_identity *old = NULL;
	struct tls_config *tls = NULL;

	if (identity && mesh_identity_tls(identity, &tls) < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "TLS of the mesh", NULL);
	write_files(mesh, identity);
	pthread_mutex_lock(&mesh->lock);
	if (!mesh->is_ending) {
		old = mesh->identity;
		mesh->identity = mesh_identity_ref(identity);
		if (daemon_set_mesh_tls(mesh->service, tls) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
		for (size_t i = 0; i < mesh->watcher_count; i++)
			tell(&mesh->watchers[i], identity);
	}
	pthread_mutex_unlock(&mesh->lock);
	tls_config_unref(tls);
	mesh_drop(old);
	mesh_drop(identity);
}

/* --- when ------------------------------------------------------------------------------------ */

/* Three quarters of it to the whole: not all who lost a coordinator come back at once. */
static int64_t with_jitter(int64_t milliseconds)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return milliseconds;
	return milliseconds - (int64_t)(random % (uint32_t)(milliseconds / 4 + 1));
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void log_joined(const struct mesh_identity *identity)
{
	char until[PM_TIME_TEXT_SIZE], serial[24];

	pm_time_format(identity->expires, until);
	snprintf(serial, sizeof(serial), "%" PRIu64, identity->who->manifest_serial);
	log_event(LOG_LEVEL_INFO, "joined the mesh", "role", identity->who->role, "replica",
		identity->who->replica, "manifest", serial, "until", until, NULL);
}

static void note_failure(struct mesh *mesh, int error, const char *reason)
{
	atomic_fetch_add(&mesh->failed, 1);
	log_event(LOG_LEVEL_WARN, "mesh not joined", "error", pm_strerror(error), "reason", reason,
		NULL);
	mesh->pause = mesh->pause ? sooner(2 * mesh->pause, RETRY_LAST) : RETRY_FIRST;
	mesh->join_at = loop_now() + with_jitter(mesh->pause);
}

static void note_joined(struct mesh *mesh, struct mesh_identity *identity)
{
	int64_t life = identity->expires - (int64_t)time(NULL);

	atomic_fetch_add(&mesh->joined, 1);
	mesh->pause = 0;
	mesh->join_at = mesh->joined_at + (life > 0 ? with_jitter(life * 2000 / 3) : RETRY_FIRST);
	mesh_identity_ref(identity);
	publish(mesh, identity);
	log_joined(identity); /* when it holds */
	mesh_drop(identity);
}

/* The coordinator was no coordinator of ours, or it refused, or it is not to be had. */
static const char *reason_of(const struct pm_verdict *verdict, const struct pm_report *report)
{
	if (verdict && *pm_verdict_reason(verdict))
		return pm_verdict_reason(verdict);
	return report ? pm_report_reason(report) : "";
}

static void try_join(struct mesh *mesh)
{
	const struct mesh_join join = {
		.options = &mesh->options,
		.role = mesh->evidence_options.role,
		.evidence = mesh->evidence,
		.key = mesh->gpus.key,
		.generation = mesh->generation + 1,
	};
	struct pm_report *report = pm_report_new();
	struct pm_verdict *verdict = pm_verdict_new();
	struct mesh_identity *identity = NULL;
	int r = report && verdict ? mesh_join(&join, verdict, report, &identity) : PM_E_NOMEM;

	mesh->joined_at = loop_now();
	if (r < 0) {
		note_failure(mesh, r, reason_of(verdict, report));
	} else {
		mesh->generation = join.generation;
		note_joined(mesh, identity);
	}
	pm_verdict_free(verdict);
	pm_report_free(report);
}

/* No question to the coordinator until then: it would spend a nonce on nothing. */
static void await_gpus(struct mesh *mesh)
{
	mesh->pause = RETRY_FIRST;
	mesh->join_at = loop_now() + GPU_LOOK;
}

/* With another manifest there is another mesh CA; under the same one after a recovery. */
static bool is_of(const struct pm_coordinator_status *status, const struct mesh_identity *identity)
{
	uint8_t ca[TLS_DIGEST_SIZE];

	if (memcmp(status->manifest, identity->who->manifest_hash, PM_MANIFEST_HASH_SIZE) != 0)
		return false;
	return !status->has_mesh_ca ||
	       (tls_sha256(identity->ca_der, identity->ca_len, ca) == PM_OK &&
		       memcmp(status->mesh_ca, ca, sizeof(ca)) == 0);
}

/* What it says nothing proves; but a join does. */
static bool is_of_another_mesh(struct mesh *mesh)
{
	const struct pm_coordinator_options options = {
		.size = sizeof(options),
		.ca_file = mesh->options.ca_file,
		.connect_ms = MESH_CONNECT_MS,
		.total_ms = MESH_TOTAL_MS,
	};
	struct pm_coordinator *coordinator = NULL;
	const struct mesh_identity *identity = mesh_hold(mesh);
	struct pm_coordinator_status status;
	bool other = false;

	if (identity &&
		pm_coordinator_new(mesh->options.coordinator, &options, NULL, &coordinator) ==
			PM_OK &&
		pm_coordinator_status(coordinator, NULL, &status) == PM_OK)
		other = status.state == PM_COORDINATOR_READY && status.has_manifest &&
			!is_of(&status, identity);
	pm_coordinator_free(coordinator);
	mesh_drop(identity);
	return other;
}

/* --- the thread ------------------------------------------------------------------------------ */

/* Without the lock. */
static void work(struct mesh *mesh, bool is_doubtful)
{
	int64_t now = loop_now();

	if (now >= mesh->look_at && !mesh->pause) {
		mesh->look_at = now + with_jitter(LOOK);
		is_doubtful = is_of_another_mesh(mesh) || is_doubtful;
	}
	if (is_doubtful && !mesh->pause)
		mesh->join_at = sooner(mesh->join_at, mesh->joined_at + with_jitter(DOUBT));
	if (now < mesh->join_at)
		return;
	if (mesh_gpus_are_there(&mesh->gpus))
		try_join(mesh);
	else
		await_gpus(mesh);
}

/* With the lock. How long may it sleep? Not past the end of an identity. */
static int64_t idle_time(const struct mesh *mesh)
{
	int64_t now = loop_now(), until = mesh->join_at;

	if (!mesh->pause)
		until = sooner(until, mesh->look_at);
	if (mesh->identity)
		until = sooner(until, now + 1000 * (mesh->identity->expires - (int64_t)time(NULL)));
	return until > now ? until - now : 0;
}

static void sleep_for(struct mesh *mesh, int64_t milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!mesh->is_ending && !mesh->is_doubtful)
		if (pthread_cond_timedwait(&mesh->changed, &mesh->lock, &until))
			break;
}

/* Returns without the lock. */
static void go_on(struct mesh *mesh)
{
	pthread_mutex_lock(&mesh->lock);
	while (!mesh->is_ending) {
		bool is_doubtful = mesh->is_doubtful, has_ended;

		mesh->is_doubtful = false;
		mesh->is_busy = true;
		has_ended = mesh->identity && !is_valid(mesh->identity);
		pthread_mutex_unlock(&mesh->lock);
		if (has_ended) {
			log_event(LOG_LEVEL_ERROR, "out of the mesh", "reason",
				"the certificate has ended", NULL);
			publish(mesh, NULL);
			/* Before its time, if the clock was set: then a join is hours away. */
			if (!mesh->pause)
				mesh->join_at = loop_now();
		}
		work(mesh, is_doubtful);
		pthread_mutex_lock(&mesh->lock);
		mesh->is_busy = false;
		sleep_for(mesh, idle_time(mesh));
	}
	pthread_mutex_unlock(&mesh->lock);
}

static void *run(void *arg)
{
	go_on(arg);
	return NULL;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void init(struct mesh *mesh)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&mesh->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&mesh->changed, &attr);
	pthread_condattr_destroy(&attr);
}

int mesh_new(const struct mesh_options *options, const struct evidence_options *evidence,
	struct mesh **ret_mesh)
{
	struct mesh *mesh = calloc(1, sizeof(*mesh));
	int r;

	if (!mesh) {
		warnx("out of memory");
		return 2;
	}
	init(mesh);
	mesh->options = *options;
	mesh->evidence_options = *evidence;
	r = evidence_new(&mesh->evidence_options, NULL, &mesh->evidence);
	if (r == 0)
		r = mesh_gpus_init(&mesh->gpus, evidence->gpu_folder, options->public_key);
	if (r != 0) {
		mesh_free(mesh);
		return r;
	}
	*ret_mesh = mesh;
	return 0;
}

int mesh_watch(struct mesh *mesh, struct loop *loop, mesh_changed *changed, void *arg)
{
	if (mesh->watcher_count == MESH_WATCHERS_MAX)
		return PM_E_LIMIT;
	mesh->watchers[mesh->watcher_count++] = (struct watcher){loop, changed, arg};
	return PM_OK;
}

int mesh_begin(struct mesh *mesh, struct service *service)
{
	sigset_t all, before;
	int failed;

	mesh->service = service;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&mesh->thread, NULL, run, mesh);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	mesh->has_thread = !failed;
	return failed ? PM_E_SYS : PM_OK;
}

void mesh_end(struct mesh *mesh)
{
	if (!mesh || !mesh->has_thread)
		return;
	mesh->has_thread = false;
	pthread_mutex_lock(&mesh->lock);
	mesh->is_ending = true;
	mesh->is_left = mesh->is_busy;
	pthread_cond_signal(&mesh->changed);
	pthread_mutex_unlock(&mesh->lock);
	if (mesh->is_left)
		pthread_detach(mesh->thread);
	else
		pthread_join(mesh->thread, NULL);
}

void mesh_free(struct mesh *mesh)
{
	if (!mesh || mesh->is_left)
		return;
	mesh_drop(mesh->identity);
	evidence_free(mesh->evidence);
	mesh_gpus_done(&mesh->gpus);
	pthread_cond_destroy(&mesh->changed);
	pthread_mutex_destroy(&mesh->lock);
	free(mesh);
}

/* --- figures --------------------------------------------------------------------------------- */

void mesh_metrics(struct mesh *mesh, struct evbuffer *out, const char *prefix)
{
	const struct mesh_identity *identity = mesh_hold(mesh);
	char name[64];

	snprintf(name, sizeof(name), "%s_mesh_joins_total", prefix);
	metrics_begin(out, name, "counter", "Attempts to join the mesh.");
	metrics_sample(out, name, "outcome", "joined", (int64_t)atomic_load(&mesh->joined));
	metrics_sample(out, name, "outcome", "failed", (int64_t)atomic_load(&mesh->failed));
	snprintf(name, sizeof(name), "%s_mesh_expires", prefix);
	metrics_single(out, name, "gauge",
		"End of our certificate in the mesh, seconds since 1970; 0 without one.",
		identity ? identity->expires : 0);
	mesh_drop(identity);
}
