"""Writes WordLlama's vectors of the texts that "statictrain eval -texts" wrote.

pip install wordllama==0.4.0.post1
python peer.py texts.json wordllama.f32
"""

import json
import pathlib
import sys

import numpy
import wordllama
from wordllama import WordLlama

texts = json.load(open(sys.argv[1], encoding="utf-8"))
# 256 dimensions. The tokenizer is in the package, but load() looks elsewhere for it.
model = WordLlama.load(cache_dir=pathlib.Path(wordllama.__file__).parent, disable_download=True)
vectors = numpy.nan_to_num(numpy.asarray(model.embed(texts, norm=True), dtype="<f4"))  # an empty text is 0/0
print(vectors.shape)
vectors.tofile(sys.argv[2])
