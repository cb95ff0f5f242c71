/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"
#include "common/wrong.h"
#include "pm-verify/cmd.h"

static const struct tool_verb verbs[] = {
	{"snp", cmd_snp, "verify an AMD SEV-SNP attestation report"},
	{"gpu", cmd_gpu, "verify the report of an NVIDIA GPU or NVLink switch"},
	{"bundle", cmd_bundle, "verify a whole worker against a manifest"},
	{"coordinator", cmd_coordinator, "ask a coordinator for evidence, and verify its mesh"},
	{"measure", cmd_measure, "compute the launch digest (MEASUREMENT) of a guest"},
	{"token", cmd_token, "verify a token of NVIDIA's remote attestation service"},
	{"worker", cmd_worker, "ask a worker, or a mesh of workers, for evidence, and verify it"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-verify",
	.summary = "Verify evidence of confidential computing.",
	.yes = "verified",
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	tool_wrong_json(argc, argv);
	return tool_run(&program, argc, argv);
}
