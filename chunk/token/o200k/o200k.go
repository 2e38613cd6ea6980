package o200k

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/internal/builtin"
)

// Packed by internal/rankgen from the file that OpenAI publishes; a test checks
// its SHA-256.
//
//go:embed o200k_base.ranks
var packed []byte

// The encoding is immutable and costs megabytes and tens of milliseconds, so a
// program makes it once, when it is first asked for.
var once = sync.OnceValue(func() *token.Encoding {
	return builtin.New(packed, &token.Options{
		Name:    "o200k_base",
		Pattern: token.PatternO200K,
		Special: map[string]int{"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
	})
})

// Encoding returns o200k_base. All calls return the same one.
func Encoding() *token.Encoding { return once() }

var harmony = sync.OnceValue(func() *token.Encoding {
	special := map[string]int{
		"<|startoftext|>": 199998,
		"<|endoftext|>":   199999,
		"<|return|>":      200002,
		"<|constrain|>":   200003,
		"<|channel|>":     200005,
		"<|start|>":       200006,
		"<|end|>":         200007,
		"<|message|>":     200008,
		"<|call|>":        200012,
		"<|endofprompt|>": 200018,
	}
	for _, id := range []int{200000, 200001, 200004, 200009, 200010, 200011} {
		special[fmt.Sprintf("<|reserved_%d|>", id)] = id
	}
	for id := 200013; id <= 201087; id++ { // 200018 has two names
		special[fmt.Sprintf("<|reserved_%d|>", id)] = id
	}
	return builtin.WithSpecial(once(), "o200k_harmony", special)
})

// Harmony returns o200k_harmony, the encoding of gpt-oss: o200k_base with
// the special tokens of the Harmony format, which mark roles, channels and
// calls of tools.
func Harmony() *token.Encoding { return harmony() }
