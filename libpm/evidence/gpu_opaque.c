/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_opaque.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"

/* Types are below this; 255 is NVIDIA's "invalid". */
#define TYPES 37

/* Newest type of a switch, but for those that tell of the report itself. */
#define SWITCH_TYPES_MAX 27

/* Newest layout of the fields that is understood. */
#define VERSION_MAX 1

enum {
	DRIVER_VERSION = 3,
	GPU_INFO = 4,
	VBIOS_VERSION = 6,
	NVDEC0_STATUS = 11,
	CHIP_SKU = 15,
	PROJECT = 17,
	PROJECT_SKU = 18,
	FWID = 20,
	PROTECTED_PCIE_STATUS = 21,
	PDI = 22, /* SWITCH_PDI of a GPU, DEVICE_PDI of a switch */
	LOCK_SWITCH_STATUS = 25,
	SWITCH_GPU_PDIS = 26,
	OPAQUE_DATA_VERSION = 34,
	CHIP_INFO = 35,
	FEATURE_FLAG = 36,
};

/* One field. */
struct opaque {
	const char *name;
	struct pm_view value;
	bool is_switch;
	struct pm_report *report;
	struct pm_gpu_fields *f;
};

typedef int (*take_fn)(const struct opaque *o);

static int wrong(const struct opaque *o, const char *expected)
{
	size_t shown = o->value.len < PM_HEX_BYTES ? o->value.len : PM_HEX_BYTES;

	return pm_fail(o->report, PM_E_FORMAT, o->name, expected, "%s%s",
		pm_hex(o->value.ptr, shown).s, shown < o->value.len ? "..." : "");
}

/* Capital letters, digits, dots: what may become part of a name or URL. */
static bool take_char(uint8_t c, char *ret)
{
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	*ret = (char)c;
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
}

/* Text with zeros behind it, into room for PM_GPU_TEXT_SIZE; may be empty. */
static int take_text(const struct opaque *o, char *ret)
{
	char text[PM_GPU_TEXT_SIZE] = {0};
	struct pm_rd rd = pm_rd(o->value);
	size_t len = o->value.len;

	while (len && o->value.ptr[len - 1] == 0)
		len--;
	if (len >= sizeof(text))
		return wrong(o, "at most 32 characters");
	for (size_t i = 0; i < len; i++) {
		if (!take_char(pm_rd_u8(&rd), &text[i]))
			return wrong(o, "letters, digits and dots, then zeros");
	}
	pm_copy(ret, text, sizeof(text));
	return PM_OK;
}

static int take_driver(const struct opaque *o)
{
	int r = take_text(o, o->f->driver);

	return r == PM_OK && !o->f->driver[0] ? wrong(o, "a version") : r;
}

static int take_gpu_info(const struct opaque *o)
{
	struct pm_rd rd = pm_rd(o->value);

	o->f->gpu_info = pm_rd_le32(&rd);
	return PM_OK;
}

/* Of a GPU the number 0x0000000196009f00 stands for "96.00.9F.00.01"; a switch has text. */
static int take_vbios(const struct opaque *o)
{
	struct pm_rd rd = pm_rd(o->value);
	uint64_t n;
	int r;

	if (o->is_switch) {
		r = take_text(o, o->f->vbios);
		return r == PM_OK && !o->f->vbios[0] ? wrong(o, "a version") : r;
	}
	n = pm_rd_le64(&rd);
	if (n >> 40)
		return wrong(o, "three bytes zero behind the version");
	snprintf(o->f->vbios, sizeof(o->f->vbios), "%02X.%02X.%02X.%02X.%02X",
		(unsigned int)(n >> 24 & 0xff), (unsigned int)(n >> 16 & 0xff),
		(unsigned int)(n >> 8 & 0xff), (unsigned int)(n & 0xff),
		(unsigned int)(n >> 32 & 0xff));
	return PM_OK;
}

static int take_status(const struct opaque *o, uint8_t *ret)
{
	struct pm_rd rd = pm_rd(o->value);
	uint8_t status = pm_rd_u8(&rd);

	if (status != PM_GPU_ON && status != PM_GPU_OFF)
		return wrong(o, "aa (on) or 55 (off)");
	*ret = status;
	return PM_OK;
}

static int take_nvdec0(const struct opaque *o)
{
	return take_status(o, &o->f->nvdec0);
}

