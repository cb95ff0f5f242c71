/* SPDX-License-Identifier: Apache-2.0 */
/* The key exchange's JSON, as a service and as a client read it. */
#include <string.h>

#include <pm/direct.h>

#include "base/report.h"
#include "envelope/keyex.h"
#include "fuzz.h"

/* No mesh CA signed anything of the corpus. */
static const uint8_t no_ca[] = {0x30, 0x00};

static int any_role(const uint8_t *cert, size_t cert_len, void *arg)
{
	(void)arg;
	fuzz_touch(pm_view(cert, cert_len));
	return PM_OK;
}

static int sign_zeros(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg)
{
	(void)arg;
	fuzz_touch(pm_view(digest, PM_SHA256_SIZE));
	memset(ret_signature, 0, PM_KEYEX_SIGNATURE_MAX);
	*ret_len = PM_KEYEX_SIGNATURE_MAX;
	return PM_OK;
}

/* Members that are found lie in the text, between two quotes, and hold no quote. */
static void read_members(struct pm_view json)
{
	struct pm_keyex_member members[] = {
		{.name = "EncapsulatedKey"}, {.name = "Signature"}, {.name = "MeshCert"}};

	if (pm_keyex_read(json, members, PM_ARRAY_LEN(members), NULL) != PM_OK)
		return;
	for (size_t i = 0; i < PM_ARRAY_LEN(members); i++) {
		struct pm_view v = members[i].value;

		FUZZ_CHECK(fuzz_within(v, json));
		FUZZ_CHECK(v.ptr > json.ptr && v.ptr[-1] == '"' && v.ptr[v.len] == '"');
		FUZZ_CHECK(!v.len || !memchr(v.ptr, '"', v.len));
	}
}

/* What a service takes as a request is the text that a client of that key would send. */
static void respond(struct pm_view json)
{
	static const uint8_t cert[] = {0x30, 0x00};
	struct pm_keyex_signer signer = {
		sizeof(signer), cert, sizeof(cert), sign_zeros, NULL, NULL};
	pm_cleanup(free) char *response = malloc(pm_keyex_response_room(sizeof(cert)));
	char id[PM_KEYEX_ID_SIZE] = "";
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	int r;

	FUZZ_CHECK(response);
	r = pm_keyex_respond((const char *)json.ptr, json.len, &signer, response, id, secret, NULL);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT || r == PM_E_REJECTED);
	FUZZ_CHECK((r == PM_OK) == (strlen(id) == PM_KEYEX_ID_SIZE - 1));
	if (r != PM_OK)
		return;
	FUZZ_CHECK(json.len + 1 >= PM_KEYEX_REQUEST_SIZE);
	read_members(pm_view(response, strlen(response)));
}

/* A worker takes the text that a client would send, or says why not. */
static void accept(struct pm_view json)
{
	static struct pm_direct_key *key; /* one for all inputs */
	char id[PM_DIRECT_ID_SIZE] = "";
	uint8_t secret[PM_DIRECT_SECRET_SIZE];
	int r;

	if (!key)
		FUZZ_CHECK(pm_direct_key_new(&key) == PM_OK);
	r = pm_direct_accept(key, (const char *)json.ptr, json.len, id, secret, NULL);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT || r == PM_E_REJECTED);
	FUZZ_CHECK((r == PM_OK) == (strlen(id) == PM_DIRECT_ID_SIZE - 1));
}

static void finish(struct pm_view json)
{
	static const uint8_t seed[PM_KEM_SEED_SIZE];
	static struct pm_keyex_client *client; /* one for all inputs: a key pair takes time */
	struct pm_keyex_trust trust = {
		sizeof(trust), no_ca, sizeof(no_ca), FUZZ_NOW, any_role, NULL, NULL};
	uint8_t secret[PM_KEYEX_SECRET_SIZE];

	if (!client)
		FUZZ_CHECK(
			pm_keyex_client_from_seed(pm_view(seed, sizeof(seed)), &client) == PM_OK);
	FUZZ_CHECK(pm_keyex_client_finish(client, (const char *)json.ptr, json.len, &trust, secret,
			   NULL) != PM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(free) uint8_t *copy = malloc(size ? size : 1);
	struct pm_view json = pm_view(copy, size);

	FUZZ_CHECK(copy);
	pm_copy(copy, data, size);
	read_members(json);
	respond(json);
	accept(json);
	finish(json);
	return 0;
}
