/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the services of the GPU's maker say: reference manifests, OCSP, the attestation service and
 * its keys. Requests in, answers out; the network is in gpu_serve.c.
 */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#define RIM_PATH "/v1/rim/"

static const enum sim_rim_kind kinds[] = {SIM_RIM_DRIVER, SIM_RIM_VBIOS, SIM_RIM_SWITCH};

static bool offers(const struct sim_gpu_machine *m, enum sim_rim_kind kind)
{
	return kind == SIM_RIM_SWITCH ? m->switches > 0 : m->arch != NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static int say(struct sim_http_answer *ret, int status, const char *type, const char *text)
{
	ret->status = status;
	ret->type = type;
	return sim_bytes_set(&ret->body, text, strlen(text));
}

static int say_error(struct sim_http_answer *ret, int status, const char *message)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"message\":\"%s\"}", message);
	return say(ret, status, "application/json", text);
}

static int say_json(struct sim_http_answer *ret, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	int r = text ? say(ret, 200, "application/json", text) : sim_fail("out of memory");

	free(text);
	return r;
}

/* --- the plan of one answer ------------------------------------------------------------------- */

static void make_stale(struct sim_gpu_plan *plan)
{
	plan->ocsp.this_update -= 30 * SIM_DAY;
	plan->ocsp.next_update -= 30 * SIM_DAY;
	plan->rim.chain[0].remake = true;
	plan->rim.chain[0].not_after = plan->now - SIM_DAY;
}

static int plan_init(
	const struct sim_gpu_service *s, unsigned int device, struct sim_gpu_plan *plan)
{
	int64_t now = s->now ? s->now : (int64_t)time(NULL);
	struct sim_gpu_device d;
	int r = sim_gpu_device(s->machine, device, &d);

	if (r == TOOL_OK)
		sim_gpu_plan_init(plan, s->machine, &d, now);
	return r;
}

/* --- manifests -------------------------------------------------------------------------------- */

/* A lying service answers with another manifest than the one asked for. */
static int say_rim(const struct sim_gpu_service *s, struct sim_gpu_plan *plan, const char *id,
	struct sim_http_answer *ret)
{
	sim_cleanup_buf struct sim_bytes xml = {0};
	uint8_t digest[32];
	char hex[2 * sizeof(digest) + 1], *text;
	int r = sim_rim_make(plan, &xml);

	if (r != TOOL_OK)
		return r;
	EVP_Digest(xml.ptr, xml.len, digest, NULL, EVP_sha256(), NULL);
	pm_hex_encode(digest, sizeof(digest), hex);
	text = sim_base64(xml.ptr, xml.len);
	if (!text)
		return sim_fail("out of memory");
	sim_cleanup(json_t) json_t *value = json_pack("{ss ss ss ss ss ss}", "id", id, "rim", text,
		"sha256", hex, "last_updated", "2026-01-01T00:00:00.000Z", "rim_format",
		s->lying ? "CORIM" : "TCG", "request_id", "sim");
	free(text);
	return say_json(ret, value);
}

static int find_rim(const struct sim_gpu_service *s, const char *id, enum sim_rim_kind *ret)
{
	char known[SIM_RIM_ID];

	for (size_t i = 0; i < 3; i++)
		if (offers(s->machine, kinds[i]) &&
			sim_rim_id(s->machine, kinds[i], known) == TOOL_OK &&
			strcmp(known, id) == 0) {
			*ret = kinds[i];
			return TOOL_OK;
		}
	return TOOL_REJECTED;
}

static int answer_rim(const struct sim_gpu_service *s, const char *id, struct sim_http_answer *ret)
{
	struct sim_gpu_plan *plan;
	enum sim_rim_kind kind;
	int r = find_rim(s, id, &kind);

	if (r == TOOL_REJECTED)
		return say_error(ret, 404, "RIM_NOT_FOUND");
	plan = malloc(sizeof(*plan));
	r = plan ? plan_init(s, 0, plan) : sim_fail("out of memory");
	if (r == TOOL_OK) {
		sim_rim_init(plan, kind);
		if (s->lying)
			plan->rim.version[0] = plan->rim.version[0] == '1' ? '2' : '1';
		if (s->stale)
			make_stale(plan);
		sim_gpu_apply(s->request, SIM_GPU_RIM, plan);
		r = say_rim(s, plan, id, ret);
	}
	free(plan);
	return r;
}

static int answer_ids(const struct sim_gpu_service *s, struct sim_http_answer *ret)
{
	sim_cleanup(json_t) json_t *ids = json_array();
	sim_cleanup(json_t) json_t *value = NULL;
	char id[SIM_RIM_ID];

	for (size_t i = 0; i < 3; i++)
		if (offers(s->machine, kinds[i]) && sim_rim_id(s->machine, kinds[i], id) == TOOL_OK)
			json_array_append_new(ids, json_string(id));
	value = json_pack("{sO ss ss}", "ids", ids, "last_updated", "2026-01-01T00:00:00.000Z",
		"request_id", "sim");
	return say_json(ret, value);
}

/* --- OCSP ------------------------------------------------------------------------------------- */

static int answer_ocsp(const struct sim_gpu_service *s, const struct sim_http_request *q,
	struct sim_http_answer *ret)
{
	struct sim_gpu_plan *plan = malloc(sizeof(*plan));
	int r = plan ? plan_init(s, 0, plan) : sim_fail("out of memory");

