package service

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
)

func TestGlossary(t *testing.T) {
	seen := map[string]bool{}
	for _, term := range glossary {
		require.False(t, seen[term.english], "%q has two lines", term.english)
		seen[term.english] = true
		require.NotEmpty(t, term.forms, term.english)
		for _, form := range term.forms {
			require.NotContains(t, form, "-", "words are cut there")
		}
	}
	require.True(t, seen[""], "the words that say nothing")
}

func TestOtherLanguages(t *testing.T) {
	s, err := New(t.Context(), Options{NoCourse: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	_, err = s.Ingest(t.Context(), []corpus.Document{{Source: "manual.md", Text: "# Injection\n\nWhat is the difference between direct and indirect prompt injection? A direct prompt injection is typed by the user, an indirect prompt injection is in a document.\n\n# Engines\n\nThe KV cache of vLLM keeps each token.\n"}}, nil)
	require.NoError(t, err)
	for question, want := range map[string]string{
		"Wie groß ist die Warteschlange?":               "how size queue",
		"¿Por qué falla el KV-Cache?":                   "why fail kv cache",
		"Perché la latenza è più alta con vLLM?":        "why latency vllm",
		"Qu'est-ce qu'un token ?":                       "token",
		"Zusammenfassungen mit Sprachmodellen bewerten": "summary model language evaluate",
	} {
		words, share := s.translate(question)
		require.Equal(t, want, words, question)
		require.True(t, share > 0 && share <= 1, question)
	}
	words, share := s.translate("¿Quién ganó el fútbol?")
	require.Equal(t, "¿Quién ganó el fútbol?", words, "of which no word is known")
	require.Zero(t, share)
	for _, hostile := range []string{"", "\xff\xfe", "\u0301\u0301", strings.Repeat("ß", 1000), "¿¡"} {
		words, share = s.translate(hostile)
		require.Equal(t, hostile, words)
		require.Zero(t, share)
	}
	// The words are searched for, and shown; an answer and a refusal say that the notes
	// are in English.
	a, err := s.Ask(t.Context(), Question{Text: "Was ist der Unterschied zwischen direkter und indirekter Prompt Injection?"})
	require.NoError(t, err)
	require.Contains(t, a.Text, "Showing results for: what difference between indirect prompt injection")
	require.Contains(t, a.Text, "in English")
	require.Contains(t, a.Text, "an indirect prompt injection is in a document")
	require.False(t, a.Refused())
	a, err = s.Ask(t.Context(), Question{Text: "Wie lange muss ich Kartoffeln mit Token kochen und womit serviere ich sie abends?"})
	require.NoError(t, err)
	require.True(t, a.Refused(), a.Text)
	require.Contains(t, a.Text, "in English")
}
