// OpenAI's own Node client talks to the capstone: node sdk.mjs BASE_URL
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "not-needed", maxRetries: 0 });
const messages = [{ role: "user", content: "How does reciprocal rank fusion work?" }];

const ids = [];
for await (const m of client.models.list()) ids.push(m.id);
assert(ids.includes("course"));

const answer = await client.chat.completions.create({ model: "course", messages });
const text = answer.choices[0].message.content;
assert.match(text, /\[1\]/);
assert.equal(answer.choices[0].finish_reason, "stop");

let streamed = "", usage = null;
for await (const chunk of await client.chat.completions.create({ model: "course", messages, stream: true, stream_options: { include_usage: true } })) {
  if (chunk.choices.length) streamed += chunk.choices[0].delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(streamed, text);
assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);

await assert.rejects(client.chat.completions.create({ model: "gpt-99", messages }), e => e instanceof OpenAI.NotFoundError && e.code === "model_not_found" && !!e.requestID);
await assert.rejects(client.chat.completions.create({ model: "course", messages: [] }), e => e instanceof OpenAI.BadRequestError && e.param === "messages");

const vectors = await client.embeddings.create({ model: "static-en-256", input: ["a key", "a cat"] });
assert.deepEqual(vectors.data.map(d => d.embedding.length), [256, 256]);
console.log("node ok");
