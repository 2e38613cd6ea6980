package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
)

// A sample is a file of the lab.
type sample struct {
	name string
	what string
	data []byte
}

// attackText is a pickle in the oldest protocol, which is text: import os.system, call it
// with "id".
const attackText = "cos\nsystem\n(S'id'\ntR."

// short is a text of at most 255 bytes as protocol 4 writes it.
func short(s string) string { return fmt.Sprintf("\x8c%c%s", len(s), s) }

// call is a pickle of protocol 4 that calls a function with "id".
func call(module, name string) string {
	return "\x80\x04" + short(module) + short(name) + "\x93" + short("id") + "\x85R."
}

// weights is a pickle as torch.save writes it for one tensor.
const weights = "\x80\x02ccollections\nOrderedDict\n)R(U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRu."

func zipped(files ...string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

func gzipped(s string) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// safetensors is a file with a header and some bytes.
func safetensors(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// gguf is a file without tensors and with a chat template.
func gguf(template string) []byte {
	le := binary.LittleEndian
	text := func(b []byte, s string) []byte { return append(le.AppendUint64(b, uint64(len(s))), s...) }
	b := le.AppendUint64(le.AppendUint64(le.AppendUint32([]byte("GGUF"), 3), 0), 1)
	return text(le.AppendUint32(text(b, "tokenizer.chat_template"), 8), template)
}

// samples are ordinary files, and attacks in other wrappings.
func samples() ([]sample, error) {
	checkpoint, err := zipped("m/data.pkl", weights, "m/data/0", "0123456789abcdef", "m/version", "3\n")
	if err != nil {
		return nil, err
	}
	inZip, err := zipped("m/data.pkl", weights, "m/data/0", "0123456789abcdef", "m/extra", attackText)
	if err != nil {
		return nil, err
	}
	inGzip, err := gzipped(attackText)
	if err != nil {
		return nil, err
	}
	keras, err := zipped("config.json", `{"class_name":"Functional","config":{"layers":[{"class_name":"Functional","config":{"layers":[{"class_name":"Lambda"}]}}]}}`)
	if err != nil {
		return nil, err
	}
	slip, err := zipped("weights/README.md", "hello", "../../.ssh/authorized_keys", "key")
	if err != nil {
		return nil, err
	}
	good := `{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`
	return []sample{
		{"model.pt", "an ordinary checkpoint of torch", checkpoint},
		{"model.safetensors", "the same as safetensors", safetensors(good, 16)},
		{"model.gguf", "a GGUF file with a chat template", gguf("{% for m in messages %}{{ m.content }}{% endfor %}")},
		{"attack-0.pkl", "os.system in protocol 0", []byte(attackText)},
		{"attack-4.pkl", "os.system in protocol 4", []byte(call("os", "system"))},
		{"attack-memo.pkl", "the names come out of the memo", []byte("\x80\x04" + short("system") + "q\x070" + short("os") + "h\x07\x93" + short("id") + "\x85R.")},
		{"attack-cut.pkl", "the file breaks after the call", []byte("cos\nsystem\n(S'id'\ntR\xff\xff")},
		{"attack-unknown.pkl", "a function that no list of bad names has", []byte(call("my.helpers", "run_later"))},
		{"attack-resolve.pkl", "a function that finds any other", []byte(call("pkgutil", "resolve_name"))},
		{"README.md", "the attack under a harmless name", []byte(attackText)},
		{"attack.pt", "in a member that no tensor needs", inZip},
		{"attack.pkl.gz", "compressed", inGzip},
		{"attack.keras", "a Lambda layer, two levels down", keras},
		{"attack.gguf", "a chat template that leaves its sandbox", gguf("{{ cycler.__init__.__globals__.os.popen('id').read() }}")},
		{"attack.safetensors", "a header whose shape and bytes disagree", safetensors(`{"w":{"dtype":"F32","shape":[9,9],"data_offsets":[0,16]}}`, 16)},
		{"slip.zip", "a name that leaves the folder", slip},
		{"model.7z", "a format that the scanner can't read", []byte("7z\xbc\xaf\x27\x1c")},
	}, nil
}
