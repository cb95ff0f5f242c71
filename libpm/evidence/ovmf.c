/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ovmf.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "evidence/gctx.h"

#define GUID_SIZE 16

/* The table's last entry, its footer, ends so far before the end of the image. */
#define FOOTER_GAP 32

/* What an entry ends with: its size with this, and its GUID. The table is read backwards. */
#define ENTRY_TAIL (2 + GUID_SIZE)

#define METADATA_HEADER	 16
#define METADATA_SECTION 12
#define METADATA_VERSION 1

/* 96b582de-1fb2-45f7-baea-a366c55a082d */
static const uint8_t guid_footer[GUID_SIZE] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba,
	0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
/* 00f771de-1a7e-4fcb-890e-68c77e2fb44e, SEV_ES_RESET_BLOCK */
static const uint8_t guid_reset[GUID_SIZE] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89,
	0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
/* 7255371f-3a3b-4b04-927b-1da6efa8d454, SEV_HASH_TABLE_RV */
static const uint8_t guid_hashes[GUID_SIZE] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b, 0x92,
	0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
/* dc886566-984a-4798-a75e-5585a7bf67cc, OVMF_SEV_METADATA */
static const uint8_t guid_metadata[GUID_SIZE] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
	0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
/* a789a612-0597-4c4b-a49f-cbb1fe9d1ddd, SVSM_INFO */
static const uint8_t guid_svsm[GUID_SIZE] = {0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c, 0xa4,
	0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd};

/* What is gathered on the way. */
struct parse {
	struct pm_view image;
	struct pm_report *report;
	struct pm_ovmf ovmf;
	bool has_metadata;
	uint32_t metadata_offset; /* back from the end of the image */
};

/* One entry of the table. */
struct entry {
	struct pm_view data;
	struct pm_view guid;
};

/* The last n bytes of a view are split off. False, and nothing is changed, when it has fewer. */
static bool split_tail(struct pm_view *from, size_t n, struct pm_view *ret)
{
	struct pm_rd rd = pm_rd(*from);
	struct pm_view head;

	if (n > from->len)
		return false;
	head = pm_rd_bytes(&rd, from->len - n);
	*ret = pm_rd_rest(&rd);
	*from = head;
	return true;
}

/* --- the table of GUIDs ---------------------------------------------------------------------- */

/* Takes the last entry off the table: its data, its size and its GUID lie in this order. */
static bool take_entry(struct pm_view *table, struct entry *ret)
{
	struct pm_view tail, data;
	struct pm_rd rd;
	uint16_t size;

	if (!split_tail(table, ENTRY_TAIL, &tail))
		return false;
	rd = pm_rd(tail);
	size = pm_rd_le16(&rd);
	ret->guid = pm_rd_bytes(&rd, GUID_SIZE);
	if (!pm_rd_done(&rd) || size < ENTRY_TAIL)
		return false;
	if (!split_tail(table, (size_t)size - ENTRY_TAIL, &data))
		return false;
	ret->data = data;
	return true;
}

static bool is_guid(const struct entry *entry, const uint8_t *guid)
{
	return pm_view_equal(entry->guid, pm_view(guid, GUID_SIZE));
}

/* An entry that holds one number, or two when second is given, and that occurs once. */
static int read_numbers(struct parse *p, const struct entry *entry, const char *name, bool *seen,
	uint32_t *first, uint32_t *second)
{
	struct pm_rd rd = pm_rd(entry->data);

	if (*seen)
		return pm_fail(p->report, PM_E_FORMAT, name, "one entry", "a second one");
	*first = pm_rd_le32(&rd);
	if (second)
		*second = pm_rd_le32(&rd);
	if (!pm_rd_done(&rd))
		return pm_fail(p->report, PM_E_FORMAT, name, second ? "8 bytes" : "4 bytes",
			"%zu bytes", entry->data.len);
	*seen = true;
	return PM_OK;
}

