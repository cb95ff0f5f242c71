/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pm/error.h>
#include <pm/text.h>
#include <pm/verity.h>

#include "crypto/crypto.h"
#include "testing.h"
#include "verity/hasher.h"
#include "verity/layout.h"
#include "verity/work.h"

static const uint8_t uuid[PM_VERITY_UUID_SIZE] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01};

#define UUID_TEXT "11223344-5566-7788-99aa-bbccddeeff01"

static struct pm_verity_params make_params(uint64_t blocks, uint32_t data, uint32_t hash)
{
	return (struct pm_verity_params){
		.size = sizeof(struct pm_verity_params),
		.data_blocks = blocks,
		.data_block_size = data,
		.hash_block_size = hash,
	};
}

/* --- a disk in memory, with a seam for faults ------------------------------------------------ */

struct memory {
	uint8_t *bytes;
	size_t size;
	struct pm_verity_io io;
	/* The first read or write that touches it fails; UINT64_MAX for none. */
	uint64_t bad_read, bad_write;
	/* A hole that next_data tells of, and whether reading it is a failure. */
	uint64_t hole_begin, hole_end;
};

static bool touches(uint64_t at, uint64_t offset, size_t bytes)
{
	return at >= offset && at - offset < bytes;
}

static int memory_read(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	struct memory *m = arg;

	if (touches(m->bad_read, offset, bytes))
		return PM_E_SYS;
	ck_assert_uint_le(offset + bytes, m->size);
	ck_assert(offset >= m->hole_end || offset + bytes <= m->hole_begin ||
		  offset < m->hole_begin || offset + bytes > m->hole_end);
	memcpy(ret_bytes, m->bytes + offset, bytes);
	return PM_OK;
}

static int memory_write(void *arg, uint64_t offset, const void *from, size_t bytes)
{
	struct memory *m = arg;

	if (touches(m->bad_write, offset, bytes))
		return PM_E_SYS;
	ck_assert_uint_le(offset + bytes, m->size);
	memcpy(m->bytes + offset, from, bytes);
	return PM_OK;
}

static int memory_next_data(void *arg, uint64_t offset, uint64_t *ret_begin, uint64_t *ret_end)
{
	struct memory *m = arg;
	bool inside = offset >= m->hole_begin && offset < m->hole_end;
	bool before = offset < m->hole_begin;

	*ret_begin = inside ? m->hole_end : offset;
	*ret_end = before ? m->hole_begin : INT64_MAX;
	return PM_OK;
}

static struct memory *memory_new(size_t size)
{
	struct memory *m = calloc(1, sizeof(*m));

	ck_assert_ptr_nonnull(m);
	m->bytes = calloc(1, size ? size : 1);
	m->size = size;
	m->io = (struct pm_verity_io){
		.arg = m, .size = size, .read = memory_read, .write = memory_write};
	m->bad_read = m->bad_write = UINT64_MAX;
	return m;
}

static void memory_free(struct memory *m)
{
	free(m->bytes);
	free(m);
}

/* Bytes that repeat only after 2^32: no block is like another. */
static void fill(uint8_t *bytes, size_t size)
{
	uint32_t x = 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
}

/* A disk with its tree behind it. */
struct disk {
	struct pm_verity_params params;
	struct pm_verity_layout layout;
	struct memory *m;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
};

static void disk_make(struct disk *d, const struct pm_verity_params *params)
{
	d->params = *params;
	d->params.hash_offset = params->data_blocks * params->data_block_size;
	ck_pm(pm_verity_layout_of(&d->params, NULL, &d->layout), PM_OK);
	d->m = memory_new(d->layout.end);
	fill(d->m->bytes, d->layout.data_size);
	ck_pm(pm_verity_format(&d->params, uuid, &d->m->io, &d->m->io, NULL, NULL, d->root), PM_OK);
}

static int disk_verify(const struct disk *d, uint32_t threads, struct pm_report *report)
{
	struct pm_verity_options options = {.size = sizeof(options), .threads = threads};

	return pm_verity_verify(&d->params, d->root, &d->m->io, &d->m->io, &options, report);
}

/* --- the superblock -------------------------------------------------------------------------- */

