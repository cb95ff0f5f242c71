/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "pm-proxy/proxy.h"

static int set_tasks(json_t *model, const char *const *tasks, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(tasks[i]));
	return json_object_set_new(model, "tasks", list);
}

static int set_all(json_t *root, const char *const *tasks, size_t count)
{
	json_t *data = json_object_get(root, "data"), *model;
	size_t i;

	if (!json_is_object(root))
		return -1;
	if (!data)
		return set_tasks(root, tasks, count);
	if (!json_is_array(data))
		return -1;
	json_array_foreach(data, i, model)
	{
		if (set_tasks(model, tasks, count) < 0)
			return -1;
	}
	return 0;
}

char *models_with_tasks(
	const char *json, size_t len, const char *const *tasks, size_t count, size_t *ret_len)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	char *text = NULL;

	if (root && set_all(root, tasks, count) == 0)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text)
		*ret_len = strlen(text);
	return text;
}
