/* SPDX-License-Identifier: Apache-2.0 */
/* Field messages as the cipher of bodies. */
#include <pm/body.h>
#include <pm/field.h>

static size_t seal_room(void *arg, size_t in_len)
{
	return pm_field_exchange_sealed_size(arg, in_len);
}

static int seal(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	(void)report;
	return pm_field_seal(arg, in, in_len, (char *)ret_out, cap, ret_len);
}

static size_t open_room(void *arg, size_t in_len)
{
	(void)arg;
	return pm_field_open_room(in_len);
}

static int open(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	return pm_field_open(arg, (const char *)in, in_len, ret_out, cap, ret_len, report);
}

void pm_body_field_cipher(
	struct pm_field_exchange *exchange, enum pm_body_way way, struct pm_body_cipher *ret_cipher)
{
	*ret_cipher = (struct pm_body_cipher){
		.arg = exchange,
		.room = way == PM_BODY_SEAL ? seal_room : open_room,
		.apply = way == PM_BODY_SEAL ? seal : open,
	};
}
