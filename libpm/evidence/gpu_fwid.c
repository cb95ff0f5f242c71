/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's identity in a device's certificate: by TCG's CompositeDeviceID (2.23.133.5.4.1, of
 * an early draft of the DICE profiles, on Hopper and its switch) or DiceTcbInfo (2.23.133.5.4.1.1,
 * on Blackwell).
 */
#include "base/report.h"
#include "crypto/der.h"
#include "evidence/gpu_leaf.h"

#define OID(bytes) pm_view(bytes, sizeof(bytes) - 1)

#define COMPOSITE_DEVICE_ID OID("\x67\x81\x05\x05\x04\x01")
#define DICE_TCB_INFO	    OID("\x67\x81\x05\x05\x04\x01\x01")
#define SHA384		    OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02")

/* Fields of DiceTcbInfo by their tags, in this order; each may be left out. */
#define TCB_INFO_FIRST 0
#define TCB_INFO_FWIDS 6
#define TCB_INFO_FLAGS 7
#define TCB_INFO_LAST  9
#define PRIMITIVE      0x80
#define CONSTRUCTED    0xa0

/* OperationalFlags: bit 3 from the most significant one, behind the count of unused bits. */
#define FLAGS_DEBUG 0x10

#define NAME "device, FWID"

static int malformed(struct pm_report *report, const char *expected)
{
	return pm_fail(report, PM_E_FORMAT, NAME, expected, "another form");
}

/* FWID ::= SEQUENCE { hashAlg OID, digest OCTET STRING }; taken off the front. */
static bool take_fwid(struct pm_view *from, struct pm_view *ret)
{
	struct pm_view fwid, alg;

	return pm_der_get(from, PM_DER_SEQUENCE, &fwid) && pm_der_get(&fwid, PM_DER_OID, &alg) &&
	       pm_view_equal(alg, SHA384) && pm_der_only(fwid, PM_DER_OCTET_STRING, ret) &&
	       ret->len == PM_GPU_DIGEST_SIZE;
}

/* The key that the identity belongs to must be the one that issued the certificate. */
static bool is_key_of(struct pm_view key, const struct pm_cert *parent)
{
	struct pm_view whole = pm_cert_spki(parent), content;

	return pm_der_only(whole, PM_DER_SEQUENCE, &content) && pm_view_equal(content, key);
}

/* SEQUENCE { version INTEGER 1, deviceID SubjectPublicKeyInfo, fwid FWID } */
static int read_composite(struct pm_view ext, const struct pm_cert *parent,
	struct pm_report *report, struct pm_view *ret)
{
	struct pm_view all, version, key;

	if (!pm_der_only(ext, PM_DER_SEQUENCE, &all) ||
		!pm_der_get(&all, PM_DER_INTEGER, &version) ||
		!pm_view_equal(version, OID("\x01")) || !pm_der_get(&all, PM_DER_SEQUENCE, &key) ||
		!take_fwid(&all, ret) || all.len)
		return malformed(report, "CompositeDeviceID with SHA-384");
	if (!is_key_of(key, parent))
		return pm_fail(
			report, PM_E_REJECTED, NAME, "the issuer's key beside it", "another key");
	return PM_OK;
}

/* The first is the firmware's; Blackwell has a second one, all zero. */
static int read_fwids(struct pm_view list, struct pm_report *report, struct pm_view *ret)
{
	struct pm_view first, more;

	if (!take_fwid(&list, &first))
		return malformed(report, "DiceTcbInfo, fwids with SHA-384");
	while (list.len) {
		if (!take_fwid(&list, &more))
			return malformed(report, "DiceTcbInfo, fwids with SHA-384");
	}
	*ret = first;
	return PM_OK;
}

/* None at all are the count alone, as DER has no zeros at the end of named bits (X.690, 11.2.2). */
static int check_flags(struct pm_view flags, struct pm_report *report)
{
	if (!flags.len || (flags.len == 1 && flags.ptr[0]))
		return malformed(report, "DiceTcbInfo, flags");
	if (flags.len > 1 && flags.ptr[1] & FLAGS_DEBUG)
		return pm_fail(
			report, PM_E_REJECTED, "device, DiceTcbInfo flags", "no debug", "debug");
	return PM_OK;
}

/* The field of that tag, where it is next. */
static bool take_field(struct pm_view *from, int tag, struct pm_view *ret)
{
	return from->len && from->ptr[0] == tag && pm_der_get(from, tag, ret);
}

static int read_field(
	int number, struct pm_view *all, struct pm_report *report, struct pm_view *ret_fwid)
{
	struct pm_view value;

	if (number == TCB_INFO_FWIDS)
		return take_field(all, CONSTRUCTED + number, &value)
			       ? read_fwids(value, report, ret_fwid)
			       : malformed(report, "DiceTcbInfo, fwids");
	if (take_field(all, PRIMITIVE + number, &value) && number == TCB_INFO_FLAGS)
		return check_flags(value, report);
	return PM_OK;
}

static int read_tcb_info(struct pm_view ext, struct pm_report *report, struct pm_view *ret)
{
	struct pm_view all;

	if (!pm_der_only(ext, PM_DER_SEQUENCE, &all))
		return malformed(report, "DiceTcbInfo");
	for (int number = TCB_INFO_FIRST; number <= TCB_INFO_LAST; number++) {
		int r = read_field(number, &all, report, ret);

		if (r < 0)
			return r;
	}
	return all.len ? malformed(report, "DiceTcbInfo") : PM_OK;
}

int pm_gpu_fwid_read(const struct pm_cert *cert, const struct pm_cert *parent,
	struct pm_report *report, struct pm_gpu_leaf *ret)
{
	struct pm_view composite, tcb_info, fwid = {0};
	int c = pm_cert_extension(cert, COMPOSITE_DEVICE_ID, &composite);
	int t = pm_cert_extension(cert, DICE_TCB_INFO, &tcb_info);
	int r;

	if (c == PM_E_FORMAT || t == PM_E_FORMAT || (c == PM_OK && t == PM_OK))
		return malformed(report, "one extension");
	if (c < 0 && t < 0) {
		ret->has_fwid = false;
		return PM_OK;
	}
	r = c == PM_OK ? read_composite(composite, parent, report, &fwid)
		       : read_tcb_info(tcb_info, report, &fwid);
	if (r < 0)
		return r;
	pm_copy(ret->fwid, fwid.ptr, sizeof(ret->fwid));
	ret->has_fwid = true;
	return PM_OK;
}
