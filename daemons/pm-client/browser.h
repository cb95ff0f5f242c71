/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A browser on this machine reaches us for any page that it shows. Such a page may not use the
 * worker: neither by a request across origins, nor by a name of its own that it lets point to our
 * address, so that the browser takes us for the page's own server (DNS rebinding).
 */
#ifndef CLIENT_BROWSER_H
#define CLIENT_BROWSER_H

#include <stdbool.h>

#include "common/http_server.h"

/*
 * May a request from there have this Host (or NULL)? From this machine's own address it must name
 * this machine as itself. Browsers speak to no Unix socket, and send no request without Host; what
 * comes from elsewhere came to a socket of systemd's, whose names are not known.
 */
bool browser_host_is_good(const struct sockaddr_storage *from, const char *host);

/* Did a page that came from elsewhere make the request? is_tls: we are an https server. */
bool browser_is_foreign(const struct http_request *request, bool is_tls);

#endif
