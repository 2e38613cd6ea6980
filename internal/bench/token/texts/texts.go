// Package texts makes the texts that tokenizers are measured on, the same ones
// for every implementation: from the Go distribution, so that anyone who can run
// the benchmark has them, and from a fixed seed.
package texts

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/chunk/token/o200k"
)

// A Text is one of the texts and its name.
type Text struct{ Name, Text string }

// All returns the texts:
//
//   - english: the comments of Go's standard library, 1.5 MB of technical prose
//   - go: the source of Go's standard library, 2 MB of it
//   - cjk: Chinese words and punctuation in random order, 2 MB
//   - hex: random hexadecimal digits, 1 MB
//   - random: random bytes as lossy UTF-8, 1.8 MB
//   - letter: one letter, 1 MB: one piece without end
func All() ([]Text, error) {
	english, source, err := library()
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(2026, 11))
	hex := make([]byte, 1<<20)
	for i := range hex {
		hex[i] = "0123456789abcdef"[rng.IntN(16)]
	}
	random := make([]byte, 1_000_000)
	for i := range random {
		random[i] = byte(rng.IntN(256))
	}
	return []Text{
		{"english", english},
		{"go", source},
		{"cjk", chinese(rng, 2<<20)},
		{"hex", string(hex)},
		{"random", strings.ToValidUTF8(string(random), "\uFFFD")},
		{"letter", strings.Repeat("a", 1<<20)},
	}, nil
}

// library returns the comments and the source of the standard library, in the
// order of the files' names.
func library() (comments, source string, err error) {
	const commentBytes, sourceBytes = 3 << 19, 2 << 20
	var text, code strings.Builder
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", "", err
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor" || d.Name() == "cmd") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		if text.Len() >= commentBytes && code.Len() >= sourceBytes {
			return fs.SkipAll
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 200_000 { // large files are tables
			return err
		}
		if code.Len() < sourceBytes {
			code.Write(data)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.ParseComments)
		if err != nil {
			return err
		}
		for i, c := range file.Comments {
			if i > 0 && text.Len() < commentBytes { // the first one is the license
				text.WriteString(c.Text())
				text.WriteByte('\n')
			}
		}
		return nil
	})
	if err == nil && (text.Len() < commentBytes || code.Len() < sourceBytes) {
		err = fmt.Errorf("texts: the Go distribution at %s has too little source", root)
	}
	return text.String(), code.String(), err
}

// chinese joins tokens of o200k_base that are Chinese words, with punctuation
// after every fifteenth or so.
func chinese(rng *rand.Rand, size int) string {
	var words []string
	for id := range o200k.Encoding().Ranks().Len() {
		t := o200k.Encoding().TokenText(id)
		if strings.IndexFunc(t, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) < 0 {
			words = append(words, t)
		}
	}
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[rng.IntN(len(words))])
		if rng.IntN(15) == 0 {
			b.WriteString([]string{"，", "。", "、", "\n"}[rng.IntN(4)])
		}
	}
	return b.String()
}
