/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a token of the attestation service: claims, and how it is made. */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

enum part { HEADER, OVERALL, MODS };

#define OTHER_NONCE "\"1111111111111111111111111111111111111111111111111111111111111111\""

/* A claim set to a JSON value, or deleted when that is NULL. */
struct claim_defect {
	const char *name, *text;
	enum part part;
	const char *claim, *json;
};

static const struct claim_defect claim_defects[] = {
	{"token-alg-none", "no algorithm", HEADER, "alg", "\"none\""},
	{"token-alg-hs384", "an algorithm of shared keys", HEADER, "alg", "\"HS384\""},
	{"token-alg-es256", "another curve's algorithm", HEADER, "alg", "\"ES256\""},
	{"token-no-alg", "an algorithm is not named", HEADER, "alg", NULL},
	{"token-kid", "a key that is not in the set", HEADER, "kid", "\"another\""},
	{"token-no-kid", "the key is not named", HEADER, "kid", NULL},
	{"token-crit", "an extension that must be understood", HEADER, "crit", "[\"b64\"]"},
	{"token-sub", "of another subject", OVERALL, "sub", "\"OTHER\""},
	{"token-ver", "claims of version 9", OVERALL, "x-nvidia-ver", "\"9.0\""},
	{"token-no-ver", "claims of no version", OVERALL, "x-nvidia-ver", NULL},
	{"token-iss", "of another issuer", OVERALL, "iss", "\"https://nras.example\""},
	{"token-no-iss", "of no issuer", OVERALL, "iss", NULL},
	{"token-result", "the overall result is no", OVERALL, "x-nvidia-overall-att-result",
		"false"},
	{"token-result-text", "the overall result is a text", OVERALL,
		"x-nvidia-overall-att-result", "\"true\""},
	{"token-no-result", "no overall result", OVERALL, "x-nvidia-overall-att-result", NULL},
	{"token-nonce", "for another nonce", OVERALL, "eat_nonce", OTHER_NONCE},
	{"token-no-nonce", "for no nonce", OVERALL, "eat_nonce", NULL},
	{"token-expired", "expired", OVERALL, "exp", "1000000000"},
	{"token-no-exp", "never expires", OVERALL, "exp", NULL},
	{"token-future", "not yet valid", OVERALL, "nbf", "9000000000"},
	{"token-no-nbf", "valid from no time", OVERALL, "nbf", NULL},
	{"token-iat", "issued in the future", OVERALL, "iat", "9000000000"},
	{"token-exp-real", "expires at a broken number", OVERALL, "exp", "9000000000.5"},
	{"token-submods", "no submodule", OVERALL, "submods", "{}"},
	{"mod-iss", "a submodule of another issuer", MODS, "iss", "\"https://nras.example\""},
	{"mod-nonce", "a submodule for another nonce", MODS, "eat_nonce", OTHER_NONCE},
	{"mod-no-nonce", "a submodule for no nonce", MODS, "eat_nonce", NULL},
	{"mod-expired", "a submodule has expired", MODS, "exp", "1000000000"},
	{"mod-future", "a submodule is not yet valid", MODS, "nbf", "9000000000"},
	{"mod-measres", "the measurements differ", MODS, "measres", "\"fail\""},
	{"mod-no-measres", "nothing is said of the measurements", MODS, "measres", NULL},
	{"mod-secboot", "secure boot is off", MODS, "secboot", "false"},
	{"mod-dbgstat", "debugging is on", MODS, "dbgstat", "\"enabled\""},
	{"mod-ueid", "no device identity", MODS, "ueid", NULL},
	{"mod-ueid-text", "a device identity that is no number", MODS, "ueid", "\"12x\""},
	{"mod-hwmodel", "no model", MODS, "hwmodel", NULL},
	{"mod-oemid", "of another manufacturer", MODS, "oemid", "\"1414\""},
	{"mod-error", "an error is told of", MODS, "x-nvidia-error-details", "{\"code\": 4010}"},
	{"mod-mismatch", "mismatches are told of", MODS, "x-nvidia-mismatch-measurement-records",
		"[{\"index\": 9}]"},
	{"mod-unknown", "a check that nobody knows failed", MODS, "x-nvidia-gpu-new-check",
		"false"},
	{"mod-arch", "of another architecture", MODS, "x-nvidia-gpu-arch-check", "false"},
	{"mod-no-arch", "the architecture is not checked", MODS, "x-nvidia-gpu-arch-check", NULL},
	{"mod-parsed", "the report is malformed", MODS, "x-nvidia-gpu-attestation-report-parsed",
		"false"},
	{"mod-nonce-match", "the report is for another nonce", MODS,
		"x-nvidia-gpu-attestation-report-nonce-match", "false"},
	{"mod-signature", "the report's signature does not verify", MODS,
		"x-nvidia-gpu-attestation-report-signature-verified", "false"},
	{"mod-fwid", "the firmware is another one", MODS,
		"x-nvidia-gpu-attestation-report-cert-chain-fwid-match", "false"},
	{"mod-chain", "the device's certificates are not valid", MODS,
		"x-nvidia-gpu-attestation-report-cert-chain",
		"{\"x-nvidia-cert-status\": \"expired\", \"x-nvidia-cert-ocsp-status\": \"good\"}"},
	{"mod-chain-revoked", "a certificate of the device is revoked", MODS,
		"x-nvidia-gpu-attestation-report-cert-chain",
		"{\"x-nvidia-cert-status\": \"valid\", \"x-nvidia-cert-ocsp-status\": "
		"\"revoked\"}"},
	{"mod-no-chain", "nothing is said of the certificates", MODS,
		"x-nvidia-gpu-attestation-report-cert-chain", NULL},
	{"mod-driver-fetched", "no manifest of the driver", MODS, "x-nvidia-gpu-driver-rim-fetched",
		"false"},
	{"mod-driver-schema", "the driver's manifest is malformed", MODS,
		"x-nvidia-gpu-driver-rim-schema-validated", "false"},
	{"mod-driver-version", "the driver's manifest is of another version", MODS,
		"x-nvidia-gpu-driver-rim-version-match", "false"},
	{"mod-driver-signature", "the driver's manifest is not signed", MODS,
		"x-nvidia-gpu-driver-rim-signature-verified", "false"},
	{"mod-driver-measurements", "the driver's manifest has no value", MODS,
		"x-nvidia-gpu-driver-rim-measurements-available", "false"},
	{"mod-driver-chain", "the signer of the driver's manifest is revoked", MODS,
		"x-nvidia-gpu-driver-rim-cert-chain",
		"{\"x-nvidia-cert-status\": \"valid\", \"x-nvidia-cert-ocsp-status\": "
		"\"revoked\"}"},
	{"mod-vbios-fetched", "no manifest of the VBIOS", MODS, "x-nvidia-gpu-vbios-rim-fetched",
		"false"},
	{"mod-vbios-version", "the VBIOS's manifest is of another version", MODS,
		"x-nvidia-gpu-vbios-rim-version-match", "false"},
	{"mod-vbios-signature", "the VBIOS's manifest is not signed", MODS,
		"x-nvidia-gpu-vbios-rim-signature-verified", "false"},
	{"mod-conflict", "both manifests tell of one index", MODS,
		"x-nvidia-gpu-vbios-index-no-conflict", "false"},
	{"mod-driver-name", "no version of the driver", MODS, "x-nvidia-gpu-driver-version", NULL},
	{"mod-vbios-name", "no version of the VBIOS", MODS, "x-nvidia-gpu-vbios-version", NULL},
};