START_TEST(superblock_reads_what_it_writes)
{
	struct pm_verity_params p = make_params(77, 1024, 2048), back;
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE], uuid_back[PM_VERITY_UUID_SIZE];

	p.salt_size = 3;
	memcpy(p.salt, "abc", 3);
	ck_pm(pm_verity_superblock_make(&p, uuid, NULL, bytes), PM_OK);
	ck_pm(pm_verity_superblock_parse(bytes, sizeof(bytes), NULL, &back, uuid_back), PM_OK);
	ck_assert_mem_eq(&p, &back, sizeof(p));
	ck_assert_mem_eq(uuid, uuid_back, sizeof(uuid));
	ck_pm(pm_verity_superblock_check(&p, bytes, sizeof(bytes), NULL), PM_OK);
}
END_TEST

/* Each byte but those of the UUID counts: changed, it is refused or says something else. */
START_TEST(superblock_has_no_idle_byte)
{
	struct pm_verity_params p = make_params(64, 4096, 4096);
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE];

	p.salt_size = 4;
	ck_pm(pm_verity_superblock_make(&p, uuid, NULL, bytes), PM_OK);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bool is_uuid = i >= 16 && i < 32;

		bytes[i] ^= 1;
		ck_assert_msg((pm_verity_superblock_check(&p, bytes, sizeof(bytes), NULL) ==
				      PM_OK) == is_uuid,
			"byte %zu", i);
		bytes[i] ^= 1;
	}
}
END_TEST

static const struct {
	size_t at;
	uint8_t value;
	int error;
	const char *name;
} bad_superblocks[] = {
	{0, 'V', PM_E_FORMAT, "superblock.signature"},
	{8, 2, PM_E_UNSUPPORTED, "superblock.version"},
	{12, 0, PM_E_UNSUPPORTED, "superblock.hash_type"},
	{35, '5', PM_E_UNSUPPORTED, "superblock.algorithm"},
	{39, 'x', PM_E_UNSUPPORTED, "superblock.algorithm"},
	{65, 0, PM_E_FORMAT, "data_block_size"},
	{65, 0x20, PM_E_UNSUPPORTED, "data_block_size"},
	{68, 1, PM_E_FORMAT, "hash_block_size"},
	{72, 0, PM_E_FORMAT, "data_blocks"},
	{79, 0x80, PM_E_LIMIT, "data_blocks"},
	{81, 2, PM_E_LIMIT, "salt_size"},
	{82, 1, PM_E_FORMAT, "superblock.reserved"},
	{91, 1, PM_E_FORMAT, "superblock.salt"},
	{344, 1, PM_E_FORMAT, "superblock.reserved"},
	{511, 1, PM_E_FORMAT, "superblock.reserved"},
};

START_TEST(superblock_refuses)
{
	struct pm_verity_params p = make_params(64, 4096, 4096), back;
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE];

	p.salt_size = 3;
	ck_pm(pm_verity_superblock_make(&p, uuid, NULL, bytes), PM_OK);
	bytes[bad_superblocks[_i].at] = bad_superblocks[_i].value;
	ck_pm(pm_verity_superblock_parse(bytes, sizeof(bytes), report, &back, NULL),
		bad_superblocks[_i].error);
	ck_assert_str_eq(pm_report_failure(report)->name, bad_superblocks[_i].name);
}
END_TEST

START_TEST(superblock_of_another_size)
{
	struct pm_verity_params p = make_params(64, 4096, 4096), back;
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE + 1] = {0};

	ck_pm(pm_verity_superblock_make(&p, uuid, NULL, bytes), PM_OK);
	ck_pm(pm_verity_superblock_parse(bytes, sizeof(bytes), NULL, &back, NULL), PM_E_FORMAT);
	ck_pm(pm_verity_superblock_parse(bytes, 511, NULL, &back, NULL), PM_E_FORMAT);
	ck_pm(pm_verity_superblock_parse(bytes, 0, NULL, &back, NULL), PM_E_FORMAT);
	ck_pm(pm_verity_superblock_parse(bytes, 512, NULL, &back, NULL), PM_OK);
}
END_TEST

