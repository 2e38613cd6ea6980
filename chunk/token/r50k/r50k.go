package r50k

import (
	_ "embed"
	"sync"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/internal/builtin"
)

// Packed by internal/rankgen from the file that OpenAI publishes; a test checks
// its SHA-256.
//
//go:embed r50k_base.ranks
var packed []byte

// The encoding is immutable and costs megabytes and tens of milliseconds, so a
// program makes it once, when it is first asked for.
var once = sync.OnceValue(func() *token.Encoding {
	return builtin.New(packed, &token.Options{
		Name:    "r50k_base",
		Pattern: token.PatternGPT2,
		Special: map[string]int{"<|endoftext|>": 50256},
	})
})

// Encoding returns r50k_base. All calls return the same one.
func Encoding() *token.Encoding { return once() }
