/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of the operator's file where libcurl is missing: the same symbols. */
#include <pm/operator.h>

#include "base/report.h"

int pm_operator_new(const char *url, const struct pm_operator_options *options,
	struct pm_report *report, struct pm_operator **ret_operator)
{
	(void)url;
	(void)options;
	(void)ret_operator;
	return pm_fail(
		report, PM_E_UNSUPPORTED, "operator", "a library with libcurl", "built without");
}

/* There is no operator, so no call below has one. */

void pm_operator_free(struct pm_operator *op)
{
	(void)op;
}

const char *pm_operator_exchange(const struct pm_operator *op)
{
	(void)op;
	return "";
}

int pm_operator_ask(struct pm_operator *op, const char *method, const char *path, const void *body,
	size_t len, struct pm_report *report, struct pm_operator_answer *ret_answer)
{
	(void)op;
	(void)method;
	(void)path;
	(void)body;
	(void)len;
	(void)report;
	(void)ret_answer;
	return PM_E_UNSUPPORTED;
}

void pm_operator_answer_clear(struct pm_operator_answer *answer)
{
	(void)answer;
}
