// SPDX-License-Identifier: Apache-2.0
// The SDKs of OpenAI and Anthropic, as applications use them. sdk.js FOLDER URL VERB; what they got goes to standard
// output as JSON.
"use strict";
const { createRequire } = require("module");

const [folder, url, verb] = process.argv.slice(2);
const from = createRequire(folder + "/");
const OpenAI = from("openai");
const Anthropic = from("@anthropic-ai/sdk");
const options = { apiKey: "sk-secret-key-of-the-application", maxRetries: 0, timeout: 60000 };
const openai = new OpenAI.OpenAI({ ...options, baseURL: url + "/v1" });
const anthropic = new Anthropic.Anthropic({ ...options, baseURL: url });
const messages = [{ role: "user", content: "xylophone-mandarin-canary" }];

// Pieces of a stream, and how it ended.
async function drain(stream, piece) {
	let text = "", error = null;
	try {
		for await (const event of stream)
			text += piece(event) || "";
	} catch (e) {
		error = e.constructor.name;
	}
	return { text, error };
}

const openaiPiece = (e) => e.choices.length && e.choices[0].delta.content;
const anthropicPiece = (e) => e.type === "content_block_delta" && e.delta.text;

const verbs = {
	async openai() {
		const chat = await openai.chat.completions.create({ model: "echo", messages });
		const stream = await openai.chat.completions.create({ model: "echo", messages, stream: true });
		const streamed = await drain(stream, openaiPiece);
		const embedding = await openai.embeddings.create({
			model: "echo", input: "xylophone-mandarin-canary", encoding_format: "float" });
		const models = await openai.models.list();
		return { text: chat.choices[0].message.content, streamed, dimensions: embedding.data[0].embedding.length,
			models: models.data.length };
	},
	async anthropic() {
		const message = await anthropic.messages.create({ model: "echo", max_tokens: 100, messages });
		const stream = await anthropic.messages.create({ model: "echo", max_tokens: 100, messages, stream: true });
		const streamed = await drain(stream, anthropicPiece);
		const count = await anthropic.messages.countTokens({ model: "echo", messages });
		return { text: message.content[0].text, streamed, tokens: count.input_tokens };
	},
	// The first piece, then the application has enough.
	async cancel() {
		const stream = await openai.chat.completions.create({ model: "endless", messages, stream: true });
		for await (const event of stream)
			if (openaiPiece(event))
				break;
		return {};
	},
	async streams() {
		const one = await openai.chat.completions.create({ model: "echo", messages, stream: true })
			.then((s) => drain(s, openaiPiece), (e) => ({ error: e.constructor.name, status: e.status }));
		const other = await anthropic.messages.create({ model: "echo", max_tokens: 100, messages, stream: true })
			.then((s) => drain(s, anthropicPiece), (e) => ({ error: e.constructor.name, status: e.status }));
		return { openai: one, anthropic: other };
	},
};

verbs[verb]().then((r) => console.log(JSON.stringify(r)), (e) => {
	console.log(JSON.stringify({ error: e.constructor.name, status: e.status, message: e.message }));
});
