/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/gpu_collect.h>
#include <pm/gpu_policy.h>

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/gpu_nvml.h"

_Static_assert(PM_GPU_HOST_REPORT_MAX == sizeof(((struct pm_nvml_report *)0)->report), "NVML's");
_Static_assert(
	PM_GPU_HOST_CERTS_MAX == sizeof(((struct pm_nvml_certificate *)0)->attestation_chain),
	"NVML's");

struct list {
	size_t count;
	struct pm_gpu_device devices[PM_GPU_HOST_DEVICES_MAX];
	pm_nvml_device handles[PM_GPU_HOST_DEVICES_MAX];
};

struct pm_gpu_host {
	struct pm_nvml nvml;
	struct list list;
};

PM_OWNER(pm_gpu_host, pm_gpu_host_close);

struct pm_gpu_collected {
	uint8_t *report;
	size_t report_size;
	uint8_t *certs;
	size_t certs_size;
};

PM_OWNER(pm_gpu_collected, pm_gpu_collected_free);

#define CALL(host, report, function, ...)                                                          \
	nvml_result(&(host)->nvml, (host)->nvml.function(__VA_ARGS__), "nvml" #function, report)

static int nvml_result(
	const struct pm_nvml *nvml, int code, const char *function, struct pm_report *report)
{
	return code == PM_NVML_OK ? PM_OK : pm_nvml_fail(nvml, code, function, report);
}

/* A text of NVML's ends within its buffer, and holds nothing that could steer a terminal. */
static int check_text(const char *text, size_t size, const char *function, struct pm_report *report)
{
	size_t len = strnlen(text, size);

	if (len == 0 || len == size)
		return pm_fail(report, PM_E_FORMAT, "gpu.nvml", "a text", "%s: none", function);
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return pm_fail(report, PM_E_FORMAT, "gpu.nvml", "a text", "%s: %.*s",
				function, (int)len, text);
	}
	return PM_OK;
}

/* --- the list of GPUs ------------------------------------------------------------------------ */

static int arch_of(unsigned int nvml_arch)
{
	if (nvml_arch == PM_NVML_ARCH_HOPPER)
		return PM_GPU_HOPPER;
	return nvml_arch == PM_NVML_ARCH_BLACKWELL ? PM_GPU_BLACKWELL : 0;
}

static int read_place(struct pm_gpu_host *host, pm_nvml_device handle, struct pm_report *report,
	struct pm_gpu_bus_id *ret)
{
	struct pm_nvml_pci pci = {0};
	struct pm_view text;
	int r = CALL(host, report, DeviceGetPciInfo_v3, handle, &pci);

	if (r < 0)
		return r;
	text = pm_view(pci.bus_id, strnlen(pci.bus_id, sizeof(pci.bus_id)));
	if (pm_gpu_bus_id_parse(text, ret) < 0)
		return pm_fail(report, PM_E_FORMAT, "gpu.nvml", "a place as 00000000:65:00.0",
			"%.*s", (int)text.len, text.ptr);
	return PM_OK;
}

static int read_device(struct pm_gpu_host *host, pm_nvml_device handle, struct pm_report *report,
	struct pm_gpu_device *ret)
{
	int r = CALL(host, report, DeviceGetArchitecture, handle, &ret->nvml_arch);

	if (r == PM_OK)
		r = CALL(host, report, DeviceGetUUID, handle, ret->uuid, sizeof(ret->uuid));
	if (r == PM_OK)
		r = check_text(ret->uuid, sizeof(ret->uuid), "nvmlDeviceGetUUID", report);
	if (r == PM_OK)
		r = read_place(host, handle, report, &ret->bus_id);
	ret->arch = arch_of(ret->nvml_arch);
	return r;
}

static int check_distinct(const struct list *list, size_t index, struct pm_report *report)
{
	const struct pm_gpu_device *d = &list->devices[index];

	for (size_t i = 0; i < index; i++) {
		const struct pm_gpu_device *other = &list->devices[i];

		if (!strcmp(d->uuid, other->uuid) ||
			pm_gpu_bus_id_equal(&d->bus_id, &other->bus_id))
			return pm_fail(report, PM_E_FORMAT, "gpu.nvml", "distinct GPUs",
				"GPU %zu and %zu: %s at %s", i, index, d->uuid,
				pm_gpu_bus_id(&d->bus_id).s);
	}
	return PM_OK;
}

