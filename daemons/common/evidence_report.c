/* SPDX-License-Identifier: Apache-2.0 */
#include "common/evidence_report.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#include "common/whole_file.h"

#define FILE_SIZE_MAX 1048576

/* --- documents ------------------------------------------------------------------------------- */

int evidence_document_new(const void *bytes, size_t len, struct evidence_document **ret_document)
{
	struct evidence_document *d;
	int r;

	if (!len || len > EVIDENCE_DOCUMENT_MAX)
		return PM_E_LIMIT;
	d = malloc(sizeof(*d) + len);
	if (!d)
		return PM_E_NOMEM;
	atomic_init(&d->count, 1);
	d->len = len;
	memcpy(d->bytes, bytes, len);
	r = tls_sha256(bytes, len, d->sha256);
	if (r < 0) {
		free(d);
		return r;
	}
	*ret_document = d;
	return PM_OK;
}

struct evidence_document *evidence_document_ref(struct evidence_document *document)
{
	if (document)
		atomic_fetch_add(&document->count, 1);
	return document;
}

void evidence_document_unref(struct evidence_document *document)
{
	if (document && atomic_fetch_sub(&document->count, 1) == 1)
		free(document);
}

/* --- files and claims ------------------------------------------------------------------------ */

static int read_file(const char *path, struct evidence_file *ret)
{
	char *bytes = NULL;
	int r = whole_file_read(path, FILE_SIZE_MAX, &bytes, &ret->len);

	ret->bytes = (uint8_t *)bytes;
	return r;
}

static int read_files(struct evidence_base *base)
{
	const struct evidence_options *o = base->options;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->cert_count; i++)
		r = read_file(o->certs[i], &base->certs[i]);
	for (size_t i = 0; r == 0 && i < o->crl_count; i++)
		r = read_file(o->crls[i], &base->crls[i]);
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

/* Its maximum is that of PM_CLAIMS_XWING; what a key is, the verifiers say. */
int evidence_base_set_subject(struct evidence_base *base, const struct evidence_subject *subject)
{
	struct pm_claims *c = &base->claims;

	if (!subject->key_len || subject->key_len > sizeof(c->key))
		return PM_E_ARG;
	/* What was read of the folder may be for another key. */
	gpu_folder_free(&base->gpus);
	c->key_kind = subject->key_kind;
	c->key_len = subject->key_len;
	memcpy(c->key, subject->key, subject->key_len);
	c->has_tls = subject->tls_spki_sha256 != NULL;
	if (c->has_tls)
		memcpy(c->tls_spki_sha256, subject->tls_spki_sha256, sizeof(c->tls_spki_sha256));
	return PM_OK;
}

static int make_claims(struct evidence_base *base, const struct evidence_subject *subject)
{
	const struct evidence_options *o = base->options;
	uint8_t trial[PM_BUNDLE_CLAIMS_SIZE_MAX] = {0};
	struct pm_claims *c = &base->claims;
	size_t len;
	const struct evidence_subject stand_in = {
		.key_kind = PM_CLAIMS_XWING, .key = trial, .key_len = PM_CLAIMS_XWING_SIZE};
	int r = evidence_base_set_subject(base, subject ? subject : &stand_in) < 0 ? 2 : 0;

	for (size_t i = 0; r == 0 && i < o->model_count; i++)
		r = add_model(c, o->models[i]);
	qsort(c->models, c->model_count, sizeof(c->models[0]), by_name);
	if (r == 0 && (!o->role || strlen(o->role) > PM_CLAIMS_ROLE_MAX))
		r = 2;
	if (r == 0) {
		strcpy(c->role, o->role);
		c->issued_at = (int64_t)time(NULL);
		r = pm_claims_encode(c, NULL, trial, &len) < 0 ? 2 : 0;
	}
	if (!subject)
		c->key_len = 0; /* until there is one, there is no evidence */
	if (r != 0)
		warnx("--role and --model: not such as claims may have");
	return r;
}

int evidence_base_fill(struct evidence_base *base, const struct evidence_subject *subject)
{
	int r = read_files(base);

	return r == 0 ? make_claims(base, subject) : r;
}

void evidence_base_done(struct evidence_base *base)
{
	gpu_folder_free(&base->gpus);
	for (size_t i = 0; i < EVIDENCE_FILES_MAX; i++)
		free(base->certs[i].bytes);
	for (size_t i = 0; i < PM_BUNDLE_CRLS_MAX; i++)
		free(base->crls[i].bytes);
}

/* --- one report ------------------------------------------------------------------------------ */

/* The verifier's nonce, or the root of all of theirs. */
static int make_challenge(struct evidence_report *report, uint8_t ret[PM_BUNDLE_NONCE_SIZE])
{
	int r;

	if (report->nonce_count == 1) {
		memcpy(ret, report->nonces, PM_BUNDLE_NONCE_SIZE);
		return PM_OK;
	}
	r = pm_nonce_tree_new(report->nonces, report->nonce_count, &report->tree);
	if (r == PM_OK)
		memcpy(ret, pm_nonce_tree_root(report->tree), PM_BUNDLE_NONCE_SIZE);
	return r;
}

