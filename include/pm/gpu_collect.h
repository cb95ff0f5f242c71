/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu_collect.h
 * Collect evidence of the NVIDIA GPUs of the machine that runs, through NVIDIA's management library
 * (NVML), which comes with the driver and is loaded when a host is opened. What comes back is
 * checked for shape and for an echo of the nonce; it is not verified: that is the work of
 * pm_gpu_verify(), done by whoever relies on it.
 *
 * The driver runs in the guest and NVML in this process: both belong to what the CPU's evidence
 * measures. Still no size, text or count that they return is taken unchecked.
 *
 * GPUs with confidential computing refuse work until the system's ready state is set. That state is
 * one for all GPUs of the system, so it may be set only after each of them was verified: see
 * pm_gpu_host_set_ready().
 *
 * Evidence of NVSwitches is not collected here: only NVIDIA's NSCQ library or fabric manager can
 * ask them.
 *
 * Thread safety: one thread uses a host at a time. NVML has one state in a process: a process has
 * one host open at a time.
 *
 * Sources: NVIDIA NVML API reference, "Confidential Computing"; the order of calls of NVIDIA's own
 * verifier.
 */
#ifndef PM_GPU_COLLECT_H
#define PM_GPU_COLLECT_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** NVML's library, when nothing else is said; the dynamic linker looks for it. */
#define PM_GPU_NVML "libnvidia-ml.so.1"
/** The CUDA driver's library, when nothing else is said. */
#define PM_GPU_CUDA "libcuda.so.1"

/** Most GPUs of a host. */
#define PM_GPU_HOST_DEVICES_MAX 64
/** Bytes of the nonce that a report answers. */
#define PM_GPU_HOST_NONCE_SIZE 32
/** Longest attestation report that is accepted: NVML's own maximum. */
#define PM_GPU_HOST_REPORT_MAX 8192
/** Longest certificate chain, as PEM, that is accepted: NVML's own maximum. */
#define PM_GPU_HOST_CERTS_MAX 5120

/** Where the GPUs' protection ends. */
enum pm_gpu_multi {
	/** Each GPU is on its own. */
	PM_GPU_MULTI_NONE = 0,
	/** Protected PCIe: eight GPUs and their switches, of one tenant. */
	PM_GPU_MULTI_PPCIE = 1,
	/** Encrypted NVLink between GPUs of one tenant. */
	PM_GPU_MULTI_NVLE = 2,
	/** The driver is too old to say: it knows the protection of single GPUs only. */
	PM_GPU_MULTI_UNKNOWN = 3
};

/** Place of a device on the PCI bus. */
struct pm_gpu_bus_id {
	/** Domain, also "segment". */
	uint32_t domain;
	/** Bus. */
	uint8_t bus;
	/** Device. */
	uint8_t device;
	/** Function. */
	uint8_t function;
	/** Zero. */
	uint8_t reserved;
};

/** What the driver says of all GPUs together. */
struct pm_gpu_host_state {
	/** 1 when confidential computing is on. */
	int cc;
	/** 1 when development tools are on: then the GPUs protect nothing. */
	int devtools;
	/** NVML's environment: 2 production, 1 simulation, 0 unavailable. */
	int environment;
	/** An enum pm_gpu_multi. */
	int multi_gpu;
	/** 1 when the GPUs accept work. */
	int ready;
	/** Zero. */
	int reserved;
	/** Version of the driver. */
	char driver[80];
};

/** One GPU, as the driver describes it; nothing of this is verified. */
struct pm_gpu_device {
	/** NVML's index. */
	uint32_t index;
	/** An enum pm_gpu_arch (gpu_policy.h), or 0 for one that libpm can't verify. */
	int arch;
	/** NVML's own number of the architecture. */
	uint32_t nvml_arch;
	/** Where it is. */
	struct pm_gpu_bus_id bus_id;
	/** Its identity, "GPU-...". */
	char uuid[96];
};

/** A report with its certificate chain. Opaque; not verified. */
struct pm_gpu_collected;

