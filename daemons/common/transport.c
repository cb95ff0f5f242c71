/* SPDX-License-Identifier: Apache-2.0 */
#include "common/transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <pm/error.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Pieces that are written at a time. */
#define PIECES_MAX 16
/* Bytes of one TLS record, at most. */
#define RECORD_MAX 16384

int transport_init(struct transport *t, struct event_base *base, int fd, struct tls_config *tls,
	event_callback_fn on_readable, event_callback_fn on_writable, void *arg)
{
	*t = (struct transport){.fd = fd, .is_open = !tls};
	t->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, arg);
	t->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, arg);
	if (tls)
		t->tls = tls_new(tls, fd);
	if (t->readable && t->writable && (t->tls || !tls))
		return PM_OK;
	transport_done(t, false);
	return PM_E_NOMEM;
}

void transport_done(struct transport *t, bool abortively)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (t->readable)
		event_free(t->readable);
	if (t->writable)
		event_free(t->writable);
	if (t->tls && t->is_open && !abortively)
		tls_shutdown(t->tls);
	tls_free(t->tls);
	if (abortively)
		(void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(t->fd);
	*t = (struct transport){.fd = -1};
}

/* Bytes that TLS holds do not make the socket readable, so the event is made active by hand. */
void transport_read_on(struct transport *t, bool on)
{
	if (on == t->reading)
		return;
	t->reading = on;
	if (!on) {
		event_del(t->readable);
		return;
	}
	event_add(t->readable, NULL);
	if (t->tls && t->is_open && tls_has_pending(t->tls))
		event_active(t->readable, EV_READ, 0);
}

void transport_write_on(struct transport *t, bool on)
{
	if (on == t->writing)
		return;
	t->writing = on;
	if (on)
		event_add(t->writable, NULL);
	else
		event_del(t->writable);
}

/* What TLS waits for. */
static int wait_for(struct transport *t, ssize_t r)
{
	if (r == TLS_WANT_WRITE)
		transport_write_on(t, true);
	return r == TLS_WANT_READ || r == TLS_WANT_WRITE ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

int transport_open(struct transport *t)
{
	int r;

	if (t->is_open)
		return 1;
	r = tls_handshake(t->tls);
	if (r != 1)
		return wait_for(t, r);
	t->is_open = true;
	return 1;
}

ssize_t transport_read(struct transport *t, void *bytes, size_t len)
{
	ssize_t n;

	if (t->tls) {
		n = tls_read(t->tls, bytes, len);
		return n > 0 || n == TLS_CLOSED ? n : wait_for(t, n);
	}
	n = recv(t->fd, bytes, len, 0);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

bool transport_has_bytes(const struct transport *t)
{
	int count = 0;

	return ioctl(t->fd, FIONREAD, &count) == 0 && count > 0;
}

static ssize_t write_plain(struct transport *t, struct evbuffer *out)
{
	struct evbuffer_iovec pieces[PIECES_MAX];
	int count = evbuffer_peek(out, -1, NULL, pieces, PIECES_MAX);
	struct msghdr message = {.msg_iov = (struct iovec *)pieces};
	ssize_t n;

	message.msg_iovlen = (size_t)(count < PIECES_MAX ? count : PIECES_MAX);
	n = sendmsg(t->fd, &message, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

/* A record's bytes in one piece: small ones are joined, or each would be a record of its own. */
static ssize_t write_tls(struct transport *t, struct evbuffer *out)
{
	size_t len = evbuffer_get_length(out);
	const unsigned char *bytes;
	ssize_t n;

	len = len < RECORD_MAX ? len : RECORD_MAX;
	bytes = evbuffer_pullup(out, (ev_ssize_t)len);
	if (!bytes)
		return TRANSPORT_BROKEN;
	n = tls_write(t->tls, bytes, len);
	return n > 0 ? n : wait_for(t, n);
}

int transport_flush(struct transport *t, struct evbuffer *out)
{
	while (t->is_open && evbuffer_get_length(out)) {
		ssize_t n = t->tls ? write_tls(t, out) : write_plain(t, out);

		if (n == TRANSPORT_BROKEN)
			return TRANSPORT_BROKEN;
		if (n < 0)
			break;
		evbuffer_drain(out, (size_t)n);
	}
	transport_write_on(t, t->is_open && evbuffer_get_length(out) > 0);
	return 0;
}

size_t transport_queued(const struct transport *t)
{
	int queued = 0;

	return ioctl(t->fd, SIOCOUTQ, &queued) == 0 && queued > 0 ? (size_t)queued : 0;
}

void transport_shutdown(struct transport *t)
{
	if (t->tls)
		tls_shutdown(t->tls);
	(void)shutdown(t->fd, SHUT_WR);
}
