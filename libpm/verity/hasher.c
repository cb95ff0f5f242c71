/* SPDX-License-Identifier: Apache-2.0 */
#include "verity/hasher.h"

#include <stdlib.h>

/* Slots are whole lines of the cache apart. */
#define LINE 64u

/* Most messages of a batch: blocks of the smallest size. */
#define MESSAGES_MAX (PM_HASHER_BATCH / PM_VERITY_BLOCK_MIN)

struct pm_hasher {
	const struct pm_lanes_backend *backend;
	void *state;
	uint8_t *batch;	 /* PM_HASHER_BATCH bytes, as read */
	uint8_t *salted; /* the same blocks, each behind the salt; NULL without a salt */
	size_t salt_size;
	uint8_t salt[PM_VERITY_SALT_MAX];
	/* Digest of a block of zeros of zero_size bytes. */
	uint32_t zero_size;
	uint8_t zero_digest[PM_SHA256_SIZE];
	/* The last answer of next_data, of this file: [hole_from, data_begin) is a hole. */
	const struct pm_verity_io *known;
	uint64_t hole_from, data_begin, data_end;
};

static size_t stride_of(const struct pm_hasher *h, uint32_t block_size)
{
	return (h->salt_size + block_size + LINE - 1) & ~(size_t)(LINE - 1);
}

static int alloc_buffers(struct pm_hasher *h)
{
	h->batch = pm_alloc(PM_HASHER_BATCH);
	if (h->salt_size)
		h->salted = pm_alloc(MESSAGES_MAX * stride_of(h, PM_VERITY_BLOCK_MIN));
	return h->batch && (h->salted || !h->salt_size) ? PM_OK : PM_E_NOMEM;
}

int pm_hasher_new_with(const struct pm_lanes_backend *backend,
	const struct pm_verity_params *params, struct pm_hasher **ret)
{
	pm_cleanup(pm_hasher) struct pm_hasher *h = pm_alloc(sizeof(*h));
	int r;

	if (!h)
		return PM_E_NOMEM;
	h->salt_size = params->salt_size;
	pm_copy(h->salt, params->salt, params->salt_size);
	r = alloc_buffers(h);
	if (r == PM_OK)
		r = backend->make(&h->state);
	if (r < 0)
		return r;
	h->backend = backend;
	*ret = pm_steal(h);
	return PM_OK;
}

int pm_hasher_new(const struct pm_verity_params *params, struct pm_hasher **ret)
{
	int r = PM_E_UNSUPPORTED;

	for (size_t i = 0; pm_lanes_backends[i] && r == PM_E_UNSUPPORTED; i++)
		r = pm_hasher_new_with(pm_lanes_backends[i], params, ret);
	return r;
}

void pm_hasher_free(struct pm_hasher *hasher)
{
	if (!hasher)
		return;
	if (hasher->backend)
		hasher->backend->free(hasher->state);
	free(hasher->batch);
	free(hasher->salted);
	free(hasher);
}

/* The salt at the start of each slot. */
static void put_salts(struct pm_hasher *h, uint32_t size, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pm_copy(h->salted + i * stride_of(h, size), h->salt, h->salt_size);
}

static int digest_slots(struct pm_hasher *h, uint32_t size, size_t count, uint8_t *ret)
{
	struct pm_lanes_input input = {h->salted, stride_of(h, size), h->salt_size + size, count};

	return h->backend->hash(h->state, &input, ret);
}

static int digest_batch(
	struct pm_hasher *h, const uint8_t *blocks, uint32_t size, size_t count, uint8_t *ret)
{
	struct pm_lanes_input input = {blocks, size, size, count};

	if (!h->salt_size)
		return h->backend->hash(h->state, &input, ret);
	put_salts(h, size, count);
	for (size_t i = 0; i < count; i++)
		pm_copy(h->salted + i * stride_of(h, size) + h->salt_size, blocks + i * size, size);
	return digest_slots(h, size, count, ret);
}

