/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/evidence.h"

#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#include "common/log.h"
#include "pm-proxy/gpu_folder.h"

#define FILE_SIZE_MAX 1048576

struct evidence_ask {
	struct evidence_ask *next;
	struct evidence *evidence;
	struct loop *loop;
	evidence_done *done;
	void *arg;
	bool cancelled; /* of its loop */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	int error;
	uint8_t *bundle;
	size_t len;
};

struct file {
	uint8_t *bytes;
	size_t len;
};

struct evidence {
	const struct evidence_options *options;
	struct pm_claims claims;
	struct file certs[EVIDENCE_FILES_MAX], crls[PM_BUNDLE_CRLS_MAX];
	struct gpu_folder gpus; /* of the thread */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool has_thread, is_ending;
	struct evidence_ask *first, **last;
	size_t waiting;
};

/* What one report needs while it is made and handed out. */
struct batch {
	struct evidence *evidence;
	struct evidence_ask *asks;
	size_t count;
	struct pm_nonce_tree *tree;
	uint8_t claims[PM_BUNDLE_CLAIMS_SIZE_MAX];
	size_t claims_len;
	struct pm_collected *collected;
	struct pm_snp_evidence *snp;
	struct pm_bytes certs[PM_BUNDLE_CERTS_MAX], crls[PM_BUNDLE_CRLS_MAX];
	struct pm_bundle_content content;
};

/* --- files and claims ------------------------------------------------------------------------ */

static int read_file(const char *path, struct file *ret)
{
	FILE *f = fopen(path, "re");

	if (!f) {
		warn("%s", path);
		return 2;
	}
	ret->bytes = malloc(FILE_SIZE_MAX + 1);
	ret->len = ret->bytes ? fread(ret->bytes, 1, FILE_SIZE_MAX + 1, f) : 0;
	fclose(f);
	if (ret->len && ret->len <= FILE_SIZE_MAX)
		return 0;
	warnx("%s: empty, or larger than 1 MiB", path);
	return 2;
}

static int read_files(struct evidence *e)
{
	const struct evidence_options *o = e->options;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->cert_count; i++)
		r = read_file(o->certs[i], &e->certs[i]);
	for (size_t i = 0; r == 0 && i < o->crl_count; i++)
		r = read_file(o->crls[i], &e->crls[i]);
	return r;
}

static int add_model(struct pm_claims *c, const char *text)
{
	struct pm_claims_model *m = &c->models[c->model_count];
	const char *mark = strrchr(text, '=');
	size_t len = mark ? (size_t)(mark - text) : 0;

	if (!len || len > PM_CLAIMS_MODEL_NAME_MAX ||
		pm_hex_decode(mark + 1, m->root_hash, sizeof(m->root_hash)) < 0) {
		warnx("--model: '%s' is not NAME=ROOT, with 64 hexadecimal digits", text);
		return 2;
	}
	memcpy(m->name, text, len);
	c->model_count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pm_claims_model *)a)->name,
		((const struct pm_claims_model *)b)->name);
}

static int make_claims(struct evidence *e, const uint8_t *public_key)
{
	const struct evidence_options *o = e->options;
	uint8_t trial[PM_BUNDLE_CLAIMS_SIZE_MAX];
	struct pm_claims *c = &e->claims;
	size_t len;
	int r = 0;

	c->key_kind = PM_CLAIMS_XWING;
	c->key_len = PM_CLAIMS_XWING_SIZE;
	memcpy(c->key, public_key, PM_CLAIMS_XWING_SIZE);
	for (size_t i = 0; r == 0 && i < o->model_count; i++)
		r = add_model(c, o->models[i]);
	qsort(c->models, c->model_count, sizeof(c->models[0]), by_name);
	if (r == 0 && strlen(o->role) > PM_CLAIMS_ROLE_MAX)
		r = 2;
	if (r == 0) {
		strcpy(c->role, o->role);
		c->issued_at = (int64_t)time(NULL);
		r = pm_claims_encode(c, NULL, trial, &len) < 0 ? 2 : 0;
	}
	if (r != 0)
		warnx("--role and --model: not such as claims may have");
	return r;
}

/* --- one report ------------------------------------------------------------------------------ */

/* The verifiers' nonce, or the root of all of theirs. */
static int make_challenge(struct batch *b, uint8_t ret[PM_BUNDLE_NONCE_SIZE])
{
	uint8_t *nonces, *at;
	int r;

	if (b->count == 1) {
		memcpy(ret, b->asks->nonce, PM_BUNDLE_NONCE_SIZE);
		return PM_OK;
	}
	nonces = at = malloc(b->count * PM_BUNDLE_NONCE_SIZE);
	if (!nonces)
		return PM_E_NOMEM;
	for (const struct evidence_ask *a = b->asks; a; a = a->next, at += PM_BUNDLE_NONCE_SIZE)
		memcpy(at, a->nonce, PM_BUNDLE_NONCE_SIZE);
	r = pm_nonce_tree_new(nonces, b->count, &b->tree);
	free(nonces);
	if (r == PM_OK)
		memcpy(ret, pm_nonce_tree_root(b->tree), PM_BUNDLE_NONCE_SIZE);
	return r;
}

