/* SPDX-License-Identifier: Apache-2.0 */
/* What a response cost, and how a request asks to be told. */
#ifndef PM_ENVELOPE_USAGE_H
#define PM_ENVELOPE_USAGE_H

#include <pm/body.h>
#include "envelope/grow.h"
#include "envelope/json_scan.h"

/* Reads the value of a response's field "usage". What is malformed in it does not count. */
void pm_usage_read(struct pm_usage *usage, enum pm_endpoint endpoint, struct pm_json *scratch,
	struct pm_view value);

/* Reads the value of "message" of Anthropic's event message_start, which holds a usage. */
void pm_usage_read_message(struct pm_usage *usage, struct pm_json *scratch, struct pm_view value);

/* Would an inference server take the value, of JSON or of a form, for true? In doubt it would. */
bool pm_usage_is_true(struct pm_view value);

/*
 * Appends the text of a chat or completion request to out; where its field stream is true, its
 * stream_options ask for usage. PM_E_FORMAT when stream_options is neither an object nor null;
 * what pm_json_scan() returns.
 */
int pm_usage_ask(struct pm_json *scratch, struct pm_json *scratch_options, struct pm_view text,
	struct pm_grow *out) PM_MUST_USE;

#endif
