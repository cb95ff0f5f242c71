/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of GPU evidence that pm-agent(8) makes (--evidence), for a bundle. It appears whole
 * and goes whole, so what was opened stays one piece. Nothing in it is verified here: clients do
 * that.
 */
#ifndef COMMON_GPU_FOLDER_H
#define COMMON_GPU_FOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <pm/bundle.h>

/* Begin with zeros. */
struct gpu_folder {
	struct pm_bundle_gpu gpus[PM_BUNDLE_GPUS_MAX];
	size_t gpu_count;
	struct pm_bytes rims[PM_BUNDLE_RIMS_MAX];
	size_t rim_count;
	struct pm_bytes ocsp[PM_BUNDLE_OCSP_MAX];
	size_t ocsp_count;
	uint8_t epoch_nonce[PM_BUNDLE_NONCE_SIZE];
	int64_t time;
	/* Which folder it was, so that it is read again when it is another. */
	struct stat seen;
};

/*
 * Reads the folder, unless it is the one that was read before; on failure it is empty. key is that
 * of the claims: evidence for another one is refused. 0; PM_E_MISSING when it is not there,
 * PM_E_FORMAT, PM_E_REJECTED for another key, PM_E_LIMIT, PM_E_SYS, PM_E_NOMEM, PM_E_CRYPTO.
 */
int gpu_folder_read(
	struct gpu_folder *folder, const char *path, const uint8_t *key, size_t key_len);

void gpu_folder_free(struct gpu_folder *folder);

#endif