static const struct {
	struct pm_verity_params params;
	int error;
} bad_params[] = {
	{{.size = 1, .data_blocks = 1, .data_block_size = 512, .hash_block_size = 512}, PM_E_ARG},
	{{0, 0, 0, 4096, 4096, 0, {0}}, PM_E_FORMAT},
	{{0, 1, 0, 256, 4096, 0, {0}}, PM_E_FORMAT},
	{{0, 1, 0, 4096, 768, 0, {0}}, PM_E_FORMAT},
	{{0, 1, 0, 4096, 8192, 0, {0}}, PM_E_UNSUPPORTED},
	{{0, 1, 0, 4096, 4096, 257, {0}}, PM_E_LIMIT},
	{{0, 1, 513, 4096, 4096, 0, {0}}, PM_E_FORMAT},
	{{0, UINT64_C(1) << 51, 0, 4096, 4096, 0, {0}}, PM_E_LIMIT},
	{{0, UINT64_C(1) << 60, 0, 4096, 4096, 0, {0}}, PM_E_LIMIT},
	{{0, 1, UINT64_C(1) << 63, 4096, 4096, 0, {0}}, PM_E_LIMIT},
	{{0, 4, (UINT64_C(1) << 63) - 4096, 4096, 4096, 0, {0}}, PM_E_LIMIT},
};

START_TEST(layout_refuses)
{
	struct pm_verity_params p = bad_params[_i].params;
	struct pm_verity_layout layout;

	p.size = p.size ? p.size : sizeof(p);
	ck_pm(pm_verity_layout_of(&p, NULL, &layout), bad_params[_i].error);
}
END_TEST

START_TEST(layout_of_the_largest)
{
	struct pm_verity_params p = make_params((UINT64_C(1) << 54) - 1, 512, 512);
	struct pm_verity_tree t;

	ck_pm(pm_verity_tree_of(&p, NULL, &t), PM_OK);
	ck_assert_uint_eq(t.layout.levels, 14);
	ck_assert_uint_eq(t.levels[13].blocks, 1);
	ck_assert_uint_eq(t.levels[13].offset, t.layout.tree_offset);
}
END_TEST

/* --- hashing --------------------------------------------------------------------------------- */

/* Every backend, against one SHA-256 after the other, over block sizes, salts and numbers. */
START_TEST(backends_agree)
{
	static const uint32_t sizes[] = {512, 1024, 4096};
	static const uint32_t salts[] = {0, 1, 32, 63, 64, 255, 256};
	static uint8_t blocks[33 * 4096], digests[33 * PM_SHA256_SIZE];
	struct pm_verity_params p = make_params(1, 4096, 4096);

	fill(blocks, sizeof(blocks));
	fill(p.salt, sizeof(p.salt));
	for (size_t i = 0; i < PM_ARRAY_LEN(sizes) * PM_ARRAY_LEN(salts); i++) {
		pm_cleanup(pm_hasher) struct pm_hasher *h = NULL;
		uint32_t size = sizes[i / PM_ARRAY_LEN(salts)];
		uint8_t wanted[PM_SHA256_SIZE];

		p.salt_size = salts[i % PM_ARRAY_LEN(salts)];
		ck_pm(pm_hasher_new_with(pm_lanes_backends[_i], &p, &h), PM_OK);
		ck_pm(pm_hasher_digest(h, pm_view(blocks, 33 * size), size, digests), PM_OK);
		for (size_t j = 0; j < 33; j++) {
			struct pm_view parts[] = {
				pm_view(p.salt, p.salt_size), pm_view(blocks + j * size, size)};

			ck_pm(pm_hash_parts(PM_SHA256, parts, 2, wanted), PM_OK);
			ck_assert_mem_eq(digests + j * PM_SHA256_SIZE, wanted, sizeof(wanted));
		}
	}
}
END_TEST

/* --- threads --------------------------------------------------------------------------------- */

struct counted {
	uint64_t fails_from;
	uint8_t runs[1000];
	uint64_t last;
};

static int count_run(void *worker, uint64_t task)
{
	struct counted **c = worker;

	__atomic_add_fetch(&(*c)->runs[task], 1, __ATOMIC_RELAXED);
	return task >= (*c)->fails_from ? -(int)(100 + task) : PM_OK;
}

static void count_progress(void *arg, uint64_t done)
{
	struct counted *c = arg;

	ck_assert_uint_eq(done, c->last + 1);
	c->last = done;
}

