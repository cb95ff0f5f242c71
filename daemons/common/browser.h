/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A browser on this machine reaches us for any page that it shows. Such a page may not use us:
 * neither by a request across origins, nor by a name of its own that it lets point to our address,
 * so that the browser takes us for the page's own server (DNS rebinding).
 */
#ifndef COMMON_BROWSER_H
#define COMMON_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http_server.h"

/* Names by which we are asked from this machine too, without a port and in either case. */
struct browser_names {
	const char *const *names;
	size_t count;
};

/*
 * May a request from there have this Host (or NULL)? From this machine's own address it must name
 * this machine as itself, or have one of the names, with any port. Browsers speak to no Unix
 * socket, and send no request without Host; what comes from elsewhere came to a socket whose names
 * are not known.
 */
bool browser_host_is_good(
	const struct sockaddr_storage *from, const char *host, const struct browser_names *names);

/* The same for a whole request: what is not good is answered with status 403; false then. */
bool browser_admits(struct http_exchange *x, const struct browser_names *names);

/* Did a page that came from elsewhere make the request? is_tls: we are an https server. */
bool browser_is_foreign(const struct http_request *request, bool is_tls);

#endif
