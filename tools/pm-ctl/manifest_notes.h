/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader should know: where a manifest demands nothing, or permits what is dangerous. */
#ifndef PM_CTL_MANIFEST_NOTES_H
#define PM_CTL_MANIFEST_NOTES_H

#include "pm-ctl/manifest.h"

/* Sentences; an array of strings. NULL without memory. */
json_t *manifest_notes(const struct pm_manifest *manifest);

#endif
