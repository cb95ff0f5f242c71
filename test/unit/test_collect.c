/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector over a model of the kernel: configfs-tsm with its generation counter, the ioctl of
 * sev-guest with the kernel's own structures, and an attester's socket with a clock that only moves
 * when the collector waits. What each test sets is what the kernel or the attester does wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <pm/collect.h>

#include "base/wr.h"
#include "evidence/collect_os.h"
#include "testing.h"

#define FDS	   8
#define PAGE	   4096u
#define DRIVER_MAX 0x4000u /* SEV_FW_BLOB_MAX_SIZE of the driver */

struct file {
	bool open;
	char name[64];
	size_t at;
	uint8_t written[128];
	size_t written_size;
};

struct kernel {
	struct file files[FDS];
	int open_files;
	unsigned int slept, sleeps;

	/* The report and the table that this machine gives. */
	uint32_t lie_vmpl;
	bool lie_data;
	size_t report_size;
	const uint8_t *table;
	size_t table_size;

	/* configfs */
	int mkdir_error, mkdir_exists;
	int made, removed, rmdir_error;
	const char *provider;
	uint64_t generation;
	uint32_t floor, privlevel;
	uint8_t inblob[64];
	size_t inblob_size;
	/* So many tries: another writer comes between, outblob is busy, outblob is empty. */
	int disturbed, busy, empty;
	const char *failing;
	int failing_error;

	/* device */
	int device_error;
	int ioctls;
	int host_busy;
	int firmware_error;
	int too_small_errno;
	uint32_t status, response_size;
	uint32_t need_override;

	/* attester */
	int connect_error;
	uint8_t sent[256];
	size_t sent_size;
	int sends;
	const uint8_t *answer;
	size_t answer_size, answer_at, chunk;
	bool hang_up;
	int64_t clock, poll_ms;
};

static uint8_t question[PM_SNP_REPORT_DATA_SIZE];

/* A report that answers the question. */
static void fill_report(const struct kernel *k, const uint8_t *data, uint32_t vmpl, uint8_t *ret)
{
	struct pm_wr wr = pm_wr(ret + 0x30, 4);

	memset(ret, 0xa5, PM_SNP_REPORT_SIZE);
	pm_wr_le32(&wr, k->lie_vmpl ? k->lie_vmpl : vmpl);
	memcpy(ret + 0x50, data, PM_SNP_REPORT_DATA_SIZE);
	ret[0x50] ^= k->lie_data;
}

/* --- the model: configfs ------------------------------------------------------------------- */

static int model_open(void *arg, const char *path, int flags)
{
	struct kernel *k = arg;
	const char *name = strrchr(path, '/') + 1;

	(void)flags;
	if (!strcmp(path, "/dev/sev-guest") && k->device_error)
		return k->device_error;
	if (k->failing && !strcmp(k->failing, name))
		return k->failing_error;
	for (int i = 0; i < FDS; i++) {
		if (k->files[i].open)
			continue;
		k->files[i] = (struct file){.open = true};
		snprintf(k->files[i].name, sizeof(k->files[i].name), "%s", name);
		k->open_files++;
		return i;
	}
	return -EMFILE;
}

/* Binary attributes take over what was written when closed, and tell nobody of failures. */
static int model_close(void *arg, int fd)
{
	struct kernel *k = arg;
	struct file *f = &k->files[fd];

	ck_assert(f->open);
	f->open = false;
	k->open_files--;
	if (!strcmp(f->name, "inblob")) {
		ck_assert_uint_eq(f->written_size, sizeof(k->inblob));
		memcpy(k->inblob, f->written, sizeof(k->inblob));
		k->inblob_size = f->written_size;
		k->generation++;
	}
	return 0;
}

