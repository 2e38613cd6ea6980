package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// holding serves documents, offline.
func holding(t *testing.T, docs ...corpus.Document) *Service {
	t.Helper()
	s, err := New(t.Context(), Options{NoCourse: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	_, err = s.Ingest(t.Context(), docs, nil)
	require.NoError(t, err)
	return s
}

// TestDocumentIsPutTogetherFromItsPassages: passages of each document of the course are
// found at their place in it, whose text reads as the source does.
func TestDocumentIsPutTogetherFromItsPassages(t *testing.T) {
	docs, err := corpus.Course()
	require.NoError(t, err)
	s := course(t)
	seen := 0
	for _, d := range docs {
		text, ok, err := s.Document(t.Context(), d.Source, Spot{})
		require.NoError(t, err)
		if !ok {
			continue // a document may be left out of the collection
		}
		require.Equal(t, d.Source, text.Source)
		require.Zero(t, text.End, "nothing was asked for")
		all := s.collection.Passages(t.Context(), d.Source)
		for i, p := range all {
			if i%(1+len(all)/8) != 0 {
				continue // a few of each are enough
			}
			id, _ := chunk.MetaString(p.Metadata, chunk.KeyID)
			at, placed := chunk.MetaSpan(p.Metadata)
			shown, err := s.release(t.Context(), p.PageContent)
			require.NoError(t, err)
			if !placed || shown != p.PageContent {
				continue
			}
			seen++
			text, ok, err := s.Document(t.Context(), "", Spot{ID: id})
			require.NoError(t, err)
			require.True(t, ok)
			if text.End == 0 {
				continue // the whole was redacted across this passage's end
			}
			require.True(t, strings.HasSuffix(p.PageContent, text.Text[text.Start:text.End]), "%s %s", d.Source, id)
			text, ok, err = s.Document(t.Context(), d.Source, Spot{Start: at.Start, End: at.End})
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, d.Text[at.Start:at.End], text.Text[text.Start:text.End], "%s %v", d.Source, at)
		}
	}
	require.Greater(t, seen, 100)
}

// TestDocumentFindsASentence: the bytes of a citation, in the middle of a passage.
func TestDocumentFindsASentence(t *testing.T) {
	text := "# Keys\n\nÄ key is rotated every 90 days. A lost key is revoked at once.\n\n# Refunds\n\nWithin 30 days.\n"
	s := holding(t, corpus.Document{Source: "a.md", Text: text})
	want := "A lost key is revoked at once."
	from := strings.Index(text, want)
	got, ok, err := s.Document(t.Context(), "a.md", Spot{Start: from, End: from + len(want)})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, want, got.Text[got.Start:got.End])
	require.Equal(t, strings.Fields(text), strings.Fields(got.Text))
	for _, odd := range []Spot{{Start: 9, End: 3}, {Start: -5, End: 2}, {Start: 1 << 40, End: 1 << 41}, {Start: 9, End: 1 << 40}, {ID: "none"}} {
		got, ok, err = s.Document(t.Context(), "a.md", odd)
		require.NoError(t, err)
		require.True(t, ok)
		require.LessOrEqual(t, got.Start, got.End, "%+v", odd)
		require.LessOrEqual(t, got.End, len(got.Text), "%+v", odd)
	}
	_, ok, err = s.Document(t.Context(), "b.md", Spot{})
	require.NoError(t, err)
	require.False(t, ok)
}

