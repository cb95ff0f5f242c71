/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-sim/sim_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pm/keyex.h>

static int check(int error, const char *what)
{
	return error < 0 ? sim_fail("%s: %s", what, pm_strerror(error)) : TOOL_OK;
}

static struct pm_bytes bytes_of(const struct sim_bytes *b)
{
	return (struct pm_bytes){b->ptr, b->len};
}

static int draw(uint8_t *ret, size_t n)
{
	return RAND_bytes(ret, (int)n) == 1 ? TOOL_OK : sim_fail("no random bytes");
}

/* --- claims ----------------------------------------------------------------------------------- */

/* A public key that somebody could decrypt with, if he had kept the other half. */
static int draw_key(struct pm_claims *c)
{
	struct pm_keyex_client *client = NULL;
	char json[PM_KEYEX_REQUEST_SIZE];
	sim_cleanup(json_t) json_t *request = NULL;
	const char *text;
	int r = check(pm_keyex_client_new(&client), "X-Wing key");

	if (r != TOOL_OK)
		return r;
	pm_keyex_client_request(client, json);
	pm_keyex_client_free(client);
	request = json_loads(json, 0, NULL);
	text = json_string_value(json_object_get(request, "PublicKey"));
	c->key_kind = PM_CLAIMS_XWING;
	if (!text)
		return sim_fail("X-Wing key: not made");
	return check(pm_text_base64_decode(text, strlen(text), c->key, sizeof(c->key), &c->key_len),
		"X-Wing key");
}

static int read_key(const char *path, struct pm_claims *c)
{
	sim_cleanup_buf struct sim_bytes file = {0};
	int r = tool_read_file(path, sizeof(c->key), &file.ptr, &file.len);

	if (r != TOOL_OK)
		return r;
	memcpy(c->key, file.ptr, file.len);
	c->key_len = file.len;
	c->key_kind = file.len == PM_CLAIMS_XWING_SIZE ? PM_CLAIMS_XWING : PM_CLAIMS_SPKI;
	return TOOL_OK;
}

static int add_model(struct pm_claims *c, const char *text)
{
	const char *mark = strrchr(text, '=');
	size_t len = mark ? (size_t)(mark - text) : 0;
	struct pm_claims_model *m = &c->models[c->model_count];

	if (!len || len > PM_CLAIMS_MODEL_NAME_MAX ||
		pm_hex_decode(mark + 1, m->root_hash, sizeof(m->root_hash)) < 0)
		return sim_fail("--model %s: not NAME=ROOT, with 64 hexadecimal digits", text);
	memcpy(m->name, text, len);
	c->model_count++;
	return TOOL_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pm_claims_model *)a)->name,
		((const struct pm_claims_model *)b)->name);
}

static int set_models(const struct sim_bundle_wish *wish, struct pm_claims *c)
{
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < wish->model_count; i++)
		r = add_model(c, wish->models[i]);
	qsort(c->models, c->model_count, sizeof(c->models[0]), by_name);
	return r;
}

static int hash_document(const char *path, struct pm_claims *c)
{
	sim_cleanup_buf struct sim_bytes file = {0};
	int r = tool_read_file(path, SIM_DOCUMENT_MAX, &file.ptr, &file.len);

	if (r != TOOL_OK)
		return r;
	SHA256(file.ptr, file.len, c->document_sha256);
	c->has_document = true;
	return TOOL_OK;
}

static int set_claims(struct sim_bundle *b)
{
	const struct sim_bundle_wish *wish = b->wish;
	struct pm_claims *c = &b->claims;
	int r = wish->key ? read_key(wish->key, c) : draw_key(c);

	if (r == TOOL_OK)
		r = set_models(wish, c);
	if (r == TOOL_OK && strlen(wish->role) > PM_CLAIMS_ROLE_MAX)
		r = sim_fail("--role: at most %d bytes", PM_CLAIMS_ROLE_MAX);
	if (r == TOOL_OK && wish->tls &&
		pm_hex_decode(wish->tls, c->tls_spki_sha256, sizeof(c->tls_spki_sha256)) < 0)
		r = sim_fail("--tls-spki needs 64 hexadecimal digits");
	if (r == TOOL_OK && wish->document)
		r = hash_document(wish->document, c);
	if (r != TOOL_OK)
		return r;
	c->has_tls = wish->tls != NULL;
	strcpy(c->role, wish->role);
	c->issued_at = wish->now;
	c->gpu_time = b->device_count ? wish->now : 0;
	r = b->device_count ? draw(c->gpu_epoch_nonce, sizeof(c->gpu_epoch_nonce)) : TOOL_OK;
	memcpy(b->asked_epoch, c->gpu_epoch_nonce, sizeof(b->asked_epoch));
	return r;
}

