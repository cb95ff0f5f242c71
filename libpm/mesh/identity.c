/* SPDX-License-Identifier: Apache-2.0 */
/* What a mesh certificate says of its holder: the rules, and the CBOR. */
#include <string.h>

#include "base/cbor.h"
#include "base/report.h"
#include "mesh/mesh.h"

#define NAME "mesh.identity"

#define IDENTITY_VERSION 1

/* Keys of the map. */
enum { VERSION = 1, PURPOSE, ROLE, REPLICA, MODELS, MANIFEST, SERIAL, KEYS = 7 };

#define FIRST "abcdefghijklmnopqrstuvwxyz0123456789"

/* --- rules ----------------------------------------------------------------------------------- */

/* A role as a manifest names it: it is a DNS name and a common name here. */
static bool is_role(const char *role)
{
	size_t len = strnlen(role, PM_CLAIMS_ROLE_MAX + 1);

	return len && len <= PM_CLAIMS_ROLE_MAX && strchr(FIRST, role[0]) &&
	       strspn(role, FIRST "._-") == len;
}

/* One label of a DNS name. */
static bool is_replica(const char *replica)
{
	size_t len = strnlen(replica, PM_MESH_REPLICA_MAX + 1);

	return len && len <= PM_MESH_REPLICA_MAX && replica[0] != '-' && replica[len - 1] != '-' &&
	       strspn(replica, FIRST "-") == len;
}

static bool is_model(const char *model)
{
	size_t len = strnlen(model, PM_CLAIMS_MODEL_NAME_MAX + 1);

	for (size_t i = 0; i < len; i++) {
		if (model[i] <= ' ' || model[i] > '~')
			return false;
	}
	return len && len <= PM_CLAIMS_MODEL_NAME_MAX;
}

static bool are_models(const struct pm_mesh_identity *who)
{
	if (who->model_count > PM_CLAIMS_MODELS_MAX)
		return false;
	for (size_t i = 0; i < who->model_count; i++) {
		if (!is_model(who->models[i]))
			return false;
		if (i && strcmp(who->models[i - 1], who->models[i]) >= 0)
			return false;
	}
	return true;
}

static int refuse(struct pm_report *report, const char *expected)
{
	return pm_fail(report, PM_E_FORMAT, NAME, expected, "something else");
}

int pm_mesh_identity_check(const struct pm_mesh_identity *who, struct pm_report *report)
{
	if (who->purpose != PM_MESH_TLS && who->purpose != PM_MESH_SIGN)
		return refuse(report, "a purpose: TLS or signing");
	if (!is_role(who->role))
		return refuse(report, "a role as manifests name it");
	if (!is_replica(who->replica))
		return refuse(report, "a replica of 1 to 63 characters a-z 0-9 -");
	if (!are_models(who))
		return refuse(report, "at most 32 models in the order of their names, each once");
	return PM_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static struct pm_view text(const char *s)
{
	return pm_view(s, strlen(s));
}

void pm_mesh_identity_write(struct pm_wr *wr, const struct pm_mesh_identity *who)
{
	pm_cbor_wr_map(wr, KEYS);
	pm_cbor_wr_uint(wr, VERSION);
	pm_cbor_wr_uint(wr, IDENTITY_VERSION);
	pm_cbor_wr_uint(wr, PURPOSE);
	pm_cbor_wr_uint(wr, who->purpose);
	pm_cbor_wr_uint(wr, ROLE);
	pm_cbor_wr_text(wr, text(who->role));
	pm_cbor_wr_uint(wr, REPLICA);
	pm_cbor_wr_text(wr, text(who->replica));
	pm_cbor_wr_uint(wr, MODELS);
	pm_cbor_wr_array(wr, who->model_count);
	for (size_t i = 0; i < who->model_count; i++)
		pm_cbor_wr_text(wr, text(who->models[i]));
	pm_cbor_wr_uint(wr, MANIFEST);
	pm_cbor_wr_bytes(wr, pm_view(who->manifest_hash, sizeof(who->manifest_hash)));
	pm_cbor_wr_uint(wr, SERIAL);
	pm_cbor_wr_uint(wr, who->manifest_serial);
}

/* --- reading --------------------------------------------------------------------------------- */

/* A text with its NUL, of which there is none within it. */
static void read_text(struct pm_rd *rd, size_t max, char *ret)
{
	struct pm_view name = pm_cbor_rd_text(rd, max);

	if (name.len && memchr(name.ptr, 0, name.len))
		pm_rd_fail(rd);
	else
		pm_copy(ret, name.ptr, name.len);
}

static void read_models(struct pm_rd *rd, struct pm_mesh_identity *who)
{
	who->model_count = pm_cbor_rd_array(rd, PM_CLAIMS_MODELS_MAX);
	for (size_t i = 0; i < who->model_count; i++)
		read_text(rd, PM_CLAIMS_MODEL_NAME_MAX, who->models[i]);
}

static void read_identity(struct pm_rd *rd, struct pm_mesh_identity *who)
{
	pm_cbor_rd_key(rd, PURPOSE);
	who->purpose = (enum pm_mesh_purpose)pm_cbor_rd_uint(rd, PM_MESH_SIGN);
	pm_cbor_rd_key(rd, ROLE);
	read_text(rd, PM_CLAIMS_ROLE_MAX, who->role);
	pm_cbor_rd_key(rd, REPLICA);
	read_text(rd, PM_MESH_REPLICA_MAX, who->replica);
	pm_cbor_rd_key(rd, MODELS);
	read_models(rd, who);
	pm_cbor_rd_key(rd, MANIFEST);
	pm_cbor_rd_copy(rd, who->manifest_hash, sizeof(who->manifest_hash));
	pm_cbor_rd_key(rd, SERIAL);
	who->manifest_serial = pm_cbor_rd_uint(rd, PM_MANIFEST_SERIAL_MAX);
	if (!who->manifest_serial)
		pm_rd_fail(rd);
}

int pm_mesh_identity_parse(
	struct pm_view cbor, struct pm_report *report, struct pm_mesh_identity *ret)
{
	struct pm_mesh_identity who = {0};
	struct pm_rd rd = pm_rd(cbor);
	size_t keys = pm_cbor_rd_map(&rd, SIZE_MAX);
	uint64_t version;
	int r;

	pm_cbor_rd_key(&rd, VERSION);
	version = pm_cbor_rd_uint(&rd, UINT64_MAX);
	if (pm_rd_ok(&rd) && version != IDENTITY_VERSION)
		return pm_fail(report, PM_E_UNSUPPORTED, NAME, "version 1", "%llu",
			(unsigned long long)version);
	read_identity(&rd, &who);
	if (keys != KEYS || !pm_rd_done(&rd))
		return refuse(report, "deterministic CBOR of an identity");
	r = pm_mesh_identity_check(&who, report);
	if (r < 0)
		return r;
	*ret = who;
	return PM_OK;
}
