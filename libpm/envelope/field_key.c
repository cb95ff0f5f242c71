/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of field messages: a shared secret, its id, and what messages under it need. */
#include <stdlib.h>
#include <string.h>

#include "envelope/field.h"

/* Length of a valid id, or 0. */
static size_t id_length(const char *id)
{
	size_t len = strnlen(id, PM_FIELD_ID_MAX + 1);

	for (size_t i = 0; i < len; i++)
		if (!pm_field_id_char((uint8_t)id[i]))
			return 0;
	return len <= PM_FIELD_ID_MAX ? len : 0;
}

static void destroy(struct pm_shared *shared)
{
	struct pm_field_key *key = (struct pm_field_key *)shared;

	pm_nonces_free(key->nonces);
	pm_nonce_set_free(key->requests);
	pm_aead_free(key->aead);
	free(key);
}

int pm_field_key_new(const char *id, const uint8_t *secret, struct pm_field_key **ret_key)
{
	pm_cleanup(pm_field_key) struct pm_field_key *key = NULL;
	size_t id_len = id_length(id);
	int r;

	if (!id_len)
		return PM_E_ARG;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	pm_shared_init(&key->shared, destroy);
	pm_copy(key->id, id, id_len);
	key->id_len = id_len;
	r = pm_nonces_new(&key->nonces);
	if (r < 0)
		return r;
	r = pm_aead_new(pm_view(secret, PM_FIELD_SECRET_SIZE), &key->aead);
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return PM_OK;
}

void pm_field_key_free(struct pm_field_key *key)
{
	if (key)
		pm_shared_unref(&key->shared);
}

int pm_field_key_serve(struct pm_field_key *key, size_t requests)
{
	if (!requests || requests > PM_FIELD_REQUESTS_MAX)
		return PM_E_ARG;
	if (key->requests)
		return PM_E_STATE;
	return pm_nonce_set_new(requests, &key->requests);
}

const char *pm_field_key_id(const struct pm_field_key *key)
{
	return key->id;
}
