// Package builtin makes the encodings whose ranks are a part of the program. It panics
// if the ranks are damaged, because no caller can repair a broken program.
package builtin

import (
	"fmt"

	"github.com/prodailabs/prodai/chunk/token"
)

// New makes an encoding of ranks in the form of [token.Ranks.MarshalBinary].
func New(packed []byte, o *token.Options) *token.Encoding {
	r, err := token.UnmarshalRanks(packed)
	if err == nil {
		var e *token.Encoding
		if e, err = token.New(r, o); err == nil {
			return e
		}
	}
	panic(fmt.Sprintf("%s: the ranks in the program are damaged: %v", o.Name, err))
}

// WithSpecial makes the variant of e with other special tokens.
func WithSpecial(e *token.Encoding, name string, special map[string]int) *token.Encoding {
	v, err := e.WithSpecial(name, special)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return v
}
