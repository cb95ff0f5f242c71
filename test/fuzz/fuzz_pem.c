/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: each block handed out is readable, and nothing is handed out after a refusal. */
#include "crypto/x509.h"

#include "fuzz.h"

struct walk {
	size_t blocks, bytes, stop_after;
	bool stopped;
};

static int take(struct pm_view der, void *arg)
{
	struct walk *w = arg;

	FUZZ_CHECK(!w->stopped);
	fuzz_touch(der);
	w->blocks++;
	w->bytes += der.len;
	w->stopped = w->blocks == w->stop_after;
	return w->stopped ? PM_E_LIMIT : PM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view text = pm_view(data, size);
	struct walk all = {0}, one = {.stop_after = 1};
	int r = pm_pem_each(text, "CERTIFICATE", take, &all);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT);
	FUZZ_CHECK(r != PM_OK || all.blocks > 0);
	FUZZ_CHECK(all.bytes <= size);
	FUZZ_CHECK(!all.blocks || size < 1 || data[0] == 0x30 || pm_pem_is(text));
	r = pm_pem_each(text, "CERTIFICATE", take, &one);
	FUZZ_CHECK(r == (all.blocks ? PM_E_LIMIT : PM_E_FORMAT));
	return 0;
}
