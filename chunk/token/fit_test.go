package token_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/o200k"
)

func TestTruncateLaws(t *testing.T) {
	count := o200k.Encoding().Count
	rng := rand.New(rand.NewPCG(3, 3))
	for _, text := range texts(rng, 150) {
		for _, keep := range []token.Keep{token.KeepHead, token.KeepTail, token.KeepEnds} {
			truncateLaws(t, count, text, rng.IntN(30), keep, "…")
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("a\u0301👩‍👩‍👧 word", 3, uint8(2), "…")
	count := o200k.Encoding().Count
	f.Fuzz(func(t *testing.T, text string, budget int, keep uint8, marker string) {
		truncateLaws(t, count, text, budget, token.Keep(keep%3), marker)
	})
}

func truncateLaws(t *testing.T, count func(string) int, text string, budget int, keep token.Keep, marker string) {
	t.Helper()
	got, err := token.Truncate(text, budget, &token.TruncateOptions{Tokens: count, Keep: keep, Marker: marker})
	require.NoError(t, err)
	require.Equal(t, count(got.Text), got.Tokens)
	require.LessOrEqual(t, got.Tokens, max(budget, 0), "%q", text)
	if got.CutStart == got.CutEnd {
		require.Equal(t, text, got.Text)
		return
	}
	head, tail := text[:got.CutStart], text[got.CutEnd:]
	require.True(t, strings.HasPrefix(got.Text, head) && strings.HasSuffix(got.Text, tail))
	switch keep {
	case token.KeepHead:
		require.Empty(t, tail)
	case token.KeepTail:
		require.Empty(t, head)
	}
	ends := map[int]bool{0: true}
	for g := graphemes.FromString(text); g.Next(); {
		ends[g.End()] = true
	}
	require.True(t, ends[got.CutStart] && ends[got.CutEnd], "%q cut at %d and %d", text, got.CutStart, got.CutEnd)
}

func TestTruncateWithoutRoom(t *testing.T) {
	count := o200k.Encoding().Count
	for _, row := range []struct {
		text   string
		budget int
		marker string
		want   token.Truncated
	}{
		{"abc d", 0, "…", token.Truncated{CutEnd: 5}},
		{"", -1, "…", token.Truncated{}},
		{"one two three", 1, " [cut here]", token.Truncated{Text: "one", Tokens: 1, CutStart: 3, CutEnd: 13}},
	} {
		got, err := token.Truncate(row.text, row.budget, &token.TruncateOptions{Tokens: count, Marker: row.marker})
		require.NoError(t, err)
		require.Equal(t, row.want, got)
	}
}

func TestTruncateAndPackEstimateWithoutACounter(t *testing.T) {
	text := strings.Repeat("some words ", 20)
	cut, err := token.Truncate(text, 7, nil)
	require.NoError(t, err)
	require.Equal(t, 7, token.Estimate(cut.Text))
	p, err := token.Pack([]token.Part{{Text: text, MinTokens: 1}}, 7, nil)
	require.NoError(t, err)
	require.Equal(t, token.Estimate(p.Text), p.Tokens)
	require.LessOrEqual(t, p.Tokens, 7)
}

func TestTruncateAndPackRefuse(t *testing.T) {
	_, err := token.Truncate("a", 1, &token.TruncateOptions{Keep: 3})
	require.ErrorIs(t, err, token.ErrOption)
	require.ErrorContains(t, err, "TruncateOptions.Keep is 3: want KeepHead, KeepTail or KeepEnds")
	_, err = token.Pack([]token.Part{{Keep: 3}}, 1, nil)
	require.ErrorIs(t, err, token.ErrOption)
	_, err = token.Pack([]token.Part{{}, {MinTokens: -1}}, 1, nil)
	require.ErrorIs(t, err, token.ErrOption)
	require.ErrorContains(t, err, "part 1 is -1")
}

func TestPackLaws(t *testing.T) {
	count := o200k.Encoding().Count
	rng := rand.New(rand.NewPCG(4, 4))
	all := texts(rng, 60)
	for range 200 {
		var parts []token.Part
		for range rng.IntN(8) {
			parts = append(parts, token.Part{
				Name: "p", Text: all[rng.IntN(len(all))], Priority: rng.IntN(3), Required: rng.IntN(6) == 0,
				MinTokens: rng.IntN(2) * 3, Keep: token.Keep(rng.IntN(3)),
			})
		}
		budget := rng.IntN(120)
		p, err := token.Pack(parts, budget, &token.PackOptions{Tokens: count, Cutoff: rng.IntN(2) == 0})
		var overflow *token.OverflowError
		if errors.As(err, &overflow) {
			continue
		}
		require.NoError(t, err)
		require.LessOrEqual(t, p.Tokens, budget)
		require.Equal(t, count(p.Text), p.Tokens)
		require.Len(t, p.Parts, len(parts))
		for i, f := range p.Parts {
			if f.Why == "" {
				require.Equal(t, f.Full, f.Tokens)
				require.Contains(t, p.Text, parts[i].Text)
			} else {
				require.Less(t, f.Tokens, max(f.Full, 1), "%+v", f)
			}
			if parts[i].Required && f.Full > 0 {
				require.NotZero(t, f.Tokens)
			}
		}
	}
}

func TestPackOverflowAndCutoff(t *testing.T) {
	words := func(s string) int { return len(strings.Fields(s)) }
	_, err := token.Pack([]token.Part{{Name: "rules", Text: "a b c d", Required: true}}, 3, &token.PackOptions{Tokens: words})
	var overflow *token.OverflowError
	require.ErrorAs(t, err, &overflow)
	require.Equal(t, token.OverflowError{What: `the required part "rules"`, NeedTokens: 4, BudgetTokens: 3}, *overflow)
	require.Equal(t, "context_length_exceeded", overflow.Code())

	parts := []token.Part{{Name: "big", Text: "a b c d", Priority: 2}, {Name: "small", Text: "e", Priority: 1}}
	p, err := token.Pack(parts, 3, &token.PackOptions{Tokens: words})
	require.NoError(t, err)
	require.Equal(t, "e", p.Text)
	p, err = token.Pack(parts, 3, &token.PackOptions{Tokens: words, Cutoff: true})
	require.NoError(t, err)
	require.Empty(t, p.Text)
	require.Equal(t, `below the cutoff: "big" did not fit`, p.Parts[1].Why)
}

func TestEveryModelOfTheTableIsFound(t *testing.T) {
	n := 0
	for _, name := range token.Models() {
		l, err := token.LimitsOf(name)
		require.NoError(t, err, name)
		require.Equal(t, name, l.Model)
		require.NotEmpty(t, l.Provider)
		require.Positive(t, l.MaxInputTokens)
		n++
	}
	require.Greater(t, n, 300)
}

func TestLimitsOf(t *testing.T) {
	for name, want := range map[string]string{
		"gpt-4o": "gpt-4o", "gpt-4o-2031-01-01": "gpt-4o", "openai/gpt-4o-mini": "gpt-4o-mini",
		"ft:gpt-4o-2024-08-06:acme::1": "ft:gpt-4o-2024-08-06", "ft:o3-2025-04-16:x": "o3-2025-04-16",
		"gpt-35-turbo": "gpt-3.5-turbo", "claude-sonnet-4-6-20301231": "claude-sonnet-4-6", "gpt-5.1-2031-01-01": "gpt-5.1",
	} {
		l, err := token.LimitsOf(name)
		require.NoError(t, err, name)
		require.Equal(t, want, l.Model, name)
	}
	for _, name := range []string{"", "gpt", "gpt-9", "gpt-4o-turbo-ultra", "ft:", "ft:nothing", "-", "#", "gpt-4o 1", "openai/", "name", "\n"} {
		_, err := token.LimitsOf(name)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, "%q", name)
		require.Equal(t, name, unknown.Model)
	}
	l, err := token.LimitsOf("o1")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC), l.Retired)
}

