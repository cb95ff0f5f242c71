/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP responses made by OpenSSL, with one defect where a test asks for it. */
#ifndef PM_TEST_MINT_OCSP_H
#define PM_TEST_MINT_OCSP_H

#include "mint.h"

enum mint_ocsp_status { MINT_OCSP_GOOD, MINT_OCSP_REVOKED, MINT_OCSP_UNKNOWN };

/* What the response says of the certificate a second time, behind what it says first. */
struct mint_ocsp_more {
	bool given;
	enum mint_ocsp_status status;
	struct pm_view cert;
};

struct mint_ocsp {
	struct pm_view cert, issuer; /* DER; the responder speaks of cert */
	struct pm_view responder;    /* DER of the signer's certificate */
	EVP_PKEY *key;		     /* the signer's */
	enum mint_ocsp_status status;
	int reason; /* CRLReason of a revocation; -1: none told */
	int64_t revoked_at;
	int64_t this_update, next_update; /* next_update 0: absent */
	int64_t produced_at;		  /* 0: this_update */
	const char *id_hash;		  /* NULL: SHA384 */
	const char *hash;		  /* of the signature; NULL: SHA384 */
	struct pm_view nonce;		  /* empty: none */
	bool by_name;			  /* the responder is told by name, not by key */
	bool no_cert;			  /* the responder's certificate is left out */
	bool critical, critical_single;	  /* an unknown critical extension */
	bool nonce_twice;
	int response_status; /* OCSPResponseStatus; not 0: without an answer */
	bool forged;	     /* a bit of the signature is another */
	struct mint_ocsp_more more;
	struct pm_view first_cert; /* in the response, before the responder's; empty: none */
	size_t first_count;	   /* so many times; 0: once */
	size_t first_singles;	   /* so many answers before those told above */
};

/* Freed with test_free(). */
struct pm_view mint_ocsp(const struct mint_ocsp *spec);

/* extKeyUsage as value of a struct mint_extension: OCSPSigning, and NVIDIA's with nocheck in it. */
extern const struct mint_extension mint_eku_ocsp, mint_eku_ocsp_nocheck, mint_eku_server;

#endif
