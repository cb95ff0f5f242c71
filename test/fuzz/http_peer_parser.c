/* SPDX-License-Identifier: Apache-2.0 */
#include <http_parser.h>

#include "http_peer.h"

static int on_url(http_parser *parser, const char *at, size_t len)
{
	struct http_peer *peer = parser->data;

	(void)at;
	peer->target_len += len;
	return 0;
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
	struct http_peer *peer = parser->data;
	const char *before = at - 1;

	(void)len;
	/* It may hand out a name in pieces; ours come whole, so each begins behind an LF. */
	peer->fields += *before == '\n';
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct http_peer *peer = parser->data;

	peer->body_len += len;
	peer->body_hash = http_peer_hash(peer->body_hash, at, len);
	return 0;
}

static int on_complete(http_parser *parser)
{
	struct http_peer *peer = parser->data;

	peer->complete = true;
	http_parser_pause(parser, 1);
	return 0;
}

bool http_peer_read(const char *bytes, size_t len, struct http_peer *ret)
{
	http_parser_settings settings;
	http_parser parser;

	*ret = (struct http_peer){0};
	http_parser_settings_init(&settings);
	settings.on_url = on_url;
	settings.on_header_field = on_field;
	settings.on_body = on_body;
	settings.on_message_complete = on_complete;
	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = ret;
	ret->used = http_parser_execute(&parser, &settings, bytes, len);
	ret->refused = !ret->complete && HTTP_PARSER_ERRNO(&parser) != HPE_OK;
	return true;
}
