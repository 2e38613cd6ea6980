package fit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
)

func TestContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := New(next, &Options{WindowTokens: 8192})
		require.NoError(tb, err)
		return m
	}, nil)
}

func TestContractWithAKnownModel(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := New(next, &Options{WindowTokens: 4096, HistoryOptions: HistoryOptions{MaxMessageTokens: 1000}, Summarize: next})
		require.NoError(tb, err)
		return m
	}, nil)
}

func TestNewWantsAWindow(t *testing.T) {
	_, err := New(&modeltest.Script{}, nil)
	var unknown *token.UnknownModelError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(&modeltest.Script{}, &Options{Model: "gpt-4o-2024-11-20"})
	require.NoError(t, err)
}

func TestBadOptions(t *testing.T) {
	_, err := New(nil, &Options{WindowTokens: 100})
	require.ErrorIs(t, err, ErrOption)
	for _, o := range []Options{
		{WindowTokens: -1}, {WindowTokens: 9, OutputTokens: -1}, {WindowTokens: 9, SummaryTokens: -1},
		{WindowTokens: 9, HistoryOptions: HistoryOptions{MaxMessageTokens: -1}},
	} {
		_, err := New(&modeltest.Script{}, &o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
		require.ErrorContains(t, err, "is -1: want 0 or more")
	}
	_, err = History(nil, 10, &HistoryOptions{MaxMessageTokens: -1})
	require.ErrorIs(t, err, ErrOption)
	_, err = TrimMessages(nil, 10, nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = TrimMessages(nil, 10, func([]llms.MessageContent) int { return 0 }, &TrimOptions{First: true, IncludeSystem: true})
	require.ErrorIs(t, err, ErrOption)
}

func TestAnEstimatedHistoryIsMarked(t *testing.T) {
	rule, err := token.ChatRuleOf("gpt-4o")
	require.NoError(t, err)
	in := []llms.MessageContent{say(human, "hello")}
	guessed, err := History(in, 100, &HistoryOptions{Rule: &rule})
	require.NoError(t, err)
	require.True(t, guessed.Tokens.Estimated)
	counted, err := History(in, 100, &HistoryOptions{Rule: &rule, Tokens: words})
	require.NoError(t, err)
	require.False(t, counted.Tokens.Estimated)
}

func TestOptionsAreCopied(t *testing.T) {
	rule := token.ChatRule{PerMessage: 3}
	m, err := New(&modeltest.Script{}, &Options{WindowTokens: 100, HistoryOptions: HistoryOptions{Rule: &rule}})
	require.NoError(t, err)
	rule.PerMessage = 1000
	require.Equal(t, 3, m.o.Rule.PerMessage)
}

// words counts words, so that a test's numbers can be seen in its texts.
func words(s string) int { return len(strings.Fields(s)) }

func say(role llms.ChatMessageType, text string) llms.MessageContent {
	return llms.TextParts(role, text)
}

const (
	system = llms.ChatMessageTypeSystem
	human  = llms.ChatMessageTypeHuman
	ai     = llms.ChatMessageTypeAI
	tool   = llms.ChatMessageTypeTool
)

func call(id string) llms.MessageContent {
	return llms.MessageContent{Role: ai, Parts: []llms.ContentPart{llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}}}
}

func answer(id, text string) llms.MessageContent {
	return llms.MessageContent{Role: tool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: id, Name: "f", Content: text}}}
}

// plain is a rule by which a message costs one token more than its words; its role
// counts as a word.
var plain = &token.ChatRule{PerMessage: 1}

