/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of an attestation service, made with OpenSSL and jansson. Texts are freed with free(). */
#ifndef PM_TEST_EAT_MAKER_H
#define PM_TEST_EAT_MAKER_H

#include <jansson.h>
#include <openssl/evp.h>

#include "base/mem.h"

/* When they are issued: 2026-03-01. */
#define EAT_NOW INT64_C(1772323200)

struct eat_maker {
	EVP_PKEY *key;
	/* Header of each part, overall claims, claims of each device by its name. */
	json_t *header, *overall, *mods;
	/* A header for the devices, or NULL: the same. */
	json_t *mod_header;
	/* Signs what the devices say, or NULL: the same. */
	EVP_PKEY *mod_key;
	/* The digests were made here, and are made again for other parts. */
	bool digested;
};

/* One that everybody has to accept, of so many GPUs or switches. */
void eat_maker_init(struct eat_maker *m, size_t gpus, size_t switches);
void eat_maker_free(struct eat_maker *m);

/* Sets a claim to a JSON value, or deletes it when that is NULL. */
void eat_set(json_t *claims, const char *name, const char *json);

/* The claims of version 2.0. */
void eat_maker_version2(struct eat_maker *m);

char *eat_base64url(const void *bytes, size_t n);

/* One part in its compact form. */
char *eat_jws(EVP_PKEY *key, const json_t *header, const json_t *claims);

/* The overall token with the digests of these parts, unless a test has set some. */
char *eat_overall(struct eat_maker *m, const json_t *parts);
json_t *eat_parts(const struct eat_maker *m);
char *eat_detached(const char *overall, const json_t *parts);

/* All of it. */
char *eat_make(struct eat_maker *m);

/* One key as a member of a JWKS: "EC", "P-384". */
json_t *eat_jwk(EVP_PKEY *key, const char *kid);
/* {"keys": [...]}, which takes the reference. */
char *eat_jwks(json_t *key);

#endif
