/* SPDX-License-Identifier: Apache-2.0 */
/** @file measure.h
 * Launch measurement of SEV-SNP guests: what MEASUREMENT in an attestation report must say for a
 * firmware image, a kernel and a number of processors, computed without any hardware.
 *
 * The digest covers the pages that the hypervisor hands to the security processor before the guest
 * runs, and the first registers of each processor (SEV-SNP Firmware ABI, publication 56860, 8.17).
 * The guest POLICY is not part of it: a host can launch the very same image with DEBUG allowed, so
 * compare POLICY in the report as well.
 *
 * A struct pm_measure collects what is known of the guest; pm_measure_digest() may then be asked
 * again and again, for instance for several numbers of processors. Setters copy what they are
 * given; a setter that fails changes nothing. One object serves one thread at a time; different
 * objects are independent.
 */
#ifndef PM_MEASURE_H
#define PM_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Bytes of a launch digest, and of the digest of a key: SHA-384. */
#define PM_MEASURE_SIZE 48

/** Bytes of a digest of a kernel or initial RAM disk: SHA-256. */
#define PM_MEASURE_FILE_DIGEST_SIZE 32

/** Largest firmware or SVSM image in bytes. QEMU takes 8 MiB unless told otherwise. */
#define PM_MEASURE_FIRMWARE_MAX (16u << 20)

/** Most processors of one guest. */
#define PM_MEASURE_VCPUS_MAX 4096u

/** Longest kernel command line in bytes, without its final NUL. */
#define PM_MEASURE_CMDLINE_MAX 65535u

/** SEV_FEATURES of a guest with SNP alone. */
#define PM_MEASURE_FEATURES_DEFAULT UINT64_C(0x1)

/** Who launches the guest: hypervisors differ in the first registers and in the order of pages. */
enum pm_vmm {
	/** QEMU with KVM of Linux 6.9 or newer. */
	PM_VMM_QEMU = 1,
	/** Amazon EC2. */
	PM_VMM_EC2 = 2,
	/** Google Compute Engine. */
	PM_VMM_GCE = 3
};

/** Opaque: what is known of the guest. */
struct pm_measure;

/**
 * pm_measure_new - begin a measurement
 * @ret_measure: receives the object, to be freed with pm_measure_free()
 *
 * It begins with QEMU, SEV_FEATURES PM_MEASURE_FEATURES_DEFAULT, no kernel and no SVSM. A firmware
 * and a number of processors must be set, and for QEMU the kind of processor.
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO when the cryptographic library does not start.
 */
PM_API int pm_measure_new(struct pm_measure **ret_measure) PM_MUST_USE;

/**
 * pm_measure_free - free a measurement
 * @measure: the object, or NULL
 */
PM_API void pm_measure_free(struct pm_measure *measure);

/**
 * pm_measure_set_vmm - say who launches the guest
 * @measure: the object
 * @vmm: one of enum pm_vmm
 *
 * Return: 0; PM_E_ARG for another value.
 */
PM_API int pm_measure_set_vmm(struct pm_measure *measure, enum pm_vmm vmm) PM_MUST_USE;

/**
 * pm_measure_set_vcpus - say how many processors the guest has
 * @measure: the object
 * @count: 1 to PM_MEASURE_VCPUS_MAX
 *
 * Return: 0; PM_E_LIMIT for another number.
 */
PM_API int pm_measure_set_vcpus(struct pm_measure *measure, uint32_t count) PM_MUST_USE;

/**
 * pm_measure_set_cpu - say which processor QEMU shows, by the name of its model
 * @measure: the object
 * @model: a name that pm_measure_cpu_model() lists, such as "EPYC-v4"; upper and lower case count
 *
 * The names are those of QEMU's "-cpu" option. For "-cpu host" the guest sees the signature of the
 * machine, which no name here stands for: use pm_measure_set_cpu_signature(). Only QEMU measures
 * the signature; for other hypervisors it is not used.
 *
 * Return: 0; PM_E_UNSUPPORTED for an unknown name.
 */
PM_API int pm_measure_set_cpu(struct pm_measure *measure, const char *model) PM_MUST_USE;

/**
 * pm_measure_set_cpu_signature - say which processor QEMU shows, by its signature
 * @measure: the object
 * @signature: register EAX of CPUID function 1, see pm_measure_cpu_signature()
 */
PM_API void pm_measure_set_cpu_signature(struct pm_measure *measure, uint32_t signature);

/**
 * pm_measure_cpu_model - the names of processor models, one by one
 * @index: from 0
 *
 * Return: a static text, or NULL when index is past the end. Thread safe.
 */
PM_API const char *pm_measure_cpu_model(size_t index);

/**
 * pm_measure_cpu_signature - the signature of a processor, from its three numbers
 * @family: combined family, 0 to 270: base plus extended, 25 (0x19) for Milan and Genoa
 * @model: combined model, 0 to 255
 * @stepping: 0 to 15
 * @ret_signature: receives register EAX of CPUID function 1
 *
 * Source: AMD64 Architecture Programmer's Manual, volume 3, CPUID Fn0000_0001_EAX.
 *
 * Return: 0; PM_E_ARG when a number is too large. Thread safe.
 */
PM_API int pm_measure_cpu_signature(unsigned int family, unsigned int model, unsigned int stepping,
	uint32_t *ret_signature) PM_MUST_USE;

/**
 * pm_measure_set_features - say what SEV_FEATURES the host sets in the save areas
 * @measure: the object
 * @features: bit 0 (SNP active) must be set; bit 5 (debug swap) depends on the host's kernel and
 *            on QEMU, so 0x1 and 0x21 are the usual values
 *
 * Source: AMD64 Architecture Programmer's Manual, volume 2, table B-4, offset 0x3b0. An SVSM
 * always starts with 0x1, whatever is set here.
 *
 * Return: 0; PM_E_ARG when bit 0 is not set.
 */
