/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu.h
 * NVIDIA GPUs and NVLink switches: that a device is NVIDIA's, and which firmware it runs.
 *
 * A report and its certificates are parsed into a struct pm_gpu_evidence, which is not trusted.
 * pm_gpu_verify() checks it against a struct pm_gpu_policy (gpu_policy.h), golden measurements
 * (rim.h) and OCSP responses (ocsp.h) and, only when it accepts, hands out a struct pm_gpu_facts.
 * Devices of one host are then looked at together by pm_gpu_verify_set(). Nothing here downloads,
 * reads a clock or touches a file.
 *
 * Not proved by any of this: that the device sits in the machine that one talks to. Only the CPU's
 * evidence that binds the nonce, or software that it vouches for and that read the report from the
 * device, does that. A report has two valid signatures (s and n - s): never use its bytes or their
 * hash to recognise a replay.
 *
 * Sources: DMTF DSP0274 (SPDM) 1.1, GET_MEASUREMENTS and MEASUREMENTS; TCG DICE Attestation
 * Architecture (DiceTcbInfo); NVIDIA's verifiers for what is NVIDIA's own.
 */
#ifndef PM_GPU_H
#define PM_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/gpu_policy.h>
#include <pm/rim.h>

PM_BEGIN_DECLS

/** Largest report that is read; real ones have 2,168 to 4,274 bytes. */
#define PM_GPU_REPORT_MAX 8192
/** Certificates of a device: its own first, the root last. */
#define PM_GPU_CERTS 5
/** Largest text or DER that pm_gpu_evidence_add_certs() looks at. */
#define PM_GPU_CERTS_TEXT_MAX 65536
/** Most measurements of a report; a GPU has so many, a switch 31. */
#define PM_GPU_MEASUREMENTS_MAX 64
/** Size of a measurement, and of the firmware identity (FWID): SHA-384. */
#define PM_GPU_DIGEST_SIZE 48
/** Size of a device's identifier on NVLink (PDI). */
#define PM_GPU_PDI_SIZE 8
/** Links of a GPU: each names the switch behind it. */
#define PM_GPU_LINKS 18
/** GPUs that a switch names. */
#define PM_GPU_SWITCH_GPUS 8
/** Room for a text of the report, with its final NUL. */
#define PM_GPU_TEXT_SIZE 33
/** Room for the name of golden measurements at NVIDIA's server, with its final NUL. */
#define PM_GPU_RIM_ID_SIZE 160
/** Room for the serial number of a device's certificate in decimal, with its final NUL. */
#define PM_GPU_UEID_SIZE 64

/** NVDEC0_STATUS and PROTECTED_PCIE_STATUS: on. */
#define PM_GPU_ON 0xaa
/** NVDEC0_STATUS and PROTECTED_PCIE_STATUS: off. */
#define PM_GPU_OFF 0x55

/** How pm_gpu_evidence_parse() reads. */
enum pm_gpu_parse_flag {
	/** Drop one zero byte behind the report: some drivers hand out one too much. */
	PM_GPU_TRIM_NUL = 1
};

/**
 * The fields of a report. Texts hold capital letters, digits and dots only, and are "" where the
 * report has none; arrays are as in the report. The library makes these; it may append fields in
 * later versions.
 */
