/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/nonce.h"

#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "crypto/crypto.h"

#define OBJECT_SIZE 4096
#define BUFFER_SIZE (340 * PM_NONCE_SIZE)

/* All zeros, as a fork leaves it, is a valid object: nothing left, nobody in it. */
struct pm_nonces {
	atomic_bool busy;
	bool unbuffered; /* the system can't wipe the page in a child */
	size_t left;
	uint8_t bytes[BUFFER_SIZE];
};

_Static_assert(sizeof(struct pm_nonces) <= OBJECT_SIZE, "one page");

int pm_nonces_new(struct pm_nonces **ret)
{
	struct pm_nonces *nonces;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	nonces =
		mmap(NULL, OBJECT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nonces == MAP_FAILED)
		return PM_E_NOMEM;
	nonces->unbuffered = madvise(nonces, OBJECT_SIZE, MADV_WIPEONFORK) < 0;
	*ret = nonces;
	return PM_OK;
}

void pm_nonces_free(struct pm_nonces *nonces)
{
	if (nonces)
		(void)munmap(nonces, OBJECT_SIZE);
}

/*
 * The system's generator takes four times as long for a page as for a seed and its expansion by
 * ChaCha20, which is what the system does inside. Each page has a seed of its own.
 */
static void fill(struct pm_nonces *nonces)
{
	uint8_t seed[randombytes_SEEDBYTES];

	pm_random(seed, sizeof(seed));
	randombytes_buf_deterministic(nonces->bytes, BUFFER_SIZE, seed);
	pm_wipe(seed, sizeof(seed));
	nonces->left = BUFFER_SIZE;
}

static void take(struct pm_nonces *nonces, uint8_t *ret)
{
	if (nonces->left == 0)
		fill(nonces);
	nonces->left -= PM_NONCE_SIZE;
	pm_copy(ret, nonces->bytes + nonces->left, PM_NONCE_SIZE);
}

void pm_nonces_next(struct pm_nonces *nonces, uint8_t *ret)
{
	/* Nobody waits: who finds another thread inside asks the system itself. */
	if (nonces->unbuffered ||
		atomic_exchange_explicit(&nonces->busy, true, memory_order_acquire)) {
		pm_random(ret, PM_NONCE_SIZE);
		return;
	}
	take(nonces, ret);
	atomic_store_explicit(&nonces->busy, false, memory_order_release);
}
