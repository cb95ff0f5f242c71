/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest in pieces: its form is checked, and nothing else. */
#ifndef PM_EVIDENCE_RIM_DOCUMENT_H
#define PM_EVIDENCE_RIM_DOCUMENT_H

#include "crypto/crypto.h"
#include "evidence/rim.h"

#define PM_RIM_SIGNATURE_SIZE 96 /* R || S of P-384 */
#define PM_RIM_ID_SIZE	      129
#define PM_RIM_PRODUCT_SIZE   17
#define PM_RIM_VERSION_SIZE   33
#define PM_RIM_OEM_ID_SIZE    11

/* What the manifest says. */
struct pm_rim_facts {
	enum pm_rim_kind kind;
	char id[PM_RIM_ID_SIZE];
	char product[PM_RIM_PRODUCT_SIZE];
	char version[PM_RIM_VERSION_SIZE];
	char oem_id[PM_RIM_OEM_ID_SIZE];
	struct pm_rim_value values[PM_RIM_VALUES_MAX];
	size_t value_count;
};

struct pm_rim_document {
	struct pm_rim_facts facts;
	uint8_t digest[PM_SHA384_SIZE];	      /* of what the facts were read from, canonical */
	uint8_t digest_value[PM_SHA384_SIZE]; /* what the signature says that it is */
	struct pm_view signed_info;	      /* canonical, owned */
	uint8_t signature[PM_RIM_SIGNATURE_SIZE];
	struct pm_view certs[PM_RIM_CERTS]; /* DER, owned */
};

/* A Resource as it stands there: texts are borrowed. Its form is right, its size may be another. */
struct pm_rim_resource {
	uint8_t index;
	bool active;
	uint8_t alternatives;
	unsigned int size;
	const char *hashes[PM_RIM_ALTERNATIVES_MAX];
	const char *name;
};

/* Of the texts in Meta; PM_E_FORMAT, PM_E_UNSUPPORTED; noted. */
int pm_rim_facts_set(struct pm_rim_facts *facts, const char *edition, const char *product,
	const char *version, struct pm_report *report) PM_MUST_USE;

/* SHA-384, hexadecimal. PM_E_FORMAT, PM_E_UNSUPPORTED for another size; noted. */
int pm_rim_value_set(struct pm_rim_value *value, const struct pm_rim_resource *resource,
	struct pm_report *report) PM_MUST_USE;

/*
 * Copies text of these characters, NULL for all; PM_E_FORMAT, noted, when empty, longer, or of
 * others. All text of a manifest is printable ASCII.
 */
int pm_rim_copy_text(char *ret, size_t size, const char *text, const char *charset,
	const char *name, struct pm_report *report) PM_MUST_USE;

#endif