START_TEST(work_does_each_task_once)
{
	struct counted c = {.fails_from = UINT64_MAX}, *states[8];
	void *workers[8], *failed = NULL;
	struct pm_work work = {1000, workers, 8, count_run, count_progress, &c};

	for (size_t i = 0; i < 8; i++) {
		states[i] = &c;
		workers[i] = &states[i];
	}
	ck_pm(pm_work_run(&work, &failed), PM_OK);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(c.runs[i], 1);
	ck_assert_uint_eq(c.last, 1000);
	ck_assert_ptr_null(failed);
}
END_TEST

static pthread_barrier_t all_at_work;

static int fail_together(void *worker, uint64_t task)
{
	(void)worker;
	pthread_barrier_wait(&all_at_work);
	return -(int)(100 + task);
}

/* Eight tasks in flight at once, all fail, in whatever order: the first counts. */
START_TEST(work_reports_the_lowest_failure)
{
	int names[8];

	pthread_barrier_init(&all_at_work, NULL, 8);
	for (size_t round = 0; round < 100; round++) {
		void *workers[8], *failed = NULL;
		struct pm_work work = {1000, workers, 8, fail_together, NULL, NULL};

		for (size_t i = 0; i < 8; i++)
			workers[i] = &names[i];
		ck_assert_int_eq(pm_work_run(&work, &failed), -100);
		ck_assert_ptr_nonnull(failed);
	}
	pthread_barrier_destroy(&all_at_work);
}
END_TEST

START_TEST(work_reports_the_first_failure)
{
	for (uint64_t from = 0; from < 60; from++) {
		struct counted c = {.fails_from = from}, *states[8];
		void *workers[8], *failed = NULL;
		struct pm_work work = {1000, workers, 8, count_run, NULL, NULL};

		for (size_t i = 0; i < 8; i++) {
			states[i] = &c;
			workers[i] = &states[i];
		}
		ck_assert_int_eq(pm_work_run(&work, &failed), -(int)(100 + from));
		ck_assert_ptr_nonnull(failed);
		ck_assert_uint_eq(c.runs[999], 0);
	}
}
END_TEST

/* --- trees ----------------------------------------------------------------------------------- */

/* The root of three blocks of 512 bytes, by hand: digests side by side, then zeros. */
START_TEST(tree_by_hand)
{
	struct pm_verity_params p = make_params(3, 512, 512);
	struct disk d;
	uint8_t top[512] = {0}, wanted[PM_SHA256_SIZE];

	p.salt_size = 2;
	memcpy(p.salt, "xy", 2);
	disk_make(&d, &p);
	for (size_t i = 0; i < 3; i++) {
		struct pm_view parts[] = {VIEW("xy"), pm_view(d.m->bytes + i * 512, 512)};

		ck_pm(pm_hash_parts(PM_SHA256, parts, 2, top + i * PM_SHA256_SIZE), PM_OK);
	}
	ck_assert_mem_eq(d.m->bytes + 3 * 512 + 512, top, 512);
	ck_pm(pm_hash_parts(
		      PM_SHA256, (struct pm_view[]){VIEW("xy"), pm_view(top, 512)}, 2, wanted),
		PM_OK);
	ck_assert_mem_eq(d.root, wanted, sizeof(wanted));
	memory_free(d.m);
}
END_TEST

START_TEST(threads_make_no_difference)
{
	struct pm_verity_params p = make_params(3000, 512, 512);
	struct pm_verity_options options = {.size = sizeof(options), .threads = (uint32_t)_i};
	struct memory *again;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	struct disk d;

	disk_make(&d, &p);
	again = memory_new(d.m->size);
	memcpy(again->bytes, d.m->bytes, d.layout.data_size);
	ck_pm(pm_verity_format(&d.params, uuid, &again->io, &again->io, &options, NULL, root),
		PM_OK);
	ck_assert_mem_eq(root, d.root, sizeof(root));
	ck_assert_mem_eq(again->bytes, d.m->bytes, d.m->size);
	ck_pm(disk_verify(&d, (uint32_t)_i, NULL), PM_OK);
	memory_free(again);
	memory_free(d.m);
}
END_TEST