static int take_protected_pcie(const struct opaque *o)
{
	return take_status(o, &o->f->protected_pcie);
}

static int take_chip_sku(const struct opaque *o)
{
	return take_text(o, o->f->chip_sku);
}

static int take_project(const struct opaque *o)
{
	return take_text(o, o->f->project);
}

static int take_project_sku(const struct opaque *o)
{
	return take_text(o, o->f->project_sku);
}

static int take_chip_info(const struct opaque *o)
{
	return take_text(o, o->f->chip_info);
}

static int take_fwid(const struct opaque *o)
{
	pm_copy(o->f->fwid, o->value.ptr, sizeof(o->f->fwid));
	o->f->has_fwid = true;
	return PM_OK;
}

static int take_pdi(const struct opaque *o)
{
	if (o->is_switch) {
		pm_copy(o->f->device_pdi, o->value.ptr, sizeof(o->f->device_pdi));
		o->f->has_device_pdi = true;
		return PM_OK;
	}
	pm_copy(o->f->switch_pdis, o->value.ptr, sizeof(o->f->switch_pdis));
	o->f->has_switch_pdis = true;
	return PM_OK;
}

/* Behind the identifiers stands which port leads to which. */
static int take_gpu_pdis(const struct opaque *o)
{
	pm_copy(o->f->gpu_pdis, o->value.ptr, sizeof(o->f->gpu_pdis));
	o->f->has_gpu_pdis = true;
	return PM_OK;
}

static int take_le16(const struct opaque *o)
{
	struct pm_rd rd = pm_rd(o->value);

	return pm_rd_le16(&rd);
}

static int take_lock(const struct opaque *o)
{
	o->f->switch_lock = take_le16(o);
	return PM_OK;
}

static int take_version(const struct opaque *o)
{
	o->f->opaque_version = take_le16(o);
	if (o->f->opaque_version > VERSION_MAX)
		return pm_fail(
			o->report, PM_E_UNSUPPORTED, o->name, "0 or 1", "%d", o->f->opaque_version);
	return PM_OK;
}

static int take_feature(const struct opaque *o)
{
	o->f->feature_flag = take_le16(o);
	return PM_OK;
}

#define ANY (-1) /* of any size, and not read */

/* A type: sizes of its value, by device. */
struct type {
	const char *name;
	take_fn take; /* NULL: known, and not needed */
	int gpu_min, gpu_max, switch_min, switch_max;
};

#define UNUSED(name)                                                                               \
	{                                                                                          \
		name, NULL, ANY, ANY, ANY, ANY                                                     \
	}

/* Exact where a field is used; of the others newer firmware may have longer ones. */
static const struct type types[TYPES] = {
	[1] = UNUSED("CERT_ISSUER_NAME"),
	[2] = UNUSED("CERT_AUTHORITY_KEY_IDENTIFIER"),
	[DRIVER_VERSION] = {"DRIVER_VERSION", take_driver, 2, 33, ANY, ANY},
	[GPU_INFO] = {"GPU_INFO", take_gpu_info, 8, 8, ANY, ANY},
	[5] = UNUSED("SKU"),
	[VBIOS_VERSION] = {"VBIOS_VERSION", take_vbios, 8, 8, 14, 15},
	[7] = UNUSED("MANUFACTURER_ID"),
	[8] = UNUSED("TAMPER_DETECTION"),
	[9] = UNUSED("SMC"),
	[10] = UNUSED("VPR"),
	[NVDEC0_STATUS] = {"NVDEC0_STATUS", take_nvdec0, 1, 1, 1, 1},
	[12] = UNUSED("MSRSCNT"),
	[13] = UNUSED("CPRINFO"),
	[14] = UNUSED("BOARD_ID"),
	[CHIP_SKU] = {"CHIP_SKU", take_chip_sku, 1, 33, 1, 33},
	[16] = UNUSED("CHIP_SKU_MOD"),
	[PROJECT] = {"PROJECT", take_project, 1, 33, 1, 33},
	[PROJECT_SKU] = {"PROJECT_SKU", take_project_sku, 1, 33, 1, 33},
	[19] = UNUSED("PROJECT_SKU_MOD"),
	[FWID] = {"FWID", take_fwid, 48, 48, 48, 48},
	[PROTECTED_PCIE_STATUS] = {"PROTECTED_PCIE_STATUS", take_protected_pcie, 1, 1, 1, 1},
	[PDI] = {"SWITCH_PDI or DEVICE_PDI", take_pdi, 144, 144, 8, 8},
	[23] = UNUSED("FLOORSWEPT or DISABLED_PORTS"),
	[24] = UNUSED("POSITION_ID"),
	[LOCK_SWITCH_STATUS] = {"LOCK_SWITCH_STATUS", take_lock, ANY, ANY, 2, 2},
	[SWITCH_GPU_PDIS] = {"SWITCH_GPU_PDIS", take_gpu_pdis, ANY, ANY, 128, 128},
	/* Numbers that NVIDIA counts as known and has not told of. */
	[27] = UNUSED("27"),
	[28] = UNUSED("28"),
	[29] = UNUSED("29"),
	[30] = UNUSED("30"),
	[31] = UNUSED("31"),
	[32] = UNUSED("GPU_LINK_CONN"),
	[33] = UNUSED("SYS_ENABLE_STATUS"),
	[OPAQUE_DATA_VERSION] = {"OPAQUE_DATA_VERSION", take_version, 2, 2, 2, 2},
	[CHIP_INFO] = {"CHIP_INFO", take_chip_info, 1, 33, 1, 33},
	[FEATURE_FLAG] = {"FEATURE_FLAG", take_feature, 2, 2, 2, 2},
};

