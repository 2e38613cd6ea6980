package rag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// The beginnings of lines that an [Extractive] writes itself: before the corrected
// question, and before the list of passages in a refusal.
const (
	CorrectedLine = "Showing results for: "
	NearestLine   = "Nearest passages:"
)

const (
	foreignLine    = "The notes are in English, and this program cannot translate sentences. These passages are nearest to your question:"
	foreignRefusal = " They are in English, and this program cannot translate sentences."
	partLine       = "**About “%s”**"
)

// noticeOf returns what an answer begins with: how the question was read, if it was
// corrected.
func noticeOf(question, corrected string) []string {
	if corrected == question {
		return nil
	}
	return []string{CorrectedLine + oneLine(corrected)}
}

// render writes the answer in markdown.
func render(question, corrected, foreign string, parts []part) string {
	out := noticeOf(question, corrected)
	if foreign != "" {
		out = append(out, foreignLine)
	}
	for _, p := range parts {
		if len(parts) > 1 {
			out = append(out, fmt.Sprintf(partLine, oneLine(p.question)))
			if len(p.units) == 0 {
				out = append(out, UnknownAnswer)
			}
		}
		for i := range p.units {
			out = append(out, p.units[i].quote())
		}
	}
	return strings.Join(out, "\n\n")
}

// oneLine returns words of the question's in one line of plain markdown.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("*`_“”<>[]#|", r):
			return -1
		case unicode.IsControl(r), r == utf8.RuneError:
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// quote returns a unit as a blockquote with its title and its citation.
func (s *scored) quote() string {
	text := strings.ReplaceAll(s.text, "\r", " ")
	if b := s.best; b.End > b.Start && b.End <= len(text) {
		sentence := strings.TrimRight(text[b.Start:b.End], " \n")
		if !strings.Contains(sentence, "*") {
			text = text[:b.Start] + "**" + sentence + "**" + text[b.Start+len(sentence):]
		}
	}
	cite := "[" + strconv.Itoa(s.passage) + "]"
	lines := strings.Split(text, "\n")
	if last := lines[len(lines)-1]; strings.HasPrefix(last, "```") || strings.HasPrefix(last, "|") || strings.HasPrefix(last, "\t") {
		lines = append(lines, "", cite)
	} else {
		lines[len(lines)-1] += " " + cite
	}
	if s.title != "" {
		lines = append([]string{"**" + s.title + "**", ""}, lines...)
	}
	return strings.TrimRight("> "+strings.Join(lines, "\n> "), " ")
}

// refuse writes a refusal with the passages nearest to the question.
func refuse(question, corrected, foreign string, ranked []scored) string {
	text := UnknownAnswer
	if foreign != "" {
		text += foreignRefusal
	}
	return strings.Join(append(noticeOf(question, corrected), text+" "+NearestLine, nearestList(ranked)), "\n\n")
}

// nearestList returns the passages nearest to a question that has no answer, as a
// list: each with its best unit.
func nearestList(ranked []scored) string {
	const most, longest = 3, 160
	seen := map[int]bool{}
	best := slices.DeleteFunc(slices.Clone(ranked), func(s scored) bool {
		again := seen[s.passage]
		seen[s.passage] = true
		return again
	})
	order := nearest(len(best), func(i int) (string, float64) {
		document, _, _ := strings.Cut(best[i].title, " › ")
		return document, best[i].score
	})
	var out []string
	for _, i := range order[:min(most, len(best))] {
		s := &best[i]
		text := strings.Join(strings.Fields(strings.TrimLeft(proseOf(s.text), "-*+> ")), " ")
		if text == "" { // a table, a program
			text = strings.Join(strings.Fields(strings.ReplaceAll(s.text, "```", "")), " ")
		}
		if len(text) > longest {
			text = strings.ToValidUTF8(text[:longest], "")
			text = text[:max(strings.LastIndexByte(text, ' '), longest/2)] + " …"
		}
		line := "- "
		if s.title != "" {
			line += "**" + s.title + "**: "
		}
		out = append(out, line+text+" ["+strconv.Itoa(s.passage)+"]")
	}
	return strings.Join(out, "\n")
}

// Nearest returns the places in passages of those that do not answer a question, in the
// order in which a refusal names them, by their scores: those of [Extractive.Rerank], or
// of another ranker. The best passage of each document is before the second of any. A
// document, which is the source of its passages, is before another if the sum of its
// scores is larger: one passage is often near by chance, several seldom are. A passage
// without a source is a document of its own.
func Nearest(passages []schema.Document) []int {
	return nearest(len(passages), func(i int) (string, float64) {
		source, _ := docmeta.String(passages[i].Metadata, docmeta.Source)
		return source, float64(passages[i].Score)
	})
}

// nearest is Nearest for n things, each of a document, "" for none, and with a score.
func nearest(n int, of func(i int) (document string, score float64)) []int {
	order, scores, documents := make([]int, n), make([]float64, n), make([]string, n)
	sums := map[string]float64{}
	for i := range n {
		documents[i], scores[i] = of(i)
		documents[i] = cmp.Or(documents[i], strconv.Itoa(i)+"\x00")
		order[i] = i
		sums[documents[i]] += scores[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	turns, seen := make([]int, n), map[string]int{} // of each among those of its document
	for _, i := range order {
		turns[i] = seen[documents[i]]
		seen[documents[i]]++
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(turns[a], turns[b]), cmp.Compare(sums[documents[b]], sums[documents[a]]))
	})
	return order
}

// IsRefusal reports whether an answer is a refusal: it begins with [UnknownAnswer],
// perhaps after a line that shows how the question was read.
func IsRefusal(answer string) bool {
	if rest, ok := strings.CutPrefix(answer, CorrectedLine); ok {
		_, answer, _ = strings.Cut(rest, "\n")
	}
	return strings.HasPrefix(strings.TrimSpace(answer), UnknownAnswer)
}
