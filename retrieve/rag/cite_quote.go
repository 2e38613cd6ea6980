package rag

import (
	"regexp"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/sentence"
)

// quoteLine matches a line of a blockquote and its mark; ended, the citations at the end
// of one; heading, a line in bold type.
var (
	quoteLine = regexp.MustCompile(`(?m)^ {0,3}> ?`)
	ended     = regexp.MustCompile(`(?:\s*` + bracketed.String() + `)+\s*$`)
	heading   = regexp.MustCompile(`^\*\*[^*\n]+\*\*$`)
)

// checkQuotes appends the citations of the blockquotes. It returns the answer with
// blanks in place of these and of lines that claim nothing: headings in bold type, and
// the lines that an [Extractive] writes around its quotations.
func (r *CitationReport) checkQuotes(answer string, passages []schema.Document) string {
	rest := []byte(answer)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if rest[i] != '\n' {
				rest[i] = ' '
			}
		}
	}
	for at := 0; at < len(answer); {
		end := lineEnd(answer, at)
		if line := strings.TrimSpace(answer[at:end]); heading.MatchString(line) || strings.HasPrefix(line, CorrectedLine) || line == NearestLine || line == foreignLine {
			blank(at, end)
		}
		if !quoteLine.MatchString(answer[at:end]) {
			at = end
			continue
		}
		from := at
		for at < len(answer) && quoteLine.MatchString(answer[at:lineEnd(answer, at)]) {
			at = lineEnd(answer, at)
		}
		if r.checkQuote(answer, from, at, passages) {
			blank(from, at)
		}
	}
	return string(rest)
}

func lineEnd(text string, at int) int {
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(text)
}

// checkQuote appends the citations of the blockquote answer[from:to], and reports
// whether there are any.
func (r *CitationReport) checkQuote(answer string, from, to int, passages []schema.Document) bool {
	body := strings.TrimSpace(quoteLine.ReplaceAllString(answer[from:to], ""))
	cited := ended.FindString(body)
	if cited == "" {
		return false
	}
	body = strings.TrimSpace(strings.TrimSuffix(body, cited))
	if line, after, ok := strings.Cut(body, "\n"); ok && heading.MatchString(strings.TrimSpace(line)) {
		body = after
	}
	text := flat(body)
	bold := ""
	if _, after, ok := strings.Cut(body, "**"); ok {
		bold, _, _ = strings.Cut(after, "**")
	}
	span := sentence.Span{Start: from, End: from + len(strings.TrimRight(answer[from:to], " \n"))}
	for _, n := range numbersOf(cited) {
		c := checkOne(answer, span, n, passages)
		if c.Status != NoPassage && text != "" && strings.Contains(flat(passages[n-1].PageContent), text) {
			c.Status, c.Support = Quoted, 1
			c.pointTo(bold, passages[n-1])
		}
		r.Citations = append(r.Citations, c)
	}
	return true
}

// pointTo makes the citation point to a sentence that its passage has word for word.
func (c *Citation) pointTo(text string, p schema.Document) {
	i := strings.Index(p.PageContent, text)
	if i < 0 || text == "" {
		return
	}
	c.Quote = text
	c.SourceStart, c.SourceEnd = 0, 0
	if start, end, ok := docmeta.Span(p.Metadata); ok {
		if context := len(p.PageContent) - (end - start); context >= 0 && i >= context {
			c.SourceStart, c.SourceEnd = start+i-context, start+i-context+len(text)
		}
	}
}

// flat returns a text in one line without bold type.
func flat(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "**", "")), " ")
}