static ssize_t give(struct file *f, const void *bytes, size_t size, void *buf, size_t cap)
{
	size_t n = size - f->at < cap ? size - f->at : cap;

	n = n > 700 ? 700 : n; /* short reads are legal */
	pm_copy(buf, (const uint8_t *)bytes + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static ssize_t read_outblob(struct kernel *k, struct file *f, void *buf, size_t cap)
{
	uint8_t report[PM_SNP_REPORT_SIZE + 64] = {0};

	if (!k->inblob_size)
		return -EINVAL;
	if (k->busy) {
		k->busy--;
		return -EBUSY;
	}
	if (k->empty) {
		k->empty--;
		return 0;
	}
	if (k->disturbed && !f->at) {
		k->disturbed--;
		k->generation++;
	}
	fill_report(k, k->inblob, k->privlevel, report);
	return give(f, report, k->report_size, buf, cap);
}

static ssize_t read_text(
	struct file *f, const char *format, unsigned long value, void *buf, size_t cap)
{
	char text[64];
	int n = snprintf(text, sizeof(text), format, value);

	return give(f, text, (size_t)n, buf, cap);
}

static ssize_t read_answer(struct kernel *k, void *buf, size_t cap)
{
	size_t n = k->answer_size - k->answer_at;

	if (!n)
		return k->hang_up ? 0 : -EAGAIN;
	n = n < k->chunk ? n : k->chunk;
	n = n < cap ? n : cap;
	memcpy(buf, k->answer + k->answer_at, n);
	k->answer_at += n;
	return (ssize_t)n;
}

static ssize_t model_read(void *arg, int fd, void *buf, size_t cap)
{
	struct kernel *k = arg;
	struct file *f = &k->files[fd];

	ck_assert(f->open);
	if (!strcmp(f->name, "socket"))
		return read_answer(k, buf, cap);
	if (!strcmp(f->name, "provider"))
		return give(f, k->provider, strlen(k->provider), buf, cap);
	if (!strcmp(f->name, "generation"))
		return read_text(f, "%lu\n", k->generation, buf, cap);
	if (!strcmp(f->name, "privlevel_floor"))
		return read_text(f, "%lu\n", k->floor, buf, cap);
	if (!strcmp(f->name, "outblob"))
		return read_outblob(k, f, buf, cap);
	ck_assert_str_eq(f->name, "auxblob");
	return give(f, k->table, k->table_size, buf, cap);
}

static ssize_t model_write(void *arg, int fd, const void *buf, size_t size)
{
	struct kernel *k = arg;
	struct file *f = &k->files[fd];
	char text[8] = {0};

	ck_assert(f->open);
	if (!strcmp(f->name, "inblob")) {
		memcpy(f->written, buf, size);
		f->written_size = size;
		return (ssize_t)size;
	}
	ck_assert_str_eq(f->name, "privlevel");
	memcpy(text, buf, size);
	if (strtoul(text, NULL, 10) < k->floor)
		return -EINVAL;
	k->privlevel = (uint32_t)strtoul(text, NULL, 10);
	k->generation++;
	return (ssize_t)size;
}

static int model_mkdir(void *arg, const char *path)
{
	struct kernel *k = arg;

	ck_assert_int_eq(strncmp(path, "/sys/kernel/config/tsm/report/", 30), 0);
	if (k->mkdir_error)
		return k->mkdir_error;
	if (k->mkdir_exists) {
		k->mkdir_exists--;
		return -EEXIST;
	}
	k->made++;
	return 0;
}

static int model_rmdir(void *arg, const char *path)
{
	struct kernel *k = arg;

	(void)path;
	ck_assert_int_eq(k->open_files, 0);
	k->removed++;
	return k->rmdir_error;
}

/* --- the model: the device ------------------------------------------------------------------ */

static int too_small(
	struct kernel *k, struct snp_guest_request_ioctl *io, struct snp_ext_report_req *req)
{
	size_t need = (k->table_size + PAGE - 1) / PAGE * PAGE;

	io->vmm_error = SNP_GUEST_VMM_ERR_INVALID_LEN;
	req->certs_len = k->need_override ? k->need_override : (uint32_t)need;
	return k->too_small_errno;
}

static void respond(
	struct kernel *k, const struct snp_ext_report_req *req, struct snp_report_resp *resp)
{
	struct pm_wr wr = pm_wr(resp->data, sizeof(resp->data));

	pm_wr_le32(&wr, k->status);
	pm_wr_le32(&wr, k->response_size);
	fill_report(k, req->data.user_data, req->data.vmpl, resp->data + 32);
}

static int model_ioctl(void *arg, int fd, unsigned long request, void *data)
{
	struct kernel *k = arg;
	struct snp_guest_request_ioctl *io = data;
	struct snp_ext_report_req *req = (void *)(uintptr_t)io->req_data;

	ck_assert_str_eq(k->files[fd].name, "sev-guest");
	k->ioctls++;
	if (request != SNP_GET_EXT_REPORT)
		return -ENOTTY;
	if (io->msg_version != 1 || req->certs_len % PAGE || req->certs_address % PAGE ||
		!pm_is_zero(req->data.rsvd, sizeof(req->data.rsvd)))
		return -EINVAL;
	if (k->host_busy) {
		k->host_busy--;
		io->vmm_error = SNP_GUEST_VMM_ERR_BUSY;
		return -EIO;
	}
	if (k->firmware_error) {
		io->fw_error = (uint32_t)k->firmware_error;
		return -EIO;
	}
	if (k->need_override || k->table_size > req->certs_len)
		return too_small(k, io, req);
	respond(k, req, (void *)(uintptr_t)io->resp_data);
	if (k->table_size)
		memcpy((void *)(uintptr_t)req->certs_address, k->table, k->table_size);
	return 0;
}

/* --- the model: an attester's socket, and time ----------------------------------------------- */

static int model_connect(void *arg, const char *path)
{
	struct kernel *k = arg;

	ck_assert_str_eq(path, "/run/attester");
	return k->connect_error ? k->connect_error : model_open(arg, "/socket", O_RDWR);
}

static int model_poll(void *arg, int fd, short events, int timeout_ms)
{
	struct kernel *k = arg;

	ck_assert_int_gt(timeout_ms, 0);
	ck_assert(k->files[fd].open);
	if (events == POLLIN && k->answer_at == k->answer_size && !k->hang_up) {
		k->clock += timeout_ms;
		return 0;
	}
	k->clock += k->poll_ms;
	return 1;
}

/* A few bytes at a time, and no room at each second call. */
static ssize_t model_send(void *arg, int fd, const void *buf, size_t size)
{
	struct kernel *k = arg;
	size_t n = size < 7 ? size : 7;

	ck_assert(k->files[fd].open);
	if (k->sends++ % 2)
		return -EAGAIN;
	ck_assert_uint_le(k->sent_size + n, sizeof(k->sent));
	memcpy(k->sent + k->sent_size, buf, n);
	k->sent_size += n;
	return (ssize_t)n;
}

static int64_t model_now(void *arg)
{
	return ((struct kernel *)arg)->clock;
}

static void model_sleep(void *arg, unsigned int ms)
{
	struct kernel *k = arg;

	k->slept += ms;
	k->sleeps++;
}

/* --- what the tests share -------------------------------------------------------------------- */

static struct kernel machine(void)
{
	for (size_t i = 0; i < sizeof(question); i++)
		question[i] = (uint8_t)(3 * i + 1);
	return (struct kernel){
		.report_size = PM_SNP_REPORT_SIZE,
		.provider = "sev_guest\n",
		.generation = 7,
		.too_small_errno = -EIO,
		.response_size = PM_SNP_REPORT_SIZE,
		.chunk = 100,
		.hang_up = true,
	};
}

static int collect(struct kernel *k, int source, uint32_t vmpl, struct pm_report *report,
	struct pm_collected **ret)
{
	const struct pm_collect_os os = {k, model_open, model_close, model_read, model_write,
		model_ioctl, model_mkdir, model_rmdir, model_connect, model_poll, model_send,
		model_now, model_sleep};
	const struct pm_collect_options options = {
		.size = sizeof(options),
		.source = source,
		.vmpl = vmpl,
		.socket = source == PM_COLLECT_ATTESTER ? "/run/attester" : NULL,
		.timeout_ms = 5000,
	};
	int r = pm_collect_snp_with(&os, question, &options, report, ret);

	/* Whatever happened: nothing is left open, and no folder behind. */
	ck_assert_int_eq(k->open_files, 0);
	ck_assert_int_eq(k->made, k->removed);
	return r;
}

/* Collects, wants an error, and text in the reason. */
static void refused(struct kernel *k, int source, int error, const char *text)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_collected *c = NULL;

	ck_pm(collect(k, source, 0, report, &c), error);
	ck_assert_ptr_null(c);
	ck_assert_msg(strstr(pm_report_reason(report), text) != NULL, "'%s' lacks '%s'",
		pm_report_reason(report), text);
}

static void accepted(struct kernel *k, int source, uint32_t vmpl, int from)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_collected) struct pm_collected *c = NULL;
	uint8_t want[PM_SNP_REPORT_SIZE];
	size_t size;

	fill_report(k, question, vmpl, want);
	ck_pm(collect(k, source, vmpl, report, &c), PM_OK);
	ck_assert(pm_ct_equal(pm_collected_report(c), want, sizeof(want)));
	ck_assert_ptr_nonnull(pm_collected_table(c, &size));
	ck_assert_uint_eq(size, k->table_size);
	ck_assert(pm_view_equal(
		pm_view(pm_collected_table(c, &size), size), pm_view(k->table, k->table_size)));
	ck_assert_int_eq(pm_collected_source(c), from);
	ck_assert_ptr_null(pm_report_failure(report));
}

