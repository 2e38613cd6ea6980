package openai

import (
	"errors"
	"fmt"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/chunk/token/p50k"
	"github.com/prodailabs/prodai/chunk/token/r50k"
)

// ErrOption is wrapped by the error for a name that is not one of [Names].
var ErrOption = errors.New("openai: invalid option")

// Names returns the names that [Encoding] knows.
func Names() []string {
	return []string{"r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"}
}

// Encoding returns the encoding of the given name; "gpt2" is another name of
// r50k_base. Any other name gives an [ErrOption].
func Encoding(name string) (*token.Encoding, error) {
	switch name {
	case "r50k_base", "gpt2":
		return r50k.Encoding(), nil
	case "p50k_base":
		return p50k.Encoding(), nil
	case "p50k_edit":
		return p50k.Edit(), nil
	case "cl100k_base":
		return cl100k.Encoding(), nil
	case "o200k_base":
		return o200k.Encoding(), nil
	case "o200k_harmony":
		return o200k.Harmony(), nil
	}
	return nil, fmt.Errorf("%w: the encoding is %q: want one of %q", ErrOption, name, Names())
}

// ForModel returns the encoding that a model uses, see [token.EncodingName]. An
// unknown model gives a [*token.UnknownModelError].
func ForModel(model string) (*token.Encoding, error) {
	name, err := token.EncodingName(model)
	if err != nil {
		return nil, err
	}
	return Encoding(name)
}
