// Command train rewrites the models that train.py made, in float32, as the Q8_0 files
// that package tiny embeds:
//
//	python cache/engine/llama/internal/train/train.py . OUT
//	go run ./cache/engine/llama/internal/train OUT cache/engine/llama/tiny
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: train FROM TO")
		os.Exit(2)
	}
	for _, name := range []string{"target", "draft"} {
		if err := rewrite(filepath.Join(os.Args[1], name+"-f32.gguf"), filepath.Join(os.Args[2], name+".gguf")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func rewrite(from, to string) error {
	f, err := weights.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	err = f.Requantize(out, func(t weights.Tensor) weights.Type {
		if len(t.Shape) < 2 {
			return t.Type
		}
		return weights.TypeQ8_0
	})
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}
