package flood

import (
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/guard"
)

// ErrOption is wrapped by every error about an invalid option, and about a
// required argument that is nil.
var ErrOption = errors.New("flood: invalid option")

// Options are the limits of [NewCheck]. The zero value works: ordinary prompts
// stay far below its limits.
type Options struct {
	// Tokens counts tokens, such as chunk/token's Count. Default: a fourth of
	// the bytes.
	Tokens func(text string) int

	// MaxTokens is how many tokens a text may have. Default: 32,000.
	MaxTokens int

	// MaxRatio is the largest [CompressionRatio] of a text: prose has 2 to 4,
	// source code up to 8, a table of figures up to 12, one word repeated
	// several hundred. Default: 30.
	MaxRatio float64

	// MaxDepth is how deep brackets may nest. Default: 100.
	MaxDepth int

	// MaxExpansion is how large XML entities or YAML aliases in the text may
	// grow, in bytes. Default: 1 MiB.
	MaxExpansion int
}

// The kinds of finding.
const (
	KindTokens     = "TOKENS"     // too long
	KindRepetition = "REPETITION" // the same text again and again
	KindDepth      = "DEPTH"      // brackets too deep
	KindExpansion  = "EXPANSION"  // grows when it is read
)

// minRepeat is the length from which repetition is looked for.
const minRepeat = 2 << 10

// NewCheck returns a check for texts that cost more to read than they say: for the
// input, and for tool results and documents. It takes time linear in the length
// of the text. A negative limit is an error that wraps [ErrOption].
//
// On the output it ends a model's loop while it streams, by windows of 4 KiB. It
// holds nothing back, since the cost of a flood is in what follows and not in what was
// shown.
func NewCheck(o *Options) (guard.Check, error) {
	var l Options
	if o != nil {
		l = *o
	}
	for _, limit := range []struct {
		name  string
		value float64
	}{{"MaxTokens", float64(l.MaxTokens)}, {"MaxRatio", l.MaxRatio}, {"MaxDepth", float64(l.MaxDepth)}, {"MaxExpansion", float64(l.MaxExpansion)}} {
		if !(limit.value >= 0) { // NaN neither
			return guard.Check{}, fmt.Errorf("%w: Options.%s is %v: want 0 (the default) or more", ErrOption, limit.name, limit.value)
		}
	}
	if l.Tokens == nil {
		l.Tokens = func(text string) int { return (len(text) + 3) / 4 }
	}
	if l.MaxTokens == 0 {
		l.MaxTokens = 32_000
	}
	if l.MaxRatio == 0 {
		l.MaxRatio = 30
	}
	if l.MaxDepth == 0 {
		l.MaxDepth = 100
	}
	if l.MaxExpansion == 0 {
		l.MaxExpansion = 1 << 20
	}
	return guard.Check{
		Name: "flood", Policy: guard.PolicyBlock, Find: guard.FindWith(l.find),
		Scan: func(context.Context) guard.Scanner { return &scanner{limits: &l} },
	}, nil
}

func (l *Options) find(text string) []guard.Finding {
	var all []guard.Finding
	add := func(kind, reason string) {
		all = append(all, guard.Finding{Kind: kind, End: len(text), Score: 1, Reason: reason, Threats: []string{"LLM10:2025", "AML.T0029", "AML.T0034"}})
	}
	// A text has no more tokens than bytes, so short texts aren't counted.
	if len(text) > l.MaxTokens && l.Tokens(text) > l.MaxTokens {
		add(KindTokens, "more tokens than are admitted")
	}
	if CompressionRatio(text) > l.MaxRatio {
		add(KindRepetition, "the same again and again")
	}
	if depth(text) > l.MaxDepth {
		add(KindDepth, "brackets that nest too deep")
	}
	if expanded(text) > l.MaxExpansion {
		add(KindExpansion, "entities or aliases that grow when they are read")
	}
	return all
}

// CompressionRatio returns how many times shorter a text of more than 2 KiB becomes under
// DEFLATE (RFC 1951), 1 for a shorter text. It measures cheaply how much a text
// repeats: what repeats at a distance of up to 32 KiB is coded once.
func CompressionRatio(text string) float64 {
	if len(text) < minRepeat {
		return 1
	}
	var n counter
	w, err := flate.NewWriter(&n, flate.BestSpeed)
	if err != nil {
		return 1 // the level is a constant
	}
	if _, err := strings.NewReader(text).WriteTo(w); err != nil || w.Close() != nil || n == 0 {
		return 1
	}
	return float64(len(text)) / float64(n)
}

type counter int

func (n *counter) Write(b []byte) (int, error) { *n += counter(len(b)); return len(b), nil }

// depth returns how deep brackets of JSON nest in a text. What is in quotes doesn't
// count. The end of a line ends a quote that was not closed.
func depth(text string) int {
	deepest, d := 0, 0
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\n':
			quoted = false
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '[' || c == '{':
			if d++; d > deepest {
				deepest = d
			}
		case c == ']' || c == '}':
			d = max(0, d-1)
		}
	}
	return deepest
}
