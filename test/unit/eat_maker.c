/* SPDX-License-Identifier: Apache-2.0 */
#include "eat_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mint.h"
#include "testing.h"

#define NONCE "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"

static const char header_json[] = "{\"kid\":\"key\",\"alg\":\"ES384\"}";

static const char overall_json[] =
	"{\"sub\":\"NVIDIA-PLATFORM-ATTESTATION\",\"x-nvidia-ver\":\"3.0\",\"nbf\":1772323200,"
	"\"iss\":\"https://nras.attestation.nvidia.com\",\"x-nvidia-overall-att-result\":true,"
	"\"eat_nonce\":\"" NONCE "\",\"exp\":1772326800,\"iat\":1772323200,\"jti\":\"1\"}";

#define CHAIN                                                                                      \
	"{\"x-nvidia-cert-status\":\"valid\",\"x-nvidia-cert-ocsp-status\":\"good\","              \
	"\"x-nvidia-cert-expiration-date\":\"2027-06-01T02:08:29Z\","                              \
	"\"x-nvidia-cert-revocation-reason\":null}"

#define COMMON                                                                                     \
	"{\"iss\":\"https://nras.attestation.nvidia.com\",\"eat_nonce\":\"" NONCE "\","            \
	"\"exp\":1772326800,\"iat\":1772323200,\"nbf\":1772323200,\"jti\":\"2\","                  \
	"\"secboot\":true,\"dbgstat\":\"disabled\",\"measres\":\"success\",\"oemid\":\"5703\","    \
	"\"x-nvidia-attestation-warning\":null,"

static const char gpu_json[] = COMMON
	"\"hwmodel\":\"GH100 A01 GSP BROM\",\"x-nvidia-gpu-driver-version\":\"550.90.07\","
	"\"x-nvidia-gpu-vbios-version\":\"96.00.9F.00.01\",\"x-nvidia-gpu-arch-check\":true,"
	"\"x-nvidia-gpu-vbios-index-no-conflict\":true,"
	"\"x-nvidia-gpu-attestation-report-parsed\":true,"
	"\"x-nvidia-gpu-attestation-report-nonce-match\":true,"
	"\"x-nvidia-gpu-attestation-report-signature-verified\":true,"
	"\"x-nvidia-gpu-attestation-report-cert-chain-fwid-match\":true,"
	"\"x-nvidia-gpu-attestation-report-cert-chain\":" CHAIN ","
	"\"x-nvidia-gpu-driver-rim-fetched\":true,\"x-nvidia-gpu-driver-rim-schema-validated\":"
	"true,\"x-nvidia-gpu-driver-rim-version-match\":true,"
	"\"x-nvidia-gpu-driver-rim-signature-verified\":true,"
	"\"x-nvidia-gpu-driver-rim-measurements-available\":true,"
	"\"x-nvidia-gpu-driver-rim-cert-chain\":" CHAIN ","
	"\"x-nvidia-gpu-vbios-rim-fetched\":true,\"x-nvidia-gpu-vbios-rim-schema-validated\":true,"
	"\"x-nvidia-gpu-vbios-rim-version-match\":true,"
	"\"x-nvidia-gpu-vbios-rim-signature-verified\":true,"
	"\"x-nvidia-gpu-vbios-rim-measurements-available\":true,"
	"\"x-nvidia-gpu-vbios-rim-cert-chain\":" CHAIN "}";

static const char switch_json[] = COMMON
	"\"hwmodel\":\"LS_10 A01 FSP BROM\",\"x-nvidia-switch-bios-version\":\"96.10.55.00.01\","
	"\"x-nvidia-switch-arch-check\":true,\"x-nvidia-switch-attestation-report-parsed\":true,"
	"\"x-nvidia-switch-attestation-report-nonce-match\":true,"
	"\"x-nvidia-switch-attestation-report-signature-verified\":true,"
	"\"x-nvidia-switch-attestation-report-cert-chain-fwid-match\":true,"
	"\"x-nvidia-switch-attestation-report-cert-chain\":" CHAIN ","
	"\"x-nvidia-switch-bios-rim-fetched\":true,"
	"\"x-nvidia-switch-bios-rim-schema-validated\":true,"
	"\"x-nvidia-switch-bios-rim-version-match\":true,"
	"\"x-nvidia-switch-bios-rim-signature-verified\":true,"
	"\"x-nvidia-switch-bios-rim-measurements-available\":true,"
	"\"x-nvidia-switch-bios-rim-cert-chain\":" CHAIN "}";

static json_t *load(const char *json)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

	ck_assert_msg(value != NULL, "not JSON: %s", json);
	return value;
}

void eat_set(json_t *claims, const char *name, const char *json)
{
	if (json)
		json_object_set_new(claims, name, load(json));
	else
		json_object_del(claims, name);
}

static void add_mods(struct eat_maker *m, const char *prefix, const char *json, size_t n)
{
	char name[32], ueid[64];

	for (size_t i = 0; i < n; i++) {
		json_t *claims = load(json);

		snprintf(name, sizeof(name), "%s-%zu", prefix, i);
		snprintf(ueid, sizeof(ueid), "4781763792860%zu%zu", strlen(prefix), i);
		json_object_set_new(claims, "ueid", json_string(ueid));
		json_object_set_new(m->mods, name, claims);
	}
}

