/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's part of agreements with the secret service, for tests that carry the messages
 * themselves: agree MESH-CA MANIFEST. Files, DER and JSON, are read anew for each agreement. Lines:
 *
 *     new            "ok REQUEST", the body to send
 *     finish JSON    "ok ID SECRET", in hexadecimal, or "no REASON"; JSON answers the last new
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

#define FILE_MAX (1u << 20)

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	uint8_t *bytes = malloc(FILE_MAX);

	if (!f || !bytes)
		err(1, "%s", path);
	*ret_len = fread(bytes, 1, FILE_MAX, f);
	fclose(f);
	return bytes;
}

static void hash_manifest(const char *path, uint8_t ret[PM_MANIFEST_HASH_SIZE])
{
	struct pm_manifest *manifest;
	size_t len;
	uint8_t *text = read_file(path, &len);

	must(pm_manifest_parse(text, len, NULL, &manifest), path);
	pm_manifest_hash(manifest, ret);
	pm_manifest_free(manifest);
	free(text);
}

static struct pm_keyex_client *begin(void)
{
	char request[PM_KEYEX_REQUEST_SIZE];
	struct pm_keyex_client *client;

	must(pm_keyex_client_new(&client), "client");
	pm_keyex_client_request(client, request);
	printf("ok %s\n", request);
	return client;
}

static void finish(const struct pm_keyex_client *client, char **argv, const char *json)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE], secret[PM_KEYEX_SECRET_SIZE];
	struct pm_keyex_trust trust = {
		.size = sizeof(trust), .check_role = pm_mesh_keyex_role, .arg = hash};
	struct pm_report *report = pm_report_new();
	char text[2 * PM_KEYEX_SECRET_SIZE + 1];
	uint8_t *ca = read_file(argv[1], &trust.ca_len);
	int r;

	hash_manifest(argv[2], hash);
	trust.ca = ca;
	trust.now = time(NULL);
	r = pm_keyex_client_finish(client, json, strlen(json), &trust, secret, report);
	if (r == PM_OK) {
		pm_hex_encode(secret, sizeof(secret), text);
		printf("ok %s %s\n", pm_keyex_client_id(client), text);
	} else {
		printf("no %s: %s\n", pm_strerror(r), pm_report_reason(report));
	}
	pm_report_free(report);
	free(ca);
}

int main(int argc, char **argv)
{
	struct pm_keyex_client *client = NULL;
	static char line[PM_KEYEX_JSON_MAX + 16];

	if (argc != 3)
		errx(2, "agree MESH-CA MANIFEST");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "new")) {
			pm_keyex_client_free(client);
			client = begin();
		} else if (client && !strncmp(line, "finish ", 7)) {
			finish(client, argv, line + 7);
		} else {
			puts("no such words");
		}
		fflush(stdout);
	}
	pm_keyex_client_free(client);
	return 0;
}
