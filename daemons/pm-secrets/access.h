/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which worker may have what: decided by the mesh certificate, the manifest, and the secret's own
 * rule.
 */
#ifndef SECRETS_ACCESS_H
#define SECRETS_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/manifest.h>
#include <pm/mesh.h>

#include "pm-secrets/record.h"

/*
 * May this worker have this secret now? Both rules must let it in by one and the same model, or by
 * its role alone where they ask for no model; it is not one that commands come under, and has not
 * expired.
 */
bool access_may_have(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	const char *id, const struct record *record, int64_t now);

#endif
