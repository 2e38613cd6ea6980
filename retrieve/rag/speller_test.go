package rag

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func speller() *Speller {
	english := map[string]bool{"salary": true, "average": true, "hello": true, "which": true}
	return NewSpeller([]string{"A transformer reads tokens, tokens only. The attention of a transformer. Validation errors, validation. Redis and Celery: Redis, Celery. Priorities, priority. Return a message. Messages are validated, return them."},
		func(w string) bool { return english[w] })
}

func TestSpeller(t *testing.T) {
	for question, want := range map[string]string{
		"what is a tranformer":        "what is a transformer",
		"vaildation eror with reddis": "validation eror with redis", // "error" is not a word of the documents
		"Vaildation!":                 "validation!",
		"celry prioritys":             "celery prioritys", // its stem is that of "priorities"
		"average salary":              "average salary",
		"transformers":                "transformers",
		"validating":                  "validating",
		"XGBT reddis2 tokns":          "XGBT reddis2 tokens",
		"tke":                         "tke",
		"":                            "",
		"ünïcödé retrun":              "ünïcödé return",
	} {
		require.Equal(t, want, speller().Correct(question), question)
	}
	long := strings.Repeat("tranformer ", maxSpelled+1)
	require.Equal(t, long, speller().Correct(long), "a document is not corrected")
	require.Equal(t, "wrod", NewSpeller(nil, nil).Correct("wrod"))
}

// TestDistance holds the distance to its definition by recursion.
func TestDistance(t *testing.T) {
	var plain func(a, b []rune) int
	plain = func(a, b []rune) int {
		if len(a) == 0 || len(b) == 0 {
			return len(a) + len(b)
		}
		x, y := len(a)-1, len(b)-1
		cost := 1
		if a[x] == b[y] {
			cost = 0
		}
		d := min(plain(a[:x], b)+1, plain(a, b[:y])+1, plain(a[:x], b[:y])+cost)
		if x > 0 && y > 0 && a[x] == b[y-1] && a[x-1] == b[y] {
			d = min(d, plain(a[:x-1], b[:y-1])+1)
		}
		return d
	}
	r := rand.New(rand.NewSource(1))
	word := func() []rune {
		out := make([]rune, r.Intn(7))
		for i := range out {
			out[i] = rune('a' + r.Intn(3))
		}
		return out
	}
	for range 2000 {
		a, b := word(), word()
		require.Equal(t, plain(a, b), distance(a, b), "%s %s", string(a), string(b))
	}
}

// TestSpellerFindsAll: each word with one error is found, as by comparing with all.
func TestSpellerFindsAll(t *testing.T) {
	s := speller()
	for _, word := range []string{"transformer", "attention", "validation", "celery", "redis"} {
		for at := 1; at < len(word); at++ {
			if broken := word[:at] + word[at+1:]; len(broken) >= minSpelled && !s.knows(broken) {
				require.Equal(t, word, s.Correct(broken))
			}
		}
	}
}

func FuzzSpeller(f *testing.F) {
	f.Add("what is a tranformer")
	f.Add("\xff\xfe reddis é")
	s := speller()
	f.Fuzz(func(t *testing.T, question string) { s.Correct(question) })
}

// TestSpellerOfLongWords: a text without blanks, a base64 line or a sequence of a genome,
// costs no more than any other.
func TestSpellerOfLongWords(t *testing.T) {
	s := NewSpeller([]string{strings.Repeat("acgt", 100_000), strings.Repeat("ไทย", 10_000)}, nil)
	require.Empty(t, s.near)
	long := strings.Repeat("acgt", 10)
	require.Equal(t, long, s.Correct(long))
}