static const struct {
	const char *name, *text;
	enum sim_token_lie lie;
} lie_defects[] = {
	{"token-signature", "the signature does not verify", SIM_TOKEN_SIGNATURE},
	{"token-mod-signature", "a submodule's signature does not verify", SIM_TOKEN_MOD_SIGNATURE},
	{"token-mod-other", "a submodule is not the one digested", SIM_TOKEN_AGAIN},
	{"token-der", "signatures in the form of X.509", SIM_TOKEN_DER},
	{"token-padded", "base64 with padding", SIM_TOKEN_PADDED},
	{"token-unsigned", "an empty signature", SIM_TOKEN_UNSIGNED},
	{"token-mod-missing", "a submodule is missing", SIM_TOKEN_DROP},
	{"token-mod-extra", "a submodule without a digest", SIM_TOKEN_EXTRA},
	{"token-mod-twin", "one device twice", SIM_TOKEN_TWIN},
	{"token-digest-name", "digests of an unknown kind", SIM_TOKEN_DIGEST_NAME},
	{"token-claim-twice", "a claim twice", SIM_TOKEN_TWICE},
	{"token-type", "a token of another type", SIM_TOKEN_TYPE},
	{"token-trailing", "bytes behind the token", SIM_TOKEN_TRAILING},
};

#define CLAIMS (sizeof(claim_defects) / sizeof(claim_defects[0]))
#define LIES   (sizeof(lie_defects) / sizeof(lie_defects[0]))

static void set_claim(json_t *claims, const struct claim_defect *d)
{
	if (d->json)
		json_object_set_new(claims, d->claim, json_loads(d->json, JSON_DECODE_ANY, NULL));
	else
		json_object_del(claims, d->claim);
}

static void apply(struct sim_token *t, const struct claim_defect *d)
{
	/* The last device's: a verifier must look at all of them. */
	json_t *last = NULL, *claims;
	const char *name;

	json_object_foreach(t->mods, name, claims) last = claims;
	if (d->part == HEADER)
		set_claim(t->header, d);
	else
		set_claim(d->part == OVERALL ? t->overall : last, d);
}

static bool other_key(const char *name, struct sim_token *t)
{
	if (strcmp(name, "token-other-key") != 0)
		return false;
	t->key = "rogue";
	return true;
}

bool sim_token_defect_apply(const char *name, struct sim_token *t)
{
	for (size_t i = 0; i < CLAIMS; i++)
		if (strcmp(claim_defects[i].name, name) == 0) {
			if (t->overall)
				apply(t, &claim_defects[i]);
			return true;
		}
	for (size_t i = 0; i < LIES; i++)
		if (strcmp(lie_defects[i].name, name) == 0) {
			t->lies[lie_defects[i].lie] = true;
			return true;
		}
	return other_key(name, t);
}

void sim_token_defect_list(void)
{
	for (size_t i = 0; i < CLAIMS; i++)
		printf("%-24s %-9s %s\n", claim_defects[i].name, "token", claim_defects[i].text);
	for (size_t i = 0; i < LIES; i++)
		printf("%-24s %-9s %s\n", lie_defects[i].name, "token", lie_defects[i].text);
	printf("%-24s %-9s %s\n", "token-other-key", "token", "signed by another key");
}
