/* SPDX-License-Identifier: Apache-2.0 */
/** @file snp.h
 * AMD SEV-SNP attestation: what runs in a confidential VM, proved by the processor.
 *
 * A report and its certificates are parsed into a struct pm_snp_evidence, which is not
 * trusted. pm_snp_verify() checks it against a struct pm_snp_policy (snp_policy.h) and, only
 * when it accepts, hands out a struct pm_snp_facts. Nothing here downloads, reads a clock or
 * touches a file.
 *
 * Not proved by any of this: that the machine has not been opened physically, and that its firmware
 * has no hole of which AMD has not yet made a TCB version. Two different reports can carry the same
 * statement, and one report has two valid signatures (S and n - S): never use the bytes of a report
 * or their hash to recognise a replay; only a fresh REPORT_DATA does that.
 *
 * Sources: AMD 56860 (SEV Secure Nested Paging Firmware ABI), chapter 7.3 and table
 * "ATTESTATION_REPORT"; AMD 57230 (VCEK Certificate and KDS Interface); Linux
 * Documentation/virt/coco/sev-guest.rst.
 */
#ifndef PM_SNP_H
#define PM_SNP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Size of an attestation report. */
#define PM_SNP_REPORT_SIZE 1184
/** Size of REPORT_DATA, which the guest chooses. */
#define PM_SNP_REPORT_DATA_SIZE 64
/** Size of MEASUREMENT, ID_KEY_DIGEST and AUTHOR_KEY_DIGEST. */
#define PM_SNP_DIGEST_SIZE 48
/** Size of HOST_DATA, REPORT_ID and REPORT_ID_MA. */
#define PM_SNP_HOST_DATA_SIZE 32
/** Size of CHIP_ID. */
#define PM_SNP_CHIP_ID_SIZE 64
/** Size of FAMILY_ID and IMAGE_ID. */
#define PM_SNP_IMAGE_ID_SIZE 16
/** Size of the GUID that names an entry of a certificate table. */
#define PM_SNP_GUID_SIZE 16
/** Most certificates that one piece of evidence holds. */
#define PM_SNP_CERTS_MAX 16
/** Most revocation lists that one piece of evidence holds. */
#define PM_SNP_CRLS_MAX 8
/** Largest input that pm_snp_evidence_parse() looks at. */
#define PM_SNP_INPUT_MAX 65536

/** A line of processors with one root key. Zen 4c (Bergamo, Siena) counts as Genoa. */
enum pm_snp_product {
	/** 3rd generation EPYC, family 0x19 models 0x00-0x0f. */
	PM_SNP_MILAN = 1,
	/** 4th generation EPYC, family 0x19 models 0x10-0x1f and 0xa0-0xaf. */
	PM_SNP_GENOA = 2,
	/** 5th generation EPYC, family 0x1a models 0x00-0x11. */
	PM_SNP_TURIN = 3
};

/** Kind of key that signs reports. */
enum pm_snp_signer {
	/** Versioned Chip Endorsement Key: of one chip. */
	PM_SNP_VCEK = 1,
	/** Versioned Loaded Endorsement Key: shared by all machines of a cloud provider. */
	PM_SNP_VLEK = 2
};

/**
 * TCB_VERSION: security versions of the firmware parts. Compared part by part, never as one
 * number.
 */
struct pm_snp_tcb {
	/** Firmware of the FMC; Turin only, else 0. */
	uint8_t fmc;
	/** Boot loader of the security processor. */
	uint8_t boot_loader;
	/** Operating system of the security processor. */
	uint8_t tee;
	/** SNP firmware. */
	uint8_t snp;
	/** Microcode of the cores. */
	uint8_t microcode;
};

/** Version of the SNP firmware. */
struct pm_snp_firmware {
	/** Major version of the ABI. */
	uint8_t major;
	/** Minor version of the ABI. */
	uint8_t minor;
	/** Build number. */
	uint8_t build;
};

