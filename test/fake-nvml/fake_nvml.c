/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for NVIDIA's libnvidia-ml.so.1 in tests. What it serves lies in the folder that the
 * environment names with PM_FAKE_NVML:
 *
 *	gpu-N/certs.pem  the chain of GPU N, from 0 without a gap
 *	gpu-N/report     its report, in which the nonce asked for is put; or
 *	gpu-N/sign       a shell command that writes a report to its output; NONCE is in its
 *			 environment, in hexadecimal
 *	gpu-N/arch       NVML's number of the architecture; 9 (Hopper) without
 *	fault            the name of what goes wrong; nothing does without
 *	ready            the ready state, written here too
 *	ready.log        each state that was set, one a line
 *
 * Faults are looked up at each call, so a test can have one occur at any time.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/gpu_nvml.h"

#define EXPORT __attribute__((visibility("default")))

enum { UNINITIALIZED = 1, INVALID_ARGUMENT = 2, UNKNOWN = 999 };

static int initialized;
static unsigned int collected;

/* --- files ----------------------------------------------------------------------------------- */

static FILE *open_file(const char *mode, const char *name)
{
	const char *folder = getenv("PM_FAKE_NVML");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/nonexistent", name);
	return fopen(path, mode);
}

static size_t read_file(const char *name, void *ret, size_t size)
{
	FILE *f = open_file("rb", name);
	size_t n = f ? fread(ret, 1, size, f) : 0;

	if (f)
		fclose(f);
	return n;
}

static size_t read_of(unsigned int gpu, const char *name, void *ret, size_t size)
{
	char full[64];

	snprintf(full, sizeof(full), "gpu-%u/%s", gpu, name);
	return read_file(full, ret, size);
}

static int fails_by(const char *name)
{
	char text[64] = "";

	text[read_file("fault", text, sizeof(text) - 1)] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, name);
}

static unsigned int number_of(const char *name, unsigned int otherwise)
{
	char text[16] = "";

	text[read_file(name, text, sizeof(text) - 1)] = '\0';
	return text[0] ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

static int exists(unsigned int gpu)
{
	char byte;

	return read_of(gpu, "certs.pem", &byte, 1) == 1;
}

static unsigned int count(void)
{
	unsigned int n = 0;

	while (exists(n))
		n++;
	return n;
}

/* --- handles: the index and one ------------------------------------------------------------- */

static unsigned int index_of(pm_nvml_device device)
{
	return (unsigned int)(uintptr_t)device - 1;
}

/* --- NVML ------------------------------------------------------------------------------------ */

EXPORT int nvmlInit_v2(void);
EXPORT int nvmlInit_v2(void)
{
	if (fails_by("init"))
		return PM_NVML_DRIVER_NOT_LOADED;
	initialized++;
	return PM_NVML_OK;
}

EXPORT int nvmlShutdown(void);
EXPORT int nvmlShutdown(void)
{
	if (!initialized)
		return UNINITIALIZED;
	initialized--;
	return PM_NVML_OK;
}

EXPORT const char *nvmlErrorString(int error);
EXPORT const char *nvmlErrorString(int error)
{
	return error == PM_NVML_GPU_IS_LOST ? "GPU is lost" : "fake error";
}

EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned int size);
EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned int size)
{
	if (fails_by("driver-text")) {
		memset(text, 'x', size);
		return PM_NVML_OK;
	}
	snprintf(text, size, "%s", "550.90.07");
	return PM_NVML_OK;
}

EXPORT int nvmlSystemGetConfComputeState(struct pm_nvml_cc_state *state);
EXPORT int nvmlSystemGetConfComputeState(struct pm_nvml_cc_state *state)
{
	if (fails_by("state-unsupported"))
		return PM_NVML_NOT_SUPPORTED;
	state->environment = fails_by("sim") ? PM_NVML_ENV_SIM : PM_NVML_ENV_PROD;
	if (fails_by("ppcie"))
		state->environment = PM_NVML_ENV_UNAVAILABLE;
	state->cc_feature = !fails_by("cc-off") && !fails_by("ppcie");
	state->devtools_mode = (unsigned int)fails_by("devtools");
	return PM_NVML_OK;
}

EXPORT int nvmlSystemGetConfComputeGpusReadyState(unsigned int *ready);
EXPORT int nvmlSystemGetConfComputeGpusReadyState(unsigned int *ready)
{
	*ready = number_of("ready", 0);
	return PM_NVML_OK;
}

EXPORT int nvmlSystemSetConfComputeGpusReadyState(unsigned int ready);
EXPORT int nvmlSystemSetConfComputeGpusReadyState(unsigned int ready)
{
	FILE *f;

	if (fails_by("ready-denied"))
		return PM_NVML_NO_PERMISSION;
	if (fails_by("ready-ignored"))
		return PM_NVML_OK;
	f = open_file("w", "ready");
	if (!f)
		return UNKNOWN;
	fprintf(f, "%u\n", ready);
	fclose(f);
	f = open_file("a", "ready.log");
	if (f) {
		fprintf(f, "%u\n", ready);
		fclose(f);
	}
	return PM_NVML_OK;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned int *ret);
EXPORT int nvmlDeviceGetCount_v2(unsigned int *ret)
{
	*ret = count();
	if (fails_by("count-absurd"))
		*ret = UINT_MAX;
	if (fails_by("count-shrinks") && collected)
		--*ret;
	return initialized ? PM_NVML_OK : UNINITIALIZED;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, pm_nvml_device *device);
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, pm_nvml_device *device)
{
	if (!exists(index))
		return INVALID_ARGUMENT;
	if (fails_by("lost-handle"))
		return PM_NVML_GPU_IS_LOST;
	*device = (pm_nvml_device)(uintptr_t)(index + 1);
	return PM_NVML_OK;
}