// TestDocumentKeepsItsIndentation, which the ends of passages cut off: an item stays
// in its list, and a program's first line in its block.
func TestDocumentKeepsItsIndentation(t *testing.T) {
	for _, text := range []string{"A list:\n\n  - one\n  - two", "A list:\n  - one\n  - two", "A program:\n\n\tx := 1\n\ty := 2\n\nThe end."} {
		s := holding(t)
		var docs []schema.Document
		at := 0
		for part := range strings.SplitAfterSeq(text, "\n") {
			if own := strings.TrimSpace(part); own != "" {
				if n := len(docs); n > 0 && strings.HasPrefix(part, "\ty") { // a block is one passage
					docs[n-1].PageContent += "\n" + strings.TrimRight(part, "\n")
					docs[n-1].Metadata[chunk.KeyEnd] = at + len(strings.TrimRight(part, "\n"))
				} else {
					start := at + strings.Index(part, own)
					docs = append(docs, schema.Document{PageContent: own, Metadata: map[string]any{chunk.KeyStart: start, chunk.KeyEnd: start + len(own)}})
				}
			}
			at += len(part)
		}
		_, err := s.collection.Sync(t.Context(), "a.md", docs)
		require.NoError(t, err)
		got, ok, err := s.Document(t.Context(), "a.md", Spot{})
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, text, got.Text)
	}
}

// TestLongDocumentIsShownAroundItsPassage, since a file may have thousands.
func TestLongDocumentIsShownAroundItsPassage(t *testing.T) {
	var b strings.Builder
	rng := rand.New(rand.NewPCG(1, 2)) // repeated sentences are held for a flood
	for i := range 1500 {
		fmt.Fprintf(&b, "# Part %d\n\n", i)
		for range 40 {
			fmt.Fprintf(&b, "%c%s ", 'a'+rng.IntN(26), strings.Repeat(string(rune('a'+rng.IntN(26))), 1+rng.IntN(5)))
		}
		b.WriteString("\n\n")
	}
	s := holding(t, corpus.Document{Source: "long.md", Text: b.String()})
	at := strings.Index(b.String(), "# Part 500")
	got, ok, err := s.Document(t.Context(), "long.md", Spot{Start: at, End: at + 10})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "# Part 500", got.Text[got.Start:got.End])
	require.True(t, got.Before)
	require.True(t, got.After)
	require.Less(t, len(got.Text), len(b.String())/2)
}

// TestDocumentIsCheckedAsTheAnswer: what is redacted from an answer is not shown in
// its document, also where the end of a passage cuts it.
func TestDocumentIsCheckedAsTheAnswer(t *testing.T) {
	s := holding(t)
	docs := []schema.Document{
		{PageContent: "Write to ana@exa", Metadata: map[string]any{chunk.KeyStart: 0, chunk.KeyEnd: 16}},
		{PageContent: "mple.org for keys, or to bob@example.org.", Metadata: map[string]any{chunk.KeyStart: 16, chunk.KeyEnd: 57}},
	}
	_, err := s.collection.Sync(t.Context(), "carl@example.org.md", docs)
	require.NoError(t, err)
	got, ok, err := s.Document(t.Context(), "carl@example.org.md", Spot{})
	require.NoError(t, err)
	require.True(t, ok)
	for _, name := range []string{"ana@", "bob@", "carl@", "example.org"} {
		require.NotContains(t, got.Text+got.Source, name)
	}
	titles, err := s.Titles(t.Context())
	require.NoError(t, err)
	for name := range titles {
		require.NotContains(t, name, "carl@")
	}
}

// TestRefused: the sentence that the prompt asks for, as models vary it.
func TestRefused(t *testing.T) {
	cited := rag.CitationReport{Citations: []rag.Citation{{Number: 1, Status: rag.Supported}}}
	for text, want := range map[string]bool{
		rag.UnknownAnswer:                         true,
		strings.ToUpper(rag.UnknownAnswer) + "\n": true,
		strings.ReplaceAll(strings.TrimSuffix(rag.UnknownAnswer, "."), "'", "’"):              true,
		"**" + rag.UnknownAnswer + "**":                                                       true,
		"Sorry. " + rag.UnknownAnswer:                                                         true,
		rag.CorrectedLine + "full jitter\n\n" + rag.UnknownAnswer + " Nearest passages:\n- a": true,
		"Keys are rotated every 90 days.":                                                     false,
		"":                                                                                    false,
		rag.CorrectedLine + "reciprocal rank fusion\n\nIt is a sum.":                          false,
		"It depends. " + strings.Repeat("Much is said about it. ", 20) + rag.UnknownAnswer[:9]: false,
	} {
		require.Equal(t, want, (&Answer{Text: text}).Refused(), text)
	}
	require.True(t, (&Answer{Text: rag.UnknownAnswer + "\n\nNearest passages:\n\n- keys [1]", Checked: cited}).Refused())
	require.False(t, (&Answer{Text: "Every 90 days. [1] Of the rest: " + rag.UnknownAnswer, Checked: cited}).Refused())
}

