/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of multipart bodies (RFC 2046, 5.1; RFC 7578). Strict: lines end with CRLF, a part has
 * exactly one Content-Disposition with exactly one name, and no transfer encoding but the identity.
 */
#ifndef PM_ENVELOPE_FORM_PARSE_H
#define PM_ENVELOPE_FORM_PARSE_H

#include <pm/body.h>
#include <pm/error.h>
#include "base/mem.h"

/* Longest boundary (RFC 2046, 5.1.1). */
#define PM_FORM_BOUNDARY_MAX 70

/* Type of a form, and what separates its parts. */
struct pm_form_type {
	/* "form-data" or "mixed". */
	const char *subtype;
	/* CR LF "--" boundary. */
	uint8_t delimiter[4 + PM_FORM_BOUNDARY_MAX];
	size_t delimiter_len;
};

/* One part: views of the body. */
struct pm_form_part {
	struct pm_view name;
	struct pm_view content;
	/* It has a file's name. */
	bool file;
	/* That name and the part's type; empty where there is none that may be sent on. */
	struct pm_view file_name;
	struct pm_view type;
	bool has_type;
};

/* Reads the value of a Content-Type header. PM_E_UNSUPPORTED for another type, PM_E_FORMAT. */
int pm_form_type_parse(const char *content_type, struct pm_form_type *ret) PM_MUST_USE;

/*
 * Hands each part to take, in order; its first failure ends the reading and is returned.
 * PM_E_FORMAT (also when the closing boundary is missing), PM_E_LIMIT, PM_E_UNSUPPORTED.
 */
int pm_form_each(const struct pm_form_type *type, struct pm_view body,
	int (*take)(const struct pm_form_part *part, void *arg), void *arg,
	struct pm_report *report) PM_MUST_USE;

#endif
