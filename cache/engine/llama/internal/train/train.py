"""Train the two tiny Llama models that package tiny embeds.

    pip install jax numpy regex gguf
    python train.py REPOSITORY OUT_FOLDER

The text is the project's own: its markdown files and the comments of its Go
files. The script trains a byte-level BPE vocabulary, the target model, and a
draft model that learns the target's distribution, and writes both as float32
GGUF. The program in main.go of this folder rewrites them as Q8_0.
"""

import json
import math
import pathlib
import sys
import time
from collections import Counter, defaultdict

import gguf
import jax
import jax.numpy as jnp
import numpy as np
import regex

VOCAB = 2048
TARGET = dict(d=128, layers=4, heads=4, kv=2, ff=352)
DRAFT = dict(d=64, layers=2, heads=2, kv=1, ff=160)
HEAD, CONTEXT, BASE, EPS = 32, 128, 10000.0, 1e-5
BATCH = 16
TARGET_SECONDS, DRAFT_SECONDS = 480, 120  # of processor time
SKIP = {"testdata", "internal", ".git"}
GPT2 = regex.compile(r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""")


def corpus(root):
    """The paragraphs of the project's prose, in the order of the file names."""
    parts = []
    for path in sorted(pathlib.Path(root).rglob("*")):
        if SKIP & set(path.relative_to(root).parts) or path.name.endswith("_test.go"):
            continue
        if path.suffix == ".md":
            parts.append(path.read_text())
        elif path.suffix == ".go":
            block = []
            for line in path.read_text().splitlines() + [""]:
                text = line.strip()
                if text.startswith("//") and not text.startswith("//go:"):
                    block.append(text[2:].removeprefix(" "))
                    continue
                if len(" ".join(block)) > 60:
                    parts.append("\n".join(block))
                block = []
    return parts


def byte_letters():
    """GPT-2's printable stand-ins for the 256 bytes."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, extra = {b: chr(b) for b in keep}, 0
    for b in range(256):
        if b not in letters:
            letters[b] = chr(256 + extra)
            extra += 1
    return letters


def train_bpe(text, size):
    letters = byte_letters()
    words = Counter("".join(letters[b] for b in w.encode()) for w in GPT2.findall(text))
    split = {w: list(w) for w in words}
    tokens, merges = ["<|endoftext|>"] + [letters[b] for b in range(256)], []
    pairs, where = Counter(), defaultdict(set)
    for w, s in split.items():
        for p in zip(s, s[1:]):
            pairs[p] += words[w]
            where[p].add(w)
    while len(tokens) < size:
        (a, b), _ = max(pairs.items(), key=lambda kv: (kv[1], kv[0]))
        merges.append((a, b))
        tokens.append(a + b)
        for w in list(where[a, b]):
            s = split[w]
            for p in zip(s, s[1:]):
                pairs[p] -= words[w]
                if pairs[p] <= 0:
                    del pairs[p]
            out, i = [], 0
            while i < len(s):
                if i + 1 < len(s) and s[i] == a and s[i + 1] == b:
                    out.append(a + b)
                    i += 2
                else:
                    out.append(s[i])
                    i += 1
            split[w] = out
            for p in zip(out, out[1:]):
                pairs[p] += words[w]
                where[p].add(w)
    ids = {t: i for i, t in enumerate(tokens)}
    return tokens, merges, {w: [ids[t] for t in s] for w, s in split.items()}


def init(shape, key):
    c, n = shape, iter(jax.random.split(key, 64))
    normal = lambda rows, cols: jax.random.normal(next(n), (rows, cols)) * 0.7 / math.sqrt(cols)
    p = {"token_embd": jax.random.normal(next(n), (VOCAB, c["d"])) * 0.05, "output_norm": jnp.ones(c["d"])}
    for i in range(c["layers"]):
        p |= {
            f"blk.{i}.attn_norm": jnp.ones(c["d"]),
            f"blk.{i}.attn_q": normal(c["heads"] * HEAD, c["d"]),
            f"blk.{i}.attn_k": normal(c["kv"] * HEAD, c["d"]),
            f"blk.{i}.attn_v": normal(c["kv"] * HEAD, c["d"]),
            f"blk.{i}.attn_output": normal(c["d"], c["heads"] * HEAD) * 0.5,
            f"blk.{i}.ffn_norm": jnp.ones(c["d"]),
            f"blk.{i}.ffn_gate": normal(c["ff"], c["d"]),
            f"blk.{i}.ffn_up": normal(c["ff"], c["d"]),
            f"blk.{i}.ffn_down": normal(c["d"], c["ff"]) * 0.5,
        }
    return p


def norm(x, w):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + EPS) * w


def rope(x, cos, sin):  # neighbors 2j and 2j+1 turn together: the order of GGUF's llama
    a, b = x[..., 0::2], x[..., 1::2]
    return jnp.stack([a * cos - b * sin, a * sin + b * cos], -1).reshape(x.shape)


def forward(p, shape, ids):
    c, (n, t) = shape, ids.shape
    angle = jnp.arange(t)[:, None] * BASE ** (-jnp.arange(0, HEAD, 2) / HEAD)
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    mask = jnp.tril(jnp.ones((t, t), bool))
    x = p["token_embd"][ids]
    for i in range(c["layers"]):
        h = norm(x, p[f"blk.{i}.attn_norm"])
        q = rope((h @ p[f"blk.{i}.attn_q"].T).reshape(n, t, c["heads"], HEAD), cos, sin)
        k = rope((h @ p[f"blk.{i}.attn_k"].T).reshape(n, t, c["kv"], HEAD), cos, sin)
        v = (h @ p[f"blk.{i}.attn_v"].T).reshape(n, t, c["kv"], HEAD)
        k, v = (jnp.repeat(y, c["heads"] // c["kv"], 2) for y in (k, v))
        score = jnp.einsum("nqhd,nkhd->nhqk", q, k) / math.sqrt(HEAD)
        w = jax.nn.softmax(jnp.where(mask, score, -1e30), -1)
        x += jnp.einsum("nhqk,nkhd->nqhd", w, v).reshape(n, t, -1) @ p[f"blk.{i}.attn_output"].T
        h = norm(x, p[f"blk.{i}.ffn_norm"])
        x += (jax.nn.silu(h @ p[f"blk.{i}.ffn_gate"].T) * (h @ p[f"blk.{i}.ffn_up"].T)) @ p[f"blk.{i}.ffn_down"].T
    return norm(x, p["output_norm"]) @ p["token_embd"].T


def fit(shape, data, seconds, teacher=None, seed=1):
    p = init(shape, jax.random.key(seed))
    zeros = jax.tree.map(jnp.zeros_like, p)

    def loss(p, ids):
        logp = jax.nn.log_softmax(forward(p, shape, ids[:, :-1]))
        ce = -jnp.take_along_axis(logp, ids[:, 1:, None], -1).mean()
        if teacher is None:
            return ce
        soft = jax.nn.softmax(forward(teacher, TARGET, ids[:, :-1]))
        return 0.2 * ce - 0.8 * (soft * logp).sum(-1).mean()

    @jax.jit
    def step(p, m, v, ids, t, rate):
        value, g = jax.value_and_grad(loss)(p, ids)
        size = jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g)))
        g = jax.tree.map(lambda x: x * jnp.minimum(1, 1 / size), g)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.98 * v + 0.02 * g * g, v, g)
        p = jax.tree.map(
            lambda p, m, v: p - rate * (m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.98**t)) + 1e-8) + 0.1 * p * (p.ndim > 1)),
            p, m, v)
        return p, m, v, value

    rng, m, v, start, t = np.random.default_rng(seed), zeros, zeros, time.process_time(), 0
    while (done := (time.process_time() - start) / seconds) < 1:
        t += 1
        at = rng.integers(0, len(data) - CONTEXT - 1, BATCH)
        ids = np.stack([data[i:i + CONTEXT + 1] for i in at])
        rate = 4e-3 * min(1, t / 100, 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
        p, m, v, value = step(p, m, v, ids, t, rate)
        if t % 200 == 0:
            print(f"step {t} {done:.0%} loss {value:.3f}", flush=True)
    return p


def bits_per_byte(p, shape, data, text_bytes):
    f, total = jax.jit(lambda ids: jax.nn.log_softmax(forward(p, shape, ids[:, :-1]))), 0.0
    for i in range(0, len(data) - CONTEXT - 1, CONTEXT):
        ids = data[None, i:i + CONTEXT + 1]
        total -= float(jnp.take_along_axis(f(ids), ids[:, 1:, None], -1).sum())
    return total / math.log(2) / text_bytes


def write(path, p, shape, tokens, merges, name):
    w = gguf.GGUFWriter(path, "llama")
    w.add_name(name)
    w.add_license("MIT")
    w.add_description("Trained on the prose of this project alone: it continues such prose, and knows nothing.")
    w.add_block_count(shape["layers"])
    w.add_context_length(512)
    w.add_embedding_length(shape["d"])
    w.add_feed_forward_length(shape["ff"])
    w.add_head_count(shape["heads"])
    w.add_head_count_kv(shape["kv"])
    w.add_key_length(HEAD)
    w.add_value_length(HEAD)
    w.add_rope_dimension_count(HEAD)
    w.add_rope_freq_base(BASE)
    w.add_layer_norm_rms_eps(EPS)
    w.add_vocab_size(VOCAB)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types([3] + [1] * (len(tokens) - 1))
    w.add_token_merges([" ".join(m) for m in merges])
    w.add_bos_token_id(0)
    w.add_eos_token_id(0)
    w.add_add_bos_token(True)
    w.add_chat_template("{% for message in messages %}{{ message['content'] }}{% if not loop.last %}{{ '\n\n' }}{% endif %}{% endfor %}")
    for key, value in p.items():
        w.add_tensor(key + ".weight", np.asarray(value, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main(root, out):
    out = pathlib.Path(out)
    parts = corpus(root)
    held = [t for i, t in enumerate(parts) if i % 40 == 7]
    train = [t for i, t in enumerate(parts) if i % 40 != 7]
    tokens, merges, split = train_bpe("\n\n".join(train), VOCAB)
    letters = byte_letters()
    ids, rank = {t: i for i, t in enumerate(tokens)}, {m: i for i, m in enumerate(merges)}

    def encode_word(w):
        w = "".join(letters[b] for b in w.encode())
        if w not in split:
            s = list(w)
            while len(s) > 1:
                best = min(zip(s, s[1:]), key=lambda p: rank.get(p, 1 << 30))
                if best not in rank:
                    break
                i, o = 0, []
                while i < len(s):
                    if tuple(s[i:i + 2]) == best:
                        o.append("".join(best))
                        i += 2
                    else:
                        o.append(s[i])
                        i += 1
                s = o
            split[w] = [ids[t] for t in s]
        return split[w]

    encode = lambda texts: np.array([i for t in texts for i in [0] + [j for w in GPT2.findall(t) for j in encode_word(w)]], np.int32)
    data, test = encode(train), encode(held)
    size = sum(len(t.encode()) for t in held)
    print(f"{len(data)} tokens to train on, {len(test)} held out ({size} bytes)", flush=True)
    target = fit(TARGET, data, TARGET_SECONDS)
    print(f"target: {bits_per_byte(target, TARGET, test, size):.3f} bits a byte", flush=True)
    write(out / "target-f32.gguf", target, TARGET, tokens, merges, "prodai tiny target")
    draft = fit(DRAFT, data, DRAFT_SECONDS, target)
    print(f"draft: {bits_per_byte(draft, DRAFT, test, size):.3f} bits a byte", flush=True)
    write(out / "draft-f32.gguf", draft, DRAFT, tokens, merges, "prodai tiny draft")
    (out / "held.json").write_text(json.dumps(held))


if __name__ == "__main__":
    main(*sys.argv[1:])
