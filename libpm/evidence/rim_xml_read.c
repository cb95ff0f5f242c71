/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of a manifest. */
#include "evidence/rim_xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/report.h"

/* Elements of the root, in their order. */
enum { ENTITY, META, PAYLOAD, SIGNATURE, ELEMENTS };

static const struct pm_rim_name elements[ELEMENTS] = {
	[ENTITY] = {PM_RIM_NS_SWID, "Entity"},
	[META] = {PM_RIM_NS_SWID, "Meta"},
	[PAYLOAD] = {PM_RIM_NS_SWID, "Payload"},
	[SIGNATURE] = {PM_RIM_NS_DSIG, "Signature"},
};

static int check_value(
	const char *found, const char *wanted, const char *name, struct pm_report *report)
{
	if (strcmp(found, wanted) != 0)
		return pm_fail(report, PM_E_UNSUPPORTED, name, wanted, "%s", found);
	return PM_OK;
}

/* --- the root -------------------------------------------------------------------------------- */

/* A complete manifest: one that only adds to another says too little. Left out means false. */
static int check_complete(
	const char *const *flags, const char *const *names, size_t count, struct pm_report *report)
{
	for (size_t i = 0; i < count; i++) {
		int r = flags[i] ? check_value(flags[i], "false", names[i], report) : PM_OK;

		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int read_root(const xmlNode *root, struct pm_report *report, struct pm_rim_facts *facts)
{
	enum { CORPUS, PATCH, SUPPLEMENTAL, FLAGS, TAG_ID = FLAGS, N };
	static const struct pm_rim_attribute attributes[N] = {
		[CORPUS] = {{NULL, "corpus"}, true},
		[PATCH] = {{NULL, "patch"}, true},
		[SUPPLEMENTAL] = {{NULL, "supplemental"}, true},
		[TAG_ID] = {{NULL, "tagId"}, false},
	};
	static const char *const flag_names[FLAGS] = {
		"RIM, corpus", "RIM, patch", "RIM, supplemental"};
	const char *values[N];
	int r = pm_rim_xml_attributes(root, PM_RIM_ANY, attributes, N, report, values);

	if (r < 0)
		return r;
	r = check_complete(values, flag_names, FLAGS, report);
	if (r < 0)
		return r;
	return pm_rim_copy_text(
		facts->id, sizeof(facts->id), values[TAG_ID], NULL, "RIM, tagId", report);
}

static int find_root(xmlDoc *doc, struct pm_report *report, xmlNode **ret)
{
	static const struct pm_rim_name name = {PM_RIM_NS_SWID, "SoftwareIdentity"};
	xmlNode *root = doc->children;

	/* Nothing stands beside it. */
	if (!root || root->next || !pm_rim_xml_is(root, &name))
		return pm_fail(report, PM_E_FORMAT, "RIM, root element",
			"SoftwareIdentity of ISO/IEC 19770-2", "another");
	*ret = root;
	return PM_OK;
}

/* --- its elements ---------------------------------------------------------------------------- */

/* Who made the manifest, in words: the signature says it better. */
static int check_entity(const xmlNode *entity, struct pm_report *report)
{
	int r = pm_rim_xml_attributes(entity, PM_RIM_ANY, NULL, 0, report, NULL);

	if (r < 0)
		return r;
	return pm_rim_xml_children(entity, NULL, 0, report, NULL);
}

int pm_rim_xml_meta(const xmlNode *meta, struct pm_report *report, struct pm_rim_facts *facts)
{
	enum { VERSION, EDITION, PRODUCT, TYPE, OEM_ID, N };
	static const struct pm_rim_attribute attributes[N] = {
		[VERSION] = {{NULL, "colloquialVersion"}, false},
		[EDITION] = {{NULL, "edition"}, false},
		[PRODUCT] = {{NULL, "product"}, false},
		[TYPE] = {{NULL, "PayloadType"}, false},
		[OEM_ID] = {{PM_RIM_NS_TCG, "FirmwareManufacturerId"}, false},
	};
	const char *values[N];
	int r = pm_rim_xml_attributes(meta, PM_RIM_ANY, attributes, N, report, values);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(meta, NULL, 0, report, NULL);
	if (r < 0)
		return r;
	r = check_value(values[TYPE], "direct", "RIM, PayloadType", report);
	if (r < 0)
		return r;
	r = pm_rim_copy_text(facts->oem_id, sizeof(facts->oem_id), values[OEM_ID], "0123456789",
		"RIM, FirmwareManufacturerId", report);
	if (r < 0)
		return r;
	return pm_rim_facts_set(facts, values[EDITION], values[PRODUCT], values[VERSION], report);
}

static int read_values(const xmlNode *payload, struct pm_report *report, struct pm_rim_facts *facts)
{
	struct pm_rim_resource resources[PM_RIM_VALUES_MAX] = {0};
	size_t count;
	int r = pm_rim_xml_payload(payload, report, resources, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		r = pm_rim_value_set(&facts->values[i], &resources[i], report);
		if (r < 0)
			return r;
	}
	facts->value_count = count;
	return PM_OK;
}

/* --- all ------------------------------------------------------------------------------------- */

/* SHA-384 of the canonical form of all that is in the tree. */
static int digest(xmlDoc *doc, struct pm_report *report, uint8_t *ret)
{
	pm_cleanup(free) uint8_t *owned = NULL;
	struct pm_view canonical;
	int r = pm_rim_xml_canonical(doc, NULL, report, &canonical);

	if (r < 0)
		return r;
	owned = (uint8_t *)canonical.ptr;
	return pm_hash(PM_SHA384, canonical, ret);
}

static int read_signed(xmlDoc *doc, const xmlNode *root, xmlNode *const *parts,
	struct pm_report *report, struct pm_rim_document *document)
{
	int r = digest(doc, report, document->digest);

	if (r < 0)
		return r;
	r = read_root(root, report, &document->facts);
	if (r < 0)
		return r;
	r = check_entity(parts[ENTITY], report);
	if (r < 0)
		return r;
	r = pm_rim_xml_meta(parts[META], report, &document->facts);
	if (r < 0)
		return r;
	return read_values(parts[PAYLOAD], report, &document->facts);
}

int pm_rim_xml_read(xmlDoc *doc, struct pm_report *report, struct pm_rim_document *document)
{
	xmlNode *root = NULL, *parts[ELEMENTS];
	int r = find_root(doc, report, &root);

	if (r < 0)
		return r;
	r = pm_rim_xml_children(root, elements, ELEMENTS, report, parts);
	if (r < 0)
		return r;
	r = pm_rim_xml_signature(doc, parts[SIGNATURE], report, document);
	if (r < 0)
		return r;
	/* What the signature does not cover goes: the facts are read from what is digested. */
	xmlUnlinkNode(parts[SIGNATURE]);
	xmlFreeNode(parts[SIGNATURE]);
	return read_signed(doc, root, parts, report, document);
}