void eat_maker_init(struct eat_maker *m, size_t gpus, size_t switches)
{
	*m = (struct eat_maker){.key = mint_ec("P-384"),
		.header = load(header_json),
		.overall = load(overall_json),
		.mods = json_object()};
	add_mods(m, "GPU", gpu_json, gpus);
	add_mods(m, "SWITCH", switch_json, switches);
}

void eat_maker_free(struct eat_maker *m)
{
	EVP_PKEY_free(m->key);
	EVP_PKEY_free(m->mod_key);
	json_decref(m->header);
	json_decref(m->mod_header);
	json_decref(m->overall);
	json_decref(m->mods);
}

void eat_maker_version2(struct eat_maker *m)
{
	static const char *const gone[] = {"x-nvidia-gpu-attestation-report-cert-chain",
		"x-nvidia-gpu-attestation-report-cert-chain-fwid-match",
		"x-nvidia-gpu-driver-rim-cert-chain", "x-nvidia-gpu-driver-rim-version-match",
		"x-nvidia-gpu-vbios-rim-cert-chain", "x-nvidia-gpu-vbios-rim-version-match"};
	static const char *const there[] = {"x-nvidia-gpu-attestation-report-cert-chain-validated",
		"x-nvidia-gpu-driver-rim-cert-validated", "x-nvidia-gpu-vbios-rim-cert-validated"};
	const char *name;
	json_t *claims;

	eat_set(m->overall, "x-nvidia-ver", "\"2.0\"");
	json_object_foreach(m->mods, name, claims)
	{
		for (size_t i = 0; i < PM_ARRAY_LEN(gone); i++)
			json_object_del(claims, gone[i]);
		for (size_t i = 0; i < PM_ARRAY_LEN(there); i++)
			eat_set(claims, there[i], "true");
		eat_set(claims, "measres", "\"comparison-successful\"");
	}
}

/* --- texts ----------------------------------------------------------------------------------- */

char *eat_base64url(const void *bytes, size_t n)
{
	char *text = malloc(4 * (n / 3 + 1) + 1), *end;

	ck_assert_ptr_nonnull(text);
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
	for (end = text; *end && *end != '='; end++)
		*end = (char)(*end == '+' ? '-' : *end == '/' ? '_' : *end);
	*end = '\0';
	return text;
}

static char *encoded(const json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT), *text = eat_base64url(json, strlen(json));

	free(json);
	return text;
}

char *eat_jws(EVP_PKEY *key, const json_t *header, const json_t *claims)
{
	char *head = encoded(header), *body = encoded(claims), *part, *whole, *tail;
	struct pm_view signature;

	ck_assert_int_gt(asprintf(&part, "%s.%s", head, body), 0);
	signature = mint_ecdsa(key, "SHA384", pm_view(part, strlen(part)), 48);
	tail = eat_base64url(signature.ptr, signature.len);
	ck_assert_int_gt(asprintf(&whole, "%s.%s", part, tail), 0);
	test_free(signature);
	free(head);
	free(body);
	free(part);
	free(tail);
	return whole;
}

json_t *eat_parts(const struct eat_maker *m)
{
	json_t *parts = json_object(), *claims;
	const char *name;

	json_object_foreach(m->mods, name, claims)
	{
		char *text = eat_jws(m->mod_key ? m->mod_key : m->key,
			m->mod_header ? m->mod_header : m->header, claims);

		json_object_set_new(parts, name, json_string(text));
		free(text);
	}
	return parts;
}

static json_t *digests_of(const json_t *parts)
{
	json_t *digests = json_object();
	json_t *object = json_deep_copy(parts), *value;
	const char *name;

	json_object_foreach(object, name, value)
	{
		uint8_t digest[32];
		char hex[65];

		EVP_Digest(json_string_value(value), json_string_length(value), digest, NULL,
			EVP_sha256(), NULL);
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
		json_object_set_new(digests, name, json_pack("[s[ss]]", "DIGEST", "SHA-256", hex));
	}
	json_decref(object);
	return digests;
}

char *eat_overall(struct eat_maker *m, const json_t *parts)
{
	if (!json_object_get(m->overall, "submods") || m->digested) {
		json_object_set_new(m->overall, "submods", digests_of(parts));
		m->digested = true;
	}
	return eat_jws(m->key, m->header, m->overall);
}

char *eat_detached(const char *overall, const json_t *parts)
{
	json_t *all = json_pack("[[ss]O]", "JWT", overall, parts);
	char *text = json_dumps(all, JSON_COMPACT);

	json_decref(all);
	return text;
}

char *eat_make(struct eat_maker *m)
{
	json_t *parts = eat_parts(m);
	char *overall = eat_overall(m, parts), *text = eat_detached(overall, parts);

	free(overall);
	json_decref(parts);
	return text;
}

json_t *eat_jwk(EVP_PKEY *key, const char *kid)
{
	struct pm_view spki = mint_spki(key);
	char *x = eat_base64url(spki.ptr + spki.len - 96, 48);
	char *y = eat_base64url(spki.ptr + spki.len - 48, 48);
	json_t *jwk = json_pack("{ss ss ss ss ss ss ss}", "kty", "EC", "crv", "P-384", "alg",
		"ES384", "use", "sig", "kid", kid, "x", x, "y", y);

	free(x);
	free(y);
	test_free(spki);
	return jwk;
}

char *eat_jwks(json_t *key)
{
	json_t *set = json_pack("{s[o]}", "keys", key);
	char *text = json_dumps(set, 0);

	json_decref(set);
	return text;
}
