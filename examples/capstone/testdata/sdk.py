"""OpenAI's own Python client talks to the capstone: python sdk.py BASE_URL"""
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="not-needed", max_retries=0)
question = [{"role": "user", "content": "How does reciprocal rank fusion work?"}]

assert "course" in [m.id for m in client.models.list()]
assert client.models.retrieve("course").owned_by == "prodai"

answer = client.chat.completions.create(model="course", messages=question)
text = answer.choices[0].message.content
assert "[1]" in text and answer.choices[0].finish_reason == "stop" and answer.usage.prompt_tokens > 0

streamed, usage = "", None
for chunk in client.chat.completions.create(model="course", messages=question, stream=True, stream_options={"include_usage": True}):
    if chunk.choices:
        streamed += chunk.choices[0].delta.content or ""
    usage = chunk.usage or usage
assert streamed == text, (streamed, text)
assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens

try:
    client.chat.completions.create(model="gpt-99", messages=question)
    raise SystemExit("an unknown model was accepted")
except openai.NotFoundError as e:
    assert e.code == "model_not_found" and e.param == "model" and e.request_id, e
try:
    client.chat.completions.create(model="course", messages=[])
    raise SystemExit("no messages were accepted")
except openai.BadRequestError as e:
    assert e.code == "empty_array" and e.param == "messages", e

for fmt in ({}, {"encoding_format": "float"}):
    vectors = client.embeddings.create(model="static-en-256", input=["a key", "a cat"], **fmt)
    assert [len(d.embedding) for d in vectors.data] == [256, 256]
print("python", openai.__version__, "ok")
