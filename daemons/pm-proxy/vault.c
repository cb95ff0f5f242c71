/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/vault.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct vault {
	uint8_t (*slots)[VAULT_SECRET_SIZE];
	size_t count;
	size_t *unused; /* a stack */
	size_t unused_count;
};

struct vault *vault_new(size_t count)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	size_t size = count * VAULT_SECRET_SIZE;
	void *slots;

	if (!vault)
		return NULL;
	vault->count = count;
	vault->unused = calloc(count, sizeof(*vault->unused));
	slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!vault->unused || slots == MAP_FAILED) {
		if (slots != MAP_FAILED)
			munmap(slots, size);
		free(vault->unused);
		free(vault);
		return NULL;
	}
	(void)madvise(slots, size, MADV_DONTDUMP);
	(void)mlock(slots, size);
	vault->slots = slots;
	while (vault->unused_count < count) {
		vault->unused[vault->unused_count] = count - 1 - vault->unused_count;
		vault->unused_count++;
	}
	return vault;
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	explicit_bzero(vault->slots, vault->count * VAULT_SECRET_SIZE);
	munmap(vault->slots, vault->count * VAULT_SECRET_SIZE);
	free(vault->unused);
	free(vault);
}

const uint8_t *vault_put(struct vault *vault, const uint8_t *secret)
{
	uint8_t *slot;

	if (!vault->unused_count)
		return NULL;
	slot = vault->slots[vault->unused[--vault->unused_count]];
	memcpy(slot, secret, VAULT_SECRET_SIZE);
	return slot;
}

void vault_drop(struct vault *vault, const uint8_t *secret)
{
	size_t index = (size_t)(secret - vault->slots[0]) / VAULT_SECRET_SIZE;

	explicit_bzero(vault->slots[index], VAULT_SECRET_SIZE);
	vault->unused[vault->unused_count++] = index;
}