/* A hole gives the same tree, and is not read. */
START_TEST(holes_are_skipped)
{
	struct pm_verity_params p = make_params(3000, 512, 4096);
	struct memory *plain, *holed;
	uint8_t roots[2][PM_VERITY_DIGEST_SIZE];

	p.salt_size = (uint32_t)_i;
	p.hash_offset = 3000 * 512;
	plain = memory_new(3000 * 512 + 200 * 4096);
	fill(plain->bytes, 3000 * 512);
	memset(plain->bytes + 10000, 0, 1200000);
	holed = memory_new(plain->size);
	memcpy(holed->bytes, plain->bytes, plain->size);
	holed->io.next_data = memory_next_data;
	holed->hole_begin = 10000;
	holed->hole_end = 1210000;
	holed->bad_read = 600000; /* deep in the hole */
	ck_pm(pm_verity_format(&p, uuid, &plain->io, &plain->io, NULL, NULL, roots[0]), PM_OK);
	ck_pm(pm_verity_format(&p, uuid, &holed->io, &holed->io, NULL, NULL, roots[1]), PM_OK);
	ck_assert_mem_eq(roots[0], roots[1], PM_VERITY_DIGEST_SIZE);
	ck_assert_mem_eq(plain->bytes, holed->bytes, plain->size);
	ck_pm(pm_verity_verify(&p, roots[0], &holed->io, &holed->io, NULL, NULL), PM_OK);
	memory_free(plain);
	memory_free(holed);
}
END_TEST

/* What stood where the superblock and the gap behind it go is gone. */
START_TEST(gap_is_cleared)
{
	struct pm_verity_params p = make_params(2, 4096, 4096);
	struct memory *m = memory_new(4 * 4096);
	uint8_t root[PM_VERITY_DIGEST_SIZE];

	memset(m->bytes, 0xee, m->size);
	p.hash_offset = 2 * 4096;
	ck_pm(pm_verity_format(&p, uuid, &m->io, &m->io, NULL, NULL, root), PM_OK);
	ck_assert(pm_is_zero(m->bytes + 2 * 4096 + 512, 4096 - 512));
	memory_free(m);
}
END_TEST

/* --- verifying ------------------------------------------------------------------------------- */

/* Each bit of data and tree counts, and the place is named: here one bit of each 61st byte. */
START_TEST(flipped_bits_are_named)
{
	struct pm_verity_params p = make_params(300, 512, 512);
	struct disk d;

	p.salt_size = 32;
	disk_make(&d, &p);
	ck_assert_uint_eq(d.layout.levels, 3);
	for (uint64_t i = 0; i < d.layout.end; i += 61) {
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
		bool in_data = i < d.layout.data_size;
		uint64_t start = in_data ? 0 : d.layout.tree_offset, block = (i - start) / 512;
		char text[96];

		if (!in_data && i < d.layout.tree_offset)
			continue; /* the superblock has its own tests */
		d.m->bytes[i] ^= 0x10;
		ck_pm(disk_verify(&d, 1 + (uint32_t)(i % 3), report), PM_E_REJECTED);
		snprintf(text, sizeof(text), "%s: found block %llu at offset %llu with ",
			in_data ? "data" : "tree", (unsigned long long)block,
			(unsigned long long)(start + block * 512));
		ck_assert_msg(!strncmp(pm_report_reason(report), text, strlen(text)), "%s, not %s",
			pm_report_reason(report), text);
		d.m->bytes[i] ^= 0x10;
	}
	ck_pm(disk_verify(&d, 2, NULL), PM_OK);
	memory_free(d.m);
}
END_TEST

START_TEST(first_bad_block_is_named)
{
	struct pm_verity_params p = make_params(9000, 512, 4096);
	struct disk d;

	disk_make(&d, &p);
	d.m->bytes[8999 * 512] ^= 1;
	d.m->bytes[5000 * 512] ^= 1;
	d.m->bytes[4999 * 512 + 511] ^= 0x80;
	for (uint32_t threads = 1; threads <= 8; threads++) {
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();

		ck_pm(disk_verify(&d, threads, report), PM_E_REJECTED);
		ck_assert_ptr_nonnull(strstr(
			pm_report_reason(report), "data: found block 4999 at offset 2559488 with"));
	}
	memory_free(d.m);
}
END_TEST

START_TEST(wrong_root_is_refused)
{
	struct pm_verity_params p = make_params((uint64_t)_i, 4096, 4096);
	struct disk d;

	disk_make(&d, &p);
	ck_pm(disk_verify(&d, 1, NULL), PM_OK);
	d.root[31] ^= 1;
	ck_pm(disk_verify(&d, 1, NULL), PM_E_REJECTED);
	memory_free(d.m);
}
END_TEST

