/* SPDX-License-Identifier: Apache-2.0 */
/* verify_bundle MANIFEST BUNDLE NONCE MODEL: may MODEL's prompts be encrypted to who sent this? */
#include <err.h>
#include <stdio.h>
#include <time.h>

#include <pm/pm.h>

static size_t read_file(const char *path, unsigned char *bytes, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t size = f ? fread(bytes, 1, room, f) : 0;

	if (!f || ferror(f))
		err(2, "%s", path);
	fclose(f);
	return size;
}

int main(int argc, char **argv)
{
	static unsigned char file[PM_BUNDLE_SIZE_MAX], nonce[PM_BUNDLE_NONCE_SIZE];
	static struct pm_appraisal question;
	struct pm_report *report = pm_report_new();
	struct pm_verdict *verdict = pm_verdict_new();
	struct pm_manifest *manifest = NULL;
	struct pm_bundle *bundle = NULL;
	const struct pm_appraised *proved = NULL;

	if (argc != 5 || !report || !verdict || pm_hex_decode(argv[3], nonce, sizeof(nonce)))
		errx(2, "usage: verify_bundle MANIFEST BUNDLE NONCE MODEL");
	/* A real client pins the manifest's hash, or verifies its owners' signatures. */
	if (pm_manifest_parse(file, read_file(argv[1], file, sizeof(file)), report, &manifest) ||
		pm_bundle_parse(file, read_file(argv[2], file, sizeof(file)), report, &bundle))
		errx(1, "rejected: %s", pm_report_reason(report));
	question.manifest = manifest;
	question.nonce = nonce; /* drawn by this client, and sent with its question */
	question.model = argv[4];
	question.now = time(NULL);
	if (pm_appraise(bundle, &question, verdict, &proved))
		errx(1, "rejected: %s", pm_verdict_reason(verdict));
	printf("verified: role %s, %zu GPUs%s; encrypt to the X-Wing key %02x%02x%02x%02x...\n",
		proved->claims.role, proved->gpu_count, proved->test_root ? ", TEST ROOT" : "",
		proved->claims.key[0], proved->claims.key[1], proved->claims.key[2],
		proved->claims.key[3]);
	pm_appraised_free(proved);
	pm_bundle_free(bundle);
	pm_manifest_free(manifest);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return 0;
}