func texts(ms []llms.MessageContent) string {
	var out []string
	for _, m := range ms {
		msg := Message(m)
		s := msg.Content
		for _, c := range msg.ToolCalls {
			s += "call " + c.ID
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func why(ds []Dropped) string {
	var out []string
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%d %s", d.Index, d.Why))
	}
	return strings.Join(out, "; ")
}

func TestHistory(t *testing.T) {
	chat := []llms.MessageContent{
		say(system, "be brief"), say(human, "one"), say(ai, "two"),
		say(human, "look it up"), call("a"), answer("a", "found it"), say(ai, "there you are"), say(human, "thanks"),
	}
	for _, c := range []struct {
		budget int
		o      HistoryOptions
		want   string
		why    string
	}{
		{100, HistoryOptions{}, "be brief | one | two | look it up | call a | found it | there you are | thanks", ""},
		{4 + 3 + 5 + 9, HistoryOptions{}, "be brief | call a | found it | there you are | thanks", "1 it is older than what fits; 2 it is older than what fits; 3 it is older than what fits"},
		// A tool's answer never stays without its call, though it would fit.
		{4 + 3 + 5 + 8, HistoryOptions{}, "be brief | there you are | thanks", ""},
		{4 + 3 + 5 + 9, HistoryOptions{StartOn: []llms.ChatMessageType{human}}, "be brief | thanks", ""},
		{100, HistoryOptions{EndOn: []llms.ChatMessageType{ai}}, "be brief | one | two | look it up | call a | found it | there you are", "7 the history must end on [ai]"},
		{4 + 3 + 3, HistoryOptions{KeepFirst: true}, "be brief | one | two", ""},
		{3, HistoryOptions{DropSystem: true}, "thanks", ""},
		{100, HistoryOptions{MaxMessageTokens: 3}, "be brief | one | two | look it up | call a | found it | there you are | thanks", ""},
	} {
		c.o.Tokens, c.o.Rule = words, plain
		got, err := History(chat, c.budget, &c.o)
		require.NoError(t, err)
		require.Equal(t, c.want, texts(got.Messages), "%+v", c)
		require.LessOrEqual(t, got.Tokens.Tokens, c.budget)
		if c.why != "" {
			require.Equal(t, c.why, why(got.Dropped))
		}
	}
}

func TestHistoryDropsAnAnswerWithoutItsCall(t *testing.T) {
	got, err := History([]llms.MessageContent{answer("x", "left over"), say(human, "hi")}, 100, nil)
	require.NoError(t, err)
	require.Equal(t, "hi", texts(got.Messages))
	require.Equal(t, "0 it answers a call of a tool that is not in the history", why(got.Dropped))
}

func TestHistoryOverflow(t *testing.T) {
	chat := []llms.MessageContent{say(system, "a b c"), say(human, "one two three four five")}
	_, err := History(chat, 9, &HistoryOptions{Tokens: words, Rule: plain})
	var overflow *token.OverflowError
	require.ErrorAs(t, err, &overflow)
	require.Equal(t, token.OverflowError{What: "the last message", NeedTokens: 7, BudgetTokens: 4}, *overflow)
	var status interface{ HTTPStatus() int }
	require.ErrorAs(t, err, &status)
	require.Equal(t, 400, status.HTTPStatus())

	_, err = History(chat, 2, &HistoryOptions{Tokens: words, Rule: plain})
	require.ErrorAs(t, err, &overflow)
	require.Equal(t, "the system messages", overflow.What)

	got, err := History(nil, 100, nil)
	require.NoError(t, err)
	require.Empty(t, got.Messages)
}

func TestHistoryCutsALongMessageInTheMiddle(t *testing.T) {
	long := strings.Repeat("word ", 50)
	chat := []llms.MessageContent{call("a"), answer("a", long), say(human, "and?")}
	got, err := History(chat, 40, &HistoryOptions{Tokens: words, Rule: plain, MaxMessageTokens: 11})
	require.NoError(t, err)
	require.Len(t, got.Messages, 3)
	require.Contains(t, texts(got.Messages), "\n[…]\n")
	require.True(t, got.Dropped[0].Cut)
	require.Equal(t, 39, got.Dropped[0].Tokens)
	require.Equal(t, long, Message(chat[1]).Content, "the caller's message stays")
}

func TestModelFitsACall(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)})
	next := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Choices: []*llms.ContentChoice{{Content: "ok"}}}}}
	m, err := New(next, &Options{WindowTokens: 20, MarginTokens: 1, OutputTokens: 5, Logger: logger, HistoryOptions: HistoryOptions{Tokens: words, Rule: plain}})
	require.NoError(t, err)
	chat := []llms.MessageContent{say(human, "one two three four"), say(ai, "five six seven"), say(human, "eight nine")}
	_, err = m.GenerateContent(context.Background(), chat)
	require.NoError(t, err)
	require.Equal(t, "five six seven | eight nine", texts(next.Calls()[0].Messages))
	require.Contains(t, log.String(), event.TokensDropped)

	// MaxTokens of the call reserves more.
	_, err = m.GenerateContent(context.Background(), chat, llms.WithMaxTokens(11))
	require.NoError(t, err)
	require.Equal(t, "eight nine", texts(next.Calls()[1].Messages))
	// Tools take room as well.
	_, err = m.GenerateContent(context.Background(), chat, llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f", Description: "a b c d e f"}}}))
	require.NoError(t, err)
	require.Equal(t, "eight nine", texts(next.Calls()[2].Messages), "room 14, the tool 6")
	_, err = m.GenerateContent(context.Background(), chat, llms.WithMaxTokens(16))
	var overflow *token.OverflowError
	require.ErrorAs(t, err, &overflow)
	_, err = m.GenerateContent(context.Background(), chat, llms.WithMaxTokens(50))
	require.ErrorAs(t, err, &overflow)
	require.Len(t, next.Calls(), 3, "nothing was sent")
}

func TestModelSummarizes(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Choices: []*llms.ContentChoice{{Content: "ok"}}}}}
	writer := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("they counted to four"), modeltest.Say("and on to eight"), {Times: -1, Err: errors.New("overloaded")}}}
	m, err := New(next, &Options{WindowTokens: 40, MarginTokens: 1, OutputTokens: 5, SummaryTokens: 6, Summarize: writer, HistoryOptions: HistoryOptions{Tokens: words, Rule: plain}})
	require.NoError(t, err)
	chat := []llms.MessageContent{say(system, "count"), say(human, "one two three four five six seven eight nine ten"), say(ai, "eleven twelve thirteen fourteen fifteen"), say(human, "sixteen seventeen eighteen nineteen twenty a b c d e f")}
	send := func() string {
		_, err = m.GenerateContent(context.Background(), chat)
		require.NoError(t, err)
		calls := next.Calls()
		return texts(calls[len(calls)-1].Messages)
	}
	want := "count | " + summaryHead + "they counted to four | sixteen seventeen eighteen nineteen twenty a b c d e f"
	require.Equal(t, want, send())
	require.Equal(t, want, send(), "from memory")
	require.Len(t, writer.Calls(), 1)
	require.Contains(t, writer.Calls()[0].Text(), "user: one two three")

	chat = append(chat, say(ai, "g h i"))
	require.Contains(t, send(), "and on to eight")
	require.Contains(t, writer.Calls()[1].Text(), "in short: they counted to four")
	require.NotContains(t, writer.Calls()[1].Text(), "one two three")

	chat = append(chat, say(human, "u v w x y z u v w x y z"), say(ai, "1 2 3"))
	require.NotContains(t, send(), summaryHead, "the writer failed")
	for _, c := range next.Calls() {
		total := 0
		for _, msg := range c.Messages {
			total += 2 + words(Message(msg).Content)
		}
		require.LessOrEqual(t, total, 34)
	}
}