/*
 * A disk whose data is the top block of another's tree has the same root: the number of blocks
 * that is demanded tells them apart.
 */
START_TEST(tree_shown_as_data_is_refused)
{
	struct pm_verity_params p = make_params(100, 4096, 4096),
				small = make_params(1, 4096, 4096);
	struct memory *m = memory_new(2 * 4096);
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	struct disk d;

	disk_make(&d, &p);
	small.hash_offset = 4096;
	memcpy(m->bytes, d.m->bytes + d.layout.tree_offset, 4096);
	ck_pm(pm_verity_format(&small, uuid, &m->io, &m->io, NULL, NULL, root), PM_OK);
	ck_assert_mem_eq(root, d.root, sizeof(root));
	ck_assert(pm_verity_verify(&d.params, root, &m->io, &m->io, NULL, NULL) < 0);
	memory_free(m);
	m = memory_new(d.m->size);
	memcpy(m->bytes, d.m->bytes, m->size);
	ck_pm(pm_verity_superblock_make(&small, uuid, NULL, m->bytes + d.params.hash_offset),
		PM_OK);
	ck_pm(pm_verity_verify(&d.params, root, &m->io, &m->io, NULL, NULL), PM_E_REJECTED);
	memory_free(m);
	memory_free(d.m);
}
END_TEST

/* The device answers with other bytes each time it is asked for the tree: still refused. */
static int changing_read(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	struct memory *m = arg;
	static unsigned int calls;

	ck_pm(memory_read(m, offset, ret_bytes, bytes), PM_OK);
	if (bytes == 4096 && offset >= 300 * 4096 && calls++ % 2)
		((uint8_t *)ret_bytes)[calls % 4096] ^= 1;
	return PM_OK;
}

START_TEST(changing_device_is_refused)
{
	struct pm_verity_params p = make_params(300, 4096, 4096);
	struct disk d;

	disk_make(&d, &p);
	d.m->io.read = changing_read;
	ck_pm(disk_verify(&d, 1, NULL), PM_E_REJECTED);
	memory_free(d.m);
}
END_TEST

START_TEST(short_disks_are_refused)
{
	struct pm_verity_params p = make_params(100, 4096, 4096);
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	struct disk d;

	disk_make(&d, &p);
	d.m->io.size = d.layout.end - 1;
	ck_pm(disk_verify(&d, 1, report), PM_E_FORMAT);
	ck_assert_str_eq(pm_report_failure(report)->name, "hash.size");
	ck_pm(pm_verity_root(&d.params, &d.m->io, &d.m->io, NULL, root), PM_E_FORMAT);
	pm_report_reset(report);
	d.m->io.size = d.layout.data_size - 1;
	ck_pm(disk_verify(&d, 1, report), PM_E_FORMAT);
	ck_assert_str_eq(pm_report_failure(report)->name, "data.size");
	ck_pm(pm_verity_format(&d.params, uuid, &d.m->io, &d.m->io, NULL, NULL, root), PM_E_FORMAT);
	memory_free(d.m);
}
END_TEST

START_TEST(overlap_is_refused)
{
	struct pm_verity_params p = make_params(100, 4096, 4096);
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	struct disk d;

	disk_make(&d, &p);
	d.params.hash_offset = 99 * 4096;
	ck_pm(pm_verity_format(&d.params, uuid, &d.m->io, &d.m->io, NULL, NULL, root), PM_E_FORMAT);
	memory_free(d.m);
}
END_TEST

START_TEST(contracts)
{
	struct pm_verity_params p = make_params(2, 4096, 4096);
	struct pm_verity_options options = {.size = sizeof(options), .threads = 65};
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	struct disk d;

	disk_make(&d, &p);
	ck_pm(pm_verity_verify(&d.params, d.root, &d.m->io, &d.m->io, &options, NULL), PM_E_ARG);
	options = (struct pm_verity_options){.size = 1};
	ck_pm(pm_verity_verify(&d.params, d.root, &d.m->io, &d.m->io, &options, NULL), PM_E_ARG);
	d.m->io.write = NULL;
	ck_pm(pm_verity_format(&d.params, uuid, &d.m->io, &d.m->io, NULL, NULL, root), PM_E_ARG);
	ck_pm(disk_verify(&d, 1, NULL), PM_OK);
	d.m->io.read = NULL;
	ck_pm(disk_verify(&d, 1, NULL), PM_E_ARG);
	memory_free(d.m);
}
END_TEST

