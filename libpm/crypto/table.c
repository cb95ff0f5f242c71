/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/table.h>

#include <sodium.h>

#include "base/rd.h"
#include "crypto/crypto.h"

_Static_assert(PM_TABLE_SEED_SIZE == crypto_shorthash_siphash24_KEYBYTES, "the key of SipHash");

int pm_table_seed(uint8_t *ret_seed)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	pm_random(ret_seed, PM_TABLE_SEED_SIZE);
	return PM_OK;
}

uint64_t pm_table_hash(const uint8_t *seed, const void *bytes, size_t size)
{
	uint8_t hash[crypto_shorthash_siphash24_BYTES];
	struct pm_rd rd = pm_rd(pm_view(hash, sizeof(hash)));

	crypto_shorthash_siphash24(hash, size ? bytes : hash, size, seed);
	return pm_rd_le64(&rd);
}
