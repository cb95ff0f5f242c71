// SPDX-License-Identifier: Apache-2.0
// What the SDKs of OpenAI and Anthropic do, feature by feature: chain.js FOLDER URL CANARY. The canary stands in every
// field that takes text. A line of JSON for each feature goes to standard output.
"use strict";
const { createRequire } = require("module");

// Node.js 18 has it, but not for all, as the SDKs want it.
globalThis.File ??= require("buffer").File;

const [folder, url, canary] = process.argv.slice(2);
const from = createRequire(folder + "/");
const OpenAI = from("openai");
const Anthropic = from("@anthropic-ai/sdk");
const options = { apiKey: canary + "-key", maxRetries: 0, timeout: 60000 };
const openai = new OpenAI.OpenAI({ ...options, baseURL: url + "/v1", organization: canary, project: canary });
const anthropic = new Anthropic.Anthropic({ ...options, baseURL: url });
// Letters alone: in base64 as it is, and in base64 of base64 nowhere.
const data = canary.replace(/[^a-z]/g, "") + "A".repeat(5);
const image = data + "A".repeat((4 - data.length % 4) % 4);
const salt = canary + "-0123456789abcdef0123456789abcdef";

const chat = {
	model: "echo", user: canary, stop: [canary + "-stop"], metadata: { [canary]: canary }, seed: 7,
	logit_bias: { 50256: -100 }, cache_salt: salt, prompt_cache_key: canary, safety_identifier: canary,
	response_format: { type: "json_schema", json_schema: { name: canary, schema: { title: canary } } },
	messages: [{ role: "system", content: canary }, { role: "assistant", name: canary, content: canary },
		{ role: "user", content: canary }],
};
const tool = { type: "function", function: { name: canary, description: canary,
	parameters: { type: "object", properties: { [canary]: { type: "string", description: canary } } } } };
const message = {
	model: "echo", max_tokens: 100, system: canary, stop_sequences: [canary], metadata: { user_id: canary }, cache_salt: salt,
	messages: [{ role: "user", content: canary }],
};
const anthropicTool = { name: canary, description: canary, input_schema: { type: "object", properties: { [canary]: {} } } };
const file = (name) => OpenAI.toFile(Buffer.from(canary.repeat(100)), name);

async function drain(stream, piece) {
	let all = "";
	for await (const event of stream)
		all += piece(event) || "";
	return all;
}

// The class and status of the error that a call ends with.
async function failure(promise) {
	const r = await promise.then(() => ({ name: "no error" }), (e) => ({ name: e.constructor.name, status: e.status,
		text: e.message }));
	return r;
}

const delta = (e) => e.choices.length && e.choices[0].delta.content;
const textDelta = (e) => e.type === "content_block_delta" && e.delta.text;
const errors = [[400, "BadRequestError"], [401, "AuthenticationError"], [403, "PermissionDeniedError"],
	[404, "NotFoundError"], [409, "ConflictError"], [422, "UnprocessableEntityError"], [429, "RateLimitError"],
	[500, "InternalServerError"], [503, "InternalServerError"]];

function must(condition, what) {
	if (!condition)
		throw new Error("not as expected: " + JSON.stringify(what));
}

async function errorsOf(call) {
	for (const [status, name] of errors) {
		const e = await failure(call("error-" + status));
		must(e.name === name && e.status === status && e.text.includes(canary), e);
	}
	return errors.length + " classes, with the server's own words";
}

