/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verb "measure" share. */
#ifndef PM_VERIFY_MEASURE_H
#define PM_VERIFY_MEASURE_H

#include <stdbool.h>

#include <pm/pm.h>

/* The command line, read. Texts are borrowed from it; NULL is not given. */
struct measure_options {
	const char *ovmf, *svsm, *kernel, *initrd, *append;
	const char *vcpu_type;
	const char *id_key, *author_key, *id_block_file;
	uint32_t vars_size, vcpus, signature;
	uint64_t features;
	enum pm_vmm vmm;
	struct pm_id_block id_block;
	uint8_t ovmf_hash[PM_MEASURE_SIZE], expect[PM_MEASURE_SIZE];
	uint8_t kernel_sha256[PM_MEASURE_FILE_DIGEST_SIZE];
	uint8_t initrd_sha256[PM_MEASURE_FILE_DIGEST_SIZE];
	bool has_vars_size, has_signature, has_ovmf_hash, has_expect, has_id_fields;
	bool has_kernel_sha256, has_initrd_sha256;
	bool ovmf_only, json;
};

/* What was computed. */
struct measure_result {
	uint8_t digest[PM_MEASURE_SIZE];
	uint8_t id_key_digest[PM_ID_KEY_DIGEST_SIZE], author_key_digest[PM_ID_KEY_DIGEST_SIZE];
	uint8_t id_block[PM_ID_BLOCK_SIZE];
};

/* Reads the files and computes. An exit status; anything but 0 was explained on standard error. */
int measure_compute(const struct measure_options *o, struct measure_result *ret);

/* Prints what was computed; an exit status, which says whether it is what was expected. */
int measure_print(const struct measure_options *o, const struct measure_result *result);

#endif
