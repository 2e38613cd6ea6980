package guard_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/growth"
)

// seen is what a caller receives of a stream, by kind.
type seen struct {
	text, reasoning, tool strings.Builder
	chunks                int
}

func (s *seen) hear(ctx context.Context, chunk []byte) error {
	s.chunks++
	switch delta.From(ctx).Kind {
	case delta.Tool:
		s.tool.Write(chunk)
	case delta.Reasoning:
		s.reasoning.Write(chunk)
	default:
		s.text.Write(chunk)
	}
	return nil
}

func (s *seen) think(_ context.Context, thought, _ []byte) error {
	s.reasoning.Write(thought)
	return nil
}

func newModel(t testing.TB, next llms.Model, o *guard.Options) *guard.Model {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(&event.Checker{Report: t.Errorf})
	}
	m, err := guard.New(next, o)
	require.NoError(t, err)
	return m
}

func human(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func TestOutputIsTheSameStreamedOrNot(t *testing.T) {
	const answer = "The code is swordfish, I repeat: swordfish. Bye."
	const passed = "The code is [WORD], I repeat: [WORD]. Bye."
	check := guard.Check{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}
	for _, hold := range []int{0, 9, 16, 200} {
		check.Hold = hold
		for size := 1; size < 12; size++ {
			var chunks []modeltest.Chunk
			for at := 0; at < len(answer); at += size {
				chunks = append(chunks, modeltest.Chunk{Text: answer[at:min(at+size, len(answer))], Unmarked: size%2 == 0})
			}
			m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks, Times: -1}}, ReuseBuffer: true}, &guard.Options{Output: []guard.Check{check}})
			var s seen
			r, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
			require.NoError(t, err)
			assert.Equal(t, passed, s.text.String())
			assert.Equal(t, passed, r.Choices[0].Content)
			r, err = m.GenerateContent(t.Context(), human("hi"))
			require.NoError(t, err)
			assert.Equal(t, passed, r.Choices[0].Content)
		}
	}
}

func TestStreamFlowsWhileItIsChecked(t *testing.T) {
	m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(strings.Repeat("a word and ", 100))}},
		&guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Hold: 16}}})
	var s seen
	_, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
	require.NoError(t, err)
	assert.Greater(t, s.chunks, 50, "a hold of 16 bytes releases early")
}

func TestBlockedStreamReleasesNothingOfTheFinding(t *testing.T) {
	hidden := errors.New("provider: stream closed")
	for _, kind := range []string{"text", "reasoning"} {
		var chunks []modeltest.Chunk
		for _, r := range "one two swordfish three" {
			c := modeltest.Chunk{Text: string(r)}
			if kind == "reasoning" {
				c = modeltest.Chunk{Reasoning: string(r)}
			}
			chunks = append(chunks, c)
		}
		next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks, Times: -1}}}
		m := newModel(t, hide{next, hidden}, &guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Hold: 9}}})
		var s seen
		_, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear), llms.WithStreamingReasoningFunc(s.think))
		var blocked *guard.BlockedError
		require.ErrorAs(t, err, &blocked, kind)
		assert.Equal(t, guard.StageOutput, blocked.Verdict.Stage)
		assert.Equal(t, []guard.Finding{{Kind: "WORD", Start: 8, End: 17, Score: 1, Reason: "a word of the test"}}, blocked.Verdict.Findings)
		assert.True(t, strings.HasPrefix("one two ", s.text.String()+s.reasoning.String()))

		_, err = m.GenerateContent(t.Context(), human("hi"))
		require.ErrorAs(t, err, &blocked, kind)
	}
}

// hide is a model that replaces a callback's error by one of its own.
type hide struct {
	llms.Model
	err error
}

func (h hide) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	r, err := h.Model.GenerateContent(ctx, messages, options...)
	if err != nil {
		return nil, h.err
	}
	return r, nil
}

func TestEveryChoiceIsChecked(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Choices: []*llms.ContentChoice{{Content: "fine"}, {Content: "swordfish"}}}}}
	m := newModel(t, next, &guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}}})
	r, err := m.GenerateContent(t.Context(), human("hi"))
	require.NoError(t, err)
	assert.Equal(t, "[WORD]", r.Choices[1].Content)
	var first, second strings.Builder
	_, err = m.GenerateContent(t.Context(), human("hi"), llms.WithN(2), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		if delta.From(ctx).Choice == 1 {
			second.Write(chunk)
		} else {
			first.Write(chunk)
		}
		return nil
	}))
	require.NoError(t, err)
	assert.Equal(t, "fine", first.String())
	assert.Equal(t, "[WORD]", second.String())
}

