"""One round of llama.cpp: arguments are the model, threads, prompt and decode tokens."""

import json
import math
import resource
import sys
import time

import llama_cpp
import numpy as np

path, threads, prompt, decode = sys.argv[1], *map(int, sys.argv[2:5])
text = sys.stdin.read()
model = llama_cpp.Llama(path, n_ctx=1024, n_batch=512, n_threads=threads, n_threads_batch=threads, logits_all=True, verbose=False)
ids = model.tokenize(text.encode(), add_bos=False, special=False)[:512]


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def timed(tokens, work):
    c, w = cpu(), time.perf_counter()
    work()
    return tokens / (cpu() - c), tokens / (time.perf_counter() - w)


model.reset()
model.eval(ids)
rows = np.array(model.scores[: len(ids) - 1], np.float64)
top = rows.max(1)
surprise = top + np.log(np.exp(rows - top[:, None]).sum(1)) - rows[np.arange(len(ids) - 1), ids[1:]]
perplexity = math.exp(surprise.mean())
del model

model = llama_cpp.Llama(path, n_ctx=1024, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
model.eval(ids[:8])
model.reset()
read = timed(prompt, lambda: model.eval(ids[:prompt]))
greedy = []


def write():
    for _ in range(decode):
        logits = llama_cpp.llama_get_logits_ith(model.ctx, -1)
        token = int(np.ctypeslib.as_array(logits, (model.n_vocab(),)).argmax())
        greedy.append(token)
        model.eval([token])


wrote = timed(decode, write)
json.dump({"Prompt": read[0], "PromptWall": read[1], "Decode": wrote[0], "DecodeWall": wrote[1],
           "Perplexity": perplexity, "IDs": ids, "Greedy": greedy}, sys.stdout)
