/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA driver's own list of GPUs: what the model server will see. */
#include <dlfcn.h>
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_nvml.h"

#define CHECK "gpu.cuda"

/* The part of cuda.h that is used here. */
enum { CUDA_OK = 0, CUDA_NO_DEVICE = 100, CUDA_NOT_READY = 802 };

/* Longer than any that the driver writes, so that a text without its NUL is noticed. */
#define BUS_ID_SIZE 32

struct cuda {
	int (*init)(unsigned int flags);
	int (*count)(int *count);
	int (*get)(int *device, int ordinal);
	int (*bus_id)(char *text, int size, int device);
};

static int fail(int code, const char *function, struct pm_report *report)
{
	if (code == CUDA_NOT_READY)
		return pm_fail(report, PM_E_STATE, CHECK, "GPUs that are ready",
			"%s: error 802 (system not ready)", function);
	return pm_fail(report, PM_E_SYS, CHECK, "success", "%s: error %d", function, code);
}

static int find(void *library, const char *name, void *ret_function, struct pm_report *report)
{
	void *found = dlsym(library, name);

	if (!found)
		return pm_fail(
			report, PM_E_UNSUPPORTED, CHECK, "the CUDA driver", "no function %s", name);
	pm_copy(ret_function, &found, sizeof(found));
	return PM_OK;
}

/* The library is never unloaded: it keeps threads and exit handlers. */
static int load(const char *path, struct pm_report *report, struct cuda *ret)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const char *why = library ? NULL : dlerror();
	int r;

	if (!library)
		return pm_fail(
			report, PM_E_MISSING, CHECK, "the CUDA driver", "%s", why ? why : path);
	r = find(library, "cuInit", &ret->init, report);
	if (r == PM_OK)
		r = find(library, "cuDeviceGetCount", &ret->count, report);
	if (r == PM_OK)
		r = find(library, "cuDeviceGet", &ret->get, report);
	if (r == PM_OK)
		r = find(library, "cuDeviceGetPCIBusId", &ret->bus_id, report);
	return r;
}

static int read_one(
	const struct cuda *cuda, int ordinal, struct pm_report *report, struct pm_gpu_bus_id *ret)
{
	char text[BUS_ID_SIZE] = "";
	int device, code = cuda->get(&device, ordinal);

	if (code != CUDA_OK)
		return fail(code, "cuDeviceGet", report);
	code = cuda->bus_id(text, sizeof(text), device);
	if (code != CUDA_OK)
		return fail(code, "cuDeviceGetPCIBusId", report);
	if (pm_gpu_bus_id_parse(pm_view(text, strnlen(text, sizeof(text))), ret) < 0)
		return pm_fail(report, PM_E_FORMAT, CHECK, "a place as 0000:65:00.0", "%.*s",
			(int)sizeof(text), text);
	return PM_OK;
}

static int enumerate(const struct cuda *cuda, struct pm_report *report,
	struct pm_gpu_bus_id *ret_ids, size_t capacity, size_t *ret_count)
{
	int count = -1, code = cuda->init(0), r = PM_OK;

	if (code == CUDA_NO_DEVICE) {
		*ret_count = 0;
		return PM_OK;
	}
	if (code != CUDA_OK)
		return fail(code, "cuInit", report);
	code = cuda->count(&count);
	if (code != CUDA_OK)
		return fail(code, "cuDeviceGetCount", report);
	if (count < 0 || (size_t)count > capacity)
		return pm_fail(report, PM_E_LIMIT, CHECK, "a plausible number of GPUs", "%d of %zu",
			count, capacity);
	for (int i = 0; r == PM_OK && i < count; i++)
		r = read_one(cuda, i, report, &ret_ids[i]);
	if (r == PM_OK)
		*ret_count = (size_t)count;
	return r;
}

int pm_gpu_cuda_enumerate(const char *path, struct pm_report *report, struct pm_gpu_bus_id *ret_ids,
	size_t capacity, size_t *ret_count)
{
	struct cuda cuda = {0};
	int r = load(path ? path : PM_GPU_CUDA, report, &cuda);

	return r < 0 ? r : enumerate(&cuda, report, ret_ids, capacity, ret_count);
}
