package service

import (
	"context"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
)

// A Spot names a passage by its id, or by bytes of its document; or no passage.
type Spot struct {
	ID         string
	Start, End int // both 0: none
}

// A Text is a document, or a part of a long one, put together from its passages as
// they may be shown.
type Text struct {
	Source string // its name, as it may be shown
	Text   string

	// Start and End are the bytes of Text that were asked for; both 0 if none were,
	// or they are not there.
	Start, End int

	// Before and After report whether the document goes on beyond the text.
	Before, After bool
}

// maxPieces bounds the passages of a text: a file of the user's may have thousands.
const maxPieces = 500

// Document returns the text of the document that has a name, or that the spot's id is
// of: its passages around the spot. ok is false if there is none.
func (s *Service) Document(ctx context.Context, name string, spot Spot) (t Text, ok bool, err error) {
	if d, found := s.collection.Get(ctx, spot.ID); found {
		name, _ = chunk.MetaString(d.Metadata, chunk.KeySource)
	}
	passages := s.collection.Passages(ctx, name)
	if len(passages) == 0 {
		return Text{}, false, nil
	}
	from := max(0, spot.index(passages)-maxPieces/2)
	to := min(len(passages), from+maxPieces)
	t.Before, t.After = from > 0, to < len(passages)
	if t.Source, err = s.release(ctx, name); err != nil {
		return Text{}, false, err
	}
	if err = s.join(ctx, &t, passages[from:to], spot); err != nil {
		return Text{}, false, err
	}
	// A name or an address may be cut by the end of a passage, so the whole is checked
	// too.
	whole, err := s.release(ctx, t.Text)
	if err != nil {
		return Text{}, false, err
	}
	if whole != t.Text {
		at := strings.Index(whole, t.Text[t.Start:t.End])
		if t.End -= t.Start; at < 0 {
			at, t.End = 0, 0
		}
		t.Text, t.Start, t.End = whole, at, at+t.End
	}
	return t, true, nil
}

// index returns which of a document's passages the spot names, or -1.
func (s Spot) index(passages []schema.Document) int {
	return slices.IndexFunc(passages, func(d schema.Document) bool {
		id, _ := chunk.MetaString(d.Metadata, chunk.KeyID)
		at, placed := chunk.MetaSpan(d.Metadata)
		return s.ID != "" && id == s.ID || s.ID == "" && placed && at.Start <= s.Start && s.Start < min(at.End, s.End)
	})
}

// join puts passages one after another, each as it may be shown, and finds the spot
// among them.
func (s *Service) join(ctx context.Context, t *Text, passages []schema.Document, spot Spot) error {
	var b strings.Builder
	wanted := spot.index(passages)
	last := -1 // where the passage before ended in the source
	for i, d := range passages {
		text := d.PageContent
		at, placed := chunk.MetaSpan(d.Metadata)
		if before := len(text) - (at.End - at.Start); placed && before > 0 {
			text = text[before:] // what is before a passage's own text is from elsewhere
		}
		skip := 0
		switch {
		case last >= 0 && (!placed || at.Start > last+1):
			b.WriteString(between(text, at.Start-last))
		case last >= 0 && at.Start == last+1:
			b.WriteString("\n")
		case last > at.Start: // passages may overlap
			skip = min(last-at.Start, len(text))
		}
		shown, err := s.release(ctx, text)
		if err != nil {
			return err
		}
		whole := placed && shown == text
		if whole {
			shown = shown[skip:]
		}
		start := b.Len()
		b.WriteString(shown)
		if i == wanted {
			t.Start, t.End = start, b.Len()
		}
		if first := at.Start + skip; whole && spot.End > 0 { // the very bytes, where they are known
			if spot.Start >= first && spot.Start < at.End {
				t.Start = start + spot.Start - first
			}
			if spot.End > first && spot.End <= at.End && i >= wanted && wanted >= 0 {
				t.End = start + spot.End - first
			}
		}
		last = max(last, at.End)
	}
	t.Text = b.String()
	t.End = max(t.Start, t.End) // a caller may ask for bytes in any order
	return nil
}

// between returns the blanks that the text of a passage had before it, of which only
// the number is known: the indentation of an item or of a program's line is among them.
func between(text string, n int) string {
	first, rest, _ := strings.Cut(text, "\n")
	second, _, _ := strings.Cut(strings.TrimLeft(rest, "\n"), "\n")
	switch {
	case n == 3 && strings.HasPrefix(first, "- "):
		return "\n  "
	case n == 4 && strings.HasPrefix(first, "- "):
		return "\n\n  "
	case n == 3 && strings.HasPrefix(second, "\t"):
		return "\n\n\t"
	}
	return "\n\n"
}

// IsNamed reports whether a passage's document has that very name: one that was
// redacted finds no document.
func (s *Service) IsNamed(ctx context.Context, id, source string) bool {
	d, ok := s.collection.Get(ctx, id)
	name, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
	return ok && name == source
}

// Titles returns the documents as they may be shown, and how many passages each has.
func (s *Service) Titles(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	for name, n := range s.collection.Sources() {
		shown, err := s.release(ctx, name)
		if err != nil {
			return nil, err
		}
		out[shown] += n
	}
	return out, nil
}

// Similarity returns how near each text is to the question in meaning: the cosine of
// their vectors, at most 1.
func (s *Service) Similarity(ctx context.Context, question string, texts []string) ([]float64, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	q, err := s.embedder.EmbedQuery(ctx, question)
	if err != nil {
		return nil, err
	}
	vectors, err := s.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(texts))
	for i, v := range vectors {
		for j := range min(len(q), len(v)) {
			out[i] += float64(q[j]) * float64(v[j]) // both have length 1
		}
	}
	return out, nil
}
