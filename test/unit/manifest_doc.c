/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest_doc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

json_t *doc_table(void)
{
	json_error_t error;
	json_t *table = json_load_file(PM_MANIFEST_CASES, JSON_ALLOW_NUL, &error);

	ck_assert_msg(table != NULL, "%s: %s", PM_MANIFEST_CASES, error.text);
	return table;
}

static json_t *step(json_t *at, const char *word)
{
	json_t *next = json_is_array(at) ? json_array_get(at, strtoul(word, NULL, 10))
					 : json_object_get(at, word);

	ck_assert_msg(next != NULL, "no '%s'", word);
	return next;
}

/* The last word of the path, and the value that it lies in. */
static json_t *walk(json_t *doc, char *path, const char **ret_last)
{
	char *rest = NULL, *word = strtok_r(path, " ", &rest), *next;

	while ((next = strtok_r(NULL, " ", &rest))) {
		doc = step(doc, word);
		word = next;
	}
	*ret_last = word;
	return doc;
}

static void change(json_t *doc, const char *path, json_t *value)
{
	char *copy = strdup(path);
	const char *last;
	json_t *at = walk(doc, copy, &last);
	int r;

	if (json_is_array(at))
		r = json_array_set_new(at, strtoul(last, NULL, 10), value);
	else if (value)
		r = json_object_set_new(at, last, value);
	else
		r = json_object_del(at, last);
	ck_assert_msg(r == 0, "%s", path);
	free(copy);
}

void doc_set(json_t *doc, const char *path, json_t *value)
{
	change(doc, path, value);
}

json_t *doc_change(json_t *base, json_t *what)
{
	json_t *doc = json_deep_copy(base), *value;
	const char *path;
	size_t i;

	json_array_foreach(json_object_get(what, "delete"), i, value)
		change(doc, json_string_value(value), NULL);
	json_object_foreach(json_object_get(what, "set"), path, value)
		change(doc, path, json_deep_copy(value));
	return doc;
}

struct pm_view doc_text(json_t *doc, size_t flags)
{
	char *text = json_dumps(doc, flags);

	ck_assert_ptr_nonnull(text);
	return pm_view(text, strlen(text));
}
