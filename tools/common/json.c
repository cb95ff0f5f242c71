/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include <pm/text.h>
#include <stdlib.h>

json_t *tool_hex_json(const uint8_t *bytes, size_t size)
{
	char *text = malloc(2 * size + 1);
	json_t *json;

	if (!text)
		return NULL;
	pm_hex_encode(bytes, size, text);
	json = json_string(text);
	free(text);
	return json;
}

json_t *tool_time_json(int64_t time)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(time, text);
	return json_string(text);
}
