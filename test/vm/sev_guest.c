/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device /dev/sev-guest in front of an attester, for machines without the hardware: a character
 * device in user space (linux/fuse.h, CUSE). The node is the kernel's own, so that udev's rules,
 * device lists and modes are judged as with the real driver. sev-guest SOCKET
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <pm/pm.h>

#define BUFFER_SIZE   (1 << 17)
#define REQUEST_SIZE  112 /* linux/sev-guest.h: struct snp_ext_report_req */
#define GUEST_SIZE    32  /* struct snp_guest_request_ioctl */
#define ERRORS_OFFSET 24  /* its exitinfo2 */
#define RESPONSE_SIZE 4000
#define REPORT_OFFSET 32 /* in the response, behind MSG_REPORT_RSP's head */

/* What the program in front of us gave: the structures of its ioctl, one behind the other. */
struct asked {
	struct fuse_ioctl_in in;
	uint8_t guest[GUEST_SIZE];
	uint8_t request[REQUEST_SIZE];
} __attribute__((packed));

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static void send_pieces(int fd, uint64_t unique, int error, struct iovec *pieces, int count)
{
	struct fuse_out_header head = {.error = error, .unique = unique};
	struct iovec all[6] = {{&head, sizeof(head)}};
	size_t len = sizeof(head);

	for (int i = 0; i < count; i++) {
		all[1 + i] = pieces[i];
		len += pieces[i].iov_len;
	}
	head.len = (uint32_t)len;
	if (writev(fd, all, 1 + count) < 0 && errno != ENOENT)
		warn("/dev/cuse");
}

static void refuse(int fd, uint64_t unique, int error)
{
	send_pieces(fd, unique, -error, NULL, 0);
}

/* The kernel copies for us: here is what to bring, and where the answer will go. */
static void retry(
	int fd, uint64_t unique, const struct fuse_ioctl_iovec *iovs, uint32_t in, uint32_t out)
{
	struct fuse_ioctl_out reply = {.flags = FUSE_IOCTL_RETRY, .in_iovs = in, .out_iovs = out};
	struct iovec pieces[2] = {
		{&reply, sizeof(reply)}, {(void *)(uintptr_t)iovs, (in + out) * sizeof(*iovs)}};

	send_pieces(fd, unique, 0, pieces, 2);
}

static void answer(int fd, uint64_t unique, const struct pm_collected *collected, uint32_t room)
{
	static uint8_t response[RESPONSE_SIZE], table[BUFFER_SIZE], errors[8];
	struct fuse_ioctl_out reply = {0};
	struct iovec pieces[4] = {{&reply, sizeof(reply)}, {response, sizeof(response)},
		{table, room}, {errors, sizeof(errors)}};
	const uint32_t size = PM_SNP_REPORT_SIZE;
	size_t len;
	const uint8_t *bytes = pm_collected_table(collected, &len);

	if (len > room || room > sizeof(table)) {
		refuse(fd, unique, EIO);
		return;
	}
	memcpy(response + 4, &size, sizeof(size));
	memcpy(response + REPORT_OFFSET, pm_collected_report(collected), size);
	memset(table, 0, room);
	memcpy(table, bytes, len);
	send_pieces(fd, unique, 0, pieces, 4);
}

static void collect(int fd, uint64_t unique, const struct asked *asked, const char *socket)
{
	struct pm_collect_options options = {
		.size = sizeof(options), .source = PM_COLLECT_ATTESTER, .socket = socket};
	struct pm_collected *collected;
	uint32_t room;

	memcpy(&options.vmpl, asked->request + 64, sizeof(options.vmpl));
	memcpy(&room, asked->request + 104, sizeof(room));
	if (pm_collect_snp(asked->request, &options, NULL, &collected) < 0) {
		refuse(fd, unique, EIO);
		return;
	}
	answer(fd, unique, collected, room);
	pm_collected_free(collected);
}

/* Asked often for one ioctl: each time the kernel brings more of what its pointers point to. */
static void on_ioctl(int fd, uint64_t unique, const struct asked *asked, const char *socket)
{
	struct fuse_ioctl_iovec iovs[5] = {{asked->in.arg, GUEST_SIZE}};
	uint32_t room;

	if ((asked->in.cmd & 0xffff) != ('S' << 8 | 2)) {
		refuse(fd, unique, ENOTTY);
	} else if (asked->in.in_size == 0) {
		retry(fd, unique, iovs, 1, 0);
	} else if (asked->in.in_size == GUEST_SIZE) {
		iovs[1] = (struct fuse_ioctl_iovec){get_u64(asked->guest + 8), REQUEST_SIZE};
		retry(fd, unique, iovs, 2, 0);
	} else if (asked->in.out_size == 0) {
		memcpy(&room, asked->request + 104, sizeof(room));
		iovs[1] = (struct fuse_ioctl_iovec){get_u64(asked->guest + 8), REQUEST_SIZE};
		iovs[2] = (struct fuse_ioctl_iovec){get_u64(asked->guest + 16), RESPONSE_SIZE};
		iovs[3] = (struct fuse_ioctl_iovec){get_u64(asked->request + 96), room};
		iovs[4] = (struct fuse_ioctl_iovec){asked->in.arg + ERRORS_OFFSET, 8};
		retry(fd, unique, iovs, 2, 3);
	} else {
		collect(fd, unique, asked, socket);
	}
}

static void on_init(int fd, uint64_t unique, const struct cuse_init_in *in)
{
	struct cuse_init_out out = {.major = in->major,
		.minor = in->minor,
		.flags = CUSE_UNRESTRICTED_IOCTL,
		.max_read = BUFFER_SIZE / 2,
		.max_write = BUFFER_SIZE / 2};
	char name[] = "DEVNAME=sev-guest";
	struct iovec pieces[2] = {{&out, sizeof(out)}, {name, sizeof(name)}};

	send_pieces(fd, unique, 0, pieces, 2);
}

static void serve(int fd, const uint8_t *bytes, const char *socket)
{
	const struct fuse_in_header *head = (const void *)bytes;
	const void *body = bytes + sizeof(*head);
	struct fuse_open_out opened = {0};
	struct iovec piece = {&opened, sizeof(opened)};

	switch (head->opcode) {
	case CUSE_INIT:
		on_init(fd, head->unique, body);
		break;
	case FUSE_OPEN:
		send_pieces(fd, head->unique, 0, &piece, 1);
		break;
	case FUSE_IOCTL:
		on_ioctl(fd, head->unique, body, socket);
		break;
	case FUSE_RELEASE:
		refuse(fd, head->unique, 0);
		break;
	case FUSE_INTERRUPT: /* has no answer */
		break;
	default:
		refuse(fd, head->unique, ENOSYS);
	}
}

int main(int argc, char **argv)
{
	static uint8_t bytes[BUFFER_SIZE] __attribute__((aligned(8)));
	int fd = open("/dev/cuse", O_RDWR | O_CLOEXEC);

	if (argc != 2)
		errx(2, "usage: sev-guest SOCKET");
	if (fd < 0)
		err(2, "/dev/cuse");
	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n > 0)
			serve(fd, bytes, argv[1]);
		else if (n == 0 || (errno != EINTR && errno != ENOENT))
			err(2, "/dev/cuse");
	}
}
