/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/rim_xml.h"

#include <libxml/SAX2.h>
#include <libxml/c14n.h>
#include <libxml/globals.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlIO.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"

/* --- silence --------------------------------------------------------------------------------- */

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_arg;
#else
typedef xmlError *error_arg;
#endif

/* What the program that we are part of has set for this thread, and whether libxml2 spoke. */
struct silence {
	xmlStructuredErrorFunc structured;
	void *structured_context;
	xmlGenericErrorFunc generic;
	void *generic_context;
	bool heard;
};

static void hear(void *heard, error_arg error)
{
	(void)error;
	*(bool *)heard = true;
}

static void hear_text(void *heard, const char *text, ...)
{
	(void)text;
	*(bool *)heard = true;
}

static void say_nothing(void *context, error_arg error)
{
	(void)context;
	(void)error;
}

static void begin_silence(struct silence *s)
{
	s->structured = xmlStructuredError;
	s->structured_context = xmlStructuredErrorContext;
	s->generic = xmlGenericError;
	s->generic_context = xmlGenericErrorContext;
	s->heard = false;
	xmlSetStructuredErrorFunc(&s->heard, hear);
	xmlSetGenericErrorFunc(&s->heard, hear_text);
}

/* libxml2 also keeps a thread's last error: ours shall not stay there. */
static void end_silence(struct silence *s)
{
	xmlResetLastError();
	xmlSetStructuredErrorFunc(s->structured_context, s->structured);
	xmlSetGenericErrorFunc(s->generic_context, s->generic);
}

/* To the end of the scope. */
#define SILENCE __attribute__((cleanup(end_silence))) struct silence

/* --- opening --------------------------------------------------------------------------------- */

/*
 * Without '&', "<!" and "<?" there are no entities, document types, comments, CDATA sections,
 * processing instructions and declarations; without bytes above 126 there is one encoding; without
 * '\r' and '\t' there is one line end and nothing that attributes normalise but '\n'. So little of
 * libxml2 is ever reached.
 */
static bool is_plain(struct pm_view bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.ptr[i], next = i + 1 < bytes.len ? bytes.ptr[i + 1] : 0;

		if (c != '\n' && (c < ' ' || c > '~'))
			return false;
		if (c == '&' || (c == '<' && (next == '!' || next == '?')))
			return false;
	}
	return bytes.len && bytes.ptr[0] == '<';
}

static xmlParserCtxt *new_parser(void)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();

	if (!parser)
		return NULL;
	parser->sax->serror = say_nothing;
	/* White space is part of what is signed, whatever the program's default is. */
	parser->keepBlanks = 1;
	parser->sax->ignorableWhitespace = xmlSAX2Characters;
	return parser;
}

/*
 * Whatever the parser remarks, be it a warning, is a refusal. A lack of memory it tells by the way,
 * and may go on with a tree that lacks something.
 */
static int parse(
	xmlParserCtxt *parser, struct pm_view bytes, const struct silence *silence, xmlDoc **ret)
{
	xmlDoc *doc = xmlCtxtReadMemory(parser, (const char *)bytes.ptr, (int)bytes.len, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	int r = PM_E_FORMAT;

	if (parser->errNo == XML_ERR_NO_MEMORY || silence->heard)
		r = PM_E_NOMEM;
	else if (!doc && parser->errNo == XML_ERR_OK)
		r = PM_E_NOMEM;
	else if (doc && parser->wellFormed && parser->nsWellFormed && parser->errNo == XML_ERR_OK)
		r = PM_OK;
	if (r == PM_OK)
		*ret = doc;
	else
		xmlFreeDoc(doc);
	return r;
}

int pm_rim_xml_open(struct pm_view bytes, struct pm_report *report, xmlDoc **ret)
{
	SILENCE silence;
	xmlParserCtxt *parser;
	int r;

	begin_silence(&silence);
	if (bytes.len > PM_RIM_SIZE_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "RIM", "at most 262144 bytes", "%zu bytes", bytes.len);
	if (!is_plain(bytes))
		return pm_fail(report, PM_E_FORMAT, "RIM",
			"ASCII text of XML elements, nothing else", "other bytes, '&', <! or <?");
	parser = new_parser();
	if (!parser)
		return PM_E_NOMEM;
	r = parse(parser, bytes, &silence, ret);
	xmlFreeParserCtxt(parser);
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, "RIM", "well-formed XML", "something else");
	return r;
}

void pm_rim_xml_close(xmlDoc *doc)
{
	if (doc)
		xmlFreeDoc(doc);
}

/* --- Canonical XML --------------------------------------------------------------------------- */

/* Is the node apex, or in it? A namespace counts for the element that it is for. */
static int is_in(void *apex, xmlNode *node, xmlNode *parent)
{
	const xmlNode *at = node;

	if (!at || at->type == XML_NAMESPACE_DECL)
		at = parent;
	while (at && at != (const xmlNode *)apex)
		at = at->parent;
	return at != NULL;
}

static int take_output(xmlOutputBuffer *out, struct pm_view *ret)
{
	size_t size = xmlOutputBufferGetSize(out);
	uint8_t *copy;

	if (out->error)
		return PM_E_NOMEM;
	copy = pm_dup(pm_view(xmlOutputBufferGetContent(out), size));
	if (!copy)
		return PM_E_NOMEM;
	*ret = pm_view(copy, size);
	return PM_OK;
}

