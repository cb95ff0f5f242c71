/* SPDX-License-Identifier: Apache-2.0 */
#include "common/evidence.h"
#include "common/options.h"

void evidence_options_init(struct evidence_options *o)
{
	*o = (struct evidence_options){.collect = {.size = sizeof(struct pm_collect_options)}};
}

bool evidence_is_option(int id)
{
	return id >= EVIDENCE_OPTION_ROLE && id <= EVIDENCE_OPTION_GPU;
}

int evidence_option(struct evidence_options *o, int id, const char *value)
{
	switch (id) {
	case EVIDENCE_OPTION_ROLE:
		o->role = value;
		return 0;
	case EVIDENCE_OPTION_MODEL:
		return option_add(
			"--model", value, o->models, &o->model_count, PM_CLAIMS_MODELS_MAX);
	case EVIDENCE_OPTION_CERT:
		return option_add(
			"--snp-cert", value, o->certs, &o->cert_count, EVIDENCE_FILES_MAX);
	case EVIDENCE_OPTION_CRL:
		return option_add("--snp-crl", value, o->crls, &o->crl_count, PM_BUNDLE_CRLS_MAX);
	case EVIDENCE_OPTION_ATTESTER:
		o->collect.source = PM_COLLECT_ATTESTER;
		o->collect.socket = value;
		return 0;
	default:
		o->gpu_folder = value;
		return 0;
	}
}