func TestUnmarkedChunksOfSeveralChoicesAreWithheld(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{
		Chunks:  []modeltest.Chunk{{Text: "sword", Unmarked: true}, {Text: "well", Unmarked: true}, {Text: "fish", Unmarked: true}},
		Choices: []*llms.ContentChoice{{Content: "swordfish"}, {Content: "well"}},
	}}}
	m := newModel(t, next, &guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}}})
	var s seen
	r, err := m.GenerateContent(t.Context(), human("hi"), llms.WithN(2), llms.WithStreamingFunc(s.hear))
	require.NoError(t, err)
	assert.Empty(t, s.text.String())
	assert.Equal(t, "[WORD]", r.Choices[0].Content)
}

func TestMarksThatComeAndGoSplitNothing(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: []modeltest.Chunk{{Text: "a sword"}, {Text: "fish", Unmarked: true}, {Text: " b"}}}}}
	m := newModel(t, next, &guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact, Hold: 9}}})
	var s seen
	r, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
	require.NoError(t, err)
	assert.Equal(t, "a [WORD] b", s.text.String())
	assert.Equal(t, "a [WORD] b", r.Choices[0].Content)
}

// TestGrowthOfHolding: a whole answer is held in linear time, however small its chunks.
func TestGrowthOfHolding(t *testing.T) {
	growth.Test(t, 50_000, 3, func(n int) func() {
		chunks := make([]modeltest.Chunk, n)
		for i := range chunks {
			chunks[i].Text = "word"
		}
		whole := []*llms.ContentChoice{{Content: strings.Repeat("word", n)}}
		m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Chunks: chunks, Choices: whole}}}, &guard.Options{Output: []guard.Check{{Name: "whole", Find: word("swordfish", "WORD")}}})
		return func() {
			var s seen
			_, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
			require.NoError(t, err)
			require.Equal(t, 4*n, s.text.Len())
		}
	})
}

func TestHoldIsBounded(t *testing.T) {
	m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(strings.Repeat("word ", 100))}},
		&guard.Options{MaxHold: 64, Output: []guard.Check{{Name: "whole", Find: word("x", "X")}}})
	var s seen
	_, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
	require.ErrorIs(t, err, guard.ErrTooLarge)
	var status interface{ HTTPStatus() int }
	require.ErrorAs(t, err, &status)
	assert.Equal(t, 413, status.HTTPStatus())
	assert.Zero(t, s.text.Len())
}

func TestInputPolicies(t *testing.T) {
	for policy, sent := range map[guard.Policy]string{
		guard.PolicyBlock: "", guard.PolicyRedact: "say [WORD] now", guard.PolicyFlag: "say swordfish now", guard.PolicyShadow: "say swordfish now",
	} {
		next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
		var got []guard.Verdict
		m := newModel(t, next, &guard.Options{
			Input:     []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: policy}},
			OnVerdict: func(_ context.Context, v guard.Verdict) { got = append(got, v) },
		})
		messages := append([]llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, "The word is swordfish.")}, human("say swordfish now")...)
		_, err := m.GenerateContent(t.Context(), messages)
		if policy == guard.PolicyBlock {
			require.Error(t, err)
			assert.True(t, llms.IsContentFilterError(err))
			assert.Equal(t, `guard: input blocked by check "word": a word of the test`, err.Error())
			assert.Empty(t, next.Calls())
		} else {
			require.NoError(t, err)
			assert.Equal(t, sent, next.Calls()[0].Text())
			assert.Equal(t, "say swordfish now", messages[1].Parts[0].(llms.TextContent).Text)
		}
		if policy == guard.PolicyShadow {
			assert.Empty(t, got)
			continue
		}
		require.Len(t, got, 1)
		assert.Equal(t, guard.Location{Message: 1, Part: 0, Passage: -1, Choice: -1, Kind: "text"}, got[0].Location)
		assert.Equal(t, 4, got[0].Findings[0].Start)
		assert.Equal(t, policy, got[0].Policy)
	}
}