// TestNearest: a refusal comes with what is nearest, first what it names, then one
// passage of each document before the second of any; an answer does not.
func TestNearest(t *testing.T) {
	s := course(t)
	const question = "Which refrigerator keeps a circuit breaker from tripping?"
	a, err := s.Ask(t.Context(), Question{Text: question})
	require.NoError(t, err)
	a.Text, a.Checked = rag.UnknownAnswer, rag.CitationReport{} // whatever it found
	near, err := s.Nearest(t.Context(), a)
	require.NoError(t, err)
	require.Len(t, near, len(a.Passages))
	for i, n := range near {
		require.NotEmpty(t, n.Quote)
		require.LessOrEqual(t, len(n.Quote), excerptBytes+len(" …"))
		require.Equal(t, a.Passages[n.Number-1].PageContent, n.Passage.PageContent)
		if i > 0 && i < 3 {
			require.NotEqual(t, near[i-1].Passage.Metadata[chunk.KeySource], n.Passage.Metadata[chunk.KeySource])
		}
	}
	a.Checked.Citations = []rag.Citation{{Number: 5}, {Number: 99}, {Number: 2}, {Number: 5}, {Number: 0}}
	near, err = s.Nearest(t.Context(), a)
	require.NoError(t, err)
	require.Len(t, near, len(a.Passages))
	require.Equal(t, []int{5, 2}, []int{near[0].Number, near[1].Number})
	a.Text = "Something."
	near, err = s.Nearest(t.Context(), a)
	require.NoError(t, err)
	require.Empty(t, near)
}

func TestExcerpt(t *testing.T) {
	text := "# Keys and refunds\n\nSomething else here.\n\nKeys are rotated by the team.\n\nAn end."
	require.Equal(t, "Keys are rotated by the team.", excerpt(text, "How are keys rotated?"))
	require.Equal(t, "Something else here.", excerpt(text, "?"))
	require.Equal(t, "Keys rotate.", excerpt("# Terms\n## Keys\nKeys rotate.", "keys"))
	require.Equal(t, "Keys: they rotate.", excerpt("# Terms\n\n- Keys: they rotate.", "keys"), "one item needs no mark")
	require.Empty(t, excerpt("", "keys"))
	require.True(t, strings.HasSuffix(excerpt(strings.Repeat("word ", 200), "word"), "word …"))
	long := excerpt(strings.Repeat("ä", 400), "x")
	require.Equal(t, strings.ToValidUTF8(long, "?"), long)
}

func TestHeadings(t *testing.T) {
	for want, d := range map[string]schema.Document{
		"retry › When":      {Metadata: map[string]any{chunk.KeySource: "retry/doc.go", chunk.KeyHeading: "Package retry > When"}},
		"prodai":            {Metadata: map[string]any{chunk.KeySource: "doc.go", chunk.KeyHeading: "Package prodai"}},
		"README.md › A › B": {Metadata: map[string]any{chunk.KeySource: "README.md", chunk.KeyHeading: "A > B"}},
		"":                  {},
	} {
		require.Equal(t, want, strings.Join(Heading(d), " › "))
	}
}

func TestCloseness(t *testing.T) {
	last := ""
	for _, similarity := range []float64{-1, 0.35, 0.45, 0.8} {
		word := Closeness(similarity)
		require.NotEqual(t, last, word)
		last = word
	}
}
