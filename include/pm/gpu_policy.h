/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu_policy.h
 * What to demand of the evidence of NVIDIA GPUs and switches. A new policy refuses everything: a
 * nonce must be demanded or waived by name. What is not set means the safe default: golden
 * measurements (RIM) and revocation (OCSP) are demanded, only "good" is a good answer, the firmware
 * identity that a report names must be the certificate's, NVIDIA's own roots. Lists ("allow")
 * accept any of their members; without a member they accept all. All setters return 0, PM_E_NOMEM,
 * or PM_E_ARG and PM_E_LIMIT where noted, and change nothing on failure. A policy may be read by
 * several threads when nobody changes it.
 *
 * Whether confidential computing is on, and that its developer's mode is off, no report says by
 * itself: with the developer's mode the measurements differ from the golden ones, which is why
 * PM_GPU_WAIVE_RIM accepts such a device too.
 */
#ifndef PM_GPU_POLICY_H
#define PM_GPU_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Most members of each list. */
#define PM_GPU_POLICY_LIST_MAX 256

/** Size of the nonce that the verifier chooses. */
#define PM_GPU_NONCE_SIZE 32

/** Longest version of a driver or VBIOS, with its final NUL. */
#define PM_GPU_VERSION_SIZE 33

/** Kind of device. */
enum pm_gpu_arch {
	/** H100, H200, H20, GH200. */
	PM_GPU_HOPPER = 1,
	/** B100, B200, GB200 and the RTX cards of that line. */
	PM_GPU_BLACKWELL = 2,
	/** The NVLink switch of the Hopper line. */
	PM_GPU_LS10 = 3
};

/** How the GPU shares work in confidential computing. */
enum pm_gpu_mode {
	/** Single GPU passthrough. */
	PM_GPU_MODE_SPT = 1,
	/** Multiple GPUs whose links are encrypted (Blackwell). */
	PM_GPU_MODE_MPT = 2,
	/** Protected PCIe: GPUs and switches whose links are not encrypted (Hopper). */
	PM_GPU_MODE_PPCIE = 3
};

/** What a root certificate is trusted for; neither may stand for the other. */
enum pm_gpu_root {
	/** Chains of devices. */
	PM_GPU_ROOT_DEVICE = 0,
	/** Chains of golden measurements. */
	PM_GPU_ROOT_RIM = 1
};

/** What pm_gpu_policy_waive() can waive. */
enum pm_gpu_waiver {
	/** Any nonce: the report may be an old one, or another's. */
	PM_GPU_WAIVE_NONCE = 1,
	/** Missing golden measurements: any firmware may run. What is given is still compared. */
	PM_GPU_WAIVE_RIM = 2,
	/** Missing OCSP responses: a revoked device passes. What is given is still checked. */
	PM_GPU_WAIVE_OCSP = 4
};

/** What pm_gpu_policy_permit() can permit and is refused otherwise. */
enum pm_gpu_permission {
	/**
	 * A certificate that OCSP calls revoked for the reason certificateHold, no longer ago than
	 * pm_gpu_policy_ocsp_grace() says. Permits nothing before that call.
	 */
	PM_GPU_PERMIT_HOLD = 1,
	/** A certificate that OCSP calls unknown. */
	PM_GPU_PERMIT_OCSP_UNKNOWN = 2,
	/** Opaque fields of a type that libpm does not know. */
	PM_GPU_PERMIT_UNKNOWN_OPAQUE = 4
};

/** What pm_gpu_policy_require() can demand beyond the defaults. */
enum pm_gpu_requirement {
	/** A switch says that it is locked; says nothing of GPUs. */
	PM_GPU_REQUIRE_SWITCH_LOCK = 1,
	/**
	 * A GPU's report names the firmware's identity. Firmware of 2023 names none, which can't
	 * be made up: the report is signed. Switches never name one.
	 */
	PM_GPU_REQUIRE_FWID = 2,
	/**
	 * Each measurement that is not zero has a golden value. Some drivers measure what the
	 * manifests of others do not speak of, and NVIDIA's own verifiers pass it over.
	 */
	PM_GPU_REQUIRE_ALL_GOLDEN = 4
};

/** What to demand of a device. */
struct pm_gpu_policy;

/**
 * pm_gpu_policy_new - make a policy that refuses everything
 * @ret_policy: receives the policy, to be freed with pm_gpu_policy_free()
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_gpu_policy_new(struct pm_gpu_policy **ret_policy) PM_MUST_USE;

/**
 * pm_gpu_policy_free - free a policy
 * @policy: the policy, or NULL
 */
PM_API void pm_gpu_policy_free(struct pm_gpu_policy *policy);

/**
 * pm_gpu_policy_expect_nonce - demand this nonce in the request that the report answers
 * @policy: the policy
 * @nonce: 32 bytes that the verifier chose
 *
 * A demand prevails over PM_GPU_WAIVE_NONCE.
 *
 * Return: 0.
 */
