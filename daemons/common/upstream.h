/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a server behind us, by libcurl, in an event loop: connections are kept and used
 * again, responses stream, and may be held back. HTTP/1.1 over TCP or a Unix socket for a server on
 * this machine; by a URL for a server elsewhere, with TLS when it says https.
 *
 * A response counts as whole only when its own framing says so: one whose end is that of the
 * connection is refused, as are content codings, which we did not ask for.
 */
#ifndef COMMON_UPSTREAM_H
#define COMMON_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/http_head.h"
#include "common/loop.h"

/* Longest Content-Type that is kept of a response. */
#define UPSTREAM_TYPE_SIZE 256

/* The connections of one loop to one server. */
struct upstream_pool;

/* One request. */
struct upstream;

struct upstream_handler {
	/* The head; content_type is "" when there is none. */
	void (*head)(void *arg, int status, const char *content_type);
	/* A piece of the body. False: give up; then done() says so. */
	bool (*body)(void *arg, const char *bytes, size_t len);
	/*
	 * The last call; the request is gone. 0; PM_E_NET when it could not be reached or broke
	 * off; PM_E_REJECTED when body() said so. reason is static text.
	 */
	void (*done)(void *arg, int error, const char *reason);
};

struct upstream_request {
	const char *method;
	const char *target; /* path and query, checked by the caller */
	const char *content_type;
	const struct http_field *fields;
	size_t field_count;
	const void *body; /* stays the caller's until done() or upstream_cancel() */
	size_t body_len;
	/*
	 * Set once bytes of the body were handed on: until then the server knows nothing of the
	 * request. What was handed on is not sent again when a connection that was kept turns out
	 * to be dead. NULL: it may be. Until done() or upstream_cancel().
	 */
	bool *sent;
};

/* Who we are in the mesh, and whom we take for one of it: PEM texts. */
struct upstream_identity {
	const char *cert; /* the leaf first */
	const char *key;
	const char *ca;
};

/* address must be of IP or Unix. 0; PM_E_NOMEM, PM_E_STATE when libcurl can't begin. */
int upstream_pool_new(
	struct loop *loop, const struct address *address, struct upstream_pool **ret_pool);
/*
 * To the server of "http://HOST[:PORT][/PATH]" or https, checked by the caller; targets are put
 * behind it. ca_file NULL: the system's. Both are copied. Proxies of the environment serve for
 * https only. Likewise.
 */
int upstream_pool_new_url(
	struct loop *loop, const char *url, const char *ca_file, struct upstream_pool **ret_pool);
/*
 * To one who has this role in the mesh, at "https://HOST[:PORT][/PATH]": by mutual TLS 1.3, and the
 * certificate must be of the mesh CA and for the role. Until there is an identity, and while there
 * is none any more, no request begins. Proxies of the environment are not used. 0; PM_E_ARG for
 * another address, or one too long; PM_E_NOMEM, PM_E_STATE.
 */
int upstream_pool_new_mesh(
	struct loop *loop, const char *url, const char *role, struct upstream_pool **ret_pool);
/*
 * Who we are from now on, for requests to come; NULL: nobody. All is copied, and the key wiped when
 * nobody uses it any more. From the loop's thread. 0; PM_E_NOMEM, when all stays as it was.
 */
int upstream_pool_set_identity(
	struct upstream_pool *pool, const struct upstream_identity *identity);
/* Without requests under way. */
void upstream_pool_free(struct upstream_pool *pool);

/* Handler's functions are not called from here. 0; PM_E_NOMEM; PM_E_STATE without an identity. */
int upstream_start(struct upstream_pool *pool, const struct upstream_request *request,
	const struct upstream_handler *handler, void *arg, struct upstream **ret_upstream);

/*
 * From head() on: was the whole body sent? Then its memory is not looked at again, and the caller
 * may free it.
 */
bool upstream_has_sent(const struct upstream *upstream);

/* Gives it up: no further call comes. From any place. */
void upstream_cancel(struct upstream *upstream);

/* Holds the body back; from body(), which has taken its piece. */
void upstream_pause(struct upstream *upstream);

/* Lets it go on, not from handler's functions; they may be called from within, done() too. */
void upstream_resume(struct upstream *upstream);

/*
 * For a pool of an https URL, before its first request: who we are (cert, the leaf first, and key;
 * or neither) and whom we trust (ca; NULL: as before), as texts of PEM, which are copied; the key
 * is wiped at the end. No proxy is taken then. 0; PM_E_NOMEM.
 */
int upstream_pool_set_tls(
	struct upstream_pool *pool, const char *cert, const char *key, const char *ca);

#endif
