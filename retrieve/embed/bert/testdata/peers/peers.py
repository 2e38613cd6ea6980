"""Texts a second of one model on the CPU, by torch and onnxruntime: one line each.

pip install torch transformers sentence-transformers onnx onnxruntime
python peers.py MODEL_FOLDER TEXTS.txt THREADS
Texts are one a line. onnxruntime runs float32 and dynamically quantized int8. The time
is CPU time of the process, so that other programs on the machine count less."""
import os, sys, tempfile, time
folder, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)
import numpy as np, torch
torch.set_num_threads(threads)
from sentence_transformers import SentenceTransformer
texts = [line.rstrip("\n") for line in open(path)]
st = SentenceTransformer(folder, device="cpu")


def measure(name, run):
    run(texts[:32])
    cpu, wall = time.process_time(), time.monotonic()
    vectors = run(texts)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    print(f"{name}\t{len(texts) / cpu:.1f} texts per CPU second\t{len(texts) / wall:.1f} per second\tload {os.getloadavg()[0]:.1f}", flush=True)
    return vectors


want = measure("torch float32 (sentence-transformers)", lambda t: st.encode(t, batch_size=32))


def onnx(model):
    import onnxruntime as ort
    o = ort.SessionOptions()
    o.intra_op_num_threads = threads
    o.add_session_config_entry("session.intra_op.allow_spinning", "0")
    s = ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])

    def run(t):
        out = [None] * len(t)
        order = sorted(range(len(t)), key=lambda i: -len(t[i]))  # little padding, as sentence-transformers do
        for b in range(0, len(order), 32):
            part = order[b:b + 32]
            e = st.tokenizer([t[i] for i in part], padding=True, truncation=True, max_length=st.max_seq_length, return_tensors="np")
            h = s.run(None, {k: e[k].astype(np.int64) for k in ("input_ids", "attention_mask", "token_type_ids")})[0]
            m = e["attention_mask"][..., None]
            v = (h * m).sum(1) / m.sum(1)
            v /= np.linalg.norm(v, axis=1, keepdims=True)
            for i, x in zip(part, v):
                out[i] = x
        return np.stack(out)
    return run


with tempfile.TemporaryDirectory() as tmp:
    bert = st[0].auto_model if hasattr(st[0], "auto_model") else st[0].model
    file, small = tmp + "/m.onnx", tmp + "/int8.onnx"

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = bert

        def forward(self, i, m, t):
            return self.bert(input_ids=i, attention_mask=m, token_type_ids=t).last_hidden_state

    e = st.tokenizer(["a b", "c"], padding=True, return_tensors="pt")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(Plain().eval(), tuple(e[n] for n in names), file, input_names=names, output_names=["h"], dynamo=False,
                      dynamic_axes={n: {0: "b", 1: "s"} for n in names + ["h"]}, opset_version=17)
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(file, small, weight_type=QuantType.QInt8)
    for name, model in (("onnxruntime float32", file), ("onnxruntime int8", small)):
        got = measure(name, onnx(model))
        print(f"\tlowest cosine to torch {float((got * want).sum(1).min()):.6f}")
