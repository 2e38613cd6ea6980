package rag

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/growth"
)

func TestParts(t *testing.T) {
	for question, want := range map[string][]string{
		"What is a canary?":                                    {"What is a canary?"},
		"What is a canary, and how long does it run?":          {"What is a canary", "how long does it run?"},
		"What is BLEU? Why does it mislead?":                   {"What is BLEU?", "Why does it mislead?"},
		"1) what does chunking do 2) why overlap 3) how large": {"what does chunking do", "why overlap", "how large"},
		"what are tokens and embeddings":                       {"what are tokens and embeddings"},
		"My bill doubled. What can I do?":                      {"My bill doubled. What can I do?"},
		"Is retrying safe; when is it not":                     {"Is retrying safe when is it not"},
		"How do I retry a call and stop after ten seconds?":    {"How do I retry a call and stop after ten seconds?"},
		"":     {""},
		"   ":  {""},
		"why?": {"why?"},
		"a? b? retries? budgets? hedges? breakers? gates? queues?": nil,
	} {
		got := Parts(question)
		if want == nil {
			require.LessOrEqual(t, len(got), maxParts, question)
			continue
		}
		require.Equal(t, want, got, question)
	}
}

func TestCompared(t *testing.T) {
	for question, want := range map[string][]string{
		"p2c vs. EWMA?": {"p2c", "EWMA"},
		"What's the difference between a retry budget and a circuit breaker?": {"a retry budget", "a circuit breaker"},
		"Compare RRF with MMR.":                     {"RRF", "MMR"},
		"What is a canary?":                         nil,
		"a vs " + strings.Repeat("b", longQuestion): nil,
	} {
		require.Equal(t, want, Compared(question), question)
	}
}

// A term is defined by any of its names, whatever their case, alone and beside another.
func TestTermsByTheirNames(t *testing.T) {
	p := []schema.Document{
		passage("- Power of two choices (also: P2C): Power of two choices draws two targets at random and takes the less busy one.", "a.md", 0),
		passage("- Peak EWMA (also: EWMA): Peak EWMA is a moving mean that rises at once and falls slowly.", "b.md", 0),
		passage("- Round robin: Round robin takes the targets in turn.", "c.md", 0),
	}
	for question, want := range map[string][]string{
		"what is p2c": {"Power of two choices draws"}, "What is P2C?": {"Power of two choices draws"},
		"p2c vs ewma": {"Power of two choices draws", "Peak EWMA is"},
	} {
		answer := ask(t, extractive(t), question, p)
		for _, w := range want {
			require.Contains(t, answer, w, question)
		}
		require.NotContains(t, answer, "Round robin", question)
	}
}

func TestIntent(t *testing.T) {
	for question, subject := range map[string]string{
		"What is a circuit breaker?": "circuit breaker",
		"what's a token":             "token",
		"Can you explain what defense in depth means for me?": "defense",
		"define hedging": "hedging",
		"What is a context window, in simple words please?": "context window",
		"rrf":                        "rrf",
		"exponential backoff jitter": "exponential backoff jitter",
	} {
		q := newAsked(question, "")
		require.Equal(t, intentDefine, q.intent, question)
		for w := range set(Terms(subject)) {
			require.True(t, q.subject[w], "%s: %v", question, q.subject)
		}
	}
	for _, question := range []string{"show me code that cuts a text", "give me an example program for hedging", "a code example for retries"} {
		require.Equal(t, intentShow, newAsked(question, "").intent, question)
		require.True(t, AsksForCode(question))
	}
	for _, question := range []string{"Why do retries need jitter?", "How do I count the tokens of a prompt before I send it?", "is the status code 429 an error of mine"} {
		require.Equal(t, intentOther, newAsked(question, "").intent, question)
		require.False(t, AsksForCode(question))
	}
}

func TestStandalone(t *testing.T) {
	turn := func(user, answer string) []llms.MessageContent {
		return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, user), llms.TextParts(llms.ChatMessageTypeAI, answer)}
	}
	full, ok := Standalone("Is it slow?", turn("What is reranking?", "A second model sorts the passages again."))
	require.True(t, ok)
	require.Contains(t, full, "reranking")
	require.Contains(t, full, "sorts the passages")
	full, ok = Standalone("What does a circuit breaker count as a failure of its target?", turn("What is reranking?", "A model."))
	require.False(t, ok)
	require.Equal(t, "What does a circuit breaker count as a failure of its target?", full)
	_, ok = Standalone("Is it slow?", nil)
	require.False(t, ok, "there is nothing to point back to")
	full, _ = Standalone("and why?", turn("What is BLEU?", UnknownAnswer+" Nearest passages:"))
	require.NotContains(t, full, UnknownAnswer, "a refusal tells nothing of the subject")
}

func TestLanguage(t *testing.T) {
	for question, want := range map[string]string{
		"Was ist der Unterschied zwischen Retry und Hedging?": "German",
		"Comment est-ce que je compte les tokens ?":           "French",
		"¿Cómo funciona un circuit breaker?":                  "Spanish",
		"什么是提示注入？":                                            "another language",
		"как работает кэш":                                    "another language",
		"What is the difference between RAG and fine-tuning?": "",
		"wat is a token":                                      "",
		"BLEU ROUGE chrF":                                     "",
		"de facto standard for a canary":                      "",
		"":                                                    "",
		"429":                                                 "",
	} {
		require.Equal(t, want, Language(question), question)
	}
}

func TestGrowthOfQuestions(t *testing.T) {
	growth.Skip(t)
	growth.Test(t, 20000, 3, func(n int) func() {
		question := strings.Repeat("what is it and why, then ", n)
		return func() { Parts(question); newAsked(question, question); Language(question) }
	})
}

func FuzzParts(f *testing.F) {
	for _, s := range []string{"What is a canary, and how long does it run?", "1) a 2) b", "?;?;", "and what and what and what", "\xff? why", "(a) x (b) y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, question string) {
		parts := Parts(question)
		if len(parts) == 0 || len(parts) > maxParts {
			t.Fatalf("%q has %d parts", question, len(parts))
		}
		for _, p := range parts {
			newAsked(p, question)
			Language(p)
		}
	})
}
