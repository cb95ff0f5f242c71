/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of bodies share: transformers over the toy cipher, and random bodies. */
#ifndef PM_TEST_BODY_MAKER_H
#define PM_TEST_BODY_MAKER_H

#include "envelope/grow.h"
#include "testing.h"
#include "toy_cipher.h"

/* Stands in every value that a maker writes and that is to be encrypted. */
#define MAKER_SECRET "73197319" /* long enough to come up nowhere by chance */

/* A transformer with a cipher of its own. */
struct toy_body {
	struct toy toy;
	struct pm_body *body;
};

void toy_body_new(struct toy_body *ret, enum pm_endpoint endpoint, enum pm_body_side side,
	enum pm_body_way way);
void toy_body_reset(struct toy_body *toy, enum pm_body_way way);
void toy_body_free(struct toy_body *toy);

/* The whole stream in chunks of at most chunk bytes, appended to out. The first failure. */
int toy_body_stream(struct toy_body *toy, struct pm_view in, size_t chunk, struct pm_grow *out);

/* Random, but the same for the same seed. */
struct maker {
	uint64_t state;
	struct pm_grow out;
};

uint32_t maker_number(struct maker *maker, uint32_t below);
void maker_text(struct maker *maker, const char *text);

/* A value with MAKER_SECRET in it; newlines: also as space between tokens. */
void maker_value(struct maker *maker, int depth, bool newlines);

/* A chat's document: some plain fields, some others, in any order. */
void maker_object(struct maker *maker, bool newlines);

/* Does the needle stand in the bytes? */
bool contains(struct pm_view bytes, const char *needle);

/* The seed of this run, from PM_SEED or fixed; printed once. */
uint64_t maker_seed(void);

#endif
