/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict of libpm, for people and for programs. */
#ifndef TOOL_COMMON_VERDICT_H
#define TOOL_COMMON_VERDICT_H

#include <jansson.h>
#include <pm/verdict.h>

/*
 * An indented tree: a sign, the name, the value, and for a failure the value wanted. What the
 * checks are made on stands above each run of those that share it.
 */
void tool_print_verdict(const struct pm_verdict *verdict);

/*
 * [{"name", "outcome": "passed"|"failed"|"not checked", "source", and either "found" with
 * "expected" for a failure, or "checks": [...] of a group}...], or NULL.
 */
json_t *tool_verdict_json(const struct pm_verdict *verdict);

#endif
