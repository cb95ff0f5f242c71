/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/browser.h"

#include <pm/error.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"

#define HOST_SIZE 80

/* By address, or by the one name that no name server is asked for. */
static bool is_local(const char *host)
{
	const char *last = *host ? host + strlen(host) - 1 : host;
	bool has_port = strchr(host, ':') && *last != ']';
	struct address address;
	char text[HOST_SIZE];
	int n = snprintf(text, sizeof(text), has_port ? "%s" : "%s:80", host);

	if (n < 0 || (size_t)n >= sizeof(text))
		return false;
	for (char *c = text; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	return address_parse(text, &address) == PM_OK && address.socket.ss_family != AF_UNIX &&
	       address_is_local(&address);
}

bool browser_host_is_good(const struct sockaddr_storage *from, const char *host)
{
	const struct address address = {.socket = *from, .len = sizeof(*from)};

	if (from->ss_family == AF_UNIX || !host)
		return true;
	return !address_is_local(&address) || is_local(host);
}

/* Is the origin (RFC 6454, 7) that of the server which the request is for? */
static bool is_same_origin(const char *origin, const char *host, bool is_tls)
{
	const char *scheme = is_tls ? "https://" : "http://";
	size_t len = strlen(scheme);

	return !strncasecmp(origin, scheme, len) && !strcasecmp(origin + len, host);
}

bool browser_is_foreign(const struct http_request *request, bool is_tls)
{
	const char *origin = http_request_field(request, "origin");
	const char *site = http_request_field(request, "sec-fetch-site");
	const char *host = http_request_field(request, "host");

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	return origin && !is_same_origin(origin, host ? host : "", is_tls);
}