/* --- faults ---------------------------------------------------------------------------------- */

static void expect_fault(const struct disk *d, int (*call)(const struct disk *, struct pm_report *),
	const char *name)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();

	ck_pm(call(d, report), PM_E_SYS);
	ck_assert_str_eq(pm_report_failure(report)->name, name);
}

static int format_again(const struct disk *d, struct pm_report *report)
{
	struct pm_verity_options options = {.size = sizeof(options), .threads = 2};
	uint8_t root[PM_VERITY_DIGEST_SIZE];

	return pm_verity_format(&d->params, uuid, &d->m->io, &d->m->io, &options, report, root);
}

static int verify_again(const struct disk *d, struct pm_report *report)
{
	return disk_verify(d, 2, report);
}

/* A write that fails, wherever, leaves no superblock behind. */
START_TEST(write_faults)
{
	struct pm_verity_params p = make_params(2000, 512, 512), back;
	struct disk d;

	disk_make(&d, &p);
	for (uint64_t at = d.params.hash_offset; at < d.layout.end; at += 4096 + 512) {
		d.m->bad_write = at;
		expect_fault(&d, format_again, "hash.write");
		if (at == d.params.hash_offset)
			continue; /* nothing could be done at all */
		ck_pm(pm_verity_superblock_parse(
			      d.m->bytes + d.params.hash_offset, 512, NULL, &back, NULL),
			PM_E_FORMAT);
	}
	memory_free(d.m);
}
END_TEST

START_TEST(read_faults)
{
	struct pm_verity_params p = make_params(2000, 512, 512);
	struct disk d;

	disk_make(&d, &p);
	d.m->bad_read = 1999 * 512;
	expect_fault(&d, format_again, "data.read");
	d.m->bad_read = d.layout.tree_offset;
	expect_fault(&d, format_again, "hash.read");
	d.m->bad_read = UINT64_MAX;
	ck_pm(format_again(&d, NULL), PM_OK);
	d.m->bad_read = 1000 * 512;
	expect_fault(&d, verify_again, "data.read");
	d.m->bad_read = d.layout.end - 1;
	expect_fault(&d, verify_again, "hash.read");
	d.m->bad_read = d.params.hash_offset;
	expect_fault(&d, verify_again, "hash.read");
	memory_free(d.m);
}
END_TEST

/* --- against veritysetup --------------------------------------------------------------------- */

static const struct row {
	uint64_t size;
	uint32_t data_block, hash_block, salt_size;
} rows[] = {
	{4096, 4096, 4096, 1},
	{8192, 4096, 4096, 0},
	{(1 << 20) - 1, 4096, 4096, 32},
	{1 << 20, 4096, 4096, 256},
	{(1 << 20) + 1, 4096, 4096, 32},
	{128 * 4096, 4096, 4096, 1},
	{129 * 4096, 4096, 4096, 1},
	{128 * 128 * 4096 + 4096, 4096, 4096, 32}, /* three levels */
	{512, 512, 512, 7},
	{257 * 512, 512, 512, 64},
	{4097 * 512, 512, 512, 0},
	{65536, 512, 4096, 31},
	{65536, 4096, 512, 255},
	{100 * 1024, 1024, 2048, 12},
	{100 * 2048, 2048, 1024, 12},
};

static char folder[] = "/tmp/test_verity.XXXXXX";
static bool have_veritysetup;

static void write_file(const char *name, struct pm_view bytes)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
	ck_assert_int_eq(fclose(f), 0);
}

/* What veritysetup makes of the file "data": the hash file, and the root hash that it says. */
static struct pm_view ask_veritysetup(const struct row *row, const uint8_t *salt, char *ret_root)
{
	char command[2048], salt_text[2 * PM_VERITY_SALT_MAX + 1], path[64];
	FILE *f;