/* What pm-agent has found, by the digests of its entries. */
static int claim_gpus(struct evidence_base *base, struct pm_claims *claims)
{
	const struct gpu_folder *f = &base->gpus;
	int r;

	if (!base->options->gpu_folder)
		return PM_OK;
	r = gpu_folder_read(&base->gpus, base->options->gpu_folder, claims->key, claims->key_len);
	for (size_t i = 0; r == PM_OK && i < f->gpu_count; i++)
		r = pm_bundle_gpu_digest(&f->gpus[i], claims->gpus[i]);
	if (r < 0)
		return r;
	claims->gpu_count = f->gpu_count;
	claims->gpu_time = f->time;
	memcpy(claims->gpu_epoch_nonce, f->epoch_nonce, sizeof(f->epoch_nonce));
	return PM_OK;
}

static void claim_document(const struct evidence_document *document, struct pm_claims *claims)
{
	claims->has_document = document != NULL;
	if (document)
		memcpy(claims->document_sha256, document->sha256, sizeof(document->sha256));
}

static int collect(struct evidence_report *report)
{
	struct pm_claims claims = report->base->claims;
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE], question[PM_BUNDLE_REPORT_DATA_SIZE];
	int r = make_challenge(report, challenge);

	claims.issued_at = (int64_t)time(NULL);
	claim_document(report->document, &claims);
	if (r == PM_OK)
		r = claim_gpus(report->base, &claims);
	if (r == PM_OK)
		r = pm_claims_encode(&claims, NULL, report->claims, &report->claims_len);
	if (r == PM_OK)
		r = pm_bundle_report_data(challenge, report->claims, report->claims_len, question);
	if (r == PM_OK)
		r = pm_collect_snp(
			question, &report->base->options->collect, NULL, &report->collected);
	return r;
}

/* Those that the host gave along, or else those of our files. */
static int take_certs(struct evidence_report *report)
{
	const struct evidence_base *base = report->base;
	const uint8_t *bytes = pm_collected_report(report->collected), *der;
	size_t size, len;
	const uint8_t *table = pm_collected_table(report->collected, &size);
	int r = pm_snp_evidence_parse(bytes, PM_SNP_REPORT_SIZE, NULL, &report->snp);

	if (r == PM_OK && size)
		r = pm_snp_evidence_add_table(report->snp, table, size, NULL);
	for (size_t i = 0; r == PM_OK && !size && i < base->options->cert_count; i++)
		r = pm_snp_evidence_add_certs(
			report->snp, base->certs[i].bytes, base->certs[i].len, NULL);
	for (size_t i = 0; r == PM_OK && i < PM_BUNDLE_CERTS_MAX; i++) {
		der = pm_snp_evidence_untrusted_cert(report->snp, i, &len);
		if (!der)
			break;
		report->certs[report->content.cert_count++] = (struct pm_bytes){der, len};
	}
	return r;
}

static void fill_content(struct evidence_report *report)
{
	const struct evidence_base *base = report->base;
	struct pm_bundle_content *c = &report->content;

	c->claims = (struct pm_bytes){report->claims, report->claims_len};
	c->snp_report =
		(struct pm_bytes){pm_collected_report(report->collected), PM_SNP_REPORT_SIZE};
	c->certs = report->certs;
	for (size_t i = 0; i < base->options->crl_count; i++)
		report->crls[i] = (struct pm_bytes){base->crls[i].bytes, base->crls[i].len};
	c->gpus = base->gpus.gpus;
	c->gpu_count = base->gpus.gpu_count;
	c->rims = base->gpus.rims;
	c->rim_count = base->gpus.rim_count;
	c->ocsp = base->gpus.ocsp;
	c->ocsp_count = base->gpus.ocsp_count;
	c->crls = report->crls;
	c->crl_count = base->options->crl_count;
}

int evidence_report_make(struct evidence_report *report)
{
	int r = collect(report);

	if (r == PM_OK)
		r = take_certs(report);
	if (r == PM_OK)
		fill_content(report);
	return r;
}

/* The same for all, but for the way from the asker's nonce to the challenge. */
int evidence_report_bundle(
	struct evidence_report *report, size_t index, uint8_t **ret_bundle, size_t *ret_len)
{
	struct pm_bundle_nonce *nonce = &report->content.nonce;
	uint8_t *bundle;
	size_t room;
	int r = PM_OK;

	*nonce = (struct pm_bundle_nonce){0};
	memcpy(nonce->nonce, report->nonces + index * PM_BUNDLE_NONCE_SIZE, PM_BUNDLE_NONCE_SIZE);
	if (report->tree)
		r = pm_nonce_tree_path(report->tree, index, nonce);
	if (r < 0)
		return r;
	room = pm_bundle_room(&report->content);
	bundle = malloc(room);
	if (!bundle)
		return PM_E_NOMEM;
	r = pm_bundle_encode(&report->content, NULL, bundle, room, ret_len);
	if (r < 0) {
		free(bundle);
		return r;
	}
	*ret_bundle = bundle;
	return PM_OK;
}

void evidence_report_done(struct evidence_report *report)
{
	pm_nonce_tree_free(report->tree);
	pm_snp_evidence_free(report->snp);
	pm_collected_free(report->collected);
}
