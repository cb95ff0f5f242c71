/* SPDX-License-Identifier: Apache-2.0 */
/* The golden measurements of a verified manifest, for the appraisal of a device. */
#ifndef PM_EVIDENCE_RIM_H
#define PM_EVIDENCE_RIM_H

#include <pm/rim.h>
#include "base/mem.h"

#define PM_RIM_DIGEST_SIZE	48
#define PM_RIM_VALUES_MAX	64 /* indices 0 to 63 */
#define PM_RIM_ALTERNATIVES_MAX 8  /* seen: 4 */
#define PM_RIM_NAME_SIZE	64

/* One measurement. A device is good at index when one of the alternatives is what it measured. */
struct pm_rim_value {
	uint8_t index; /* of the report: the number of its block - 1 */
	bool active;   /* only active ones are compared */
	uint8_t alternatives;
	uint8_t digests[PM_RIM_ALTERNATIVES_MAX][PM_RIM_DIGEST_SIZE];
	char name[PM_RIM_NAME_SIZE]; /* printable */
};

PM_OWNER(pm_rim, pm_rim_free);
PM_OWNER(pm_rim_document, pm_rim_document_free);

/* In the order of the manifest; no index twice. */
size_t pm_rim_value_count(const struct pm_rim *rim);

/* i below pm_rim_value_count(); owned by the manifest. */
const struct pm_rim_value *pm_rim_value_at(const struct pm_rim *rim, size_t i);

/* The value of that index, active or not, or NULL. */
const struct pm_rim_value *pm_rim_value_of(const struct pm_rim *rim, uint8_t index);

/* SHA-256 of the root certificate: another policy may not trust a test root of the first. */
const uint8_t *pm_rim_root_sha256(const struct pm_rim *rim);

#endif
