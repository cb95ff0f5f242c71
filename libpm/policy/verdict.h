/* SPDX-License-Identifier: Apache-2.0 */
/* How a verdict is filled. All calls accept a NULL verdict and then do nothing. */
#ifndef PM_POLICY_VERDICT_H
#define PM_POLICY_VERDICT_H

#include <pm/verdict.h>
#include "base/mem.h"

PM_OWNER(pm_verdict, pm_verdict_free);

/*
 * Begins a group and ends it; what is added between lies in it. Name and source as printf would
 * take them are made by the caller; both are cut to what there is room for, and made printable.
 */
void pm_verdict_begin(struct pm_verdict *verdict, const char *name, const char *source);
void pm_verdict_end(struct pm_verdict *verdict);

/* Adds each check of a report, with its source, and forgets them in the report. */
void pm_verdict_take(struct pm_verdict *verdict, struct pm_report *report, const char *source);

/* A yes to a part was not yet the whole: what follows is added, and then accepted, or not. */
void pm_verdict_go_on(struct pm_verdict *verdict);

/* The one place of a yes. */
void pm_verdict_accept(struct pm_verdict *verdict);

#endif
