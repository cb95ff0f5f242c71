/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verb "snp" share. */
#ifndef PM_VERIFY_SNP_H
#define PM_VERIFY_SNP_H

#include <stdbool.h>
#include <stddef.h>

#include <pm/pm.h>

/* As many files as an option may name. */
#define SNP_FILES_MAX 16

/* An option that may be repeated: every file counts. */
struct snp_files {
	const char *names[SNP_FILES_MAX];
	size_t count;
};

/* The command line, read. */
struct snp_options {
	const char *report, *table;
	struct snp_files veks, chains, crls;
	const char *kds, *cache;
	int product; /* for --fetch, when the report does not say */
	int64_t now;
	bool fetch, json;
	bool has_report_data, has_measurement, has_tcb, has_policy;
};

/* Does the report, or the command line, name the processor? Without, nothing can be fetched. */
bool snp_can_fetch(const struct snp_options *o, const struct pm_snp_evidence *ev);

/* Downloads what the command line did not give. An error code of libpm. */
int snp_fetch(const struct snp_options *o, struct pm_snp_evidence *ev, struct pm_report *report);

/*
 * Of a report that was refused for its VCEK: downloads that, as a host may have given the one of an
 * older firmware. False when there is no reason to, or it failed: the refusal stands.
 */
bool snp_fetch_again(
	const struct snp_options *o, struct pm_snp_evidence *ev, const struct pm_report *refused);

/* Prints the verdict; facts is NULL unless accepted. */
void snp_print(const struct snp_options *o, int error, const struct pm_report *report,
	const struct pm_snp_facts *facts);

#endif
