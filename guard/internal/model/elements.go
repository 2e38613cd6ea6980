package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Element is a part of a document that is read for itself: a line, a sentence
// of a long line, a cell, a string, an attribute, a comment.
type Element struct {
	Start, End int // bytes in the document
	Kind       ElementKind
}

// ElementKind is what an element is in its document.
type ElementKind uint8

// The kinds of elements.
const (
	ElementLine      ElementKind = iota + 1 // a line, or a paragraph without line breaks
	ElementSentence                         // a sentence of a long line
	ElementCell                             // a cell of a table
	ElementString                           // a string of JSON, YAML or a program
	ElementAttribute                        // the value of a markup attribute
	ElementComment                          // a comment of markup or a program
	ElementHidden                           // markup text that no screen shows
	elementKinds
)

// longLine is how many bytes a line may have before its sentences are elements.
const longLine = 240

// AppendElements appends the elements of a document, in order. They don't overlap.
func AppendElements(all []Element, text string) []Element {
	if !looksLikeMarkup(text) {
		return appendLines(all, text, 0, len(text), 0)
	}
	m := markup{text: text, all: all}
	m.run()
	return m.all
}

// appendLines appends the lines of a range. A kind that isn't 0 is given to them all.
func appendLines(all []Element, text string, from, to int, kind ElementKind) []Element {
	for from < to {
		end := from + strings.IndexByte(text[from:to], '\n')
		if end < from {
			end = to
		}
		all = appendLine(all, text, from, end, kind)
		from = end + 1
	}
	return all
}

func appendLine(all []Element, text string, from, to int, kind ElementKind) []Element {
	line := text[from:to]
	if kind == 0 {
		if bars := strings.Count(line, "|"); bars >= 2 {
			return appendCells(all, text, from, to, '|')
		}
		if strings.Count(line, "\t") >= 2 {
			return appendCells(all, text, from, to, '\t')
		}
		if quoted := appendStrings(all, text, from, to); len(quoted) > len(all) {
			return quoted
		}
		if at := commentStart(line); at >= 0 {
			all = appendPlain(all, text, from, from+at, 0)
			return appendPlain(all, text, from+at, to, ElementComment)
		}
	}
	return appendPlain(all, text, from, to, kind)
}

// appendPlain appends a line, or its sentences where it is long.
func appendPlain(all []Element, text string, from, to int, kind ElementKind) []Element {
	for from < to && text[from] <= ' ' {
		from++
	}
	for from < to && text[to-1] <= ' ' {
		to--
	}
	if from == to {
		return all
	}
	if to-from <= longLine {
		if kind == 0 {
			kind = ElementLine
		}
		return append(all, Element{from, to, kind})
	}
	if kind == 0 {
		kind = ElementSentence
	}
	start := from
	for i := from; i < to; {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		ends := r == '。' || r == '！' || r == '？' || r == '।' || (r == '.' || r == '!' || r == '?') && (i == to || text[i] <= ' ')
		if ends && i-start > 12 || i-start >= 4*longLine && unicode.IsSpace(r) || i == to {
			all = append(all, Element{start, i, kind})
			for i < to && text[i] <= ' ' {
				i++
			}
			start = i
		}
	}
	return all
}

// appendCells appends the cells of a table's row that have a few words, and the rest
// of the row as one element.
func appendCells(all []Element, text string, from, to int, bar byte) []Element {
	start := from
	for i := from; i <= to; i++ {
		if i < to && text[i] != bar {
			continue
		}
		if cell := strings.TrimSpace(text[start:i]); cell != "" {
			at := start + strings.Index(text[start:i], cell)
			kind := ElementCell
			if len(cell) > longLine {
				all = appendPlain(all, text, at, at+len(cell), kind)
			} else {
				all = append(all, Element{at, at + len(cell), kind})
			}
		}
		start = i + 1
	}
	return all
}

// appendStrings appends the strings in double quotes of a line of JSON or of a
// program, and what is between them where it has words. It appends nothing if the
// line has no string of a few words with a colon, an equals sign or a bracket near it.
func appendStrings(all []Element, text string, from, to int) []Element {
	had := len(all)
	last, found := from, false
	for i := from; i < to; i++ {
		if text[i] != '"' {
			continue
		}
		end := i + 1
		for end < to && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= to {
			break
		}
		if i > from && strings.IndexByte(":=,([{ \t", text[i-1]) >= 0 && strings.Count(text[i:end], " ") >= 2 {
			found = found || structural(text[last:i])
			all = appendPlain(all, text, last, i, 0)
			all = appendPlain(all, text, i+1, end, ElementString)
			last = end + 1
		}
		i = end
	}
	if !found {
		return all[:had]
	}
	return appendPlain(all, text, last, to, 0)
}

// structural reports whether a text ends with the sign that a value follows.
func structural(before string) bool {
	before = strings.TrimRight(before, " \t")
	return before != "" && strings.IndexByte(":=,([{", before[len(before)-1]) >= 0
}

// commentStart returns where a comment of a program begins in a line, or -1. Marks that
// also begin headings and list items don't count at the beginning of a line.
func commentStart(line string) int {
	trimmed := strings.TrimLeft(line, " \t")
	lead := len(line) - len(trimmed)
	for _, mark := range []string{"//", "/*", "--", "<!--", ";;", "\"\"\"", "'''", "%%"} {
		if strings.HasPrefix(trimmed, mark) && (mark != "--" || strings.HasPrefix(trimmed, "-- ")) {
			return lead
		}
	}
	for _, mark := range []string{" // ", " # ", "; # ", "  -- "} {
		if i := strings.Index(line, mark); i > lead && strings.ContainsAny(line[:i], "=(){};:") {
			return i + 1
		}
	}
	return -1
}