func TestEncodingName(t *testing.T) {
	for model, want := range map[string]string{
		"gpt-4o": "o200k_base", "gpt-5-mini": "o200k_base", "o3-mini": "o200k_base", "gpt-oss-20b": "o200k_harmony",
		"gpt-4-32k": "cl100k_base", "gpt-4": "cl100k_base", "gpt-35-turbo-16k": "cl100k_base", "chatgpt-4o-latest": "o200k_base",
		"ft:gpt-4o-2024-08-06:acme": "o200k_base", "ft:gpt-4:acme": "cl100k_base", "ft:gpt-4.1-2025-04-14:x": "o200k_base",
		"ft:davinci-002:x": "cl100k_base", "ft:gpt-4o-mini-2024-07-18:org::id": "o200k_base", "ft:gpt-3.5-turbo-0125:o:n:i": "cl100k_base",
		"ft:o4-mini-2025-04-16:x": "o200k_base", "ft:babbage-002": "cl100k_base", "text-davinci-003": "p50k_base", "code-davinci-edit-001": "p50k_edit", "gpt2": "gpt2", "davinci": "r50k_base",
	} {
		got, err := token.EncodingName(model)
		require.NoError(t, err, model)
		require.Equal(t, want, got, model)
	}
	for _, model := range []string{"", "gpt-6-sol", "claude-sonnet-5", "o5", "ft:", "ft:claude", "ft:gpt-4oops:x", "ft:ft:gpt-6"} {
		_, err := token.EncodingName(model)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, model)
	}
}

