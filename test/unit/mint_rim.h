/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests in the form of NVIDIA's, signed by a chain of one's own. The text is canonicalised by
 * libxml2 as well, but what is signed of SignedInfo is written here.
 */
#ifndef PM_TEST_MINT_RIM_H
#define PM_TEST_MINT_RIM_H

#include "mint.h"

#define MINT_RIM_CERTS 4

/* Signer, two authorities, root; specs may be changed between begin and mint. */
struct mint_rim_pki {
	EVP_PKEY *keys[MINT_RIM_CERTS];
	struct mint_cert specs[MINT_RIM_CERTS];
	struct pm_view certs[MINT_RIM_CERTS];
	uint8_t root_sha256[32];
};

/* Keys, and specs of a chain that is good between these times. */
void mint_rim_pki_begin(struct mint_rim_pki *pki, int64_t from, int64_t to);

/* Certificates of the specs; those of an earlier call are freed. */
void mint_rim_pki_mint(struct mint_rim_pki *pki);
void mint_rim_pki_free(struct mint_rim_pki *pki);

/* Text to replace, everywhere where it stands; from NULL: nothing. It must stand there. */
struct mint_edit {
	const char *from, *to;
};

struct mint_rim {
	const struct mint_rim_pki *pki;
	EVP_PKEY *key; /* NULL: the signer's */
	const char *edition, *product, *version;
	size_t values;
	struct mint_edit before; /* in what is signed, before it is */
	struct mint_edit info;	 /* in SignedInfo, both as it stands and as it is signed */
	struct mint_edit after;	 /* in all, afterwards */
	struct mint_edit after2;
};

/* The text; freed with test_free(). */
struct pm_view mint_rim(const struct mint_rim *spec);

#endif