struct pm_gpu_fields {
	/** The nonce of the request. */
	uint8_t nonce[PM_GPU_NONCE_SIZE];
	/** Number of measurements: 64 of a GPU, 31 of a switch. */
	size_t measurement_count;
	/** Measurements; one that is all zero is not used. */
	uint8_t measurements[PM_GPU_MEASUREMENTS_MAX][PM_GPU_DIGEST_SIZE];
	/** DRIVER_VERSION, of a GPU: "550.90.07". */
	char driver[PM_GPU_TEXT_SIZE];
	/** VBIOS_VERSION, of a switch its BIOS: "96.00.9F.00.01". */
	char vbios[PM_GPU_TEXT_SIZE];
	/** PROJECT: "1010", "G520". */
	char project[PM_GPU_TEXT_SIZE];
	/** PROJECT_SKU: "0200". */
	char project_sku[PM_GPU_TEXT_SIZE];
	/** CHIP_SKU: "882". */
	char chip_sku[PM_GPU_TEXT_SIZE];
	/** CHIP_INFO, of newer drivers on Blackwell: "GB100". */
	char chip_info[PM_GPU_TEXT_SIZE];
	/** First number of GPU_INFO: 0x180 for GH100, 0x1a0 for GB100; 0 where there is none. */
	uint32_t gpu_info;
	/** NVDEC0_STATUS: PM_GPU_ON, PM_GPU_OFF, or 0 where there is none. */
	uint8_t nvdec0;
	/** PROTECTED_PCIE_STATUS: likewise. */
	uint8_t protected_pcie;
	/** FWID is valid. */
	bool has_fwid;
	/** FWID: digest of the firmware that holds the key which signs. */
	uint8_t fwid[PM_GPU_DIGEST_SIZE];
	/** OPAQUE_DATA_VERSION: 0 or 1; -1 where there is none. */
	int opaque_version;
	/** FEATURE_FLAG: 0 single, 1 multiple, 2 protected PCIe; -1 where there is none. */
	int feature_flag;
	/** SWITCH_PDI is valid: a GPU behind switches. */
	bool has_switch_pdis;
	/** SWITCH_PDI: of the switch behind each link, least significant byte first. */
	uint8_t switch_pdis[PM_GPU_LINKS][PM_GPU_PDI_SIZE];
	/** DEVICE_PDI is valid: a switch. */
	bool has_device_pdi;
	/** DEVICE_PDI: the switch's own, most significant byte first. */
	uint8_t device_pdi[PM_GPU_PDI_SIZE];
	/** SWITCH_GPU_PDIS is valid: a switch. */
	bool has_gpu_pdis;
	/** SWITCH_GPU_PDIS: of the GPUs at the switch, most significant byte first. */
	uint8_t gpu_pdis[PM_GPU_SWITCH_GPUS][PM_GPU_PDI_SIZE];
	/** LOCK_SWITCH_STATUS: 1 when locked; -1 where there is none. */
	int switch_lock;
	/** Opaque fields of types that libpm does not know. */
	size_t unknown_opaque;
	/** Type of the first of them. */
	uint16_t first_unknown_opaque;
};

/** What comparison with the golden measurements said of one index. */
enum pm_gpu_golden_state {
	/** No golden measurement speaks of it. */
	PM_GPU_GOLDEN_NONE = 0,
	/** It is one of the golden values. */
	PM_GPU_GOLDEN_MATCHED = 1,
	/** Index 35, which is not compared while the video decoder 0 is off. */
	PM_GPU_GOLDEN_SKIPPED = 2,
	/** It is none of the golden values, or the report has no such index. */
	PM_GPU_GOLDEN_DIFFERS = 3
};

/** One measurement beside its golden values. */
struct pm_gpu_golden {
	/** What comparison said. */
	enum pm_gpu_golden_state state;
	/** Which manifest spoke of it; 0 for none. */
	int kind;
	/** Which of its values was measured, from 0; of those that matched. */
	unsigned int alternative;
};

/** Whether the firmware's identity is the one that the certificate was made for. */
enum pm_gpu_fwid_state {
	/** The report and the certificate name the same. */
	PM_GPU_FWID_MATCHED = 1,
	/** The report names none. */
	PM_GPU_FWID_ABSENT = 2
};

/** What was proved: made by pm_gpu_verify() only, and only when it accepts. */
struct pm_gpu_facts {
	/** The fields of the report, now authentic. */
	struct pm_gpu_fields fields;
	/** Kind of device, by its certificate. */
	enum pm_gpu_arch arch;
	/** How it shares work; 0 when it does not say. */
	int mode;
	/** The chip, by its certificate: "GH100", "GB100", "LS_10". */
	char chip[PM_GPU_TEXT_SIZE];
	/** Serial number of the device's certificate, in decimal: NVIDIA's "ueid". */
	char ueid[PM_GPU_UEID_SIZE];
	/** Common name of the certificate above: NVIDIA's "hwmodel", "GH100 A01 GSP BROM". */
	char hwmodel[64];
	/** SHA-256 of the public key that is burnt into the device, whatever firmware it runs. */
	uint8_t device_key_sha256[32];
	/** The certificate of that key names an identifier on NVLink. */
	bool has_pdi;
	/** Identifier on NVLink, most significant byte first. */
	uint8_t pdi[PM_GPU_PDI_SIZE];
	/** SHA-256 of the root certificate. */
	uint8_t root_sha256[32];
	/** A root (the device's or a manifest's) is not NVIDIA's: the policy named it. */
	bool test_root;
	/** The firmware's identity. */
	enum pm_gpu_fwid_state fwid;
	/** Golden measurements that there are. */
	size_t golden_count;
	/** Golden measurements that the device has; the others were skipped. */
	size_t golden_matched;
	/** By index. */
	struct pm_gpu_golden golden[PM_GPU_MEASUREMENTS_MAX];
	/** Every golden measurement that the device needs was there. */
	bool rim_checked;
	/** Revocation was checked for each certificate, also those of the golden measurements. */
	bool ocsp_checked;
	/** No certificate, OCSP response or manifest is valid after this second. */
	int64_t valid_until;
};

