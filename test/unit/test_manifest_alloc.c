/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, signatures and histories without memory. jansson's own allocations are not reached. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "evidence/snp_policy.h"
#include "policy/history.h"
#include "policy/command.h"
#include "policy/signatures.h"
#include "testing.h"

#define NOW INT64_C(1772323200)

static struct pm_view text; /* a manifest that uses each key */
static struct pm_view first_text;
static struct pm_manifest *manifest, *first;
static struct pm_sign_key *keys[2];
static struct pm_history *history;
static struct pm_view history_text;

static int parse(void)
{
	pm_cleanup(pm_manifest) struct pm_manifest *m = NULL;

	return pm_manifest_parse(text.ptr, text.len, NULL, &m);
}

static int policies(void)
{
	const struct pm_manifest_role *worker = pm_manifest_role(manifest, "worker");
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *snp = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *gpu = NULL;
	int r = pm_manifest_role_snp_policy(manifest, worker, &snp);

	return r < 0 ? r : pm_manifest_role_gpu_policy(manifest, worker, &gpu);
}

/* A policy that lacks a demand for want of memory would be a wrong one: all are there, or none. */
static int policies_are_whole(void)
{
	const struct pm_manifest_role *worker = pm_manifest_role(manifest, "worker");
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *snp = NULL;
	int r = pm_manifest_role_snp_policy(manifest, worker, &snp);

	if (r < 0)
		return r;
	for (size_t i = 0; i < PM_SNP_FIELD_COUNT; i++) {
		if (!snp->fields[i].count)
			return ALLOC_WRONG;
	}
	return PM_OK;
}

static int key_pair(void)
{
	pm_cleanup(pm_sign_key) struct pm_sign_key *key = NULL, *again = NULL;
	char pem[PM_SIGN_PEM_SIZE];
	int r = pm_sign_key_new(PM_SIGN_ED25519, &key);

	if (r == PM_OK)
		r = pm_sign_key_pem(key, pem);
	return r < 0 ? r : pm_sign_key_parse(pem, strlen(pem), NULL, &again);
}

static int key_pair_p384(void)
{
	pm_cleanup(pm_sign_key) struct pm_sign_key *key = NULL, *again = NULL;
	char pem[PM_SIGN_PEM_SIZE];
	int r = pm_sign_key_new(PM_SIGN_P384, &key);

	if (r == PM_OK)
		r = pm_sign_key_pem(key, pem);
	return r < 0 ? r : pm_sign_key_parse(pem, strlen(pem), NULL, &again);
}

static int sign(void)
{
	pm_cleanup(pm_signatures) struct pm_signatures *s = NULL;
	int r = pm_signatures_new(manifest, &s);

	for (size_t i = 0; r == PM_OK && i < 2; i++)
		r = pm_signatures_sign(s, keys[i]);
	return r;
}

static int signatures_file(void)
{
	static char out[PM_SIGNATURES_SIZE_MAX];
	pm_cleanup(pm_signatures) struct pm_signatures *s = NULL, *again = NULL;
	size_t len = 0;
	int r = pm_signatures_new(manifest, &s);

	if (r == PM_OK)
		r = pm_signatures_text(s, out, &len);
	return r < 0 ? r : pm_signatures_parse(out, len, NULL, &again);
}

static int append(void)
{
	pm_cleanup(pm_history) struct pm_history *h = NULL;
	int r = pm_history_new(&h);

	return r < 0 ? r : pm_history_append(h, first, keys[0], NOW, NULL);
}

static int read_history(void)
{
	pm_cleanup(pm_history) struct pm_history *h = NULL;
	pm_cleanup(free) char *out = NULL;
	size_t len;
	int r = pm_history_parse(history_text.ptr, history_text.len, NULL, &h);

	return r < 0 ? r : pm_history_text(h, 0, &out, &len);
}

static int verify_history(void)
{
	struct pm_memory memory;

	return pm_history_verify(history, pm_sign_key_public(keys[0]), first, NULL, NULL, &memory);
}

/* Made, signed, written, read, and its signatures taken over. */
static int command(void)
{
	static char out[PM_COMMAND_SIZE_MAX];
	static const char *const roles[] = {"worker"};
	pm_cleanup(pm_command) struct pm_command *c = NULL, *again = NULL, *unsigned_copy = NULL;
	const struct pm_command_statement s = {.op = PM_COMMAND_PUT,
		.id = "a",
		.exchange = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		.manifest = (const uint8_t *)"0123456789abcdef0123456789abcdef",
		.content = (const uint8_t *)"0123456789abcdef0123456789abcdef",
		.issued = NOW,
		.expires = NOW + 1,
		.roles = roles,
		.role_count = 1};
	size_t len = 0;
	int r = pm_command_new(&s, NULL, &c);

	if (r == PM_OK)
		r = pm_command_new(&s, NULL, &unsigned_copy);
	if (r == PM_OK)
		r = pm_command_sign(c, keys[0]);
	if (r == PM_OK)
		r = pm_command_text(c, out, &len);
	if (r == PM_OK)
		r = pm_command_parse(out, len, NULL, &again);
	return r < 0 ? r : pm_command_merge(unsigned_copy, again);
}

static void set_up(void)
{
	text = test_read(PM_CORPUS "/manifest/whole");
	first_text = test_read(PM_CORPUS "/manifest/least");
	history_text = test_read(PM_CORPUS "/history/three");
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &manifest), PM_OK);
	ck_pm(pm_manifest_parse(first_text.ptr, first_text.len, NULL, &first), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &keys[0]), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_P384, &keys[1]), PM_OK);
	ck_pm(pm_history_new(&history), PM_OK);
	ck_pm(pm_history_append(history, first, keys[0], NOW, NULL), PM_OK);
}

static void tear_down(void)
{
	pm_history_free(history);
	pm_sign_key_free(keys[0]);
	pm_sign_key_free(keys[1]);
	pm_manifest_free(first);
	pm_manifest_free(manifest);
	test_free(text);
	test_free(first_text);
	test_free(history_text);
}

static const struct {
	const char *name;
	int (*operation)(void);
	enum alloc_reason reason;
	unsigned int least; /* failures that there are at least */
} rows[] = {
	{"a manifest is parsed", parse, ALLOC_LOSSY, 20},
	{"policies of a role", policies, ALLOC_NOMEM, 15},
	{"a policy is whole or not there", policies_are_whole, ALLOC_NOMEM, 10},
	{"an Ed25519 key pair", key_pair, ALLOC_LOSSY, 4},
	{"a P-384 key pair", key_pair_p384, ALLOC_LOSSY, 10},
	{"owners sign", sign, ALLOC_LOSSY, 3},
	{"a file of signatures", signatures_file, ALLOC_NOMEM, 2},
	{"a command of owners", command, ALLOC_LOSSY, 8},
	{"a link is appended", append, ALLOC_LOSSY, 2},
	{"a history is read and written", read_history, ALLOC_NOMEM, 3},
	{"a history is verified", verify_history, ALLOC_NOMEM, 0},
};

START_TEST(test_walk)
{
	unsigned int failures = alloc_walk(rows[_i].name, rows[_i].operation, rows[_i].reason);

	ck_assert_msg(failures >= rows[_i].least, "%s: %u failures", rows[_i].name, failures);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest without memory");
	TCase *tcase = tcase_create("alloc");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_walk, 0, PM_ARRAY_LEN(rows));
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