/* A table with one entry of size bytes; ends right behind it. */
static struct pm_view make_table(uint8_t *room, size_t size)
{
	struct pm_wr wr = pm_wr(room, 48);

	memset(room, 0, 48);
	pm_wr_bytes(&wr, VIEW("\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd"));
	pm_wr_le32(&wr, 48);
	pm_wr_le32(&wr, (uint32_t)size);
	memset(room + 48, 0x5a, size);
	return pm_view(room, 48 + size);
}

static void set_table(struct kernel *k, struct pm_view table)
{
	k->table = table.ptr;
	k->table_size = table.len;
}

/* --- configfs -------------------------------------------------------------------------------- */

START_TEST(configfs_gives_report_and_table)
{
	static uint8_t room[5000];
	struct kernel k = machine();

	set_table(&k, make_table(room, 3000));
	accepted(&k, PM_COLLECT_CONFIGFS, 0, PM_COLLECT_CONFIGFS);
	accepted(&k, PM_COLLECT_CONFIGFS, 3, PM_COLLECT_CONFIGFS);
	accepted(&k, PM_COLLECT_AUTO, 1, PM_COLLECT_CONFIGFS);
	ck_assert_int_eq(k.made, 3);
	ck_assert_uint_eq(k.sleeps, 0);
}
END_TEST