func TestFailingChecks(t *testing.T) {
	broken := errors.New("the classifier is not there")
	fail := func(context.Context, string) ([]guard.Finding, error) { return nil, broken }
	crash := func(context.Context, string) ([]guard.Finding, error) { panic("index out of range") }
	slow := func(ctx context.Context, _ string) ([]guard.Finding, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for name, c := range map[string]struct {
		check  guard.Check
		passes bool
	}{
		"closed":        {guard.Check{Find: fail}, false},
		"closed redact": {guard.Check{Find: fail, Policy: guard.PolicyRedact}, false},
		"open":          {guard.Check{Find: fail, FailOpen: true}, true},
		"flag":          {guard.Check{Find: fail, Policy: guard.PolicyFlag}, true},
		"shadow":        {guard.Check{Find: fail, Policy: guard.PolicyShadow}, true},
		"panic":         {guard.Check{Find: crash}, false},
		"panic open":    {guard.Check{Find: crash, FailOpen: true}, true},
		"slow":          {guard.Check{Find: slow, Rank: 1}, false},
		"slow open":     {guard.Check{Find: slow, Rank: 1, FailOpen: true}, true},
		"slow alone":    {guard.Check{Find: slow, Rank: 1, Timeout: time.Millisecond}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.check.Name = "check"
				for _, o := range []*guard.Options{{Input: []guard.Check{c.check}}, {Output: []guard.Check{c.check}}} {
					for _, stream := range []bool{false, true} {
						m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("all is well")}}, o)
						var s seen
						var options []llms.CallOption
						if stream {
							options = append(options, llms.WithStreamingFunc(s.hear))
						}
						began := time.Now()
						r, err := m.GenerateContent(t.Context(), human("hi"), options...)
						assert.LessOrEqual(t, time.Since(began), time.Second)
						if c.passes {
							require.NoError(t, err)
							assert.Equal(t, "all is well", r.Choices[0].Content)
							continue
						}
						var blocked *guard.BlockedError
						require.ErrorAs(t, err, &blocked)
						assert.Equal(t, 503, blocked.HTTPStatus())
						assert.Equal(t, "guard_unavailable", blocked.Code())
						assert.Empty(t, s.text.String())
					}
				}
			})
		})
	}
}

func TestLowRanksRunFirst(t *testing.T) {
	expensive := 0
	m := newModel(t, &modeltest.Script{}, &guard.Options{Input: []guard.Check{
		{Name: "expensive", Rank: 5, Find: func(context.Context, string) ([]guard.Finding, error) { expensive++; return nil, nil }},
		{Name: "cheap", Find: word("swordfish", "WORD")},
	}})
	_, err := m.GenerateContent(t.Context(), human("swordfish"))
	require.Error(t, err)
	assert.Zero(t, expensive)
}

func TestChecksOfEqualRankRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := func(context.Context, string) ([]guard.Finding, error) {
			time.Sleep(500 * time.Millisecond)
			return nil, nil
		}
		m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}},
			&guard.Options{Input: []guard.Check{{Name: "a", Rank: 1, Find: wait}, {Name: "b", Rank: 1, Find: wait}}})
		began := time.Now()
		_, err := m.GenerateContent(t.Context(), human("hi"))
		require.NoError(t, err)
		assert.Equal(t, 500*time.Millisecond, time.Since(began))
	})
}

func TestInvalidOptions(t *testing.T) {
	find := word("a", "A")
	output := func(c guard.Check) guard.Options {
		return guard.Options{Output: []guard.Check{{Name: "first", Find: find}, c}}
	}
	for want, o := range map[string]guard.Options{
		"Options.Output[1].Name is empty":        output(guard.Check{Find: find}),
		"Options.Output[1] (\"x\") has neither":  output(guard.Check{Name: "x"}),
		"Options.Output[1].Policy is 9":          output(guard.Check{Name: "x", Find: find, Policy: 9}),
		"Options.Output[1].Hold (\"x\") is -1":   output(guard.Check{Name: "x", Find: find, Hold: -1}),
		"Options.Output[1].Rank (\"x\") is -1":   output(guard.Check{Name: "x", Find: find, Rank: -1}),
		"Options.Output[1].Timeout (\"x\") is -": output(guard.Check{Name: "x", Find: find, Timeout: -1}),
		"Options.Tools[0].Name is empty":         {Tools: []guard.Tool{{}}},
		"Options.Tools[1].Name is \"a\"":         {Tools: []guard.Tool{{Name: "a"}, {Name: "a"}}},
		"Options.Unread is 5":                    {Unread: 5},
		"Options.ToolPolicy is 5":                {ToolPolicy: 5},
		"Options.Spotlight is 4":                 {Spotlight: 4},
	} {
		_, err := guard.New(&modeltest.Script{}, &o)
		assert.ErrorIs(t, err, guard.ErrOption)
		assert.ErrorContains(t, err, want)
	}
}

func TestNilArguments(t *testing.T) {
	_, err := guard.New(nil, nil)
	assert.ErrorIs(t, err, guard.ErrOption)
	_, err = guard.NewRetriever(nil, nil)
	assert.ErrorIs(t, err, guard.ErrOption)
	_, err = guard.NewHandler(nil, nil)
	assert.ErrorIs(t, err, guard.ErrOption)
}

