/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_leaf.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "crypto/der.h"

#define OID(bytes) pm_view(bytes, sizeof(bytes) - 1)

/* Object identifiers, as content of DER. */
#define KEY_USAGE OID("\x55\x1d\x0f")
#define ALT_NAME  OID("\x55\x1d\x11")
#define DEVICE_INFO                                                                                \
	OID("\x2b\x06\x01\x04\x01\x83\x1c\x82\x12\x01") /* DMTF, 1.3.6.1.4.1.412.274.1 */

/* KeyUsage of one bit: digitalSignature (RFC 5280, 4.2.1.3). */
#define DIGITAL_SIGNATURE OID("\x03\x02\x07\x80")

/* Tags of a GeneralName's otherName and of the value in it, and UTF8String. */
#define CONTEXT_0   0xa0
#define UTF8_STRING 0x0c

/* Longest serial number that RFC 5280 allows has 20 octets; DER may put a zero before. */
#define SERIAL_MAX 21

static int check_usage(const struct pm_cert *cert, struct pm_report *report)
{
	struct pm_view usage;
	int r = pm_cert_extension(cert, KEY_USAGE, &usage);

	if (pm_cert_is_ca(cert))
		return pm_fail(report, PM_E_REJECTED, "device", "not a CA", "a CA");
	if (r < 0 || !pm_view_equal(usage, DIGITAL_SIGNATURE))
		return pm_fail(report, PM_E_REJECTED, "device, key usage", "digitalSignature alone",
			"%s", r < 0 ? "none" : "another");
	return PM_OK;
}

/* GeneralNames ::= SEQUENCE { [0] { OID, [0] UTF8String "NVIDIA:GH100:48B02D92494BADF4" } } */
static bool read_alt_name(const struct pm_cert *cert, struct pm_view *ret)
{
	struct pm_view ext, names, other, oid, value;

	return pm_cert_extension(cert, ALT_NAME, &ext) == PM_OK &&
	       pm_der_only(ext, PM_DER_SEQUENCE, &names) && pm_der_only(names, CONTEXT_0, &other) &&
	       pm_der_get(&other, PM_DER_OID, &oid) && pm_view_equal(oid, DEVICE_INFO) &&
	       pm_der_only(other, CONTEXT_0, &value) && pm_der_only(value, UTF8_STRING, ret);
}

static bool is_chip_char(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The second of the three parts. */
static bool read_chip(struct pm_view text, char *ret)
{
	static const char maker[] = "NVIDIA:";
	struct pm_rd rd = pm_rd(text);
	struct pm_view prefix = pm_rd_bytes(&rd, sizeof(maker) - 1);
	char chip[PM_GPU_TEXT_SIZE] = {0};
	size_t n = 0;
	uint8_t c;

	if (!pm_view_equal(prefix, pm_view(maker, sizeof(maker) - 1)))
		return false;
	for (c = pm_rd_u8(&rd); is_chip_char(c) && n < sizeof(chip) - 1; c = pm_rd_u8(&rd))
		chip[n++] = (char)c;
	if (c != ':' || !n || !rd.left)
		return false;
	pm_copy(ret, chip, sizeof(chip));
	return true;
}

/* "GH100 A01 GSP FMC LF": the chip, a space, and what the key is for. */
static bool is_name_of(struct pm_view name, const char *chip)
{
	size_t n = strlen(chip);

	return name.len > n && pm_view_equal(pm_view(name.ptr, n), pm_view(chip, n)) &&
	       name.ptr[n] == ' ';
}

/* 0 for a chip of no kind that libpm knows. */
static int arch_of_chip(const char *chip)
{
	if (!strcmp(chip, "GH100"))
		return PM_GPU_HOPPER;
	if (!strcmp(chip, "LS_10"))
		return PM_GPU_LS10;
	if (!strncmp(chip, "GB1", 3) || !strncmp(chip, "GB2", 3))
		return PM_GPU_BLACKWELL;
	return 0;
}

int pm_gpu_leaf_arch(const struct pm_cert *cert)
{
	char chip[PM_GPU_TEXT_SIZE];
	struct pm_view text;

	return read_alt_name(cert, &text) && read_chip(text, chip) ? arch_of_chip(chip) : 0;
}

static int read_names(const struct pm_cert *cert, struct pm_report *report, struct pm_gpu_leaf *ret)
{
	struct pm_view text, name = pm_cert_common_name(cert);

	if (!read_alt_name(cert, &text) || !read_chip(text, ret->chip))
		return pm_fail(report, PM_E_REJECTED, "device, alternative name",
			"DMTF's device information of NVIDIA", "another");
	if (!is_name_of(name, ret->chip))
		return pm_fail(report, PM_E_REJECTED, "device, common name", ret->chip, "%.*s",
			(int)name.len, (const char *)name.ptr);
	ret->arch = (enum pm_gpu_arch)arch_of_chip(ret->chip);
	if (!ret->arch)
		return pm_fail(report, PM_E_UNSUPPORTED, "device, chip",
			"GH100, GB1.., GB2.. or LS_10", "%s", ret->chip);
	return PM_OK;
}

/* Divides the number by ten, in place, and returns the rest. */
static unsigned int divide_by_ten(uint8_t *number, size_t len)
{
	unsigned int rest = 0;

	for (size_t i = 0; i < len; i++) {
		rest = rest << 8 | number[i];
		number[i] = (uint8_t)(rest / 10);
		rest %= 10;
	}
	return rest;
}

/* The serial number, taken as positive, in decimal. */
static int read_ueid(const struct pm_cert *cert, struct pm_report *report, struct pm_gpu_leaf *ret)
{
	struct pm_view serial = pm_cert_serial(cert);
	char digits[PM_GPU_UEID_SIZE];
	uint8_t number[SERIAL_MAX];
	size_t n = 0;

	if (!serial.len || serial.len > sizeof(number))
		return pm_fail(report, PM_E_FORMAT, "device, serial number", "at most 20 bytes",
			"%zu bytes", serial.len);
	pm_copy(number, serial.ptr, serial.len);
	do
		digits[n++] = (char)('0' + divide_by_ten(number, serial.len));
	while (!pm_is_zero(number, serial.len));
	for (size_t i = 0; i < n; i++)
		ret->ueid[i] = digits[n - 1 - i];
	return PM_OK;
}

int pm_gpu_leaf_read(const struct pm_cert *cert, const struct pm_cert *parent,
	struct pm_report *report, struct pm_gpu_leaf *ret)
{
	struct pm_gpu_leaf leaf = {0};
	int r = check_usage(cert, report);

	if (r < 0)
		return r;
	r = read_names(cert, report, &leaf);
	if (r < 0)
		return r;
	r = read_ueid(cert, report, &leaf);
	if (r < 0)
		return r;
	r = pm_gpu_fwid_read(cert, parent, report, &leaf);
	if (r < 0)
		return r;
	*ret = leaf;
	return PM_OK;
}
