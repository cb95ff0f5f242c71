/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the OCSP policy, bodies with media, content of a shard key. */
#include <string.h>

#include <pm/rules.h>

#include "fuzz.h"

static const uint8_t secret[PM_OCSP_KEY_SIZE] = {7};

/* The first line is a header, the second its MAC: one that is accepted was made with the secret. */
static void read_policy(const char *text)
{
	pm_cleanup(free) char *header = strdup(text);
	char again[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];
	struct pm_ocsp_policy policy = {0};
	char *line;
	int r;

	FUZZ_CHECK(header);
	line = strchr(header, '\n');
	if (line)
		*line++ = '\0';
	r = pm_ocsp_policy_read(header, line, secret, &policy, NULL);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_REJECTED);
	if (r != PM_OK || !*header)
		return;
	FUZZ_CHECK(pm_ocsp_policy_write(&policy, secret, again, mac) == PM_OK);
	FUZZ_CHECK(strcmp(mac, line) == 0);
	FUZZ_CHECK(strlen(again) == strlen(header));
}

/* What the strict rule lets pass, the lenient one does. */
static void check_media(struct pm_view body)
{
	int strict =
		pm_media_check_body(PM_MEDIA_DATA_ONLY, (const char *)body.ptr, body.len, NULL);
	int lenient =
		pm_media_check_body(PM_MEDIA_HTTPS_IMAGES, (const char *)body.ptr, body.len, NULL);

	FUZZ_CHECK(strict == lenient || strict == PM_E_REJECTED);
}

/* What is taken is a name, and a salt that fits the text. */
static void read_request(struct pm_view body)
{
	struct pm_request_facts facts = {.size = sizeof(facts)};
	int r = pm_request_read((const char *)body.ptr, body.len, &facts, NULL);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(facts.cache_salt_len <= body.len);
	for (const char *c = facts.model; *c; c++)
		FUZZ_CHECK(*c >= ' ' && *c <= '~');
}

/* The key does not depend on how the content is cut. */
static void make_shard_key(struct pm_view content)
{
	struct pm_shard *whole = NULL, *cut = NULL;

	FUZZ_CHECK(pm_shard_new("salt", 4, &whole) == PM_OK);
	FUZZ_CHECK(pm_shard_new("salt", 4, &cut) == PM_OK);
	FUZZ_CHECK(pm_shard_add(whole, content.ptr, content.len) == PM_OK);
	for (size_t i = 0; i < content.len; i++)
		FUZZ_CHECK(pm_shard_add(cut, content.ptr + i, 1) == PM_OK);
	FUZZ_CHECK(strcmp(pm_shard_key(whole), pm_shard_key(cut)) == 0);
	FUZZ_CHECK(strlen(pm_shard_key(whole)) < PM_SHARD_KEY_SIZE);
	pm_shard_free(whole);
	pm_shard_free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(free) char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	pm_copy(text, data, size);
	text[size] = '\0';
	read_policy(text);
	check_media(pm_view(data, size));
	read_request(pm_view(data, size));
	make_shard_key(pm_view(data, size));
	return 0;
}