static int read_entry(struct parse *p, const struct entry *entry)
{
	struct pm_ovmf *o = &p->ovmf;

	if (is_guid(entry, guid_reset))
		return read_numbers(p, entry, "firmware.table, SEV_ES_RESET_BLOCK", &o->has_reset,
			&o->reset_eip, NULL);
	if (is_guid(entry, guid_hashes))
		return read_numbers(p, entry, "firmware.table, SEV_HASH_TABLE", &o->has_hashes,
			&o->hashes_gpa, &o->hashes_size);
	if (is_guid(entry, guid_metadata))
		return read_numbers(p, entry, "firmware.table, SEV_METADATA", &p->has_metadata,
			&p->metadata_offset, NULL);
	if (is_guid(entry, guid_svsm))
		return read_numbers(
			p, entry, "firmware.table, SVSM_INFO", &o->has_svsm, &o->svsm_entry, NULL);
	return PM_OK; /* other entries don't change how the guest is launched */
}

static int read_entries(struct parse *p, struct pm_view table)
{
	struct entry entry;
	int r;

	for (unsigned int i = 0; table.len; i++) {
		if (i == PM_OVMF_ENTRIES_MAX)
			return pm_fail(p->report, PM_E_LIMIT, "firmware.table",
				"at most 64 entries", "more");
		if (!take_entry(&table, &entry))
			return pm_fail(p->report, PM_E_FORMAT, "firmware.table, entry",
				"a size within the table", "none, %zu bytes before the rest",
				table.len);
		r = read_entry(p, &entry);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* The footer's size counts the whole table with the footer, unlike that of other entries. */
static int read_table(struct parse *p)
{
	struct pm_view rest = p->image, gap, footer, table;
	struct pm_rd rd;
	uint16_t size;

	if (!split_tail(&rest, FOOTER_GAP, &gap) || !split_tail(&rest, ENTRY_TAIL, &footer))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.footer", "a footer table", "none");
	rd = pm_rd(footer);
	size = pm_rd_le16(&rd);
	if (!pm_view_equal(pm_rd_rest(&rd), pm_view(guid_footer, GUID_SIZE)))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.footer",
			"96b582de-1fb2-45f7-baea-a366c55a082d", "another GUID");
	if (size < ENTRY_TAIL || !split_tail(&rest, (size_t)size - ENTRY_TAIL, &table))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.footer, size",
			"a table within the image", "%u", size);
	return read_entries(p, table);
}

/* --- the sections ---------------------------------------------------------------------------- */

/* The type alone decides what a section's size may be: QEMU hands over one page of those two. */
static int check_section(const struct parse *p, const struct pm_section *s)
{
	bool one_page = s->type == PM_SECTION_SECRETS || s->type == PM_SECTION_CPUID;

	switch (s->type) {
	case PM_SECTION_SEC_MEM:
	case PM_SECTION_SECRETS:
	case PM_SECTION_CPUID:
	case PM_SECTION_SVSM_CAA:
	case PM_SECTION_KERNEL_HASHES:
		break;
	default:
		return pm_fail(p->report, PM_E_UNSUPPORTED, "firmware.section, type",
			"1, 2, 3, 4 or 16", "%u", (unsigned int)s->type);
	}
	if (s->gpa % PM_PAGE_SIZE || s->size % PM_PAGE_SIZE || !s->size)
		return pm_fail(p->report, PM_E_FORMAT, "firmware.section", "whole pages",
			"0x%" PRIx32 " bytes at 0x%" PRIx32, s->size, s->gpa);
	if (s->size > UINT32_MAX - s->gpa)
		return pm_fail(p->report, PM_E_FORMAT, "firmware.section", "an end below 4 GiB",
			"0x%" PRIx32 " bytes at 0x%" PRIx32, s->size, s->gpa);
	if (one_page && s->size != PM_PAGE_SIZE)
		return pm_fail(p->report, PM_E_UNSUPPORTED, "firmware.section, size",
			"one page of secrets or CPUID", "0x%" PRIx32 " bytes", s->size);
	return PM_OK;
}

