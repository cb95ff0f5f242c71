/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides of the key exchange. */
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/x509.h"
#include "envelope/hpke.h"
#include "envelope/keyex.h"

/* What is signed: public key || encapsulated key. */
#define KEYS_SIZE (PM_KEM_PUBLIC_SIZE + PM_KEM_CIPHERTEXT_SIZE)

_Static_assert(PM_KEYEX_ID_SIZE == PM_BASE64_SIZE(PM_SHA256_SIZE), "text of an id");
_Static_assert(PM_KEYEX_REQUEST_SIZE ==
		       sizeof("{\"PublicKey\":\"\"}") - 1 + PM_BASE64_SIZE(PM_KEM_PUBLIC_SIZE),
	"text of a request");

int pm_keyex_id(const uint8_t *public, char *ret_id)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash(PM_SHA256, pm_view(public, PM_KEM_PUBLIC_SIZE), digest);

	if (r < 0)
		return r;
	return pm_base64_encode(pm_view(digest, sizeof(digest)), ret_id, PM_KEYEX_ID_SIZE);
}

int pm_keyex_derive(const struct pm_brief *shared, const char *purpose, uint8_t *ret_secret)
{
	struct pm_view context = pm_view(purpose, purpose ? strlen(purpose) : 0);

	return pm_hpke_export(
		shared->bytes, pm_view(NULL, 0), context, ret_secret, PM_KEYEX_SECRET_SIZE);
}

/* An empty one would be no purpose. */
static bool is_purpose(const char *purpose)
{
	size_t len = purpose ? strnlen(purpose, PM_KEYEX_PURPOSE_MAX + 1) : 1;

	return len && len <= PM_KEYEX_PURPOSE_MAX;
}

/* --- client ---------------------------------------------------------------------------------- */

/* Takes the seed over, also on failure. */
static int client_from(struct pm_secret *seed, struct pm_keyex_client **ret)
{
	pm_cleanup(pm_keyex_client) struct pm_keyex_client *client = pm_alloc(sizeof(*client));
	int r;

	if (!client) {
		pm_secret_free(seed);
		return PM_E_NOMEM;
	}
	client->seed = *seed;
	r = pm_kem_public(&client->seed, client->public);
	if (r < 0)
		return r;
	r = pm_keyex_id(client->public, client->id);
	if (r < 0)
		return r;
	*ret = pm_steal(client);
	return PM_OK;
}

int pm_keyex_client_from_seed(struct pm_view seed, struct pm_keyex_client **ret)
{
	struct pm_secret copy = {0};
	int r = pm_secret_copy(&copy, seed);

	return r < 0 ? r : client_from(&copy, ret);
}

int pm_keyex_client_new(struct pm_keyex_client **ret_client)
{
	struct pm_secret seed = {0};
	int r = pm_kem_new(&seed);

	return r < 0 ? r : client_from(&seed, ret_client);
}

void pm_keyex_client_free(struct pm_keyex_client *client)
{
	if (client)
		pm_secret_free(&client->seed);
	free(client);
}

const char *pm_keyex_client_id(const struct pm_keyex_client *client)
{
	return client->id;
}

static void put_text(struct pm_wr *wr, const char *text)
{
	pm_wr_bytes(wr, pm_view(text, strlen(text)));
}

/* Base64 and no NUL. */
static void put_base64(struct pm_wr *wr, struct pm_view bytes)
{
	if (wr->failed || pm_base64_encode(bytes, (char *)wr->ptr + wr->len, wr->cap - wr->len) < 0)
		wr->failed = true;
	else
		wr->len += PM_BASE64_SIZE(bytes.len) - 1;
}

void pm_keyex_client_request(const struct pm_keyex_client *client, char *ret_json)
{
	struct pm_wr wr = pm_wr(ret_json, PM_KEYEX_REQUEST_SIZE);

	put_text(&wr, "{\"PublicKey\":\"");
	put_base64(&wr, pm_view(client->public, sizeof(client->public)));
	put_text(&wr, "\"}");
	pm_wr_u8(&wr, 0);
}

static int check_trust(const struct pm_keyex_trust *trust, struct pm_report *report)
{
	if (trust->size != sizeof(*trust) || !trust->ca || !trust->check_role ||
		!is_purpose(trust->purpose))
		return pm_fail(report, PM_E_ARG, "keyex.trust", "size, ca and check_role",
			"not all of them");
	return PM_OK;
}

/* Base64 of up to cap bytes. */
static int decode_upto(const struct pm_keyex_member *member, uint8_t *ret, size_t cap,
	struct pm_view *ret_view, struct pm_report *report)
{
	size_t len = 0;
	int r = pm_base64_decode(member->value, ret, cap, &len);

	if (r < 0)
		return pm_fail(report, r, member->name, "base64 of no more than it may have",
			"%zu characters", member->value.len);
	*ret_view = pm_view(ret, len);
	return PM_OK;
}

/* The response, decoded: keys receives the encapsulated key after the client's public one. */
static int check_response(struct pm_view json, const struct pm_keyex_trust *trust, uint8_t *keys,
	struct pm_report *report)
{
	struct pm_keyex_member members[] = {
		{.name = "EncapsulatedKey"}, {.name = "Signature"}, {.name = "MeshCert"}};
	pm_cleanup(free) uint8_t *cert_bytes = pm_alloc(PM_CERT_SIZE_MAX);
	uint8_t signature_bytes[PM_KEYEX_SIGNATURE_MAX];
	struct pm_view cert, signature;
	int r;

