/* SPDX-License-Identifier: Apache-2.0 */
/* The function that old drivers lack: linked into one of the two libraries only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/gpu_nvml.h"

static int fails_by(const char *name)
{
	char path[4096], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/fault", getenv("PM_FAKE_NVML"));
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, name);
}

__attribute__((visibility("default"))) int nvmlSystemGetConfComputeSettings(
	struct pm_nvml_cc_settings *settings);
__attribute__((visibility("default"))) int nvmlSystemGetConfComputeSettings(
	struct pm_nvml_cc_settings *settings)
{
	if (settings->version != PM_NVML_SETTINGS_VERSION)
		return 25; /* argument version mismatch */
	if (fails_by("settings-unsupported"))
		return PM_NVML_NOT_SUPPORTED;
	if (fails_by("settings-fail"))
		return 999;
	settings->environment = PM_NVML_ENV_PROD;
	if (fails_by("ppcie") || fails_by("settings-environment"))
		settings->environment = PM_NVML_ENV_UNAVAILABLE;
	settings->cc_feature =
		!fails_by("ppcie") && !fails_by("cc-off") && !fails_by("settings-cc-off");
	settings->devtools_mode = (unsigned int)fails_by("settings-devtools");
	settings->multi_gpu_mode = fails_by("ppcie") ? 1 : 0;
	return PM_NVML_OK;
}
