// Package weights reads and writes the files that hold a model's weights: GGUF,
// which llama.cpp, Ollama and LM Studio use, and safetensors, which Hugging Face
// uses. It encodes and decodes the elements of both, from float32 to blocks of 4-bit
// codes.
//
// # The idea
//
// A weight file is a list of named matrices, and a header that says where each one
// lies and how its elements are stored. GGUF's header also holds the model's shape,
// its vocabulary and its chat template, so that one file is a whole model. A checkpoint
// of safetensors has the same in JSON files beside it: [Open] reads such a folder as the
// GGUF file that it can be converted to.
//
// # What a file may not do
//
// A weight file comes from the internet. Its counts, lengths, offsets and nesting are
// checked against the file's size before anything is allocated, with arithmetic that
// can't overflow: a file of 100 bytes that claims a string of 8 exabytes, a tensor
// beyond its end or an array inside an array inside an array is an error that wraps
// [ErrFormat]. Reading a file costs memory in proportion to its size.
package weights

import "errors"

// Errors of this package. What is returned wraps one of them.
var (
	ErrFormat    = errors.New("weights: not a valid file")
	ErrType      = errors.New("weights: element type not supported")
	ErrNotFinite = errors.New("weights: an element is not finite")
	ErrMissing   = errors.New("weights: not in the file")
	// ErrUnsupported is of a checkpoint that may be valid, and needs what this package
	// doesn't have.
	ErrUnsupported = errors.New("weights: a checkpoint of a kind that is not supported")
)