/** NVML, loaded and set up, with the GPUs that it listed. Opaque. */
struct pm_gpu_host;

/**
 * pm_gpu_host_open - load NVML and list the GPUs
 * @nvml: path or name of the library, or NULL for PM_GPU_NVML
 * @report: receives the reason of a failure, or NULL
 * @ret_host: receives the host, to be closed with pm_gpu_host_close()
 *
 * Return: 0, also when there is no GPU; PM_E_MISSING when the library or the driver is not there;
 * PM_E_UNSUPPORTED when a function is missing in it, or it serves no confidential computing;
 * PM_E_LIMIT above PM_GPU_HOST_DEVICES_MAX; PM_E_FORMAT for names that are none, and for two GPUs
 * of one name or place; PM_E_SYS when NVML fails; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_gpu_host_open(
	const char *nvml, struct pm_report *report, struct pm_gpu_host **ret_host) PM_MUST_USE;

/**
 * pm_gpu_host_close - let go of NVML
 * @host: the host, or NULL
 *
 * The ready state stays as it is.
 */
PM_API void pm_gpu_host_close(struct pm_gpu_host *host);

/**
 * pm_gpu_host_state - ask for the state of confidential computing
 * @host: the host
 * @report: receives the reason of a failure, or NULL
 * @ret_state: receives the state
 *
 * Where the driver answers in two ways, the worse answer counts.
 *
 * Return: 0; PM_E_UNSUPPORTED; PM_E_SYS; PM_E_FORMAT for a version that is no text.
 */
PM_API int pm_gpu_host_state(struct pm_gpu_host *host, struct pm_report *report,
	struct pm_gpu_host_state *ret_state) PM_MUST_USE;

/**
 * pm_gpu_host_check_mode - may GPUs in this state hold secrets?
 * @state: the state
 * @report: receives the checks, or NULL
 *
 * Confidential computing or protected PCIe is on, development tools are off, and the environment is
 * not a simulation. There is no way to waive one of these.
 *
 * Return: 0; PM_E_REJECTED. Thread safe.
 */
