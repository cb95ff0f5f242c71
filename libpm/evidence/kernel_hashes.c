/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/kernel_hashes.h"

#include "base/wr.h"
#include "evidence/gctx.h"

#define HEADER_SIZE (16 + 2)
#define ENTRY_SIZE  (HEADER_SIZE + PM_MEASURE_FILE_DIGEST_SIZE)
#define TABLE_SIZE  (HEADER_SIZE + 3 * ENTRY_SIZE)

/* 9438d606-4f22-4cc9-b479-a793d411fd21 */
static const uint8_t guid_table[16] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79,
	0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
/* 97d02dd8-bd20-4c94-aa78-e7714d36ab2a */
static const uint8_t guid_cmdline[16] = {0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78,
	0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a};
/* 44baf731-3a2f-4bd7-9af1-41e29169781d */
static const uint8_t guid_initrd[16] = {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1,
	0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d};
/* 4de79437-abd2-427f-b835-d5b172d2045b */
static const uint8_t guid_kernel[16] = {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35,
	0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b};

static void write_header(struct pm_wr *wr, const uint8_t *guid, uint16_t size)
{
	pm_wr_bytes(wr, pm_view(guid, 16));
	pm_wr_le16(wr, size);
}

static void write_entry(struct pm_wr *wr, const uint8_t *guid, const uint8_t *digest)
{
	write_header(wr, guid, ENTRY_SIZE);
	pm_wr_bytes(wr, pm_view(digest, PM_MEASURE_FILE_DIGEST_SIZE));
}

bool pm_kernel_hashes_page(const struct pm_kernel_hashes *hashes, size_t offset, uint8_t *ret_page)
{
	struct pm_wr wr = pm_wr(ret_page, PM_PAGE_SIZE);

	pm_wr_zero(&wr, offset);
	write_header(&wr, guid_table, TABLE_SIZE);
	write_entry(&wr, guid_cmdline, hashes->cmdline);
	write_entry(&wr, guid_initrd, hashes->initrd);
	write_entry(&wr, guid_kernel, hashes->kernel);
	pm_wr_zero(&wr, PM_KERNEL_TABLE_SIZE - TABLE_SIZE);
	pm_wr_zero(&wr, PM_PAGE_SIZE - wr.len);
	return pm_wr_done(&wr, NULL);
}