/** POLICY: the guest's owner allows simultaneous multi-threading. */
#define PM_SNP_POLICY_SMT (UINT64_C(1) << 16)
/** POLICY: reserved, always 1. */
#define PM_SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
/** POLICY: a migration agent may be bound to the guest. */
#define PM_SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
/** POLICY: debugging is allowed: the host can read and write the guest's memory. */
#define PM_SNP_POLICY_DEBUG (UINT64_C(1) << 19)
/** POLICY: the guest runs on one socket only. */
#define PM_SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
/** POLICY: memory on CXL devices may be used. */
#define PM_SNP_POLICY_CXL_ALLOW (UINT64_C(1) << 21)
/** POLICY: memory must be encrypted by AES-256-XTS. */
#define PM_SNP_POLICY_MEM_AES_256_XTS (UINT64_C(1) << 22)
/** POLICY: running average power limit must be off. */
#define PM_SNP_POLICY_RAPL_DIS (UINT64_C(1) << 23)
/** POLICY: ciphertext hiding for DRAM must be on. */
#define PM_SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
/** POLICY: the guest's pages may not be swapped. */
#define PM_SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)

/** PLATFORM_INFO: simultaneous multi-threading is on. */
#define PM_SNP_PLATFORM_SMT_EN (UINT64_C(1) << 0)
/** PLATFORM_INFO: transparent secure memory encryption is on. */
#define PM_SNP_PLATFORM_TSME_EN (UINT64_C(1) << 1)
/** PLATFORM_INFO: the memory has error correction. */
#define PM_SNP_PLATFORM_ECC_EN (UINT64_C(1) << 2)
/** PLATFORM_INFO: running average power limit is off. */
#define PM_SNP_PLATFORM_RAPL_DIS (UINT64_C(1) << 3)
/** PLATFORM_INFO: ciphertext hiding for DRAM is on. */
#define PM_SNP_PLATFORM_CIPHERTEXT_HIDING_EN (UINT64_C(1) << 4)
/** PLATFORM_INFO: no aliased memory addresses were found since the last reset (BadRAM). */
#define PM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE (UINT64_C(1) << 5)
/** PLATFORM_INFO: writes of the IOMMU are safe (Turin). */
#define PM_SNP_PLATFORM_IOMMU_WRITE_SAFE (UINT64_C(1) << 6)
/** PLATFORM_INFO: trusted I/O is on. */
#define PM_SNP_PLATFORM_TIO_EN (UINT64_C(1) << 7)

/**
 * The fields of a report, all of them, in their order. Integers are the processor's; arrays are as
 * in the report. The library makes these; it may append fields in later versions.
 */
