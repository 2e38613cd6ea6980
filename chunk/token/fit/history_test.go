package fit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/eval/modeltest"
)

func calls(ids ...string) llms.MessageContent {
	m := llms.MessageContent{Role: ai}
	for _, id := range ids {
		m.Parts = append(m.Parts, call(id).Parts...)
	}
	return m
}

func answers(ids ...string) llms.MessageContent {
	m := llms.MessageContent{Role: tool}
	for _, id := range ids {
		m.Parts = append(m.Parts, answer(id, "result of "+id).Parts...)
	}
	return m
}

const (
	halfCall = "not every call of a tool in it has its answer right after it"
	stray    = "it answers a call of a tool that is not in the history"
)

func TestHistoryKeepsWholeExchanges(t *testing.T) {
	q, q2, rules := say(human, "question"), say(human, "next"), say(system, "rules")
	for name, c := range map[string]struct {
		in   []llms.MessageContent
		want string
		why  string
	}{
		"one of two answers":      {[]llms.MessageContent{q, calls("a", "b"), answers("a"), q2}, "question | next", "1 " + halfCall + "; 2 " + halfCall},
		"a message between":       {[]llms.MessageContent{calls("a"), q2, answers("a")}, "next", "0 " + halfCall + "; 2 " + stray},
		"a system message too":    {[]llms.MessageContent{q, calls("a"), rules, answers("a")}, "question | rules", "1 " + halfCall + "; 3 " + stray},
		"not yet answered":        {[]llms.MessageContent{q, calls("a")}, "question", "1 " + halfCall},
		"another's answer":        {[]llms.MessageContent{calls("a"), answers("x"), answers("a"), q}, "call a | result of a | question", "1 " + stray},
		"an answer twice":         {[]llms.MessageContent{calls("a"), answers("a"), answers("a"), q}, "call a | result of a | question", "2 " + stray},
		"only another's":          {[]llms.MessageContent{calls("a"), answers("x"), q}, "question", "0 " + halfCall + "; 1 " + stray},
		"two answers, two turns":  {[]llms.MessageContent{calls("a", "b"), answers("b"), answers("a"), q}, "call acall b | result of b | result of a | question", ""},
		"two answers, one turn":   {[]llms.MessageContent{calls("a", "b"), answers("a", "b"), q}, "call acall b | result of aresult of b | question", ""},
		"no ids":                  {[]llms.MessageContent{calls("", ""), answers(""), answers(""), q}, "call call  | result of  | result of  | question", ""},
		"one of two without ids":  {[]llms.MessageContent{calls("", ""), answers(""), q}, "question", "0 " + halfCall + "; 1 " + halfCall},
		"an answer of plain text": {[]llms.MessageContent{calls("a"), say(tool, "found"), q}, "call a | found | question", ""},
		"answers first":           {[]llms.MessageContent{answers("a"), calls("a"), q}, "question", "0 " + stray + "; 1 " + halfCall},
	} {
		for _, first := range []bool{false, true} {
			got, err := History(c.in, 1000, &HistoryOptions{Tokens: words, Rule: plain, KeepFirst: first})
			require.NoError(t, err, name)
			require.Equal(t, c.want, texts(got.Messages), name)
			require.Equal(t, c.why, why(got.Dropped), name)
		}
	}
}

// TestHistoryIsAccepted fits random histories and checks what a provider does.
func TestHistoryIsAccepted(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 1))
	id := func() string { return fmt.Sprint(rng.IntN(3)) }
	for range 3000 {
		var in []llms.MessageContent
		for range rng.IntN(10) {
			switch rng.IntN(6) {
			case 0:
				in = append(in, say(human, "some words of a user"))
			case 1:
				in = append(in, say(system, "rules"))
			case 2:
				in = append(in, calls(id()))
			case 3:
				in = append(in, calls("0", "1"))
			case 4:
				in = append(in, answers(id()))
			case 5:
				in = append(in, answers("1", "0"))
			}
		}
		budget := 5 + rng.IntN(60)
		got, err := History(in, budget, &HistoryOptions{Tokens: words, Rule: plain, KeepFirst: rng.IntN(2) == 0, DropSystem: rng.IntN(3) == 0})
		var overflow *token.OverflowError
		if err != nil {
			require.ErrorAs(t, err, &overflow)
			continue
		}
		require.LessOrEqual(t, got.Tokens.Tokens, budget)
		require.Len(t, in, len(got.Messages)+len(got.Dropped))
		var open []string
		for _, m := range got.Messages {
			if !isAnswer(m) {
				require.Empty(t, open, "calls without answers: %s", texts(got.Messages))
				open = callIDs(m)
				continue
			}
			rest, ok := answered(open, m)
			require.True(t, ok, "a stray answer: %s", texts(got.Messages))
			open = rest
		}
		require.Empty(t, open, "calls without answers: %s", texts(got.Messages))
	}
}

// An image of an unknown model takes room.
func TestImagesTakeRoom(t *testing.T) {
	var in []llms.MessageContent
	for range 40 {
		in = append(in, llms.MessageContent{Role: human, Parts: []llms.ContentPart{llms.TextPart("look"), llms.ImageURLPart("https://example.com/a.png")}})
	}
	got, err := History(in, 8192, nil)
	require.NoError(t, err)
	require.Len(t, got.Messages, 5)
	require.True(t, got.Tokens.Estimated)

	in[39].Parts = append(in[39].Parts, llms.BinaryPart("image/png", []byte("png")))
	for _, model := range []string{"", "gpt-5.1", "gpt-5.2", "claude-sonnet-4-5", "gpt-4o", "gpt-4", "openai/gpt-5.2"} {
		next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
		m, err := New(next, &Options{Model: model, WindowTokens: 8192, HistoryOptions: HistoryOptions{Tokens: words}})
		require.NoError(t, err)
		_, err = m.GenerateContent(t.Context(), in)
		require.NoError(t, err)
		require.Less(t, len(next.Calls()[0].Messages), 10, model)
	}
}
