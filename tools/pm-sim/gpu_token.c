/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remote attestation service's tokens: a detached EAT of one overall JWT and one JWT for each
 * device, whose digests the overall one bears, signed with ES384; and the JWKS for them.
 */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>

#define ISSUER	 "https://nras.attestation.nvidia.com"
#define LIFETIME 3600
#define KEY	 "nras"

/* --- claims ----------------------------------------------------------------------------------- */

static void kid_of(const struct sim_gpu_machine *m, char *ret, size_t size)
{
	uint8_t id[8];
	char hex[2 * sizeof(id) + 1];

	sim_gpu_derive(m, id, sizeof(id), "kid");
	pm_hex_encode(id, sizeof(id), hex);
	snprintf(ret, size, "nv-eat-kid-sim-%s", hex);
}

static json_t *cert_claims(int64_t not_after)
{
	char text[32];

	pm_time_format(not_after, text);
	return json_pack("{ss ss ss sn}", "x-nvidia-cert-status", "valid",
		"x-nvidia-cert-ocsp-status", "good", "x-nvidia-cert-expiration-date", text,
		"x-nvidia-cert-revocation-reason");
}

static void set_dated(json_t *claims, int64_t now)
{
	json_object_set_new(claims, "iat", json_integer(now));
	json_object_set_new(claims, "nbf", json_integer(now));
	json_object_set_new(claims, "exp", json_integer(now + LIFETIME));
}

/* All that stand for one check each; "x-nvidia-gpu-" or "x-nvidia-switch-" goes in front. */
static const char *const report_checks[] = {"arch-check", "attestation-report-parsed",
	"attestation-report-nonce-match", "attestation-report-signature-verified",
	"attestation-report-cert-chain-fwid-match"};
static const char *const rim_checks[] = {"fetched", "schema-validated", "version-match",
	"signature-verified", "measurements-available"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void set_true(
	json_t *claims, const char *kind, const char *middle, const char *const *names, size_t n)
{
	char name[128];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "x-nvidia-%s-%s%s", kind, middle, names[i]);
		json_object_set_new(claims, name, json_true());
	}
}

static void set_rim(
	const struct sim_gpu_plan *plan, json_t *claims, const char *kind, const char *rim)
{
	char middle[32], name[128];

	snprintf(middle, sizeof(middle), "%s-rim-", rim);
	set_true(claims, kind, middle, rim_checks, COUNT(rim_checks));
	snprintf(name, sizeof(name), "x-nvidia-%s-%s-rim-cert-chain", kind, rim);
	json_object_set_new(claims, name, cert_claims(plan->machine->epoch + 2 * SIM_YEAR));
}

static void set_device(const struct sim_gpu_cert *chain, json_t *claims)
{
	BIGNUM *serial = BN_bin2bn(chain[0].serial, (int)chain[0].serial_size, NULL);
	char *decimal = serial ? BN_bn2dec(serial) : NULL;

	json_object_set_new(claims, "ueid", json_string(decimal ? decimal : ""));
	json_object_set_new(claims, "hwmodel", json_string(chain[1].cn));
	OPENSSL_free(decimal);
	BN_free(serial);
}

static void set_kind(const struct sim_gpu_plan *plan, json_t *claims, bool is_switch)
{
	const struct sim_gpu_machine *m = plan->machine;
	const char *kind = is_switch ? "switch" : "gpu";
	char name[64];

	set_true(claims, kind, "", report_checks, COUNT(report_checks));
	snprintf(name, sizeof(name), "x-nvidia-%s-attestation-report-cert-chain", kind);
	json_object_set_new(claims, name, cert_claims(SIM_GPU_FOREVER));
	if (is_switch) {
		json_object_set_new(claims, "x-nvidia-switch-bios-version", json_string(m->bios));
		set_rim(plan, claims, kind, "bios");
		json_object_set_new(claims, "oemid", json_null());
		return;
	}
	json_object_set_new(claims, "x-nvidia-gpu-driver-version", json_string(m->driver));
	json_object_set_new(claims, "x-nvidia-gpu-vbios-version", json_string(m->vbios));
	json_object_set_new(claims, "x-nvidia-gpu-vbios-index-no-conflict", json_true());
	set_rim(plan, claims, kind, "driver");
	set_rim(plan, claims, kind, "vbios");
	json_object_set_new(claims, "oemid", json_string("5703"));
}

static json_t *mod_claims(
	const struct sim_gpu_plan *plan, const struct sim_gpu_device *d, const char *nonce)
{
	struct sim_gpu_cert chain[SIM_GPU_CHAIN];
	json_t *claims = json_pack("{ss ss ss ss sb ss sn}", "iss", ISSUER, "eat_nonce", nonce,
		"measres", "success", "dbgstat", "disabled", "secboot", 1, "jti", d->name,
		"x-nvidia-attestation-warning");

	if (!claims)
		return NULL;
	sim_gpu_chain_init(plan->machine, d, chain);
	set_dated(claims, plan->now);
	set_device(chain, claims);
	set_kind(plan, claims, sim_gpu_is_switch(d));
	return claims;
}

