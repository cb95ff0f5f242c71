/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of pm-attester(7): one request over one connection. The attester is not
 * trusted: its lengths are bounded before anything is allocated, and it has so long and no longer.
 */
#include "evidence/collect_os.h"

#include <errno.h>
#include <poll.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/wr.h"

/* Magic and status; then two fields that begin with their length. */
#define HEAD_SIZE   8
#define LENGTH_SIZE 4

struct link {
	const struct pm_collect_ask *ask;
	struct pm_report *report;
	int fd;
	int64_t deadline_ms;
};

static int failed(const struct link *l, int error, const char *what)
{
	return pm_fail(
		l->report, error, "collect.attester", "an answer", "%s: %s", l->ask->socket, what);
}

/* Waits until the socket is ready or the time is over. */
static int wait_for(const struct link *l, short events)
{
	const struct pm_collect_os *os = l->ask->os;
	int64_t left;
	int r;

	do {
		left = l->deadline_ms - os->now_ms(os->arg);
		if (left <= 0)
			return failed(l, PM_E_NET, "no answer in time");
		r = os->poll(os->arg, l->fd, events, (int)left);
	} while (r == 0 || r == -EINTR);
	return r < 0 ? failed(l, PM_E_SYS, pm_collect_errno(r)) : PM_OK;
}

static int send_all(const struct link *l, struct pm_view bytes)
{
	const struct pm_collect_os *os = l->ask->os;
	size_t done = 0;

	while (done < bytes.len) {
		int r = wait_for(l, POLLOUT);
		ssize_t n;

		if (r != PM_OK)
			return r;
		n = os->send(os->arg, l->fd, bytes.ptr + done, bytes.len - done);
		if (n < 0 && n != -EAGAIN)
			return failed(l, PM_E_NET, pm_collect_errno((int)n));
		done += n > 0 ? (size_t)n : 0;
	}
	return PM_OK;
}

static int receive(const struct link *l, uint8_t *ret_bytes, size_t size)
{
	const struct pm_collect_os *os = l->ask->os;
	size_t done = 0;

	while (done < size) {
		int r = wait_for(l, POLLIN);
		ssize_t n;

		if (r != PM_OK)
			return r;
		n = os->read(os->arg, l->fd, ret_bytes + done, size - done);
		if (n == 0)
			return failed(l, PM_E_NET, "it hung up in the middle of the answer");
		if (n < 0 && n != -EAGAIN)
			return failed(l, PM_E_NET, pm_collect_errno((int)n));
		done += n > 0 ? (size_t)n : 0;
	}
	return PM_OK;
}

static int send_request(const struct link *l)
{
	uint8_t bytes[PM_ATTESTER_REQUEST_HEAD + PM_SNP_REPORT_DATA_SIZE];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));
	size_t len;

	pm_wr_bytes(&wr, pm_view(PM_ATTESTER_MAGIC, 4));
	pm_wr_be32(&wr, PM_ATTESTER_KIND_SNP);
	pm_wr_be32(&wr, l->ask->vmpl);
	pm_wr_prefixed_be32(&wr, pm_view(l->ask->report_data, PM_SNP_REPORT_DATA_SIZE));
	if (!pm_wr_done(&wr, &len))
		return PM_E_ARG;
	return send_all(l, pm_view(bytes, len));
}

static int check_status(const struct link *l, uint32_t status)
{
	switch (status) {
	case PM_ATTESTER_OK:
		return PM_OK;
	case PM_ATTESTER_MALFORMED:
		return failed(l, PM_E_FORMAT, "it calls the request malformed");
	case PM_ATTESTER_UNSUPPORTED:
		return failed(l, PM_E_UNSUPPORTED, "it does not serve SNP reports");
	case PM_ATTESTER_REFUSED:
		return failed(l, PM_E_UNSUPPORTED, "it refuses this client or level");
	case PM_ATTESTER_FAILED:
		return failed(l, PM_E_SYS, "its hardware or host failed");
	case PM_ATTESTER_BUSY:
		return failed(l, PM_E_STATE, "it is busy");
	default:
		return failed(l, PM_E_FORMAT, "unknown status");
	}
}

static int receive_head(const struct link *l)
{
	uint8_t bytes[HEAD_SIZE];
	struct pm_rd rd = pm_rd(pm_view(bytes, sizeof(bytes)));
	struct pm_view magic;
	int r = receive(l, bytes, sizeof(bytes));

	if (r != PM_OK)
		return r;
	magic = pm_rd_bytes(&rd, 4);
	if (!pm_view_equal(magic, pm_view(PM_ATTESTER_MAGIC, 4)))
		return pm_fail(l->report, PM_E_FORMAT, "collect.attester.magic", "504d4131", "%s",
			pm_hex(magic.ptr, magic.len).s);
	return check_status(l, pm_rd_be32(&rd));
}

static int receive_length(const struct link *l, const char *name, size_t max, size_t *ret)
{
	uint8_t bytes[LENGTH_SIZE];
	struct pm_rd rd = pm_rd(pm_view(bytes, sizeof(bytes)));
	uint32_t size;
	int r = receive(l, bytes, sizeof(bytes));

	if (r != PM_OK)
		return r;
	size = pm_rd_be32(&rd);
	if (size > max)
		return pm_fail(l->report, PM_E_LIMIT, name, "a length within the maximum",
			"%u above %zu bytes", size, max);
	*ret = size;
	return PM_OK;
}

static int receive_report(const struct link *l, struct pm_collected *ret)
{
	uint8_t bytes[PM_SNP_REPORT_SIZE];
	size_t size = 0;
	int r = receive_length(l, "collect.report", PM_ATTESTER_EVIDENCE_MAX, &size);

	if (r != PM_OK)
		return r;
	if (size != sizeof(bytes))
		return pm_fail(
			l->report, PM_E_FORMAT, "collect.report", "1184 bytes", "%zu bytes", size);
	r = receive(l, bytes, sizeof(bytes));
	if (r != PM_OK)
		return r;
	return pm_collected_set_report(ret, l->report, pm_view(bytes, sizeof(bytes)));
}

static int receive_table(const struct link *l, struct pm_collected *ret)
{
	pm_cleanup(free) uint8_t *bytes = NULL;
	size_t size = 0;
	int r = receive_length(l, "collect.table", PM_COLLECT_TABLE_MAX, &size);

	if (r != PM_OK)
		return r;
	bytes = pm_alloc(size);
	if (!bytes)
		return PM_E_NOMEM;
	r = receive(l, bytes, size);
	if (r != PM_OK)
		return r;
	return pm_collected_set_table(ret, l->report, pm_view(bytes, size));
}

int pm_collect_attester(
	const struct pm_collect_ask *ask, struct pm_report *report, struct pm_collected *ret)
{
	const struct pm_collect_os *os = ask->os;
	pm_cleanup(collect_fd) struct pm_collect_fd fd = {os, os->connect(os->arg, ask->socket)};
	struct link l = {ask, report, fd.fd, os->now_ms(os->arg) + ask->timeout_ms};
	int r;

	if (fd.fd == -EAGAIN)
		return failed(&l, PM_E_STATE, "its queue is full");
	if (fd.fd == -ECONNREFUSED)
		return failed(&l, PM_E_NET, "nobody listens");
	if (fd.fd < 0)
		return pm_collect_fail(report, "collect.attester", ask->socket, fd.fd);
	r = send_request(&l);
	if (r == PM_OK)
		r = receive_head(&l);
	if (r == PM_OK)
		r = receive_report(&l, ret);
	if (r == PM_OK)
		r = receive_table(&l, ret);
	return r;
}