func TestChatEstimates(t *testing.T) {
	count := o200k.Encoding().Count
	published, err := token.ChatRuleOf("gpt-4o-mini")
	require.NoError(t, err)
	later, err := token.ChatRuleOf("gpt-5")
	require.NoError(t, err)
	hi := token.Message{Role: "user", Content: "hi"}
	require.Equal(t, token.Count{Tokens: 8}, published.CountMessages(count, hi))
	require.Equal(t, token.Count{Tokens: 8, Estimated: true}, later.CountMessages(count, hi))
	hi.ToolCalls = []token.ToolCall{{Name: "f", Arguments: "{}"}}
	require.True(t, published.CountMessages(count, hi).Estimated)

	guess := token.Message{Role: "user", Content: "hi"}
	require.Equal(t, token.Count{Tokens: 8, Estimated: true}, published.CountMessages(nil, guess))
	require.Equal(t, token.Count{Tokens: 5, Estimated: true}, published.CountMessage(nil, &guess))
	guessed, err := published.CountTools(nil, token.Tool{Name: "f"})
	require.NoError(t, err)
	require.True(t, guessed.Estimated)

	nested := token.Tool{Name: "f", Parameters: json.RawMessage(`{"properties":{"a":{"type":["string","null"]},"b":{"type":"object","properties":{"c":{"type":"string"}}}}}`)}
	total, err := published.CountTools(count, nested)
	require.NoError(t, err)
	require.True(t, total.Estimated)
	_, err = published.CountTools(count, token.Tool{Name: "f", Parameters: "text"})
	require.ErrorContains(t, err, `"f"`)
	_, err = published.CountTools(count, token.Tool{Name: "f", Parameters: func() {}})
	require.Error(t, err)

	for _, model := range []string{"gpt2", "text-embedding-3-small", "claude-sonnet-5", "davinci-002"} {
		_, err = token.ChatRuleOf(model)
		var unknown *token.UnknownModelError
		require.ErrorAs(t, err, &unknown, model)
	}
}

func TestImageRule(t *testing.T) {
	r, err := token.ImageRuleOf("gpt-4o-mini-2024-07-18")
	require.NoError(t, err)
	require.Equal(t, 2833, r.Base)
	for _, bad := range [][2]int{{0, 5}, {5, 0}, {-1, 5}} {
		_, err = r.Tokens(token.Image{Width: bad[0], Height: bad[1], Detail: "high"})
		require.ErrorIs(t, err, token.ErrOption)
	}
	_, err = r.Tokens(token.Image{Width: 5, Height: 5, Detail: "ultra"})
	require.ErrorIs(t, err, token.ErrOption)
	require.True(t, r.Count(token.Image{}).Estimated)
	for _, model := range []string{"o3-mini", "gpt-4", "gpt-5.4", "gpt-4o2"} {
		_, err = token.ImageRuleOf(model)
		require.Error(t, err, model)
	}
}

func TestEstimate(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, " ": 0, "a": 1, "hello world": 2, "日本語": 3, "1234567": 3, "internationalization": 4, "a  b\n": 4, "{}();": 3, "é": 1, "🚀": 2, "\xff\xff": 2,
	} {
		require.Equal(t, want, token.Estimate(text), "%q", text)
	}
}
