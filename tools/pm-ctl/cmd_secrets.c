/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/secrets.h"

static const struct tool_verb verbs[] = {
	{"backup", secrets_backup, "fetch all secrets of owners, encrypted to holders of shares"},
	{"log", secrets_log, "fetch the log of the secret service, and verify it"},
	{"put", secrets_put, "keep a secret, or replace it"},
	{"restore", secrets_restore, "give back what a backup holds"},
	{"revoke", secrets_revoke, "end a secret"},
	{"rotate", secrets_rotate, "have all values sealed under new keys"},
	{"show", secrets_show, "tell of a secret what is no secret"},
	{"sign", secrets_sign, "sign a command that another owner makes"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl secrets",
	.summary = "Command the secret service of a deployment, as its owners.",
	.yes = "done",
	.verbs = verbs,
};

int cmd_secrets(int argc, char **argv)
{
	return tool_run(&program, argc, argv);
}
