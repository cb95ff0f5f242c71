/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctl of Linux's sev-guest driver (Documentation/virt/coco/sev-guest.rst) for an extended
 * report: the firmware's answer, and the host's certificate table (AMD 56421, "SNP Extended Guest
 * Request"). The structures are those of linux/sev-guest.h, of which older systems
 * have an earlier form.
 */
#include "evidence/collect_os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/rd.h"

#define PAGE 4096u

/* The driver's own maximum: asked for at once, so that one request does in most cases. */
#define TABLE_FIRST 0x4000u

/* Tries at all, and the pause before the second one; it doubles each time. */
#define TRIES	 6
#define PAUSE_MS 100

/* What the host says beside the firmware (linux/sev-guest.h, SNP_GUEST_VMM_ERR_...). */
#define VMM_INVALID_LENGTH 1
#define VMM_BUSY	   2

struct report_request {
	uint8_t report_data[64];
	uint32_t vmpl;
	uint8_t reserved[28];
};

struct extended_request {
	struct report_request data;
	uint64_t table_address;
	uint32_t table_size;
	uint32_t padding;
};

struct report_response {
	uint8_t data[4000];
};

struct guest_request {
	uint8_t message_version;
	uint8_t padding[7];
	uint64_t request;
	uint64_t response;
	uint32_t firmware_error;
	uint32_t vmm_error;
};

_Static_assert(sizeof(struct report_request) == 96, "layout of the kernel");
_Static_assert(sizeof(struct extended_request) == 112, "layout of the kernel");
_Static_assert(sizeof(struct guest_request) == 32, "layout of the kernel");

#define GET_EXTENDED_REPORT _IOWR('S', 0x2, struct guest_request)

/* One exchange; table_size is what the host needs after a request with too little room. */
struct exchange {
	const struct pm_collect_ask *ask;
	struct pm_report *report;
	int fd;
	uint8_t *table;
	uint32_t table_size;
	uint32_t firmware_error;
	uint32_t vmm_error;
	struct report_response response;
};

static int request(struct exchange *x)
{
	const struct pm_collect_os *os = x->ask->os;
	struct extended_request ext = {
		.data.vmpl = x->ask->vmpl,
		.table_address = (uint64_t)(uintptr_t)x->table,
		.table_size = x->table_size,
	};
	struct guest_request req = {
		.message_version = 1,
		.request = (uint64_t)(uintptr_t)&ext,
		.response = (uint64_t)(uintptr_t)&x->response,
	};
	int r;

	pm_copy(ext.data.report_data, x->ask->report_data, sizeof(ext.data.report_data));
	x->response = (struct report_response){0};
	r = os->ioctl(os->arg, x->fd, GET_EXTENDED_REPORT, &req);
	x->firmware_error = req.firmware_error;
	x->vmm_error = req.vmm_error;
	if (x->vmm_error == VMM_INVALID_LENGTH)
		x->table_size = ext.table_size;
	return r;
}

static int table_alloc(struct exchange *x)
{
	void *fresh;

	if (x->table_size > PM_COLLECT_TABLE_MAX)
		return pm_fail(x->report, PM_E_LIMIT, "collect.table", "at most 65536 bytes",
			"%u bytes", x->table_size);
	if (x->table_size % PAGE)
		return pm_fail(x->report, PM_E_FORMAT, "collect.table", "whole pages", "%u bytes",
			x->table_size);
	free(x->table);
	x->table = NULL;
	if (posix_memalign(&fresh, PAGE, x->table_size ? x->table_size : PAGE))
		return PM_E_NOMEM;
	x->table = fresh;
	for (uint32_t i = 0; i < x->table_size; i++)
		x->table[i] = 0;
	return PM_OK;
}

static int request_failed(struct exchange *x, int negative_errno)
{
	if (x->vmm_error == VMM_BUSY)
		return pm_fail(x->report, PM_E_STATE, "collect.device", "an answer",
			"%s: the host throttles requests", x->ask->device);
	if (negative_errno == -ENOTTY)
		return pm_fail(x->report, PM_E_UNSUPPORTED, "collect.device", "a sev-guest device",
			"%s: %s", x->ask->device, pm_collect_errno(negative_errno));
	return pm_fail(x->report, PM_E_SYS, "collect.device", "",
		"%s: %s, firmware error 0x%x, host error 0x%x", x->ask->device,
		pm_collect_errno(negative_errno), x->firmware_error, x->vmm_error);
}

/* Is another try worth it? A throttling host gets time, a host with a large table gets room. */
static int prepare_retry(struct exchange *x, unsigned int attempt)
{
	const struct pm_collect_os *os = x->ask->os;

	if (x->vmm_error == VMM_INVALID_LENGTH)
		return table_alloc(x);
	os->sleep_ms(os->arg, PAUSE_MS << attempt);
	return PM_OK;
}

static bool is_transient(const struct exchange *x, int r)
{
	return r == -EINTR || r == -EAGAIN || x->vmm_error == VMM_BUSY ||
	       x->vmm_error == VMM_INVALID_LENGTH;
}

static int request_often(struct exchange *x)
{
	int r = request(x);

	for (unsigned int i = 0; r < 0 && is_transient(x, r) && i < TRIES - 1; i++) {
		int p = prepare_retry(x, i);

		if (p != PM_OK)
			return p;
		r = request(x);
	}
	return r < 0 ? request_failed(x, r) : PM_OK;
}

/* MSG_REPORT_RSP (AMD 56860, table "MSG_REPORT_RSP"): status, size, 24 reserved bytes, report. */
static int take_report(struct exchange *x, struct pm_collected *ret)
{
	struct pm_rd rd = pm_rd(pm_view(x->response.data, sizeof(x->response.data)));
	uint32_t status = pm_rd_le32(&rd);
	uint32_t size = pm_rd_le32(&rd);

	pm_rd_skip(&rd, 24);
	if (status)
		return pm_fail(x->report, PM_E_SYS, "collect.device.status", "0", "0x%x", status);
	if (size != PM_SNP_REPORT_SIZE)
		return pm_fail(
			x->report, PM_E_FORMAT, "collect.report", "1184 bytes", "%u bytes", size);
	return pm_collected_set_report(ret, x->report, pm_rd_bytes(&rd, size));
}

/* Takes one entry of the table; false at the final, zero one. */
static bool table_entry(struct pm_rd *rd, uint64_t *ret_end)
{
	struct pm_view guid = pm_rd_bytes(rd, PM_SNP_GUID_SIZE);
	uint64_t offset = pm_rd_le32(rd);

	*ret_end = offset + pm_rd_le32(rd);
	return pm_rd_ok(rd) && !pm_is_zero(guid.ptr, guid.len);
}

/*
 * The kernel hands out whole pages: cut what lies behind the last entry. An empty table (zeros) is
 * one of no bytes. Whether the entries make sense is for pm_snp_evidence_add_table() to say.
 */
static int take_table(struct exchange *x, struct pm_collected *ret)
{
	struct pm_view bytes = pm_view(x->table, x->table_size);
	struct pm_rd rd = pm_rd(bytes);
	uint64_t used = 0, end;
	bool any = false;

	for (; table_entry(&rd, &end); any = true)
		used = end > used ? end : used;
	if (!pm_rd_ok(&rd))
		return pm_fail(x->report, PM_E_FORMAT, "collect.table", "a final entry", "none");
	if (used > bytes.len)
		return pm_fail(x->report, PM_E_FORMAT, "collect.table", "entries within the table",
			"an end at %llu of %zu bytes", (unsigned long long)used, bytes.len);
	if (used < bytes.len - rd.left)
		used = bytes.len - rd.left;
	return pm_collected_set_table(ret, x->report, pm_view(bytes.ptr, any ? (size_t)used : 0));
}

static int exchange(struct exchange *x, struct pm_collected *ret)
{
	int r = table_alloc(x);

	if (r == PM_OK)
		r = request_often(x);
	if (r == PM_OK)
		r = take_report(x, ret);
	if (r == PM_OK && x->table_size)
		r = take_table(x, ret);
	free(x->table);
	return r;
}

int pm_collect_device(
	const struct pm_collect_ask *ask, struct pm_report *report, struct pm_collected *ret)
{
	const struct pm_collect_os *os = ask->os;
	pm_cleanup(collect_fd) struct pm_collect_fd fd = {
		os, os->open(os->arg, ask->device, O_RDWR)};
	pm_cleanup(free) struct exchange *x = NULL;

	if (fd.fd < 0)
		return pm_collect_fail(report, "collect.device", ask->device, fd.fd);
	x = pm_alloc(sizeof(*x));
	if (!x)
		return PM_E_NOMEM;
	x->ask = ask;
	x->report = report;
	x->fd = fd.fd;
	x->table_size = TABLE_FIRST;
	return exchange(x, ret);
}