/** A report with its certificates, parsed and not trusted. */
struct pm_gpu_evidence;

/** Chains that were verified before. */
struct pm_gpu_cache;

struct pm_ocsp_set;

/**
 * pm_gpu_evidence_parse - read a report
 * @bytes: request and response as the driver gives them; copied
 * @size: how many, at most PM_GPU_REPORT_MAX
 * @flags: enum pm_gpu_parse_flag values, or-ed; else 0
 * @report: receives the reason of a refusal, or NULL
 * @ret_evidence: receives the evidence, to be freed with pm_gpu_evidence_free()
 *
 * Everything that the format fixes is checked here: each length and count, the order of the
 * measurements, the size of each opaque field, none of them twice, no byte behind the end.
 *
 * Return: 0; PM_E_FORMAT when malformed; PM_E_UNSUPPORTED for another protocol version, number of
 * measurements or OPAQUE_DATA_VERSION; PM_E_LIMIT; PM_E_ARG for an unknown flag; PM_E_NOMEM.
 */
PM_API int pm_gpu_evidence_parse(const void *bytes, size_t size, unsigned int flags,
	struct pm_report *report, struct pm_gpu_evidence **ret_evidence) PM_MUST_USE;

/**
 * pm_gpu_evidence_free - free evidence, and the facts handed out about it
 * @evidence: the evidence, or NULL
 */
PM_API void pm_gpu_evidence_free(struct pm_gpu_evidence *evidence);

/**
 * pm_gpu_evidence_add_certs - give the certificates of the device
 * @evidence: the evidence
 * @bytes: PEM text as the driver gives it, the device's certificate first; or one DER certificate
 * @size: how many, at most PM_GPU_CERTS_TEXT_MAX
 * @report: receives the reason of a refusal, or NULL
 *
 * Order counts. Further calls append. More than PM_GPU_CERTS are refused.
 *
 * Return: 0; PM_E_FORMAT when no PEM or DER; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_gpu_evidence_add_certs(struct pm_gpu_evidence *evidence, const void *bytes,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_evidence_untrusted - the fields before anything was verified
 * @evidence: the evidence
 *
 * To find out what to fetch; never to decide by.
 *
 * Return: the fields, owned by the evidence.
 */
PM_API const struct pm_gpu_fields *pm_gpu_evidence_untrusted(
	const struct pm_gpu_evidence *evidence);

/**
 * pm_gpu_evidence_arch - the kind of device that the report claims, or its certificate
 * @evidence: the evidence
 *
 * Of a chip that libpm has not seen yet the report does not tell; its certificate, once given,
 * does.
 *
 * Return: an enum pm_gpu_arch, or 0 when neither tells.
 */
PM_API int pm_gpu_evidence_arch(const struct pm_gpu_evidence *evidence);

/**
 * pm_gpu_evidence_cert - a certificate of the device, not trusted: to ask OCSP about it
 * @evidence: the evidence
 * @index: 0 for the device's to PM_GPU_CERTS - 1 for the root
 * @ret_der: receives the DER, owned by the evidence
 * @ret_size: receives how many bytes
 *
 * Return: 0; PM_E_MISSING when there are fewer.
 */
PM_API int pm_gpu_evidence_cert(const struct pm_gpu_evidence *evidence, size_t index,
	const uint8_t **ret_der, size_t *ret_size) PM_MUST_USE;

/**
 * pm_gpu_evidence_rim_id - the name at NVIDIA's server of golden measurements for the device
 * @evidence: the evidence
 * @kind: PM_RIM_DRIVER or PM_RIM_VBIOS for a GPU, PM_RIM_SWITCH for a switch
 * @ret_id: receives capital letters, digits, dots and underscores: room for PM_GPU_RIM_ID_SIZE
 *
 * The name is made of what the report claims: to fetch by, never to decide by.
 *
 * Return: 0; PM_E_ARG for a kind that the device does not have; PM_E_MISSING when the report lacks
 * a part of the name; PM_E_UNSUPPORTED for an unknown kind of device, see pm_gpu_evidence_arch().
 */
