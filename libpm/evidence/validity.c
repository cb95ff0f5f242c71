/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/validity.h"

#include <stdio.h>

#include "base/report.h"
#include "base/time.h"

int pm_check_validity(const struct pm_cert *cert, const char *name, int64_t now,
	struct pm_report *report, int64_t *until)
{
	int64_t from = pm_cert_not_before(cert), to = pm_cert_not_after(cert);
	char window[64];

	if (pm_cert_check_time(cert, now) < 0) {
		snprintf(window, sizeof(window), "%s to %s", pm_time(from).s, pm_time(to).s);
		return pm_fail(report, PM_E_STALE, name, window, "%s", pm_time(now).s);
	}
	if (to < *until)
		*until = to;
	if (report)
		pm_pass(report, name, "%s to %s", pm_time(from).s, pm_time(to).s);
	return PM_OK;
}
