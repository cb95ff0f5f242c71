/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of bodies share: transformers over the toy cipher of the unit tests. */
#ifndef PM_FUZZ_FUZZ_BODY_H
#define PM_FUZZ_FUZZ_BODY_H

#include "../unit/toy_cipher.h"
#include "envelope/grow.h"
#include "fuzz.h"

struct fuzz_body {
	struct toy toy;
	struct pm_body *body;
};

/* The first message has the number seq: a wrong one shall be refused. */
static inline void fuzz_body_new(struct fuzz_body *ret, enum pm_endpoint endpoint,
	enum pm_body_side side, enum pm_body_way way, uint32_t seq)
{
	struct pm_body_cipher cipher = toy_cipher(&ret->toy, way);

	ret->toy.seq = seq;
	FUZZ_CHECK(pm_body_new(endpoint, side, way, &cipher, &ret->body) == PM_OK);
}

#endif
