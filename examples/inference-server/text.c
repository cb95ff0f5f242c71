/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- texts ----------------------------------------------------------------------------------- */

/* What a part with an image holds: its URL, or its data in base64; or NULL. */
static const char *image_of(const json_t *part)
{
	const json_t *openai = json_object_get(part, "image_url");
	const json_t *anthropic = json_object_get(part, "source");

	if (openai)
		return json_string_value(json_object_get(openai, "url"));
	return json_string_value(json_object_get(anthropic, "data"));
}

/* The text of a part; an image is told by its size. Freed by the caller. */
static char *part_text(const json_t *part)
{
	const char *image = image_of(part);
	const char *text = json_is_string(part) ? json_string_value(part)
						: json_string_value(json_object_get(part, "text"));
	char *said = NULL;

	if (!image)
		return text ? strdup(text) : NULL;
	return asprintf(&said, " [image of %zu characters]", strlen(image)) < 0 ? NULL : said;
}

/* A string, or the texts of an array of parts. */
static char *text_of(const json_t *content)
{
	const json_t *part;
	char *all = NULL;
	size_t i, len = 0;

	if (json_is_string(content))
		return strdup(json_string_value(content));
	json_array_foreach(content, i, part)
	{
		char *text = part_text(part);
		char *grown = text ? realloc(all, len + strlen(text) + 1) : NULL;

		if (grown) {
			all = grown;
			strcpy(all + len, text);
			len += strlen(text);
		}
		free(text);
	}
	return all ? all : strdup("");
}

char *asked_text(const json_t *request)
{
	const json_t *messages = json_object_get(request, "messages");
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);

	if (messages)
		return text_of(json_object_get(last, "content"));
	return text_of(json_object_get(request, "prompt"));
}

size_t next_word(const char *text)
{
	size_t spaces = strspn(text, " \n\t");

	return spaces + strcspn(text + spaces, " \n\t");
}

long count_words(const char *text)
{
	long n = 0;

	for (; *text; text += next_word(text))
		n++;
	return n;
}

/* --- forms ----------------------------------------------------------------------------------- */

/* The boundary, with two hyphens before it; its length, or 0. */
static size_t read_boundary(const char *content_type, char ret[128])
{
	const char *at = content_type ? strstr(content_type, "boundary=") : NULL;
	size_t len;

	if (!at)
		return 0;
	at += 9;
	at += *at == '"';
	len = strcspn(at, "\"; ");
	if (len == 0 || len > 100)
		return 0;
	ret[0] = ret[1] = '-';
	memcpy(ret + 2, at, len);
	return len + 2;
}

/* The value of name="..." in the head of a part. */
static const char *parameter(const char *head, size_t head_len, const char *name, size_t *ret_len)
{
	const char *at = memmem(head, head_len, name, strlen(name)), *end;

	if (!at)
		return NULL;
	at += strlen(name);
	end = memchr(at, '"', head_len - (size_t)(at - head));
	if (!end)
		return NULL;
	*ret_len = (size_t)(end - at);
	return at;
}

static bool read_part(const char *bytes, size_t len, struct part *ret)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	size_t head = end ? (size_t)(end - bytes) : 0;

	if (!end || len < head + 6)
		return false;
	*ret = (struct part){.content = end + 4, .content_len = len - head - 6};
	ret->name = parameter(bytes, head, " name=\"", &ret->name_len);
	ret->file = parameter(bytes, head, "filename=\"", &ret->file_len);
	return ret->name != NULL;
}

bool find_part(const struct job *job, const char *content_type, const char *name, struct part *ret)
{
	char boundary[128];
	size_t n = read_boundary(content_type, boundary);
	const char *at = n ? memmem(job->body, job->body_len, boundary, n) : NULL;

	while (at) {
		const char *begin = at + n;
		size_t left = job->body_len - (size_t)(begin - job->body);

		at = memmem(begin, left, boundary, n);
		if (!at || !read_part(begin, (size_t)(at - begin), ret))
			continue;
		if (ret->name_len == strlen(name) && !memcmp(ret->name, name, ret->name_len))
			return true;
	}
	return false;
}
