package rag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The beginnings of lines that an [Extractive] writes itself: before the corrected
// question, and before the list of passages in a refusal.
const (
	CorrectedLine = "Showing results for: "
	NearestLine   = "Nearest passages:"
)

const (
	foreignLine = "The notes are in English, and this program cannot translate. These passages are nearest to your question:"
	partLine    = "**About “%s”**"
)

// render writes the answer in markdown.
func (e *Extractive) render(question, corrected, foreign string, parts []part, nearest []scored) string {
	var out []string
	if corrected != question {
		out = append(out, CorrectedLine+oneLine(corrected))
	}
	some := false
	for _, p := range parts {
		some = some || len(p.units) > 0
	}
	switch {
	case foreign != "" && some:
		out = append(out, foreignLine)
	case !some:
		out = append(out, UnknownAnswer)
		if list := nearestList(nearest); list != "" {
			out[len(out)-1] += " " + NearestLine
			out = append(out, list)
		}
		return strings.Join(out, "\n\n")
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

// nearestList returns the passages nearest to a question that has no answer, as a
// list; each passage once.
func nearestList(nearest []scored) string {
	const most, longest = 3, 160
	var out []string
	seen := map[int]bool{}
	slices.SortStableFunc(nearest, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	for i := range nearest {
		s := &nearest[i]
		if seen[s.passage] || len(out) == most {
			continue
		}
		seen[s.passage] = true
		text := strings.Join(strings.Fields(strings.TrimLeft(proseOf(s.text), "-*+> ")), " ")
		if text == "" { // a table, a program
			text = strings.Join(strings.Fields(s.text), " ")
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

// IsRefusal reports whether an answer is a refusal: it begins with [UnknownAnswer],
// perhaps after a line that shows how the question was read.
func IsRefusal(answer string) bool {
	if rest, ok := strings.CutPrefix(answer, CorrectedLine); ok {
		_, answer, _ = strings.Cut(rest, "\n")
	}
	return strings.HasPrefix(strings.TrimSpace(answer), UnknownAnswer)
}
