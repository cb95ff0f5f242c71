/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/sealed_head.h"

#include <stdlib.h>
#include <string.h>

#include "base/cbor.h"
#include "base/report.h"

/* Keys of the two maps. */
enum {
	REQUEST_METHOD = 1,
	REQUEST_PATH,
	REQUEST_TYPE,
	REQUEST_FIELDS,
	REQUEST_ISSUED,
	REQUEST_KEYS = 5
};
enum { RESPONSE_STATUS = 1, RESPONSE_TYPE, RESPONSE_FIELDS, RESPONSE_KEYS = 3 };

/* Last second of the year 9999. */
#define TIME_MAX   INT64_C(253402300799)
#define STATUS_MIN 200
#define STATUS_MAX 599

struct field {
	struct pm_view name, value;
};

/* Either head, as views. */
struct head {
	bool is_request;
	struct pm_view method, path, type;
	struct field fields[PM_SEALED_FIELDS_MAX];
	size_t field_count;
	uint64_t number; /* issued at, or status */
};

/* --- rules ----------------------------------------------------------------------------------- */

static bool all(struct pm_view text, bool (*is)(uint8_t c))
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is(text.ptr[i]))
			return false;
	}
	return true;
}

static bool is_letter_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* tchar of RFC 9110, 5.6.2 */
static bool is_token(uint8_t c)
{
	return is_letter_or_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_lower_token(uint8_t c)
{
	return is_token(c) && !(c >= 'A' && c <= 'Z');
}

static bool is_path(uint8_t c)
{
	return c > ' ' && c <= '~' && c != '#';
}

static bool is_value(uint8_t c)
{
	return (c >= ' ' && c <= '~') || c == '\t';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Printable, and no white space at either end: nothing that could break out of a header line. */
static bool is_field_value(struct pm_view v)
{
	return all(v, is_value) && (!v.len || (!is_blank(v.ptr[0]) && !is_blank(v.ptr[v.len - 1])));
}

static bool begins_with(struct pm_view text, struct pm_view start)
{
	return text.len >= start.len && pm_view_equal(pm_view(text.ptr, start.len), start);
}

/* Fields that would change where a message ends, or that belong to one connection. */
static bool is_forbidden(struct pm_view name)
{
	static const char *const names[] = {"connection", "content-length", "content-type",
		"keep-alive", "te", "trailer", "trailers", "transfer-encoding", "upgrade"};

	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		if (pm_view_equal(name, pm_view(names[i], strlen(names[i]))))
			return true;
	}
	return begins_with(name, pm_view("proxy-", 6));
}

/* The order of the encoded keys: shorter ones first, then by bytes (RFC 8949, 4.2.1). */
static int compare_names(const void *a, const void *b)
{
	const struct pm_view *x = &((const struct field *)a)->name;
	const struct pm_view *y = &((const struct field *)b)->name;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	for (size_t i = 0; i < x->len; i++) {
		if (x->ptr[i] != y->ptr[i])
			return x->ptr[i] < y->ptr[i] ? -1 : 1;
	}
	return 0;
}

/* No text of a head is ever repeated in a report: heads are as private as bodies. */
static int refuse(struct pm_report *report, const char *name, const char *expected, size_t len)
{
	return pm_fail(report, PM_E_FORMAT, name, expected, "%zu bytes", len);
}

static int check_fields(const struct head *h, struct pm_report *report)
{
	for (size_t i = 0; i < h->field_count; i++) {
		struct pm_view name = h->fields[i].name, value = h->fields[i].value;

		if (!name.len || name.len > PM_SEALED_NAME_MAX || !all(name, is_lower_token))
			return refuse(report, "sealed.head.name", "1 to 128 lower-case characters",
				name.len);
		if (is_forbidden(name))
			return refuse(
				report, "sealed.head.name", "no field of a connection", name.len);
		if (value.len > PM_SEALED_VALUE_MAX || !is_field_value(value))
			return refuse(report, "sealed.head.value",
				"at most 8192 printable characters", value.len);
		if (i && compare_names(&h->fields[i - 1], &h->fields[i]) >= 0)
			return refuse(report, "sealed.head.names", "in order, each once", name.len);
	}
	return PM_OK;
}

static int check_request(const struct head *h, struct pm_report *report)
{
	if (!h->method.len || h->method.len > PM_SEALED_METHOD_MAX || !all(h->method, is_token))
		return refuse(report, "sealed.head.method", "a token of at most 32 characters",
			h->method.len);
	if (!h->path.len || h->path.len > PM_SEALED_PATH_MAX || h->path.ptr[0] != '/' ||
		!all(h->path, is_path))
		return refuse(
			report, "sealed.head.path", "/ and at most 8191 characters", h->path.len);
	if (h->number > (uint64_t)TIME_MAX)
		return pm_fail(report, PM_E_FORMAT, "sealed.head.issued_at", "a time", "%llu",
			(unsigned long long)h->number);
	return PM_OK;
}

static int check_status(const struct head *h, struct pm_report *report)
{
	if (h->number < STATUS_MIN || h->number > STATUS_MAX)
		return pm_fail(report, PM_E_FORMAT, "sealed.head.status", "200 to 599", "%llu",
			(unsigned long long)h->number);
	return PM_OK;
}

static int check(const struct head *h, struct pm_report *report)
{
	int r = h->is_request ? check_request(h, report) : check_status(h, report);

	if (r < 0)
		return r;
	if (h->type.len > PM_SEALED_TYPE_MAX || !is_field_value(h->type))
		return refuse(report, "sealed.head.content_type",
			"at most 256 printable characters", h->type.len);
	return check_fields(h, report);
}

/* --- writing --------------------------------------------------------------------------------- */

static struct pm_view text(const char *s)
{
	return s ? pm_view(s, strlen(s)) : (struct pm_view){0};
}

static int set_fields(struct head *h, const struct pm_sealed_field *fields, size_t count,
	struct pm_report *report)
{
	if (count > PM_SEALED_FIELDS_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "sealed.head.fields", "at most 64", "%zu", count);
	for (size_t i = 0; i < count; i++)
		h->fields[i] = (struct field){text(fields[i].name), text(fields[i].value)};
	h->field_count = count;
	qsort(h->fields, count, sizeof(h->fields[0]), compare_names);
	return PM_OK;
}

static void write_fields(struct pm_wr *wr, const struct head *h)
{
	pm_cbor_wr_map(wr, h->field_count);
	for (size_t i = 0; i < h->field_count; i++) {
		pm_cbor_wr_text(wr, h->fields[i].name);
		pm_cbor_wr_text(wr, h->fields[i].value);
	}
}

static void write_text(struct pm_wr *wr, uint64_t key, struct pm_view value)
{
	pm_cbor_wr_uint(wr, key);
	pm_cbor_wr_text(wr, value);
}

static void write_number(struct pm_wr *wr, uint64_t key, uint64_t value)
{
	pm_cbor_wr_uint(wr, key);
	pm_cbor_wr_uint(wr, value);
}

static void write_request(struct pm_wr *wr, const struct head *h)
{
	pm_cbor_wr_map(wr, REQUEST_KEYS);
	write_text(wr, REQUEST_METHOD, h->method);
	write_text(wr, REQUEST_PATH, h->path);
	write_text(wr, REQUEST_TYPE, h->type);
	pm_cbor_wr_uint(wr, REQUEST_FIELDS);
	write_fields(wr, h);
	write_number(wr, REQUEST_ISSUED, h->number);
}

static void write_response(struct pm_wr *wr, const struct head *h)
{
	pm_cbor_wr_map(wr, RESPONSE_KEYS);
	write_number(wr, RESPONSE_STATUS, h->number);
	write_text(wr, RESPONSE_TYPE, h->type);
	pm_cbor_wr_uint(wr, RESPONSE_FIELDS);
	write_fields(wr, h);
}

static int encode(const struct head *h, struct pm_report *report, uint8_t *ret, size_t *ret_len)
{
	struct pm_wr wr = pm_wr(ret, PM_SEALED_CONTENT_MAX);
	int r = check(h, report);

	if (r < 0)
		return r;
	if (h->is_request)
		write_request(&wr, h);
	else
		write_response(&wr, h);
	if (!pm_wr_done(&wr, ret_len))
		return pm_fail(
			report, PM_E_LIMIT, "sealed.head", "at most 65532 bytes", "more bytes");
	return PM_OK;
}

int pm_sealed_request_encode(const struct pm_sealed_request *head, struct pm_report *report,
	uint8_t *ret, size_t *ret_len)
{
	struct head h = {.is_request = true,
		.method = text(head->method),
		.path = text(head->path),
		.type = text(head->content_type),
		.number = (uint64_t)head->issued_at};
	int r = set_fields(&h, head->fields, head->field_count, report);

	return r < 0 ? r : encode(&h, report, ret, ret_len);
}

int pm_sealed_response_encode(const struct pm_sealed_response *head, struct pm_report *report,
	uint8_t *ret, size_t *ret_len)
{
	struct head h = {.type = text(head->content_type),
		.number = head->status < 0 ? 0 : (uint64_t)head->status};
	int r = set_fields(&h, head->fields, head->field_count, report);

	return r < 0 ? r : encode(&h, report, ret, ret_len);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct pm_view read_text(struct pm_rd *rd, uint64_t key, size_t max)
{
	pm_cbor_rd_key(rd, key);
	return pm_cbor_rd_text(rd, max);
}

static uint64_t read_number(struct pm_rd *rd, uint64_t key)
{
	pm_cbor_rd_key(rd, key);
	return pm_cbor_rd_uint(rd, UINT64_MAX);
}

static void read_fields(struct pm_rd *rd, uint64_t key, struct head *h)
{
	pm_cbor_rd_key(rd, key);
	h->field_count = pm_cbor_rd_map(rd, PM_SEALED_FIELDS_MAX);
	for (size_t i = 0; i < h->field_count; i++) {
		h->fields[i].name = pm_cbor_rd_text(rd, PM_SEALED_NAME_MAX);
		h->fields[i].value = pm_cbor_rd_text(rd, PM_SEALED_VALUE_MAX);
	}
}

static void read_request(struct pm_rd *rd, struct head *h)
{
	if (pm_cbor_rd_map(rd, REQUEST_KEYS) != REQUEST_KEYS)
		pm_rd_fail(rd);
	h->method = read_text(rd, REQUEST_METHOD, PM_SEALED_METHOD_MAX);
	h->path = read_text(rd, REQUEST_PATH, PM_SEALED_PATH_MAX);
	h->type = read_text(rd, REQUEST_TYPE, PM_SEALED_TYPE_MAX);
	read_fields(rd, REQUEST_FIELDS, h);
	h->number = read_number(rd, REQUEST_ISSUED);
}

static void read_response(struct pm_rd *rd, struct head *h)
{
	if (pm_cbor_rd_map(rd, RESPONSE_KEYS) != RESPONSE_KEYS)
		pm_rd_fail(rd);
	h->number = read_number(rd, RESPONSE_STATUS);
	h->type = read_text(rd, RESPONSE_TYPE, PM_SEALED_TYPE_MAX);
	read_fields(rd, RESPONSE_FIELDS, h);
}

static int decode(struct pm_view cbor, struct pm_report *report, struct head *h)
{
	struct pm_rd rd = pm_rd(cbor);

	if (h->is_request)
		read_request(&rd, h);
	else
		read_response(&rd, h);
	if (!pm_rd_done(&rd))
		return refuse(report, "sealed.head", "a head in deterministic CBOR", cbor.len);
	return check(h, report);
}

/* A text with its NUL; the memory was made large enough for all of them. */
static const char *keep(struct pm_wr *wr, struct pm_view v)
{
	const char *at = (const char *)wr->ptr + wr->len;

	pm_wr_bytes(wr, v);
	pm_wr_u8(wr, 0);
	return at;
}

static size_t memory_size(const struct head *h)
{
	size_t n = h->field_count * sizeof(struct pm_sealed_field);

	n += h->method.len + h->path.len + h->type.len + 3;
	for (size_t i = 0; i < h->field_count; i++)
		n += h->fields[i].name.len + h->fields[i].value.len + 2;
	return n;
}

/* Copies the texts out of the message. */
static int keep_all(const struct head *h, struct pm_sealed_head *ret)
{
	size_t size = memory_size(h), table = h->field_count * sizeof(struct pm_sealed_field);
	struct pm_sealed_field *fields = pm_alloc(size);
	struct pm_wr wr;

	if (!fields)
		return PM_E_NOMEM;
	wr = pm_wr((uint8_t *)fields + table, size - table);
	ret->memory = fields;
	ret->size = size;
	ret->request.method = keep(&wr, h->method);
	ret->request.path = keep(&wr, h->path);
	ret->request.content_type = ret->response.content_type = keep(&wr, h->type);
	for (size_t i = 0; i < h->field_count; i++) {
		fields[i].name = keep(&wr, h->fields[i].name);
		fields[i].value = keep(&wr, h->fields[i].value);
	}
	ret->request.fields = ret->response.fields = fields;
	ret->request.field_count = ret->response.field_count = h->field_count;
	return pm_wr_done(&wr, NULL) ? PM_OK : PM_E_LIMIT;
}

int pm_sealed_request_decode(
	struct pm_view cbor, struct pm_report *report, struct pm_sealed_head *ret)
{
	struct head h = {.is_request = true};
	int r = decode(cbor, report, &h);

	if (r < 0)
		return r;
	ret->request.issued_at = (int64_t)h.number;
	return keep_all(&h, ret);
}

int pm_sealed_response_decode(
	struct pm_view cbor, struct pm_report *report, struct pm_sealed_head *ret)
{
	struct head h = {0};
	int r = decode(cbor, report, &h);

	if (r < 0)
		return r;
	ret->response.status = (int)h.number;
	return keep_all(&h, ret);
}

void pm_sealed_head_free(struct pm_sealed_head *head)
{
	if (head->memory)
		pm_wipe(head->memory, head->size);
	free(head->memory);
	*head = (struct pm_sealed_head){0};
}