PM_API int pm_gpu_evidence_rim_id(
	const struct pm_gpu_evidence *evidence, enum pm_rim_kind kind, char *ret_id) PM_MUST_USE;

/**
 * pm_gpu_evidence_golden - what the last comparison with golden measurements said
 * @evidence: the evidence
 *
 * Also of a refused device, to find out what is wrong with it; no verdict. All are
 * PM_GPU_GOLDEN_NONE when verification did not come so far.
 *
 * Return: PM_GPU_MEASUREMENTS_MAX entries by index, owned by the evidence.
 */
PM_API const struct pm_gpu_golden *pm_gpu_evidence_golden(const struct pm_gpu_evidence *evidence);

/**
 * pm_gpu_cache_new - make a cache of verified chains
 * @entries: how many devices, 1 to 65536
 * @ret_cache: receives the cache, to be freed with pm_gpu_cache_free()
 *
 * Times, roots and revocation are checked at each use. A cache may serve several threads.
 *
 * Return: 0; PM_E_ARG; PM_E_NOMEM.
 */
PM_API int pm_gpu_cache_new(size_t entries, struct pm_gpu_cache **ret_cache) PM_MUST_USE;

/**
 * pm_gpu_cache_free - free a cache
 * @cache: the cache, or NULL; nobody may use it any more
 */
PM_API void pm_gpu_cache_free(struct pm_gpu_cache *cache);

/**
 * pm_gpu_verify - decide whether a device is what the policy demands
 * @evidence: report and certificates
 * @policy: what to demand; an incomplete one refuses
 * @rims: golden measurements that were verified, of any devices: those are taken that fit this one
 * @rim_count: how many
 * @ocsp: responses for the device's certificates, or NULL for none
 * @cache: chains verified before, or NULL
 * @now: the time of the verification, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check that was made, or NULL
 * @ret_facts: receives the facts, owned by the evidence; untouched unless the answer is yes
 *
 * Checks the chain of five certificates up to NVIDIA's root for devices, which is pinned by
 * SHA-256, or a test root of the policy; the profile and validity of each; the nonce; the signature
 * over the report; revocation; the firmware's identity; the measurements; then the policy. Facts
 * are overwritten by the next call for the same evidence.
 *
 * Return: 0 when the device is accepted; PM_E_REJECTED; PM_E_STALE when something is not valid at
 * that time; PM_E_MISSING when certificates, golden measurements or an OCSP response are not there;
 * PM_E_FORMAT or PM_E_UNSUPPORTED for a bad certificate; PM_E_ARG when the policy is incomplete;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_gpu_verify(struct pm_gpu_evidence *evidence, const struct pm_gpu_policy *policy,
	const struct pm_rim *const *rims, size_t rim_count, const struct pm_ocsp_set *ocsp,
	struct pm_gpu_cache *cache, int64_t now, struct pm_report *report,
	const struct pm_gpu_facts **ret_facts) PM_MUST_USE;

/** What pm_gpu_verify_set() need not look at. */
enum pm_gpu_set_flag {
	/** Accept GPUs in protected PCIe mode without the switches between them. */
	PM_GPU_SET_ANY_TOPOLOGY = 1
};

/**
 * pm_gpu_verify_set - decide whether devices are as many as they seem, and belong together
 * @facts: of each device of one host, as pm_gpu_verify() handed them out
 * @count: how many, at most PM_GPU_SET_MAX
 * @min_gpus: least number of GPUs among them; switches do not count
 * @flags: enum pm_gpu_set_flag values, or-ed; else 0
 * @report: receives each check that was made, or NULL
 *
 * No device may be there twice: neither a certificate's serial number nor a device's key. Where a
 * GPU is in protected PCIe mode, or a switch is there, eight GPUs and four switches are demanded,
 * each GPU naming exactly these switches and each switch exactly these GPUs: what passes between
 * the GPUs then passes no other device.
 *
 * Return: 0 when accepted; PM_E_REJECTED; PM_E_ARG for an unknown flag; PM_E_LIMIT.
 */
PM_API int pm_gpu_verify_set(const struct pm_gpu_facts *const *facts, size_t count, size_t min_gpus,
	unsigned int flags, struct pm_report *report) PM_MUST_USE;

/** Most devices of one set. */
#define PM_GPU_SET_MAX 64

PM_END_DECLS

#endif
