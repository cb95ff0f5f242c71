/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verb "bundle" share. */
#ifndef PM_VERIFY_BUNDLE_H
#define PM_VERIFY_BUNDLE_H

#include <stdbool.h>

#include <pm/pm.h>

/* The command line, read. */
struct bundle_options {
	const char *bundle, *manifest;
	struct pm_appraisal question;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	bool has_nonce; /* else it is not shown */
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE];
	bool has_manifest_hash;
	bool json;
};

/* What came of it. */
struct bundle_outcome {
	int error;
	const struct pm_report *report;	  /* of the parser */
	const struct pm_verdict *verdict; /* of all else */
	const struct pm_appraised *facts; /* NULL unless accepted */
};

/* Reads hexadecimal digits of an option. TOOL_OK, or TOOL_USAGE when it said what is wrong. */
int bundle_set_hex(const char *option, const char *value, uint8_t *ret, size_t size, bool *has);

/* Prints the verdict. */
void bundle_print(const struct bundle_options *o, const struct bundle_outcome *outcome);

#endif
