/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_vek.h"

#include <string.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "crypto/der.h"
#include "evidence/snp_tcb.h"

/* 1.3.6.1.4.1.3704.1, to which each extension appends one or two arcs. */
#define AMD "\x2b\x06\x01\x04\x01\x9c\x78\x01"

/* An extension: its object identifier and the name for messages. */
struct extension {
	const char *oid;
	size_t oid_len;
	const char *name;
};

#define EXTENSION(arcs, name)                                                                      \
	{                                                                                          \
		AMD arcs, sizeof(AMD arcs) - 1, name                                               \
	}

static const struct extension struct_version = EXTENSION("\x01", "VEK structVersion");
static const struct extension product_name = EXTENSION("\x02", "VEK productName");
static const struct extension bl_spl = EXTENSION("\x03\x01", "VEK blSPL");
static const struct extension tee_spl = EXTENSION("\x03\x02", "VEK teeSPL");
static const struct extension snp_spl = EXTENSION("\x03\x03", "VEK snpSPL");
static const struct extension ucode_spl = EXTENSION("\x03\x08", "VEK ucodeSPL");
static const struct extension fmc_spl = EXTENSION("\x03\x09", "VEK fmcSPL");
static const struct extension hwid = EXTENSION("\x04", "VEK hwID");
static const struct extension csp_id = EXTENSION("\x05", "VEK cspID");

/* Parts of the TCB that are reserved: zero where a certificate has them. */
static const struct extension reserved_spl[] = {
	EXTENSION("\x03\x04", "VEK spl4"),
	EXTENSION("\x03\x05", "VEK spl5"),
	EXTENSION("\x03\x06", "VEK spl6"),
	EXTENSION("\x03\x07", "VEK spl7"),
};

static int find(const struct pm_cert *cert, const struct extension *ext, struct pm_report *report,
	struct pm_view *ret)
{
	int r = pm_cert_extension(cert, pm_view(ext->oid, ext->oid_len), ret);

	if (r == PM_E_MISSING)
		return pm_fail(report, PM_E_REJECTED, ext->name, "present", "no such extension");
	if (r < 0)
		return pm_fail(report, r, ext->name, "once", "twice, or malformed");
	return PM_OK;
}

static int refuse(const struct pm_cert *cert, const struct extension *ext, struct pm_report *report)
{
	struct pm_view ignored;
	int r = pm_cert_extension(cert, pm_view(ext->oid, ext->oid_len), &ignored);

	if (r == PM_E_MISSING)
		return PM_OK;
	return pm_fail(
		report, PM_E_REJECTED, ext->name, "absent in this kind of certificate", "present");
}

static int read_uint8(const struct pm_cert *cert, const struct extension *ext,
	struct pm_report *report, uint8_t *ret)
{
	struct pm_view value;
	int r = find(cert, ext, report, &value);

	if (r < 0)
		return r;
	if (!pm_der_uint8(value, ret))
		return pm_fail(report, PM_E_FORMAT, ext->name, "an INTEGER from 0 to 255", "%s",
			pm_hex(value.ptr, value.len).s);
	return PM_OK;
}

/* Text of printable ASCII. */
static int read_text(const struct pm_cert *cert, const struct extension *ext,
	struct pm_report *report, char *ret, size_t size)
{
	struct pm_view value, text;
	int r = find(cert, ext, report, &value);

	if (r < 0)
		return r;
	if (!pm_der_only(value, PM_DER_IA5_STRING, &text) || !text.len || text.len >= size)
		return pm_fail(report, PM_E_FORMAT, ext->name, "a short IA5String", "%s",
			pm_hex(value.ptr, value.len).s);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
			return pm_fail(report, PM_E_FORMAT, ext->name, "printable ASCII", "%s",
				pm_hex(text.ptr, text.len).s);
	}
	pm_copy(ret, text.ptr, text.len);
	ret[text.len] = '\0';
	return PM_OK;
}

const char *pm_snp_vek_name(enum pm_snp_signer signer)
{
	return signer == PM_SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK";
}

static int check_profile(const struct pm_cert *cert, const struct pm_pubkey *key,
	enum pm_snp_signer signer, struct pm_report *report)
{
	struct pm_view cn = pm_cert_common_name(cert);

	if (!pm_cert_is_named(cert, pm_snp_vek_name(signer)))
		return pm_fail(report, PM_E_REJECTED, "VEK common name", pm_snp_vek_name(signer),
			"%.*s", (int)cn.len, (const char *)cn.ptr);
	if (pm_cert_is_ca(cert))
		return pm_fail(report, PM_E_REJECTED, "VEK basicConstraints", "not a CA", "CA");
	if (pm_pubkey_type(key) != PM_KEY_P384)
		return pm_fail(report, PM_E_REJECTED, "VEK public key", "on P-384", "%zu bits, %s",
			pm_pubkey_bits(key), pm_pubkey_type(key) == PM_KEY_RSA ? "RSA" : "P-256");
	return PM_OK;
}

