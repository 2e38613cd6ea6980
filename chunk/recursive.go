package chunk

import "context"

// Recursive cuts a text where a cut does the least harm: between paragraphs; where
// a paragraph is too large, between its lines; then between sentences, words and,
// in the end, grapheme clusters. Neighbors are put together again as long as they
// fit. It is the chunker for prose without markup.
type Recursive struct{ m measure }

// NewRecursive returns a Recursive. It fails with [ErrOption].
func NewRecursive(o *Options) (*Recursive, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Recursive{m}, nil
}

// Chunk cuts the text. Its time is linear in the text, and in what the counter
// needs for about twice the text, or once with [Options.Ranges].
func (r *Recursive) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	return run(ctx, text, r.m, prose)
}

// Sentences cuts a text between sentences only. A sentence is cut only if it is
// larger than the size.
type Sentences struct {
	m      measure
	levels []level
}

// NewSentences returns a Sentences that follows Unicode's rules (UAX #29), and
// doesn't take the full stop of an abbreviation, or the end of a wrapped line, for
// the end of a sentence. It fails with [ErrOption].
func NewSentences(o *Options) (*Sentences, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Sentences{m, prose[2:]}, nil
}

// NewPlainSentences returns a Sentences that follows UAX #29 alone, as ICU does. It
// fails with [ErrOption].
func NewPlainSentences(o *Options) (*Sentences, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Sentences{m, []level{plainSentences, words, clusters}}, nil
}

// Chunk cuts the text.
func (s *Sentences) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	return run(ctx, text, s.m, s.levels)
}

func run(ctx context.Context, text string, m measure, levels []level) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := newPacker(text, m, levels)
	p.fill(0, len(text), 0)
	return finish(text, p.out, p.code), nil
}