struct pm_snp_fields {
	/** VERSION: 2 to 5. */
	uint32_t version;
	/** GUEST_SVN: security version of the guest, from the ID block. */
	uint32_t guest_svn;
	/** POLICY: PM_SNP_POLICY_... bits; bits 15:8 and 7:0 are the least ABI major and minor. */
	uint64_t policy;
	/** FAMILY_ID, from the ID block. */
	uint8_t family_id[16];
	/** IMAGE_ID, from the ID block. */
	uint8_t image_id[16];
	/** VMPL: privilege level that asked, 0 to 3. */
	uint32_t vmpl;
	/** SIGNATURE_ALGO: always 1, ECDSA P-384 with SHA-384. */
	uint32_t signature_algo;
	/** CURRENT_TCB: what runs, raw bytes as stored. */
	uint8_t current_tcb[8];
	/** PLATFORM_INFO: PM_SNP_PLATFORM_... bits. */
	uint64_t platform_info;
	/** AUTHOR_KEY_EN: AUTHOR_KEY_DIGEST is valid. */
	bool author_key_en;
	/** MASK_CHIP_KEY: the host masks the chip's key. */
	bool mask_chip_key;
	/** SIGNING_KEY: which key signed. */
	enum pm_snp_signer signing_key;
	/** REPORT_DATA: 64 bytes that the guest chose. */
	uint8_t report_data[64];
	/** MEASUREMENT: digest of the guest's initial memory and registers. */
	uint8_t measurement[48];
	/** HOST_DATA: 32 bytes that the host gave at launch. */
	uint8_t host_data[32];
	/** ID_KEY_DIGEST: SHA-384 of the key that signed the ID block. */
	uint8_t id_key_digest[48];
	/** AUTHOR_KEY_DIGEST: SHA-384 of the key that certified the ID key; see author_key_en. */
	uint8_t author_key_digest[48];
	/** REPORT_ID of the guest. */
	uint8_t report_id[32];
	/** REPORT_ID of the migration agent; all 0xff when there is none. */
	uint8_t report_id_ma[32];
	/** REPORTED_TCB: the version of which the signing key is derived, raw bytes as stored. */
	uint8_t reported_tcb[8];
	/** CPUID_FAM_ID: combined family; 0 before version 3. */
	uint8_t cpuid_family;
	/** CPUID_MOD_ID: combined model; 0 before version 3. */
	uint8_t cpuid_model;
	/** CPUID_STEP: stepping; 0 before version 3. */
	uint8_t cpuid_stepping;
	/** CHIP_ID: identifies the chip; zero when masked; Turin uses the first 8 bytes. */
	uint8_t chip_id[64];
	/** COMMITTED_TCB: below which the firmware can't be rolled back, raw bytes as stored. */
	uint8_t committed_tcb[8];
	/** Firmware that runs. */
	struct pm_snp_firmware current_firmware;
	/** Firmware below which the platform can't be rolled back. */
	struct pm_snp_firmware committed_firmware;
	/** LAUNCH_TCB: CURRENT_TCB when the guest was launched or imported, raw bytes as stored. */
	uint8_t launch_tcb[8];
	/** LAUNCH_MIT_VECTOR: mitigations at launch; 0 before version 5. */
	uint64_t launch_mit_vector;
	/** CURRENT_MIT_VECTOR: mitigations now; 0 before version 5. */
	uint64_t current_mit_vector;
	/** R of the signature, 72 bytes, least significant first. */
	uint8_t signature_r[72];
	/** S of the signature, likewise. */
	uint8_t signature_s[72];
};

/** What was proved: made by pm_snp_verify() only, and only when it accepts. */
struct pm_snp_facts {
	/** The fields of the report, now authentic. */
	struct pm_snp_fields fields;
	/** The line of processors, from the root under which the report verified. */
	enum pm_snp_product product;
	/** Kind of the key that signed. */
	enum pm_snp_signer signer;
	/** CURRENT_TCB by part. */
	struct pm_snp_tcb current_tcb;
	/** REPORTED_TCB by part: equals the certificate's. */
	struct pm_snp_tcb reported_tcb;
	/** COMMITTED_TCB by part. */
	struct pm_snp_tcb committed_tcb;
	/** LAUNCH_TCB by part. */
	struct pm_snp_tcb launch_tcb;
	/** Cloud provider that the VLEK belongs to, or "" for a VCEK. */
	char csp_id[64];
	/** SHA-256 of the root certificate. */
	uint8_t root_sha256[32];
	/** The root is not AMD's: the policy named it. Nothing is proved about real hardware. */
	bool test_root;
	/** No certificate of the chain, nor the CRL, is valid after this second. */
	int64_t valid_until;
	/** A CRL was given and checked. */
	bool crl_checked;
	/** Azure: the HCL runtime data that REPORT_DATA binds, JSON; NULL when there is none. */
	const uint8_t *runtime_data;
	/** Length of runtime_data. */
	size_t runtime_data_size;
};

/** A report with its certificates, parsed and not trusted. */
struct pm_snp_evidence;

/** What to demand; see snp_policy.h. */
struct pm_snp_policy;

/** Chains and CRLs that were verified before. */
struct pm_snp_cache;

