/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/form_parse.h"

#include <string.h>
#include <strings.h>

#include "base/report.h"

/* --- values with parameters (RFC 9110, 5.6.6) ------------------------------------------------ */

static bool is_token(uint8_t c)
{
	return c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

/* All views below shrink from the front. */
static struct pm_view cut(struct pm_view *from, size_t n)
{
	struct pm_view head = pm_view(from->ptr, n);

	*from = pm_view(from->ptr + n, from->len - n);
	return head;
}

static void skip_blanks(struct pm_view *v)
{
	while (v->len && (v->ptr[0] == ' ' || v->ptr[0] == '\t'))
		(void)cut(v, 1);
}

static bool take_char(struct pm_view *v, char c)
{
	if (v->len == 0 || v->ptr[0] != (uint8_t)c)
		return false;
	(void)cut(v, 1);
	return true;
}

static struct pm_view take_token(struct pm_view *v)
{
	size_t n = 0;

	while (n < v->len && is_token(v->ptr[n]))
		n++;
	return cut(v, n);
}

/* What stands between quotes, with its backslashes; false when it does not end. */
static bool take_quoted(struct pm_view *v, struct pm_view *ret)
{
	size_t n = 0;

	while (n < v->len && v->ptr[n] != '"')
		n += v->ptr[n] == '\\' ? 2 : 1;
	if (n >= v->len)
		return false;
	*ret = cut(v, n);
	(void)cut(v, 1);
	return true;
}

static bool view_is(struct pm_view v, const char *text)
{
	return v.len == strlen(text) && strncasecmp((const char *)v.ptr, text, v.len) == 0;
}

/* The next "; name=value"; at the end of the text the name is empty. */
static int take_parameter(struct pm_view *v, struct pm_view *ret_name, struct pm_view *ret_value)
{
	skip_blanks(v);
	*ret_name = *ret_value = pm_view(v->ptr, 0);
	if (v->len == 0)
		return PM_OK;
	if (!take_char(v, ';'))
		return PM_E_FORMAT;
	skip_blanks(v);
	if (v->len == 0) /* a last semicolon */
		return PM_OK;
	*ret_name = take_token(v);
	if (ret_name->len == 0 || !take_char(v, '='))
		return PM_E_FORMAT;
	if (take_char(v, '"'))
		return take_quoted(v, ret_value) ? PM_OK : PM_E_FORMAT;
	*ret_value = take_token(v);
	return ret_value->len ? PM_OK : PM_E_FORMAT;
}

/* --- the form's type ------------------------------------------------------------------------- */

static bool is_boundary(struct pm_view v)
{
	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.ptr[i], lower = c | 0x20;

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
			(c == '\0' || !strchr("'()+_,-./:=? ", c)))
			return false;
	}
	return v.len > 0 && v.len <= PM_FORM_BOUNDARY_MAX && v.ptr[v.len - 1] != ' ';
}

static int set_boundary(struct pm_form_type *type, struct pm_view boundary)
{
	if (type->delimiter_len || !is_boundary(boundary))
		return PM_E_FORMAT;
	pm_copy(type->delimiter, "\r\n--", 4);
	pm_copy(type->delimiter + 4, boundary.ptr, boundary.len);
	type->delimiter_len = 4 + boundary.len;
	return PM_OK;
}

static const char *subtype_of(struct pm_view *left)
{
	struct pm_view type, subtype;

	skip_blanks(left);
	type = take_token(left);
	if (!view_is(type, "multipart") || !take_char(left, '/'))
		return NULL;
	subtype = take_token(left);
	if (view_is(subtype, "form-data"))
		return "form-data";
	return view_is(subtype, "mixed") ? "mixed" : NULL;
}

int pm_form_type_parse(const char *content_type, struct pm_form_type *ret)
{
	struct pm_view left = pm_view(content_type, strlen(content_type)), name, value;
	struct pm_form_type type = {.subtype = subtype_of(&left)};

	if (!type.subtype)
		return PM_E_UNSUPPORTED;
	do {
		int r = take_parameter(&left, &name, &value);

		if (r == PM_OK && view_is(name, "boundary"))
			r = set_boundary(&type, value);
		if (r < 0)
			return r;
	} while (name.len);
	if (!type.delimiter_len)
		return PM_E_FORMAT;
	*ret = type;
	return PM_OK;
}

/* --- the header of a part -------------------------------------------------------------------- */

/* Is it a name that stands in quotes as it is, for every reader? */
static bool is_name(struct pm_view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] < 0x20 || v.ptr[i] > 0x7e || v.ptr[i] == '"' || v.ptr[i] == '\\')
			return false;
	return v.len > 0 && v.len <= PM_FORM_NAME_MAX;
}

/*
 * A file's name, as browsers and HTTP libraries write it, in any encoding, with '%22' for a quote.
 * One with backslashes would be read in two ways.
 */
static bool is_file_name(struct pm_view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] < 0x20 || v.ptr[i] == 0x7f || v.ptr[i] == '"' || v.ptr[i] == '\\')
			return false;
	return v.len > 0 && v.len <= PM_FORM_NAME_MAX;
}

static bool is_type(struct pm_view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.ptr[i] < 0x20 || v.ptr[i] > 0x7e)
			return false;
	return v.len > 0 && v.len <= PM_FORM_NAME_MAX;
}

/* Of two names or types none is sent on: readers disagree which one counts. */
static void take_file_name(struct pm_form_part *part, struct pm_view name)
{
	if (part->file || !is_file_name(name))
		part->file_name = pm_view(name.ptr, 0);
	else
		part->file_name = name;
	part->file = true;
}