static int read_list(struct pm_gpu_host *host, struct pm_report *report, struct list *ret)
{
	unsigned int count = 0;
	int r = CALL(host, report, DeviceGetCount_v2, &count);

	if (r < 0)
		return r;
	if (count > PM_GPU_HOST_DEVICES_MAX)
		return pm_fail(report, PM_E_LIMIT, "gpu.nvml", "at most 64 GPUs", "%u", count);
	for (unsigned int i = 0; i < count; i++) {
		ret->devices[i].index = i;
		r = CALL(host, report, DeviceGetHandleByIndex_v2, i, &ret->handles[i]);
		if (r == PM_OK)
			r = read_device(host, ret->handles[i], report, &ret->devices[i]);
		if (r == PM_OK)
			r = check_distinct(ret, i, report);
		if (r < 0)
			return r;
	}
	ret->count = count;
	return PM_OK;
}

int pm_gpu_host_open(const char *nvml, struct pm_report *report, struct pm_gpu_host **ret_host)
{
	pm_cleanup(pm_gpu_host) struct pm_gpu_host *host = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	host = pm_alloc(sizeof(*host));
	if (!host)
		return PM_E_NOMEM;
	r = pm_nvml_open(nvml ? nvml : PM_GPU_NVML, report, &host->nvml);
	if (r == PM_OK)
		r = read_list(host, report, &host->list);
	if (r == PM_OK)
		*ret_host = pm_steal(host);
	return r;
}

void pm_gpu_host_close(struct pm_gpu_host *host)
{
	if (!host)
		return;
	pm_nvml_close(&host->nvml);
	free(host);
}

size_t pm_gpu_host_count(const struct pm_gpu_host *host)
{
	return host->list.count;
}

const struct pm_gpu_device *pm_gpu_host_device(const struct pm_gpu_host *host, size_t index)
{
	return index < host->list.count ? &host->list.devices[index] : NULL;
}

static bool is_same(const struct pm_gpu_device *a, const struct pm_gpu_device *b)
{
	return a->nvml_arch == b->nvml_arch && !strcmp(a->uuid, b->uuid) &&
	       pm_gpu_bus_id_equal(&a->bus_id, &b->bus_id);
}

int pm_gpu_host_check_same(struct pm_gpu_host *host, struct pm_report *report)
{
	pm_cleanup(free) struct list *now = pm_alloc(sizeof(*now));
	const struct list *then = &host->list;
	int r;

	if (!now)
		return PM_E_NOMEM;
	r = read_list(host, report, now);
	if (r < 0)
		return r;
	if (now->count != then->count)
		return pm_fail(report, PM_E_REJECTED, "gpu.same", "the GPUs that were verified",
			"%zu GPUs instead of %zu", now->count, then->count);
	for (size_t i = 0; i < now->count; i++) {
		if (!is_same(&now->devices[i], &then->devices[i]))
			return pm_fail(report, PM_E_REJECTED, "gpu.same",
				"the GPUs that were verified", "GPU %zu is %s instead of %s", i,
				now->devices[i].uuid, then->devices[i].uuid);
	}
	pm_pass(report, "gpu.same", "%zu GPUs", now->count);
	return PM_OK;
}

/* --- state of the system --------------------------------------------------------------------- */

static int multi_gpu_of(unsigned int mode)
{
	return mode <= PM_GPU_MULTI_NVLE ? (int)mode : PM_GPU_MULTI_UNKNOWN;
}

/* The newer function, where there is one. It knows more; where both speak, the worse counts. */
static int add_settings(
	struct pm_gpu_host *host, struct pm_report *report, struct pm_gpu_host_state *state)
{
	struct pm_nvml_cc_settings settings = {.version = PM_NVML_SETTINGS_VERSION};
	int code;

	if (!host->nvml.SystemGetConfComputeSettings)
		return PM_OK;
	code = host->nvml.SystemGetConfComputeSettings(&settings);
	if (code == PM_NVML_NOT_SUPPORTED || code == PM_NVML_FUNCTION_NOT_FOUND)
		return PM_OK;
	if (code != PM_NVML_OK)
		return pm_nvml_fail(&host->nvml, code, "nvmlSystemGetConfComputeSettings", report);
	state->cc = state->cc && settings.cc_feature == 1;
	state->devtools = state->devtools || settings.devtools_mode != 0;
	if (settings.environment != (unsigned int)state->environment)
		state->environment = PM_NVML_ENV_SIM;
	state->multi_gpu = multi_gpu_of(settings.multi_gpu_mode);
	return PM_OK;
}

