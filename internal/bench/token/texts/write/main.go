// Command write writes the benchmark's texts into a folder, for implementations
// in other languages.
//
//	go run ./token/texts/write -out DIR
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prodailabs/prodai/internal/bench/token/texts"
)

func main() {
	out := flag.String("out", ".", "folder to write NAME.txt files into")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	all, err := texts.All()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, t := range all {
		if err := os.WriteFile(filepath.Join(dir, t.Name+".txt"), []byte(t.Text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
