package structured

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// wrapCallback returns the option that feeds OnPartial, beside a callback that the
// caller has set.
func (g *generation[T]) wrapCallback(theirs func(context.Context, []byte) error) []llms.CallOption {
	if g.o.OnPartial == nil {
		return nil
	}
	p := &partial[T]{g: g}
	return []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		if theirs != nil {
			if err := theirs(ctx, chunk); err != nil {
				return err
			}
		}
		return p.receive(ctx, chunk)
	})}
}

// A partial is the value of one answer as it grows.
type partial[T any] struct {
	g    *generation[T]
	text strings.Builder
	seen int    // bytes of text that were read
	last []byte // the value then
}

func (p *partial[T]) receive(ctx context.Context, chunk []byte) error {
	d := delta.From(ctx)
	if d.Choice != 0 || d.Kind == delta.Reasoning {
		return nil
	}
	if p.g.o.Mode == ModeTool {
		p.text.WriteString(argumentsOf(chunk))
	} else if d.Kind != delta.Tool {
		p.text.Write(chunk)
	}
	// Each reading starts over, so a text is read only when it has grown by a
	// hundredth: the sum of all readings is then linear in the text.
	if p.text.Len() < p.seen+1+p.seen/100 {
		return nil
	}
	p.seen = p.text.Len()
	v, err := RepairPrefix(p.text.String())
	if err != nil || bytes.Equal(v.JSON, p.last) {
		return nil //nolint:nilerr // there is no value yet, or no new one
	}
	var value T
	if json.Unmarshal(v.JSON, &value) != nil {
		return nil //nolint:nilerr // not yet of this type
	}
	p.last = v.JSON
	return p.g.o.OnPartial(ctx, value)
}

// argumentsOf returns the arguments in tool-call deltas of the first call.
func argumentsOf(chunk []byte) string {
	var deltas []struct {
		Index    int `json:"index"`
		Function struct {
			Arguments string `json:"arguments"`
		} `json:"function"`
	}
	if json.Unmarshal(chunk, &deltas) != nil {
		return ""
	}
	var b strings.Builder
	for _, d := range deltas {
		if d.Index == 0 {
			b.WriteString(d.Function.Arguments)
		}
	}
	return b.String()
}
