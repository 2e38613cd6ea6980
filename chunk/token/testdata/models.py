"""Writes ../models.txt, limits of models, from the facts that the litellm project collects (MIT).

    python models.py model_facts_litellm.json
"""
import json
import pathlib
import sys

facts = json.load(open(sys.argv[1]))
rows = {
    # Not in the source any more, or never: from OpenAI's model pages.
    "babbage-002": ("openai", 16384, 16384, ""), "davinci-002": ("openai", 16384, 16384, ""),
    "chatgpt-4o-latest": ("openai", 128000, 16384, ""), "gpt-4-32k": ("openai", 32768, 32768, ""),
    "gpt-oss-120b": ("openai", 131072, 131072, ""), "gpt-oss-20b": ("openai", 131072, 131072, ""),
    "text-davinci-003": ("openai", 4097, 4097, ""), "gpt2": ("openai", 1024, 1024, ""),
}
for name, m in facts["models"].items():
    provider = m["litellm_provider"].removesuffix("_chat")
    limit = m.get("max_input_tokens")
    name = name.removeprefix(provider + "/")
    if provider == "azure" or not limit or name in rows or "/" in name:
        continue  # Azure repeats OpenAI's names; a path names another host's copy
    rows[name] = (provider, limit, m.get("max_output_tokens") or 0, m.get("deprecation_date") or "")
head = ["# name provider longest-prompt longest-answer(0: none or unknown) retired-on, in tokens.",
        "# Written by testdata/models.py from %s (%s), November 2026." % (facts["source"], facts["licence"])]
lines = [" ".join([name, p, str(i), str(o), d or "-"]) for name, (p, i, o, d) in sorted(rows.items())]
pathlib.Path(__file__).parent.parent.joinpath("models.txt").write_text("\n".join(head + lines) + "\n")
