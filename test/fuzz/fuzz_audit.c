/* SPDX-License-Identifier: Apache-2.0 */
/* An audit log, of a key that the corpus was signed with. */
#include <string.h>

#include "fuzz.h"
#include "mesh/audit.h"

/* The seed 00 01 .. 1f (RFC 8410, section 7). */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
			  "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
			  "-----END PRIVATE KEY-----\n";

static struct pm_sign_key *key;

/* What was accepted is accepted again from its own head, and not from a head that it lacks. */
static void verify_again(struct pm_view text, const struct pm_audit_head *head)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	struct pm_audit_head other = *head, again;

	FUZZ_CHECK(head->entries > 0);
	FUZZ_CHECK(pm_audit_verify(text.ptr, text.len, public, "coordinator", head, NULL, &again) ==
		   PM_OK);
	FUZZ_CHECK(again.entries == head->entries);
	FUZZ_CHECK(!memcmp(again.hash, head->hash, sizeof(again.hash)));
	other.hash[0] ^= 1;
	FUZZ_CHECK(pm_audit_verify(text.ptr, text.len, public, "coordinator", &other, NULL,
			   &again) == PM_E_REJECTED);
	other = *head;
	other.entries++;
	FUZZ_CHECK(pm_audit_verify(text.ptr, text.len, public, "coordinator", &other, NULL,
			   &again) == PM_E_REJECTED);
}

/* A log goes on behind any line of its own. */
static void resume(struct pm_view line)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_head head;
	const char *next;
	size_t len;
	int r;

	FUZZ_CHECK(pm_audit_new(key, "coordinator", &audit) == PM_OK);
	r = pm_audit_resume(audit, line.ptr, line.len, NULL);
	pm_audit_head(audit, &head);
	FUZZ_CHECK((r == PM_OK) == (head.entries != 0));
	r = pm_audit_append(audit, FUZZ_NOW, "event", NULL, 0, &next, &len);
	FUZZ_CHECK(r == PM_OK || head.entries == PM_AUDIT_ENTRIES_MAX);
	if (r == PM_OK && head.entries)
		FUZZ_CHECK(pm_audit_verify(next, len, pm_sign_key_public(key), "coordinator", &head,
				   NULL, &head) == PM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view text = pm_view(data, size);
	struct pm_audit_head head;
	int r;

	if (!key)
		FUZZ_CHECK(pm_sign_key_parse(pem, sizeof(pem) - 1, NULL, &key) == PM_OK);
	r = pm_audit_verify(data, size, pm_sign_key_public(key), "coordinator", NULL, NULL, &head);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_UNSUPPORTED || r == PM_E_LIMIT ||
		   r == PM_E_REJECTED || r == PM_E_MISSING);
	if (r == PM_OK)
		verify_again(text, &head);
	resume(text);
	return 0;
}
