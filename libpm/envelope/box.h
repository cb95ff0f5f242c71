/* SPDX-License-Identifier: Apache-2.0 */
/* A key of boxes from its parts. */
#ifndef PM_ENVELOPE_BOX_H
#define PM_ENVELOPE_BOX_H

#include <pm/box.h>
#include "crypto/kem_key.h"

PM_OWNER(pm_box_key, pm_box_key_free);

/* The key of a seed, which it takes over, also on failure. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_box_key_from_seed(struct pm_secret *seed, struct pm_box_key **ret) PM_MUST_USE;

#endif
