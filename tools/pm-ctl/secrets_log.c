/* SPDX-License-Identifier: Apache-2.0 */
/* The log of the secret service: one log of each loop of each process, all signed by one key. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/secrets.h"
#include "pm-ctl/secrets_log_seen.h"

static const char help[] =
	"Usage: pm-ctl secrets log -o FILE OPTION...\n"
	"Fetch the log of what was released, refused and changed, and verify it: each process "
	"writes\n"
	"logs of its own, which stand one after the other, and tells in them of the others' ends.\n"
	"What a log tells of must be there, unless the store may have forgotten it by now.\n"
	"\n"
	"  -o, --output FILE    where its lines go\n"
	"  --since FILE         what was fetched earlier: all lines of it that the store must "
	"keep\n"
	"                       as yet have to be there still. It may be the file of -o, which is\n"
	"                       then replaced only when nothing is wrong\n";

/* --- an earlier one -------------------------------------------------------------------------- */

struct earlier {
	uint8_t *text;
	struct secrets_log_set set;
	bool is_output; /* the file that we shall write */
};

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What does not verify says nothing of what was there. */
static int read_earlier(const struct secrets_call *call, struct earlier *ret)
{
	size_t len = 0;
	int r = tool_read_file(call->since, SECRETS_LOG_MAX, &ret->text, &len);

	if (r == TOOL_OK)
		r = secrets_log_read(call->since, (const char *)ret->text, len, &ret->set);
	ret->is_output = is_same_file(call->since, call->output);
	return r;
}

/* --- this one -------------------------------------------------------------------------------- */

static void print(const struct secrets_log_one *log)
{
	if (!log->is_authentic)
		return;
	printf("%s: %llu entries", log->name, (unsigned long long)log->head.entries);
	if (log->first > 1)
		printf(", of which the first %llu are gone", (unsigned long long)log->first - 1);
	printf("\n");
}

/* Each log by itself, and then what they, and an earlier fetch, say of each other. */
static int verify(const struct secrets_call *call, const struct earlier *earlier,
	const struct pm_operator_answer *answer)
{
	struct secrets_log_set set;
	int64_t now = time(NULL);
	int r = secrets_log_read(call->service, (const char *)answer->body, answer->len, &set), s;

	for (size_t i = 0; i < set.count; i++)
		print(set.logs[i]);
	s = secrets_log_check(&set, now);
	r = r == TOOL_OK ? s : r;
	s = call->since ? secrets_log_check_since(&set, &earlier->set, now) : TOOL_OK;
	secrets_log_clear(&set);
	return r == TOOL_OK ? s : r;
}

/* What was refused is kept too, for whoever looks into it; but not in place of what is better. */
static int keep(const struct secrets_call *call, const struct earlier *earlier,
	const struct pm_operator_answer *answer, int verified)
{
	int r;

	if (verified != TOOL_OK && earlier->is_output) {
		warnx("%s: left as it is", call->output);
		return verified;
	}
	r = tool_write_file(call->output, answer->body, answer->len, 0600);
	return r == TOOL_OK ? verified : r;
}

static int fetch(struct secrets_call *call, const struct earlier *earlier)
{
	const struct pm_command_statement s = {.op = PM_COMMAND_LOG, .id = ""};
	json_t *command = secrets_command(call, &s);
	struct pm_operator_answer answer;
	int r;

	if (!command)
		return TOOL_USAGE;
	r = secrets_ask(call, "POST", "/log", json_pack("{s:o}", "Command", command), &answer);
	if (r != TOOL_OK)
		return r;
	r = keep(call, earlier, &answer, verify(call, earlier, &answer));
	pm_operator_answer_clear(&answer);
	return r;
}

static int run(struct secrets_call *call)
{
	struct earlier earlier = {0};
	int r = call->since ? read_earlier(call, &earlier) : TOOL_OK;

	if (r == TOOL_OK)
		r = fetch(call, &earlier);
	secrets_log_clear(&earlier.set);
	free(earlier.text);
	return r;
}

int secrets_log(int argc, char **argv)
{
	static const struct secrets_verb verb = {"log", help, "", 0, true, run};

	return secrets_run(&verb, argc, argv);
}
