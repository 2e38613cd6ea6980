"""Trains small tokenizers of each kind and writes NAME.json and NAME.jsonl (text, ids) by the reference.

    pip install tokenizers==0.23.3
    python golden.py CORPUS.txt
"""
import json
import pathlib
import random
import sys
import unicodedata
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = pathlib.Path(__file__).parent
corpus = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")[:400_000]
extra = "日本語の文字 中文字符 한국어 문장 Ελληνικά русский язык हिन्दी naïve café résumé ÀÉÎ don't I'll we've 12345 3.14 \n\n\t  x" * 40
rng = random.Random(3)

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_bpe(pre, normalizer=None, special=()):
    tok = Tokenizer(models.BPE())
    if normalizer:
        tok.normalizer = normalizer
    tok.pre_tokenizer = pre
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator([corpus, extra], trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=list(special), show_progress=False))
    return tok


def edit(tok, change):
    data = json.loads(tok.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def whole(data):
    data["model"]["ignore_merges"] = True


def shuffle(data):
    """Merges in another order, parts before wholes, so that many never happen; ids in no order at all."""
    left, done, out = data["model"]["merges"], set(pre_tokenizers.ByteLevel.alphabet()), []
    while left:
        able = [m for m in left if m[0] in done and m[1] in done]
        m = rng.choice(able)
        left.remove(m)
        out.append(m)
        done.add(m[0] + m[1])
    data["model"]["merges"] = out
    vocab = data["model"]["vocab"]
    ids = list(vocab.values())
    rng.shuffle(ids)
    data["model"]["vocab"] = dict(zip(vocab, ids))


def shuffle_whole(data):
    shuffle(data)
    whole(data)


def unigram(byte_fallback):
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")] if not byte_fallback else [normalizers.Replace("``", '"'), normalizers.NFC()])
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tok.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    special = ["<unk>"] + (["<0x%02X>" % b for b in range(256)] if byte_fallback else [])
    tok.train_from_iterator([line for line in (corpus + extra).splitlines()], trainers.UnigramTrainer(
        vocab_size=1000, unk_token="<unk>", special_tokens=special, show_progress=False))

    def change(data):
        data["model"]["byte_fallback"] = byte_fallback
        if byte_fallback:  # the bytes are pieces, not added tokens
            data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    return edit(tok, change)


def precompiled():
    """As converted from SentencePiece for XLM-RoBERTa and T5, with a small character map (charsmap.bin, by charsmap.py)."""
    tok = unigram(False)
    tok.normalizer = normalizers.Sequence([
        normalizers.Precompiled((here / "charsmap.bin").read_bytes()), normalizers.Replace(Regex(" {2,}"), " ")])
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    return tok


def spm_bpe(prepend):
    """As converted from Llama 2 (prepend) and Gemma."""
    tok = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    steps = [normalizers.Prepend("▁")] if prepend else []
    tok.normalizer = normalizers.Sequence(steps + [normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    tok.train_from_iterator([w for w in (corpus + extra).split(" ")], trainers.BpeTrainer(
        vocab_size=1100, special_tokens=special, show_progress=False, limit_alphabet=200))

    def change(data):
        data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    return edit(tok, change)


def bert():
    words = (here / "../../../../internal/wordpiece/testdata/vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    tok = Tokenizer(models.WordPiece({t: i for i, t in enumerate(words)}, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.add_special_tokens(words[:5])
    return tok


kinds = {
    "bert": bert(),
    "gpt2": byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), special=["<|endoftext|>"]),
    "gpt2_prefix": byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True), special=["<|endoftext|>"]),
    "llama3": edit(byte_bpe(split(LLAMA3), special=["<|begin_of_text|>", "<|eot_id|>"]), whole),
    "qwen2": byte_bpe(split(QWEN2), normalizer=normalizers.NFC(), special=["<|im_start|>", "<|im_end|>"]),
    "o200k": byte_bpe(split(O200K)),
    "shuffled": edit(byte_bpe(split(LLAMA3)), shuffle),
    "shuffled_whole": edit(byte_bpe(split(LLAMA3)), shuffle_whole),
    "unigram": unigram(False),
    "unigram_bytes": unigram(True),
    "precompiled": precompiled(),
    "spm": spm_bpe(True),
    "gemma": spm_bpe(False),
}

texts = ["", " ", "  ", "Hello, World!", "don't DON'T I'LL we’ve 'ſ", "naïve cafe\u0301 é", "日本語の文字 한국어 文字", "a\n\n b\t\tc  \r\n d ", "12345 3.14159 ½ ４２",
         "x" * 300, "ab" * 200, "<|endoftext|> <|im_start|>user<|im_end|> <s> <unk>", "🧑‍🚀 ok 👍🏽", "func main() {\n\treturn nil // done\n}\n", "\u0301", "▁ ▁▁a ▁b", "``q``  two  spaces",
         " leading", "trailing ", "\n", "ﬁ ② Å ｶﾞ", "\x00\x01", "e\u0301\u0323 ạ\u0301"]
words = (corpus[:20000] + extra).split()
bits = ["'s", "'LL", " ", "  ", "\n", "\t", "\r\n", "1", "42", "½", "!", "...", "//", "é", "e\u0301", "日本", "字", "한국", "🧑‍🚀", "ß", "İ", "ǅ", "ʰ", "\u00a0", "\u2028", "▁", "<s>", "<|eot_id|>", "हिन्दी"]
for _ in range(150):
    texts.append("".join(rng.choice([rng.choice(words), rng.choice(bits), rng.choice(bits)]) + rng.choice(["", "", " "]) for _ in range(rng.randint(1, 14))))
for _ in range(30):
    cps = [rng.choice([rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0x11000)]) for _ in range(12)]
    texts.append("".join(chr(c) for c in cps if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"))

for name, tok in kinds.items():
    (here / (name + ".json")).write_text(tok.to_str(), encoding="utf-8")
    with open(here / (name + ".jsonl"), "w", encoding="utf-8") as f:
        for t in texts:
            f.write(json.dumps({"text": t, "ids": tok.encode(t, add_special_tokens=False).ids}, ensure_ascii=False) + "\n")