int pm_rim_xml_canonical(
	xmlDoc *doc, const xmlNode *apex, struct pm_report *report, struct pm_view *ret)
{
	SILENCE silence;
	xmlOutputBuffer *out;
	int r = PM_E_FORMAT;

	begin_silence(&silence);
	out = xmlAllocOutputBuffer(NULL);
	if (!out)
		return PM_E_NOMEM;
	/* Without memory it may go on and leave something out: it says so, and no more. */
	if (xmlC14NExecute(doc, apex ? is_in : NULL, (void *)apex, XML_C14N_1_1, NULL, 0, out) >= 0)
		r = silence.heard ? PM_E_NOMEM : take_output(out, ret);
	(void)xmlOutputBufferClose(out);
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, "RIM", "XML that has a canonical form", "other");
	return r;
}

/* --- reading the tree ------------------------------------------------------------------------ */

static bool is_name(const xmlNs *ns, const xmlChar *local, const struct pm_rim_name *name)
{
	if (strcmp((const char *)local, name->local) != 0)
		return false;
	if (!name->ns || !ns)
		return !name->ns && !ns;
	return ns->href && !strcmp((const char *)ns->href, name->ns);
}

bool pm_rim_xml_is(const xmlNode *node, const struct pm_rim_name *name)
{
	return node->type == XML_ELEMENT_NODE && is_name(node->ns, node->name, name);
}

static bool is_blank(const xmlNode *node)
{
	return node->type == XML_TEXT_NODE && node->content &&
	       strspn((const char *)node->content, " \n") == strlen((const char *)node->content);
}

/* The next node that is not blank, from at on. */
static xmlNode *skip_blanks(xmlNode *at)
{
	while (at && is_blank(at))
		at = at->next;
	return at;
}

static const char *text_of(const xmlNode *node)
{
	if (!node)
		return "its end";
	return node->type == XML_ELEMENT_NODE ? (const char *)node->name : "text";
}

int pm_rim_xml_children(const xmlNode *parent, const struct pm_rim_name *names, size_t count,
	struct pm_report *report, xmlNode **ret)
{
	xmlNode *at = skip_blanks(parent->children);

	for (size_t i = 0; i < count; i++) {
		if (!at || !pm_rim_xml_is(at, &names[i]))
			return pm_fail(report, PM_E_FORMAT, "RIM, element", names[i].local,
				"%s in %s", text_of(at), (const char *)parent->name);
		ret[i] = at;
		at = skip_blanks(at->next);
	}
	if (at)
		return pm_fail(report, PM_E_FORMAT, "RIM, element", "no further one", "%s in %s",
			text_of(at), (const char *)parent->name);
	return PM_OK;
}

int pm_rim_xml_list(const xmlNode *parent, const struct pm_rim_name *name, size_t max,
	struct pm_report *report, xmlNode **ret, size_t *ret_count)
{
	size_t n = 0;

	for (xmlNode *at = skip_blanks(parent->children); at; at = skip_blanks(at->next)) {
		if (!pm_rim_xml_is(at, name))
			return pm_fail(report, PM_E_FORMAT, "RIM, element", name->local, "%s in %s",
				text_of(at), (const char *)parent->name);
		if (n == max)
			return pm_fail(report, PM_E_LIMIT, "RIM, element", "fewer", "%zu %s", n,
				name->local);
		ret[n++] = at;
	}
	*ret_count = n;
	return PM_OK;
}

static const char *value_of(const xmlAttr *attr)
{
	const xmlNode *text = attr->children;

	if (!text)
		return "";
	if (text->next || text->type != XML_TEXT_NODE || !text->content)
		return NULL;
	return (const char *)text->content;
}

/* xml:id, xml:base and their like steer processors: nobody needs them here. */
static bool may_pass(const xmlAttr *attr, enum pm_rim_others others)
{
	return others == PM_RIM_ANY &&
	       !(attr->ns && attr->ns->href &&
		       !strcmp((const char *)attr->ns->href, (const char *)XML_XML_NAMESPACE));
}

static int take_attribute(const xmlAttr *attr, enum pm_rim_others others,
	const struct pm_rim_attribute *attributes, size_t count, const char **ret)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_name(attr->ns, attr->name, &attributes[i].name))
			continue;
		if (ret[i])
			return PM_E_FORMAT;
		ret[i] = value_of(attr);
		return ret[i] ? PM_OK : PM_E_FORMAT;
	}
	return may_pass(attr, others) ? PM_OK : PM_E_FORMAT;
}

int pm_rim_xml_attributes(const xmlNode *node, enum pm_rim_others others,
	const struct pm_rim_attribute *attributes, size_t count, struct pm_report *report,
	const char **ret)
{
	const char *element = (const char *)node->name;

	if (node->nsDef && others == PM_RIM_NOTHING)
		return pm_fail(report, PM_E_FORMAT, "RIM, attribute", "known ones", "xmlns in %s",
			element);
	for (size_t i = 0; i < count; i++)
		ret[i] = NULL;
	for (const xmlAttr *at = node->properties; at; at = at->next) {
		if (take_attribute(at, others, attributes, count, ret) < 0)
			return pm_fail(report, PM_E_FORMAT, "RIM, attribute", "known ones",
				"%s in %s", (const char *)at->name, element);
	}
	for (size_t i = 0; i < count; i++) {
		if (!ret[i] && !attributes[i].optional)
			return pm_fail(report, PM_E_FORMAT, "RIM, attribute",
				attributes[i].name.local, "none in %s", element);
	}
	return PM_OK;
}

int pm_rim_xml_text(const xmlNode *node, struct pm_report *report, struct pm_view *ret)
{
	const xmlNode *text = node->children;

	if (!text || text->next || text->type != XML_TEXT_NODE || !text->content)
		return pm_fail(report, PM_E_FORMAT, "RIM, element", "text alone", "%s in %s",
			text_of(text), (const char *)node->name);
	*ret = pm_view(text->content, strlen((const char *)text->content));
	return PM_OK;
}
