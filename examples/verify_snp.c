/* SPDX-License-Identifier: Apache-2.0 */
/* verify_snp REPORT VCEK CHAIN REPORT_DATA: did a genuine Milan, patched, just say this? */
#include <err.h>
#include <stdio.h>
#include <time.h>

#include <pm/pm.h>

int main(int argc, char **argv)
{
	static unsigned char file[3][65536], report_data[PM_SNP_REPORT_DATA_SIZE];
	struct pm_snp_tcb least = {.boot_loader = 4, .snp = 24, .microcode = 219};
	struct pm_snp_evidence *evidence = NULL;
	struct pm_snp_policy *policy = NULL;
	struct pm_report *report = pm_report_new();
	const struct pm_snp_facts *facts = NULL;
	size_t size[3];

	if (argc != 5 || !report || pm_hex_decode(argv[4], report_data, sizeof(report_data)))
		errx(2, "usage: verify_snp REPORT VCEK CHAIN REPORT_DATA");
	for (int i = 0; i < 3; i++) {
		FILE *f = fopen(argv[1 + i], "rb");
		size[i] = f ? fread(file[i], 1, sizeof(file[i]), f) : 0;
	}
	if (pm_snp_policy_new(&policy) || pm_snp_policy_expect_report_data(policy, report_data) ||
		pm_snp_policy_min_tcb(policy, PM_SNP_TCB_REPORTED, PM_SNP_MILAN, &least) ||
		pm_snp_policy_waive(
			policy, PM_SNP_WAIVE_MEASUREMENT)) /* a real client demands it */
		errx(2, "no memory");
	if (pm_snp_evidence_parse(file[0], size[0], report, &evidence) ||
		pm_snp_evidence_add_certs(evidence, file[1], size[1], report) ||
		pm_snp_evidence_add_certs(evidence, file[2], size[2], report) ||
		pm_snp_verify(evidence, policy, NULL, time(NULL), report, &facts))
		errx(1, "rejected: %s", pm_report_reason(report));
	printf("verified: %s, VMPL %u\n", pm_snp_product_name(facts->product), facts->fields.vmpl);
	return 0;
}
