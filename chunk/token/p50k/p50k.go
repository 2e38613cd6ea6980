package p50k

import (
	_ "embed"
	"sync"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/internal/builtin"
)

// Packed by internal/rankgen from the file that OpenAI publishes; a test checks
// its SHA-256.
//
//go:embed p50k_base.ranks
var packed []byte

// The encoding is immutable and costs megabytes and tens of milliseconds, so a
// program makes it once, when it is first asked for.
var once = sync.OnceValue(func() *token.Encoding {
	return builtin.New(packed, &token.Options{
		Name:    "p50k_base",
		Pattern: token.PatternGPT2,
		Special: map[string]int{"<|endoftext|>": 50256},
	})
})

// Encoding returns p50k_base. All calls return the same one.
func Encoding() *token.Encoding { return once() }

var edit = sync.OnceValue(func() *token.Encoding {
	return builtin.WithSpecial(once(), "p50k_edit", map[string]int{
		"<|endoftext|>":  50256,
		"<|fim_prefix|>": 50281,
		"<|fim_middle|>": 50282,
		"<|fim_suffix|>": 50283,
	})
})

// Edit returns p50k_edit: p50k_base with three more special tokens, which mark
// the parts of a text whose middle is to be filled in.
func Edit() *token.Encoding { return edit() }
