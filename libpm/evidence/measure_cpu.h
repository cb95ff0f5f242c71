/* SPDX-License-Identifier: Apache-2.0 */
/* Names of processor models, and the signatures that QEMU shows for them. */
#ifndef PM_EVIDENCE_MEASURE_CPU_H
#define PM_EVIDENCE_MEASURE_CPU_H

#include <pm/measure.h>

/* The signature of a named model. PM_E_UNSUPPORTED for an unknown name. */
int pm_measure_cpu_find(const char *name, uint32_t *ret_signature) PM_MUST_USE;

#endif
