/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any body: what seals opens to the same bytes, and not from another position; what opens at all is
 * JSON. The first byte chooses endpoint and side.
 */
#include <string.h>

#include "envelope/json_scan.h"
#include "fuzz_body.h"

static struct pm_view run(struct fuzz_body *b, struct pm_view in, int *ret_r)
{
	struct pm_view out = {0};

	*ret_r = pm_body_json(b->body, in.ptr, in.len, NULL, &out.ptr, &out.len);
	return out;
}

static void check_opened(enum pm_endpoint endpoint, enum pm_body_side side, struct pm_view text)
{
	struct fuzz_body opener;
	struct pm_json json = {0};
	struct pm_view out;
	int r;

	fuzz_body_new(&opener, endpoint, side, PM_BODY_OPEN, 0);
	pm_body_ask_usage(opener.body);
	pm_body_forbid_cache(opener.body);
	out = run(&opener, text, &r);
	if (r == PM_OK && out.len)
		FUZZ_CHECK(pm_json_scan(&json, out) == PM_OK);
	pm_json_free(&json);
	pm_body_free(opener.body);
}

static void check_back(enum pm_endpoint endpoint, enum pm_body_side side, struct pm_view text,
	struct pm_view sealed)
{
	struct fuzz_body opener, wrong;
	int r;

	fuzz_body_new(&opener, endpoint, side, PM_BODY_OPEN, 0);
	fuzz_body_new(&wrong, endpoint, side, PM_BODY_OPEN, 1);
	FUZZ_CHECK(pm_view_equal(run(&opener, sealed, &r), text));
	FUZZ_CHECK(r == PM_OK);
	(void)run(&wrong, sealed, &r);
	FUZZ_CHECK(r == (opener.toy.seq ? PM_E_REJECTED : PM_OK));
	pm_body_free(opener.body);
	pm_body_free(wrong.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum pm_endpoint endpoint;
	enum pm_body_side side;
	struct fuzz_body sealer;
	struct pm_view text, sealed;
	int r;

	if (size < 1)
		return 0;
	endpoint = (enum pm_endpoint)(PM_ENDPOINT_CHAT + data[0] / 2 % 7);
	side = data[0] % 2 ? PM_BODY_REQUEST : PM_BODY_RESPONSE;
	text = pm_view(data + 1, size - 1);
	fuzz_body_new(&sealer, endpoint, side, PM_BODY_SEAL, 0);
	sealed = run(&sealer, text, &r);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	if (r == PM_OK)
		check_back(endpoint, side, text, sealed);
	pm_body_free(sealer.body);
	check_opened(endpoint, side, text);
	return 0;
}