/* A key that means nothing, and that the processor signs all the same. */
static int add_claim(struct sim_bundle *b)
{
	if (b->encoded_claims_len + 2 > sizeof(b->encoded_claims))
		return sim_fail("no room for another claim");
	b->encoded_claims[0]++;
	b->encoded_claims[b->encoded_claims_len++] = 10;
	b->encoded_claims[b->encoded_claims_len++] = 0;
	return TOOL_OK;
}

int sim_bundle_encode_claims(struct sim_bundle *b)
{
	struct pm_report *report = pm_report_new();
	int r = pm_claims_encode(&b->claims, report, b->encoded_claims, &b->encoded_claims_len);

	if (r < 0)
		r = sim_fail(
			"claims: %s: %s", pm_strerror(r), report ? pm_report_reason(report) : "");
	else
		r = b->extra_claim ? add_claim(b) : TOOL_OK;
	pm_report_free(report);
	b->content.claims = (struct pm_bytes){b->encoded_claims, b->encoded_claims_len};
	return r;
}

/* --- the nonce -------------------------------------------------------------------------------- */

/* This verifier's nonce among those of strangers. */
static int set_tree(const struct sim_bundle_wish *wish, struct pm_bundle_nonce *ret)
{
	uint8_t nonces[SIM_TREE_MAX * PM_BUNDLE_NONCE_SIZE];
	size_t mine = (size_t)wish->tree / 2;
	struct pm_nonce_tree *tree = NULL;
	int r = draw(nonces, sizeof(nonces));

	memcpy(nonces + mine * PM_BUNDLE_NONCE_SIZE, wish->nonce, PM_BUNDLE_NONCE_SIZE);
	if (r == TOOL_OK)
		r = check(pm_nonce_tree_new(nonces, (size_t)wish->tree, &tree), "nonce tree");
	if (r == TOOL_OK)
		r = check(pm_nonce_tree_path(tree, mine, ret), "nonce tree");
	pm_nonce_tree_free(tree);
	return r;
}

static int set_nonce(struct sim_bundle *b)
{
	if (b->wish->tree)
		return set_tree(b->wish, &b->nonce);
	memcpy(b->nonce.nonce, b->wish->nonce, sizeof(b->nonce.nonce));
	return TOOL_OK;
}

/* --- GPUs ------------------------------------------------------------------------------------- */

static int take_devices(
	struct sim_bundle *b, const char *text, unsigned int first, unsigned int count)
{
	uint64_t n = count;
	int r = text ? sim_number_parse(text, count, &n) : TOOL_OK;

	for (unsigned int i = 0; r == TOOL_OK && i < n; i++)
		b->devices[b->device_count++] = first + i;
	return r;
}

static int set_devices(struct sim_bundle *b)
{
	const struct sim_bundle_wish *wish = b->wish;
	char path[4096];
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "%s/gpu", wish->dir);
	b->has_gpus = stat(path, &st) == 0;
	if (!b->has_gpus)
		return wish->gpus || wish->switches
			       ? sim_fail("%s: not there; see: pm-sim gpu init", path)
			       : TOOL_OK;
	r = sim_gpu_machine_load(wish->dir, &b->gpus);
	if (r == TOOL_OK)
		r = take_devices(b, wish->gpus, 0, b->gpus.gpus);
	if (r == TOOL_OK)
		r = take_devices(b, wish->switches, b->gpus.gpus, b->gpus.switches);
	return r;
}

static uint32_t arch_number(const struct sim_gpu_arch *arch)
{
	if (arch == &sim_gpu_hopper)
		return PM_GPU_HOPPER;
	return arch == &sim_gpu_blackwell ? PM_GPU_BLACKWELL : PM_GPU_LS10;
}

