package injection

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// columns reads tables from top to bottom, and short lines, list items or cells
// without the gaps between them: "igno", "re all ru", "les". All blocks of a text
// make one reading of each sort. Each block is a line of it.
func columns(m *mapped, emit func(string, mapped)) {
	glued, down := newBuilder(m, 256), newBuilder(m, 0)
	for at := 0; at < len(m.text); {
		rows, end := rowsAt(m.text, at)
		if len(rows) >= minRows {
			for _, cell := range slices.Concat(rows...) {
				glued.keep(cell.from, cell.to)
			}
			glued.add("\n", end-2, end-1)
			readDown(rows, down)
		}
		if at == end {
			end += len(lineAt(m.text, at)) + 1
		}
		at = end
	}
	for _, reading := range []struct {
		name string
		b    *builder
	}{{"joined", glued}, {"columns", down}} {
		if len(reading.b.out) > 0 {
			emit(reading.name, reading.b.mapped())
		}
	}
}

// rowsAt returns the cells of the rows from at on, and where they end.
func rowsAt(text string, at int) (rows [][]span, end int) {
	end = at
	for end < len(text) && len(rows) < maxRows {
		line := lineAt(text, end)
		cells := cellsOf(line, end)
		if cells == nil {
			break
		}
		rows = append(rows, cells)
		end += len(line) + 1
	}
	return rows, end
}

// readDown adds the cells of a table, column by column.
func readDown(rows [][]span, down *builder) {
	if len(rows[0]) < 2 {
		return
	}
	for i := range rows[0] {
		for _, row := range rows {
			if i < len(row) && row[i].to > row[i].from {
				down.keep(row[i].from, row[i].to)
				down.add(" ", row[i].to-1, row[i].to)
			}
		}
	}
}

const (
	minRows     = 3
	maxRows     = 256
	maxFragment = 24 // a longer line, item or cell is complete
)

// cellsOf returns the cells of a table's row, or the text of a short line or list
// item in prose; nil for any other line.
func cellsOf(line string, at int) []span {
	from, to := trim(line, 0, len(line))
	if from == to {
		return nil
	}
	if line[from] != '|' {
		if strings.ContainsAny(line, "(){}[]=;<>:+/\\\"") {
			return nil // code, settings
		}
		for from < to && !wordByteAt(line, from) { // a bullet, a number
			from++
		}
		if n := strings.IndexAny(line[from:to], ".)"); n > 0 && n <= 3 && digitsOnly(line[from:from+n]) {
			from, to = trim(line, from+n+1, to)
		}
		if from == to || to-from > maxFragment {
			return nil
		}
		return []span{{at + from, at + to}}
	}
	var cells []span
	for from < to {
		from++ // the bar
		next := from
		for next < to && line[next] != '|' {
			next++
		}
		if start, end := trim(line, from, next); end > start || next < to {
			if end-start > maxFragment {
				return nil
			}
			if strings.Trim(line[start:end], "-:") == "" {
				end = start
			}
			cells = append(cells, span{at + start, at + end})
		}
		from = next
	}
	return cells
}

func lineAt(s string, at int) string {
	line, _, _ := strings.Cut(s[at:], "\n")
	return line
}

func trim(s string, from, to int) (int, int) {
	for from < to && s[from] <= ' ' {
		from++
	}
	for to > from && s[to-1] <= ' ' {
		to--
	}
	return from, to
}

func digitsOnly(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) || r >= utf8.RuneSelf }) < 0
}
