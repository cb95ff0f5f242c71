/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of NVML's interface that the collector uses, declared here because no header of NVIDIA's
 * comes with the driver. Layouts are those of NVIDIA's nvml.h; the numbers in a library that runs
 * may not be what the declarations promise, so users check each.
 */
#ifndef PM_EVIDENCE_GPU_NVML_H
#define PM_EVIDENCE_GPU_NVML_H

#include <pm/gpu_collect.h>
#include "base/mem.h"

enum {
	PM_NVML_OK = 0,
	PM_NVML_NOT_SUPPORTED = 3,
	PM_NVML_NO_PERMISSION = 4,
	PM_NVML_DRIVER_NOT_LOADED = 9,
	PM_NVML_LIBRARY_NOT_FOUND = 12,
	PM_NVML_FUNCTION_NOT_FOUND = 13,
	PM_NVML_GPU_IS_LOST = 15,
	PM_NVML_MEMORY = 20,
};

enum { PM_NVML_ENV_UNAVAILABLE = 0, PM_NVML_ENV_SIM = 1, PM_NVML_ENV_PROD = 2 };
enum { PM_NVML_ARCH_HOPPER = 9, PM_NVML_ARCH_BLACKWELL = 10 };

typedef void *pm_nvml_device;

struct pm_nvml_cc_state {
	unsigned int environment;
	unsigned int cc_feature;
	unsigned int devtools_mode;
};

/* version: its own size, and 1 in the top byte. */
#define PM_NVML_SETTINGS_VERSION 0x01000014u
struct pm_nvml_cc_settings {
	unsigned int version;
	unsigned int environment;
	unsigned int cc_feature;
	unsigned int devtools_mode;
	unsigned int multi_gpu_mode;
};

struct pm_nvml_certificate {
	unsigned int chain_size;
	unsigned int attestation_chain_size;
	unsigned char chain[0x1000];
	unsigned char attestation_chain[0x1400];
};

struct pm_nvml_report {
	unsigned int has_cec_report;
	unsigned int report_size;
	unsigned int cec_report_size;
	unsigned char nonce[32]; /* the caller's */
	unsigned char report[0x2000];
	unsigned char cec_report[0x1000];
};

struct pm_nvml_pci {
	char bus_id_legacy[16];
	unsigned int domain;
	unsigned int bus;
	unsigned int device;
	unsigned int device_id;
	unsigned int subsystem_id;
	char bus_id[32];
};

_Static_assert(sizeof(struct pm_nvml_cc_settings) == 0x14, "layout of NVML");
_Static_assert(sizeof(struct pm_nvml_certificate) == 8 + 0x2400, "layout of NVML");
_Static_assert(sizeof(struct pm_nvml_report) == 44 + 0x3000, "layout of NVML");
_Static_assert(sizeof(struct pm_nvml_pci) == 68, "layout of NVML");

/* The functions, by the names that they have in the library less "nvml". */
struct pm_nvml {
	void *library;
	int (*Init_v2)(void);
	int (*Shutdown)(void);
	const char *(*ErrorString)(int error); /* or NULL */
	int (*SystemGetDriverVersion)(char *text, unsigned int size);
	int (*SystemGetConfComputeState)(struct pm_nvml_cc_state *state);
	int (*SystemGetConfComputeSettings)(struct pm_nvml_cc_settings *settings); /* or NULL */
	int (*SystemGetConfComputeGpusReadyState)(unsigned int *ready);
	int (*SystemSetConfComputeGpusReadyState)(unsigned int ready);
	int (*DeviceGetCount_v2)(unsigned int *count);
	int (*DeviceGetHandleByIndex_v2)(unsigned int index, pm_nvml_device *device);
	int (*DeviceGetArchitecture)(pm_nvml_device device, unsigned int *architecture);
	int (*DeviceGetUUID)(pm_nvml_device device, char *text, unsigned int size);
	int (*DeviceGetPciInfo_v3)(pm_nvml_device device, struct pm_nvml_pci *pci);
	int (*DeviceGetConfComputeGpuAttestationReport)(
		pm_nvml_device device, struct pm_nvml_report *report);
	int (*DeviceGetConfComputeGpuCertificate)(
		pm_nvml_device device, struct pm_nvml_certificate *certificate);
};

/* Loads the library and sets it up. PM_E_MISSING, PM_E_UNSUPPORTED, PM_E_SYS, PM_E_NOMEM. */
int pm_nvml_open(const char *path, struct pm_report *report, struct pm_nvml *ret) PM_MUST_USE;

/* Fine with one that was never opened. */
void pm_nvml_close(struct pm_nvml *nvml);

/* Ends a function for an error of NVML, with what was called: PM_E_SYS and others by its kind. */
int pm_nvml_fail(
	const struct pm_nvml *nvml, int error, const char *function, struct pm_report *report);

/* "0000:65:00.0", with a domain of four to eight digits, and nothing else. PM_E_FORMAT. */
int pm_gpu_bus_id_parse(struct pm_view text, struct pm_gpu_bus_id *ret) PM_MUST_USE;

bool pm_gpu_bus_id_equal(const struct pm_gpu_bus_id *a, const struct pm_gpu_bus_id *b);

/* Text for messages: pm_gpu_bus_id(id).s lives as long as the expression it stands in. */
struct pm_gpu_bus_id_text {
	char s[24];
};

struct pm_gpu_bus_id_text pm_gpu_bus_id(const struct pm_gpu_bus_id *id);

/*
 * The report itself among bytes of NVML's, behind whose end only zeros may follow. PM_E_FORMAT;
 * PM_E_REJECTED when its request does not carry the nonce.
 */
int pm_gpu_report_trim(struct pm_view bytes, const uint8_t *nonce, struct pm_report *report,
	struct pm_view *ret) PM_MUST_USE;

#endif