static int ask_device(struct sim_bundle *b, const uint8_t *nonce, size_t i)
{
	struct sim_gpu_plan *plan = calloc(1, sizeof(*plan));
	struct sim_gpu_device d;
	int r = plan ? sim_gpu_device(&b->gpus, b->devices[i], &d) : sim_fail("out of memory");

	if (r == TOOL_OK) {
		sim_gpu_plan_init(plan, &b->gpus, &d, b->wish->now);
		r = sim_gpu_report_make(plan, &b->wish->gpu, nonce);
	}
	if (r == TOOL_OK) {
		sim_gpu_apply(&b->wish->gpu, SIM_GPU_CERTS, plan);
		r = sim_gpu_chain_make(plan, &b->chains[i]);
	}
	if (r == TOOL_OK)
		r = sim_bytes_set(&b->reports[i], plan->report.bytes, plan->report.size);
	if (r == TOOL_OK)
		b->entries[i] = (struct pm_bundle_gpu){
			bytes_of(&b->reports[i]), bytes_of(&b->chains[i]), arch_number(d.arch)};
	free(plan);
	return r;
}

static int ask_devices(struct sim_bundle *b)
{
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	int r = check(pm_bundle_gpu_nonce(b->asked_epoch, b->claims.key, b->claims.key_len, nonce),
		"GPU nonce");

	for (size_t i = 0; r == TOOL_OK && i < b->device_count; i++)
		r = ask_device(b, nonce, i);
	b->content.gpus = b->entries;
	b->content.gpu_count = b->device_count;
	return r;
}

static int name_devices(struct sim_bundle *b)
{
	int r = TOOL_OK;

	b->claims.gpu_count = b->content.gpu_count;
	for (size_t i = 0; r == TOOL_OK && i < b->content.gpu_count; i++)
		r = check(pm_bundle_gpu_digest(&b->entries[i], b->claims.gpus[i]), "GPU digest");
	return r;
}

/* --- collateral of the GPUs ------------------------------------------------------------------- */

static int add_rim(struct sim_bundle *b, struct sim_gpu_plan *plan, enum sim_rim_kind kind)
{
	size_t n = b->content.rim_count;
	int r;

	sim_rim_init(plan, kind);
	sim_gpu_apply(&b->wish->gpu, SIM_GPU_RIM, plan);
	r = sim_rim_make(plan, &b->rims[n]);
	b->rim_list[n] = bytes_of(&b->rims[n]);
	b->content.rim_count++;
	return r;
}

static int add_rims(struct sim_bundle *b, struct sim_gpu_plan *plan)
{
	int r = TOOL_OK;

	b->content.rims = b->rim_list;
	if (b->gpus.gpus)
		r = add_rim(b, plan, SIM_RIM_DRIVER);
	if (r == TOOL_OK && b->gpus.gpus)
		r = add_rim(b, plan, SIM_RIM_VBIOS);
	if (r == TOOL_OK && b->gpus.switches)
		r = add_rim(b, plan, SIM_RIM_SWITCH);
	return r;
}

struct answers {
	struct sim_bundle *b;
	const struct sim_gpu_plan *plan;
};

static int add_answer(void *arg, const struct sim_gpu_cert *spec, X509 *cert)
{
	const struct answers *a = arg;
	const struct sim_bytes none = {0};
	size_t n = a->b->content.ocsp_count;
	int r;

	(void)spec;
	if (n == PM_BUNDLE_OCSP_MAX)
		return sim_fail("more OCSP responses than a bundle holds");
	r = sim_ocsp_make(a->plan, cert, &none, &a->b->ocsp[n]);
	a->b->ocsp_list[n] = bytes_of(&a->b->ocsp[n]);
	a->b->content.ocsp_count++;
	return r;
}

static int add_collateral(struct sim_bundle *b)
{
	struct sim_gpu_plan *plan;
	struct sim_gpu_device d;
	struct answers a = {.b = b};
	int r = sim_gpu_device(&b->gpus, 0, &d);

	if (r != TOOL_OK)
		return r;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return sim_fail("out of memory");
	sim_gpu_plan_init(plan, &b->gpus, &d, b->wish->now);
	r = add_rims(b, plan);
	sim_gpu_apply(&b->wish->gpu, SIM_GPU_OCSP, plan);
	a.plan = plan;
	b->content.ocsp = b->ocsp_list;
	if (r == TOOL_OK)
		r = sim_ocsp_each(&b->gpus, add_answer, &a);
	free(plan);
	return r;
}

