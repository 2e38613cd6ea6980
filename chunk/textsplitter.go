package chunk

import "context"

// A TextSplitter is a Chunker in the form that langchaingo's documentloaders and
// chains ask for (textsplitter.TextSplitter). That form has no room for
// offsets; use [Documents] where you can.
type TextSplitter struct{ Chunker Chunker }

// SplitText returns the text of each chunk, after its context.
func (s TextSplitter) SplitText(text string) ([]string, error) {
	chunks, err := s.Chunker.Chunk(context.Background(), text)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(chunks))
	for i, c := range chunks {
		out[i] = c.Context + c.Text
	}
	return out, nil
}
