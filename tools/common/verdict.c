/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verdict.h"

#include <stdio.h>
#include <string.h>

#include "common/checks.h"

#define INDENT 2

/* Names of checks stand in a column, whatever their depth. */
#define NAME_WIDTH 36

static void print_found(const struct pm_verdict_node *n)
{
	int indent = (int)n->depth * INDENT;

	printf("%*s%s %-*s ", indent, "", tool_outcome_sign(n->outcome), NAME_WIDTH - indent,
		n->name);
	if (n->outcome == PM_FAILED)
		printf("found %s%s%s\n", n->found, n->expected[0] ? ", expected " : "",
			n->expected);
	else
		printf("%s\n", n->found);
}

static void print_node(const struct pm_verdict_node *n, const struct pm_verdict_node *before)
{
	int indent = (int)n->depth * INDENT;

	if (n->source[0] && (!before || before->is_group || strcmp(before->source, n->source)))
		printf("%*s[%s]\n", indent, "", n->source);
	if (n->is_group)
		printf("%*s%s %s\n", indent, "", tool_outcome_sign(n->outcome), n->name);
	else
		print_found(n);
}

void tool_print_verdict(const struct pm_verdict *verdict)
{
	for (size_t i = 0; i < pm_verdict_count(verdict); i++)
		print_node(pm_verdict_at(verdict, i), i ? pm_verdict_at(verdict, i - 1) : NULL);
	if (pm_verdict_dropped(verdict))
		printf("... and %zu more\n", pm_verdict_dropped(verdict));
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *node_json(const struct pm_verdict_node *n)
{
	json_t *o =
		json_pack("{s:s, s:s}", "name", n->name, "outcome", tool_outcome_name(n->outcome));

	if (n->source[0])
		json_object_set_new(o, "source", json_string(n->source));
	if (n->is_group) {
		json_object_set_new(o, "checks", json_array());
		return o;
	}
	json_object_set_new(o, "found", json_string(n->found));
	if (n->outcome == PM_FAILED)
		json_object_set_new(o, "expected", json_string(n->expected));
	return o;
}

json_t *tool_verdict_json(const struct pm_verdict *verdict)
{
	json_t *lists[PM_VERDICT_DEPTH_MAX + 1] = {json_array()};

	for (size_t i = 0; i < pm_verdict_count(verdict); i++) {
		const struct pm_verdict_node *n = pm_verdict_at(verdict, i);
		json_t *o = node_json(n);

		json_array_append_new(lists[n->depth], o);
		if (n->is_group && n->depth < PM_VERDICT_DEPTH_MAX)
			lists[n->depth + 1] = json_object_get(o, "checks");
	}
	return lists[0];
}