/**
 * pm_snp_evidence_parse - read a report, or an Azure HCL blob that holds one
 * @bytes: 1184 bytes of a report, or a blob that begins with "HCLA"; copied
 * @size: how many; an input above PM_SNP_INPUT_MAX is refused unread
 * @report: receives the reason of a refusal, or NULL
 * @ret_evidence: receives the evidence, to be freed with pm_snp_evidence_free()
 *
 * Everything that the format fixes is checked here: the length, the version (2 to 5), each reserved
 * byte, the signature's algorithm, unused bytes and unsigned tail, the POLICY bits that are always
 * one or zero, VMPL (a report that the host asked for has none).
 *
 * Return: 0; PM_E_FORMAT when malformed; PM_E_UNSUPPORTED for an unknown version, signature
 * algorithm or signing key; PM_E_LIMIT; PM_E_NOMEM. Thread safe.
 */
PM_API int pm_snp_evidence_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_snp_evidence **ret_evidence) PM_MUST_USE;

/**
 * pm_snp_evidence_free - free evidence, and with it the facts that were handed out for it
 * @evidence: the evidence, or NULL
 */
PM_API void pm_snp_evidence_free(struct pm_snp_evidence *evidence);

/**
 * pm_snp_evidence_untrusted - the fields of the report before anything was verified
 * @evidence: the evidence
 *
 * For what must be known before verification (which certificate to fetch) and for display. Anybody
 * can have written them.
 *
 * Return: the fields, owned by the evidence.
 */
PM_API const struct pm_snp_fields *pm_snp_evidence_untrusted(
	const struct pm_snp_evidence *evidence);

/**
 * pm_snp_evidence_untrusted_cert - a certificate that came with the report, before anything was
 * verified
 * @evidence: the evidence
 * @index: which, from 0
 * @ret_len: receives its length
 *
 * To pass it on: a worker puts it into his bundle. Thread safe while nothing is added.
 *
 * Return: DER, owned by the evidence; NULL past the end.
 */
PM_API const uint8_t *pm_snp_evidence_untrusted_cert(
	const struct pm_snp_evidence *evidence, size_t index, size_t *ret_len);

/**
 * pm_snp_evidence_product - the product that the report claims
 * @evidence: the evidence
 *
 * Return: the product by the CPUID bytes of the report, or 0 before version 3 and for an unknown
 * processor. Not trusted: pm_snp_verify() compares it with the certificates.
 */
PM_API int pm_snp_evidence_product(const struct pm_snp_evidence *evidence);

/**
 * pm_snp_evidence_add_certs - add certificates that came with the report
 * @evidence: the evidence
 * @bytes: DER certificates in a row, or PEM text with one or more; copied
 * @size: how many
 * @report: receives the reason of a refusal, or NULL
 *
 * VEK, intermediate and root, in any order. A certificate given twice is kept once; several may
 * have one name, as VCEKs of several firmwares: pm_snp_verify() finds those that are right. They
 * bring no trust: the root must be pinned.
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT above PM_SNP_CERTS_MAX certificates or 16 KiB each;
 * PM_E_NOMEM.
 */
