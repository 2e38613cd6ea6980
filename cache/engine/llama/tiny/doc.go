// Package tiny has two language models that are small enough to be part of the module, so
// that every lab on transformers runs offline: a target of 1.05 million weights, and a
// draft of 0.2 million that was trained to guess what the target writes.
//
// # The idea
//
// The tiny models have the architecture of Llama: RMSNorm, rotary positions, grouped
// heads, SwiGLU, and one matrix for embedding and head. They share a byte-level BPE
// vocabulary of 2,048 tokens. They were trained for ten minutes on one processor core, on
// the markdown files and comments of this project, and are under its license.
//
// A text that the tiny models write looks like this project's prose, and means nothing:
// they know no facts, follow no instruction and answer no question. What is real about
// them is the arithmetic: perplexity, attention, caches, quantization and speculative
// decoding behave as in a large model. Their texts had 128 tokens in training; beyond that
// they get worse.
//
// The script train.py of cache/engine/llama/internal/train trains both, and the program
// beside it rewrites them as Q8_0.
//
// # Measured
//
// Paragraphs that were held out of the training cost the target 1.82 bits a byte, and the
// draft 2.03. This command prints the figures of the part of them in testdata:
//
//	go test -v ./cache/engine/llama/tiny
package tiny
