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
encoding = tiktoken.Encoding(**public.o200k_base())


def count(s):
    return len(encoding.encode_ordinary(s))


for task, make, size, length in [
    ("recursive-1000-runes", RecursiveCharacterTextSplitter, 1000, len),
    ("markdown-1000-runes", MarkdownTextSplitter, 1000, len),
    ("recursive-200-tokens", RecursiveCharacterTextSplitter, 200, count),
    ("markdown-200-tokens", MarkdownTextSplitter, 200, count),
]:
    splitter = make(chunk_size=size, chunk_overlap=0, length_function=length)
    start = time.perf_counter()
    n = len(splitter.split_text(text))
    mb = len(text.encode()) / 1e6
    print("langchain", task, f"{mb / (time.perf_counter() - start):.3f}", n)