START_TEST(configfs_without_certificates)
{
	struct kernel k = machine();

	accepted(&k, PM_COLLECT_CONFIGFS, 0, PM_COLLECT_CONFIGFS);
	k.failing = "auxblob";
	k.failing_error = -ENOENT;
	accepted(&k, PM_COLLECT_CONFIGFS, 0, PM_COLLECT_CONFIGFS);
	k.failing_error = -EIO;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_SYS, "auxblob");
}
END_TEST

START_TEST(configfs_disturbed_tries_again)
{
	struct kernel k = machine();

	k.disturbed = 2;
	k.busy = 1;
	k.empty = 1;
	k.mkdir_exists = 2;
	accepted(&k, PM_COLLECT_CONFIGFS, 0, PM_COLLECT_CONFIGFS);
	ck_assert_uint_eq(k.sleeps, 4);
	ck_assert_int_eq(k.disturbed + k.busy + k.empty, 0);
}
END_TEST

START_TEST(configfs_gives_up)
{
	struct kernel k = machine();

	k.disturbed = 1000;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_STATE, "generation moved");
	ck_assert_uint_le(k.slept, 10000);
	k = machine();
	k.busy = 1000;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_STATE, "another process");
	k = machine();
	k.empty = 1000;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_STATE, "outblob is empty");
	k = machine();
	k.mkdir_exists = 1000;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_SYS, "File exists");
}
END_TEST

START_TEST(configfs_of_other_hardware)
{
	struct kernel k = machine();

	k.provider = "tdx_guest\n";
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_UNSUPPORTED, "tdx_guest");
	refused(&k, PM_COLLECT_AUTO, PM_E_UNSUPPORTED, "tdx_guest");
	k.provider = "sev_guest2\n";
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_UNSUPPORTED, "sev_guest2");
	k.provider = "";
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_UNSUPPORTED, "provider");
}
END_TEST

START_TEST(configfs_level_below_the_floor)
{
	struct kernel k = machine();

	k.floor = 2;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_UNSUPPORTED, "privlevel_floor 2");
	accepted(&k, PM_COLLECT_CONFIGFS, 2, PM_COLLECT_CONFIGFS);
}
END_TEST

START_TEST(configfs_answers_amiss)
{
	struct kernel k = machine();

	k.lie_data = true;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_REJECTED, "REPORT_DATA");
	k = machine();
	k.lie_vmpl = 1;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_REJECTED, "VMPL");
	k = machine();
	k.report_size = PM_SNP_REPORT_SIZE - 1;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_FORMAT, "1183 bytes");
	k.report_size = PM_SNP_REPORT_SIZE + 64;
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_FORMAT, "1185 bytes");
}
END_TEST

START_TEST(configfs_table_is_bounded)
{
	static uint8_t room[PM_COLLECT_TABLE_MAX + 1];
	struct kernel k = machine();

	set_table(&k, pm_view(room, PM_COLLECT_TABLE_MAX));
	accepted(&k, PM_COLLECT_CONFIGFS, 0, PM_COLLECT_CONFIGFS);
	set_table(&k, pm_view(room, PM_COLLECT_TABLE_MAX + 1));
	refused(&k, PM_COLLECT_CONFIGFS, PM_E_LIMIT, "65537");
}
END_TEST

START_TEST(configfs_each_file_can_fail)
{
	static const char *const files[] = {
		"provider", "generation", "privlevel", "inblob", "outblob"};

	for (size_t i = 0; i < PM_ARRAY_LEN(files); i++) {
		struct kernel k = machine();

		k.failing = files[i];
		k.failing_error = -EIO;
		refused(&k, PM_COLLECT_CONFIGFS, PM_E_SYS, files[i]);
		k.failing_error = -ENOENT; /* the folder was there: this is no absence */
		refused(&k, PM_COLLECT_AUTO, PM_E_SYS, files[i]);
		ck_assert_int_eq(k.ioctls, 0);
	}
}
END_TEST

START_TEST(configfs_folder_that_stays_is_noted)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_collected) struct pm_collected *c = NULL;
	struct kernel k = machine();

	k.rmdir_error = -EBUSY;
	ck_pm(collect(&k, PM_COLLECT_CONFIGFS, 0, report, &c), PM_OK);
	ck_assert_str_eq(pm_report_at(report, 0)->name, "collect.configfs.rmdir");
	ck_assert_int_eq(pm_report_at(report, 0)->outcome, PM_NOT_CHECKED);
}
END_TEST

