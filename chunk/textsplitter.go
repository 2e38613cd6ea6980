package chunk

import (
	"context"
	"fmt"
)

// A TextSplitter is a Chunker in the form that langchaingo's documentloaders and
// chains ask for (textsplitter.TextSplitter). That interface has no place for
// offsets; use [Documents] where you can.
type TextSplitter struct{ chunker Chunker }

// NewTextSplitter returns a TextSplitter that cuts with c. It fails with
// [ErrOption].
func NewTextSplitter(c Chunker) (*TextSplitter, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: the chunker of NewTextSplitter is nil", ErrOption)
	}
	return &TextSplitter{c}, nil
}

// SplitText returns the text of each chunk, after its context.
func (s *TextSplitter) SplitText(text string) ([]string, error) {
	chunks, err := s.chunker.Chunk(context.Background(), text)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(chunks))
	for i, c := range chunks {
		out[i] = c.Context + c.Text
	}
	return out, nil
}
