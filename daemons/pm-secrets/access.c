/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/access.h"

static bool may_have_by(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	const char *model, const char *id, const struct record *record)
{
	return pm_manifest_secret_allowed(manifest, id, who->role, model) &&
	       (!record || record_allows(record, who->role, model));
}

static bool may_have(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	const char *id, const struct record *record)
{
	bool allowed = may_have_by(manifest, who, NULL, id, record);

	/* All of them, whatever the first said: the time shall not tell which. */
	for (size_t i = 0; i < who->model_count; i++)
		allowed |= may_have_by(manifest, who, who->models[i], id, record);
	return allowed;
}

bool access_may_have(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	const char *id, const struct record *record, int64_t now)
{
	bool allowed = may_have(manifest, who, id, record);

	return allowed && record->kind != RECORD_OPERATOR && now < record->expires;
}