static int add_mods(struct sim_gpu_plan *plan, const char *nonce, bool switches)
{
	const struct sim_gpu_machine *m = plan->machine;
	unsigned int from = switches ? m->gpus : 0, n = switches ? m->switches : m->gpus;
	struct sim_gpu_device d;
	char name[32];
	int r = n ? TOOL_OK : sim_fail("%s: has no such device", m->dir);

	for (unsigned int i = 0; r == TOOL_OK && i < n; i++) {
		r = sim_gpu_device(m, from + i, &d);
		snprintf(name, sizeof(name), "%s-%u", switches ? "SWITCH" : "GPU", i);
		if (r == TOOL_OK && json_object_set_new(plan->token.mods, name,
					    mod_claims(plan, &d, nonce)) < 0)
			r = sim_fail("out of memory");
	}
	return r;
}

int sim_token_init(struct sim_gpu_plan *plan, const uint8_t *nonce, bool switches)
{
	struct sim_token *t = &plan->token;
	char hex[2 * SIM_GPU_NONCE + 1], kid[64];

	pm_hex_encode(nonce, SIM_GPU_NONCE, hex);
	kid_of(plan->machine, kid, sizeof(kid));
	sim_token_free(t);
	*t = (struct sim_token){.key = KEY};
	t->header = json_pack("{ss ss}", "kid", kid, "alg", "ES384");
	t->mods = json_object();
	t->overall = json_pack("{ss ss ss sb ss ss}", "sub", "NVIDIA-PLATFORM-ATTESTATION",
		"x-nvidia-ver", "3.0", "iss", ISSUER, "x-nvidia-overall-att-result", 1, "eat_nonce",
		hex, "jti", "overall");
	if (!t->header || !t->mods || !t->overall)
		return sim_fail("out of memory");
	set_dated(t->overall, plan->now);
	return add_mods(plan, hex, switches);
}

void sim_token_free(struct sim_token *t)
{
	json_decref(t->overall);
	json_decref(t->mods);
	json_decref(t->header);
	*t = (struct sim_token){0};
}

/* --- compact serialization (RFC 7515) --------------------------------------------------------- */

static void add_base64url(struct sim_text *t, const void *bytes, size_t n, bool padded)
{
	char *text = sim_base64(bytes, n), *p;

	if (!text) {
		t->failed = true;
		return;
	}
	for (p = text; *p; p++)
		*p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
	while (!padded && p > text && p[-1] == '=')
		*--p = '\0';
	sim_text_add(t, "%s", text);
	free(text);
}

static int add_json(struct sim_text *t, const json_t *value, bool twice, bool padded)
{
	char *text = json_dumps(value, JSON_COMPACT);
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text doubled = {0};

	if (!text)
		return sim_fail("out of memory");
	if (twice)
		sim_text_add(&doubled, "{\"iss\":\"" ISSUER "\",%s", text + 1);
	else
		sim_text_add(&doubled, "%s", text);
	free(text);
	if (doubled.failed)
		return sim_fail("out of memory");
	add_base64url(t, doubled.text, doubled.len, padded);
	return TOOL_OK;
}

static int add_signature(const struct sim_gpu_plan *plan, struct sim_text *t, bool flip)
{
	const struct sim_token *token = &plan->token;
	uint8_t raw[2 * SIM_GPU_SCALAR], der[160], *p = der;
	sim_cleanup(ECDSA_SIG) ECDSA_SIG *sig = ECDSA_SIG_new();
	int n, r = sim_gpu_sign(plan->machine, token->key, t->text, t->len, raw);

	if (r != TOOL_OK)
		return r;
	raw[60] ^= flip;
	sim_text_add(t, ".");
	if (token->lies[SIM_TOKEN_UNSIGNED])
		return TOOL_OK;
	if (!token->lies[SIM_TOKEN_DER]) {
		add_base64url(t, raw, sizeof(raw), false);
		return TOOL_OK;
	}
	if (!sig || ECDSA_SIG_set0(sig, BN_bin2bn(raw, SIM_GPU_SCALAR, NULL),
			    BN_bin2bn(raw + SIM_GPU_SCALAR, SIM_GPU_SCALAR, NULL)) != 1)
		return sim_fail("out of memory");
	n = i2d_ECDSA_SIG(sig, &p);
	add_base64url(t, der, (size_t)n, false);
	return TOOL_OK;
}

