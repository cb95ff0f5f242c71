/* SPDX-License-Identifier: Apache-2.0 */
/* How a sealed exchange's secret comes from the inference secret and the outer fields. */
#ifndef PM_ENVELOPE_SEALED_H
#define PM_ENVELOPE_SEALED_H

#include <pm/sealed.h>

#include "crypto/crypto.h"

/*
 * secret: the inference secret, PM_SEALED_SECRET_SIZE bytes. ret has as many. PM_E_LIMIT for a text
 * above the maxima of pm/sealed.h; PM_E_CRYPTO.
 */
int pm_sealed_secret(const struct pm_secret *secret, struct pm_view id, struct pm_view model,
	struct pm_view shard_key, uint8_t *ret) PM_MUST_USE;

#endif
