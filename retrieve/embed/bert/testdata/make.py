"""Writes the two tiny random models and their golden rows, by sentence-transformers.

pip install torch transformers sentence-transformers; python make.py [FOLDER OF A REAL ENCODER]
A real encoder's rows go to real.jsonl in the current folder, which is not kept."""
import json, os, shutil, string, sys
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast
from sentence_transformers import CrossEncoder, SentenceTransformer, models

torch.manual_seed(13)
here = os.path.dirname(os.path.abspath(__file__))
words = "the a of to and in is it you that for on are with as at be this from have refund return card gift store open days take paid water key cat man dog bite ##ing ##s ##ed ##er ##tion".split()
vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.digits, *string.ascii_lowercase,
         *["##" + c for c in string.ascii_lowercase], *".,!?-'()[]", *words, "日", "本"]
vocab = list(dict.fromkeys(vocab))
texts = ["", "a", "The cat", "dog bites man", "man bites dog", "Résumés, 日本!", "a refund takes 30 days, paid to the card",
         "gift cards have no return", "zebra [SEP] quiz [MASK]", "\U0001f600 ☃", "x" * 101, "the store is open at nine and closes when it is dark",
         "it is " * 60, "water " * 21, "water " * 22, "water " * 23, "word.\tword\nword"]


def grown(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * (0.25 if p.dim() > 1 else 0.1) + (1.0 if "LayerNorm.weight" in name else 0.0))
    return model.eval()


def config(**more):
    return BertConfig(vocab_size=len(vocab), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                      intermediate_size=64, max_position_embeddings=40, attn_implementation="eager", **more)


def rounded(folder, dtype):
    from safetensors.torch import load_file, save_file
    path = os.path.join(folder, "model.safetensors")
    save_file({k: v.to(dtype) for k, v in load_file(path).items() if v.is_floating_point()}, path, metadata={"format": "pt"})


def tidy(folder, keep):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in keep:
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def tokenizer(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.txt"), "w") as f:
        f.write("".join(t + "\n" for t in vocab))
    from tokenizers import Tokenizer, decoders, models as m, normalizers, pre_tokenizers, processors
    t = Tokenizer(m.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=t, model_max_length=40, do_lower_case=True)


def rows(path, out):
    with open(path, "w") as f:
        for r in out:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


def short(x):
    return float("%.6g" % x)


def encode(st, texts):
    vectors = torch.stack([torch.tensor(st.encode(t)) for t in texts])  # one at a time: no padding
    ids = [st.tokenizer(t, truncation=True, max_length=st.max_seq_length)["input_ids"] for t in texts]
    return [{"text": t, "ids": i, "vector": [short(x) for x in v.tolist()]} for t, i, v in zip(texts, ids, vectors)]


if len(sys.argv) > 1:
    st = SentenceTransformer(sys.argv[1], device="cpu")
    rows("real.jsonl", encode(st, texts + ["the store is open " * 200]))
    sys.exit()

folder = os.path.join(here, "encoder")
tok = tokenizer(folder)
grown(BertModel(config())).save_pretrained(folder)
rounded(folder, torch.float16)
tok.save_pretrained(folder)
st = SentenceTransformer(modules=[models.Transformer(folder, max_seq_length=24), models.Pooling(32, "mean"), models.Normalize()], device="cpu")
st.float()
st.save(folder)
rounded(folder, torch.float16)
rows(os.path.join(here, "encoder.jsonl"), encode(st, texts))

folder = os.path.join(here, "cross")
tok = tokenizer(folder)
grown(BertForSequenceClassification(config(num_labels=1))).save_pretrained(folder)
rounded(folder, torch.bfloat16)
tok.save_pretrained(folder)
ce = CrossEncoder(folder, device="cpu", max_length=40, activation_fn=torch.nn.Identity())
ce.model.float()
out = []
for q in ["refund days", "", "where is the store open? " * 9, "it is " * 40]:
    for t in texts:
        ids = {k: v[0] for k, v in ce.tokenizer([q], [t], truncation="longest_first", max_length=40).items()}
        out.append({"question": q, "text": t, "ids": ids["input_ids"], "second": ids["token_type_ids"].index(1) if 1 in ids["token_type_ids"] else len(ids["input_ids"]), "score": short(float(ce.predict([(q, t)])[0]))})
rows(os.path.join(here, "cross.jsonl"), out)
# One folder has vocab.txt and the other tokenizer.json, so that both are read.
tidy(os.path.join(here, "encoder"), {"1_Pooling", "config.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer_config.json", "vocab.txt"})
tidy(folder, {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"})
