package service

import (
	"context"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// IsNotice reports whether a line of an answer says how the question was read, and
// claims nothing.
func IsNotice(line string) bool { return strings.HasPrefix(line, rag.CorrectedLine) }

// Refused reports whether an answer says that the passages do not contain one, in the
// words that the prompt asks for, whatever the model. An answer that cites a passage
// for a part of the question is not a refusal.
func (a *Answer) Refused() bool {
	unknown := plain(rag.UnknownAnswer)
	text := a.Text
	if strings.HasPrefix(strings.TrimSpace(text), rag.CorrectedLine) {
		_, text, _ = strings.Cut(strings.TrimSpace(text), "\n")
	}
	text = plain(text)
	return strings.HasPrefix(text, unknown) || len(a.Checked.Citations) == 0 && strings.Contains(text, unknown)
}

// plain returns a sentence as models vary it: without its marks, in one case.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToLower(text), "’", "'")
	text = strings.Join(strings.Fields(text), " ")
	return strings.Trim(text, " .!*_>\"“”")
}

// A Near is a passage that is near a question which it does not answer.
type Near struct {
	Passage    schema.Document
	Number     int     // among the answer's passages, from 1
	Similarity float64 // to the question, see Similarity
	Quote      string  // the paragraph that shares most with the question
}

// Nearest returns the passages that were found for a question which they do not
// answer: first those that the answer names, then the others in the order of
// rag.Nearest. After an answer that is not a refusal it returns none.
func (s *Service) Nearest(ctx context.Context, a *Answer) ([]Near, error) {
	if !a.Refused() {
		return nil, nil
	}
	texts := make([]string, len(a.Passages))
	for i, p := range a.Passages {
		texts[i] = p.PageContent
	}
	similar, err := s.Similarity(ctx, a.Query, texts)
	if err != nil {
		return nil, err
	}
	var order []int
	for _, c := range a.Checked.Citations {
		order = append(order, c.Number-1)
	}
	var out []Near
	seen := map[int]bool{}
	for _, i := range append(order, rag.Nearest(a.Passages)...) {
		if i < 0 || i >= len(texts) || seen[i] {
			continue
		}
		seen[i] = true
		out = append(out, Near{Passage: a.Passages[i], Number: i + 1, Similarity: similar[i], Quote: excerpt(texts[i], a.Query)})
	}
	return out, nil
}

// excerptBytes is how long an excerpt is at most.
const excerptBytes = 320

// excerpt returns the paragraph of a passage that shares most words with a question,
// cut after a word if it is long.
func excerpt(text, question string) string {
	asked := bm25.English(question)
	best, most := "", -1
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraph = strings.TrimPrefix(strings.TrimSpace(paragraph), "- ")
		for strings.HasPrefix(paragraph, "#") { // a heading
			_, paragraph, _ = strings.Cut(paragraph, "\n")
		}
		if paragraph == "" {
			continue
		}
		words := bm25.English(paragraph)
		shared := 0
		for _, w := range asked {
			if slices.Contains(words, w) {
				shared++
			}
		}
		if shared > most {
			best, most = paragraph, shared
		}
	}
	if len(best) <= excerptBytes {
		return best
	}
	cut := strings.LastIndexAny(best[:excerptBytes], " \n")
	if cut <= 0 {
		for cut = excerptBytes; !utf8.RuneStart(best[cut]); cut-- {
		}
	}
	return strings.TrimSpace(best[:cut]) + " …"
}

// Title returns the name of a document as readers know it: a package's path for its
// notes, else the source.
func Title(source string) string {
	dir, file := path.Split(source)
	switch {
	case file != "doc.go":
		return source
	case dir == "":
		return "prodai"
	}
	return strings.TrimSuffix(dir, "/")
}

// Heading returns the document's title and the headings above a passage, outermost
// first. The package's own heading says nothing beside the title.
func Heading(d schema.Document) []string {
	source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
	heading, _ := chunk.MetaString(d.Metadata, chunk.KeyHeading)
	title := Title(source)
	out := []string{title}
	for h := range strings.SplitSeq(heading, " > ") {
		if h != "" && h != "Package "+title && h != title {
			out = append(out, h)
		}
	}
	return out
}

// Closeness says in words how similar a passage is to a question.
func Closeness(similarity float64) string {
	switch {
	case similarity >= 0.55:
		return "very close"
	case similarity >= 0.4:
		return "close"
	case similarity >= 0.3:
		return "related"
	}
	return "far"
}