static int read_section(struct parse *p, struct pm_rd *rd, uint64_t *memory)
{
	struct pm_section s;
	int r;

	s.gpa = pm_rd_le32(rd);
	s.size = pm_rd_le32(rd);
	s.type = (enum pm_section_type)pm_rd_le32(rd);
	r = check_section(p, &s);
	if (r < 0)
		return r;
	*memory += s.size;
	if (*memory > PM_OVMF_MEMORY_MAX)
		return pm_fail(
			p->report, PM_E_LIMIT, "firmware.sections", "at most 256 MiB", "more");
	p->ovmf.sections[p->ovmf.count++] = s;
	return PM_OK;
}

static int read_sections(struct parse *p, struct pm_rd *rd, uint32_t count)
{
	uint64_t memory = 0;
	int r = PM_OK;

	for (uint32_t i = 0; r == PM_OK && i < count; i++)
		r = read_section(p, rd, &memory);
	if (r < 0)
		return r;
	return pm_rd_done(rd) ? PM_OK : PM_E_FORMAT;
}

/* Its own size must agree with the number of sections: nothing is left for guesses. */
static int read_header(const struct parse *p, struct pm_rd *rd, uint32_t *ret_count)
{
	struct pm_view magic = pm_rd_bytes(rd, 4);
	uint32_t size = pm_rd_le32(rd);
	uint32_t version = pm_rd_le32(rd);
	uint32_t count = pm_rd_le32(rd);

	if (!pm_rd_ok(rd) || !pm_view_equal(magic, pm_view("ASEV", 4)))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.metadata", "\"ASEV\"", "0x%s",
			pm_hex(magic.ptr, magic.len).s);
	if (version != METADATA_VERSION)
		return pm_fail(p->report, PM_E_UNSUPPORTED, "firmware.metadata, version", "1",
			"%" PRIu32, version);
	if (count > PM_OVMF_SECTIONS_MAX)
		return pm_fail(p->report, PM_E_LIMIT, "firmware.metadata, sections", "at most 64",
			"%" PRIu32, count);
	if (size != METADATA_HEADER + count * METADATA_SECTION)
		return pm_fail(p->report, PM_E_FORMAT, "firmware.metadata, size",
			"that of its sections", "%" PRIu32 " for %" PRIu32, size, count);
	*ret_count = count;
	return PM_OK;
}

static int read_metadata(struct parse *p)
{
	struct pm_view rest = p->image, found;
	struct pm_rd rd, sections;
	uint32_t count = 0;
	int r;

	if (!p->has_metadata)
		return pm_fail(p->report, PM_E_FORMAT, "firmware.metadata",
			"a list of sections for SEV-SNP", "none");
	if (!split_tail(&rest, p->metadata_offset, &found))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.metadata, offset",
			"within the image", "%" PRIu32, p->metadata_offset);
	rd = pm_rd(found);
	r = read_header(p, &rd, &count);
	if (r < 0)
		return r;
	sections = pm_rd_child(&rd, (size_t)count * METADATA_SECTION);
	if (!pm_rd_ok(&sections))
		return pm_fail(p->report, PM_E_FORMAT, "firmware.metadata", "sections in the image",
			"%" PRIu32 " that go past its end", count);
	return read_sections(p, &sections, count);
}

static int check_size(const struct parse *p)
{
	if (p->image.len > PM_MEASURE_FIRMWARE_MAX)
		return pm_fail(p->report, PM_E_LIMIT, "firmware.size", "at most 16 MiB",
			"%zu bytes", p->image.len);
	if (!p->image.len || p->image.len % PM_PAGE_SIZE)
		return pm_fail(p->report, PM_E_FORMAT, "firmware.size", "whole pages of 4096 bytes",
			"%zu bytes", p->image.len);
	return PM_OK;
}

int pm_ovmf_parse(struct pm_view image, struct pm_report *report, struct pm_ovmf *ret)
{
	struct parse p = {.image = image, .report = report, .ovmf = {.size = image.len}};
	int r = check_size(&p);

	if (r < 0)
		return r;
	r = read_table(&p);
	if (r < 0)
		return r;
	r = read_metadata(&p);
	if (r < 0)
		return r;
	*ret = p.ovmf;
	return PM_OK;
}