/* --- the device ------------------------------------------------------------------------------ */

START_TEST(device_gives_report_and_table)
{
	static uint8_t room[5000];
	struct kernel k = machine();

	set_table(&k, make_table(room, 3000));
	accepted(&k, PM_COLLECT_DEVICE, 0, PM_COLLECT_DEVICE);
	accepted(&k, PM_COLLECT_DEVICE, 2, PM_COLLECT_DEVICE);
	ck_assert_int_eq(k.ioctls, 2);
	ck_assert_int_eq(k.made, 0);
}
END_TEST

START_TEST(device_without_certificates)
{
	struct kernel k = machine();

	accepted(&k, PM_COLLECT_DEVICE, 0, PM_COLLECT_DEVICE);
	ck_assert_int_eq(k.ioctls, 1);
}
END_TEST

START_TEST(device_asks_again_with_room)
{
	static const int errors[] = {-EIO, -ENOSPC};
	static uint8_t room[3 * DRIVER_MAX];

	for (size_t i = 0; i < PM_ARRAY_LEN(errors); i++) {
		struct kernel k = machine();

		k.too_small_errno = errors[i];
		set_table(&k, make_table(room, 2 * DRIVER_MAX));
		accepted(&k, PM_COLLECT_DEVICE, 0, PM_COLLECT_DEVICE);
		ck_assert_int_eq(k.ioctls, 2);
	}
}
END_TEST

START_TEST(device_bounds_what_the_host_wants)
{
	struct kernel k = machine();

	k.need_override = PM_COLLECT_TABLE_MAX + PAGE;
	refused(&k, PM_COLLECT_DEVICE, PM_E_LIMIT, "69632");
	k.need_override = UINT32_MAX;
	refused(&k, PM_COLLECT_DEVICE, PM_E_LIMIT, "4294967295");
	k.need_override = PAGE + 1;
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "4097");
	k.ioctls = 0;
	k.need_override = PAGE; /* and again, and again */
	refused(&k, PM_COLLECT_DEVICE, PM_E_SYS, "host error 0x1");
	ck_assert_int_le(k.ioctls, 10);
}
END_TEST

START_TEST(device_waits_for_a_throttling_host)
{
	struct kernel k = machine();

	k.host_busy = 3;
	accepted(&k, PM_COLLECT_DEVICE, 0, PM_COLLECT_DEVICE);
	ck_assert_uint_eq(k.sleeps, 3);
	k.host_busy = 1000;
	refused(&k, PM_COLLECT_DEVICE, PM_E_STATE, "throttles");
	ck_assert_uint_le(k.slept, 20000);
}
END_TEST

START_TEST(device_fails)
{
	struct kernel k = machine();

	k.firmware_error = 0x16;
	refused(&k, PM_COLLECT_DEVICE, PM_E_SYS, "firmware error 0x16");
	k = machine();
	k.status = 0x16;
	refused(&k, PM_COLLECT_DEVICE, PM_E_SYS, "0x16");
	k = machine();
	k.response_size = 1183;
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "1183");
	k.response_size = UINT32_MAX;
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "4294967295");
	k = machine();
	k.lie_data = true;
	refused(&k, PM_COLLECT_DEVICE, PM_E_REJECTED, "REPORT_DATA");
	k = machine();
	k.device_error = -EACCES;
	refused(&k, PM_COLLECT_DEVICE, PM_E_SYS, "Permission denied");
}
END_TEST

static int not_a_sev_guest(void *arg, int fd, unsigned long request, void *data)
{
	(void)arg, (void)fd, (void)request, (void)data;
	return -ENOTTY;
}

START_TEST(device_of_another_kind)
{
	struct kernel k = machine();
	struct pm_collect_os os = {&k, model_open, model_close, model_read, model_write,
		not_a_sev_guest, model_mkdir, model_rmdir, model_connect, model_poll, model_send,
		model_now, model_sleep};
	struct pm_collect_options o = {.size = sizeof(o), .source = PM_COLLECT_DEVICE};
	struct pm_collected *c = NULL;

	ck_pm(pm_collect_snp_with(&os, question, &o, NULL, &c), PM_E_UNSUPPORTED);
	ck_assert_int_eq(k.open_files, 0);
}
END_TEST

START_TEST(device_table_is_looked_at)
{
	static uint8_t room[2 * PAGE];
	struct kernel k = machine();
	struct pm_wr wr = pm_wr(room + 16, 8);

	set_table(&k, make_table(room, 100));
	pm_wr_le32(&wr, 0xfffffff0);
	pm_wr_le32(&wr, 0x20); /* wraps in 32 bits */
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "4294967312");
	wr = pm_wr(room + 16, 8);
	pm_wr_le32(&wr, 48);
	pm_wr_le32(&wr, DRIVER_MAX - 47);
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "16385");
}
END_TEST

