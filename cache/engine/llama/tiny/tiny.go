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