PM_API int pm_gpu_host_check_mode(
	const struct pm_gpu_host_state *state, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_host_count - number of GPUs
 * @host: the host
 *
 * Return: the number when the host was opened.
 */
PM_API size_t pm_gpu_host_count(const struct pm_gpu_host *host);

/**
 * pm_gpu_host_device - one of the GPUs
 * @host: the host
 * @index: from 0
 *
 * Return: its description, owned by the host; NULL past the end.
 */
PM_API const struct pm_gpu_device *pm_gpu_host_device(const struct pm_gpu_host *host, size_t index);

/**
 * pm_gpu_host_check_same - are the GPUs still those that were listed?
 * @host: the host
 * @report: receives the check, or NULL
 *
 * To be asked between the last verification and pm_gpu_host_set_ready(), so that no GPU slips in.
 *
 * Return: 0; PM_E_REJECTED when there is another number of GPUs or another one in a place; else as
 * pm_gpu_host_open().
 */
PM_API int pm_gpu_host_check_same(struct pm_gpu_host *host, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_host_collect - ask a GPU for its evidence
 * @host: the host
 * @index: from 0
 * @nonce: PM_GPU_HOST_NONCE_SIZE bytes that the report answers
 * @report: receives the reason of a failure, or NULL
 * @ret_collected: receives the evidence, to be freed with pm_gpu_collected_free()
 *
 * The call blocks while the GPU works, which is about a second. Zero bytes behind the report's
 * end, which some drivers append, and NULs behind the chain's are cut off.
 *
 * Return: 0; PM_E_ARG for an index past the end; PM_E_UNSUPPORTED when this GPU gives none;
 * PM_E_SYS when it fails or is lost; PM_E_LIMIT for sizes above the maxima; PM_E_FORMAT for what
 * is no report; PM_E_REJECTED when it answers another nonce; PM_E_NOMEM.
 */
PM_API int pm_gpu_host_collect(struct pm_gpu_host *host, size_t index, const uint8_t *nonce,
	struct pm_report *report, struct pm_gpu_collected **ret_collected) PM_MUST_USE;

/**
 * pm_gpu_host_clear_ready - let the GPUs accept no work, whatever they are
 * @nvml: path or name of NVML, or NULL for PM_GPU_NVML
 * @report: receives the check, or NULL
 *
 * As pm_gpu_host_set_ready() with 0, but needs no host: it also works when a GPU is lost, so that
 * they can't be listed.
 *
 * Return: 0; PM_E_MISSING without a driver; PM_E_SYS when NVML refuses; PM_E_STATE when the state
 * did not change; PM_E_UNSUPPORTED.
 */
PM_API int pm_gpu_host_clear_ready(const char *nvml, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_host_set_ready - let the GPUs accept work, or not
 * @host: the host
 * @ready: 1 or 0
 * @report: receives the check, or NULL
 *
 * For all GPUs of the system at once. Needs root. Set it only after pm_gpu_verify() has accepted
 * each of them and pm_gpu_host_check_same() found no other. The state is read back.
 *
 * Return: 0; PM_E_ARG for another number; PM_E_SYS when NVML refuses; PM_E_STATE when the state
 * did not change; PM_E_UNSUPPORTED.
 */
PM_API int pm_gpu_host_set_ready(
	struct pm_gpu_host *host, int ready, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_collected_free - free evidence
 * @collected: the evidence, or NULL
 */
PM_API void pm_gpu_collected_free(struct pm_gpu_collected *collected);

/**
 * pm_gpu_collected_report - the attestation report: input of pm_gpu_evidence_parse()
 * @collected: the evidence
 * @ret_size: receives the number of bytes
 *
 * Return: the bytes, owned by the evidence. Thread safe.
 */
PM_API const uint8_t *pm_gpu_collected_report(
	const struct pm_gpu_collected *collected, size_t *ret_size);

/**
 * pm_gpu_collected_certs - the certificate chain: input of pm_gpu_evidence_add_certs()
 * @collected: the evidence
 * @ret_size: receives the number of bytes
 *
 * Return: PEM text without a NUL, owned by the evidence. Thread safe.
 */
PM_API const uint8_t *pm_gpu_collected_certs(
	const struct pm_gpu_collected *collected, size_t *ret_size);

/**
 * pm_gpu_cuda_enumerate - the GPUs that a CUDA program of this process would see
 * @cuda: path or name of the CUDA driver's library, or NULL for PM_GPU_CUDA
 * @report: receives the reason of a failure, or NULL
 * @ret_ids: receives their places
 * @capacity: room for so many
 * @ret_count: receives their number
 *
 * The CUDA driver stays set up in the process, holds the GPUs' device files open and looks at the
 * environment (CUDA_VISIBLE_DEVICES): best is a process of its own for this call.
 *
 * Return: 0; PM_E_MISSING when the library is not there, or libpm was built without this;
 * PM_E_STATE while the GPUs are not ready (pm_gpu_host_set_ready()) and the driver answers nothing;
 * PM_E_LIMIT above capacity; PM_E_FORMAT; PM_E_SYS when the driver fails; PM_E_UNSUPPORTED when it
 * lacks a function.
 */
PM_API int pm_gpu_cuda_enumerate(const char *cuda, struct pm_report *report,
	struct pm_gpu_bus_id *ret_ids, size_t capacity, size_t *ret_count) PM_MUST_USE;

/**
 * pm_gpu_host_check_cuda - are the GPUs that CUDA sees exactly those of NVML?
 * @host: the host, all of whose GPUs were verified
 * @ids: answer of pm_gpu_cuda_enumerate()
 * @count: their number
 * @report: receives the check, or NULL
 *
 * Return: 0; PM_E_REJECTED when one is missing, too many, or there twice. Thread safe.
 */
PM_API int pm_gpu_host_check_cuda(const struct pm_gpu_host *host, const struct pm_gpu_bus_id *ids,
	size_t count, struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
