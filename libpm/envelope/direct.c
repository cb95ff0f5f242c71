/* SPDX-License-Identifier: Apache-2.0 */
/* The key exchange of one client with one worker. */
#include <pm/direct.h>

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/wr.h"
#include "envelope/hpke.h"
#include "envelope/keyex.h"

#define PREFIX "{\"EncapsulatedKey\":\""
#define SUFFIX "\"}"

_Static_assert(PM_DIRECT_PUBLIC_SIZE == PM_KEM_PUBLIC_SIZE, "size of a public key");
_Static_assert(PM_DIRECT_SECRET_SIZE == PM_KEYEX_SECRET_SIZE, "size of a secret");
_Static_assert(PM_DIRECT_ID_SIZE == PM_BASE64_SIZE(PM_SHA256_SIZE), "text of an id");
_Static_assert(PM_DIRECT_JSON_MAX == PM_KEYEX_JSON_MAX, "longest request");
_Static_assert(PM_DIRECT_REQUEST_SIZE ==
		       sizeof(PREFIX SUFFIX) - 1 + PM_BASE64_SIZE(PM_KEM_CIPHERTEXT_SIZE),
	"text of a request");

static const char info[] = "libpm direct v1";

struct pm_direct_key {
	struct pm_secret seed;
	uint8_t public[PM_KEM_PUBLIC_SIZE];
};

PM_OWNER(pm_direct_key, pm_direct_key_free);

int pm_direct_key_new(struct pm_direct_key **ret_key)
{
	pm_cleanup(pm_direct_key) struct pm_direct_key *key = pm_alloc(sizeof(*key));
	int r;

	if (!key)
		return PM_E_NOMEM;
	r = pm_kem_new(&key->seed);
	if (r == PM_OK)
		r = pm_kem_public(&key->seed, key->public);
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return PM_OK;
}

void pm_direct_key_free(struct pm_direct_key *key)
{
	if (key)
		pm_secret_free(&key->seed);
	free(key);
}

const uint8_t *pm_direct_key_public(const struct pm_direct_key *key)
{
	return key->public;
}

/* The secret and its id, of what both sides know. */
static int derive(const struct pm_brief *shared, const uint8_t *encapsulated, char *ret_id,
	uint8_t *ret_secret)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash(PM_SHA256, pm_view(encapsulated, PM_KEM_CIPHERTEXT_SIZE), digest);

	if (r == PM_OK)
		r = pm_base64_encode(pm_view(digest, sizeof(digest)), ret_id, PM_DIRECT_ID_SIZE);
	if (r < 0)
		return r;
	return pm_hpke_export(shared->bytes, pm_view(info, sizeof(info) - 1), pm_view(NULL, 0),
		ret_secret, PM_DIRECT_SECRET_SIZE);
}

int pm_direct_accept(const struct pm_direct_key *key, const char *json, size_t json_len,
	char *ret_id, uint8_t *ret_secret, struct pm_report *report)
{
	struct pm_keyex_member member = {.name = "EncapsulatedKey"};
	pm_cleanup(brief) struct pm_brief shared = {0};
	uint8_t encapsulated[PM_KEM_CIPHERTEXT_SIZE];
	int r = pm_keyex_read(pm_view(json, json_len), &member, 1, report);

	if (r == PM_OK)
		r = pm_keyex_decode(&member, encapsulated, sizeof(encapsulated), report);
	if (r < 0)
		return r;
	r = pm_kem_decapsulate(&key->seed, encapsulated, &shared);
	if (r < 0)
		return pm_fail(report, r, "EncapsulatedKey", "a valid encapsulation", "another");
	return derive(&shared, encapsulated, ret_id, ret_secret);
}

static int write_request(const uint8_t *encapsulated, char *ret_json)
{
	size_t prefix = sizeof(PREFIX) - 1, text = PM_BASE64_SIZE(PM_KEM_CIPHERTEXT_SIZE) - 1;
	int r;

	pm_copy(ret_json, PREFIX, prefix);
	r = pm_base64_encode(pm_view(encapsulated, PM_KEM_CIPHERTEXT_SIZE), ret_json + prefix,
		PM_DIRECT_REQUEST_SIZE - prefix);
	pm_copy(ret_json + prefix + text, SUFFIX, sizeof(SUFFIX));
	return r;
}

int pm_direct_offer(const uint8_t *public_key, char *ret_json, char *ret_id, uint8_t *ret_secret,
	struct pm_report *report)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	uint8_t encapsulated[PM_KEM_CIPHERTEXT_SIZE];
	int r = pm_kem_encapsulate(public_key, encapsulated, &shared);

	if (r < 0)
		return pm_fail(report, r, "claims.key", "a valid X-Wing key", "another");
	r = write_request(encapsulated, ret_json);
	return r < 0 ? r : derive(&shared, encapsulated, ret_id, ret_secret);
}
