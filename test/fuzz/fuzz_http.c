/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, taken for a request: the head is found at the same place however the bytes come, what
 * we take has the form that we promise, the chunked body is the same in one piece and in bytes, and
 * what we take as a whole another reader takes in the same way: the basis of request smuggling is
 * that two readers differ.
 */
#include <stdlib.h>
#include <string.h>

#include "common/http_chunk.h"
#include "common/http_head.h"
#include "fuzz.h"
#include "http_peer.h"

struct outcome {
	int end; /* of the body: 1 ended, 0 not yet, -1 malformed */
	size_t used;
	size_t body_len;
	uint64_t hash;
};

static struct outcome read_chunks(const char *bytes, size_t len, size_t piece)
{
	struct http_chunked c = {0};
	struct outcome o = {0};

	while (o.end == 0 && o.used < len) {
		size_t n = len - o.used < piece ? len - o.used : piece, used, body_len;
		const char *body;

		o.end = http_chunked_take(&c, bytes + o.used, n, &used, &body, &body_len);
		if (o.end < 0)
			return (struct outcome){.end = -1};
		FUZZ_CHECK(used > 0 && used <= n && body_len <= n);
		o.used += used;
		o.body_len += body_len;
		o.hash = http_peer_hash(o.hash, body, body_len);
	}
	return o;
}

static struct outcome read_plain(const char *bytes, size_t len, int64_t length)
{
	size_t wanted = length < 0 ? 0 : (size_t)length;

	if (wanted > len)
		return (struct outcome){0};
	return (struct outcome){1, wanted, wanted, http_peer_hash(0, bytes, wanted)};
}

static void check_body(const struct http_request *request, const char *all, size_t len, size_t head)
{
	struct outcome whole =
		request->chunked ? read_chunks(all + head, len - head, len)
				 : read_plain(all + head, len - head, request->content_length);
	struct http_peer peer;

	if (request->chunked) {
		struct outcome bytes = read_chunks(all + head, len - head, 1);

		FUZZ_CHECK(bytes.end == whole.end && bytes.used == whole.used);
		FUZZ_CHECK(bytes.body_len == whole.body_len && bytes.hash == whole.hash);
	}
	/* A tunnel has no body for it, and in these methods it looks for other targets. */
	if (whole.end != 1 || !strcmp(request->method, "CONNECT") ||
		!http_peer_read(all, head + whole.used, &peer))
		return;
	/* It knows a list of methods only, and takes "Transfer-Encoding#" for a coding. */
	if (peer.refused)
		return;
	/* An upgrade is for it the end of the message, body or not. We don't upgrade. */
	if (http_request_field(request, "upgrade"))
		return;
	FUZZ_CHECK(peer.complete);
	FUZZ_CHECK(peer.fields == request->field_count);
	FUZZ_CHECK(peer.target_len == strlen(request->target));
	FUZZ_CHECK(peer.body_len == whole.body_len && peer.body_hash == whole.hash);
}

static void check_request(const struct http_request *request)
{
	FUZZ_CHECK(*request->method && *request->target == '/');
	FUZZ_CHECK(request->field_count <= HTTP_FIELDS_MAX);
	FUZZ_CHECK(!request->chunked || request->content_length == -1);
	for (size_t i = 0; i < request->field_count; i++) {
		FUZZ_CHECK(*request->fields[i].name);
		FUZZ_CHECK(!strpbrk(request->fields[i].name, " \t\r\n:"));
		FUZZ_CHECK(!strpbrk(request->fields[i].value, "\r\n"));
	}
}

/* The same end, looked for after each byte. */
static void check_end(const char *bytes, size_t len, long whole)
{
	size_t from = 0;
	long end = 0;

	for (size_t n = 0; n <= len && end == 0; n++)
		end = http_head_end(bytes, n, &from);
	FUZZ_CHECK(end == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request request;
	const char *bytes = (const char *)data;
	size_t from = 0;
	long end;
	char *head;

	if (size == 0)
		return 0;
	end = http_head_end(bytes, size, &from);
	check_end(bytes, size, end);
	if (end <= 0)
		return 0;
	head = malloc((size_t)end);
	if (!head)
		return 0;
	memcpy(head, bytes, (size_t)end);
	if (http_request_parse(head, (size_t)end, &request) == 0) {
		check_request(&request);
		check_body(&request, bytes, size, (size_t)end);
	}
	free(head);
	return 0;
}
