/* SPDX-License-Identifier: Apache-2.0 */
/* A command of owners: what is read has what its op needs and no more, and is written as it was. */
#include <string.h>

#include "fuzz.h"
#include "policy/command.h"

static char text[PM_COMMAND_SIZE_MAX];

/* The same statement, and the same signatures. */
static void check_again(const struct pm_command *c)
{
	pm_cleanup(pm_command) struct pm_command *again = NULL;
	uint8_t message[PM_COMMAND_MESSAGE_SIZE], message_again[PM_COMMAND_MESSAGE_SIZE];
	size_t len = 0;

	FUZZ_CHECK(pm_command_text(c, text, &len) == PM_OK && len < sizeof(text));
	FUZZ_CHECK(pm_command_parse(text, len, NULL, &again) == PM_OK);
	pm_command_message(c, message);
	pm_command_message(again, message_again);
	FUZZ_CHECK(!memcmp(message, message_again, sizeof(message)));
	FUZZ_CHECK(again->signatures.count == c->signatures.count);
}

static void check_statement(const struct pm_command_statement *s)
{
	bool is_put = s->op == PM_COMMAND_PUT;

	FUZZ_CHECK(s->op >= PM_COMMAND_PUT && s->op <= PM_COMMAND_LOG);
	FUZZ_CHECK(s->id && strlen(s->id) <= PM_COMMAND_ID_MAX && s->manifest && s->exchange);
	FUZZ_CHECK(is_put == (s->expires != 0));
	FUZZ_CHECK(is_put || (!s->roles && !s->models));
	FUZZ_CHECK((s->content != NULL) == (is_put || s->op == PM_COMMAND_RESTORE));
	FUZZ_CHECK(s->role_count <= PM_MANIFEST_ROLES_MAX);
	FUZZ_CHECK(s->model_count <= PM_MANIFEST_MODELS_MAX);
	for (size_t i = 0; i < s->role_count; i++)
		FUZZ_CHECK(s->roles[i] && *s->roles[i]);
	for (size_t i = 0; i < s->model_count; i++)
		FUZZ_CHECK(s->models[i] && *s->models[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_command) struct pm_command *c = NULL;
	struct pm_report *report = pm_report_new();
	int r = pm_command_parse(data, size, report, &c);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT || r == PM_E_UNSUPPORTED);
	FUZZ_CHECK((r == PM_OK) == (c != NULL));
	FUZZ_CHECK((r == PM_OK) == !pm_report_failure(report));
	pm_report_free(report);
	if (!c)
		return 0;
	check_statement(pm_command_statement(c));
	check_again(c);
	return 0;
}
