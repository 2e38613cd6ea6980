"""Cuts the file named by the argument with langchain-text-splitters and prints,
for each task: name, task, MB/s, number of chunks."""
import pathlib
import sys
import time

from langchain_text_splitters import MarkdownTextSplitter, RecursiveCharacterTextSplitter
import tiktoken
import tiktoken_ext.openai_public as public

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
ranks = pathlib.Path(sys.argv[2])

# The file from this machine instead of the network; tiktoken checks its hash.
public.load_tiktoken_bpe = lambda url, expected_hash=None: tiktoken.load.load_tiktoken_bpe(
    str(ranks / url.rsplit("/", 1)[1]), expected_hash)
tiktoken.get_encoding("o200k_base").encode("warm")

for kind, splitter in [("recursive", RecursiveCharacterTextSplitter), ("markdown", MarkdownTextSplitter)]:
    for task, make in [
        ("1000-runes", lambda: splitter(chunk_size=1000, chunk_overlap=0)),
        ("200-runes", lambda: splitter(chunk_size=200, chunk_overlap=0)),
        ("200-tokens", lambda: splitter.from_tiktoken_encoder("o200k_base", chunk_size=200, chunk_overlap=0)),
    ]:
        splitting = make()
        start = time.perf_counter()
        n = len(splitting.split_text(text))
        mb = len(text.encode()) / 1e6
        print("langchain", f"{kind}-{task}", f"{mb / (time.perf_counter() - start):.3f}", n)
