/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents: which members become messages, in which order, and the document made anew. */
#ifndef PM_ENVELOPE_JSON_BODY_H
#define PM_ENVELOPE_JSON_BODY_H

#include "envelope/body.h"

/* Notes why the scan of body->json failed; returns error. */
int pm_json_body_fail(const struct pm_body *body, int error, struct pm_report *report);

/*
 * Appends the text, which body->json has scanned, to body->out, sealed or opened. single_line: an
 * opened value may hold no end of a line.
 */
int pm_json_body_write(struct pm_body *body, struct pm_view text, bool single_line,
	struct pm_report *report) PM_MUST_USE;

#endif