static void take_type(struct pm_form_part *part, struct pm_view type)
{
	part->type = part->has_type || !is_type(type) ? pm_view(NULL, 0) : type;
	part->has_type = true;
}

static int read_disposition(struct pm_form_part *part, struct pm_view value)
{
	struct pm_view kind = take_token(&value), name;

	if (part->name.len || !(view_is(kind, "form-data") || view_is(kind, "attachment")))
		return PM_E_FORMAT;
	do {
		struct pm_view text;
		int r = take_parameter(&value, &name, &text);

		if (r < 0)
			return r;
		if (view_is(name, "filename"))
			take_file_name(part, text);
		else if (view_is(name, "filename*"))
			take_file_name(part, pm_view(NULL, 0));
		if (view_is(name, "name*") || (view_is(name, "name") && part->name.len))
			return PM_E_FORMAT;
		if (view_is(name, "name"))
			part->name = text;
	} while (name.len);
	return is_name(part->name) ? PM_OK : PM_E_FORMAT;
}

/* An encoding that the receiver would have to undo does not survive the loss of its header. */
static int check_encoding(struct pm_view value)
{
	if (view_is(value, "7bit") || view_is(value, "8bit") || view_is(value, "binary"))
		return PM_OK;
	return PM_E_UNSUPPORTED;
}

static int read_header_line(struct pm_form_part *part, struct pm_view line)
{
	struct pm_view name = take_token(&line);

	if (name.len == 0 || !take_char(&line, ':'))
		return PM_E_FORMAT;
	skip_blanks(&line);
	if (view_is(name, "Content-Disposition"))
		return read_disposition(part, line);
	if (view_is(name, "Content-Transfer-Encoding"))
		return check_encoding(line);
	if (view_is(name, "Content-Type"))
		take_type(part, line);
	return PM_OK;
}

/* The lines up to and with the empty one. */
static int read_header(struct pm_form_part *part, struct pm_view *left)
{
	const uint8_t *begin = left->ptr;

	for (;;) {
		const uint8_t *end = left->len ? memmem(left->ptr, left->len, "\r\n", 2) : NULL;
		struct pm_view line;
		int r;

		if (!end)
			return PM_E_FORMAT;
		if (end - begin > PM_FORM_HEADER_MAX)
			return PM_E_LIMIT;
		line = cut(left, (size_t)(end - left->ptr));
		(void)cut(left, 2);
		if (line.len == 0)
			return part->name.len ? PM_OK : PM_E_FORMAT;
		r = read_header_line(part, line);
		if (r < 0)
			return r;
	}
}

/* --- the body -------------------------------------------------------------------------------- */

enum after { PART, END, NEITHER };

/* What follows a boundary: CR LF and a part, "--" and the end, or it was none. */
static enum after read_after(struct pm_view *left)
{
	struct pm_view v = *left;

	if (v.len >= 2 && v.ptr[0] == '-' && v.ptr[1] == '-')
		return END;
	skip_blanks(&v);
	if (!take_char(&v, '\r') || !take_char(&v, '\n'))
		return NEITHER;
	*left = v;
	return PART;
}

/*
 * Cuts what stands before the next boundary off, and the boundary. A boundary with text after it is
 * refused: readers disagree whether it is one.
 */
static int take_content(
	const struct pm_form_type *type, struct pm_view *left, struct pm_view *ret, bool *ret_end)
{
	const uint8_t *at = memmem(left->ptr, left->len, type->delimiter, type->delimiter_len);
	enum after after;

	if (!at)
		return PM_E_FORMAT;
	*ret = cut(left, (size_t)(at - left->ptr));
	(void)cut(left, type->delimiter_len);
	after = read_after(left);
	*ret_end = after == END;
	return after == NEITHER ? PM_E_FORMAT : PM_OK;
}

/* The first boundary stands at the beginning, where its CR LF is missing. */
static int take_first(const struct pm_form_type *type, struct pm_view *left, bool *ret_end)
{
	size_t n = type->delimiter_len - 2;
	enum after after;

	if (left->len < n || !pm_view_equal(pm_view(left->ptr, n), pm_view(type->delimiter + 2, n)))
		return PM_E_FORMAT;
	(void)cut(left, n);
	after = read_after(left);
	*ret_end = after == END;
	return after == NEITHER ? PM_E_FORMAT : PM_OK;
}

static int take_part(const struct pm_form_type *type, struct pm_view *left,
	struct pm_form_part *ret, bool *ret_end)
{
	struct pm_form_part part = {0};
	int r = read_header(&part, left);

	/* An empty content's boundary shares its CR LF with the empty line. */
	if (r == PM_OK) {
		*left = pm_view(left->ptr - 2, left->len + 2);
		r = take_content(type, left, &part.content, ret_end);
	}
	if (r < 0)
		return r;
	if (part.content.len >= 2)
		(void)cut(&part.content, 2);
	*ret = part;
	return PM_OK;
}

int pm_form_each(const struct pm_form_type *type, struct pm_view body,
	int (*take)(const struct pm_form_part *part, void *arg), void *arg,
	struct pm_report *report)
{
	struct pm_view left = body;
	bool end = false;
	size_t count = 0;
	int r = take_first(type, &left, &end);

	while (r == PM_OK && !end) {
		struct pm_form_part part;

		r = count++ < PM_FORM_PARTS_MAX ? take_part(type, &left, &part, &end) : PM_E_LIMIT;
		if (r == PM_OK)
			r = take(&part, arg);
	}
	if (r < 0)
		return pm_fail(report, r, "form", "parts between boundaries", "part %zu", count);
	return PM_OK;
}
