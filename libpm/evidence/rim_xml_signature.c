/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one form of XML Signature that is taken: enveloped, over the whole document, one algorithm
 * each, and a chain of certificates for the key. What XML Signature also allows (other references,
 * objects, keys by value, identifiers) is where implementations have been fooled.
 */
#include "evidence/rim_xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/report.h"
#include "crypto/x509.h"

#define DSIG(name)                                                                                 \
	{                                                                                          \
		PM_RIM_NS_DSIG, name                                                               \
	}

static const char c14n11[] = "http://www.w3.org/2006/12/xml-c14n11";
static const char enveloped[] = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
static const char ecdsa_sha384[] = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
static const char sha384[] = "http://www.w3.org/2001/04/xmldsig-more#sha384";

static int check_no_attributes(
	const xmlNode *node, enum pm_rim_others others, struct pm_report *report)
{
	return pm_rim_xml_attributes(node, others, NULL, 0, report, NULL);
}

/* An empty element with the attribute Algorithm, which has this value. */
static int check_algorithm(const xmlNode *node, const char *wanted, struct pm_report *report)
{
	static const struct pm_rim_attribute attributes[] = {{{NULL, "Algorithm"}, false}};
	const char *found;
	int r = pm_rim_xml_attributes(node, PM_RIM_NOTHING, attributes, 1, report, &found);

	if (r < 0)
		return r;
	if (strcmp(found, wanted) != 0)
		return pm_fail(report, PM_E_UNSUPPORTED, "RIM, Algorithm", wanted, "%s in %s",
			found, (const char *)node->name);
	return pm_rim_xml_children(node, NULL, 0, report, NULL);
}

/* Base64 with blanks in it; the result is freed with free(). */
static int decode(const xmlNode *node, size_t max, struct pm_report *report, struct pm_view *ret)
{
	pm_cleanup(free) char *packed = NULL;
	pm_cleanup(free) uint8_t *bytes = NULL;
	struct pm_view text;
	size_t n = 0, len;
	int r = check_no_attributes(node, PM_RIM_NOTHING, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_text(node, report, &text);
	if (r < 0)
		return r;
	packed = pm_alloc(text.len);
	bytes = pm_alloc(max);
	if (!packed || !bytes)
		return PM_E_NOMEM;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != ' ' && text.ptr[i] != '\n')
			packed[n++] = (char)text.ptr[i];
	}
	r = pm_base64_decode(pm_view(packed, n), bytes, max, &len);
	if (r < 0)
		return pm_fail(report, r, "RIM, base64", "base64 of not too many bytes",
			"something else in %s", (const char *)node->name);
	*ret = pm_view(pm_steal(bytes), len);
	return PM_OK;
}

/* The same, of exactly size bytes. */
static int decode_to(const xmlNode *node, uint8_t *ret, size_t size, struct pm_report *report)
{
	pm_cleanup(free) uint8_t *bytes = NULL;
	struct pm_view v;
	int r = decode(node, size, report, &v);

	if (r < 0)
		return r;
	bytes = (uint8_t *)v.ptr;
	if (v.len != size)
		return pm_fail(report, PM_E_FORMAT, "RIM, base64", "as long as the algorithm says",
			"%zu bytes in %s", v.len, (const char *)node->name);
	pm_copy(ret, v.ptr, size);
	return PM_OK;
}

static int check_transforms(const xmlNode *transforms, struct pm_report *report)
{
	static const struct pm_rim_name names[] = {DSIG("Transform"), DSIG("Transform")};
	xmlNode *found[2];
	int r = check_no_attributes(transforms, PM_RIM_NOTHING, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(transforms, names, 2, report, found);
	if (r < 0)
		return r;
	r = check_algorithm(found[0], enveloped, report);
	if (r < 0)
		return r;
	return check_algorithm(found[1], c14n11, report);
}

/* Reference, URI="": the document that the signature stands in. */
static int check_reference_uri(const xmlNode *reference, struct pm_report *report)
{
	static const struct pm_rim_attribute attributes[] = {{{NULL, "URI"}, false}};
	const char *uri;
	int r = pm_rim_xml_attributes(reference, PM_RIM_NOTHING, attributes, 1, report, &uri);

	if (r < 0)
		return r;
	if (*uri)
		return pm_fail(report, PM_E_FORMAT, "RIM, Reference, URI", "the whole document",
			"%s", uri);
	return PM_OK;
}

static int read_reference(
	const xmlNode *reference, struct pm_report *report, struct pm_rim_document *document)
{
	static const struct pm_rim_name names[] = {
		DSIG("Transforms"), DSIG("DigestMethod"), DSIG("DigestValue")};
	xmlNode *parts[3];
	int r = check_reference_uri(reference, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(reference, names, 3, report, parts);
	if (r < 0)
		return r;
	r = check_transforms(parts[0], report);
	if (r < 0)
		return r;
	r = check_algorithm(parts[1], sha384, report);
	if (r < 0)
		return r;
	return decode_to(parts[2], document->digest_value, PM_SHA384_SIZE, report);
}

static int read_signed_info(
	const xmlNode *signed_info, struct pm_report *report, struct pm_rim_document *document)
{
	static const struct pm_rim_name names[] = {
		DSIG("CanonicalizationMethod"), DSIG("SignatureMethod"), DSIG("Reference")};
	xmlNode *parts[3];
	int r = check_no_attributes(signed_info, PM_RIM_NOTHING, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(signed_info, names, 3, report, parts);
	if (r < 0)
		return r;
	r = check_algorithm(parts[0], c14n11, report);
	if (r < 0)
		return r;
	r = check_algorithm(parts[1], ecdsa_sha384, report);
	if (r < 0)
		return r;
	return read_reference(parts[2], report, document);
}

int pm_rim_xml_key_info(
	const xmlNode *key_info, struct pm_report *report, struct pm_rim_document *document)
{
	static const struct pm_rim_name data_name = DSIG("X509Data"),
					cert_name = DSIG("X509Certificate");
	xmlNode *data, *certs[PM_RIM_CERTS];
	size_t count = 0;
	int r = check_no_attributes(key_info, PM_RIM_NOTHING, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(key_info, &data_name, 1, report, &data);
	if (r < 0)
		return r;
	r = check_no_attributes(data, PM_RIM_NOTHING, report);
	if (r < 0)
		return r;
	r = pm_rim_xml_list(data, &cert_name, PM_RIM_CERTS, report, certs, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		r = decode(certs[i], PM_CERT_SIZE_MAX, report, &document->certs[i]);
		if (r < 0)
			return r;
	}
	if (count != PM_RIM_CERTS)
		return pm_fail(report, PM_E_FORMAT, "RIM, X509Certificate", "4", "%zu", count);
	return PM_OK;
}

int pm_rim_xml_signature(xmlDoc *doc, const xmlNode *signature, struct pm_report *report,
	struct pm_rim_document *document)
{
	static const struct pm_rim_name names[] = {
		DSIG("SignedInfo"), DSIG("SignatureValue"), DSIG("KeyInfo")};
	xmlNode *parts[3];
	int r = check_no_attributes(signature, PM_RIM_NAMESPACES, report);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(signature, names, 3, report, parts);
	if (r < 0)
		return r;
	r = read_signed_info(parts[0], report, document);
	if (r < 0)
		return r;
	r = decode_to(parts[1], document->signature, PM_RIM_SIGNATURE_SIZE, report);
	if (r < 0)
		return r;
	r = pm_rim_xml_key_info(parts[2], report, document);
	if (r < 0)
		return r;
	return pm_rim_xml_canonical(doc, parts[0], report, &document->signed_info);
}