const features = {
	openai: {
		async "chat"() {
			const r = await openai.chat.completions.create(chat);
			must(r.choices[0].message.content === canary && r.usage.prompt_tokens === 1, r);
			return "answer and usage";
		},
		async "streaming"() {
			const all = await drain(await openai.chat.completions.create({ ...chat, stream: true }), delta);
			must(all === canary, all);
			return "event by event";
		},
		async "streaming helper"() {
			const s = openai.chat.completions.stream({ ...chat, stream_options: { include_usage: true } });
			const r = await s.finalChatCompletion();
			must(r.choices[0].message.content === canary && r.usage.completion_tokens === 1, r);
			return "final completion, usage";
		},
		async "tools"() {
			const r = await openai.chat.completions.create({ ...chat, tools: [tool] });
			const call = r.choices[0].message.tool_calls[0];
			must(call.function.name === canary && JSON.parse(call.function.arguments).text === canary, r);
			const answered = [...chat.messages, { role: "assistant", tool_calls: [call] },
				{ role: "tool", tool_call_id: call.id, content: canary + "-result" }];
			const next = await openai.chat.completions.create({ ...chat, messages: answered });
			must(next.choices[0].message.content === canary + "-result", next);
			return "call and its result";
		},
		async "tools, streaming"() {
			const s = await openai.chat.completions.create({ ...chat, tools: [tool], stream: true });
			const all = await drain(s, (e) => e.choices.length && e.choices[0].delta.tool_calls &&
				e.choices[0].delta.tool_calls[0].function.arguments);
			must(JSON.parse(all).text === canary, all);
			return "arguments";
		},
		async "image as data URL"() {
			const content = [{ type: "text", text: canary },
				{ type: "image_url", image_url: { url: "data:image/png;base64," + image, detail: "low" } }];
			const r = await openai.chat.completions.create({ ...chat, messages: [{ role: "user", content }] });
			must(r.choices[0].message.content === `${canary} [image of ${22 + image.length} characters]`, r);
			return "came whole";
		},
		async "image by https"() {
			const content = [{ type: "image_url", image_url: { url: `https://${canary}.example/x.png` } }];
			const e = await failure(openai.chat.completions.create({ ...chat, messages: [{ role: "user", content }] }));
			must(e.name === "BadRequestError" && e.status === 400, e);
			return "refused by the worker";
		},
		async "completions"() {
			const ask = { model: "echo", prompt: canary, suffix: canary, user: canary, cache_salt: salt };
			const r = await openai.completions.create(ask);
			must(r.choices[0].text === canary, r);
			const all = await drain(await openai.completions.create({ ...ask, stream: true }),
				(e) => e.choices.length && e.choices[0].text);
			must(all === canary, all);
			return "whole and streaming";
		},
		async "embeddings"() {
			const ask = { model: "echo", input: [canary, canary + " again"], user: canary };
			const r = await openai.embeddings.create(ask); // base64 on the wire, which the SDK decodes
			const f = await openai.embeddings.create({ ...ask, encoding_format: "float" });
			must(r.data.length === 2 && r.data[0].embedding.length === 8, r);
			must(r.data.every((x, i) => x.embedding.every((v, k) => Math.abs(v - f.data[i].embedding[k]) < 1e-6)), f);
			return "base64 and float agree";
		},
		async "transcription"() {
			const r = await openai.audio.transcriptions.create({ model: "echo", file: await file(canary + ".wav"),
				prompt: canary, language: "en" });
			must(r.text === `I heard ${100 * canary.length} bytes of audio in ${canary}.wav`, r);
			return "the file and its name";
		},
		async "transcription, streaming"() {
			const s = await openai.audio.transcriptions.create({ model: "echo", file: await file(canary + ".mp3"), stream: true });
			const all = await drain(s, (e) => e.type === "transcript.text.delta" && e.delta);
			must(all.endsWith(canary + ".mp3"), all);
			return "event by event";
		},
		async "models"() {
			const list = await openai.models.list();
			const one = await openai.models.retrieve("echo");
			must(list.data.length > 0 && one.id === "echo", one);
			return list.data.length + " in the list";
		},
		async "errors"() {
			await errorsOf((model) => openai.completions.create({ model, prompt: canary, cache_salt: salt }));
			return errorsOf((model) => openai.chat.completions.create({ ...chat, model }));
		},
		async "errors before a stream"() {
			return errorsOf((model) => openai.chat.completions.create({ ...chat, model, stream: true }));
		},
		async "error of a form"() {
			const e = await failure(openai.audio.transcriptions.create({ model: "error-422", file: await file("x.wav"),
				prompt: canary }));
			must(e.name === "UnprocessableEntityError", e);
			return e.name;
		},
		async "broken stream"() {
			const words = { role: "user", content: "one two three four " + canary };
			const s = await openai.chat.completions.create({ ...chat, messages: [words], model: "cut", stream: true });
			const e = await failure(drain(s, delta));
			must(e.name !== "no error", e);
			return "an error: " + e.name;
		},
		async "unknown path"() {
			const e = await failure(openai.files.list());
			must(e.name === "NotFoundError", e);
			return e.name;
		},
		async "cancellation"() {
			const control = new AbortController();
			const s = await openai.chat.completions.create({ ...chat, model: "endless", stream: true },
				{ signal: control.signal });
			let n = 0;
			for await (const event of s)
				if (delta(event) && ++n === 3)
					break;
			const silent = openai.chat.completions.create({ ...chat, model: "silent" }, { signal: control.signal });
			setTimeout(() => control.abort(), 200);
			const e = await failure(silent);
			must(e.name === "APIUserAbortError", e);
			return "while it streams, and before";
		},
	},
	anthropic: {
		async "messages"() {
			const r = await anthropic.messages.create(message, { headers: { "anthropic-beta": canary } });
			must(r.content[0].text === canary && r.usage.input_tokens === 1, r);
			return "answer and usage";
		},
		async "streaming"() {
			const all = await drain(await anthropic.messages.create({ ...message, stream: true }), textDelta);
			must(all === canary, all);
			return "event by event";
		},
		async "streaming helper"() {
			const r = await anthropic.messages.stream(message).finalMessage();
			must(r.content[0].text === canary && r.stop_reason === "end_turn", r);
			return "final message";
		},
		async "tools"() {
			const r = await anthropic.messages.create({ ...message, tools: [anthropicTool] });
			const use = r.content[0];
			must(r.stop_reason === "tool_use" && use.name === canary && use.input.text === canary, r);
			const answered = [...message.messages, { role: "assistant", content: r.content },
				{ role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: canary }] }];
			await anthropic.messages.create({ ...message, messages: answered });
			return "call and its result";
		},
		async "tools, streaming"() {
			const r = await anthropic.messages.stream({ ...message, tools: [anthropicTool] }).finalMessage();
			must(r.content[0].input.text === canary, r);
			return "arguments";
		},
		async "image as base64"() {
			const content = [{ type: "text", text: canary },
				{ type: "image", source: { type: "base64", media_type: "image/png", data: image } }];
			const r = await anthropic.messages.create({ ...message, messages: [{ role: "user", content }] });
			must(r.content[0].text === `${canary} [image of ${image.length} characters]`, r);
			return "came whole";
		},
		async "count of tokens"() {
			const r = await anthropic.messages.countTokens({ model: "echo", system: canary, messages: message.messages });
			must(r.input_tokens === 1, r);
			return "1";
		},
		async "errors"() {
			return errorsOf((model) => anthropic.messages.create({ ...message, model }));
		},
		async "broken stream"() {
			const messages = [{ role: "user", content: "one two three four " + canary }];
			const s = await anthropic.messages.create({ ...message, messages, model: "cut", stream: true });
			const e = await failure(drain(s, textDelta));
			must(e.name !== "no error", e);
			return "an error: " + e.name;
		},
		async "cancellation"() {
			const s = anthropic.messages.stream({ ...message, model: "endless" });
			let n = 0;
			for await (const event of s)
				if (textDelta(event) && ++n === 3)
					break;
			s.abort();
			return "while it streams";
		},
	},
};

(async () => {
	for (const [sdk, all] of Object.entries(features))
		for (const [feature, run] of Object.entries(all)) {
			const r = await run().then((note) => ({ ok: true, note }), (e) => ({ ok: false, note: String(e.message) }));
			console.log(JSON.stringify({ sdk, feature, ...r }));
		}
})();
