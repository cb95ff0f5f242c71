/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/rim_document.h"

#include <stdlib.h>

#include "evidence/rim_xml.h"

int pm_rim_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_rim_document **ret_document)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	pm_cleanup_xmlDoc xmlDoc *doc = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	document = pm_alloc(sizeof(*document));
	if (!document)
		return PM_E_NOMEM;
	r = pm_rim_xml_open(pm_view(bytes, size), report, &doc);
	if (r < 0)
		return r;
	r = pm_rim_xml_read(doc, report, document);
	if (r < 0)
		return r;
	*ret_document = pm_steal(document);
	return PM_OK;
}

void pm_rim_document_free(struct pm_rim_document *document)
{
	if (!document)
		return;
	free((void *)document->signed_info.ptr);
	for (size_t i = 0; i < PM_RIM_CERTS; i++)
		free((void *)document->certs[i].ptr);
	free(document);
}

int pm_rim_document_cert(const struct pm_rim_document *document, size_t index,
	const uint8_t **ret_der, size_t *ret_size)
{
	if (index >= PM_RIM_CERTS)
		return PM_E_ARG;
	*ret_der = document->certs[index].ptr;
	*ret_size = document->certs[index].len;
	return PM_OK;
}
