/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/cmd.h"

static const char help[] =
	"Usage: pm-ctl field open --key HEX --nonce HEX --seq N [FILE]\n"
	"       pm-ctl field seal --key HEX --id ID --nonce HEX --seq N [FILE]\n"
	"Open or seal one field message (\"id:nonce:iv:ciphertext\", quotes included), for "
	"inspection.\n"
	"\n"
	"  --key HEX     the shared secret, 32 bytes; @FILE takes it from a file, as 32 bytes or\n"
	"                as 64 digits\n"
	"  --id ID       the secret's id, for seal\n"
	"  --nonce HEX   the exchange's nonce, 12 bytes\n"
	"  --seq N       number of the message in its direction, from 0\n"
	"\n"
	"Without FILE, or with -, standard input is read. open writes the value, byte for byte; "
	"seal\n"
	"writes the message and a newline.\n"
	"\n"
	"Exit status: 0 done, 1 the message is rejected (the reason is said), 2 wrong usage or "
	"input\n"
	"and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl field seal --key @secret --id $ID --nonce $NONCE --seq 0 value.json\n"
	"  pm-ctl field open --key @secret --nonce $NONCE --seq 0 message.txt\n";

enum { OPT_KEY = 256, OPT_ID, OPT_NONCE, OPT_SEQ };

static const struct option long_options[] = {
	{"key", required_argument, NULL, OPT_KEY},
	{"id", required_argument, NULL, OPT_ID},
	{"nonce", required_argument, NULL, OPT_NONCE},
	{"seq", required_argument, NULL, OPT_SEQ},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	bool seal;
	bool has_key, has_nonce, has_seq, help;
	uint8_t key[PM_FIELD_SECRET_SIZE];
	uint8_t nonce[PM_FIELD_NONCE_SIZE];
	uint32_t seq;
	const char *id;
	const char *path;
};

/* How many other positions of a message are tried, and how many bytes at most. */
#define POSITIONS_TRIED 65536
#define BYTES_TRIED	((size_t)1 << 30)

#define MESSAGE_MAX (2 * (size_t)PM_FIELD_PLAIN_MAX + 1024)

/* 32 bytes, or 64 digits and perhaps a newline. */
static int key_from_file(struct arguments *a, const char *path)
{
	char digits[2 * PM_FIELD_SECRET_SIZE + 1] = "";
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(path, sizeof(digits), &bytes, &len);
	bool good = false;

	if (r != TOOL_OK)
		return TOOL_USAGE;
	if (len == sizeof(a->key)) {
		memcpy(a->key, bytes, len);
		good = true;
	} else if (len == sizeof(digits) - 1 || (len == sizeof(digits) && bytes[len - 1] == '\n')) {
		memcpy(digits, bytes, sizeof(digits) - 1);
		good = pm_hex_decode(digits, a->key, sizeof(a->key)) == PM_OK;
	}
	explicit_bzero(bytes, len);
	explicit_bzero(digits, sizeof(digits));
	free(bytes);
	if (!good)
		warnx("--key: %s holds neither 32 bytes nor 64 hexadecimal digits", path);
	return good ? TOOL_OK : TOOL_USAGE;
}

static int set_key(struct arguments *a, const char *text)
{
	a->has_key = true;
	if (*text == '@')
		return key_from_file(a, text + 1);
	if (pm_hex_decode(text, a->key, sizeof(a->key)) == PM_OK)
		return TOOL_OK;
	warnx("--key: needs 32 bytes in hexadecimal, or @FILE");
	return TOOL_USAGE;
}

static int set_nonce(struct arguments *a, const char *text)
{
	a->has_nonce = true;
	if (pm_hex_decode(text, a->nonce, sizeof(a->nonce)) == PM_OK)
		return TOOL_OK;
	warnx("--nonce: needs 12 bytes in hexadecimal");
	return TOOL_USAGE;
}

static int set_seq(struct arguments *a, const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value > UINT32_MAX) {
		warnx("--seq: '%s' is not a number of at most %" PRIu32, text, UINT32_MAX);
		return TOOL_USAGE;
	}
	a->has_seq = true;
	a->seq = (uint32_t)value;
	return TOOL_OK;
}

