package chunk

import (
	"context"
	"slices"
	"strings"
)

// LaTeX cuts a LaTeX document by its sectioning commands: a passage never
// crosses one and has the titles above it as headings. Inside a section it cuts
// between paragraphs and before environments.
type LaTeX struct{ m measure }

// NewLaTeX returns a LaTeX. It fails with [ErrOption].
func NewLaTeX(o *Options) (*LaTeX, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &LaTeX{m}, nil
}

// Chunk cuts the document.
func (l *LaTeX) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return assemble(text, l.m, latexJoints(text)), nil
}

// latexLevel returns the level of a sectioning command, 1 for \part, or 0.
func latexLevel(command string) int {
	for i, name := range []string{"part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"} {
		if command == name {
			return i + 1
		}
	}
	return 0
}

// latexJoints returns the joints of a document: before sections, paragraphs,
// environments and items that begin a line.
func latexJoints(text string) []joint {
	var out []joint
	var path []Heading
	at, depth, blank := 0, 0, false
	verbatim := "" // what ends the open environment of verbatim text
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		if start == 0 {
			line = strings.TrimPrefix(line, bom)
		}
		bare := strings.TrimSpace(line)
		if verbatim != "" && !strings.Contains(bare, verbatim) {
			blank = bare == ""
			continue
		}
		verbatim = ""
		command, rest := latexCommand(bare)
		level := latexLevel(command)
		switch {
		case level > 0:
			path = descend(path, Heading{level, latexTitle(rest)})
			out = append(out, joint{at: start, hard: true, headings: titles(path)})
			depth = 0
		case command == "begin":
			out = append(out, joint{at: start, rank: depth + 1, headings: titles(path)})
			depth++
			verbatim = latexVerbatim(bare)
		case command == "item" || blank && bare != "":
			out = append(out, joint{at: start, rank: depth + 1, headings: titles(path)})
		}
		if command == "end" {
			depth = max(0, depth-1)
		}
		blank = bare == ""
	}
	return out
}

// latexVerbatim returns the end of the environment that a line begins, if commands
// in that environment are text and it doesn't end in the line.
func latexVerbatim(line string) string {
	name, rest, ok := strings.Cut(strings.TrimPrefix(line, `\begin{`), "}")
	switch end := `\end{` + name + "}"; {
	case !ok || strings.Contains(rest, end):
		return ""
	case slices.Contains([]string{"verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "filecontents*"}, name):
		return end
	}
	return ""
}

// latexCommand returns the command that a line begins with, without a star, and
// what follows it.
func latexCommand(line string) (name, rest string) {
	body, ok := strings.CutPrefix(line, `\`)
	if !ok {
		return "", line
	}
	end := 0
	for end < len(body) && (body[end] >= 'a' && body[end] <= 'z' || body[end] >= 'A' && body[end] <= 'Z') {
		end++
	}
	return body[:end], strings.TrimPrefix(body[end:], "*")
}

// latexTitle returns the argument in braces that follows a sectioning command and
// its optional short title; a brace that isn't closed reaches to the line's end.
func latexTitle(rest string) string {
	if strings.HasPrefix(rest, "[") {
		_, rest, _ = strings.Cut(rest, "]")
	}
	body, ok := strings.CutPrefix(rest, "{")
	if !ok {
		return ""
	}
	depth := 1
	for i := range len(body) {
		switch body[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return body[:i]
			}
		}
	}
	return body
}
