/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on what a request holds: its cache salt, and the media that it points to. */
#include <pm/rules.h>

#include "base/base64.h"
#include "base/report.h"
#include "crypto/crypto.h"

#define SALT_BYTES 32

_Static_assert(PM_CACHE_SALT_SIZE == PM_BASE64_SIZE(SALT_BYTES), "text of a salt");

int pm_cache_salt_new(char *ret_salt)
{
	uint8_t bytes[SALT_BYTES];
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	pm_random(bytes, sizeof(bytes));
	r = pm_base64_encode(pm_view(bytes, sizeof(bytes)), ret_salt, PM_CACHE_SALT_SIZE);
	pm_wipe(bytes, sizeof(bytes));
	return r;
}

int pm_cache_salt_check(size_t len, struct pm_report *report)
{
	if (!len)
		return pm_fail(report, PM_E_MISSING, "cache_salt", "32 bytes or more", "none");
	if (len < PM_CACHE_SALT_MIN)
		return pm_fail(report, PM_E_REJECTED, "cache_salt", "32 bytes or more", "%zu", len);
	return PM_OK;
}

/* Does the URL begin with the scheme, given in lower case with its colon? */
static bool has_scheme(const char *url, size_t len, const char *scheme)
{
	size_t i = 0;

	for (; scheme[i]; i++) {
		char c = i < len ? url[i] : '\0';

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != scheme[i])
			return false;
	}
	return true;
}

static int check_image(
	enum pm_media_rule rule, const char *url, size_t len, struct pm_report *report)
{
	bool https = rule == PM_MEDIA_HTTPS_IMAGES;

	if (has_scheme(url, len, "data:"))
		return PM_OK;
	if (https && has_scheme(url, len, "https:"))
		return PM_OK;
	return pm_fail(report, PM_E_REJECTED, "image_url",
		https ? "a URL of scheme data or https" : "a URL of scheme data", "another scheme");
}

int pm_media_check(enum pm_media_rule rule, enum pm_media_kind kind, const char *url, size_t len,
	struct pm_report *report)
{
	if (rule != PM_MEDIA_DATA_ONLY && rule != PM_MEDIA_HTTPS_IMAGES)
		return PM_E_ARG;
	switch (kind) {
	case PM_MEDIA_IMAGE:
		return check_image(rule, url, len, report);
	case PM_MEDIA_AUDIO:
		return pm_fail(report, PM_E_REJECTED, "audio_url", "no URL", "one");
	case PM_MEDIA_VIDEO:
		return pm_fail(report, PM_E_REJECTED, "video_url", "no URL", "one");
	}
	return PM_E_ARG;
}
