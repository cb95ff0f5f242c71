/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_head.h"

#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS_MAX 18

/* What is left to read. */
struct span {
	char *at;
	char *end;
};

/* --- characters (RFC 9110, 5.6.2 and 5.5; RFC 3986) ------------------------------------------ */

static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_value_char(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool is_target_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\';
}

static bool is_host_char(unsigned char c)
{
	return is_token_char(c) || c == ':' || c == '[' || c == ']';
}

static bool all_are(const char *text, bool (*is)(unsigned char c))
{
	for (; *text; text++)
		if (!is((unsigned char)*text))
			return false;
	return true;
}

bool http_is_target(const char *text)
{
	return *text == '/' && strlen(text) <= HTTP_TARGET_MAX && all_are(text, is_target_char);
}

/* --- cutting --------------------------------------------------------------------------------- */

long http_head_end(const char *bytes, size_t len, size_t *from)
{
	size_t line = *from;

	for (;;) {
		const char *lf = line < len ? memchr(bytes + line, '\n', len - line) : NULL;
		size_t at;

		if (!lf) {
			*from = line;
			return 0;
		}
		at = (size_t)(lf - bytes);
		if (at == line || bytes[at - 1] != '\r')
			return -1;
		if (at == line + 1)
			return line ? (long)at + 1 : -1;
		line = at + 1;
	}
}

/* The next line without its CRLF, ended by NUL; NULL when there is none. */
static char *next_line(struct span *s, size_t *ret_len)
{
	char *line = s->at, *lf = memchr(s->at, '\n', (size_t)(s->end - s->at));

	if (!lf || lf == line || lf[-1] != '\r')
		return NULL;
	s->at = lf + 1;
	lf[-1] = '\0';
	*ret_len = (size_t)(lf - 1 - line);
	return line;
}

/* --- the first line -------------------------------------------------------------------------- */

/* Cuts the text at the first space, and returns what is behind it; NULL when there is none. */
static char *cut_at_space(char *text)
{
	char *space = strchr(text, ' ');

	if (!space)
		return NULL;
	*space = '\0';
	return space + 1;
}

static int parse_version(const char *version, struct http_request *ret)
{
	if (strncmp(version, "HTTP/", 5) != 0)
		return 400;
	ret->is_1_1 = !strcmp(version, "HTTP/1.1");
	return ret->is_1_1 || !strcmp(version, "HTTP/1.0") ? 0 : 505;
}

static int parse_first_line(char *line, size_t len, struct http_request *ret)
{
	char *target, *version;

	if (strlen(line) != len)
		return 400;
	target = cut_at_space(line);
	version = target ? cut_at_space(target) : NULL;
	if (!version || !*line || !all_are(line, is_token_char) || strlen(line) > HTTP_METHOD_MAX)
		return 400;
	if (*target != '/' || !all_are(target, is_target_char))
		return 400;
	if (strlen(target) > HTTP_TARGET_MAX)
		return 414;
	ret->method = line;
	ret->target = target;
	return parse_version(version, ret);
}

/* --- fields ---------------------------------------------------------------------------------- */

static char *trimmed(char *value)
{
	char *end;

	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return value;
}

static int parse_field(char *line, size_t len, struct http_request *ret)
{
	char *colon = strchr(line, ':');

	if (strlen(line) != len || !colon || colon == line || colon - line > HTTP_NAME_MAX)
		return 400;
	*colon = '\0';
	if (!all_are(line, is_token_char) || !all_are(colon + 1, is_value_char))
		return 400;
	if (ret->field_count == HTTP_FIELDS_MAX)
		return 431;
	for (char *c = line; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	ret->fields[ret->field_count++] = (struct http_field){line, trimmed(colon + 1)};
	return 0;
}

/* Readers of two of these would choose one each. */
static bool must_be_one(const char *name)
{
	static const char *const names[] = {"authorization", "content-encoding", "content-length",
		"content-type", "expect", "host", "origin", "sec-fetch-site", "transfer-encoding"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "pm-", 3) || !strncmp(name, "privatemode-", 12);
}

static bool has_two(const struct http_request *request)
{
	for (size_t i = 1; i < request->field_count; i++) {
		const char *name = request->fields[i].name;

		for (size_t k = 0; k < i && must_be_one(name); k++)
			if (!strcmp(request->fields[k].name, name))
				return true;
	}
	return false;
}

static int parse_fields(struct span *s, struct http_request *ret)
{
	size_t len;
	char *line;
	int status;

	for (;;) {
		line = next_line(s, &len);
		if (!line)
			return 400;
		if (len == 0)
			break;
		status = parse_field(line, len, ret);
		if (status)
			return status;
	}
	return s->at != s->end || has_two(ret) ? 400 : 0;
}

const char *http_request_field(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (!strcmp(request->fields[i].name, name))
			return request->fields[i].value;
	return NULL;
}

/* --- what the fields mean -------------------------------------------------------------------- */

bool http_value_has_word(const char *value, const char *word)
{
	size_t len = strlen(word);

	while (*value) {
		size_t n;

		value += strspn(value, " \t,");
		n = strcspn(value, " \t,");
		if (n == len && !strncasecmp(value, word, n))
			return true;
		value += n;
	}
	return false;
}

static bool has_connection_word(const struct http_request *request, const char *word)
{
	for (size_t i = 0; i < request->field_count; i++)
		if (!strcmp(request->fields[i].name, "connection") &&
			http_value_has_word(request->fields[i].value, word))
			return true;
	return false;
}

/* The shortest decimal, at most 18 digits; -1 for anything else. */
static int64_t parse_length(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t length = 0;

	if (!digits || text[digits] || digits > LENGTH_DIGITS_MAX || (text[0] == '0' && digits > 1))
		return -1;
	for (; *text; text++)
		length = 10 * length + (*text - '0');
	return length;
}

static int read_framing(struct http_request *ret)
{
	const char *length = http_request_field(ret, "content-length");
	const char *coding = http_request_field(ret, "transfer-encoding");

	ret->content_length = -1;
	if (coding && (length || !ret->is_1_1))
		return 400;
	if (coding && strcasecmp(coding, "chunked") != 0)
		return 501;
	ret->chunked = coding != NULL;
	if (length)
		ret->content_length = parse_length(length);
	return length && ret->content_length < 0 ? 400 : 0;
}

static int read_fields(struct http_request *ret)
{
	const char *host = http_request_field(ret, "host");
	const char *expect = http_request_field(ret, "expect");
	int status = read_framing(ret);

	if (status)
		return status;
	if ((ret->is_1_1 && !host) || (host && !all_are(host, is_host_char)))
		return 400;
	if (expect && (!ret->is_1_1 || strcasecmp(expect, "100-continue") != 0))
		return 417;
	ret->expects_continue = expect != NULL;
	ret->keep_alive = ret->is_1_1 && !has_connection_word(ret, "close");
	return 0;
}

int http_request_parse(char *head, size_t len, struct http_request *ret)
{
	struct span s = {head, head + len};
	size_t line_len;
	char *line = next_line(&s, &line_len);
	int status;

	*ret = (struct http_request){.content_length = -1};
	if (!line)
		return 400;
	status = parse_first_line(line, line_len, ret);
	if (!status)
		status = parse_fields(&s, ret);
	return status ? status : read_fields(ret);
}
