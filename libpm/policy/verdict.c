/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/verdict.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE   128
#define SOURCE_SIZE 160
#define TEXT_SIZE   256

struct entry {
	struct pm_verdict_node node;
	char name[NAME_SIZE];
	char source[SOURCE_SIZE];
	char expected[TEXT_SIZE];
	char found[TEXT_SIZE];
};

/* A group that has begun and not ended. */
struct group {
	struct entry *entry; /* NULL when there was no room for it */
	bool passed, failed; /* a check in it */
};

struct pm_verdict {
	bool accepted;
	size_t count, dropped;
	const struct entry *failure; /* the first */
	unsigned int depth;
	struct group open[PM_VERDICT_DEPTH_MAX];
	char reason[PM_VERDICT_DEPTH_MAX * NAME_SIZE + 3 * TEXT_SIZE];
	struct entry entries[PM_VERDICT_NODES_MAX];
};

struct pm_verdict *pm_verdict_new(void)
{
	return pm_alloc(sizeof(struct pm_verdict));
}

void pm_verdict_free(struct pm_verdict *verdict)
{
	free(verdict);
}

void pm_verdict_reset(struct pm_verdict *verdict)
{
	verdict->accepted = false;
	verdict->count = verdict->dropped = 0;
	verdict->failure = NULL;
	verdict->depth = 0;
	verdict->reason[0] = '\0';
}

bool pm_verdict_is_accepted(const struct pm_verdict *verdict)
{
	return verdict->accepted;
}

size_t pm_verdict_count(const struct pm_verdict *verdict)
{
	return verdict->count;
}

size_t pm_verdict_dropped(const struct pm_verdict *verdict)
{
	return verdict->dropped;
}

const struct pm_verdict_node *pm_verdict_at(const struct pm_verdict *verdict, size_t index)
{
	return index < verdict->count ? &verdict->entries[index].node : NULL;
}

const struct pm_verdict_node *pm_verdict_failure(const struct pm_verdict *verdict)
{
	return verdict->failure ? &verdict->failure->node : NULL;
}

const char *pm_verdict_reason(const struct pm_verdict *verdict)
{
	return verdict->reason;
}

/* --- filling ---------------------------------------------------------------------------------- */

/* Names of roles and models come with the evidence: none shall steer a terminal. */
static void set_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	for (; *to; to++) {
		if (*to < ' ' || *to > '~')
			*to = '?';
	}
}

/* The next entry. When all are taken NULL, but the last one gives way to the first failure. */
static struct entry *next_entry(struct pm_verdict *verdict, enum pm_outcome outcome)
{
	if (verdict->count < PM_VERDICT_NODES_MAX)
		return &verdict->entries[verdict->count++];
	verdict->dropped++;
	if (outcome != PM_FAILED || verdict->failure)
		return NULL;
	return &verdict->entries[PM_VERDICT_NODES_MAX - 1];
}

static struct entry *add(
	struct pm_verdict *verdict, enum pm_outcome outcome, const char *name, const char *source)
{
	struct entry *e = next_entry(verdict, outcome);

	if (!e)
		return NULL;
	set_text(e->name, sizeof(e->name), name);
	set_text(e->source, sizeof(e->source), source);
	e->expected[0] = e->found[0] = '\0';
	e->node = (struct pm_verdict_node){
		.outcome = outcome,
		.depth = verdict->depth,
		.name = e->name,
		.expected = e->expected,
		.found = e->found,
		.source = e->source,
	};
	return e;
}

void pm_verdict_begin(struct pm_verdict *verdict, const char *name, const char *source)
{
	struct entry *e;

	if (!verdict)
		return;
	e = add(verdict, PM_NOT_CHECKED, name, source);
	if (e)
		e->node.is_group = true;
	verdict->open[verdict->depth++] = (struct group){.entry = e};
}

static void tell_parent(struct pm_verdict *verdict, enum pm_outcome outcome)
{
	struct group *parent;

	if (!verdict->depth)
		return;
	parent = &verdict->open[verdict->depth - 1];
	parent->passed |= outcome == PM_PASSED;
	parent->failed |= outcome == PM_FAILED;
}

void pm_verdict_end(struct pm_verdict *verdict)
{
	enum pm_outcome outcome = PM_NOT_CHECKED;
	const struct group *g;

	if (!verdict)
		return;
	g = &verdict->open[--verdict->depth];
	if (g->failed)
		outcome = PM_FAILED;
	else if (g->passed)
		outcome = PM_PASSED;
	if (g->entry && g->entry->node.is_group)
		g->entry->node.outcome = outcome;
	tell_parent(verdict, outcome);
}

static void note_first_failure(struct pm_verdict *verdict, const struct entry *e)
{
	const char *sep = e->expected[0] ? ", expected " : "";
	size_t len = 0;

	if (verdict->failure)
		return;
	verdict->failure = e;
	for (unsigned int i = 0; i < verdict->depth; i++) {
		const struct entry *g = verdict->open[i].entry;

		if (g && g != e)
			len += (size_t)snprintf(verdict->reason + len,
				sizeof(verdict->reason) - len, "%s, ", g->name);
	}
	snprintf(verdict->reason + len, sizeof(verdict->reason) - len, "%s: found %s%s%s", e->name,
		e->found, sep, e->expected);
}

static void add_check(struct pm_verdict *verdict, const struct pm_check *c, const char *source)
{
	struct entry *e = add(verdict, c->outcome, c->name, source);

	tell_parent(verdict, c->outcome);
	if (!e)
		return;
	set_text(e->expected, sizeof(e->expected), c->expected);
	set_text(e->found, sizeof(e->found), c->found);
	if (c->outcome == PM_FAILED)
		note_first_failure(verdict, e);
}

void pm_verdict_take(struct pm_verdict *verdict, struct pm_report *report, const char *source)
{
	if (!verdict || !report)
		return;
	for (size_t i = 0; i < pm_report_count(report); i++)
		add_check(verdict, pm_report_at(report, i), source);
	pm_report_reset(report);
}

void pm_verdict_go_on(struct pm_verdict *verdict)
{
	if (verdict)
		verdict->accepted = false;
}

void pm_verdict_accept(struct pm_verdict *verdict)
{
	if (verdict)
		verdict->accepted = true;
}
