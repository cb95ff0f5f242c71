/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/cmd.h"

static const char help[] =
	"Usage: pm-ctl sealed inspect [--json] [FILE]\n"
	"Show the frames of a sealed request or response: the body of application/vnd.pm.sealed.\n"
	"Without the key nothing is authenticated, and no content is shown.\n"
	"\n"
	"  FILE    the body; - or none is standard input\n"
	"  --json  one JSON object\n"
	"\n"
	"Exit status: 0 whole frames and a final one, 1 malformed or cut short, 2 wrong usage or\n"
	"input and output.\n"
	"\n"
	"Example:\n"
	"  curl -s ... | pm-ctl sealed inspect -\n";

static const struct option long_options[] = {
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* Tag, nonce, flag and length of the content: what a sealed message has more than its content. */
#define MESSAGE_OVERHEAD PM_SEALED_MESSAGE_MIN

struct inspection {
	struct pm_sealed_scan *scan;
	struct pm_report *report;
	uint8_t header[PM_SEALED_HEADER_SIZE];
	uint64_t bytes, frames;
	bool final;
	json_t *list; /* of the frames; NULL: they are printed as they come */
};

static void keep_header(struct inspection *in, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && in->bytes + i < PM_SEALED_HEADER_SIZE; i++)
		in->header[in->bytes + i] = bytes[i];
	in->bytes += len;
}

static void print_header(const struct inspection *in)
{
	char text[2 * PM_SEALED_HEADER_SIZE + 1];

	pm_hex_encode(in->header, PM_SEALED_HEADER_SIZE, text);
	printf("header %s\n%8s %8s %8s\n", text, "frame", "message", "content");
}

/* Padding can't be told from content. */
static void show_frame(struct inspection *in, const struct pm_sealed_frame *f)
{
	in->frames++;
	in->final = f->final;
	if (in->list) {
		json_array_append_new(
			in->list, json_pack("{s:I, s:I, s:b}", "index", (json_int_t)f->index,
					  "length", (json_int_t)f->length, "final", f->final));
		return;
	}
	if (f->index == 0)
		print_header(in);
	printf("%8llu %8u  <=%5u%s\n", (unsigned long long)f->index, f->length,
		f->length - MESSAGE_OVERHEAD, f->final ? " final" : "");
}

static int scan_bytes(struct inspection *in, const uint8_t *bytes, size_t len)
{
	size_t at = 0, used = 0;

	keep_header(in, bytes, len);
	while (at < len) {
		struct pm_sealed_frame frame = {0};
		int r = pm_sealed_scan_next(
			in->scan, bytes + at, len - at, in->report, &used, &frame);

		if (r < 0)
			return r;
		at += used;
		if (frame.length)
			show_frame(in, &frame);
	}
	return PM_OK;
}

/* Reads fd to its end. TOOL_USAGE when that fails, else what the scan says in *ret. */
static int scan_fd(struct inspection *in, int fd, const char *path, int *ret)
{
	uint8_t bytes[65536];
	ssize_t n;

	*ret = PM_OK;
	while (*ret == PM_OK && (n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn("%s", path);
			return TOOL_USAGE;
		}
		*ret = scan_bytes(in, bytes, (size_t)n);
	}
	if (*ret == PM_OK)
		*ret = pm_sealed_scan_end(in->scan, in->report);
	return TOOL_OK;
}

static int print_json(struct inspection *in, int result)
{
	char text[2 * PM_SEALED_HEADER_SIZE + 1] = "";
	json_t *o;
	int r;

	if (in->bytes >= PM_SEALED_HEADER_SIZE)
		pm_hex_encode(in->header, PM_SEALED_HEADER_SIZE, text);
	o = json_pack("{s:s, s:I, s:O, s:b, s:b, s:s}", "header", text, "bytes",
		(json_int_t)in->bytes, "frames", in->list, "final", in->final, "whole",
		result == PM_OK, "reason", pm_report_reason(in->report));
	r = o ? json_dumpf(o, stdout, JSON_INDENT(2)) : -1;
	putchar('\n');
	json_decref(o);
	return r < 0 ? TOOL_USAGE : tool_exit_status(result);
}

static int print_end(const struct inspection *in, int result)
{
	if (result != PM_OK) {
		fflush(stdout);
		tool_print_error("sealed", result, in->report);
		return tool_exit_status(result);
	}
	printf("%llu frames, %llu bytes, whole; not authenticated\n",
		(unsigned long long)in->frames, (unsigned long long)in->bytes);
	return TOOL_OK;
}

static int inspect(struct inspection *in, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int r, result;

	if (fd < 0) {
		warn("%s", path);
		return TOOL_USAGE;
	}
	r = scan_fd(in, fd, path, &result);
	if (!is_stdin)
		close(fd);
	if (r != TOOL_OK)
		return r;
	r = in->list ? print_json(in, result) : print_end(in, result);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return r;
	warn("standard output");
	return TOOL_USAGE;
}

static int run(const char *path, bool json)
{
	struct inspection in = {.report = pm_report_new(), .list = json ? json_array() : NULL};
	int r = TOOL_USAGE;

	if (in.report && (in.list || !json) && pm_sealed_scan_new(&in.scan) == PM_OK)
		r = inspect(&in, path);
	else
		warnx("out of memory");
	pm_sealed_scan_free(in.scan);
	pm_report_free(in.report);
	json_decref(in.list);
	return r;
}

int cmd_sealed(int argc, char **argv)
{
	bool json = false;
	int id;

	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (id == 'h') {
			fputs(help, stdout);
			return TOOL_OK;
		}
		if (id != 'j')
			return TOOL_USAGE; /* getopt said why */
		json = true;
	}
	if (optind == argc || strcmp(argv[optind], "inspect") != 0) {
		warnx("sealed needs what to do: inspect; try --help");
		return TOOL_USAGE;
	}
	if (argc - optind > 2) {
		warnx("unexpected argument '%s'", argv[optind + 2]);
		return TOOL_USAGE;
	}
	return run(argc - optind == 2 ? argv[optind + 1] : "-", json);
}
