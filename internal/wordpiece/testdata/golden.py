"""Writes vocab.txt, a small vocabulary, and golden.jsonl, texts and their ids by the reference.

    pip install tokenizers==0.23.3
    python golden.py
"""
import json
import pathlib
import random
import unicodedata
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

here = pathlib.Path(__file__).parent
rng = random.Random(5)
letters = "abcdefghijklmnopqrstuvwxyz0123456789"
wide = "αβγδεζηικλμνοπρςστυωабвгдежзиклмнопрстуфыья日本語中文字的一是漢クスかなカ한ᄀ" + "ßøđłəı"
words = """the of and to in is was for on that with as it by resume cafe naive token count model price cost
window budget chunk text word piece lower case accent strip hello world go python test is an en ed ing er ly
un re pre token ization strasse istanbul co ordinate don can won""".split()
ends = ["s", "ed", "ing", "er", "ly", "est", "ness", "tion", "able", "s", "th", "e", "ization", "fulness"]
vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
for t in (list(letters) + ["##" + c for c in letters] + list(wide) + ["##" + c for c in wide if c not in "日本語中文字的一是漢"]
          + list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + list("—–…«»“”。、") + words + ["##" + e for e in ends]):
    if t not in vocab:
        vocab.append(t)
(here / "vocab.txt").write_text("\n".join(vocab) + "\n", encoding="utf-8")

tok = Tokenizer(WordPiece({t: i for i, t in enumerate(vocab)}, unk_token="[UNK]", max_input_chars_per_word=100))
tok.normalizer = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
tok.add_special_tokens(vocab[:5])
tok.pre_tokenizer = BertPreTokenizer()

texts = ["", " ", "Hello, World!", "Résumés & cafés — naïve tokenization", "İstanbul ISTANBUL ıstanbul", "STRAẞE straße",
         "日本語のテキスト 中文字", "한국어 문장", "ΑΣ ΟΔΟΣ σς", "a\u00adb a\u200bb a\u2028b a\u3000b a\u00a0b", "a\x00b\ufffdc\x7fd",
         "don't can't won't", "x" * 100, "x" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101, "한" * 33, "한" * 34,
         "각" * 33 + "가", "[MASK] [CLS] ##ing #ing", "co-ordinate co_ordinate co\u2010ordinate", "ﬁ ½ ² ™", "tiếng Việt có dấu",
         "\ufeffbom", "tab\tnew\nline\rend", "a\u0301\u0323b", "\u0301", "!?\u0301!", "≯ ≠ ;", "豈更 \U0002f800",
         "a[SEP]b [sep] [[CLS]] [MASK", "é[UNK]é\u0301[PAD]\u0301x"]
pool = words + list(letters) + list(wide) + ["É", "İ", "Ω", " ", " ", "\t", "\n", "!", "。", "-", "'", "的", "한", "\u0301", "\u200d", "\ue000"]
for _ in range(260):
    texts.append("".join(rng.choice(pool) + rng.choice(["", "", " "]) for _ in range(rng.randint(1, 25))))
for _ in range(60):
    cps = [rng.choice([rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0x110000)]) for _ in range(20)]
    # Unassigned marks may be reordered by one version of Unicode and not by another; assigned ones may not.
    texts.append("".join(chr(c) for c in cps if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"))
with open(here / "golden.jsonl", "w", encoding="utf-8") as f:
    for t in texts:
        f.write(json.dumps({"text": t, "ids": tok.encode(t, add_special_tokens=False).ids}) + "\n")