static int set_option(struct arguments *a, int id)
{
	switch (id) {
	case OPT_KEY:
		return set_key(a, optarg);
	case OPT_ID:
		a->id = optarg;
		return TOOL_OK;
	case OPT_NONCE:
		return set_nonce(a, optarg);
	case OPT_SEQ:
		return set_seq(a, optarg);
	case 'h':
		a->help = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

static int check_arguments(const struct arguments *a)
{
	if (!a->has_key || !a->has_nonce || !a->has_seq) {
		warnx("field needs --key, --nonce and --seq; try --help");
		return TOOL_USAGE;
	}
	if (a->seal != (a->id != NULL)) {
		warnx(a->seal ? "field seal needs --id; try --help"
			      : "field open takes no --id: the message holds it");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

/* What to do, then options and a file in any order. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		r = set_option(a, id);
	if (r != TOOL_OK || a->help)
		return r;
	if (optind == argc || (strcmp(argv[optind], "open") && strcmp(argv[optind], "seal"))) {
		warnx("field: open or seal? try --help");
		return TOOL_USAGE;
	}
	a->seal = !strcmp(argv[optind++], "seal");
	a->path = optind < argc ? argv[optind++] : "-";
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	return check_arguments(a);
}

/* Another position at which the message does open, or -1. */
static int64_t find_position(const struct arguments *a, const struct pm_field_key *key,
	const char *message, size_t len, uint8_t *scratch, size_t room)
{
	size_t plain_len, tries = BYTES_TRIED / len;

	if (tries > POSITIONS_TRIED)
		tries = POSITIONS_TRIED;
	for (uint32_t seq = 0; seq < tries; seq++)
		if (pm_field_open_at(key, a->nonce, seq, message, len, scratch, room, &plain_len,
			    NULL) == PM_OK)
			return seq;
	return -1;
}

static void explain(const struct arguments *a, const struct pm_field_key *key, const char *message,
	size_t len, int error, const struct pm_report *report)
{
	size_t room = pm_field_open_room(len);
	const struct pm_check *failure = pm_report_failure(report);
	uint8_t *scratch = NULL;
	int64_t seq = -1;

	if (failure && !strcmp(failure->name, "field.tag"))
		scratch = malloc(room);
	if (scratch)
		seq = find_position(a, key, message, len, scratch, room);
	if (seq >= 0)
		warnx("%s: wrong position: this is message %" PRIi64 ", not %" PRIu32, a->path, seq,
			a->seq);
	else if (failure && !strcmp(failure->name, "field.tag"))
		warnx("%s: wrong key, or altered: opens at no position near", a->path);
	else
		tool_print_error(a->path, error, report);
	if (scratch)
		explicit_bzero(scratch, room);
	free(scratch);
}

static int open_with(const struct arguments *a, const struct pm_field_key *key, const char *message,
	size_t len, struct pm_report *report)
{
	size_t room = pm_field_open_room(len), plain_len = 0;
	uint8_t *plain = malloc(room + 1);
	int r;

	if (!plain) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = pm_field_open_at(key, a->nonce, a->seq, message, len, plain, room, &plain_len, report);
	if (r < 0)
		explain(a, key, message, len, r, report);
	r = r < 0 ? tool_exit_status(r) : tool_write_file("-", plain, plain_len, 0);
	explicit_bzero(plain, room);
	free(plain);
	return r;
}

static int open_message(const struct arguments *a, const char *message, size_t len)
{
	struct pm_report *report = pm_report_new();
	struct pm_field_key *key = NULL;
	char id[PM_FIELD_ID_MAX + 1];
	int r = pm_field_message_id(message, len, id);

	if (r < 0) {
		warnx("%s: malformed: no message \"id:nonce:iv:ciphertext\" with its quotes",
			a->path);
		pm_report_free(report);
		return tool_exit_status(r);
	}
	r = report ? pm_field_key_new(id, a->key, &key) : PM_E_NOMEM;
	if (r < 0)
		tool_print_error("field", r, NULL);
	r = r < 0 ? tool_exit_status(r) : open_with(a, key, message, len, report);
	pm_field_key_free(key);
	pm_report_free(report);
	return r;
}

static int seal_with(
	const struct arguments *a, struct pm_field_key *key, const uint8_t *plain, size_t len)
{
	size_t cap = pm_field_sealed_size(key, len), message_len = 0;
	char *message = malloc(cap + 1);
	int r;

	if (!message) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = pm_field_seal_at(key, a->nonce, a->seq, plain, len, message, cap, &message_len);
	if (r < 0) {
		tool_print_error("field", r, NULL);
		free(message);
		return tool_exit_status(r);
	}
	message[message_len++] = '\n';
	r = tool_write_file("-", message, message_len, 0);
	free(message);
	return r;
}

static int seal_message(const struct arguments *a, const uint8_t *plain, size_t len)
{
	struct pm_field_key *key = NULL;
	int r = pm_field_key_new(a->id, a->key, &key);

	if (r == PM_E_ARG) {
		warnx("--id: 1 to %d printable characters without quote, backslash and colon",
			PM_FIELD_ID_MAX);
		return TOOL_USAGE;
	}
	if (r < 0) {
		tool_print_error("field", r, NULL);
		return tool_exit_status(r);
	}
	r = seal_with(a, key, plain, len);
	pm_field_key_free(key);
	return r;
}

/* The length without one newline at the end, which files of text have and messages have not. */
static size_t without_newline(const uint8_t *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	if (len && text[len - 1] == '\r')
		len--;
	return len;
}

int cmd_field(int argc, char **argv)
{
	struct arguments a = {0};
	uint8_t *input = NULL;
	size_t len = 0;
	int r = parse(argc, argv, &a);

	if (r == TOOL_OK && a.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	if (r == TOOL_OK)
		r = tool_read_file(a.path, a.seal ? PM_FIELD_PLAIN_MAX : MESSAGE_MAX, &input, &len);
	if (r == TOOL_OK && a.seal)
		r = seal_message(&a, input, len);
	else if (r == TOOL_OK)
		r = open_message(&a, (const char *)input, without_newline(input, len));
	if (input)
		explicit_bzero(input, len);
	free(input);
	explicit_bzero(&a, sizeof(a));
	return r;
}