PM_API int pm_gpu_policy_expect_nonce(
	struct pm_gpu_policy *policy, const uint8_t *nonce) PM_MUST_USE;

/**
 * pm_gpu_policy_waive - do without what must be demanded
 * @policy: the policy
 * @waivers: enum pm_gpu_waiver values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_gpu_policy_waive(struct pm_gpu_policy *policy, unsigned int waivers) PM_MUST_USE;

/**
 * pm_gpu_policy_permit - permit what is refused by default
 * @policy: the policy
 * @permissions: enum pm_gpu_permission values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_gpu_policy_permit(struct pm_gpu_policy *policy, unsigned int permissions) PM_MUST_USE;

/**
 * pm_gpu_policy_require - demand more than the defaults
 * @policy: the policy
 * @requirements: enum pm_gpu_requirement values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_gpu_policy_require(
	struct pm_gpu_policy *policy, unsigned int requirements) PM_MUST_USE;

/**
 * pm_gpu_policy_allow_arch - accept a kind of device
 * @policy: the policy
 * @arch: the first call replaces the default, which is all
 *
 * Return: 0; PM_E_ARG for an unknown kind.
 */
PM_API int pm_gpu_policy_allow_arch(
	struct pm_gpu_policy *policy, enum pm_gpu_arch arch) PM_MUST_USE;

/**
 * pm_gpu_policy_allow_mode - accept a mode
 * @policy: the policy
 * @mode: the first call replaces the default, which is all, also none told; switches tell none and
 * are not asked
 *
 * Return: 0; PM_E_ARG for an unknown mode.
 */
PM_API int pm_gpu_policy_allow_mode(
	struct pm_gpu_policy *policy, enum pm_gpu_mode mode) PM_MUST_USE;

/**
 * pm_gpu_policy_allow_driver - accept a version of the driver
 * @policy: the policy
 * @version: as the report says it, such as "550.90.07"; switches have no driver and are not asked
 *
 * Return: 0; PM_E_ARG unless numbers with dots between them; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_gpu_policy_allow_driver(
	struct pm_gpu_policy *policy, const char *version) PM_MUST_USE;

/**
 * pm_gpu_policy_allow_vbios - accept a version of the VBIOS, of a switch the BIOS
 * @policy: the policy
 * @version: such as "96.00.9F.00.01", in either case
 *
 * Return: 0; PM_E_ARG unless hexadecimal numbers with dots between them; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_gpu_policy_allow_vbios(struct pm_gpu_policy *policy, const char *version) PM_MUST_USE;

/**
 * pm_gpu_policy_min_driver - demand a least version of the driver
 * @policy: the policy
 * @arch: the kind of GPU that it holds for, or 0 for each
 * @version: compared number by number; a second demand never lowers the first
 *
 * Return: 0; PM_E_ARG for another version or kind, also for switches, which have no driver.
 */
PM_API int pm_gpu_policy_min_driver(
	struct pm_gpu_policy *policy, int arch, const char *version) PM_MUST_USE;

/**
 * pm_gpu_policy_min_vbios - demand a least version of the VBIOS, of a switch the BIOS
 * @policy: the policy
 * @arch: the kind of device that it holds for: its versions are of their own
 * @version: compared number by number; a second demand never lowers the first
 *
 * Return: 0; PM_E_ARG for another version or kind.
 */
PM_API int pm_gpu_policy_min_vbios(
	struct pm_gpu_policy *policy, enum pm_gpu_arch arch, const char *version) PM_MUST_USE;

/**
 * pm_gpu_policy_ocsp_grace - say how long PM_GPU_PERMIT_HOLD permits
 * @policy: the policy
 * @seconds: most seconds since the revocation, above 0
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_gpu_policy_ocsp_grace(struct pm_gpu_policy *policy, int64_t seconds) PM_MUST_USE;

/**
 * pm_gpu_policy_rim_time - judge golden measurements as of another time
 * @policy: the policy
 * @time: seconds since 1970-01-01T00:00:00Z; each manifest must be valid then, and not at the time
 *        of the verification of the device
 *
 * For evidence of the past: NVIDIA signs manifests for some two years, and their OCSP responses for
 * a day. Not set, a manifest must be valid at the time of the verification.
 *
 * Return: 0.
 */
PM_API int pm_gpu_policy_rim_time(struct pm_gpu_policy *policy, int64_t time) PM_MUST_USE;

/**
 * pm_gpu_policy_add_test_root - accept a root that is not NVIDIA's
 * @policy: the policy
 * @kind: what for
 * @sha256: SHA-256 of the root certificate's DER, 32 bytes
 *
 * For development and tests: facts then say test_root, and nothing is proved about real hardware.
 *
 * Return: 0; PM_E_ARG for another kind; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_gpu_policy_add_test_root(
	struct pm_gpu_policy *policy, enum pm_gpu_root kind, const uint8_t *sha256) PM_MUST_USE;

PM_END_DECLS

#endif
