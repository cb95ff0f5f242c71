/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The superblock: 512 bytes, little endian, as veritysetup writes them. Offsets: 0 signature, 8
 * version, 12 hash type, 16 UUID, 32 hash algorithm, 64 data block size, 68 hash block size, 72
 * data blocks, 80 salt size, 82 reserved, 88 salt, 344 reserved (cryptsetup, lib/verity/verity.c).
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/wr.h"
#include "verity/layout.h"

#define SIGNATURE	"verity\0\0"
#define SIGNATURE_SIZE	8
#define ALGORITHM	"sha256"
#define ALGORITHM_SIZE	32
#define VERSION		1
#define HASH_TYPE	1 /* the salt stands before what is hashed */
#define RESERVED	6
#define RESERVED_AT_END 168

struct superblock {
	struct pm_view signature;
	uint32_t version;
	uint32_t hash_type;
	uint8_t algorithm[ALGORITHM_SIZE];
	uint8_t uuid[PM_VERITY_UUID_SIZE];
	struct pm_verity_params params;
};

/* False when something reserved is set. */
static bool read_fields(struct pm_rd *rd, struct superblock *sb)
{
	struct pm_verity_params *p = &sb->params;

	sb->signature = pm_rd_bytes(rd, SIGNATURE_SIZE);
	sb->version = pm_rd_le32(rd);
	sb->hash_type = pm_rd_le32(rd);
	pm_rd_copy(rd, sb->uuid, sizeof(sb->uuid));
	pm_rd_copy(rd, sb->algorithm, sizeof(sb->algorithm));
	p->data_block_size = pm_rd_le32(rd);
	p->hash_block_size = pm_rd_le32(rd);
	p->data_blocks = pm_rd_le64(rd);
	p->salt_size = pm_rd_le16(rd);
	pm_rd_zero(rd, RESERVED);
	pm_rd_copy(rd, p->salt, sizeof(p->salt));
	pm_rd_zero(rd, RESERVED_AT_END);
	return pm_rd_done(rd);
}

static int check_kind(const struct superblock *sb, struct pm_report *report)
{
	static const uint8_t algorithm[ALGORITHM_SIZE] = ALGORITHM;

	if (sb->version != VERSION)
		return pm_fail(report, PM_E_UNSUPPORTED, "superblock.version", "1", "%" PRIu32,
			sb->version);
	if (sb->hash_type != HASH_TYPE)
		return pm_fail(report, PM_E_UNSUPPORTED, "superblock.hash_type", "1", "%" PRIu32,
			sb->hash_type);
	if (!pm_ct_equal(sb->algorithm, algorithm, sizeof(algorithm)))
		return pm_fail(report, PM_E_UNSUPPORTED, "superblock.algorithm", ALGORITHM, "%.*s",
			ALGORITHM_SIZE, (const char *)sb->algorithm);
	return PM_OK;
}

/* What stands behind the salt would be a place to hide in. */
static int check_salt_tail(const struct pm_verity_params *p, struct pm_report *report)
{
	if (pm_is_zero(p->salt + p->salt_size, sizeof(p->salt) - p->salt_size))
		return PM_OK;
	return pm_fail(report, PM_E_FORMAT, "superblock.salt", "zeros behind the salt",
		"other bytes behind its %" PRIu32, p->salt_size);
}

int pm_verity_superblock_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid)
{
	struct pm_rd rd = pm_rd(pm_view(bytes, size));
	struct superblock sb = {.params.size = sizeof(sb.params)};
	struct pm_verity_layout layout;
	bool read = read_fields(&rd, &sb);
	int r;

	if (!pm_view_equal(sb.signature, pm_view(SIGNATURE, SIGNATURE_SIZE)))
		return pm_fail(report, PM_E_FORMAT, "superblock.signature", "verity", "%s",
			pm_hex(sb.signature.ptr, sb.signature.len).s);
	if (size != PM_VERITY_SUPERBLOCK_SIZE)
		return pm_fail(report, PM_E_FORMAT, "superblock", "512 bytes", "%zu", size);
	r = check_kind(&sb, report);
	if (r < 0)
		return r;
	if (!read)
		return pm_fail(report, PM_E_FORMAT, "superblock.reserved", "zeros", "other bytes");
	r = pm_verity_layout_of(&sb.params, report, &layout);
	if (r == PM_OK)
		r = check_salt_tail(&sb.params, report);
	if (r < 0)
		return r;
	*ret_params = sb.params;
	if (ret_uuid)
		pm_copy(ret_uuid, sb.uuid, sizeof(sb.uuid));
	return PM_OK;
}

