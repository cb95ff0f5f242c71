/* SPDX-License-Identifier: Apache-2.0 */
/** @file snp_policy.h
 * What to demand of SEV-SNP evidence. A new policy refuses everything: REPORT_DATA, MEASUREMENT and
 * the least TCB must each be demanded or waived by name. What is not set means the safe default:
 * no debugging, no migration agent, no CXL memory, VMPL 0, AMD's own roots, no masked chip.
 * Lists ("allow") accept any of their members. All setters return 0, PM_E_NOMEM, or PM_E_ARG and
 * PM_E_LIMIT where noted, and change nothing on failure. A policy may be read by several threads
 * when nobody changes it.
 */
#ifndef PM_SNP_POLICY_H
#define PM_SNP_POLICY_H

#include <pm/snp.h>

PM_BEGIN_DECLS

/** Most members of each list. */
#define PM_SNP_POLICY_LIST_MAX 1024

/** What pm_snp_policy_waive() can waive. */
enum pm_snp_waiver {
	/** Any REPORT_DATA: the report may be an old one, or another's. */
	PM_SNP_WAIVE_REPORT_DATA = 1,
	/** Any MEASUREMENT: any software may run in the guest. */
	PM_SNP_WAIVE_MEASUREMENT = 2,
	/** Any TCB: firmware with known holes is accepted. */
	PM_SNP_WAIVE_MIN_TCB = 4
};

/** What pm_snp_policy_permit() can permit and is refused otherwise. */
enum pm_snp_permission {
	/** POLICY.DEBUG set: the host can read the guest's memory. */
	PM_SNP_PERMIT_DEBUG = 1,
	/** POLICY.MIGRATE_MA set. */
	PM_SNP_PERMIT_MIGRATE_MA = 2,
	/** POLICY.CXL_ALLOW set. */
	PM_SNP_PERMIT_CXL = 4,
	/** CHIP_ID all zero in a report signed by a VCEK: hwID is then not compared. */
	PM_SNP_PERMIT_MASKED_CHIP_ID = 8
};

/** What pm_snp_policy_require() can demand beyond the defaults. */
enum pm_snp_requirement {
	/** COMMITTED equals CURRENT, in TCB and firmware: no provisional firmware runs. */
	PM_SNP_REQUIRE_COMMITTED = 1,
	/** An ID block was given at launch: ID_KEY_DIGEST is not zero. */
	PM_SNP_REQUIRE_ID_BLOCK = 2,
	/** The ID key was certified: AUTHOR_KEY_EN is set. Implies PM_SNP_REQUIRE_ID_BLOCK. */
	PM_SNP_REQUIRE_AUTHOR_KEY = 4,
	/** A CRL is given; without this it is checked when given. */
	PM_SNP_REQUIRE_CRL = 8
};

/** Which TCB of a report pm_snp_policy_min_tcb() is about. */
enum pm_snp_tcb_kind {
	/** REPORTED_TCB. */
	PM_SNP_TCB_REPORTED = 0,
	/** COMMITTED_TCB: the platform can't be rolled back below. */
	PM_SNP_TCB_COMMITTED = 1,
	/** LAUNCH_TCB. */
	PM_SNP_TCB_LAUNCH = 2,
	/** CURRENT_TCB. */
	PM_SNP_TCB_CURRENT = 3
};

/** A 32, 48 or 64 byte field of the report of which a policy can list the values allowed. */
enum pm_snp_field {
	/** MEASUREMENT, 48 bytes. */
	PM_SNP_MEASUREMENT = 0,
	/** HOST_DATA, 32 bytes. */
	PM_SNP_HOST_DATA = 1,
	/** FAMILY_ID, 16 bytes. */
	PM_SNP_FAMILY_ID = 2,
	/** IMAGE_ID, 16 bytes. */
	PM_SNP_IMAGE_ID = 3,
	/** ID_KEY_DIGEST, 48 bytes. */
	PM_SNP_ID_KEY_DIGEST = 4,
	/** AUTHOR_KEY_DIGEST, 48 bytes; demands AUTHOR_KEY_EN too. */
	PM_SNP_AUTHOR_KEY_DIGEST = 5,
	/** CHIP_ID, 64 bytes. */
	PM_SNP_CHIP_ID = 6,
	/** REPORT_ID, 32 bytes. */
	PM_SNP_REPORT_ID = 7,
	/** REPORT_ID_MA, 32 bytes. */
	PM_SNP_REPORT_ID_MA = 8
};

