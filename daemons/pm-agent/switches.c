/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of NVSwitches. The GPUs' driver does not give it: NVIDIA's NSCQ library does, and what
 * NVIDIA's SDK collects with it comes here as that SDK's JSON, out of files or from a command.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pm-agent/file.h"
#include "pm-agent/process.h"
#include "pm-agent/round.h"

/* Milliseconds that the command gets. */
#define COMMAND_TIME 120000

static int take(struct round *r, const struct pm_gpu_list *list, size_t index, const uint8_t *nonce)
{
	size_t size, certs_size;
	const uint8_t *bytes = pm_gpu_list_report(list, index, &size);
	const uint8_t *certs = pm_gpu_list_certs(list, index, &certs_size);
	struct device *d;
	char name[48];
	int error;

	snprintf(name, sizeof(name), "switch %zu", r->count - r->gpu_count);
	d = round_add_device(r, name);
	if (!d)
		return r->note.error;
	memcpy(d->nonce, nonce, sizeof(d->nonce));
	error = device_take(r, d, bytes, size, certs, certs_size);
	if (error < 0)
		return error;
	error = pm_gpu_list_check(list, index, d->evidence, d->report);
	d->error = error;
	return error < 0 ? note_report(&r->note, error, d->name, d->report) : PM_OK;
}

static int take_list(
	struct round *r, const char *text, size_t len, const char *from, const uint8_t *nonce)
{
	struct pm_report *report = pm_report_new();
	struct pm_gpu_list *list = NULL;
	int error = pm_gpu_list_parse(text, len, report, &list);

	if (error < 0)
		(void)note_fail(&r->note, error, "", "%s: %s", from,
			report && *pm_report_reason(report) ? pm_report_reason(report)
							    : pm_strerror(error));
	for (size_t i = 0; error == PM_OK && i < pm_gpu_list_count(list); i++)
		error = take(r, list, i, nonce);
	pm_gpu_list_free(list);
	pm_report_free(report);
	return error;
}

/* --- sources --------------------------------------------------------------------------------- */

static int read_files(struct round *r, const uint8_t *nonce)
{
	int error = PM_OK;

	for (size_t i = 0; error == PM_OK && i < r->o->switches.count; i++) {
		const char *path = r->o->switches.items[i];
		uint8_t *bytes = NULL;
		size_t size;

		error = file_read(path, PM_GPU_LIST_SIZE_MAX, &r->note, &bytes, &size);
		if (error == PM_OK)
			error = take_list(r, (const char *)bytes, size, path, nonce);
		free(bytes);
	}
	return error;
}

/* COMMAND NONCE, without a shell. */
static int run_command(struct round *r, const uint8_t *nonce)
{
	char hex[2 * PM_GPU_NONCE_SIZE + 1], *text;
	struct process p = {0, -1};
	char *argv[3] = {NULL, hex, NULL};
	size_t len;
	int error, status;

	pm_hex_encode(nonce, PM_GPU_NONCE_SIZE, hex);
	memcpy(&argv[0], &r->o->switch_command, sizeof(argv[0]));
	if (process_start(r->o->switch_command, argv, environ, STDOUT_FILENO, &p))
		return note_fail(
			&r->note, PM_E_SYS, "", "%s: %s", r->o->switch_command, strerror(errno));
	text = process_read(&p, PM_GPU_LIST_SIZE_MAX, process_now() + COMMAND_TIME, &len);
	status = process_wait(&p);
	if (!text || status)
		error = note_fail(&r->note, PM_E_SYS, "", "%s: %s", r->o->switch_command,
			text ? "it failed" : "no whole answer in time");
	else
		error = take_list(r, text, len, r->o->switch_command, nonce);
	free(text);
	return error;
}

/* Switches get the nonce of the first GPU: with a key it is the one nonce of all devices. */
int switches_collect(struct round *r)
{
	uint8_t nonce[PM_GPU_NONCE_SIZE];

	memcpy(nonce, r->devices[0].nonce, sizeof(nonce));
	if (r->o->switches.count)
		return read_files(r, nonce);
	return r->o->switch_command ? run_command(r, nonce) : PM_OK;
}
