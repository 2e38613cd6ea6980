// Package p50k is the encoding p50k_base of the Codex models and
// text-davinci-002 and -003: r50k_base with tokens for runs of spaces. Importing
// it adds 160 KiB to a program.
package p50k

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/prodailabs/prodai/chunk/token"
)

// Packed by internal/rankgen from the file that OpenAI publishes; a test checks
// its SHA-256.
//
//go:embed p50k_base.ranks
var packed []byte

// The encoding is immutable and costs megabytes and tens of milliseconds, so a
// program makes it once, when it is first asked for.
var once = sync.OnceValue(func() *token.Encoding {
	r, err := token.UnpackRanks(packed)
	if err != nil {
		panic(fmt.Sprintf("p50k: the ranks in the program are damaged: %v", err))
	}
	e, err := token.New(r, &token.Options{
		Name:    "p50k_base",
		Pattern: token.GPT2,
		Special: map[string]int{"<|endoftext|>": 50256},
	})
	if err != nil {
		panic(fmt.Sprintf("p50k: the ranks in the program are damaged: %v", err))
	}
	return e
})

// Encoding returns p50k_base. All calls return the same one.
func Encoding() *token.Encoding { return once() }

var edit = sync.OnceValue(func() *token.Encoding {
	e, err := once().WithSpecial("p50k_edit", map[string]int{
		"<|endoftext|>":  50256,
		"<|fim_prefix|>": 50281,
		"<|fim_middle|>": 50282,
		"<|fim_suffix|>": 50283,
	})
	if err != nil {
		panic(fmt.Sprintf("p50k: %v", err))
	}
	return e
})

// Edit returns p50k_edit: p50k_base with three more special tokens, which mark
// the parts of a text whose middle is to be filled in.
func Edit() *token.Encoding { return edit() }
