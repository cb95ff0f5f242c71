/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the box of an answer to a join: of a workload, and of another coordinator. */
#include "fuzz.h"
#include "net/join.h"

static void read_as(struct pm_view text, bool is_coordinator)
{
	pm_cleanup(pm_membership) struct pm_membership *m = pm_alloc(sizeof(*m));
	int r;

	FUZZ_CHECK(m != NULL);
	m->is_coordinator = is_coordinator;
	r = pm_join_read_secrets(text, NULL, m);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT);
	if (r < 0)
		return;
	FUZZ_CHECK(!m->secret.ptr || m->secret.len == PM_JOIN_SECRET_SIZE);
	FUZZ_CHECK(is_coordinator == (m->seed.ptr != NULL));
	FUZZ_CHECK(!m->seed.ptr || m->seed.len == PM_JOIN_SECRET_SIZE);
	FUZZ_CHECK(is_coordinator == (m->mesh_key.len == PM_AUTHORITY_MESH_KEY_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(pm_view(data, size), false);
	read_as(pm_view(data, size), true);
	return 0;
}
