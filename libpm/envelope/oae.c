/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/oae.h"

#include "base/wr.h"

/* Each label ends with a zero byte, the literal's own. */
static const char request_label[] = "privatemode oae request key";
static const char response_label[] = "privatemode oae response key";

#define INFO_MAX (sizeof(response_label) + PM_OAE_HEADER_SIZE)
#define AAD_SIZE 5

static void close_stream(struct pm_oae_stream *stream)
{
	pm_aead_clear(stream->aead);
	stream->aead = NULL;
}

/* Notes an error that stays. */
static int fail(struct pm_oae_stream *stream, int error)
{
	stream->error = error;
	close_stream(stream);
	return error;
}

/* --- keys ------------------------------------------------------------------------------------ */

static struct pm_oae_memory *memory_of(const struct pm_oae *oae)
{
	/* Guarded memory ends where a page does: a size that is a multiple of 16 aligns it so. */
	return (struct pm_oae_memory *)(void *)oae->memory.ptr;
}

int pm_oae_begin(struct pm_oae *oae, uint8_t **ret_secret)
{
	int r;

	if (oae->memory.ptr)
		return PM_E_STATE;
	r = pm_secret_new(&oae->memory, sizeof(struct pm_oae_memory));
	if (r == PM_OK)
		*ret_secret = memory_of(oae)->secret;
	return r;
}

static int make_stream(const uint8_t *prk, struct pm_view info, struct pm_aead_memory *memory,
	struct pm_oae_stream *ret)
{
	pm_cleanup(brief) struct pm_brief key = {0};
	int r = pm_hkdf_expand_to(
		PM_SHA256, pm_view(prk, PM_SHA256_SIZE), info, key.bytes, PM_AEAD_KEY_SIZE);

	if (r < 0)
		return r;
	return pm_aead_init(memory, pm_view(key.bytes, PM_AEAD_KEY_SIZE), &ret->aead);
}

static void end_prk(struct pm_oae *oae)
{
	pm_wipe(oae->prk, PM_SHA256_SIZE);
	oae->prk = NULL;
}

static int make_request(struct pm_oae *oae, const uint8_t *secret, const uint8_t *header)
{
	uint8_t *prk = memory_of(oae)->prk;
	int r = pm_hkdf_extract_to(PM_SHA256, pm_view(header, PM_OAE_HEADER_SIZE),
		pm_view(secret, PM_OAE_SECRET_SIZE), prk);

	if (r < 0)
		return r;
	oae->prk = prk;
	return make_stream(prk, pm_view(request_label, sizeof(request_label)),
		&memory_of(oae)->request, &oae->request);
}

int pm_oae_request(struct pm_oae *oae, const uint8_t *secret, const uint8_t *request_header)
{
	uint8_t *place;
	int r = PM_OK;

	if (oae->prk || oae->request.aead || oae->request.seq || oae->request.error)
		return PM_E_STATE;
	if (!oae->memory.ptr)
		r = pm_oae_begin(oae, &place);
	if (r < 0)
		return r;
	r = make_request(oae, secret, request_header);
	pm_wipe(memory_of(oae)->secret, PM_OAE_SECRET_SIZE);
	return r < 0 ? fail(&oae->request, r) : PM_OK;
}

int pm_oae_response(struct pm_oae *oae, const uint8_t *response_header)
{
	uint8_t info[INFO_MAX];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	int r;

	if (!oae->prk)
		return PM_E_STATE;
	pm_wr_bytes(&wr, pm_view(response_label, sizeof(response_label)));
	pm_wr_bytes(&wr, pm_view(response_header, PM_OAE_HEADER_SIZE));
	r = make_stream(oae->prk, pm_view(info, wr.len), &memory_of(oae)->response, &oae->response);
	/* A second response's keys can't be made: nobody accepts two answers to one request. */
	end_prk(oae);
	return r;
}

void pm_oae_end(struct pm_oae *oae)
{
	close_stream(&oae->request);
	close_stream(&oae->response);
	pm_secret_free(&oae->memory);
	oae->prk = NULL;
}

/* --- messages -------------------------------------------------------------------------------- */

/* May another message be sealed or opened? */
static int check_open(struct pm_oae_stream *stream)
{
	if (stream->error)
		return stream->error;
	if (!stream->aead)
		return fail(stream, PM_E_STATE);
	if (stream->seq >= PM_OAE_MESSAGES_MAX)
		return fail(stream, PM_E_LIMIT);
	return PM_OK;
}

static void write_aad(const struct pm_oae_stream *stream, uint8_t flag, uint8_t *ret)
{
	struct pm_wr wr = pm_wr(ret, AAD_SIZE);

	pm_wr_be32(&wr, (uint32_t)stream->seq);
	pm_wr_u8(&wr, flag);
}

static void advance(struct pm_oae_stream *stream, bool final)
{
	stream->seq++;
	stream->final = final;
	if (final)
		close_stream(stream);
}

int pm_oae_seal_with(struct pm_oae_stream *stream, const uint8_t *nonce, bool final,
	struct pm_view plain, uint8_t *ret)
{
	uint8_t aad[AAD_SIZE];
	int r = check_open(stream);

	if (r < 0)
		return r;
	ret[0] = final ? PM_OAE_FINAL : PM_OAE_MORE;
	pm_copy(ret + 1, nonce, PM_AEAD_NONCE_SIZE);
	write_aad(stream, ret[0], aad);
	r = pm_aead_seal(
		stream->aead, nonce, pm_view(aad, AAD_SIZE), plain, ret + PM_OAE_PREFIX_SIZE);
	if (r < 0)
		return fail(stream, r);
	advance(stream, final);
	return PM_OK;
}

int pm_oae_seal(struct pm_oae_stream *stream, struct pm_nonces *nonces, bool final,
	struct pm_view plain, uint8_t *ret)
{
	uint8_t nonce[PM_AEAD_NONCE_SIZE];

	pm_nonces_next(nonces, nonce);
	return pm_oae_seal_with(stream, nonce, final, plain, ret);
}

int pm_oae_open(struct pm_oae_stream *stream, struct pm_view sealed, uint8_t *ret, bool *ret_final)
{
	uint8_t aad[AAD_SIZE];
	bool final;
	int r = check_open(stream);

	if (r < 0)
		return r;
	if (sealed.len < PM_OAE_OVERHEAD || sealed.ptr[0] > PM_OAE_FINAL)
		return fail(stream, PM_E_FORMAT);
	final = sealed.ptr[0] == PM_OAE_FINAL;
	write_aad(stream, sealed.ptr[0], aad);
	r = pm_aead_open(stream->aead, sealed.ptr + 1, pm_view(aad, AAD_SIZE),
		pm_view(sealed.ptr + PM_OAE_PREFIX_SIZE, sealed.len - PM_OAE_PREFIX_SIZE), ret);
	if (r < 0)
		return fail(stream, r);
	advance(stream, final);
	*ret_final = final;
	return PM_OK;
}

int pm_oae_finish(struct pm_oae_stream *stream)
{
	if (stream->error)
		return stream->error;
	return stream->final ? PM_OK : fail(stream, PM_E_MISSING);
}
