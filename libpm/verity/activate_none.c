/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of activate.c where libcryptsetup is missing: the same symbols. */
#include <pm/verity_mount.h>

#include "base/report.h"

static int refuse(struct pm_report *report)
{
	return pm_fail(report, PM_E_UNSUPPORTED, "verity", "a library with libcryptsetup",
		"built without");
}

int pm_verity_open(const char *name, const char *device, const struct pm_verity_params *params,
	const uint8_t *root_hash, enum pm_verity_on_corruption on_corruption,
	struct pm_report *report)
{
	(void)name;
	(void)device;
	(void)params;
	(void)root_hash;
	(void)on_corruption;
	return refuse(report);
}

int pm_verity_close(const char *name, struct pm_report *report)
{
	(void)name;
	return refuse(report);
}

int pm_verity_status(
	const char *name, struct pm_report *report, struct pm_verity_status *ret_status)
{
	(void)name;
	(void)ret_status;
	return refuse(report);
}
