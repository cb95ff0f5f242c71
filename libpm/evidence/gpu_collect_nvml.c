/* SPDX-License-Identifier: Apache-2.0 */
/* NVML: found, loaded, set up, and its errors translated. */
#include "evidence/gpu_nvml.h"

#include <dlfcn.h>

#include "base/report.h"

#define CHECK "gpu.nvml"

struct symbol {
	const char *name;
	size_t offset; /* of the pointer in struct pm_nvml */
	bool optional;
};

#define SYMBOL(name)                                                                               \
	{                                                                                          \
		"nvml" #name, offsetof(struct pm_nvml, name), false                                \
	}
#define OPTIONAL(name)                                                                             \
	{                                                                                          \
		"nvml" #name, offsetof(struct pm_nvml, name), true                                 \
	}

static const struct symbol symbols[] = {
	SYMBOL(Init_v2),
	SYMBOL(Shutdown),
	OPTIONAL(ErrorString),
	SYMBOL(SystemGetDriverVersion),
	SYMBOL(SystemGetConfComputeState),
	OPTIONAL(SystemGetConfComputeSettings),
	SYMBOL(SystemGetConfComputeGpusReadyState),
	SYMBOL(SystemSetConfComputeGpusReadyState),
	SYMBOL(DeviceGetCount_v2),
	SYMBOL(DeviceGetHandleByIndex_v2),
	SYMBOL(DeviceGetArchitecture),
	SYMBOL(DeviceGetUUID),
	SYMBOL(DeviceGetPciInfo_v3),
	SYMBOL(DeviceGetConfComputeGpuAttestationReport),
	SYMBOL(DeviceGetConfComputeGpuCertificate),
};

/* POSIX has function pointers fit in void *, and dlsym() rests on it. */
static int find(struct pm_nvml *nvml, const struct symbol *symbol, struct pm_report *report)
{
	void *found = dlsym(nvml->library, symbol->name);

	if (!found && !symbol->optional)
		return pm_fail(report, PM_E_UNSUPPORTED, CHECK,
			"a driver with confidential computing", "no function %s", symbol->name);
	pm_copy((char *)nvml + symbol->offset, &found, sizeof(found));
	return PM_OK;
}

static int load(struct pm_nvml *nvml, const char *path, struct pm_report *report)
{
	const char *why;
	int r = PM_OK;

	nvml->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->library) {
		why = dlerror();
		return pm_fail(
			report, PM_E_MISSING, CHECK, "NVIDIA's driver", "%s", why ? why : path);
	}
	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(symbols); i++)
		r = find(nvml, &symbols[i], report);
	return r;
}

static int unload(struct pm_nvml *nvml, int error)
{
	if (nvml->library)
		(void)dlclose(nvml->library);
	*nvml = (struct pm_nvml){0};
	return error;
}

int pm_nvml_open(const char *path, struct pm_report *report, struct pm_nvml *ret)
{
	struct pm_nvml nvml = {0};
	int r = load(&nvml, path, report), code;

	if (r < 0)
		return unload(&nvml, r);
	code = nvml.Init_v2();
	if (code != PM_NVML_OK)
		return unload(&nvml, pm_nvml_fail(&nvml, code, "nvmlInit_v2", report));
	*ret = nvml;
	return PM_OK;
}

void pm_nvml_close(struct pm_nvml *nvml)
{
	if (!nvml->library)
		return;
	(void)nvml->Shutdown();
	(void)unload(nvml, PM_OK);
}

static int error_of(int nvml_error)
{
	switch (nvml_error) {
	case PM_NVML_NOT_SUPPORTED:
	case PM_NVML_FUNCTION_NOT_FOUND:
		return PM_E_UNSUPPORTED;
	case PM_NVML_DRIVER_NOT_LOADED:
	case PM_NVML_LIBRARY_NOT_FOUND:
		return PM_E_MISSING;
	case PM_NVML_MEMORY:
		return PM_E_NOMEM;
	default:
		return PM_E_SYS;
	}
}

int pm_nvml_fail(
	const struct pm_nvml *nvml, int error, const char *function, struct pm_report *report)
{
	const char *text = nvml->ErrorString ? nvml->ErrorString(error) : NULL;

	return pm_fail(report, error_of(error), CHECK, "success", "%s: error %d (%s)", function,
		error, text ? text : "no text");
}
