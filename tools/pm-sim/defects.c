/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be wrong with evidence, one deviation each. All but the harmless ones are to be refused;
 * a test pairs each with the check of the verifier that must notice it.
 */
#include "pm-sim/sim.h"

#include <stdio.h>
#include <string.h>

static const struct sim_defects *const all[] = {&sim_report_defects, &sim_cert_defects};

#define KINDS (sizeof(all) / sizeof(all[0]))

const struct sim_defect *sim_defect_find(const char *name)
{
	for (size_t k = 0; k < KINDS; k++)
		for (size_t i = 0; i < all[k]->count; i++)
			if (strcmp(all[k]->list[i].name, name) == 0)
				return &all[k]->list[i];
	(void)sim_fail("%s: unknown defect; see: pm-sim defects", name);
	return NULL;
}

static void list(bool harmless)
{
	static const char *const stages[] = {[SIM_FIELDS] = "report",
		[SIM_SIGNED] = "signature",
		[SIM_VEK_STAGE] = "vek",
		[SIM_CHAIN] = "chain",
		[SIM_CRL] = "crl"};

	for (size_t k = 0; k < KINDS; k++)
		for (size_t i = 0; i < all[k]->count; i++) {
			const struct sim_defect *d = &all[k]->list[i];

			if (d->harmless == harmless)
				printf("%-20s %-9s %s%s\n", d->name, stages[d->stage], d->text,
					harmless ? " (to be accepted)" : "");
		}
}

void sim_defect_list(void)
{
	list(false);
	list(true);
}
