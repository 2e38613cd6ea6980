package main

import (
	"fmt"
	"io"
	"os"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// listModels prints the models that other programs stored on this machine, and whether
// serve -gguf can run them.
func listModels(out io.Writer) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	found := llama.ListInstalled(home, os.Getenv("OLLAMA_MODELS"))
	for _, m := range found {
		runs := "runs"
		if err := runnable(m.Path); err != nil {
			runs = err.Error()
		}
		fmt.Fprintf(out, "%-9s  %-30s  %7.1f MB  %s\n           %s\n", m.Source, m.Name, float64(m.Bytes)/1e6, runs, m.Path)
	}
	if len(found) == 0 {
		fmt.Fprintln(out, "no model of Ollama or LM Studio is on this machine")
	}
	fmt.Fprint(out, "\n", service.SmallModel)
	return nil
}

// runnable returns why a file is not a model that this program runs.
func runnable(path string) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = llama.ReadConfig(f)
	return err
}