/* What pm-agent has found, by the digests of its entries. */
static int claim_gpus(struct evidence *e, struct pm_claims *claims)
{
	const struct gpu_folder *f = &e->gpus;
	int r;

	if (!e->options->gpu_folder)
		return PM_OK;
	r = gpu_folder_read(&e->gpus, e->options->gpu_folder, claims->key, claims->key_len);
	for (size_t i = 0; r == PM_OK && i < f->gpu_count; i++)
		r = pm_bundle_gpu_digest(&f->gpus[i], claims->gpus[i]);
	if (r < 0)
		return r;
	claims->gpu_count = f->gpu_count;
	claims->gpu_time = f->time;
	memcpy(claims->gpu_epoch_nonce, f->epoch_nonce, sizeof(f->epoch_nonce));
	return PM_OK;
}

static int collect(struct batch *b)
{
	struct pm_claims claims = b->evidence->claims;
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE], question[PM_BUNDLE_REPORT_DATA_SIZE];
	int r = make_challenge(b, challenge);

	claims.issued_at = (int64_t)time(NULL);
	if (r == PM_OK)
		r = claim_gpus(b->evidence, &claims);
	if (r == PM_OK)
		r = pm_claims_encode(&claims, NULL, b->claims, &b->claims_len);
	if (r == PM_OK)
		r = pm_bundle_report_data(challenge, b->claims, b->claims_len, question);
	if (r == PM_OK)
		r = pm_collect_snp(question, &b->evidence->options->collect, NULL, &b->collected);
	return r;
}

/* Those that the host gave along, or else those of our files. */
static int take_certs(struct batch *b)
{
	const struct evidence *e = b->evidence;
	const uint8_t *report = pm_collected_report(b->collected);
	size_t size, len;
	const uint8_t *table = pm_collected_table(b->collected, &size), *der;
	int r = pm_snp_evidence_parse(report, PM_SNP_REPORT_SIZE, NULL, &b->snp);

	if (r == PM_OK && size)
		r = pm_snp_evidence_add_table(b->snp, table, size, NULL);
	for (size_t i = 0; r == PM_OK && !size && i < e->options->cert_count; i++)
		r = pm_snp_evidence_add_certs(b->snp, e->certs[i].bytes, e->certs[i].len, NULL);
	for (size_t i = 0; r == PM_OK && i < PM_BUNDLE_CERTS_MAX; i++) {
		der = pm_snp_evidence_untrusted_cert(b->snp, i, &len);
		if (!der)
			break;
		b->certs[b->content.cert_count++] = (struct pm_bytes){der, len};
	}
	return r;
}

static void fill_content(struct batch *b)
{
	const struct evidence *e = b->evidence;
	struct pm_bundle_content *c = &b->content;

	c->claims = (struct pm_bytes){b->claims, b->claims_len};
	c->snp_report = (struct pm_bytes){pm_collected_report(b->collected), PM_SNP_REPORT_SIZE};
	c->certs = b->certs;
	for (size_t i = 0; i < e->options->crl_count; i++)
		b->crls[i] = (struct pm_bytes){e->crls[i].bytes, e->crls[i].len};
	c->gpus = e->gpus.gpus;
	c->gpu_count = e->gpus.gpu_count;
	c->rims = e->gpus.rims;
	c->rim_count = e->gpus.rim_count;
	c->ocsp = e->gpus.ocsp;
	c->ocsp_count = e->gpus.ocsp_count;
	c->crls = b->crls;
	c->crl_count = e->options->crl_count;
}

/* The same for all, but for the way from the asker's nonce to the challenge. */
static int encode(struct batch *b, struct evidence_ask *ask, size_t index)
{
	size_t room;
	int r = PM_OK;

	b->content.nonce = (struct pm_bundle_nonce){0};
	memcpy(b->content.nonce.nonce, ask->nonce, PM_BUNDLE_NONCE_SIZE);
	if (b->tree)
		r = pm_nonce_tree_path(b->tree, index, &b->content.nonce);
	if (r < 0)
		return r;
	room = pm_bundle_room(&b->content);
	ask->bundle = malloc(room);
	if (!ask->bundle)
		return PM_E_NOMEM;
	return pm_bundle_encode(&b->content, NULL, ask->bundle, room, &ask->len);
}

/* In the loop of who asked. */
static void deliver(void *arg)
{
	struct evidence_ask *ask = arg;

	if (!ask->cancelled)
		ask->done(ask->arg, ask->error, ask->bundle, ask->len);
	free(ask->bundle);
	free(ask);
}