static json_t *jwt(const struct sim_gpu_plan *plan, const json_t *claims, bool twice, bool flip)
{
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text t = {0};
	bool padded = plan->token.lies[SIM_TOKEN_PADDED];
	int r = add_json(&t, plan->token.header, false, padded);

	sim_text_add(&t, ".");
	if (r == TOOL_OK)
		r = add_json(&t, claims, twice, padded);
	if (r == TOOL_OK)
		r = add_signature(plan, &t, flip);
	return r == TOOL_OK && !t.failed ? json_string(t.text) : NULL;
}

/* ["DIGEST", ["SHA-256", hex]] */
static json_t *digest_of(const struct sim_token *t, const json_t *token)
{
	const char *text = json_string_value(token);
	uint8_t digest[32];
	char hex[2 * sizeof(digest) + 1];

	EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
	pm_hex_encode(digest, sizeof(digest), hex);
	return json_pack(
		"[s[ss]]", "DIGEST", t->lies[SIM_TOKEN_DIGEST_NAME] ? "MD5" : "SHA-256", hex);
}

static int sign_mods(const struct sim_gpu_plan *plan, json_t *tokens, json_t *digests)
{
	const struct sim_token *t = &plan->token;
	const char *name;
	json_t *claims;

	json_object_foreach(t->mods, name, claims)
	{
		json_t *token = jwt(plan, claims, false, t->lies[SIM_TOKEN_MOD_SIGNATURE]);

		if (!token || json_object_set_new(tokens, name, token) < 0 ||
			json_object_set_new(digests, name, digest_of(t, token)) < 0)
			return sim_fail("can't make a token");
		/* As good as the first, and not the one that was digested. */
		if (t->lies[SIM_TOKEN_AGAIN])
			json_object_set_new(tokens, name, jwt(plan, claims, false, false));
	}
	if (t->lies[SIM_TOKEN_DROP])
		json_object_del(tokens, json_object_iter_key(json_object_iter(tokens)));
	if (t->lies[SIM_TOKEN_EXTRA])
		json_object_set(tokens, "GPU-99", json_object_iter_value(json_object_iter(tokens)));
	if (t->lies[SIM_TOKEN_TWIN]) {
		json_object_set(tokens, "GPU-9", json_object_iter_value(json_object_iter(tokens)));
		json_object_set(
			digests, "GPU-9", json_object_iter_value(json_object_iter(digests)));
	}
	return TOOL_OK;
}

static int finish(const struct sim_token *t, json_t *overall, json_t *tokens, struct sim_bytes *ret)
{
	sim_cleanup(json_t) json_t *eat =
		json_pack("[[sO]O]", t->lies[SIM_TOKEN_TYPE] ? "CWT" : "JWT", overall, tokens);
	char *text = eat ? json_dumps(eat, JSON_INDENT(2)) : NULL;
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text out = {0};

	if (!text)
		return sim_fail("can't make a token");
	sim_text_add(&out, "%s\n%s", text, t->lies[SIM_TOKEN_TRAILING] ? "[]" : "");
	free(text);
	return sim_text_take(&out, ret);
}

int sim_token_make(struct sim_gpu_plan *plan, struct sim_bytes *ret)
{
	struct sim_token *t = &plan->token;
	sim_cleanup(json_t) json_t *tokens = json_object();
	sim_cleanup(json_t) json_t *digests = json_object();
	sim_cleanup(json_t) json_t *overall = NULL;
	int r = tokens && digests ? sign_mods(plan, tokens, digests) : sim_fail("out of memory");

	if (r == TOOL_OK && !json_object_get(t->overall, "submods"))
		json_object_set(t->overall, "submods", digests);
	if (r == TOOL_OK)
		overall = jwt(
			plan, t->overall, t->lies[SIM_TOKEN_TWICE], t->lies[SIM_TOKEN_SIGNATURE]);
	if (r == TOOL_OK && !overall)
		r = sim_fail("can't make a token");
	return r ? r : finish(t, overall, tokens, ret);
}

/* --- keys ------------------------------------------------------------------------------------- */

int sim_jwks_make(const struct sim_gpu_machine *m, struct sim_bytes *ret)
{
	sim_cleanup(EVP_PKEY) EVP_PKEY *key = NULL;
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text x = {0}, y = {0}, out = {0};
	uint8_t spki[256], *p = spki;
	char kid[64];
	int n, r = sim_gpu_key(m, KEY, &key);

	if (r != TOOL_OK)
		return r;
	n = i2d_PUBKEY(key, &p);
	add_base64url(&x, spki + n - 96, 48, false);
	add_base64url(&y, spki + n - 48, 48, false);
	kid_of(m, kid, sizeof(kid));
	sim_text_add(&out,
		"{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-384\", \"alg\": \"ES384\","
		" \"use\": \"sig\", \"kid\": \"%s\", \"x\": \"%s\", \"y\": \"%s\"}]}\n",
		kid, x.text ? x.text : "", y.text ? y.text : "");
	return sim_text_take(&out, ret);
}
