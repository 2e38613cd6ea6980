package rag

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
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
	// passage. Both 0 if the passage's place in its document isn't known.
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
	Supported   Status = iota // the passage has the claim's words
	Unsupported               // it doesn't: the number is there, the claim isn't
	NoPassage                 // there is no passage of that number
)

// String returns the status in words.
func (s Status) String() string {
	return [...]string{"supported", "unsupported", "no such passage"}[min(int(s), 2)]
}

// A Checked is an answer's citations, held against the passages.
type Checked struct {
	Citations []Citation

	// Uncited are the sentences without a citation: [start, end) in bytes.
	Uncited [][2]int
}

// supportNeeded is the share of a claim's words that its passage must have. A
// paraphrase loses some; a made-up claim shares little more than the topic.
const supportNeeded = 0.5

// The number may be wrapped as models like to: [1], [1, 2], [1][2].
var citation = regexp.MustCompile(`\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]`)

// Check finds the citations in an answer and holds each against its passage:
// that the passage exists, and that its words support the sentence. It can't
// see whether they were meant the other way round; that takes a judge.
func Check(answer string, passages []schema.Document) Checked {
	var out Checked
	for _, s := range split(answer) {
		for _, claim := range claims(answer, s) {
			if len(claim.numbers) == 0 {
				if len(bm25.English(answer[claim.start:claim.end])) > 0 {
					out.Uncited = append(out.Uncited, [2]int{claim.start, claim.end})
				}
				continue
			}
			for _, n := range claim.numbers {
				out.Citations = append(out.Citations, checkOne(answer, claim.span, n, passages))
			}
		}
	}
	return out
}

type claim struct {
	span
	numbers []int
}

// claims cuts a sentence at its groups of citations: what stands before a group
// is the claim that it is for. UAX #29 puts "It is so. [1]" into one sentence
// or leaves the number at the next one's beginning; both are read right.
func claims(answer string, s span) []claim {
	var out []claim
	at := s.start
	groups := citation.FindAllStringIndex(answer[s.start:s.end], -1)
	for _, g := range groups {
		from, to := s.start+g[0], s.start+g[1]
		text := strings.TrimSpace(answer[at:from])
		numbers := numbersOf(answer[from:to])
		if text == "" || strings.Trim(text, " .,;:") == "" {
			if len(out) > 0 {
				out[len(out)-1].numbers = append(out[len(out)-1].numbers, numbers...)
			} else if text == "" { // at the beginning: for the sentence before, if any
				out = append(out, claim{before(answer, from), numbers})
			}
		} else {
			start := at + strings.Index(answer[at:from], text)
			out = append(out, claim{span{start, start + len(text)}, numbers})
		}
		at = to
	}
	if rest := strings.TrimSpace(answer[at:s.end]); strings.Trim(rest, " .,;:") != "" {
		start := at + strings.Index(answer[at:s.end], rest)
		out = append(out, claim{span{start, start + len(rest)}, nil})
	}
	return out
}

func numbersOf(group string) []int {
	var out []int
	for n := range strings.SplitSeq(strings.Trim(group, "[]"), ",") {
		if v, err := strconv.Atoi(strings.TrimSpace(n)); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// before returns the sentence that ends before a position.
func before(answer string, at int) span {
	sentences := split(answer[:at])
	if len(sentences) == 0 {
		return span{at, at}
	}
	return sentences[len(sentences)-1]
}

func checkOne(answer string, s span, n int, passages []schema.Document) Citation {
	c := Citation{Number: n, Start: s.start, End: s.end, Status: NoPassage}
	if n < 1 || n > len(passages) {
		return c
	}
	p := passages[n-1]
	c.Source, _ = docmeta.String(p.Metadata, docmeta.Source)
	words := set(bm25.English(answer[s.start:s.end]))
	best, score := bestSentence(p.PageContent, words)
	c.Quote = p.PageContent[best.start:best.end]
	if start, _, ok := docmeta.Span(p.Metadata); ok {
		c.SourceStart, c.SourceEnd = start+best.start, start+best.end
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
func bestSentence(text string, words map[string]bool) (span, float64) {
	best, score := span{}, -1.0
	for _, s := range split(text) {
		if got := share(words, set(bm25.English(text[s.start:s.end]))); got > score {
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
