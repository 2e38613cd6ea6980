package chunkeval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk"
)

// ErrData is the error for questions that don't fit their corpora.
var ErrData = errors.New("chunkeval: bad data")

// Data are texts and questions about them.
type Data struct {
	Corpora   map[string]string // text by name
	Questions []Question
}

// A Question is answered by some bytes of one corpus.
type Question struct {
	Corpus, Text string
	References   []chunk.Span // in bytes
}

// Read reads questions in the form of Chroma's chunking_evaluation as JSON
// Lines:
//
//	{"corpus": "name", "question": "...", "references": [{"content": "...", "start_index": 3, "end_index": 9}]}
//
// Offsets there are in code points; a Question has bytes. It fails with
// [ErrData] if a corpus is missing or a reference isn't where its offsets are,
// and with [ErrOption] if questions is nil.
func Read(questions io.Reader, corpora map[string]string) (*Data, error) {
	if questions == nil {
		return nil, fmt.Errorf("%w: the questions of Read is nil", ErrOption)
	}
	d := &Data{Corpora: corpora}
	offsets := map[string][]int{} // byte offset of each code point
	all, err := io.ReadAll(questions)
	if err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(bytes.NewReader(all))
	sc.Buffer(nil, len(all)+1)
	for line := 1; sc.Scan(); line++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var row struct {
			Corpus, Question string
			References       []struct {
				Content string
				Start   int `json:"start_index"`
				End     int `json:"end_index"`
			}
		}
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrData, line, err)
		}
		text, ok := corpora[row.Corpus]
		if !ok {
			return nil, fmt.Errorf("%w: line %d: no corpus %q", ErrData, line, row.Corpus)
		}
		at := offsets[row.Corpus]
		if at == nil {
			at = runeOffsets(text)
			offsets[row.Corpus] = at
		}
		q := Question{Corpus: row.Corpus, Text: row.Question}
		for _, r := range row.References {
			if r.Start < 0 || r.End < r.Start || r.End >= len(at) {
				return nil, fmt.Errorf("%w: line %d: reference [%d,%d) is outside of the corpus's %d code points", ErrData, line, r.Start, r.End, len(at)-1)
			}
			span := chunk.Span{Start: at[r.Start], End: at[r.End]}
			if r.Content != "" && text[span.Start:span.End] != r.Content {
				return nil, fmt.Errorf("%w: line %d: the corpus has %q at [%d,%d), not %q", ErrData, line, text[span.Start:span.End], r.Start, r.End, r.Content)
			}
			q.References = append(q.References, span)
		}
		d.Questions = append(d.Questions, q)
	}
	return d, sc.Err()
}

func runeOffsets(text string) []int {
	at := make([]int, 0, utf8.RuneCountInString(text)+1)
	for i := range text {
		at = append(at, i)
	}
	return append(at, len(text))
}