int pm_verity_superblock_make(const struct pm_verity_params *params, const uint8_t *uuid,
	struct pm_report *report, uint8_t *ret_bytes)
{
	struct pm_wr wr = pm_wr(ret_bytes, PM_VERITY_SUPERBLOCK_SIZE);
	struct pm_verity_layout layout;
	int r = pm_verity_layout_of(params, report, &layout);

	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(SIGNATURE, SIGNATURE_SIZE));
	pm_wr_le32(&wr, VERSION);
	pm_wr_le32(&wr, HASH_TYPE);
	pm_wr_bytes(&wr, pm_view(uuid, PM_VERITY_UUID_SIZE));
	pm_wr_bytes(&wr, pm_view(ALGORITHM, sizeof(ALGORITHM) - 1));
	pm_wr_zero(&wr, ALGORITHM_SIZE - (sizeof(ALGORITHM) - 1));
	pm_wr_le32(&wr, params->data_block_size);
	pm_wr_le32(&wr, params->hash_block_size);
	pm_wr_le64(&wr, params->data_blocks);
	pm_wr_le16(&wr, (uint16_t)params->salt_size);
	pm_wr_zero(&wr, RESERVED);
	pm_wr_bytes(&wr, pm_view(params->salt, params->salt_size));
	pm_wr_zero(&wr, PM_VERITY_SALT_MAX - params->salt_size + RESERVED_AT_END);
	return pm_wr_done(&wr, NULL) ? PM_OK : PM_E_STATE;
}

static int check_number(struct pm_report *report, const char *name, uint64_t wanted, uint64_t found)
{
	char text[24];

	if (wanted == found) {
		pm_pass(report, name, "%" PRIu64, found);
		return PM_OK;
	}
	snprintf(text, sizeof(text), "%" PRIu64, wanted);
	return pm_fail(report, PM_E_REJECTED, name, text, "%" PRIu64, found);
}

static struct pm_hex_text salt_text(const struct pm_verity_params *p)
{
	return pm_hex(p->salt, p->salt_size < PM_HEX_BYTES ? p->salt_size : PM_HEX_BYTES);
}

static int check_salt(const struct pm_verity_params *wanted, const struct pm_verity_params *found,
	struct pm_report *report)
{
	if (!pm_view_equal(pm_view(wanted->salt, wanted->salt_size),
		    pm_view(found->salt, found->salt_size)))
		return pm_fail(report, PM_E_REJECTED, "superblock.salt", salt_text(wanted).s, "%s",
			salt_text(found).s);
	pm_pass(report, "superblock.salt", "%s", found->salt_size ? salt_text(found).s : "none");
	return PM_OK;
}

/* All fields are looked at, so that the report is whole; the first that differs decides. */
int pm_verity_superblock_check(const struct pm_verity_params *params, const void *bytes,
	size_t size, struct pm_report *report)
{
	struct pm_verity_layout layout;
	struct pm_verity_params found;
	int r = pm_verity_layout_of(params, report, &layout), results[4];

	if (r == PM_OK)
		r = pm_verity_superblock_parse(bytes, size, report, &found, NULL);
	if (r < 0)
		return r;
	results[0] = check_number(
		report, "superblock.data_blocks", params->data_blocks, found.data_blocks);
	results[1] = check_number(report, "superblock.data_block_size", params->data_block_size,
		found.data_block_size);
	results[2] = check_number(report, "superblock.hash_block_size", params->hash_block_size,
		found.hash_block_size);
	results[3] = check_salt(params, &found, report);
	for (size_t i = 0; i < PM_ARRAY_LEN(results); i++) {
		if (results[i] < 0)
			return results[i];
	}
	return PM_OK;
}
