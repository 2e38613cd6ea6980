package cl100k

import (
	_ "embed"
	"sync"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/internal/builtin"
)

// Packed by internal/rankgen from the file that OpenAI publishes; a test checks
// its SHA-256.
//
//go:embed cl100k_base.ranks
var packed []byte

// The encoding is immutable and costs megabytes and tens of milliseconds, so a
// program makes it once, when it is first asked for.
var once = sync.OnceValue(func() *token.Encoding {
	return builtin.New(packed, &token.Options{
		Name:    "cl100k_base",
		Pattern: token.PatternCL100K,
		Special: map[string]int{
			"<|endoftext|>":   100257,
			"<|fim_prefix|>":  100258,
			"<|fim_middle|>":  100259,
			"<|fim_suffix|>":  100260,
			"<|endofprompt|>": 100276,
		},
	})
})

// Encoding returns cl100k_base. All calls return the same one.
func Encoding() *token.Encoding { return once() }
