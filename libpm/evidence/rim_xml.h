/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to libxml2: a strict reading of XML, and Canonical XML 1.1. Names of elements and
 * attributes are always compared with their namespace.
 */
#ifndef PM_EVIDENCE_RIM_XML_H
#define PM_EVIDENCE_RIM_XML_H

#include <libxml/tree.h>

#include "evidence/rim_document.h"

#define PM_RIM_NS_SWID	 "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define PM_RIM_NS_DSIG	 "http://www.w3.org/2000/09/xmldsig#"
#define PM_RIM_NS_SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"
#define PM_RIM_NS_TCG                                                                              \
	"https://trustedcomputinggroup.org/resource/"                                              \
	"tcg-reference-integrity-manifest-rim-information-model/"

/* An element or attribute; ns NULL: in no namespace. */
struct pm_rim_name {
	const char *ns;
	const char *local;
};

/* An attribute that an element may have. */
struct pm_rim_attribute {
	struct pm_rim_name name;
	bool optional;
};

/* What an element may have beside the attributes that are looked for. */
enum pm_rim_others {
	PM_RIM_NOTHING,	   /* nothing */
	PM_RIM_NAMESPACES, /* declarations of namespaces */
	PM_RIM_ANY,	   /* these, and attributes that are passed over; none of xml:* */
};

/*
 * ASCII text with nothing but elements, attributes and text. libxml2's messages are not heard.
 * PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM; noted.
 */
int pm_rim_xml_open(struct pm_view bytes, struct pm_report *report, xmlDoc **ret) PM_MUST_USE;
void pm_rim_xml_close(xmlDoc *doc);

static inline void pm_cleanup_xml(xmlDoc **doc)
{
	pm_rim_xml_close(*doc);
}

#define pm_cleanup_xmlDoc __attribute__((cleanup(pm_cleanup_xml)))

/*
 * Canonical XML 1.1, without comments, of the element apex and what is in it, or of the whole
 * document when it is NULL. Freed with free(). PM_E_NOMEM; PM_E_FORMAT, noted.
 */
int pm_rim_xml_canonical(xmlDoc *doc, const xmlNode *apex, struct pm_report *report,
	struct pm_view *ret) PM_MUST_USE;

bool pm_rim_xml_is(const xmlNode *node, const struct pm_rim_name *name);

/* The elements in parent are exactly these, in this order, with blanks between. PM_E_FORMAT. */
int pm_rim_xml_children(const xmlNode *parent, const struct pm_rim_name *names, size_t count,
	struct pm_report *report, xmlNode **ret) PM_MUST_USE;

/* The elements in parent are all of this name; at most max. PM_E_FORMAT, PM_E_LIMIT. */
int pm_rim_xml_list(const xmlNode *parent, const struct pm_rim_name *name, size_t max,
	struct pm_report *report, xmlNode **ret, size_t *ret_count) PM_MUST_USE;

/*
 * The element has these attributes and what others allows; ret[i] is the value of the ith, NULL
 * where it is left out. Borrowed. PM_E_FORMAT.
 */
int pm_rim_xml_attributes(const xmlNode *node, enum pm_rim_others others,
	const struct pm_rim_attribute *attributes, size_t count, struct pm_report *report,
	const char **ret) PM_MUST_USE;

/* The text of an element that holds nothing else; borrowed. PM_E_FORMAT. */
int pm_rim_xml_text(const xmlNode *node, struct pm_report *report, struct pm_view *ret) PM_MUST_USE;

/* --- parts of a manifest --------------------------------------------------------------------- */

/* All of it: fills document, whose memory is freed by the caller in any case. */
int pm_rim_xml_read(
	xmlDoc *doc, struct pm_report *report, struct pm_rim_document *document) PM_MUST_USE;

/* The element Meta. */
int pm_rim_xml_meta(
	const xmlNode *meta, struct pm_report *report, struct pm_rim_facts *facts) PM_MUST_USE;

/* Each Resource of the element Payload; room for PM_RIM_VALUES_MAX. */
int pm_rim_xml_payload(const xmlNode *payload, struct pm_report *report,
	struct pm_rim_resource *ret, size_t *ret_count) PM_MUST_USE;

/* The element ds:Signature. */
int pm_rim_xml_signature(xmlDoc *doc, const xmlNode *signature, struct pm_report *report,
	struct pm_rim_document *document) PM_MUST_USE;

/* The element ds:KeyInfo. */
int pm_rim_xml_key_info(const xmlNode *key_info, struct pm_report *report,
	struct pm_rim_document *document) PM_MUST_USE;

#endif
