// Package plot draws figures as one self-contained HTML page: inline SVG, no
// script, no external request, light and dark.
//
//	page := plot.Page{Title: "Retries under overload", Sections: []plot.Section{
//		plot.Text("Each line is one strategy."),
//		&plot.Chart{Title: "Goodput", X: plot.Axis{Label: "time", Unit: "s"}, Series: series},
//	}}
//	err := page.Render(w)
package plot

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"strings"
)

// A Page is a title and the sections below it, from top to bottom.
type Page struct {
	Title    string
	Sections []Section
}

// A Section is one block of a page: [Text], [*Chart], [*Bars] or [*Table].
type Section interface {
	render(w *writer)
}

// A Text is a paragraph of plain text; a blank line begins another.
type Text string

func (t Text) render(w *writer) {
	for par := range strings.SplitSeq(string(t), "\n\n") {
		w.printf("<p>%s</p>\n", html.EscapeString(strings.TrimSpace(par)))
	}
}

// Render writes the page. The only errors are w's.
func (p *Page) Render(out io.Writer) error {
	w := &writer{b: bufio.NewWriter(out)}
	title := html.EscapeString(p.Title)
	w.printf("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>%s</style></head>\n<body><main>\n<h1>%s</h1>\n",
		title, style, title)
	for _, s := range p.Sections {
		s.render(w)
	}
	w.printf("</main></body></html>\n")
	if w.err == nil {
		w.err = w.b.Flush()
	}
	return w.err
}

// WriteFile writes the page to the named file, and replaces an older one.
func (p *Page) WriteFile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(p.Render(f), f.Close())
}

// writer formats into a buffered writer and keeps the first error.
type writer struct {
	b   *bufio.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.b, format, args...)
	}
}

// figure wraps body in a figure with a title above and a caption below.
func (w *writer) figure(title, caption string, body func()) {
	w.printf("<figure>\n")
	if title != "" {
		w.printf("<h2>%s</h2>\n", html.EscapeString(title))
	}
	body()
	if caption != "" {
		w.printf("<figcaption>%s</figcaption>\n", html.EscapeString(caption))
	}
	w.printf("</figure>\n")
}

// legend lists the names of a figure's series beside their colors.
func (w *writer) legend(names []string) {
	shown := 0
	for _, n := range names {
		if n != "" {
			shown++
		}
	}
	if shown == 0 {
		return
	}
	w.printf("<div class=\"legend\">")
	for i, n := range names {
		if n != "" {
			w.printf("<span><i class=\"c%d\"></i>%s</span>", i%colors, html.EscapeString(n))
		}
	}
	w.printf("</div>\n")
}

// colors is the number of series colors (Okabe and Ito's palette, which
// stays apart for the color-blind); further series start over.
const colors = 8

const style = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#62676e;--line:#d9dce1;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#cc79a7;--c4:#b8860b;--c5:#56b4e9;--c6:#6a3d9a;--c7:#555}
@media(prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e6e8eb;--dim:#9aa0a8;--line:#34383e;
--c0:#4aa8e0;--c1:#f08a3c;--c2:#2fc79a;--c3:#e49cc4;--c4:#e6b422;--c5:#8fd0f5;--c6:#b08be0;--c7:#a9adb3}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}
h2{font-size:1.1rem;margin:0 0 .4rem}figure{margin:2rem 0}figcaption{color:var(--dim);font-size:.9rem;margin-top:.4rem}
svg{display:block;width:100%;height:auto;overflow:visible}svg text{fill:var(--dim);font-size:13px;font-family:inherit}
.grid{stroke:var(--line);stroke-width:1}.rule{stroke:var(--fg);stroke-dasharray:5 4;stroke-width:1.2}svg text.rulename{fill:var(--fg)}
.l{fill:none;stroke-width:2;stroke-linejoin:round}.b{opacity:.16;stroke:none}.e{stroke:var(--fg);stroke-width:1.3;opacity:.75}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.9rem;margin-bottom:.3rem}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
.n{text-align:right}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.s6{stroke:var(--c6)}.s7{stroke:var(--c7)}
.f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}.f4{fill:var(--c4)}.f5{fill:var(--c5)}.f6{fill:var(--c6)}.f7{fill:var(--c7)}
.c0{background:var(--c0)}.c1{background:var(--c1)}.c2{background:var(--c2)}.c3{background:var(--c3)}.c4{background:var(--c4)}.c5{background:var(--c5)}.c6{background:var(--c6)}.c7{background:var(--c7)}
`
