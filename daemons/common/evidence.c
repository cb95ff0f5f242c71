/* SPDX-License-Identifier: Apache-2.0 */
#include "common/evidence.h"

#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/evidence_report.h"
#include "common/log.h"

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
	struct evidence_document *document;
};

struct evidence {
	struct evidence_base base; /* of the thread */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool has_thread, is_ending;
	struct evidence_ask *first, **last;
	size_t waiting;
	struct evidence_document *document;
};

/* --- one report ------------------------------------------------------------------------------ */

/* In the loop of who asked. */
static void deliver(void *arg)
{
	struct evidence_ask *ask = arg;
	struct evidence_answer answer = {.error = ask->error};

	if (ask->error == PM_OK) {
		answer.bundle = ask->bundle;
		answer.len = ask->len;
		answer.document = ask->document ? ask->document->bytes : NULL;
		answer.document_len = ask->document ? ask->document->len : 0;
	}
	if (!ask->cancelled)
		ask->done(ask->arg, &answer);
	evidence_document_unref(ask->document);
	free(ask->bundle);
	free(ask);
}

static void answer_all(struct evidence_report *report, struct evidence_ask *ask,
	struct evidence_document *document, int r)
{
	struct evidence_ask *next;

	for (size_t i = 0; ask; ask = next, i++) {
		next = ask->next;
		ask->error = r < 0 ? r : evidence_report_bundle(report, i, &ask->bundle, &ask->len);
		ask->document = evidence_document_ref(document);
		if (loop_post(ask->loop, deliver, ask) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
	}
}

static struct evidence_document *hold_document(struct evidence *e)
{
	struct evidence_document *document;

	pthread_mutex_lock(&e->lock);
	document = evidence_document_ref(e->document);
	pthread_mutex_unlock(&e->lock);
	return document;
}

static void tell(size_t count, int r)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", count);
	log_event(r < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "evidence", "askers", number, "reason",
		r < 0 ? pm_strerror(r) : NULL, NULL);
}

static void serve(struct evidence *e, struct evidence_ask *asks, size_t count)
{
	struct evidence_document *document = hold_document(e);
	struct evidence_report report = {
		.base = &e->base, .nonce_count = count, .document = document};
	uint8_t *nonces = malloc(count * PM_BUNDLE_NONCE_SIZE), *at = nonces;
	int r = PM_E_NOMEM;

	for (const struct evidence_ask *a = asks; nonces && a; a = a->next) {
		memcpy(at, a->nonce, PM_BUNDLE_NONCE_SIZE);
		at += PM_BUNDLE_NONCE_SIZE;
	}
	report.nonces = nonces;
	if (nonces)
		r = evidence_report_make(&report);
	tell(count, r);
	answer_all(&report, asks, document, r);
	evidence_report_done(&report);
	evidence_document_unref(document);
	free(nonces);
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

int evidence_set_document(struct evidence *evidence, const void *document, size_t len)
{
	struct evidence_document *fresh = NULL, *old;
	int r = document ? evidence_document_new(document, len, &fresh) : PM_OK;

	if (r < 0)
		return r;
	pthread_mutex_lock(&evidence->lock);
	old = evidence->document;
	evidence->document = fresh;
	pthread_mutex_unlock(&evidence->lock);
	evidence_document_unref(old);
	return PM_OK;
}

/* For this once another subject stands in the claims. */
static int make_for(struct evidence *e, const struct evidence_subject *subject,
	struct evidence_report *report, struct evidence_document **ret_document)
{
	int r = evidence_base_set_subject(&e->base, subject);

	if (r == PM_OK && subject->document)
		r = evidence_document_new(subject->document, subject->document_len, ret_document);
	report->document = *ret_document;
	return r == PM_OK ? evidence_report_make(report) : r;
}

int evidence_make(struct evidence *evidence, const uint8_t nonce[PM_BUNDLE_NONCE_SIZE],
	const struct evidence_subject *subject, uint8_t **ret_bundle, size_t *ret_len)
{
	struct evidence_document *document = subject ? NULL : hold_document(evidence);
	struct evidence_report report = {
		.base = &evidence->base, .nonces = nonce, .nonce_count = 1, .document = document};
	struct pm_claims claims = evidence->base.claims;
	int r = subject ? make_for(evidence, subject, &report, &document)
			: evidence_report_make(&report);

	if (r == PM_OK)
		r = evidence_report_bundle(&report, 0, ret_bundle, ret_len);
	evidence_report_done(&report);
	evidence_document_unref(document);
	evidence->base.claims = claims;
	return r;
}

int evidence_new(const struct evidence_options *options, const struct evidence_subject *subject,
	struct evidence **ret_evidence)
{
	struct evidence *e = calloc(1, sizeof(*e));
	int r;

	if (!e) {
		warnx("out of memory");
		return 2;
	}
	e->base.options = options;
	e->last = &e->first;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	r = evidence_base_fill(&e->base, subject);
	if (r == 0 && subject &&
		evidence_set_document(e, subject->document, subject->document_len) < 0) {
		warnx("evidence: the document is too large, or there is no memory");
		r = 2;
	}
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
	evidence_base_done(&evidence->base);
	evidence_document_unref(evidence->document);
	pthread_mutex_destroy(&evidence->lock);
	pthread_cond_destroy(&evidence->changed);
	free(evidence);
}
