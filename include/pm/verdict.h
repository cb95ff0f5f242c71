/* SPDX-License-Identifier: Apache-2.0 */
/** @file verdict.h
 * Why evidence of several parts was accepted or refused: a tree of checks, for people and logs. One
 * check has a name, the value wanted, the value found, the source that it comes from, and its
 * outcome; a group of checks has the outcome of what it holds. A decision never depends on a
 * verdict: the return value of the call decides, and the verdict says so.
 *
 * Nodes are listed in the order in which a person reads the tree: each group before what it holds,
 * with its depth. A new verdict is a refusal without reasons.
 *
 * A verdict has a fixed size and does not allocate after pm_verdict_new(). It is not thread safe:
 * one verdict serves one call at a time.
 */
#ifndef PM_VERDICT_H
#define PM_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <pm/api.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Most nodes that a verdict keeps; further ones are counted, and the first failure stays. */
#define PM_VERDICT_NODES_MAX 2048
/** Deepest node. */
#define PM_VERDICT_DEPTH_MAX 7

/** A check, or a group of checks. The verdict owns the texts until it is reset or freed. */
struct pm_verdict_node {
	/** Outcome; of a group: failed if a check in it failed, else passed if one passed. */
	enum pm_outcome outcome;
	/** 0 at the top; what is in a group is one deeper than the group. */
	unsigned int depth;
	/** The node is a group: it holds the deeper ones that follow it. */
	bool is_group;
	/** What was checked; of a group, which part of the evidence. */
	const char *name;
	/** The value wanted, or "". */
	const char *expected;
	/** The value found, or "". */
	const char *found;
	/** Where it comes from: evidence, certificate, RIM, or place in the manifest; or "". */
	const char *source;
};

/** Opaque tree of checks. */
struct pm_verdict;

/**
 * pm_verdict_new - make a verdict: a refusal without reasons
 *
 * Return: the verdict, to be freed with pm_verdict_free(), or NULL without memory.
 */
PM_API struct pm_verdict *pm_verdict_new(void) PM_MUST_USE;

/**
 * pm_verdict_free - free a verdict
 * @verdict: the verdict, or NULL
 */
PM_API void pm_verdict_free(struct pm_verdict *verdict);

/**
 * pm_verdict_reset - make it a refusal without reasons again
 * @verdict: the verdict
 */
PM_API void pm_verdict_reset(struct pm_verdict *verdict);

/**
 * pm_verdict_is_accepted - was the evidence accepted?
 * @verdict: the verdict
 *
 * Return: true only when the call that filled the verdict returned 0.
 */
PM_API bool pm_verdict_is_accepted(const struct pm_verdict *verdict);

/**
 * pm_verdict_count - number of nodes kept
 * @verdict: the verdict
 *
 * Return: at most PM_VERDICT_NODES_MAX.
 */
PM_API size_t pm_verdict_count(const struct pm_verdict *verdict);

/**
 * pm_verdict_dropped - number of nodes that found no room
 * @verdict: the verdict
 *
 * Return: 0, unless there were more than PM_VERDICT_NODES_MAX.
 */
PM_API size_t pm_verdict_dropped(const struct pm_verdict *verdict);

/**
 * pm_verdict_at - one node, in the order of reading
 * @verdict: the verdict
 * @index: from 0
 *
 * Return: the node, owned by the verdict, or NULL when index is past the end.
 */
PM_API const struct pm_verdict_node *pm_verdict_at(const struct pm_verdict *verdict, size_t index);

/**
 * pm_verdict_failure - the first check that failed
 * @verdict: the verdict
 *
 * Return: the check, never a group, owned by the verdict; NULL when none failed.
 */
PM_API const struct pm_verdict_node *pm_verdict_failure(const struct pm_verdict *verdict);

/**
 * pm_verdict_reason - the first failure as one line
 * @verdict: the verdict
 *
 * Return: "GROUP, NAME: found FOUND, expected EXPECTED", owned by the verdict, or "" when none
 * failed.
 */
PM_API const char *pm_verdict_reason(const struct pm_verdict *verdict);

PM_END_DECLS

#endif
