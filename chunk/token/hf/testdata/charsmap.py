"""Writes charsmap.bin, a small compiled character map.

    pip install sentencepiece protobuf
    python charsmap.py CORPUS.txt
"""
import pathlib
import sys
import tempfile
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model

rules = [("ﬁ", "fi"), ("ﬂ", "fl"), ("½", "1⁄2"), ("²", "2"), ("４", "4"), ("２", "2"), ("e\u0301", "é"), ("\u200b", ""), ("\u00a0", " "),
         ("\u3000", " "), ("\t", " "), ("\n", " "), ("ｶﾞ", "ガ"), ("ｶ", "カ"), ("™", "TM"), ("ß", "ss"), ("İ", "i"), ("\u0301", ""), ("…", "...")]
hexes = lambda s: " ".join("%X" % ord(c) for c in s)
with tempfile.TemporaryDirectory() as d:
    d = pathlib.Path(d)
    (d / "rules.tsv").write_text("".join("%s\t%s\n" % (hexes(a), hexes(b)) for a, b in rules))
    sentencepiece.SentencePieceTrainer.train(
        input=sys.argv[1], model_prefix=str(d / "m"), vocab_size=600, normalization_rule_tsv=str(d / "rules.tsv"),
        hard_vocab_limit=False, input_sentence_size=2000, minloglevel=2)
    m = model.ModelProto()
    m.ParseFromString((d / "m.model").read_bytes())
pathlib.Path(__file__).parent.joinpath("charsmap.bin").write_bytes(m.normalizer_spec.precompiled_charsmap)
