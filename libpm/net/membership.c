/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a join, handed out. */
#include <stdlib.h>
#include <string.h>

#include "net/join.h"

void pm_membership_free(struct pm_membership *membership)
{
	if (!membership)
		return;
	pm_mesh_key_free(membership->key);
	free(membership->certificate);
	pm_blob_clear(&membership->leaf);
	pm_blob_clear(&membership->mesh_ca);
	pm_blob_clear(&membership->root_ca);
	pm_blob_clear(&membership->manifest_bytes);
	pm_manifest_free(membership->manifest);
	pm_secret_free(&membership->secret);
	pm_secret_free(&membership->seed);
	pm_secret_free(&membership->mesh_key);
	pm_deployment_free(membership->deployment);
	free(membership);
}

const struct pm_mesh_identity *pm_membership_identity(const struct pm_membership *membership)
{
	return membership->is_coordinator ? NULL : &membership->identity;
}

const char *pm_membership_certificate(const struct pm_membership *membership, size_t *ret_len)
{
	*ret_len = membership->certificate ? strlen(membership->certificate) : 0;
	return membership->certificate;
}

const struct pm_mesh_key *pm_membership_key(const struct pm_membership *membership)
{
	return membership->key;
}

static const uint8_t *give(const struct pm_blob *blob, size_t *ret_len)
{
	*ret_len = blob->len;
	return blob->ptr;
}

const uint8_t *pm_membership_leaf(const struct pm_membership *membership, size_t *ret_len)
{
	return give(&membership->leaf, ret_len);
}

const uint8_t *pm_membership_mesh_ca(const struct pm_membership *membership, size_t *ret_len)
{
	return give(&membership->mesh_ca, ret_len);
}

const uint8_t *pm_membership_root_ca(const struct pm_membership *membership, size_t *ret_len)
{
	return give(&membership->root_ca, ret_len);
}

const struct pm_manifest *pm_membership_manifest(const struct pm_membership *membership)
{
	return membership->manifest;
}

const uint8_t *pm_membership_manifest_bytes(const struct pm_membership *membership, size_t *ret_len)
{
	return give(&membership->manifest_bytes, ret_len);
}

int64_t pm_membership_expires(const struct pm_membership *membership)
{
	return membership->expires;
}

const uint8_t *pm_membership_secret(const struct pm_membership *membership)
{
	return membership->secret.ptr;
}

const uint8_t *pm_membership_seed(const struct pm_membership *membership)
{
	return membership->seed.ptr;
}

const uint8_t *pm_membership_mesh_key(const struct pm_membership *membership, size_t *ret_len)
{
	*ret_len = membership->mesh_key.len;
	return membership->mesh_key.ptr;
}

const struct pm_deployment *pm_membership_deployment(const struct pm_membership *membership)
{
	return membership->deployment;
}
