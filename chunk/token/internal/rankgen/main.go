// Command rankgen packs the rank files of OpenAI's encodings, so that a program can
// contain them. It reads NAME.tiktoken from a folder and writes NAME.ranks, which has
// a fifth of the size.
//
//	go mod download -json github.com/pkoukk/tiktoken-go-loader@v0.0.2   # prints "Dir"
//	go run ./chunk/token/internal/rankgen -in DIR/assets -out chunk/token
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prodailabs/prodai/chunk/token"
)

func main() {
	in := flag.String("in", "", "folder with the .tiktoken files")
	out := flag.String("out", "chunk/token", "folder of the package token")
	flag.Parse()
	for file, pkg := range map[string]string{
		"r50k_base": "r50k", "p50k_base": "p50k", "cl100k_base": "cl100k", "o200k_base": "o200k",
	} {
		if err := pack(filepath.Join(*in, file+".tiktoken"), filepath.Join(*out, pkg, file+".ranks")); err != nil {
			fmt.Fprintln(os.Stderr, "rankgen:", err)
			os.Exit(1)
		}
	}
}

func pack(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	r, err := token.ReadRanks(bytes.NewReader(data))
	if err != nil {
		return err
	}
	packed, err := r.MarshalBinary()
	if err != nil {
		return err
	}
	// Unpacking must give the same file again.
	back, err := token.UnmarshalRanks(packed)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := back.WriteTo(&text); err != nil {
		return err
	}
	if !bytes.Equal(text.Bytes(), data) {
		return fmt.Errorf("%s: the packed form is not the file", from)
	}
	fmt.Printf("%s: %d tokens, %d bytes from %d\n", to, r.Len(), len(packed), len(data))
	return os.WriteFile(to, packed, 0o644)
}
