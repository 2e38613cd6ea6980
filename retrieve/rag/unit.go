package rag

import (
	"regexp"
	"strings"

	"github.com/prodailabs/prodai/internal/sentence"
)

// A unit is what an answer quotes: a paragraph, a list item, a table or a program of
// a passage, with the sentence that announces it.
type unit struct {
	passage int    // its number
	order   int    // its place among all units
	title   string // the headings above it, joined by " › "
	text    string // as in the passage

	name     string // of "Name (also: others): definition"
	also     []string
	question string   // the question that it begins with and then answers
	asked    []string // other questions that it is known to answer
	code     bool     // it is a program or a drawing, and little else
	asks     bool     // it is only a question
}

// named matches an entry of a list of terms.
var named = regexp.MustCompile(`^(?:[-*+]\s+)?\**([^:.?!()\n]{2,60}?)\**(?: \(also: ([^)\n]+)\))?\**: +\**[A-Z]`)

// unitsOf cuts passages.
func unitsOf(passages []numbered) []unit {
	var all []unit
	for _, p := range passages {
		for _, u := range units(p) {
			u.order = len(all)
			all = append(all, u)
		}
	}
	return all
}

// units cuts a passage.
func units(p numbered) []unit {
	title, rest := headings(p.text)
	var out []unit
	for _, text := range blocks(rest) {
		u := unit{passage: p.n, title: title, text: text}
		prose := proseOf(text)
		u.code = len(prose) < len(text)/4 || len(strings.Fields(prose)) < 3 && strings.Contains(text, "```")
		plain := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(prose), "-*+ "))
		if m := named.FindStringSubmatch(text); m != nil && len(strings.Fields(m[1])) <= 6 {
			u.name = m[1]
			for _, also := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ';' }) {
				u.also = append(u.also, strings.TrimSpace(also))
			}
		} else if s := sentence.Split(plain); len(s) > 0 {
			first := strings.TrimSpace(plain[s[0].Start:s[0].End])
			if strings.HasSuffix(strings.TrimRight(first, "*"), "?") {
				if len(s) == 1 {
					u.asks = true
				} else {
					u.question = strings.Trim(first, "*")
				}
			}
		}
		out = append(out, u)
	}
	return out
}

// headings returns the headings at the beginning of a passage, joined, and the rest.
func headings(text string) (title, rest string) {
	var path []string
	for {
		text = strings.TrimLeft(text, "\n")
		line, after, _ := strings.Cut(text, "\n")
		if !strings.HasPrefix(line, "#") {
			break
		}
		if !strings.Contains(strings.Join(path, ""), " > ") { // else it is the whole path
			path = append(path, strings.TrimSpace(strings.TrimLeft(line, "#")))
		}
		if text = after; text == "" {
			break
		}
	}
	return strings.ReplaceAll(strings.Join(path, " > "), " > ", " › "), text
}

var item = regexp.MustCompile(`^ {0,3}(?:[-*+]|\d{1,3}[.)]) +\S`)

// blocks cuts a text at blank lines and before list items, but not within a fenced
// block. A paragraph that ends in a colon goes with the list, table or program after
// it.
func blocks(text string) []string {
	var out []string
	var block []string
	flush := func() {
		if joined := strings.Trim(strings.Join(block, "\n"), "\n"); strings.TrimSpace(joined) != "" {
			out = append(out, joined)
		}
		block = nil
	}
	fence := ""
	announced := false // the block so far announces what follows
	inList := false    // which is a list that has begun
	for line := range strings.SplitSeq(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case fence != "":
			block = append(block, line)
			if strings.HasPrefix(bare, fence) {
				fence = ""
				flush()
				announced = false
			}
			continue
		case strings.HasPrefix(bare, "```"), strings.HasPrefix(bare, "~~~"):
			fence = bare[:3]
			if !announced {
				flush()
			}
			block = append(block, line)
			continue
		case bare == "":
			announced = strings.HasSuffix(strings.TrimRight(strings.Join(block, "\n"), " *_\n"), ":") || announced && inList
			if !announced {
				flush()
				inList = false
			} else {
				block = append(block, line)
			}
			continue
		case strings.HasPrefix(line, "#"):
			flush()
			announced, inList = false, false
			continue
		case item.MatchString(line):
			lead := strings.HasSuffix(strings.TrimRight(strings.Join(block, "\n"), " *_\n"), ":") && !inList
			if !(announced || lead) {
				flush()
			} else {
				announced = true
			}
			inList = true
		case announced && inList && !strings.HasPrefix(line, " ") && len(block) > 0 && block[len(block)-1] == "":
			flush() // a paragraph after the announced list
			announced, inList = false, false
		case announced && !inList && len(block) > 0 && block[len(block)-1] == "" && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "    "):
			flush() // a colon that announced only a paragraph
			announced = false
		}
		block = append(block, line)
	}
	flush()
	return out
}

// proseOf returns a block without its programs and tables.
func proseOf(text string) string {
	var out []string
	fenced := false
	for line := range strings.SplitSeq(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(bare, "```"), strings.HasPrefix(bare, "~~~"):
			fenced = !fenced
		case fenced, strings.HasPrefix(line, "\t"), strings.HasPrefix(line, "    ") && !strings.HasPrefix(strings.TrimSpace(line), "-"), strings.HasPrefix(bare, "|"):
		default:
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
