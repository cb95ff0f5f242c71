/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of blocks: SHA-256 of salt and block, of memory or straight from a file, where holes cost
 * nothing. One hasher serves one thread at a time.
 */
#ifndef PM_VERITY_HASHER_H
#define PM_VERITY_HASHER_H

#include <pm/error.h>
#include <pm/verity.h>
#include "base/mem.h"
#include "verity/sha256_lanes.h"

/* Bytes that are read, and hashed, at a time: they stay in the processor's second cache. */
#define PM_HASHER_BATCH (256u << 10)

/* Blocks of a file. */
struct pm_blocks {
	const struct pm_verity_io *io;
	uint64_t offset; /* of the first one, in bytes */
	uint64_t count;
	uint32_t size; /* of each, in bytes */
};

struct pm_hasher;

/* params: of which the salt counts. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_hasher_new(const struct pm_verity_params *params, struct pm_hasher **ret) PM_MUST_USE;

/* The same, with a backend chosen by hand. And PM_E_UNSUPPORTED. */
int pm_hasher_new_with(const struct pm_lanes_backend *backend,
	const struct pm_verity_params *params, struct pm_hasher **ret) PM_MUST_USE;

void pm_hasher_free(struct pm_hasher *hasher);
PM_OWNER(pm_hasher, pm_hasher_free);

/* Digests of blocks that lie one behind the other. PM_E_CRYPTO. */
int pm_hasher_digest(struct pm_hasher *hasher, struct pm_view blocks, uint32_t block_size,
	uint8_t *ret_digests) PM_MUST_USE;

/*
 * Digests of the blocks of a file. On failure *ret_failed is the offset that could not be read.
 * PM_E_CRYPTO, and what reading returns.
 */
int pm_hasher_read(struct pm_hasher *hasher, const struct pm_blocks *blocks, uint8_t *ret_digests,
	uint64_t *ret_failed) PM_MUST_USE;

#endif
