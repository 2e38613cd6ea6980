package rag

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/sentence"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// A Citation is one number that an answer cites, with what it rests on.
type Citation struct {
	Number int // as cited; passages count from 1

	// Start and End are the bytes of the answer that make the claim: the
	// sentence before the number, without its citations.
	Start, End int

	// Source names the passage's document; SourceStart and SourceEnd are the
	// bytes of that document that support the claim best: a sentence of the
	// passage. Both 0 if the passage's place in its document isn't known, or the
	// sentence is of the context before the passage's own text.
	Source                 string
	SourceStart, SourceEnd int

	// Quote is the text of that sentence.
	Quote string

	// Support is the share of the claim's words that the passage's sentences
	// around Quote have, 0 to 1.
	Support float64

	Status Status
}

// Status is what a check found of a citation.
type Status uint8

// The outcomes of a check.
const (
	Unchecked   Status = iota // no check was made
	Supported                 // the passage has the claim's words
	Unsupported               // the passage exists, but does not have the claim's words
	NoPassage                 // there is no passage of that number
	Quoted                    // the passage has the claim word for word
)

// String returns the status in words.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "Status(" + strconv.Itoa(int(s)) + ")"
}

var statusNames = [...]string{"unchecked", "supported", "unsupported", "no such passage", "quoted"}

// A CitationReport is an answer's citations, held against the passages.
type CitationReport struct {
	Citations []Citation

	// Uncited are the sentences without a citation: [start, end) in bytes.
	Uncited [][2]int
}

// supportNeeded is the share of a claim's words that its passage must have. A
// paraphrase loses some; a made-up claim shares little more than the topic.
const supportNeeded = 0.5

// CheckCitations finds the citations in an answer and compares each with its
// passage: whether the passage exists, and whether its words support the
// sentence. It cannot see whether the passage says the opposite; that takes a
// judge.
//
// A citation is a number in brackets, [1], or several, [1, 2] or [1][2]. Numbers
// in brackets that have another meaning are left alone: an index (a[2]), an
// interval ([0, 1]), a standard or a year (RFC [7230]), and what is in code.
//
// A blockquote of markdown that ends in a citation is one claim: that the passage has
// this text. If it does, word for word but for white space and bold type, the status is
// [Quoted].
func CheckCitations(answer string, passages []schema.Document) CitationReport {
	var out CitationReport
	answer = out.checkQuotes(answer, passages)
	for _, c := range claims(answer) {
		if len(c.numbers) == 0 {
			if len(bm25.English(answer[c.Start:c.End])) > 0 {
				out.Uncited = append(out.Uncited, [2]int{c.Start, c.End})
			}
			continue
		}
		for _, n := range c.numbers {
			out.Citations = append(out.Citations, checkOne(answer, c.Span, n, passages))
		}
	}
	return out
}

type claim struct {
	sentence.Span
	numbers []int
}

// claims cuts an answer into what is claimed, in order: a sentence, or the part
// of one up to a citation in its middle. A citation belongs to the claim before
// it; at the very beginning, to the one after.
func claims(answer string) []claim {
	groups := citations(answer)
	blanked := []byte(answer)
	for _, g := range groups {
		for i := g[0]; i < g[1]; i++ {
			blanked[i] = ' '
		}
	}
	text := string(blanked)
	var out []claim
	var early []int // cited before anything was said
	cite := func(g []int) {
		numbers := numbersOf(answer[g[0]:g[1]])
		if len(out) == 0 {
			early = append(early, numbers...)
			return
		}
		out[len(out)-1].numbers = append(out[len(out)-1].numbers, numbers...)
	}
	say := func(from, to int) {
		for _, part := range sentence.AppendTrimmed(nil, text, from, to) {
			out = append(out, claim{part, early})
			early = nil
		}
	}
	for _, s := range sentence.Split(text) {
		for len(groups) > 0 && groups[0][0] < s.Start {
			cite(groups[0])
			groups = groups[1:]
		}
		at := s.Start
		for len(groups) > 0 && groups[0][0] < s.End {
			g := groups[0]
			groups = groups[1:]
			if strings.Trim(text[g[1]:s.End], " .,;:!?") == "" { // at the end: for all of it
				say(at, s.End)
				at = s.End
			} else if strings.Trim(text[at:g[0]], " .,;:") != "" {
				say(at, g[0])
				at = g[1]
			}
			cite(g)
		}
		say(at, s.End)
	}
	for _, g := range groups {
		cite(g)
	}
	return out
}

// numbersOf returns the numbers of a citation: [1, 3] has two, [1-3] three.
func numbersOf(group string) []int {
	var out []int
	from := -1 // the begin of a range
	for _, m := range numberOrDash.FindAllString(group, -1) {
		v, err := strconv.Atoi(m)
		switch {
		case err != nil && len(out) > 0: // a dash
			from = out[len(out)-1]
		case err != nil:
		case from >= 0 && v > from && v-from <= 20:
			for n := from + 1; n <= v; n++ {
				out = append(out, n)
			}
			from = -1
		default:
			out, from = append(out, v), -1
		}
	}
	return out
}

var numberOrDash = regexp.MustCompile(`\d+|[–-]`)

func checkOne(answer string, s sentence.Span, n int, passages []schema.Document) Citation {
	c := Citation{Number: n, Start: s.Start, End: s.End, Status: NoPassage}
	if n < 1 || n > len(passages) {
		return c
	}
	p := passages[n-1]
	c.Source, _ = docmeta.String(p.Metadata, docmeta.Source)
	words := set(bm25.English(answer[s.Start:s.End]))
	best, score := bestSentence(p.PageContent, words)
	c.Quote = p.PageContent[best.Start:best.End]
	if start, end, ok := docmeta.Span(p.Metadata); ok {
		// What is before the passage's own text is context, from elsewhere in the source.
		if context := len(p.PageContent) - (end - start); context >= 0 && best.Start >= context {
			c.SourceStart, c.SourceEnd = start+best.Start-context, start+best.End-context
		}
	}
	// A claim may draw on two sentences: the passage's words count, those of
	// the best sentence decide where it points.
	c.Support = max(score, share(words, set(bm25.English(p.PageContent)))*0.9)
	c.Status = Unsupported
	if c.Support >= supportNeeded {
		c.Status = Supported
	}
	return c
}

// bestSentence returns the sentence that has the largest share of the words.
func bestSentence(text string, words map[string]bool) (sentence.Span, float64) {
	best, score := sentence.Span{}, -1.0
	for _, s := range sentence.Split(text) {
		if got := share(words, set(bm25.English(text[s.Start:s.End]))); got > score {
			best, score = s, got
		}
	}
	return best, max(score, 0)
}

func set(words []string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[w] = true
	}
	return out
}

// share returns the part of want's words that have has.
func share(want, have map[string]bool) float64 {
	if len(want) == 0 {
		return 0
	}
	n := 0
	for w := range want {
		if have[w] {
			n++
		}
	}
	return float64(n) / float64(len(want))
}
