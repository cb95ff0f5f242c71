/* SPDX-License-Identifier: Apache-2.0 */
/* What another reader makes of a request, to compare with ours. */
#ifndef PM_FUZZ_HTTP_PEER_H
#define PM_FUZZ_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PEER_BODY_MAX 65536

struct http_peer {
	bool refused;	    /* it takes it for malformed */
	bool complete;	    /* the request has ended */
	size_t used;	    /* where, counted from its first byte */
	size_t fields;	    /* of its head */
	size_t target_len;  /* of its target */
	size_t body_len;    /* of its body */
	uint64_t body_hash; /* FNV-1a of its body */
};

static inline uint64_t http_peer_hash(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* False: there is no other reader in this build. */
bool http_peer_read(const char *bytes, size_t len, struct http_peer *ret);

#endif