START_TEST(device_table_without_end)
{
	static uint8_t room[DRIVER_MAX];
	struct kernel k = machine();

	for (size_t i = 0; i < sizeof(room); i += 24)
		room[i] = 1;
	set_table(&k, pm_view(room, sizeof(room)));
	refused(&k, PM_COLLECT_DEVICE, PM_E_FORMAT, "final entry");
}
END_TEST

START_TEST(auto_falls_back_on_the_device)
{
	static const int errors[] = {-ENOENT, -ENXIO, -ENODEV, -ENOTDIR, -EACCES, -EPERM, -EROFS};

	for (size_t i = 0; i < PM_ARRAY_LEN(errors); i++) {
		struct kernel k = machine();

		k.mkdir_error = errors[i];
		accepted(&k, PM_COLLECT_AUTO, 0, PM_COLLECT_DEVICE);
		refused(&k, PM_COLLECT_CONFIGFS, PM_E_MISSING, "libpm-");
		k.device_error = -ENOENT;
		refused(&k, PM_COLLECT_AUTO, PM_E_MISSING, "/dev/sev-guest");
	}
}
END_TEST

START_TEST(auto_does_not_hide_a_failure)
{
	struct kernel k = machine();

	k.mkdir_error = -ENOMEM;
	refused(&k, PM_COLLECT_AUTO, PM_E_NOMEM, "Cannot allocate");
	k.mkdir_error = -EIO;
	refused(&k, PM_COLLECT_AUTO, PM_E_SYS, "Input/output");
	ck_assert_int_eq(k.ioctls, 0);
}
END_TEST

/* --- an attester ----------------------------------------------------------------------------- */

struct answer {
	uint8_t bytes[70000];
	size_t size;
};

/* The parts of an answer; a part that is wrong is given another value by the test. */
static struct kernel attester(struct answer *a, const char *magic, uint32_t status,
	uint32_t report_size, uint32_t table_size)
{
	struct kernel k = machine();
	struct pm_wr wr = pm_wr(a->bytes, sizeof(a->bytes));
	uint8_t report[PM_SNP_REPORT_SIZE];
	size_t rest = table_size < 1000 ? table_size : 1000;

	fill_report(&k, question, 0, report);
	pm_wr_bytes(&wr, pm_view(magic, 4));
	pm_wr_be32(&wr, status);
	pm_wr_be32(&wr, report_size);
	pm_wr_bytes(&wr, pm_view(report, sizeof(report)));
	pm_wr_be32(&wr, table_size);
	set_table(&k, pm_view(a->bytes + wr.len, rest));
	pm_wr_zero(&wr, rest);
	ck_assert(pm_wr_done(&wr, &a->size));
	k.answer = a->bytes;
	k.answer_size = a->size;
	return k;
}

static struct answer room;

START_TEST(attester_answers)
{
	static const size_t chunks[] = {1, 7, 100000};

	for (size_t i = 0; i < PM_ARRAY_LEN(chunks); i++) {
		struct kernel k = attester(&room, "PMA1", 0, 1184, 700);

		k.chunk = chunks[i];
		accepted(&k, PM_COLLECT_ATTESTER, 0, PM_COLLECT_ATTESTER);
		ck_assert(pm_ct_equal(k.sent, "PMA1\0\0\0\1\0\0\0\0\0\0\0\x40", 16));
		ck_assert(pm_ct_equal(k.sent + 16, question, sizeof(question)));
		ck_assert_uint_eq(k.sent_size, 80);
	}
}
END_TEST

START_TEST(attester_without_certificates)
{
	struct kernel k = attester(&room, "PMA1", 0, 1184, 0);

	accepted(&k, PM_COLLECT_ATTESTER, 0, PM_COLLECT_ATTESTER);
}
END_TEST

START_TEST(attester_refuses)
{
	static const struct {
		uint32_t status;
		int error;
		const char *text;
	} rows[] = {
		{PM_ATTESTER_MALFORMED, PM_E_FORMAT, "malformed"},
		{PM_ATTESTER_UNSUPPORTED, PM_E_UNSUPPORTED, "does not serve"},
		{PM_ATTESTER_REFUSED, PM_E_UNSUPPORTED, "refuses"},
		{PM_ATTESTER_FAILED, PM_E_SYS, "failed"},
		{PM_ATTESTER_BUSY, PM_E_STATE, "busy"},
		{6, PM_E_FORMAT, "unknown status"},
		{UINT32_MAX, PM_E_FORMAT, "unknown status"},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct kernel k = attester(&room, "PMA1", rows[i].status, 1184, 0);

		refused(&k, PM_COLLECT_ATTESTER, rows[i].error, rows[i].text);
	}
}
END_TEST