PM_API int pm_measure_set_features(struct pm_measure *measure, uint64_t features) PM_MUST_USE;

/**
 * pm_measure_set_firmware - give the firmware
 * @measure: the object
 * @bytes: the whole image (OVMF.fd), hostile until its digest has been compared
 * @size: its size: whole pages of 4096 bytes, at most PM_MEASURE_FIRMWARE_MAX
 * @report: receives the reason of a failure; may be NULL
 *
 * The image ends at 4 GiB of the guest's memory. Its footer table (edk2,
 * OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm) must name the reset address of further processors
 * and the list of memory sections (edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm).
 *
 * Return: 0; PM_E_FORMAT when it is not such an image; PM_E_UNSUPPORTED for a version or a kind of
 * section that is not known; PM_E_LIMIT when it is too large or asks for too much memory;
 * PM_E_STATE when an SVSM was set before; PM_E_CRYPTO.
 */
PM_API int pm_measure_set_firmware(struct pm_measure *measure, const uint8_t *bytes, size_t size,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_measure_set_firmware_digest - replace the digest of the firmware's pages
 * @measure: the object
 * @digest: PM_MEASURE_SIZE bytes, as pm_measure_firmware_digest() yields
 *
 * For when only the end of the image is at hand, or another build of it with the same tables: the
 * tables still come from pm_measure_set_firmware(), which must be called before.
 *
 * Return: 0; PM_E_STATE when no firmware was set, or an SVSM was.
 */
PM_API int pm_measure_set_firmware_digest(
	struct pm_measure *measure, const uint8_t *digest) PM_MUST_USE;

/**
 * pm_measure_firmware_digest - the launch digest after the pages of the firmware alone
 * @measure: the object, with a firmware
 * @ret_digest: receives PM_MEASURE_SIZE bytes
 *
 * Return: 0; PM_E_STATE when no firmware was set.
 */
PM_API int pm_measure_firmware_digest(
	const struct pm_measure *measure, uint8_t *ret_digest) PM_MUST_USE;

/**
 * pm_measure_set_svsm - give a Coconut SVSM that runs below the firmware
 * @measure: the object, with a firmware whose digest was not replaced
 * @bytes: the whole image, hostile until its digest has been compared
 * @size: its size: whole pages of 4096 bytes, at most PM_MEASURE_FIRMWARE_MAX
 * @vars_size: size of the store of variables between the SVSM and the firmware, in whole pages;
 *             540672 for the usual build of edk2
 * @report: receives the reason of a failure; may be NULL
 *
 * For images that QEMU loads beside the firmware, not for those in the IGVM format. QEMU only, and
 * without a kernel. The sections then are those of the SVSM, and so is the reset address.
 *
 * Return: 0; as pm_measure_set_firmware(), and PM_E_STATE without a firmware or with a replaced
 * digest.
 */
PM_API int pm_measure_set_svsm(struct pm_measure *measure, const uint8_t *bytes, size_t size,
	uint32_t vars_size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_measure_set_kernel - give the kernel that the hypervisor loads directly
 * @measure: the object
 * @kernel: its bytes; may be NULL when kernel_size is 0
 * @kernel_size: how many
 * @initrd: the initial RAM disk; may be NULL when initrd_size is 0
 * @initrd_size: how many bytes; 0 when there is none
 * @cmdline: the command line, or NULL for an empty one
 *
 * What is measured is a page with the SHA-256 of the three. The kernel is hashed as QEMU is given
 * it, before QEMU patches its header.
 *
 * Return: 0; PM_E_LIMIT for a command line above PM_MEASURE_CMDLINE_MAX; PM_E_CRYPTO.
 */
PM_API int pm_measure_set_kernel(struct pm_measure *measure, const uint8_t *kernel,
	size_t kernel_size, const uint8_t *initrd, size_t initrd_size,
	const char *cmdline) PM_MUST_USE;

/**
 * pm_measure_set_kernel_digests - the same, for files that were hashed elsewhere
 * @measure: the object
 * @kernel: SHA-256 of the kernel, PM_MEASURE_FILE_DIGEST_SIZE bytes
 * @initrd: SHA-256 of the initial RAM disk, or NULL when there is none
 * @cmdline: the command line, or NULL for an empty one
 *
 * Return: as pm_measure_set_kernel().
 */
PM_API int pm_measure_set_kernel_digests(struct pm_measure *measure, const uint8_t *kernel,
	const uint8_t *initrd, const char *cmdline) PM_MUST_USE;

/**
 * pm_measure_digest - compute the launch digest
 * @measure: the object
 * @report: receives the digest as the check "measurement", or the reason of a failure; may be NULL
 * @ret_digest: receives PM_MEASURE_SIZE bytes: MEASUREMENT of a report of this guest
 *
 * Return: 0; PM_E_MISSING when firmware, number of processors or, for QEMU, the kind of processor
 * was not set; PM_E_UNSUPPORTED when a kernel was given and the firmware measures none, or when an
 * SVSM meets a kernel or another hypervisor than QEMU; PM_E_FORMAT when the firmware has no place
 * for the hashes of the kernel, no reset entry, or address 0 in it for more than one processor;
 * PM_E_CRYPTO.
 */
PM_API int pm_measure_digest(const struct pm_measure *measure, struct pm_report *report,
	uint8_t *ret_digest) PM_MUST_USE;

PM_END_DECLS

#endif