func TestPolicyThatIsNotSetBlocks(t *testing.T) {
	find := word("swordfish", "WORD")
	next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words("say swordfish"), Times: -1}}}
	for _, stream := range []bool{false, true} {
		for stage, o := range map[guard.Stage]*guard.Options{
			guard.StageInput:  {Input: []guard.Check{{Name: "word", Find: find}}},
			guard.StageOutput: {Output: []guard.Check{{Name: "word", Find: find}}},
		} {
			var options []llms.CallOption
			if stream {
				options = append(options, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			}
			_, err := newModel(t, next, o).GenerateContent(t.Context(), human("what is swordfish"), options...)
			var blocked *guard.BlockedError
			require.ErrorAs(t, err, &blocked)
			assert.Equal(t, guard.PolicyBlock, blocked.Verdict.Policy)
			assert.Equal(t, stage, blocked.Verdict.Stage)
		}
	}
}

func TestInspectWantsAStage(t *testing.T) {
	p, err := guard.NewPipeline(nil)
	require.NoError(t, err)
	for _, stage := range []guard.Stage{0, 6, 255} {
		_, _, err = p.Inspect(t.Context(), stage, "text")
		assert.ErrorIs(t, err, guard.ErrOption)
	}
}

func TestBudgetLeavesACallersContextAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, _ string) ([]guard.Finding, error) { <-ctx.Done(); return nil, ctx.Err() }
		m := newModel(t, &modeltest.Script{}, &guard.Options{Budget: time.Hour, Input: []guard.Check{{Name: "slow", Rank: 1, Find: slow, FailOpen: true}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.GenerateContent(ctx, human("hi"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var blocked *guard.BlockedError
		assert.False(t, errors.As(err, &blocked))
	})
}

// Providers put reasoning and refusals into GenerationInfo too.
func TestGenerationInfoIsChecked(t *testing.T) {
	canary := guard.NewCanary()
	leak := canary.Plant("You help.")
	for _, key := range []string{"ThinkingContent", "Refusal"} {
		next := &modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{Content: "fine", GenerationInfo: map[string]any{key: leak, "TotalTokens": 3}}}}}}
		_, err := newModel(t, next, &guard.Options{Output: []guard.Check{canary.Check()}}).GenerateContent(t.Context(), human("hi"))
		var blocked *guard.BlockedError
		require.ErrorAs(t, err, &blocked, key)
	}
	given := map[string]any{"ThinkingContent": "a swordfish", "TotalTokens": 3}
	next := &modeltest.Script{Turns: []modeltest.Turn{{Choices: []*llms.ContentChoice{{ReasoningContent: "a swordfish", GenerationInfo: given}}}}}
	r, err := newModel(t, next, &guard.Options{Output: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}}}).GenerateContent(t.Context(), human("hi"))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"ThinkingContent": "a [WORD]", "TotalTokens": 3}, r.Choices[0].GenerationInfo)
	assert.Equal(t, "a swordfish", given["ThinkingContent"])
}

func TestHalfAnAnswerIsNoAnswer(t *testing.T) {
	half := halfModel{}
	r, err := newModel(t, half, &guard.Options{}).GenerateContent(t.Context(), human("hi"))
	require.ErrorIs(t, err, errHalf)
	assert.Nil(t, r)
}

var errHalf = errors.New("the line is gone")

// halfModel returns an answer with its error.
type halfModel struct{ llms.Model }

func (halfModel) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "unchecked"}}}, errHalf
}

// The rules of the answer apply to what leaves beside it.
func TestCheckOutput(t *testing.T) {
	var got []guard.Verdict
	m := newModel(t, &modeltest.Script{}, &guard.Options{
		Output: []guard.Check{
			{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact},
			{Name: "taint", Find: func(ctx context.Context, text string) ([]guard.Finding, error) {
				if from := guard.ProvenanceFrom(ctx); from.Tainted() && !from.Cites("https://example.org/a") {
					return []guard.Finding{{Kind: "TAINT", End: len(text)}}, nil
				}
				return nil, nil
			}},
		},
		OnVerdict: func(_ context.Context, v guard.Verdict) { got = append(got, v) },
	})
	ctx := m.NewContext(t.Context())
	text, verdicts, err := m.CheckOutput(ctx, "The word is swordfish.")
	require.NoError(t, err)
	assert.Equal(t, "The word is [WORD].", text)
	require.Len(t, verdicts, 1)
	assert.Equal(t, got, verdicts)
	assert.Equal(t, guard.StageOutput, verdicts[0].Stage)
	assert.Equal(t, "evidence", verdicts[0].Location.Kind)

	guard.Untrusted(ctx, "a page from outside")
	_, _, err = m.CheckOutput(ctx, "quiet")
	var blocked *guard.BlockedError
	require.ErrorAs(t, err, &blocked)
	assert.Equal(t, "taint", blocked.Verdict.Check)
}