static void answer_all(struct batch *b, int r)
{
	struct evidence_ask *ask = b->asks, *next;

	for (size_t i = 0; ask; ask = next, i++) {
		next = ask->next;
		ask->error = r < 0 ? r : encode(b, ask, i);
		if (loop_post(ask->loop, deliver, ask) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
	}
}

static void serve(struct evidence *e, struct evidence_ask *asks, size_t count)
{
	struct batch b = {.evidence = e, .asks = asks, .count = count};
	char number[24];
	int r = collect(&b);

	if (r == PM_OK)
		r = take_certs(&b);
	if (r == PM_OK)
		fill_content(&b);
	snprintf(number, sizeof(number), "%zu", count);
	log_event(r < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "evidence", "askers", number, "reason",
		r < 0 ? pm_strerror(r) : NULL, NULL);
	answer_all(&b, r);
	pm_nonce_tree_free(b.tree);
	pm_snp_evidence_free(b.snp);
	pm_collected_free(b.collected);
}

/* --- the thread ------------------------------------------------------------------------------ */

/* All who wait, or NULL at the end. */
static struct evidence_ask *take_all(struct evidence *e, size_t *ret_count)
{
	struct evidence_ask *first;

	pthread_mutex_lock(&e->lock);
	while (!e->first && !e->is_ending)
		pthread_cond_wait(&e->changed, &e->lock);
	first = e->is_ending ? NULL : e->first;
	*ret_count = e->waiting;
	if (first) {
		e->first = NULL;
		e->last = &e->first;
		e->waiting = 0;
	}
	pthread_mutex_unlock(&e->lock);
	return first;
}

static void *run(void *arg)
{
	struct evidence *e = arg;
	struct evidence_ask *asks;
	size_t count;

	while ((asks = take_all(e, &count)))
		serve(e, asks, count);
	return NULL;
}

/* With the lock held. */
static bool start_thread(struct evidence *e)
{
	sigset_t all, before;

	if (e->has_thread)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	e->has_thread = pthread_create(&e->thread, NULL, run, e) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e->has_thread;
}

struct evidence_ask *evidence_ask(struct evidence *evidence, struct loop *loop,
	const uint8_t nonce[PM_BUNDLE_NONCE_SIZE], evidence_done *done, void *arg)
{
	struct evidence_ask *ask = calloc(1, sizeof(*ask));
	bool taken = false;

	if (!ask)
		return NULL;
	ask->evidence = evidence;
	ask->loop = loop;
	ask->done = done;
	ask->arg = arg;
	memcpy(ask->nonce, nonce, PM_BUNDLE_NONCE_SIZE);
	pthread_mutex_lock(&evidence->lock);
	if (evidence->waiting < EVIDENCE_ASKERS_MAX && start_thread(evidence)) {
		*evidence->last = ask;
		evidence->last = &ask->next;
		evidence->waiting++;
		taken = true;
		pthread_cond_signal(&evidence->changed);
	}
	pthread_mutex_unlock(&evidence->lock);
	if (taken)
		return ask;
	free(ask);
	return NULL;
}

/* The thread may have it, so it is freed when it comes back. */
void evidence_cancel(struct evidence_ask *ask)
{
	ask->cancelled = true;
}

/* --- the whole ------------------------------------------------------------------------------- */

int evidence_new(const struct evidence_options *options, const uint8_t *public_key,
	struct evidence **ret_evidence)
{
	struct evidence *e = calloc(1, sizeof(*e));
	int r;

	if (!e) {
		warnx("out of memory");
		return 2;
	}
	e->options = options;
	e->last = &e->first;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	r = read_files(e);
	if (r == 0)
		r = make_claims(e, public_key);
	if (r != 0) {
		evidence_free(e);
		return r;
	}
	*ret_evidence = e;
	return 0;
}

void evidence_end(struct evidence *evidence)
{
	if (!evidence)
		return;
	pthread_mutex_lock(&evidence->lock);
	evidence->is_ending = true;
	pthread_cond_signal(&evidence->changed);
	pthread_mutex_unlock(&evidence->lock);
	if (evidence->has_thread)
		pthread_join(evidence->thread, NULL);
	evidence->has_thread = false;
}

void evidence_free(struct evidence *evidence)
{
	if (!evidence)
		return;
	for (struct evidence_ask *a = evidence->first, *next; a; a = next) {
		next = a->next;
		free(a);
	}
	gpu_folder_free(&evidence->gpus);
	for (size_t i = 0; i < EVIDENCE_FILES_MAX; i++)
		free(evidence->certs[i].bytes);
	for (size_t i = 0; i < PM_BUNDLE_CRLS_MAX; i++)
		free(evidence->crls[i].bytes);
	pthread_mutex_destroy(&evidence->lock);
	pthread_cond_destroy(&evidence->changed);
	free(evidence);
}