/**
 * pm_snp_policy_new - make a policy that refuses everything
 * @ret_policy: receives the policy, to be freed with pm_snp_policy_free()
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_snp_policy_new(struct pm_snp_policy **ret_policy) PM_MUST_USE;

/**
 * pm_snp_policy_free - free a policy
 * @policy: the policy, or NULL
 */
PM_API void pm_snp_policy_free(struct pm_snp_policy *policy);

/**
 * pm_snp_policy_expect_report_data - demand this REPORT_DATA
 * @policy: the policy
 * @report_data: 64 bytes; it should bind a nonce of the verifier
 *
 * Return: 0.
 */
PM_API int pm_snp_policy_expect_report_data(
	struct pm_snp_policy *policy, const uint8_t *report_data) PM_MUST_USE;

/**
 * pm_snp_policy_allow - add a value to those that a field may have
 * @policy: the policy
 * @field: an enum pm_snp_field
 * @value: as many bytes as the field has
 * @size: how many: must fit the field, so that a mix-up is noticed
 *
 * Return: 0; PM_E_ARG for another field or size; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_snp_policy_allow(struct pm_snp_policy *policy, enum pm_snp_field field,
	const uint8_t *value, size_t size) PM_MUST_USE;

/**
 * pm_snp_policy_waive - accept any value where one must be demanded
 * @policy: the policy
 * @waivers: enum pm_snp_waiver values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_snp_policy_waive(struct pm_snp_policy *policy, unsigned int waivers) PM_MUST_USE;

/**
 * pm_snp_policy_permit - permit what is refused by default
 * @policy: the policy
 * @permissions: enum pm_snp_permission values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_snp_policy_permit(struct pm_snp_policy *policy, unsigned int permissions) PM_MUST_USE;

/**
 * pm_snp_policy_require - demand more than the defaults
 * @policy: the policy
 * @requirements: enum pm_snp_requirement values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_snp_policy_require(
	struct pm_snp_policy *policy, unsigned int requirements) PM_MUST_USE;

/**
 * pm_snp_policy_require_bits - demand bits of the guest's POLICY
 * @policy: the policy
 * @set: PM_SNP_POLICY_... bits that must be one
 * @clear: bits that must be zero, beyond those forbidden by default
 *
 * Return: 0; PM_E_ARG when a bit is in both or below bit 16 (see pm_snp_policy_min_abi()).
 */
PM_API int pm_snp_policy_require_bits(
	struct pm_snp_policy *policy, uint64_t set, uint64_t clear) PM_MUST_USE;

/**
 * pm_snp_policy_require_platform - demand bits of PLATFORM_INFO
 * @policy: the policy
 * @set: PM_SNP_PLATFORM_... bits that must be one
 * @clear: bits that must be zero; give the complement of the known ones to refuse unknown ones
 *
 * Return: 0; PM_E_ARG when a bit is in both.
 */
PM_API int pm_snp_policy_require_platform(
	struct pm_snp_policy *policy, uint64_t set, uint64_t clear) PM_MUST_USE;

/**
 * pm_snp_policy_min_abi - demand that the guest's POLICY asks for at least this ABI of the firmware
 * @policy: the policy
 * @major: least major version
 * @minor: least minor version when the major is equal
 *
 * Return: 0.
 */
PM_API int pm_snp_policy_min_abi(
	struct pm_snp_policy *policy, uint8_t major, uint8_t minor) PM_MUST_USE;

/**
 * pm_snp_policy_min_tcb - demand a least TCB of a product
 * @policy: the policy
 * @kind: which TCB of the report, an enum pm_snp_tcb_kind
 * @product: the product it holds for
 * @tcb: least version of each part
 *
 * Once one least REPORTED_TCB is given, evidence of a product without one is refused unless
 * PM_SNP_WAIVE_MIN_TCB is set. The other kinds are demanded where given. Demands add up: of
 * several for one kind and product each part's highest holds.
 *
 * Return: 0; PM_E_ARG for an unknown kind or product.
 */
PM_API int pm_snp_policy_min_tcb(struct pm_snp_policy *policy, enum pm_snp_tcb_kind kind,
	enum pm_snp_product product, const struct pm_snp_tcb *tcb) PM_MUST_USE;

/**
 * pm_snp_policy_min_firmware - demand a least version of the firmware that runs
 * @policy: the policy
 * @firmware: compared as major, then minor, then build
 *
 * Return: 0.
 */
