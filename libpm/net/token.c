/* SPDX-License-Identifier: Apache-2.0 */
#include "net/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/report.h"

#define CHECK "token"

/* Into locked memory, and one byte more than a token may have. */
static int read_into(const char *path, struct pm_report *report, struct pm_secret *ret, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), saved;
	ssize_t n = 0;

	if (fd < 0)
		return pm_fail(report, PM_E_SYS, CHECK, "", "%s: %s", path, strerrordesc_np(errno));
	do {
		n = read(fd, ret->ptr + *len, ret->len - *len);
		*len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && *len < ret->len) || (n < 0 && errno == EINTR));
	saved = errno;
	(void)close(fd);
	if (n < 0)
		return pm_fail(report, PM_E_SYS, CHECK, "", "%s: %s", path, strerrordesc_np(saved));
	return PM_OK;
}

static bool is_white(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* RFC 6750, 2.1: letters, digits, "-._~+/" and "=" are the token's characters. */
static bool is_token(struct pm_view text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~+/=";

	for (size_t i = 0; i < text.len; i++) {
		if (!text.ptr[i] || !strchr(allowed, text.ptr[i]))
			return false;
	}
	return text.len > 0;
}

int pm_token_read(const char *path, struct pm_report *report, struct pm_secret *ret_token)
{
	pm_cleanup(secret) struct pm_secret buffer = {0};
	size_t len = 0;
	int r = pm_secret_new(&buffer, PM_TOKEN_MAX + 1);

	if (r == PM_OK)
		r = read_into(path, report, &buffer, &len);
	if (r < 0)
		return r;
	if (len > PM_TOKEN_MAX)
		return pm_fail(report, PM_E_LIMIT, CHECK, "at most 4096 bytes", "more in %s", path);
	while (len && is_white(buffer.ptr[len - 1]))
		len--;
	if (!is_token(pm_view(buffer.ptr, len)))
		return pm_fail(report, PM_E_FORMAT, CHECK, "a bearer token", "none in %s", path);
	return pm_secret_copy(ret_token, pm_view(buffer.ptr, len));
}