EXPORT int nvmlDeviceGetArchitecture(pm_nvml_device device, unsigned int *architecture);
EXPORT int nvmlDeviceGetArchitecture(pm_nvml_device device, unsigned int *architecture)
{
	char name[32];

	snprintf(name, sizeof(name), "gpu-%u/arch", index_of(device));
	*architecture = number_of(name, PM_NVML_ARCH_HOPPER);
	return PM_NVML_OK;
}

EXPORT int nvmlDeviceGetUUID(pm_nvml_device device, char *text, unsigned int size);
EXPORT int nvmlDeviceGetUUID(pm_nvml_device device, char *text, unsigned int size)
{
	unsigned int id = index_of(device);

	if (fails_by("uuid-endless")) {
		memset(text, 'x', size);
		return PM_NVML_OK;
	}
	if (fails_by("uuid-twice"))
		id = 0;
	if (fails_by("uuid-changes") && collected)
		id += 100;
	snprintf(text, size, "%s-00000000-0000-4000-8000-%012u",
		fails_by("uuid-escape") ? "\33[2J" : "GPU", id);
	return PM_NVML_OK;
}

EXPORT int nvmlDeviceGetPciInfo_v3(pm_nvml_device device, struct pm_nvml_pci *pci);
EXPORT int nvmlDeviceGetPciInfo_v3(pm_nvml_device device, struct pm_nvml_pci *pci)
{
	unsigned int bus = fails_by("place-twice") ? 1 : index_of(device) + 1;

	memset(pci, 0, sizeof(*pci));
	if (fails_by("place-odd"))
		snprintf(pci->bus_id, sizeof(pci->bus_id), "somewhere");
	else if (fails_by("place-endless"))
		memset(pci->bus_id, '0', sizeof(pci->bus_id));
	else
		snprintf(pci->bus_id, sizeof(pci->bus_id), "00000000:%02X:00.0", bus & 255);
	return PM_NVML_OK;
}

/* --- evidence -------------------------------------------------------------------------------- */

static size_t sign(const char *command, const unsigned char *nonce, void *ret, size_t size)
{
	char hex[65];
	FILE *pipe;
	size_t n;

	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", nonce[i]);
	setenv("NONCE", hex, 1);
	pipe = popen(command, "r");
	n = pipe ? fread(ret, 1, size, pipe) : 0;
	return pipe && pclose(pipe) == 0 ? n : 0;
}

static size_t make_report(unsigned int gpu, struct pm_nvml_report *report)
{
	unsigned char nonce[32];
	char command[1024] = "";
	size_t n;

	memcpy(nonce, report->nonce, sizeof(nonce));
	nonce[0] ^= (unsigned char)fails_by("wrong-nonce");
	command[read_of(gpu, "sign", command, sizeof(command) - 1)] = '\0';
	if (command[0])
		return sign(command, nonce, report->report, sizeof(report->report));
	n = read_of(gpu, "report", report->report, sizeof(report->report));
	memcpy(report->report + 4, nonce, sizeof(nonce)); /* of the SPDM request */
	return n;
}

static unsigned int spoil(unsigned int size, unsigned char *report)
{
	if (fails_by("report-huge"))
		return UINT_MAX;
	if (fails_by("report-too-long"))
		return 0x2001;
	if (fails_by("report-none"))
		return 0;
	if (fails_by("report-cut"))
		return size - 1;
	if (fails_by("report-nul"))
		return size + 1;
	if (fails_by("report-more"))
		report[size++] = 1;
	if (fails_by("report-version"))
		report[0] = 0x12;
	return size;
}

EXPORT int nvmlDeviceGetConfComputeGpuAttestationReport(
	pm_nvml_device device, struct pm_nvml_report *report);
EXPORT int nvmlDeviceGetConfComputeGpuAttestationReport(
	pm_nvml_device device, struct pm_nvml_report *report)
{
	unsigned int gpu = index_of(device);

	if (!exists(gpu) || (fails_by("lost") && gpu > 0))
		return PM_NVML_GPU_IS_LOST;
	if (fails_by("crash"))
		abort();
	if (fails_by("report-unsupported"))
		return PM_NVML_NOT_SUPPORTED;
	report->report_size = spoil((unsigned int)make_report(gpu, report), report->report);
	collected++;
	return PM_NVML_OK;
}

EXPORT int nvmlDeviceGetConfComputeGpuCertificate(
	pm_nvml_device device, struct pm_nvml_certificate *certificate);
EXPORT int nvmlDeviceGetConfComputeGpuCertificate(
	pm_nvml_device device, struct pm_nvml_certificate *certificate)
{
	if (fails_by("lost-certs"))
		return PM_NVML_GPU_IS_LOST;
	certificate->attestation_chain_size = (unsigned int)read_of(index_of(device), "certs.pem",
		certificate->attestation_chain, sizeof(certificate->attestation_chain));
	if (fails_by("certs-nul"))
		certificate->attestation_chain_size += 2;
	if (fails_by("certs-huge"))
		certificate->attestation_chain_size = UINT_MAX;
	if (fails_by("certs-none"))
		certificate->attestation_chain_size = 0;
	return PM_NVML_OK;
}