PM_API int pm_snp_policy_min_firmware(
	struct pm_snp_policy *policy, const struct pm_snp_firmware *firmware) PM_MUST_USE;

/**
 * pm_snp_policy_min_guest_svn - demand a least GUEST_SVN
 * @policy: the policy
 * @svn: least value
 *
 * Return: 0.
 */
PM_API int pm_snp_policy_min_guest_svn(struct pm_snp_policy *policy, uint32_t svn) PM_MUST_USE;

/**
 * pm_snp_policy_min_version - demand a least VERSION of the report
 * @policy: the policy
 * @version: 2 to 5; version 3 is the first that names the processor
 *
 * Return: 0; PM_E_ARG for another version.
 */
PM_API int pm_snp_policy_min_version(struct pm_snp_policy *policy, uint32_t version) PM_MUST_USE;

/**
 * pm_snp_policy_require_mitigations - demand bits of the mitigation vectors
 * @policy: the policy
 * @launch: bits that LAUNCH_MIT_VECTOR must have
 * @current: bits that CURRENT_MIT_VECTOR must have
 *
 * A report before version 5 has no such vectors and satisfies only zero. AMD has not published the
 * meaning of the bits.
 *
 * Return: 0.
 */
PM_API int pm_snp_policy_require_mitigations(
	struct pm_snp_policy *policy, uint64_t launch, uint64_t current) PM_MUST_USE;

/**
 * pm_snp_policy_allow_vmpl - accept a privilege level
 * @policy: the policy
 * @vmpl: 0 to 3; the first call replaces the default, which is 0 alone
 *
 * Return: 0; PM_E_ARG for another level.
 */
PM_API int pm_snp_policy_allow_vmpl(struct pm_snp_policy *policy, uint32_t vmpl) PM_MUST_USE;

/**
 * pm_snp_policy_allow_product - accept a product
 * @policy: the policy
 * @product: the first call replaces the default, which is all
 *
 * Return: 0; PM_E_ARG for an unknown product.
 */
PM_API int pm_snp_policy_allow_product(
	struct pm_snp_policy *policy, enum pm_snp_product product) PM_MUST_USE;

/**
 * pm_snp_policy_allow_signer - accept a kind of signing key
 * @policy: the policy
 * @signer: the first call replaces the default, which is both
 *
 * A VLEK is shared by all machines of a provider: whoever holds one of them signs for all.
 *
 * Return: 0; PM_E_ARG for another kind.
 */
PM_API int pm_snp_policy_allow_signer(
	struct pm_snp_policy *policy, enum pm_snp_signer signer) PM_MUST_USE;

/**
 * pm_snp_policy_allow_csp - accept VLEKs of a cloud provider
 * @policy: the policy
 * @csp_id: as in the certificate, such as "CN=cc-us-east-2.amazonaws.com"; without any call each
 * provider is accepted
 *
 * Return: 0; PM_E_ARG when empty or longer than 63 bytes; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_snp_policy_allow_csp(struct pm_snp_policy *policy, const char *csp_id) PM_MUST_USE;

/**
 * pm_snp_policy_max_crl_age - demand a recent CRL
 * @policy: the policy
 * @seconds: most seconds since its thisUpdate, above 0
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_snp_policy_max_crl_age(struct pm_snp_policy *policy, int64_t seconds) PM_MUST_USE;

/**
 * pm_snp_policy_add_test_root - accept a root that is not AMD's
 * @policy: the policy
 * @sha256: SHA-256 of the root certificate's DER, 32 bytes
 *
 * For development and tests: facts then say test_root, and nothing is proved about real hardware.
 *
 * Return: 0; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_snp_policy_add_test_root(
	struct pm_snp_policy *policy, const uint8_t *sha256) PM_MUST_USE;

/** Called for a certificate table entry; a return other than 0 refuses the evidence. */
typedef int (*pm_snp_entry_fn)(const uint8_t *bytes, size_t size, void *arg);

/**
 * pm_snp_policy_require_entry - demand an entry of the certificate table that libpm does not know
 * @policy: the policy
 * @guid: 16 bytes, as in the table
 * @fn: judges the entry's bytes, which are not signed, or NULL: it need only be there
 * @arg: passed to fn; must outlive the policy
 *
 * Return: 0; PM_E_LIMIT above 16 entries.
 */
PM_API int pm_snp_policy_require_entry(struct pm_snp_policy *policy, const uint8_t *guid,
	pm_snp_entry_fn fn, void *arg) PM_MUST_USE;

PM_END_DECLS

#endif