/* A switch tells of fewer. */
static const struct type *type_of(uint16_t id, bool is_switch)
{
	if (is_switch && id > SWITCH_TYPES_MAX && id < OPAQUE_DATA_VERSION)
		return NULL;
	return id < TYPES && types[id].name ? &types[id] : NULL;
}

static int take_known(const struct type *type, struct opaque *o)
{
	int min = o->is_switch ? type->switch_min : type->gpu_min;
	int max = o->is_switch ? type->switch_max : type->gpu_max;
	char expected[32];

	if (min == ANY)
		return PM_OK;
	o->name = type->name;
	snprintf(expected, sizeof(expected), "%d to %d bytes", min, max);
	if (o->value.len < (size_t)min || o->value.len > (size_t)max)
		return pm_fail(
			o->report, PM_E_FORMAT, type->name, expected, "%zu bytes", o->value.len);
	return type->take(o);
}

/* Which types were there, of all that there can be. */
struct seen {
	uint64_t bits[0x10000 / 64];
};

/* Of two fields of one type, a reader would take the first and another one the last. */
static bool see(struct seen *seen, uint16_t id)
{
	uint64_t bit = UINT64_C(1) << id % 64, before = seen->bits[id / 64];

	seen->bits[id / 64] = before | bit;
	return !(before & bit);
}

static int take_one(struct pm_rd *rd, struct seen *seen, struct opaque *o)
{
	uint16_t id = pm_rd_le16(rd);
	const struct type *type = type_of(id, o->is_switch);

	o->value = pm_rd_bytes(rd, pm_rd_le16(rd));
	if (!pm_rd_ok(rd))
		return pm_fail(o->report, PM_E_FORMAT, "opaque fields",
			"type, length and so many bytes", "one that ends early");
	if (!see(seen, id))
		return pm_fail(o->report, PM_E_FORMAT, "opaque fields", "each type once",
			"type %u twice", id);
	if (type)
		return take_known(type, o);
	if (!o->f->unknown_opaque++)
		o->f->first_unknown_opaque = id;
	return PM_OK;
}

static int check_needed(const struct opaque *o)
{
	if (!o->f->vbios[0])
		return pm_fail(o->report, PM_E_FORMAT, "VBIOS_VERSION", "present", "no such field");
	if (!o->is_switch && !o->f->driver[0])
		return pm_fail(
			o->report, PM_E_FORMAT, "DRIVER_VERSION", "present", "no such field");
	return PM_OK;
}

int pm_gpu_opaque_parse(struct pm_view bytes, bool is_switch, struct pm_report *report,
	struct pm_gpu_fields *fields)
{
	struct opaque o = {.is_switch = is_switch, .report = report, .f = fields};
	struct seen seen = {0};
	struct pm_rd rd = pm_rd(bytes);

	fields->opaque_version = fields->feature_flag = fields->switch_lock = -1;
	while (rd.left) {
		int r = take_one(&rd, &seen, &o);

		if (r < 0)
			return r;
	}
	return check_needed(&o);
}