/* The name may carry a stepping ("Milan-B0") that says nothing reliable. */
static int check_product(
	const struct pm_cert *cert, enum pm_snp_product product, struct pm_report *report)
{
	const char *want = pm_snp_product_name(product);
	char name[32];
	int r = read_text(cert, &product_name, report, name, sizeof(name));

	if (r < 0)
		return r;
	if (pm_snp_product_by_name(pm_view(name, strcspn(name, "-"))) != (int)product)
		return pm_fail(report, PM_E_REJECTED, "VEK productName", want, "%s", name);
	return PM_OK;
}

/* structVersion 1 came with Turin's TCB layout. */
static int check_struct_version(
	const struct pm_cert *cert, enum pm_snp_product product, struct pm_report *report)
{
	uint8_t want = product == PM_SNP_TURIN ? 1 : 0, version;
	int r = read_uint8(cert, &struct_version, report, &version);

	if (r < 0)
		return r;
	if (version != want)
		return pm_fail(report, PM_E_REJECTED, "VEK structVersion", want ? "1" : "0", "%u",
			version);
	return PM_OK;
}

static int check_reserved_spl(const struct pm_cert *cert, struct pm_report *report)
{
	struct pm_view value;
	uint8_t spl;

	for (size_t i = 0; i < PM_ARRAY_LEN(reserved_spl); i++) {
		const struct extension *ext = &reserved_spl[i];
		int r = pm_cert_extension(cert, pm_view(ext->oid, ext->oid_len), &value);

		if (r == PM_E_MISSING)
			continue;
		if (r < 0 || !pm_der_uint8(value, &spl) || spl != 0)
			return pm_fail(
				report, PM_E_REJECTED, ext->name, "0, once", "another value");
	}
	return PM_OK;
}

static int read_tcb(const struct pm_cert *cert, enum pm_snp_product product,
	struct pm_report *report, struct pm_snp_tcb *ret)
{
	const struct {
		const struct extension *ext;
		uint8_t *part;
	} parts[] = {
		{&bl_spl, &ret->boot_loader},
		{&tee_spl, &ret->tee},
		{&snp_spl, &ret->snp},
		{&ucode_spl, &ret->microcode},
	};
	int r = check_reserved_spl(cert, report);

	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(parts); i++)
		r = read_uint8(cert, parts[i].ext, report, parts[i].part);
	if (r < 0)
		return r;
	if (product == PM_SNP_TURIN)
		return read_uint8(cert, &fmc_spl, report, &ret->fmc);
	return refuse(cert, &fmc_spl, report);
}

/*
 * The content is the bare identifier; AMD's early note has it in an OCTET STRING. Which of the
 * two it is follows from the length alone, never from the first byte: an identifier may begin
 * with 0x04.
 */
static int read_hwid(const struct pm_cert *cert, enum pm_snp_product product,
	struct pm_report *report, uint8_t *ret)
{
	size_t size = product == PM_SNP_TURIN ? 8 : PM_SNP_CHIP_ID_SIZE;
	struct pm_view value;
	int r = find(cert, &hwid, report, &value);

	if (r < 0)
		return r;
	if (value.len == size + 2 && !pm_der_only(value, PM_DER_OCTET_STRING, &value))
		value.len = 0;
	if (value.len != size)
		return pm_fail(report, PM_E_FORMAT, "VEK hwID",
			product == PM_SNP_TURIN ? "8 bytes" : "64 bytes", "%zu bytes", value.len);
	pm_copy(ret, value.ptr, size);
	return PM_OK;
}

/* A VCEK belongs to a chip and no provider, a VLEK to a provider and no chip. */
static int read_owner(const struct pm_cert *cert, struct pm_report *report, struct pm_snp_vek *vek)
{
	int r;

	if (vek->signer == PM_SNP_VLEK) {
		r = refuse(cert, &hwid, report);
		if (r < 0)
			return r;
		return read_text(cert, &csp_id, report, vek->csp_id, sizeof(vek->csp_id));
	}
	r = refuse(cert, &csp_id, report);
	if (r < 0)
		return r;
	return read_hwid(cert, vek->product, report, vek->hwid);
}

int pm_snp_vek_read(const struct pm_cert *cert, const struct pm_pubkey *key,
	enum pm_snp_signer signer, enum pm_snp_product product, struct pm_report *report,
	struct pm_snp_vek *ret)
{
	struct pm_snp_vek vek = {.signer = signer, .product = product};
	int r = check_profile(cert, key, signer, report);

	if (r < 0)
		return r;
	r = check_product(cert, product, report);
	if (r < 0)
		return r;
	r = check_struct_version(cert, product, report);
	if (r < 0)
		return r;
	r = read_tcb(cert, product, report, &vek.tcb);
	if (r < 0)
		return r;
	r = read_owner(cert, report, &vek);
	if (r < 0)
		return r;
	*ret = vek;
	return PM_OK;
}
