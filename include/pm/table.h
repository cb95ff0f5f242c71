/* SPDX-License-Identifier: Apache-2.0 */
/** @file table.h
 * A keyed hash for tables whose keys others choose. Who does not know a table's seed can't choose
 * keys that share a place, and so can't make whoever looks something up walk a long list. It is no
 * digest: nothing but the place in a table may depend on it. All functions are thread safe and
 * allocate nothing.
 */
#ifndef PM_TABLE_H
#define PM_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

/** Size of a table's seed in bytes. */
#define PM_TABLE_SEED_SIZE 16

/**
 * pm_table_seed - draw the seed of a table
 * @ret_seed: receives PM_TABLE_SEED_SIZE random bytes, which nobody else shall learn
 *
 * Return: 0; PM_E_CRYPTO when the cryptographic libraries can't be used.
 */
PM_API int pm_table_seed(uint8_t *ret_seed) PM_MUST_USE;

/**
 * pm_table_hash - where a key belongs: SipHash-2-4 (Aumasson and Bernstein, 2012)
 * @seed: PM_TABLE_SEED_SIZE bytes
 * @bytes: the key; NULL when it is empty
 * @size: its bytes, any number
 *
 * Return: the hash; its value modulo the number of places is a place.
 */
PM_API uint64_t pm_table_hash(const uint8_t *seed, const void *bytes, size_t size);

PM_END_DECLS

#endif