static int read_driver(
	struct pm_gpu_host *host, struct pm_report *report, struct pm_gpu_host_state *state)
{
	int r = CALL(host, report, SystemGetDriverVersion, state->driver, sizeof(state->driver));

	if (r < 0)
		return r;
	return check_text(
		state->driver, sizeof(state->driver), "nvmlSystemGetDriverVersion", report);
}

int pm_gpu_host_state(
	struct pm_gpu_host *host, struct pm_report *report, struct pm_gpu_host_state *ret_state)
{
	struct pm_nvml_cc_state cc = {0};
	struct pm_gpu_host_state state = {.multi_gpu = PM_GPU_MULTI_UNKNOWN};
	unsigned int ready = 0;
	int r = CALL(host, report, SystemGetConfComputeState, &cc);

	state.cc = cc.cc_feature == 1;
	state.devtools = cc.devtools_mode != 0;
	state.environment =
		cc.environment <= PM_NVML_ENV_PROD ? (int)cc.environment : PM_NVML_ENV_SIM;
	if (r == PM_OK)
		r = add_settings(host, report, &state);
	if (r == PM_OK)
		r = read_driver(host, report, &state);
	if (r == PM_OK)
		r = CALL(host, report, SystemGetConfComputeGpusReadyState, &ready);
	if (r < 0)
		return r;
	state.ready = ready == 1;
	*ret_state = state;
	return PM_OK;
}

int pm_gpu_host_check_mode(const struct pm_gpu_host_state *state, struct pm_report *report)
{
	bool ppcie = state->multi_gpu == PM_GPU_MULTI_PPCIE;

	if (state->devtools)
		return pm_fail(report, PM_E_REJECTED, "gpu.devtools", "off", "on");
	pm_pass(report, "gpu.devtools", "off");
	if (!state->cc && !ppcie)
		return pm_fail(report, PM_E_REJECTED, "gpu.cc",
			"confidential computing or protected PCIe", "off");
	pm_pass(report, "gpu.cc", "%s", state->cc ? "on" : "protected PCIe");
	if (state->environment != PM_NVML_ENV_PROD &&
		!(ppcie && !state->cc && state->environment == PM_NVML_ENV_UNAVAILABLE))
		return pm_fail(report, PM_E_REJECTED, "gpu.environment", "2 (production)", "%d",
			state->environment);
	pm_pass(report, "gpu.environment", "%d", state->environment);
	return PM_OK;
}

/* NVML is asked for the state again: some of its functions succeed without doing anything. */
static int set_ready(const struct pm_nvml *nvml, unsigned int ready, struct pm_report *report)
{
	unsigned int now = 2;
	int r = nvml_result(nvml, nvml->SystemSetConfComputeGpusReadyState(ready),
		"nvmlSystemSetConfComputeGpusReadyState", report);

	if (r == PM_OK)
		r = nvml_result(nvml, nvml->SystemGetConfComputeGpusReadyState(&now),
			"nvmlSystemGetConfComputeGpusReadyState", report);
	if (r < 0)
		return r;
	if (now != ready)
		return pm_fail(report, PM_E_STATE, "gpu.ready", ready ? "1" : "0", "%u", now);
	pm_pass(report, "gpu.ready", "%u", ready);
	return PM_OK;
}

int pm_gpu_host_set_ready(struct pm_gpu_host *host, int ready, struct pm_report *report)
{
	if (ready != 0 && ready != 1)
		return PM_E_ARG;
	return set_ready(&host->nvml, (unsigned int)ready, report);
}

int pm_gpu_host_clear_ready(const char *nvml, struct pm_report *report)
{
	struct pm_nvml opened;
	int r = pm_nvml_open(nvml ? nvml : PM_GPU_NVML, report, &opened);

	if (r < 0)
		return r;
	r = set_ready(&opened, 0, report);
	pm_nvml_close(&opened);
	return r;
}

/* --- evidence -------------------------------------------------------------------------------- */

static int take_report(const struct pm_nvml_report *from, const uint8_t *nonce,
	struct pm_report *report, struct pm_gpu_collected *ret)
{
	struct pm_view bytes;
	int r;

	if (from->report_size > sizeof(from->report))
		return pm_fail(report, PM_E_LIMIT, "gpu.collect.report", "at most 8192 bytes", "%u",
			from->report_size);
	r = pm_gpu_report_trim(pm_view(from->report, from->report_size), nonce, report, &bytes);
	if (r < 0)
		return r;
	ret->report = pm_dup(bytes);
	ret->report_size = bytes.len;
	return ret->report ? PM_OK : PM_E_NOMEM;
}

