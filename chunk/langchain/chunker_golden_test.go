package langchain_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/langchain"
	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/internal/golden"
)

type goldenDocs struct {
	Docs map[string]string    `json:"docs"`
	Lang map[string][2]string `json:"lang"`
	HTML map[string]string    `json:"html"`
}

func readDocs(t *testing.T) goldenDocs {
	t.Helper()
	var d goldenDocs
	var raw struct {
		Docs map[string]string    `json:"docs"`
		Lang map[string][2]string `json:"lang"`
		HTML map[string]string    `json:"html"`
	}
	require.NoError(t, json.Unmarshal(golden.Read(t, "chunk", "docs.json"), &raw))
	d = goldenDocs(raw)
	return d
}

type langchainRow struct {
	Doc       string
	Separator string
	Regex     bool
	Keep      any `json:"keep_separator"`
	Size      int
	Overlap   int
	Len       string
	Strip     *bool
	Language  string
	Sep       []string `json:"separators"`
	Chunks    []struct {
		T string `json:"t"`
	}
}

func (row langchainRow) options() *langchain.Options {
	o := &langchain.Options{Separators: row.Sep, Regexp: row.Regex, Size: row.Size, Overlap: row.Overlap}
	switch row.Keep {
	case false:
		o.KeepSeparator = langchain.KeepNone
	case "end":
		o.KeepSeparator = langchain.KeepEnd
	}
	if row.Len == "cl100k" {
		o.Tokens = cl100k.Encoding().Count
	}
	o.KeepSpace = row.Strip != nil && !*row.Strip
	return o
}

// compare compares the passages of a text with the row, and their offsets with the
// text.
func (row langchainRow) compare(t *testing.T, o *langchain.Options, text string) error {
	c, err := langchain.New(o)
	if err != nil {
		return err
	}
	got, err := c.Chunk(t.Context(), text)
	if err != nil {
		return err
	}
	if len(got) != len(row.Chunks) {
		return fmt.Errorf("%s size %d overlap %d: %d chunks, want %d", row.Doc, row.Size, row.Overlap, len(got), len(row.Chunks))
	}
	for i, w := range row.Chunks {
		if got[i].Text != w.T {
			return fmt.Errorf("%s size %d: chunk %d is %q, want %q", row.Doc, row.Size, i, got[i].Text, w.T)
		}
		if got[i].Start >= 0 && text[got[i].Start:got[i].End] != w.T {
			return fmt.Errorf("%s: chunk %d isn't at its offsets", row.Doc, i)
		}
		if got[i].Start < 0 && (o.KeepSeparator != langchain.KeepNone || !o.Regexp && i == 0 && strings.Contains(text, w.T)) {
			return fmt.Errorf("%s: chunk %d has no offsets", row.Doc, i)
		}
	}
	return nil
}

func TestGoldenRecursive(t *testing.T) {
	docs := readDocs(t)
	golden.Rows(t, "chunk", "recursive.jsonl", func(row langchainRow) error {
		return row.compare(t, row.options(), docs.Docs[row.Doc])
	})
}

func TestGoldenCharacter(t *testing.T) {
	docs := readDocs(t)
	golden.Rows(t, "chunk", "character.jsonl", func(row langchainRow) error {
		o := row.options()
		o.Character, o.Separators = true, []string{row.Separator}
		return row.compare(t, o, docs.Docs[row.Doc])
	})
}

func TestGoldenLanguage(t *testing.T) {
	docs := readDocs(t)
	var separators map[string][]string
	require.NoError(t, json.Unmarshal(golden.Read(t, "chunk", "language_separators.json"), &separators))
	golden.Rows(t, "chunk", "language.jsonl", func(row langchainRow) error {
		o := row.options()
		o.Regexp, o.Separators = true, separators[row.Language]
		return row.compare(t, o, docs.Lang[row.Doc][1])
	})
}

func TestGoldenToken(t *testing.T) {
	docs := readDocs(t)
	encodings := map[string]*token.Encoding{"cl100k_base": cl100k.Encoding(), "o200k_base": o200k.Encoding()}
	golden.Rows(t, "chunk", "token.jsonl", func(row struct {
		Doc, Encoding string
		Size, Overlap int
		Chunks        []string
	}) error {
		e := encodings[row.Encoding]
		if e == nil {
			return fmt.Errorf("an unknown encoding %q", row.Encoding)
		}
		for _, c := range row.Chunks {
			if strings.Contains(c, "\ufffd") {
				return nil // a window that cuts a code point: ours doesn't
			}
		}
		w, err := chunk.NewWindows(e.Ends, &chunk.WindowsOptions{Size: row.Size, Overlap: row.Overlap})
		if err != nil {
			return err
		}
		got, err := w.Chunk(t.Context(), docs.Docs[row.Doc])
		if err != nil {
			return err
		}
		if len(got) != len(row.Chunks) {
			return fmt.Errorf("%s: %d chunks, want %d", row.Doc, len(got), len(row.Chunks))
		}
		for i, c := range got {
			if c.Text != row.Chunks[i] {
				return fmt.Errorf("%s: chunk %d is %q, want %q", row.Doc, i, c.Text, row.Chunks[i])
			}
		}
		return nil
	})
}