PM_API int pm_snp_evidence_add_certs(struct pm_snp_evidence *evidence, const void *bytes,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_snp_evidence_add_table - add the certificate table of an extended report
 * @evidence: the evidence; it has no table yet
 * @bytes: the table as SNP_GET_EXT_REPORT or configfs-tsm's auxblob gives it; may be empty; copied
 * @size: how many, at most 65536
 * @report: receives the reason of a refusal, or NULL
 *
 * Takes the VCEK, VLEK, ASK, ARK and CRL entries, DER or PEM; entries of another GUID are kept
 * for pm_snp_policy_require_entry(), empty ones are passed over. Source: GHCB specification (AMD
 * 56421), "SNP Extended Guest Request".
 *
 * Return: 0; PM_E_FORMAT for entries out of bounds, doubled or not ended; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_STATE when a table was added before.
 */
PM_API int pm_snp_evidence_add_table(struct pm_snp_evidence *evidence, const void *bytes,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_snp_evidence_add_crl - add a certificate revocation list
 * @evidence: the evidence
 * @bytes: DER, one or several in a row, or PEM text; copied
 * @size: how many, at most 1 MiB
 * @report: receives the reason of a refusal, or NULL
 *
 * AMD has a list for VCEKs and one for VLEKs of each product, which bear no mark. So of those that
 * are the root's each must be valid, and there must be one; lists of other roots are passed over.
 * Where lists are added, one in the certificate table can only revoke.
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT above PM_SNP_CRLS_MAX lists; PM_E_NOMEM.
 */
PM_API int pm_snp_evidence_add_crl(struct pm_snp_evidence *evidence, const void *bytes, size_t size,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_snp_verify - decide whether evidence satisfies a policy
 * @evidence: the evidence; calls on one evidence must not overlap
 * @policy: what to demand; may serve several threads at once when nobody changes it
 * @cache: verified chains, or NULL; thread safe
 * @now: the time of the verification, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check that was made, or NULL
 * @ret_facts: receives what was proved, owned by the evidence until it is verified again or freed;
 * untouched unless the answer is yes
 *
 * Checks, in this order, and stops at the first failure up to the signature: the chain from a
 * pinned root through ASK or ASVK to the VEK, each certificate's validity, the VEK's profile
 * and AMD extensions against the report, the report's signature over its exact bytes,
 * revocation, the HCL runtime data; then the whole policy, noting every failure. Where the
 * certificates' names allow several chains, each is tried until one passes all but the policy; of
 * none that does the one is told that came furthest. Allocates nothing itself when the only chain
 * is in the cache.
 *
 * Return: 0 when the evidence is good; PM_E_REJECTED; PM_E_STALE when a certificate or the CRL
 * is not valid at that time; PM_E_MISSING when a certificate (or a CRL that the policy
 * demands) was not given; PM_E_FORMAT or PM_E_UNSUPPORTED for a bad certificate; PM_E_ARG when
 * the policy lacks a demand or waiver that it needs; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_snp_verify(struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	struct pm_snp_cache *cache, int64_t now, struct pm_report *report,
	const struct pm_snp_facts **ret_facts) PM_MUST_USE;

/**
 * pm_snp_cache_new - make a cache of verified certificate chains and CRLs
 * @entries: most chains kept, 1 to 65536; the one used longest ago gives way
 * @ret_cache: receives the cache, to be freed with pm_snp_cache_free()
 *
 * A second report of the same chip then costs one ECDSA verification. An entry is found by the hash
 * of the certificates' bytes; validity times and the policy's roots are checked at each use.
 *
 * Return: 0; PM_E_ARG; PM_E_NOMEM. The cache is thread safe.
 */
PM_API int pm_snp_cache_new(size_t entries, struct pm_snp_cache **ret_cache) PM_MUST_USE;

/**
 * pm_snp_cache_free - free a cache that no call uses any more
 * @cache: the cache, or NULL
 */
PM_API void pm_snp_cache_free(struct pm_snp_cache *cache);

/**
 * pm_snp_product_name - the name by which AMD's certificates and servers know a product
 * @product: an enum pm_snp_product
 *
 * Return: "Milan", "Genoa", "Turin", or "unknown"; static. Thread safe.
 */
PM_API const char *pm_snp_product_name(int product);

/**
 * pm_snp_tcb_decode - split a TCB_VERSION into its parts
 * @product: decides the layout
 * @raw: 8 bytes as stored in a report
 * @ret_tcb: receives the parts
 *
 * Return: 0; PM_E_FORMAT when a reserved byte is set; PM_E_ARG for an unknown product. Thread safe.
 * Source: AMD 56860, table "TCB_VERSION"; AMD 57230 for Turin.
 */
PM_API int pm_snp_tcb_decode(
	enum pm_snp_product product, const uint8_t *raw, struct pm_snp_tcb *ret_tcb) PM_MUST_USE;

PM_END_DECLS

#endif
