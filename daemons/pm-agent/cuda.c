/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPUs that CUDA sees. CUDA's driver is asked by a process of its own, which knows nothing of
 * CUDA_VISIBLE_DEVICES: what the machine has counts, not what a program chooses of it; and no part
 * of CUDA stays behind in the agent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "pm-agent/process.h"
#include "pm-agent/round.h"

/* Milliseconds that CUDA gets. */
#define TIME	   120000
#define OUTPUT_MAX 8192

/* --- the process that asks ------------------------------------------------------------------- */

int cuda_list(const struct agent_options *o)
{
	struct pm_gpu_bus_id ids[PM_GPU_HOST_DEVICES_MAX];
	struct pm_report *report = pm_report_new();
	size_t count = 0;
	int error = pm_gpu_cuda_enumerate(
		o->cuda_library, report, ids, PM_GPU_HOST_DEVICES_MAX, &count);

	if (error < 0)
		printf("error %d %s\n", error, report ? pm_report_reason(report) : "");
	else
		printf("ok %zu\n", count);
	for (size_t i = 0; error == PM_OK && i < count; i++)
		printf("%x %x %x %x\n", ids[i].domain, ids[i].bus, ids[i].device, ids[i].function);
	pm_report_free(report);
	return fflush(stdout) ? AGENT_USAGE : AGENT_OK;
}

/* --- the process that is told ---------------------------------------------------------------- */

static int parse_id(const char *line, struct pm_gpu_bus_id *ret)
{
	unsigned int domain, bus, device, function;

	if (sscanf(line, "%x %x %x %x", &domain, &bus, &device, &function) != 4)
		return PM_E_FORMAT;
	*ret = (struct pm_gpu_bus_id){domain, (uint8_t)bus, (uint8_t)device, (uint8_t)function, 0};
	return PM_OK;
}

static int parse_list(char *text, struct pm_gpu_bus_id *ret_ids, size_t count)
{
	char *line, *rest = text;

	for (size_t i = 0; i < count; i++) {
		line = strsep(&rest, "\n");
		if (!line || !rest || parse_id(line, &ret_ids[i]) < 0)
			return PM_E_FORMAT;
	}
	return rest && !*rest ? PM_OK : PM_E_FORMAT;
}

/* The library is not there at all: a machine, or a container, without CUDA. */
static int without_cuda(struct round *r, int error, const char *why)
{
	if (error == PM_E_STATE)
		return error;
	if (error == PM_E_MISSING && r->o->cuda == AGENT_CUDA_AUTO) {
		log_event(LOG_LEVEL_WARN, "cuda-not-checked", "reason", why, NULL);
		return PM_OK;
	}
	return note_fail(&r->note, error, "", "%s", why);
}

static int judge(struct round *r, char *text)
{
	struct pm_gpu_bus_id ids[PM_GPU_HOST_DEVICES_MAX];
	char *rest = strchr(text, '\n');
	size_t count;
	int error, at = 0;

	if (rest)
		*rest++ = '\0';
	if (sscanf(text, "error %d %n", &error, &at) == 1 && at && error < 0)
		return without_cuda(r, error, text + at);
	if (!rest || sscanf(text, "ok %zu", &count) != 1 || count > PM_GPU_HOST_DEVICES_MAX ||
		parse_list(rest, ids, count) < 0)
		return note_fail(&r->note, PM_E_SYS, "", "CUDA: no list of GPUs");
	error = pm_gpu_host_check_cuda(r->host, ids, count, r->report);
	if (error < 0)
		return note_report(&r->note, error, "", r->report);
	r->cuda_checked = true;
	return PM_OK;
}

/* The environment without the choice of GPUs. */
static char **environment(void)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = malloc((n + 1) * sizeof(*env));
	for (size_t i = 0; env && i < n; i++) {
		if (strncmp(environ[i], "CUDA_VISIBLE_DEVICES=", 21) != 0)
			env[kept++] = environ[i];
	}
	if (env)
		env[kept] = NULL;
	return env;
}

static int ask(struct round *r, struct process *p)
{
	static char name[] = "pm-agent", list[] = "--list-cuda", option[] = "--cuda-library";
	char library[] = PM_GPU_CUDA;
	const char *own = r->o->cuda_library;
	char *argv[] = {name, list, option, library, NULL};
	char **env = environment();
	int error;

	if (!env)
		return note_fail(&r->note, PM_E_NOMEM, "", "out of memory");
	if (own)
		memcpy(&argv[3], &own, sizeof(own));
	error = process_start(PROCESS_SELF, argv, env, STDOUT_FILENO, p);
	free(env);
	if (error)
		return note_fail(&r->note, PM_E_SYS, "", "CUDA: %s", strerror(errno));
	return PM_OK;
}

int cuda_check(struct round *r)
{
	struct process p = {0, -1};
	char *text;
	size_t len;
	int error;

	if (r->o->cuda == AGENT_CUDA_OFF)
		return PM_OK;
	error = ask(r, &p);
	if (error < 0)
		return error;
	text = process_read(&p, OUTPUT_MAX, process_now() + TIME, &len);
	error = text ? judge(r, text)
		     : note_fail(&r->note, PM_E_SYS, "", "CUDA: no answer in time");
	free(text);
	(void)process_end(&p);
	return error;
}
