/* SPDX-License-Identifier: Apache-2.0 */
/* What the transformers of bodies share; see pm/body.h. */
#ifndef PM_ENVELOPE_BODY_H
#define PM_ENVELOPE_BODY_H

#include <pm/body.h>
#include <pm/error.h>
#include "envelope/grow.h"
#include "envelope/json_scan.h"

struct pm_body {
	enum pm_endpoint endpoint;
	enum pm_body_side side;
	enum pm_body_way way;
	struct pm_body_cipher cipher;
	bool asks_usage;
	bool forbids_cache;
	bool keeps_files;
	/* The first failure; the exchange's counters may be out of step from then on. */
	int failed;

	/* The document at work, and a value of it. */
	struct pm_json json, value;
	/* Members or parts that become messages, and their order. */
	struct pm_grow items, order;
	/* Results of the cipher before they are put in their places. */
	struct pm_grow work;
	struct pm_grow out;

	/* Event stream: the line that is not complete, and data lines that form no document yet. */
	struct pm_grow line, data;
	bool done;

	struct pm_usage usage;
};

/* The names that stay plain in this body. */
static inline const char *const *pm_body_plain(const struct pm_body *body)
{
	return pm_endpoint_plain_fields(body->endpoint, body->side);
}

/*
 * Runs the cipher on bytes that are in no memory of the body, and appends the result to grow, which
 * has grown by *ret_len then. What the cipher returns, PM_E_NOMEM.
 */
int pm_body_apply(struct pm_body *body, struct pm_view in, struct pm_grow *grow, size_t *ret_len,
	struct pm_report *report) PM_MUST_USE;

/* Notes that the body is longer than PM_BODY_MAX; PM_E_LIMIT. */
int pm_body_too_long(struct pm_report *report);

#endif
