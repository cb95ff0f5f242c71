/* SPDX-License-Identifier: Apache-2.0 */
/* A program that knows libpm from its installed files only. Compiled as C and as C++. */
#include <stdio.h>
#include <string.h>

#include <pm/pm.h>

int main(void)
{
	struct pm_report *report = pm_report_new();
	char headers[32];

	snprintf(headers, sizeof(headers), "%d.%d.%d", PM_VERSION_MAJOR, PM_VERSION_MINOR,
		PM_VERSION_PATCH);
	if (!report || pm_report_count(report) != 0 || strcmp(pm_report_reason(report), "") != 0)
		return 1;
	pm_report_free(report);
	if (strcmp(headers, pm_version()) != 0)
		return 2;
	printf("%s\n", pm_version());
	return 0;
}
