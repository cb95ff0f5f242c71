/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pm/error.h>
#include <pm/signatures.h>
#include <pm/text.h>

#include "common/whole_file.h"
#include "pm-client/client.h"

/* --- reading --------------------------------------------------------------------------------- */

static void say(const char *path, int error)
{
	if (error == PM_E_SYS)
		warn("%s", path);
	else
		warnx("%s: %s", path, error == PM_E_LIMIT ? strerror(EFBIG) : pm_strerror(error));
}

static bool is_private(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		warn("%s", path);
		return false;
	}
	if (!(st.st_mode & 077))
		return true;
	warnx("%s: others than its owner may read or write it; use mode 0600", path);
	return false;
}

static bool is_text(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

int read_secret_line(const char *path, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *text = NULL;
	size_t len;
	int r;

	if (fd < 0) {
		warn("%s", path);
		return 2;
	}
	if (!is_private(fd, path)) {
		close(fd);
		return 2;
	}
	r = whole_file_read_fd(fd, CLIENT_TEXT_MAX, &text, &len);
	if (r < 0)
		say(path, r);
	close(fd);
	if (r < 0)
		return 2;
	text[strcspn(text, "\r\n")] = '\0';
	if (!is_text(text)) {
		warnx("%s: its first line is not printable ASCII without spaces", path);
		explicit_bzero(text, len);
		free(text);
		return 2;
	}
	*ret = text;
	return 0;
}

static int read_file(const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? PM_E_SYS : whole_file_read_fd(fd, max, ret, ret_len);

	if (r < 0)
		say(path, r);
	if (fd >= 0)
		close(fd);
	return r < 0 ? 2 : 0;
}

/* --- the manifest's owners ------------------------------------------------------------------- */

static int refuse(const char *path, int error, const struct pm_report *report)
{
	warnx("%s: %s: %s", path, pm_strerror(error), pm_report_reason(report));
	return error == PM_E_NOMEM || error == PM_E_CRYPTO ? 2 : 1;
}

static int verify_owners(const struct client_options *o, const struct pm_manifest *manifest,
	const char *owners_text, size_t owners_len, const char *text, size_t len,
	struct pm_report *report)
{
	struct pm_manifest_owners *owners = NULL;
	struct pm_signatures *signatures = NULL;
	const char *path = o->owners;
	int r = pm_manifest_owners_parse(owners_text, owners_len, report, &owners);

	if (r == PM_OK) {
		path = o->signatures;
		r = pm_signatures_parse(text, len, report, &signatures);
	}
	if (r == PM_OK) {
		path = o->manifest;
		r = pm_manifest_verify(manifest, signatures, owners, (int64_t)time(NULL), report);
	}
	pm_signatures_free(signatures);
	pm_manifest_owners_free(owners);
	return r < 0 ? refuse(path, r, report) : 0;
}

/* Enough of those whom the user named must have signed it. */
static int check_owners(const struct client_options *o, const struct pm_manifest *manifest)
{
	struct pm_report *report = pm_report_new();
	char *owners = NULL, *signatures = NULL;
	size_t n = 0, k = 0;
	int r = report ? read_file(o->owners, PM_MANIFEST_SIZE_MAX, &owners, &n) : 2;

	if (r == 0)
		r = read_file(o->signatures, PM_SIGNATURES_SIZE_MAX, &signatures, &k);
	if (r == 0)
		r = verify_owners(o, manifest, owners, n, signatures, k, report);
	free(owners);
	free(signatures);
	pm_report_free(report);
	return r;
}

/* --- the manifest ---------------------------------------------------------------------------- */

static int check_hash(const struct client_options *o, const struct pm_manifest *manifest)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char found[2 * sizeof(hash) + 1], wanted[sizeof(found)];

	pm_manifest_hash(manifest, hash);
	if (!o->has_hash || !memcmp(hash, o->hash, sizeof(hash)))
		return 0;
	pm_hex_encode(hash, sizeof(hash), found);
	pm_hex_encode(o->hash, sizeof(hash), wanted);
	warnx("%s: %s: hash: found %s, expected %s", o->manifest, pm_strerror(PM_E_REJECTED), found,
		wanted);
	return 1;
}

static int parse_manifest(
	const struct client_options *o, const char *text, size_t len, struct pm_manifest **ret)
{
	struct pm_report *report = pm_report_new();
	int r = report ? pm_manifest_parse(text, len, report, ret) : PM_E_NOMEM;

	if (r < 0)
		warnx("%s: %s: %s", o->manifest, pm_strerror(r),
			report ? pm_report_reason(report) : "");
	pm_report_free(report);
	if (r < 0)
		return r == PM_E_NOMEM ? 2 : 1;
	r = check_hash(o, *ret);
	return r == 0 && o->owners ? check_owners(o, *ret) : r;
}

int read_manifest(const struct client_options *o, struct pm_manifest **ret)
{
	char *text = NULL;
	size_t len = 0;
	int r = read_file(o->manifest, PM_MANIFEST_SIZE_MAX, &text, &len);

	if (r == 0)
		r = parse_manifest(o, text, len, ret);
	free(text);
	return r;
}
