/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/measure_cpu.h"

#include <string.h>

#include <pm/error.h>

#include "base/mem.h"

#define FAMILY_BASE_MAX 0xfu
#define FAMILY_MAX	(FAMILY_BASE_MAX + 0xffu)
#define MODEL_MAX	0xffu
#define STEPPING_MAX	0xfu

struct model {
	const char *name;
	uint16_t family;
	uint8_t model;
	uint8_t stepping;
};

/* QEMU, target/i386/cpu.c, builtin_x86_defs: no version of a model changes these numbers. */
static const struct model models[] = {
	{"EPYC", 23, 1, 2},
	{"EPYC-v1", 23, 1, 2},
	{"EPYC-v2", 23, 1, 2},
	{"EPYC-IBPB", 23, 1, 2},
	{"EPYC-v3", 23, 1, 2},
	{"EPYC-v4", 23, 1, 2},
	{"EPYC-v5", 23, 1, 2},
	{"EPYC-Rome", 23, 49, 0},
	{"EPYC-Rome-v1", 23, 49, 0},
	{"EPYC-Rome-v2", 23, 49, 0},
	{"EPYC-Rome-v3", 23, 49, 0},
	{"EPYC-Rome-v4", 23, 49, 0},
	{"EPYC-Rome-v5", 23, 49, 0},
	{"EPYC-Milan", 25, 1, 1},
	{"EPYC-Milan-v1", 25, 1, 1},
	{"EPYC-Milan-v2", 25, 1, 1},
	{"EPYC-Milan-v3", 25, 1, 1},
	{"EPYC-Genoa", 25, 17, 0},
	{"EPYC-Genoa-v1", 25, 17, 0},
	{"EPYC-Genoa-v2", 25, 17, 0},
	{"EPYC-Turin", 26, 0, 0},
	{"EPYC-Turin-v1", 26, 0, 0},
};

/* The family above 15 and the upper half of the model go to fields of their own. */
static uint32_t signature(unsigned int family, unsigned int model, unsigned int stepping)
{
	unsigned int base = family < FAMILY_BASE_MAX ? family : FAMILY_BASE_MAX;

	return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xf) << 4 |
	       stepping;
}

int pm_measure_cpu_signature(
	unsigned int family, unsigned int model, unsigned int stepping, uint32_t *ret_signature)
{
	if (family > FAMILY_MAX || model > MODEL_MAX || stepping > STEPPING_MAX)
		return PM_E_ARG;
	*ret_signature = signature(family, model, stepping);
	return PM_OK;
}

const char *pm_measure_cpu_model(size_t index)
{
	return index < PM_ARRAY_LEN(models) ? models[index].name : NULL;
}

int pm_measure_cpu_find(const char *name, uint32_t *ret_signature)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(models); i++) {
		const struct model *m = &models[i];

		if (strcmp(m->name, name) != 0)
			continue;
		*ret_signature = signature(m->family, m->model, m->stepping);
		return PM_OK;
	}
	return PM_E_UNSUPPORTED;
}
