// Package tiny has two language models that are small enough to be part of the module, so
// that every lab on transformers runs offline: a target of 1.05 million weights, and a
// draft of 0.2 million that was trained to guess what the target writes.
//
// # What they are
//
// The tiny models have the architecture of Llama: RMSNorm, rotary positions, grouped
// heads, SwiGLU, and one matrix for embedding and head. They share a byte-level BPE
// vocabulary of 2,048 tokens. They were trained for some minutes on one processor core,
// on the markdown files and comments of this project, which is Apache-2.0 as they are. A
// text they write looks like this project's prose, and means nothing: they know no facts,
// follow no instruction and answer no question. What is real about them is the arithmetic:
// perplexity, attention, caches, quantization and speculative decoding behave as in a
// large model.
//
// Their texts were cut into pieces of 128 tokens in training; beyond that they get worse.
//
// # How they were made
//
// The script train/train.py trains both, and train/main.go rewrites them as Q8_0. Held-out
// text costs the target 1.8 bits a byte; gzip needs about 3.
package tiny

import (
	"bytes"
	_ "embed" // the models

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

//go:embed target.gguf
var target []byte

//go:embed draft.gguf
var draft []byte

// Target returns the larger model.
func Target() *weights.File { return read(target) }

// Draft returns the smaller model, with the same vocabulary.
func Draft() *weights.File { return read(draft) }

func read(data []byte) *weights.File {
	f, err := weights.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic("tiny: " + err.Error()) // the files are part of the program
	}
	return f
}
