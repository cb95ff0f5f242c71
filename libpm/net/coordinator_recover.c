/* SPDX-License-Identifier: Apache-2.0 */
/* A share of the seed, and an owner's consent, for the process that was attested and no other. */
#include <stdlib.h>
#include <string.h>

#include <pm/recover.h>
#include <pm/shares.h>

#include "base/hex.h"
#include "base/report.h"
#include "base/secret.h"
#include "net/coordinator.h"

/* Of {"share":"...","signature":"...","key_id":"..."}. */
#define PLAIN_MAX 512

/* In guarded memory: the share is part of the seed. */
static int write_plain(struct pm_wr *wr, const uint8_t *share, struct pm_view signature,
	const struct pm_sign_public *owner)
{
	pm_ask_put_text(wr, "{\"share\":\"");
	pm_ask_put_base64(wr, pm_view(share, PM_SHARE_SIZE));
	pm_ask_put_text(wr, "\",\"signature\":\"");
	pm_ask_put_base64(wr, signature);
	pm_ask_put_text(wr, "\",\"key_id\":\"");
	pm_ask_put_text(wr, pm_hex(owner->id, sizeof(owner->id)).s);
	pm_ask_put_text(wr, "\"}");
	return wr->failed ? PM_E_LIMIT : PM_OK;
}

static int seal(const struct pm_deployment *d, struct pm_view plain, uint8_t *ret_box)
{
	return pm_box_seal(d->appraised->claims.key, PM_COORDINATOR_RECOVER_LABEL,
		d->document.commitment, sizeof(d->document.commitment), plain.ptr, plain.len,
		ret_box);
}

static int consent(const struct pm_deployment *d, const uint8_t *share,
	const struct pm_sign_key *owner, struct pm_wr *wr)
{
	const struct pm_history *history = d->document.history;
	const struct pm_recover_consent what = {
		.process_key = d->appraised->claims.key,
		.head = pm_history_at(history, pm_history_count(history) - 1)->hash,
		.share = share,
	};
	uint8_t signature[PM_RECOVER_SIGNATURE_MAX];
	size_t len = 0;
	int r = pm_recover_sign(&what, owner, signature, &len);

	return r < 0 ? r
		     : write_plain(wr, share, pm_view(signature, len), pm_sign_key_public(owner));
}

static int check_owner(
	const struct pm_deployment *d, const struct pm_sign_key *owner, struct pm_report *report)
{
	const struct pm_manifest_owners *owners = pm_manifest_owners(d->document.manifest);
	const uint8_t *id = pm_sign_key_public(owner)->id;
	const struct pm_manifest_owner *o;

	for (size_t i = 0; (o = pm_manifest_owner_at(owners, i)); i++)
		if (pm_view_equal(
			    pm_view(o->key.id, PM_SIGN_ID_SIZE), pm_view(id, PM_SIGN_ID_SIZE)))
			return PM_OK;
	return pm_fail(report, PM_E_REJECTED, "owner", "a key of the manifest's owners", "key %s",
		pm_hex(id, PM_SIGN_ID_SIZE).s);
}

int pm_coordinator_recover(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const uint8_t *share,
	const struct pm_sign_key *owner, struct pm_report *report,
	struct pm_coordinator_status *ret_status)
{
	pm_cleanup(secret) struct pm_secret plain = {0};
	uint8_t box[PLAIN_MAX + PM_BOX_OVERHEAD];
	struct pm_wr wr;
	int r;

	if (deployment->document.state != PM_COORDINATOR_SEALED)
		return pm_fail(report, PM_E_STATE, "state", "sealed", "%s",
			pm_coordinator_state_name((int)deployment->document.state));
	r = check_owner(deployment, owner, report);
	if (r == PM_OK)
		r = pm_secret_new(&plain, PLAIN_MAX);
	if (r < 0)
		return r;
	wr = pm_wr(plain.ptr, plain.len);
	r = consent(deployment, share, owner, &wr);
	if (r == PM_OK)
		r = seal(deployment, pm_view(wr.ptr, wr.len), box);
	if (r < 0)
		return r;
	return pm_coordinator_send_share(
		coordinator, pm_view(box, wr.len + PM_BOX_OVERHEAD), report, ret_status);
}