static int take_certs(const struct pm_nvml_certificate *from, struct pm_report *report,
	struct pm_gpu_collected *ret)
{
	size_t size = from->attestation_chain_size;

	if (size > sizeof(from->attestation_chain))
		return pm_fail(
			report, PM_E_LIMIT, "gpu.collect.certs", "at most 5120 bytes", "%zu", size);
	while (size && !from->attestation_chain[size - 1])
		size--;
	if (!size)
		return pm_fail(report, PM_E_FORMAT, "gpu.collect.certs", "certificates", "none");
	ret->certs = pm_dup(pm_view(from->attestation_chain, size));
	ret->certs_size = size;
	return ret->certs ? PM_OK : PM_E_NOMEM;
}

static int collect_report(struct pm_gpu_host *host, pm_nvml_device handle, const uint8_t *nonce,
	struct pm_report *report, struct pm_gpu_collected *ret)
{
	pm_cleanup(free) struct pm_nvml_report *raw = pm_alloc(sizeof(*raw));
	int r;

	if (!raw)
		return PM_E_NOMEM;
	pm_copy(raw->nonce, nonce, sizeof(raw->nonce));
	r = CALL(host, report, DeviceGetConfComputeGpuAttestationReport, handle, raw);
	return r < 0 ? r : take_report(raw, nonce, report, ret);
}

static int collect_certs(struct pm_gpu_host *host, pm_nvml_device handle, struct pm_report *report,
	struct pm_gpu_collected *ret)
{
	pm_cleanup(free) struct pm_nvml_certificate *raw = pm_alloc(sizeof(*raw));
	int r;

	if (!raw)
		return PM_E_NOMEM;
	r = CALL(host, report, DeviceGetConfComputeGpuCertificate, handle, raw);
	return r < 0 ? r : take_certs(raw, report, ret);
}

int pm_gpu_host_collect(struct pm_gpu_host *host, size_t index, const uint8_t *nonce,
	struct pm_report *report, struct pm_gpu_collected **ret_collected)
{
	pm_cleanup(pm_gpu_collected) struct pm_gpu_collected *c = NULL;
	int r;

	if (index >= host->list.count)
		return PM_E_ARG;
	c = pm_alloc(sizeof(*c));
	if (!c)
		return PM_E_NOMEM;
	r = collect_report(host, host->list.handles[index], nonce, report, c);
	if (r == PM_OK)
		r = collect_certs(host, host->list.handles[index], report, c);
	if (r < 0)
		return r;
	pm_pass(report, "gpu.collect", "%s: %zu bytes, chain of %zu",
		host->list.devices[index].uuid, c->report_size, c->certs_size);
	*ret_collected = pm_steal(c);
	return PM_OK;
}

void pm_gpu_collected_free(struct pm_gpu_collected *collected)
{
	if (!collected)
		return;
	free(collected->report);
	free(collected->certs);
	free(collected);
}

const uint8_t *pm_gpu_collected_report(const struct pm_gpu_collected *collected, size_t *ret_size)
{
	*ret_size = collected->report_size;
	return collected->report;
}

const uint8_t *pm_gpu_collected_certs(const struct pm_gpu_collected *collected, size_t *ret_size)
{
	*ret_size = collected->certs_size;
	return collected->certs;
}

/* --- CUDA ------------------------------------------------------------------------------------ */

static size_t count_in(
	const struct pm_gpu_bus_id *ids, size_t count, const struct pm_gpu_bus_id *wanted)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += pm_gpu_bus_id_equal(&ids[i], wanted);
	return found;
}

/* Equal numbers, and each of ours once: then the sets are the same. */
int pm_gpu_host_check_cuda(const struct pm_gpu_host *host, const struct pm_gpu_bus_id *ids,
	size_t count, struct pm_report *report)
{
	const struct list *list = &host->list;

	if (count != list->count)
		return pm_fail(report, PM_E_REJECTED, "gpu.cuda", "the GPUs that were verified",
			"%zu GPUs instead of %zu", count, list->count);
	for (size_t i = 0; i < list->count; i++) {
		if (count_in(ids, count, &list->devices[i].bus_id) != 1)
			return pm_fail(report, PM_E_REJECTED, "gpu.cuda",
				"the GPUs that were verified", "not once: the one at %s",
				pm_gpu_bus_id(&list->devices[i].bus_id).s);
	}
	pm_pass(report, "gpu.cuda", "%zu GPUs", count);
	return PM_OK;
}
