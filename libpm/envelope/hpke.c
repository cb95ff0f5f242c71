/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/hpke.h"

#include <string.h>

#include "base/wr.h"

/* "HPKE-v1", then suite_id (RFC 9180, 4 and 5.1): "HPKE", KEM, KDF, AEAD. */
static const uint8_t prefix[] = {
	'H', 'P', 'K', 'E', '-', 'v', '1', 'H', 'P', 'K', 'E', 0x64, 0x7a, 0x00, 0x01, 0xff, 0xff};

#define LABEL_MAX   16
#define CONTEXT_MAX (1 + 2 * PM_SHA256_SIZE) /* mode, psk_id_hash, info_hash */
#define INPUT_MAX   (2 + sizeof(prefix) + LABEL_MAX + PM_HPKE_INFO_MAX)

_Static_assert(CONTEXT_MAX <= PM_HPKE_INFO_MAX, "room for the key schedule's own context");

static void put_label(struct pm_wr *wr, const char *label)
{
	pm_wr_bytes(wr, pm_view(prefix, sizeof(prefix)));
	pm_wr_bytes(wr, pm_view(label, strlen(label)));
}

/* LabeledExtract (4): PM_SHA256_SIZE bytes. */
static int extract(struct pm_view salt, const char *label, struct pm_view ikm, uint8_t *ret)
{
	uint8_t input[INPUT_MAX];
	struct pm_wr wr = pm_wr(input, sizeof(input));

	put_label(&wr, label);
	pm_wr_bytes(&wr, ikm);
	if (wr.failed)
		return PM_E_LIMIT;
	return pm_hkdf_extract_to(PM_SHA256, salt, pm_view(input, wr.len), ret);
}

/* LabeledExpand (4). */
static int expand(
	const uint8_t *prk, const char *label, struct pm_view info, uint8_t *ret, size_t len)
{
	uint8_t input[INPUT_MAX];
	struct pm_wr wr = pm_wr(input, sizeof(input));

	if (len > UINT16_MAX)
		return PM_E_LIMIT;
	pm_wr_be16(&wr, (uint16_t)len);
	put_label(&wr, label);
	pm_wr_bytes(&wr, info);
	if (wr.failed)
		return PM_E_LIMIT;
	return pm_hkdf_expand_to(
		PM_SHA256, pm_view(prk, PM_SHA256_SIZE), pm_view(input, wr.len), ret, len);
}

/* key_schedule_context: mode_base and no PSK, then two hashes; nothing of it is secret. */
static int make_context(struct pm_view info, uint8_t *ret)
{
	int r = extract(pm_view(NULL, 0), "psk_id_hash", pm_view(NULL, 0), ret + 1);

	ret[0] = 0;
	if (r < 0)
		return r;
	return extract(pm_view(NULL, 0), "info_hash", info, ret + 1 + PM_SHA256_SIZE);
}

int pm_hpke_export(const uint8_t *shared, struct pm_view info, struct pm_view context, uint8_t *ret,
	size_t len)
{
	pm_cleanup(brief) struct pm_brief secret = {0}, exporter = {0};
	uint8_t schedule[CONTEXT_MAX];
	int r = make_context(info, schedule);

	if (r < 0)
		return r;
	r = extract(pm_view(shared, PM_HPKE_SHARED_SIZE), "secret", pm_view(NULL, 0), secret.bytes);
	if (r < 0)
		return r;
	r = expand(secret.bytes, "exp", pm_view(schedule, sizeof(schedule)), exporter.bytes,
		PM_SHA256_SIZE);
	if (r < 0)
		return r;
	return expand(exporter.bytes, "sec", context, ret, len);
}