START_TEST(attester_is_hostile)
{
	struct kernel k = attester(&room, "PMA2", 0, 1184, 0);

	refused(&k, PM_COLLECT_ATTESTER, PM_E_FORMAT, "504d4132");
	k = attester(&room, "PMA1", 0, 1183, 0);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_FORMAT, "1183");
	k = attester(&room, "PMA1", 0, 65536, 0);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_FORMAT, "65536");
	k = attester(&room, "PMA1", 0, 65537, 0);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_LIMIT, "65537");
	k = attester(&room, "PMA1", 0, UINT32_MAX, 0);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_LIMIT, "4294967295");
	k = attester(&room, "PMA1", 0, 1184, 65537);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_LIMIT, "65537");
	k = attester(&room, "PMA1", 0, 1184, UINT32_MAX);
	refused(&k, PM_COLLECT_ATTESTER, PM_E_LIMIT, "4294967295");
	k = attester(&room, "PMA1", 0, 1184, 0);
	room.bytes[12 + 0x50 + 63] ^= 1;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_REJECTED, "REPORT_DATA");
	k = attester(&room, "PMA1", 0, 1184, 0);
	room.bytes[12 + 0x33] = 1;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_REJECTED, "VMPL");
}
END_TEST

START_TEST(attester_stops_anywhere)
{
	for (size_t n = 0; n < 12 + 1184 + 4 + 10; n++) {
		struct kernel k = attester(&room, "PMA1", 0, 1184, 10);

		k.answer_size = n;
		refused(&k, PM_COLLECT_ATTESTER, PM_E_NET, "hung up");
		k.answer_at = 0;
		k.sent_size = 0;
		k.hang_up = false;
		k.clock = 0;
		refused(&k, PM_COLLECT_ATTESTER, PM_E_NET, "in time");
		ck_assert_int_eq(k.clock, 5000);
	}
}
END_TEST

START_TEST(attester_that_trickles_runs_out_of_time)
{
	struct kernel k = attester(&room, "PMA1", 0, 1184, 1000);

	k.chunk = 1;
	k.poll_ms = 10;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_NET, "in time");
	ck_assert_int_eq(k.clock, 5000);
}
END_TEST

START_TEST(attester_is_not_there)
{
	struct kernel k = machine();

	k.connect_error = -ENOENT;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_MISSING, "/run/attester");
	k.connect_error = -ECONNREFUSED;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_NET, "nobody listens");
	k.connect_error = -EAGAIN;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_STATE, "queue");
	k.connect_error = -EACCES;
	refused(&k, PM_COLLECT_ATTESTER, PM_E_SYS, "Permission");
}
END_TEST

/* --- options --------------------------------------------------------------------------------- */

static void bad_options(struct pm_collect_options o)
{
	struct pm_collected *c = NULL;

	ck_pm(pm_collect_snp(question, &o, NULL, &c), PM_E_ARG);
	ck_assert_ptr_null(c);
}

START_TEST(options_are_checked)
{
	static char path[PM_COLLECT_PATH_SIZE + 1];
	const struct pm_collect_options good = {.size = sizeof(good)};
	struct pm_collect_options o = good;
	struct pm_collected *c = NULL;

	memset(path, 'x', PM_COLLECT_PATH_SIZE);
	ck_pm(pm_collect_snp(NULL, &good, NULL, &c), PM_E_ARG);
	ck_pm(pm_collect_snp(question, &good, NULL, NULL), PM_E_ARG);
	o.size = 0;
	bad_options(o);
	o = good, o.size = sizeof(o) + 8;
	bad_options(o);
	o = good, o.source = 4;
	bad_options(o);
	o = good, o.source = -1;
	bad_options(o);
	o = good, o.source = PM_COLLECT_ATTESTER;
	bad_options(o);
	o = good, o.vmpl = 4;
	bad_options(o);
	o = good, o.timeout_ms = PM_COLLECT_TIMEOUT_MAX_MS + 1;
	bad_options(o);
	o = good, o.reserved = 1;
	bad_options(o);
	o = good, o.configfs = path;
	bad_options(o);
	o = good, o.device = "";
	bad_options(o);
	o = good, o.socket = path;
	bad_options(o);
}
END_TEST

/* --- the real system ------------------------------------------------------------------------- */

struct peer {
	int listener;
	struct pm_view answer;
	/* Hangs up at once, with the request unread. */
	bool rude;
};

