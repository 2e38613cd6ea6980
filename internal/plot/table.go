package plot

import (
	"html"
	"strings"
)

// A Table is rows of cells under a head. A column whose cells all look like
// numbers is set to the right.
type Table struct {
	Title, Caption string
	Head           []string
	Rows           [][]string
}

func (t *Table) render(w *writer) {
	numeric := make([]bool, len(t.Head))
	for i := range t.Head {
		numeric[i] = len(t.Rows) > 0
		for _, row := range t.Rows {
			if i < len(row) && !looksNumeric(row[i]) {
				numeric[i] = false
			}
		}
	}
	cell := func(tag, text string, i int) {
		class := ""
		if i < len(numeric) && numeric[i] {
			class = " class=\"n\""
		}
		w.printf("<%s%s>%s</%s>", tag, class, html.EscapeString(text), tag)
	}
	w.figure(t.Title, t.Caption, func() {
		w.printf("<div class=\"scroll\"><table><thead><tr>")
		for i, h := range t.Head {
			cell("th", h, i)
		}
		w.printf("</tr></thead>\n<tbody>\n")
		for _, row := range t.Rows {
			w.printf("<tr>")
			for i, c := range row {
				cell("td", c, i)
			}
			w.printf("</tr>\n")
		}
		w.printf("</tbody></table></div>\n")
	})
}

func looksNumeric(s string) bool {
	s = strings.TrimSpace(s)
	return s == "" || strings.ContainsRune("0123456789+-.−–", []rune(s)[0])
}