/* --- the processor ---------------------------------------------------------------------------- */

static int report_data(const struct sim_bundle *b, uint8_t *ret)
{
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE];
	int r = check(pm_bundle_challenge(&b->nonce, challenge), "challenge");

	if (r == TOOL_OK)
		r = check(pm_bundle_report_data(
				  challenge, b->encoded_claims, b->encoded_claims_len, ret),
			"REPORT_DATA");
	/* As another protocol would have made it. */
	if (r == TOOL_OK && b->other_label)
		SHA512(b->encoded_claims, b->encoded_claims_len, ret);
	return r;
}

static int ask_processor(struct sim_bundle *b)
{
	const struct sim_bundle_wish *wish = b->wish;
	uint8_t data[PM_SNP_REPORT_DATA_SIZE];
	int r = report_data(b, data);

	if (r != TOOL_OK)
		return r;
	sim_plan_init(&b->plan, &b->machine, wish->now);
	sim_request_certs(&wish->snp, &b->plan);
	r = sim_request_report(&wish->snp, data, &b->plan);
	if (r == TOOL_OK)
		r = sim_evidence_make(&b->plan, &b->snp);
	b->certs[0] = bytes_of(&b->snp.vek);
	b->certs[1] = bytes_of(&b->snp.ica);
	b->certs[2] = bytes_of(&b->snp.ark);
	b->crls[0] = bytes_of(&b->snp.crl);
	b->content.snp_report = (struct pm_bytes){b->plan.report, b->plan.report_size};
	b->content.certs = b->certs;
	b->content.cert_count = 3;
	b->content.crls = b->crls;
	b->content.crl_count = 1;
	return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int encode(struct sim_bundle *b)
{
	size_t room = pm_bundle_room(&b->content);
	struct pm_report *report = pm_report_new();
	int r;

	b->bytes.ptr = malloc(room);
	if (!b->bytes.ptr || !report) {
		pm_report_free(report);
		return sim_fail("out of memory");
	}
	r = pm_bundle_encode(&b->content, report, b->bytes.ptr, room, &b->bytes.len);
	if (r < 0)
		r = sim_fail("bundle: %s: %s", pm_strerror(r), pm_report_reason(report));
	pm_report_free(report);
	return r;
}

static int say(struct sim_bundle *b)
{
	int r = set_nonce(b);

	if (r == TOOL_OK)
		r = set_devices(b);
	if (r == TOOL_OK)
		r = set_claims(b);
	return r ? r : sim_bundle_apply(b, SIM_BUNDLE_CLAIMS);
}

static int gather(struct sim_bundle *b)
{
	int r = b->device_count ? ask_devices(b) : TOOL_OK;

	if (r == TOOL_OK && b->device_count)
		r = add_collateral(b);
	if (r == TOOL_OK)
		r = sim_bundle_apply(b, SIM_BUNDLE_ENTRIES);
	if (r == TOOL_OK)
		r = name_devices(b);
	return r ? r : sim_bundle_encode_claims(b);
}

int sim_bundle_make(const struct sim_bundle_wish *wish, struct sim_bundle *b)
{
	int r = sim_machine_load(wish->dir, &b->machine);

	b->wish = wish;
	if (r == TOOL_OK)
		r = say(b);
	if (r == TOOL_OK)
		r = gather(b);
	if (r == TOOL_OK)
		r = ask_processor(b);
	b->content.nonce = b->nonce;
	if (r == TOOL_OK)
		r = sim_bundle_apply(b, SIM_BUNDLE_CONTENT);
	if (r == TOOL_OK)
		r = encode(b);
	return r ? r : sim_bundle_apply(b, SIM_BUNDLE_BYTES);
}

void sim_bundle_free(struct sim_bundle *b)
{
	for (size_t i = 0; i < SIM_GPU_DEVICES; i++) {
		sim_bytes_free(&b->reports[i]);
		sim_bytes_free(&b->chains[i]);
	}
	for (size_t i = 0; i < 3; i++)
		sim_bytes_free(&b->rims[i]);
	for (size_t i = 0; i < PM_BUNDLE_OCSP_MAX; i++)
		sim_bytes_free(&b->ocsp[i]);
	sim_bytes_free(&b->bytes);
	sim_evidence_free(&b->snp);
	sim_machine_free(&b->machine);
}
