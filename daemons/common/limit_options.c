/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <string.h>

#include "common/limit.h"
#include "common/options.h"

#define RATE_MOST 1000000

int option_rate(const char *name, const char *value, uint32_t *ret_rate, uint32_t *ret_burst)
{
	uint64_t number;

	if (option_number(name, value, RATE_MOST, &number) != 0)
		return 2;
	*ret_rate = (uint32_t)number;
	*ret_burst = (uint32_t)number * LIMIT_BURST_SECONDS;
	return 0;
}

int option_field(const char *value, const char **ret)
{
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-");

	*ret = value;
	if (len && !value[len])
		return 0;
	warnx("--client-field: '%s' is no name of a field in lower case", value);
	return 2;
}