int pm_hasher_digest(
	struct pm_hasher *hasher, struct pm_view blocks, uint32_t block_size, uint8_t *ret_digests)
{
	size_t count = blocks.len / block_size, most = PM_HASHER_BATCH / block_size;

	for (size_t done = 0; done < count;) {
		size_t n = count - done < most ? count - done : most;
		int r = digest_batch(hasher, blocks.ptr + done * block_size, block_size, n,
			ret_digests + done * PM_SHA256_SIZE);

		if (r < 0)
			return r;
		done += n;
	}
	return PM_OK;
}

static int know_zero_digest(struct pm_hasher *h, uint32_t size)
{
	static const uint8_t zeros[PM_VERITY_BLOCK_MAX];
	int r;

	if (h->zero_size == size)
		return PM_OK;
	r = digest_batch(h, zeros, size, 1, h->zero_digest);
	if (r == PM_OK)
		h->zero_size = size;
	return r;
}

/* Is [offset, offset + size) a hole of the file? */
static int is_hole(struct pm_hasher *h, const struct pm_verity_io *io, uint64_t offset,
	uint64_t size, bool *ret)
{
	uint64_t begin, end;
	int r;

	*ret = false;
	if (!io->next_data)
		return PM_OK;
	if (h->known != io || offset < h->hole_from || offset >= h->data_end) {
		r = io->next_data(io->arg, offset, &begin, &end);
		if (r < 0)
			return r;
		h->known = io;
		h->hole_from = offset;
		h->data_begin = begin;
		h->data_end = end;
	}
	*ret = offset < h->data_begin && size <= h->data_begin - offset;
	return PM_OK;
}

static int digest_hole(struct pm_hasher *h, uint32_t size, size_t count, uint8_t *ret)
{
	int r = know_zero_digest(h, size);

	for (size_t i = 0; r == PM_OK && i < count; i++)
		pm_copy(ret + i * PM_SHA256_SIZE, h->zero_digest, PM_SHA256_SIZE);
	return r;
}

/* Straight into the slots, behind the salts. */
static int read_slots(
	struct pm_hasher *h, const struct pm_blocks *b, uint64_t offset, size_t count, uint8_t *ret)
{
	int r = b->io->read_blocks(b->io->arg, offset, b->size, count, stride_of(h, b->size),
		h->salted + h->salt_size);

	if (r < 0)
		return r;
	put_salts(h, b->size, count);
	return digest_slots(h, b->size, count, ret);
}

static int read_batch(
	struct pm_hasher *h, const struct pm_blocks *b, uint64_t first, size_t count, uint8_t *ret)
{
	uint64_t offset = b->offset + first * b->size;
	size_t bytes = count * b->size;
	bool hole;
	int r = is_hole(h, b->io, offset, bytes, &hole);

	if (r < 0)
		return r;
	if (hole)
		return digest_hole(h, b->size, count, ret);
	if (h->salt_size && b->io->read_blocks)
		return read_slots(h, b, offset, count, ret);
	r = b->io->read(b->io->arg, offset, h->batch, bytes);
	if (r < 0)
		return r;
	return digest_batch(h, h->batch, b->size, count, ret);
}

int pm_hasher_read(struct pm_hasher *hasher, const struct pm_blocks *blocks, uint8_t *ret_digests,
	uint64_t *ret_failed)
{
	uint64_t most = PM_HASHER_BATCH / blocks->size;

	for (uint64_t done = 0; done < blocks->count;) {
		uint64_t left = blocks->count - done, n = left < most ? left : most;
		int r = read_batch(
			hasher, blocks, done, (size_t)n, ret_digests + done * PM_SHA256_SIZE);

		if (r < 0) {
			*ret_failed = blocks->offset + done * blocks->size;
			return r;
		}
		done += n;
	}
	return PM_OK;
}
