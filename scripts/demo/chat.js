// SPDX-License-Identifier: Apache-2.0
// A chat as any application has it, by OpenAI's SDK. chat.js FOLDER-OF-SDKS BASE-URL TEXT
"use strict";
const { createRequire } = require("module");
const [folder, baseURL, content] = process.argv.slice(2);
const OpenAI = createRequire(require("path").resolve(folder) + "/")("openai");
const openai = new OpenAI.OpenAI({ apiKey: "none", baseURL, timeout: 30000, maxRetries: 0 });

(async () => {
	const stream = await openai.chat.completions.create({
		model: "echo", stream: true, messages: [{ role: "user", content }] });
	for await (const event of stream)
		process.stdout.write(event.choices[0]?.delta.content || "");
	process.stdout.write("\n");
})();
