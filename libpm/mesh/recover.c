/* SPDX-License-Identifier: Apache-2.0 */
/* What an owner signs when he gives a coordinator a share of its seed. */
#include <pm/box.h>
#include <pm/history.h>
#include <pm/recover.h>
#include <pm/shares.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/sign.h"

static const char label[] = "libpm recover v1"; /* with its zero byte */

#define MESSAGE_SIZE (sizeof(label) + (size_t)3 * PM_SHA256_SIZE)

_Static_assert(PM_RECOVER_SIGNATURE_MAX == PM_SIGN_SIGNATURE_MAX, "room for a signature");

static int write_message(const struct pm_recover_consent *consent, uint8_t *ret)
{
	uint8_t process[PM_SHA256_SIZE], share[PM_SHA256_SIZE];
	struct pm_wr wr = pm_wr(ret, MESSAGE_SIZE);
	int r = pm_crypto_init();

	if (r == PM_OK)
		r = pm_hash(PM_SHA256, pm_view(consent->process_key, PM_BOX_PUBLIC_SIZE), process);
	if (r == PM_OK)
		r = pm_hash(PM_SHA256, pm_view(consent->share, PM_SHARE_SIZE), share);
	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(label, sizeof(label)));
	pm_wr_bytes(&wr, pm_view(process, sizeof(process)));
	pm_wr_bytes(&wr, pm_view(consent->head, PM_MANIFEST_HASH_SIZE));
	pm_wr_bytes(&wr, pm_view(share, sizeof(share)));
	return pm_wr_done(&wr, NULL) ? PM_OK : PM_E_LIMIT;
}

int pm_recover_sign(const struct pm_recover_consent *consent, const struct pm_sign_key *owner,
	uint8_t *ret_signature, size_t *ret_len)
{
	uint8_t message[MESSAGE_SIZE];
	int r = write_message(consent, message);

	return r < 0 ? r
		     : pm_sign(owner, pm_view(message, sizeof(message)), ret_signature, ret_len);
}

int pm_recover_verify(const struct pm_recover_consent *consent, const struct pm_sign_public *owner,
	const uint8_t *signature, size_t len, struct pm_report *report)
{
	uint8_t message[MESSAGE_SIZE];
	int r = write_message(consent, message);

	if (r == PM_OK)
		r = pm_sign_verify(
			owner, pm_view(message, sizeof(message)), pm_view(signature, len));
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, "recover.signature",
			"an owner's, for this process, history and share", "another");
	if (r == PM_OK)
		pm_pass(report, "recover.signature", "of an owner, for this process");
	return r;
}