	if (!cert_bytes)
		return PM_E_NOMEM;
	r = pm_keyex_read(json, members, PM_ARRAY_LEN(members), report);
	if (r < 0)
		return r;
	r = pm_keyex_decode(&members[0], keys + PM_KEM_PUBLIC_SIZE, PM_KEM_CIPHERTEXT_SIZE, report);
	if (r < 0)
		return r;
	r = decode_upto(&members[1], signature_bytes, sizeof(signature_bytes), &signature, report);
	if (r < 0)
		return r;
	r = decode_upto(&members[2], cert_bytes, PM_CERT_SIZE_MAX, &cert, report);
	if (r < 0)
		return r;
	return pm_keyex_check_signature(trust, cert, pm_view(keys, KEYS_SIZE), signature, report);
}

int pm_keyex_client_finish(const struct pm_keyex_client *client, const char *json, size_t json_len,
	const struct pm_keyex_trust *trust, uint8_t *ret_secret, struct pm_report *report)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	uint8_t keys[KEYS_SIZE];
	int r = check_trust(trust, report);

	if (r < 0)
		return r;
	pm_copy(keys, client->public, PM_KEM_PUBLIC_SIZE);
	r = check_response(pm_view(json, json_len), trust, keys, report);
	if (r < 0)
		return r;
	r = pm_kem_decapsulate(&client->seed, keys + PM_KEM_PUBLIC_SIZE, &shared);
	if (r < 0)
		return pm_fail(report, r, "EncapsulatedKey", "a valid encapsulation", "another");
	return pm_keyex_derive(&shared, trust->purpose, ret_secret);
}

/* --- server ---------------------------------------------------------------------------------- */

static int check_signer(const struct pm_keyex_signer *signer, struct pm_report *report)
{
	if (signer->size != sizeof(*signer) || !signer->cert || !signer->sign ||
		!signer->cert_len || signer->cert_len > PM_CERT_SIZE_MAX ||
		!is_purpose(signer->purpose))
		return pm_fail(
			report, PM_E_ARG, "keyex.signer", "size, cert and sign", "not all of them");
	return PM_OK;
}

static int read_request(struct pm_view json, uint8_t *ret_public, struct pm_report *report)
{
	struct pm_keyex_member member = {.name = "PublicKey"};
	int r = pm_keyex_read(json, &member, 1, report);

	if (r < 0)
		return r;
	return pm_keyex_decode(&member, ret_public, PM_KEM_PUBLIC_SIZE, report);
}

size_t pm_keyex_response_room(size_t cert_len)
{
	return sizeof("{\"EncapsulatedKey\":\"\",\"Signature\":\"\",\"MeshCert\":\"\"}") +
	       PM_BASE64_SIZE(PM_KEM_CIPHERTEXT_SIZE) + PM_BASE64_SIZE(PM_KEYEX_SIGNATURE_MAX) +
	       PM_BASE64_SIZE(cert_len);
}

static int write_response(const struct pm_keyex_signer *signer, const uint8_t *keys,
	struct pm_report *report, char *ret_json)
{
	struct pm_wr wr = pm_wr(ret_json, pm_keyex_response_room(signer->cert_len));
	uint8_t digest[PM_SHA256_SIZE], signature[PM_KEYEX_SIGNATURE_MAX];
	size_t len = 0;
	int r = pm_hash(PM_SHA256, pm_view(keys, KEYS_SIZE), digest);

	if (r < 0)
		return r;
	r = signer->sign(digest, signature, &len, signer->arg);
	if (r < 0 || len > sizeof(signature))
		return pm_fail(report, r < 0 ? r : PM_E_ARG, "Signature", "a signature", "none");
	put_text(&wr, "{\"EncapsulatedKey\":\"");
	put_base64(&wr, pm_view(keys + PM_KEM_PUBLIC_SIZE, PM_KEM_CIPHERTEXT_SIZE));
	put_text(&wr, "\",\"Signature\":\"");
	put_base64(&wr, pm_view(signature, len));
	put_text(&wr, "\",\"MeshCert\":\"");
	put_base64(&wr, pm_view(signer->cert, signer->cert_len));
	put_text(&wr, "\"}");
	pm_wr_u8(&wr, 0);
	return pm_wr_done(&wr, NULL) ? PM_OK : PM_E_LIMIT;
}

int pm_keyex_respond(const char *json, size_t json_len, const struct pm_keyex_signer *signer,
	char *ret_json, char *ret_id, uint8_t *ret_secret, struct pm_report *report)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	uint8_t keys[KEYS_SIZE];
	int r = check_signer(signer, report);

	if (r < 0)
		return r;
	r = read_request(pm_view(json, json_len), keys, report);
	if (r < 0)
		return r;
	r = pm_kem_encapsulate(keys, keys + PM_KEM_PUBLIC_SIZE, &shared);
	if (r < 0)
		return pm_fail(report, r, "PublicKey", "a valid X-Wing key", "another");
	r = write_response(signer, keys, report, ret_json);
	if (r < 0)
		return r;
	r = pm_keyex_id(keys, ret_id);
	if (r < 0)
		return r;
	return pm_keyex_derive(&shared, signer->purpose, ret_secret);
}
