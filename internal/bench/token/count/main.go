// Command count measures chunk/token on the texts in a folder, once each, and
// prints a line for each: implementation, encoding, text, MB/s, tokens. The
// programs in chunk/token/testdata/peers print the same for other languages.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func main() {
	files, err := filepath.Glob(filepath.Join(os.Args[len(os.Args)-1], "*.txt"))
	if err != nil || len(files) == 0 {
		fmt.Fprintln(os.Stderr, "count: want a folder of .txt files")
		os.Exit(1)
	}
	for name, count := range map[string]func(string) int{"o200k": o200k.Encoding().Count, "cl100k": cl100k.Encoding().Count} {
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				fmt.Fprintln(os.Stderr, "count:", err)
				os.Exit(1)
			}
			text := string(data)
			count(text[:len(text)/8])
			start := time.Now()
			n := count(text)
			mb := float64(len(text)) / 1e6 / time.Since(start).Seconds()
			fmt.Printf("prodai %s %s %.2f %d\n", name, strings.TrimSuffix(filepath.Base(file), ".txt"), mb, n)
		}
	}
}