static void *peer_run(void *arg)
{
	const struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	uint8_t request[80];
	size_t n = 0;

	while (!p->rude && n < sizeof(request)) {
		ssize_t got = read(fd, request + n, sizeof(request) - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (!p->rude && write(fd, p->answer.ptr, p->answer.len) < 0)
		perror("write");
	close(fd);
	return NULL;
}

static int ask_peer(struct peer *p, struct pm_collected **ret)
{
	char folder[] = "/tmp/libpm-test-XXXXXX";
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct pm_collect_options o = {.size = sizeof(o), .source = PM_COLLECT_ATTESTER};
	pthread_t thread;
	int r;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", folder);
	o.socket = addr.sun_path;
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(p->listener, 1), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, peer_run, p), 0);
	r = pm_collect_snp(question, &o, NULL, ret);
	pthread_join(thread, NULL);
	close(p->listener);
	unlink(addr.sun_path);
	rmdir(folder);
	return r;
}

START_TEST(real_socket)
{
	pm_cleanup(pm_collected) struct pm_collected *c = NULL;
	struct kernel k = attester(&room, "PMA1", 0, 1184, 900);
	struct peer p = {.answer = pm_view(k.answer, k.answer_size)};
	struct pm_collected *none = NULL;
	size_t size;

	ck_pm(ask_peer(&p, &c), PM_OK);
	ck_assert(pm_ct_equal(pm_collected_report(c) + 0x50, question, sizeof(question)));
	(void)pm_collected_table(c, &size);
	ck_assert_uint_eq(size, 900);
	p.answer.len = 500;
	ck_pm(ask_peer(&p, &none), PM_E_NET);
	p.rude = true;
	ck_pm(ask_peer(&p, &none), PM_E_NET);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(real_send_survives_a_closed_peer)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	ck_assert_int_eq(pm_collect_os_real.send(NULL, pair[0], "x", 1), -EPIPE);
	close(pair[0]);
}
END_TEST

START_TEST(real_paths_that_are_not_there)
{
	struct pm_collect_options o = {.size = sizeof(o),
		.configfs = "/nonexistent/tsm",
		.device = "/nonexistent/sev-guest",
		.socket = "/nonexistent/socket"};
	struct pm_collected *c = NULL;

	for (o.source = PM_COLLECT_AUTO; o.source <= PM_COLLECT_ATTESTER; o.source++)
		ck_pm(pm_collect_snp(question, &o, NULL, &c), PM_E_MISSING);
	o.source = PM_COLLECT_DEVICE;
	o.device = "/dev/null";
	ck_pm(pm_collect_snp(question, &o, NULL, &c), PM_E_UNSUPPORTED);
	/* A plain folder lets a subfolder be made, and is no configfs. */
	o.source = PM_COLLECT_CONFIGFS;
	o.configfs = "/tmp";
	ck_pm(pm_collect_snp(question, &o, NULL, &c), PM_E_SYS);
}
END_TEST

static void add_device_tests(TCase *t)
{
	tcase_add_test(t, device_gives_report_and_table);
	tcase_add_test(t, device_without_certificates);
	tcase_add_test(t, device_asks_again_with_room);
	tcase_add_test(t, device_bounds_what_the_host_wants);
	tcase_add_test(t, device_waits_for_a_throttling_host);
	tcase_add_test(t, device_fails);
	tcase_add_test(t, device_of_another_kind);
	tcase_add_test(t, device_table_is_looked_at);
	tcase_add_test(t, device_table_without_end);
}

static void add_attester_tests(TCase *t)
{
	tcase_add_test(t, attester_answers);
	tcase_add_test(t, attester_without_certificates);
	tcase_add_test(t, attester_refuses);
	tcase_add_test(t, attester_is_hostile);
	tcase_add_test(t, attester_stops_anywhere);
	tcase_add_test(t, attester_that_trickles_runs_out_of_time);
	tcase_add_test(t, attester_is_not_there);
}

int main(void)
{
	Suite *s = suite_create("collect");
	TCase *t = tcase_create("collect");

	tcase_add_test(t, configfs_gives_report_and_table);
	tcase_add_test(t, configfs_without_certificates);
	tcase_add_test(t, configfs_disturbed_tries_again);
	tcase_add_test(t, configfs_gives_up);
	tcase_add_test(t, configfs_of_other_hardware);
	tcase_add_test(t, configfs_level_below_the_floor);
	tcase_add_test(t, configfs_answers_amiss);
	tcase_add_test(t, configfs_table_is_bounded);
	tcase_add_test(t, configfs_each_file_can_fail);
	tcase_add_test(t, configfs_folder_that_stays_is_noted);
	add_device_tests(t);
	tcase_add_test(t, auto_falls_back_on_the_device);
	tcase_add_test(t, auto_does_not_hide_a_failure);
	add_attester_tests(t);
	tcase_add_test(t, options_are_checked);
	tcase_add_test(t, real_socket);
	tcase_add_test(t, real_send_survives_a_closed_peer);
	tcase_add_test(t, real_paths_that_are_not_there);
	suite_add_tcase(s, t);
	return test_main(s);
}
