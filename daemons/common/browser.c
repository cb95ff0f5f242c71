/* SPDX-License-Identifier: Apache-2.0 */
#include "common/browser.h"

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

/* A name has no colon, so the first one begins the port. */
static bool is_one_of(const struct browser_names *names, const char *host)
{
	size_t len = strcspn(host, ":");

	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->names[i]) == len && !strncasecmp(names->names[i], host, len))
			return true;
	return false;
}

bool browser_host_is_good(
	const struct sockaddr_storage *from, const char *host, const struct browser_names *names)
{
	const struct address address = {.socket = *from, .len = sizeof(*from)};

	if (from->ss_family == AF_UNIX || !host)
		return true;
	return !address_is_local(&address) || is_local(host) || is_one_of(names, host);
}

bool browser_admits(struct http_exchange *x, const struct browser_names *names)
{
	static const char text[] = "This name is not known to be ours.\n";
	struct sockaddr_storage from;

	http_client_address(x, &from);
	if (browser_host_is_good(&from, http_request_field(http_request(x), "host"), names))
		return true;
	http_reply(x, 403, "text/plain", text, sizeof(text) - 1);
	return false;
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
