/* SPDX-License-Identifier: Apache-2.0 */
/* What was proved of a deployment, handed out. */
#include <stdlib.h>

#include "base/report.h"
#include "net/coordinator.h"

void pm_deployment_free(struct pm_deployment *deployment)
{
	if (!deployment)
		return;
	pm_appraised_free(deployment->appraised);
	pm_document_clear(&deployment->document);
	pm_blob_clear(&deployment->bundle);
	pm_blob_clear(&deployment->text);
	free(deployment);
}

const struct pm_appraised *pm_deployment_take(struct pm_deployment *deployment)
{
	return pm_steal(deployment->appraised);
}

const struct pm_appraised *pm_deployment_appraised(const struct pm_deployment *deployment)
{
	return deployment->appraised;
}

enum pm_coordinator_state pm_deployment_state(const struct pm_deployment *deployment)
{
	return (enum pm_coordinator_state)deployment->document.state;
}

const struct pm_manifest *pm_deployment_manifest(const struct pm_deployment *deployment)
{
	return deployment->document.manifest;
}

static const uint8_t *give(const struct pm_blob *blob, size_t *ret_len)
{
	*ret_len = blob->len;
	return blob->ptr;
}

const uint8_t *pm_deployment_manifest_bytes(const struct pm_deployment *deployment, size_t *ret_len)
{
	return give(&deployment->document.manifest_bytes, ret_len);
}

const struct pm_history *pm_deployment_history(const struct pm_deployment *deployment)
{
	return deployment->document.history;
}

/* Of a sealed coordinator nothing is handed out that it can't know to be right. */
static bool is_ready(const struct pm_deployment *deployment)
{
	return deployment->document.state == PM_COORDINATOR_READY;
}

const struct pm_sign_public *pm_deployment_history_key(const struct pm_deployment *deployment)
{
	return is_ready(deployment) ? &deployment->document.history_key : NULL;
}

const struct pm_sign_public *pm_deployment_audit_key(const struct pm_deployment *deployment)
{
	return is_ready(deployment) && deployment->document.has_audit_key
		       ? &deployment->document.audit_key
		       : NULL;
}

static const uint8_t *give_when_ready(
	const struct pm_deployment *deployment, const struct pm_blob *blob, size_t *ret_len)
{
	static const struct pm_blob none;

	return give(is_ready(deployment) ? blob : &none, ret_len);
}

const uint8_t *pm_deployment_root_ca(const struct pm_deployment *deployment, size_t *ret_len)
{
	return give_when_ready(deployment, &deployment->document.root_ca, ret_len);
}

const uint8_t *pm_deployment_mesh_ca(const struct pm_deployment *deployment, size_t *ret_len)
{
	return give_when_ready(deployment, &deployment->document.mesh_ca, ret_len);
}

const uint8_t *pm_deployment_commitment(const struct pm_deployment *deployment)
{
	return deployment->document.commitment;
}

const uint8_t *pm_deployment_log(const struct pm_deployment *deployment, uint64_t *ret_entries)
{
	if (!is_ready(deployment))
		return NULL;
	*ret_entries = (uint64_t)deployment->document.log_entries;
	return deployment->document.log_head;
}

const uint8_t *pm_deployment_document(const struct pm_deployment *deployment, size_t *ret_len)
{
	return give(&deployment->text, ret_len);
}

const uint8_t *pm_deployment_bundle(
	const struct pm_deployment *deployment, size_t *ret_len, uint8_t *ret_nonce)
{
	if (ret_nonce)
		pm_copy(ret_nonce, deployment->nonce, sizeof(deployment->nonce));
	return give(&deployment->bundle, ret_len);
}
