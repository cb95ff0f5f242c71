/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a coordinator. What is accepted has a state, and holds what it says. */
#include <string.h>

#include "fuzz.h"
#include "net/coordinator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_document doc;
	int r;

	memset(&doc, 0x5a, sizeof(doc));
	r = pm_document_parse(pm_view(data, size), NULL, &doc);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_UNSUPPORTED || r == PM_E_LIMIT);
	if (r < 0)
		return 0;
	FUZZ_CHECK(doc.state >= PM_COORDINATOR_EMPTY && doc.state <= PM_COORDINATOR_STALE);
	FUZZ_CHECK(!doc.manifest == !doc.manifest_bytes.ptr);
	FUZZ_CHECK(!doc.has_history_key || doc.history_key.type == PM_SIGN_P384);
	FUZZ_CHECK(!doc.root_ca.ptr || (doc.root_ca.len && doc.root_ca.len <= PM_CERT_SIZE_MAX));
	FUZZ_CHECK(doc.log_entries >= 0);
	pm_document_clear(&doc);
	return 0;
}
