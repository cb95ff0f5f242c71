/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/visitors.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The first bytes of a nonce say where it lies; the others are random. */
#define ADDRESS_SIZE	9
#define PER_THOUSAND	1000
#define PLACES_OF_NONCE 256

struct nonce {
	bool waits;
	int64_t made;
	uint8_t bytes[PM_BUNDLE_NONCE_SIZE];
};

struct visitor {
	bool used;
	uint8_t address[ADDRESS_SIZE]; /* the kind, and 4 or 8 bytes */
	int64_t seen;
	int64_t credit; /* thousandths of a question */
	size_t next;	/* of his nonces, in turn */
};

/* Apart, so that a look for somebody does not go through all nonces. */
struct visitors {
	unsigned int rate;
	int64_t notes_end; /* when all that may be written at once may be again */
	struct visitor all[VISITORS_MAX];
	struct nonce nonces[VISITORS_MAX][VISITORS_NONCES];
};

_Static_assert(VISITORS_MAX *VISITORS_NONCES <= PLACES_OF_NONCE * PLACES_OF_NONCE,
	"a place fits its bytes");

struct visitors *visitors_new(unsigned int rate)
{
	struct visitors *visitors = calloc(1, sizeof(*visitors));

	if (visitors)
		visitors->rate = rate ? rate : 1;
	return visitors;
}

void visitors_free(struct visitors *visitors)
{
	free(visitors);
}

static void address_of(const struct sockaddr *address, uint8_t ret[ADDRESS_SIZE])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

	memset(ret, 0, ADDRESS_SIZE);
	if (address && address->sa_family == AF_INET) {
		ret[0] = 4;
		memcpy(ret + 1, &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (address && address->sa_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		ret[0] = 4;
		memcpy(ret + 1, &v6->sin6_addr.s6_addr[12], 4);
	} else if (address && address->sa_family == AF_INET6) {
		ret[0] = 6;
		memcpy(ret + 1, &v6->sin6_addr, 8);
	}
}

/* His place, or that of the one who was here longest ago, emptied for him. */
static struct visitor *find(struct visitors *visitors, const struct sockaddr *address, int64_t now)
{
	uint8_t key[ADDRESS_SIZE];
	struct visitor *oldest = &visitors->all[0];

	address_of(address, key);
	for (size_t i = 0; i < VISITORS_MAX; i++) {
		struct visitor *v = &visitors->all[i];

		if (v->used && memcmp(v->address, key, sizeof(key)) == 0)
			return v;
		if (oldest->used && (!v->used || v->seen < oldest->seen))
			oldest = v;
	}
	memset(oldest, 0, sizeof(*oldest));
	for (size_t i = 0; i < VISITORS_NONCES; i++)
		visitors->nonces[oldest - visitors->all][i].waits = false;
	memcpy(oldest->address, key, sizeof(key));
	oldest->used = true;
	oldest->seen = now;
	oldest->credit = (int64_t)visitors->rate * VISITORS_BURST * PER_THOUSAND;
	return oldest;
}

bool visitors_admit(struct visitors *visitors, const struct sockaddr *address, int64_t now)
{
	struct visitor *v = find(visitors, address, now);
	int64_t most = (int64_t)visitors->rate * VISITORS_BURST * PER_THOUSAND;
	int64_t since = now > v->seen ? now - v->seen : 0;

	/* A rate a second is as many thousandths a millisecond. */
	v->credit = since > most ? most : v->credit + since * visitors->rate;
	if (v->credit > most)
		v->credit = most;
	v->seen = now;
	if (v->credit < PER_THOUSAND)
		return false;
	v->credit -= PER_THOUSAND;
	return true;
}

bool visitors_note(struct visitors *visitors, int64_t now)
{
	int64_t end = visitors->notes_end > now ? visitors->notes_end : now;

	if (end - now > (int64_t)(VISITORS_NOTES - 1) * VISITORS_NOTE_TIME)
		return false;
	visitors->notes_end = end + VISITORS_NOTE_TIME;
	return true;
}

int visitors_nonce(struct visitors *visitors, const struct sockaddr *address, int64_t now,
	uint8_t ret_nonce[PM_BUNDLE_NONCE_SIZE])
{
	struct visitor *v = find(visitors, address, now);
	size_t who = (size_t)(v - visitors->all), place = who * VISITORS_NONCES + v->next;
	struct nonce *n = &visitors->nonces[who][v->next];

	n->waits = false;
	if (getentropy(n->bytes, sizeof(n->bytes)) != 0)
		return PM_E_SYS;
	n->bytes[0] = (uint8_t)(place / PLACES_OF_NONCE);
	n->bytes[1] = (uint8_t)(place % PLACES_OF_NONCE);
	n->made = v->seen = now;
	n->waits = true;
	v->next = (v->next + 1) % VISITORS_NONCES;
	memcpy(ret_nonce, n->bytes, sizeof(n->bytes));
	return PM_OK;
}

bool visitors_take(
	struct visitors *visitors, const uint8_t nonce[PM_BUNDLE_NONCE_SIZE], int64_t now)
{
	size_t place = (size_t)nonce[0] * PLACES_OF_NONCE + nonce[1];
	struct nonce *n;

	if (place >= (size_t)VISITORS_MAX * VISITORS_NONCES)
		return false;
	n = &visitors->nonces[place / VISITORS_NONCES][place % VISITORS_NONCES];
	if (!n->waits || memcmp(n->bytes, nonce, sizeof(n->bytes)) != 0)
		return false;
	n->waits = false;
	return now - n->made <= VISITORS_LIFETIME;
}