	if (r == TOOL_OK) {
		plan->ocsp.other_serial = s->lying;
		if (s->stale)
			make_stale(plan);
		sim_gpu_apply(s->request, SIM_GPU_OCSP, plan);
		r = sim_ocsp_answer(plan, q->body, q->body_len, &ret->body);
	}
	free(plan);
	ret->status = 200;
	ret->type = "application/ocsp-response";
	/* malformedRequest (RFC 6960, 2.3) */
	return r == TOOL_REJECTED ? sim_bytes_set(&ret->body, "\x30\x03\x0a\x01\x01", 5) : r;
}

/* --- the attestation service ------------------------------------------------------------------ */

static bool decode(const char *text, uint8_t *ret, size_t cap, size_t *ret_len)
{
	size_t n = strlen(text);
	int got;

	if (n % 4 || n / 4 * 3 > cap)
		return false;
	got = EVP_DecodeBlock(ret, (const unsigned char *)text, (int)n);
	*ret_len = (size_t)(got < 0 ? 0 : got);
	return got > 0;
}

/* A report of this machine for that nonce: what the simulated service looks at. */
static bool evidence_fits(const json_t *item, const uint8_t *nonce)
{
	const char *evidence = json_string_value(json_object_get(item, "evidence"));
	const char *certs = json_string_value(json_object_get(item, "certificate"));
	uint8_t bytes[16384];
	size_t n = 0;

	return evidence && certs && decode(evidence, bytes, sizeof(bytes), &n) && n > 37 &&
	       memcmp(bytes + 4, nonce, SIM_GPU_NONCE) == 0;
}

static bool request_fits(
	const struct sim_gpu_service *s, const json_t *body, bool switches, uint8_t *ret)
{
	const char *nonce = json_string_value(json_object_get(body, "nonce"));
	const json_t *list = json_object_get(body, "evidence_list");
	size_t n = json_array_size(list);
	bool fits = nonce && strlen(nonce) == (size_t)2 * SIM_GPU_NONCE &&
		    pm_hex_decode(nonce, ret, SIM_GPU_NONCE) == PM_OK &&
		    n == (switches ? s->machine->switches : s->machine->gpus);

	for (size_t i = 0; fits && i < n; i++)
		fits = evidence_fits(json_array_get(list, i), ret);
	return fits;
}

static int say_token(
	const struct sim_gpu_service *s, uint8_t *nonce, bool switches, struct sim_http_answer *ret)
{
	struct sim_gpu_plan *plan = calloc(1, sizeof(*plan));
	int r = plan ? plan_init(s, 0, plan) : sim_fail("out of memory");

	nonce[0] ^= s->lying;
	if (r == TOOL_OK && s->stale)
		plan->now -= 30 * SIM_DAY;
	if (r == TOOL_OK)
		r = sim_token_init(plan, nonce, switches);
	if (r == TOOL_OK) {
		sim_gpu_apply(s->request, SIM_GPU_TOKEN, plan);
		r = sim_token_make(plan, &ret->body);
	}
	if (plan)
		sim_gpu_plan_free(plan);
	free(plan);
	ret->status = 200;
	ret->type = "application/json";
	return r;
}

static int answer_attest(const struct sim_gpu_service *s, const struct sim_http_request *q,
	bool switches, struct sim_http_answer *ret)
{
	sim_cleanup(json_t) json_t *body =
		json_loadb((const char *)q->body, q->body_len, JSON_REJECT_DUPLICATES, NULL);
	uint8_t nonce[SIM_GPU_NONCE];

	if (!body || !request_fits(s, body, switches, nonce))
		return say_error(ret, 400, "INVALID_REQUEST");
	return say_token(s, nonce, switches, ret);
}

static int answer_jwks(const struct sim_gpu_service *s, struct sim_http_answer *ret)
{
	ret->status = 200;
	ret->type = "application/json";
	return sim_jwks_make(s->machine, &ret->body);
}

/* --- routes ----------------------------------------------------------------------------------- */

/* "/v3/attest/gpu", and v4, and for switches. */
static bool is_attest(const char *path, const char *kind)
{
	return (strncmp(path, "/v3/attest/", 11) == 0 || strncmp(path, "/v4/attest/", 11) == 0) &&
	       strcmp(path + 11, kind) == 0;
}

static int answer_post(const struct sim_gpu_service *s, const struct sim_http_request *q,
	struct sim_http_answer *ret)
{
	if (is_attest(q->path, "gpu"))
		return answer_attest(s, q, false, ret);
	if (is_attest(q->path, "switch"))
		return answer_attest(s, q, true, ret);
	if (strcmp(q->path, "/") == 0 || strcmp(q->path, "/ocsp") == 0)
		return answer_ocsp(s, q, ret);
	return say_error(ret, 404, "NOT_FOUND");
}

int sim_gpu_answer(const struct sim_gpu_service *s, const struct sim_http_request *q,
	struct sim_http_answer *ret)
{
	if (s->down)
		return say_error(ret, 503, "SERVICE_UNAVAILABLE");
	if (q->post)
		return answer_post(s, q, ret);
	if (strcmp(q->path, RIM_PATH "ids") == 0)
		return answer_ids(s, ret);
	if (strncmp(q->path, RIM_PATH, strlen(RIM_PATH)) == 0)
		return answer_rim(s, q->path + strlen(RIM_PATH), ret);
	if (strcmp(q->path, "/.well-known/jwks.json") == 0)
		return answer_jwks(s, ret);
	return say_error(ret, 404, "NOT_FOUND");
}
