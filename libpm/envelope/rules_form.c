/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a request that is a form: of the field that the server will read. */
#include <pm/rules.h>

#include "base/report.h"
#include "envelope/form_parse.h"

struct reading {
	struct pm_request_facts facts;
	bool found;
	struct pm_report *report;
};

static int read_model(struct pm_view value, struct reading *reading)
{
	struct pm_request_facts *facts = &reading->facts;

	if (value.len >= PM_REQUEST_MODEL_SIZE)
		return pm_fail(reading->report, PM_E_LIMIT, "model", "256 characters at most",
			"%zu", value.len);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < ' ' || value.ptr[i] > '~')
			return pm_fail(reading->report, PM_E_FORMAT, "model",
				"printable characters of ASCII", "others");
	pm_copy(facts->model, value.ptr, value.len);
	facts->model[value.len] = '\0';
	return PM_OK;
}

/* Of two readers disagree which one counts, and whether a file is a value. */
static int take_part(const struct pm_form_part *part, void *arg)
{
	struct reading *reading = arg;

	if (!pm_view_equal(part->name, pm_view("model", 5)))
		return PM_OK;
	if (reading->found || part->file)
		return pm_fail(reading->report, PM_E_FORMAT, "model", "one field",
			reading->found ? "two" : "a file");
	reading->found = true;
	return read_model(part->content, reading);
}

int pm_request_read_form(const char *content_type, const void *form, size_t len,
	struct pm_request_facts *ret_facts, struct pm_report *report)
{
	struct reading reading = {.facts = {.size = sizeof(reading.facts)}, .report = report};
	struct pm_form_type type;
	int r;

	if (ret_facts->size != sizeof(reading.facts))
		return PM_E_ARG;
	r = pm_form_type_parse(content_type, &type);
	if (r < 0)
		return pm_fail(report, r, "form.type", "multipart/form-data with a boundary",
			"another type, or none");
	r = pm_form_each(&type, pm_view(form, len), take_part, &reading, report);
	if (r < 0)
		return r;
	*ret_facts = reading.facts;
	return PM_OK;
}