	pm_hex_encode(salt, row->salt_size, salt_text);
	snprintf(command, sizeof(command),
		"cd %s && rm -f hash && veritysetup format --uuid=%s --salt=%s "
		"--data-block-size=%u --hash-block-size=%u data hash | sed -n 's/^Root "
		"hash:\\s*//p'",
		folder, UUID_TEXT, row->salt_size ? salt_text : "-", row->data_block,
		row->hash_block);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%64s", ret_root), 1);
	ck_assert_int_eq(pclose(f), 0);
	snprintf(path, sizeof(path), "%s/hash", folder);
	return test_read(path);
}

START_TEST(as_veritysetup)
{
	const struct row *row = &rows[_i];
	struct pm_verity_params p =
		make_params(row->size / row->data_block, row->data_block, row->hash_block);
	struct memory *data = memory_new(row->size), *hash;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	char root_text[65], wanted_text[65];
	struct pm_view wanted;

	if (!have_veritysetup)
		return;
	p.salt_size = row->salt_size;
	fill(p.salt, p.salt_size);
	fill(data->bytes, data->size);
	write_file("data", pm_view(data->bytes, data->size));
	wanted = ask_veritysetup(row, p.salt, wanted_text);
	hash = memory_new(wanted.len);
	ck_pm(pm_verity_format(&p, uuid, &data->io, &hash->io, NULL, NULL, root), PM_OK);
	pm_hex_encode(root, sizeof(root), root_text);
	ck_assert_str_eq(root_text, wanted_text);
	ck_assert(pm_view_equal(wanted, pm_view(hash->bytes, hash->size)));
	/* And its disk by us. */
	memcpy(hash->bytes, wanted.ptr, wanted.len);
	ck_pm(pm_verity_verify(&p, root, &data->io, &hash->io, NULL, NULL), PM_OK);
	test_free(wanted);
	memory_free(data);
	memory_free(hash);
}
END_TEST

/* --- the suite ------------------------------------------------------------------------------- */

static void add_superblock_tests(Suite *suite)
{
	TCase *c = tcase_create("superblock");

	tcase_add_test(c, superblock_reads_what_it_writes);
	tcase_add_test(c, superblock_has_no_idle_byte);
	tcase_add_loop_test(c, superblock_refuses, 0, PM_ARRAY_LEN(bad_superblocks));
	tcase_add_test(c, superblock_of_another_size);
	tcase_add_loop_test(c, layout_refuses, 0, PM_ARRAY_LEN(bad_params));
	tcase_add_test(c, layout_of_the_largest);
	suite_add_tcase(suite, c);
}

static void add_tree_tests(Suite *suite)
{
	TCase *c = tcase_create("tree");
	int backends = 0;

	while (pm_lanes_backends[backends])
		backends++;
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, backends_agree, 0, backends);
	tcase_add_test(c, work_does_each_task_once);
	tcase_add_test(c, work_reports_the_first_failure);
	tcase_add_test(c, work_reports_the_lowest_failure);
	tcase_add_test(c, tree_by_hand);
	tcase_add_loop_test(c, threads_make_no_difference, 1, 9);
	tcase_add_loop_test(c, holes_are_skipped, 0, 2);
	tcase_add_test(c, gap_is_cleared);
	tcase_add_loop_test(c, as_veritysetup, 0, PM_ARRAY_LEN(rows));
	suite_add_tcase(suite, c);
}

static void add_verify_tests(Suite *suite)
{
	TCase *c = tcase_create("verify");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, flipped_bits_are_named);
	tcase_add_test(c, first_bad_block_is_named);
	tcase_add_loop_test(c, wrong_root_is_refused, 1, 4);
	tcase_add_test(c, tree_shown_as_data_is_refused);
	tcase_add_test(c, changing_device_is_refused);
	tcase_add_test(c, short_disks_are_refused);
	tcase_add_test(c, overlap_is_refused);
	tcase_add_test(c, contracts);
	tcase_add_test(c, write_faults);
	tcase_add_test(c, read_faults);
	suite_add_tcase(suite, c);
}

int main(void)
{
	Suite *suite = suite_create("verity");
	char command[64];
	int r;

	if (pm_crypto_init() < 0 || !mkdtemp(folder))
		return 1;
	have_veritysetup = system("veritysetup --version >/dev/null 2>&1") == 0;
	if (!have_veritysetup)
		puts("skipped: the comparisons with veritysetup, which is not installed");
	add_superblock_tests(suite);
	add_tree_tests(suite);
	add_verify_tests(suite);
	r = test_main(suite);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : r;
}
