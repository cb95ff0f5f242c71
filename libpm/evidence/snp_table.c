/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate table of an extended report: entries of GUID, offset and length, 24 bytes
 * each, up to one of zeros; offsets count from the start of the table (AMD 56421, GHCB; Linux
 * configfs-tsm).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "evidence/snp_evidence.h"

#define NAME "certificate table"

enum kind { KIND_CERT, KIND_CRL, KIND_OTHER };

/* GUIDs as the table stores them: in the order of their text. */
static const struct {
	uint8_t guid[PM_SNP_GUID_SIZE];
	enum kind kind;
} known[] = {
	/* VCEK 63da758d-e664-4564-adc5-f4b93be8accd */
	{{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
		 0xcd},
		KIND_CERT},
	/* VLEK a8074bc2-a25a-483e-aae6-39c045a0b8a1 */
	{{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
		 0xa1},
		KIND_CERT},
	/* ASK or ASVK 4ab7b379-bbac-4fe4-a02f-05aef327c782 */
	{{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
		 0x82},
		KIND_CERT},
	/* ARK c0b406a4-a803-4952-9743-3fb6014cd0ae */
	{{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
		 0xae},
		KIND_CERT},
	/* CRL 92f81bc3-5811-4d3d-97ff-d19f88dc67ea */
	{{0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
		 0xea},
		KIND_CRL},
};

static enum kind kind_of(const uint8_t *guid)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(known); i++) {
		if (pm_ct_equal(known[i].guid, guid, PM_SNP_GUID_SIZE))
			return known[i].kind;
	}
	return KIND_OTHER;
}

/* The bytes of an entry; an empty view when they don't lie in the table. */
static struct pm_view slice(struct pm_view table, uint32_t offset, uint32_t length)
{
	struct pm_rd rd = pm_rd(table);

	pm_rd_skip(&rd, offset);
	return pm_rd_bytes(&rd, length);
}

static bool has_entry(const struct pm_snp_entry *entries, size_t count, const uint8_t *guid)
{
	for (size_t i = 0; i < count; i++) {
		if (pm_ct_equal(entries[i].guid, guid, PM_SNP_GUID_SIZE))
			return true;
	}
	return false;
}

/* One entry; *ret_end is set for the one of zeros that ends the list. */
static int read_entry(struct pm_rd *rd, struct pm_view table, struct pm_report *report,
	struct pm_snp_entry *ret, bool *ret_end)
{
	uint32_t offset, length;

	pm_rd_copy(rd, ret->guid, sizeof(ret->guid));
	offset = pm_rd_le32(rd);
	length = pm_rd_le32(rd);
	if (!pm_rd_ok(rd))
		return pm_fail(
			report, PM_E_FORMAT, NAME, "ended by an entry of zeros", "not ended");
	*ret_end = pm_is_zero(ret->guid, sizeof(ret->guid)) && !offset && !length;
	if (*ret_end)
		return PM_OK;
	ret->bytes = slice(table, offset, length);
	if (ret->bytes.len != length)
		return pm_fail(report, PM_E_FORMAT, NAME, "entries inside of the table",
			"offset %" PRIu32 ", length %" PRIu32, offset, length);
	return PM_OK;
}

/* Entries lie behind the list itself: header bytes. */
static int check_offsets(struct pm_view table, size_t header, const struct pm_snp_entry *entries,
	size_t count, struct pm_report *report)
{
	for (size_t i = 0; i < count; i++) {
		size_t offset = (size_t)(entries[i].bytes.ptr - table.ptr);

		if (offset < header)
			return pm_fail(report, PM_E_FORMAT, NAME, "entries behind the list",
				"offset %zu, list of %zu bytes", offset, header);
	}
	return PM_OK;
}

static int read_entries(
	struct pm_view table, struct pm_report *report, struct pm_snp_entry *ret, size_t *ret_count)
{
	struct pm_rd rd = pm_rd(table);
	struct pm_snp_entry entry;
	size_t count = 0;

	for (;;) {
		bool end = false;
		int r = read_entry(&rd, table, report, &entry, &end);

		if (r < 0)
			return r;
		if (end)
			break;
		if (!entry.bytes.len) /* a host's place for what it was not given */
			continue;
		if (count == PM_SNP_TABLE_ENTRIES_MAX)
			return pm_fail(report, PM_E_LIMIT, NAME, "at most 32 entries", "more");
		if (has_entry(ret, count, entry.guid))
			return pm_fail(report, PM_E_FORMAT, NAME, "each GUID once", "%s twice",
				pm_hex(entry.guid, sizeof(entry.guid)).s);
		ret[count++] = entry;
	}
	*ret_count = count;
	return check_offsets(table, table.len - rd.left, ret, count, report);
}

static int add_known(
	struct pm_snp_evidence *ev, const struct pm_snp_entry *entry, struct pm_report *report)
{
	switch (kind_of(entry->guid)) {
	case KIND_CERT:
		return pm_snp_evidence_add_certs(ev, entry->bytes.ptr, entry->bytes.len, report);
	case KIND_CRL:
		return pm_snp_evidence_add_table_crl(ev, entry->bytes, report);
	case KIND_OTHER:
		break;
	}
	return PM_OK;
}

static int copy_table(struct pm_snp_evidence *ev, struct pm_view bytes)
{
	uint8_t *copy = pm_dup(bytes);

	if (!copy)
		return PM_E_NOMEM;
	free((void *)ev->table.ptr); /* of an attempt that failed */
	ev->table = pm_view(copy, bytes.len);
	return PM_OK;
}

int pm_snp_evidence_add_table(
	struct pm_snp_evidence *evidence, const void *bytes, size_t size, struct pm_report *report)
{
	struct pm_snp_entry entries[PM_SNP_TABLE_ENTRIES_MAX];
	size_t count = 0;
	int r;

	if (evidence->has_table)
		return PM_E_STATE;
	if (size > PM_SNP_TABLE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 65536 bytes", "%zu bytes", size);
	if (!size) /* a host that was given no certificates */
		return PM_OK;
	r = copy_table(evidence, pm_view(bytes, size));
	if (r < 0)
		return r;
	r = read_entries(evidence->table, report, entries, &count);
	for (size_t i = 0; r == PM_OK && i < count; i++)
		r = add_known(evidence, &entries[i], report);
	if (r < 0)
		return r;
	pm_copy(evidence->entries, entries, count * sizeof(*entries));
	evidence->entry_count = count;
	evidence->has_table = true;
	return PM_OK;
}
