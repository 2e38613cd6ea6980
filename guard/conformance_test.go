package guard_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

// word finds a word, as slowly and safely as a check may be.
func word(w, kind string) func(context.Context, string) ([]guard.Finding, error) {
	return func(_ context.Context, text string) ([]guard.Finding, error) {
		var all []guard.Finding
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				return all, nil
			}
			all = append(all, guard.Finding{Kind: kind, Start: at + i, End: at + i + len(w), Score: 1, Reason: "a word of the test"})
			at += i + len(w)
		}
	}
}

func TestModelKeepsTheContract(t *testing.T) {
	absent := word("xyzzy", "XYZZY")
	checks := []guard.Check{
		{Name: "window", Find: absent, Policy: guard.PolicyRedact, Hold: 8},
		{Name: "whole", Find: absent, Rank: 1},
		{Name: "beside", Find: absent, Rank: 1, Policy: guard.PolicyFlag},
	}
	for name, c := range map[string]struct {
		o    *guard.Options
		what *modeltest.Options
	}{
		"bare":   {&guard.Options{Spotlight: guard.SpotlightPlain}, nil},
		"marked": {nil, &modeltest.Options{MayRewrite: true}},
		"checked": {&guard.Options{Input: checks, Documents: checks, ToolResults: checks, ToolCalls: checks, Output: checks, Spotlight: guard.SpotlightPlain,
			Tools: []guard.Tool{{Name: "lookup", ReadOnly: true}, {Name: "weather", ReadOnly: true}}}, &modeltest.Options{MayRechunk: true}},
		"asking": {&guard.Options{Input: checks, Output: checks, ToolCalls: checks, Spotlight: guard.SpotlightPlain, Hierarchy: true, Unread: guard.PolicyFlag,
			CheckImageURL: func(string) error { return nil }, Approve: func(context.Context, llms.FunctionCall, guard.Finding) (bool, error) { return true, nil },
			Tools: []guard.Tool{{Name: "lookup"}, {Name: "weather"}}}, &modeltest.Options{MayRechunk: true, MayRewrite: true}},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				m, err := guard.New(next, c.o)
				require.NoError(tb, err)
				return m
			}, c.what)
		})
	}
}
