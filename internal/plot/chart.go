package plot

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is how a series is drawn.
type Kind uint8

// The kinds of series.
const (
	Line   Kind = iota // points joined in order
	Step               // a value holds until the next point
	Points             // dots
)

// A Series is one named sequence of points. X and Y have the same length; the
// longer one is cut. A point with NaN or an infinity breaks the line. Low and
// High, if as long as X, draw a band around a line or error bars on dots.
type Series struct {
	Name      string
	Kind      Kind
	X, Y      []float64
	Low, High []float64
}

// A Rule is a named straight line across the chart, at a value of the Y axis or,
// if it is Vertical, of the X axis.
type Rule struct {
	Name     string
	At       float64
	Vertical bool
}

// A Chart shows series over two numeric axes.
type Chart struct {
	Title, Caption string
	X, Y           Axis
	Series         []Series
	Rules          []Rule
	Height         float64 // in SVG units of a 900 wide figure; 0: 360
}

// maxPoints is how many points a drawn line keeps, because more can't be seen. The
// extremes of each part are kept, so that a spike never disappears.
const maxPoints = 2000

func (c *Chart) render(w *writer) {
	height := c.Height
	if height <= 0 {
		height = 360
	}
	var xs, ys []float64
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		names[i] = s.Name
		xs = append(xs, s.X...)
		ys = append(ys, s.Y...)
		if s.banded() {
			ys = append(append(ys, s.Low...), s.High...)
		}
	}
	for _, r := range c.Rules {
		if r.Vertical {
			xs = append(xs, r.At)
		} else {
			ys = append(ys, r.At)
		}
	}
	x := newScale(c.X, xs, left, width-right)
	y := newScale(c.Y, ys, height-bottom, top)
	w.figure(c.Title, c.Caption, func() {
		w.legend(names)
		w.printf("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n", width, height, html.EscapeString(c.Title))
		w.frame(x, y, height, true)
		w.printf("<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" viewBox=\"%.1f %.1f %.1f %.1f\" style=\"overflow:hidden\">\n",
			left, top-6, width-right-left, height-bottom-top+12, left, top-6, width-right-left, height-bottom-top+12)
		for i, s := range c.Series {
			w.series(s, i%colors, x, y)
		}
		w.printf("</svg>\n")
		for _, r := range c.Rules {
			w.rule(r, x, y, height)
		}
		w.printf("</svg>\n")
	})
}

func (s Series) banded() bool {
	return len(s.Low) == len(s.X) && len(s.High) == len(s.X) && len(s.X) > 0
}

func (w *writer) series(s Series, color int, x, y scale) {
	n := min(len(s.X), len(s.Y))
	if s.Kind == Points {
		w.dots(s, n, color, x, y)
		return
	}
	if s.banded() {
		w.band(s, n, color, x, y)
	}
	var d strings.Builder
	pen := false
	var lastY float64
	for _, i := range thin(s.Y[:n], maxPoints) {
		if !x.axis.usable(s.X[i]) || !y.axis.usable(s.Y[i]) {
			pen = false
			continue
		}
		px, py := x.at(s.X[i]), y.at(s.Y[i])
		switch {
		case !pen:
			d.WriteString("M")
		case s.Kind == Step:
			d.WriteString("L" + coord(px, lastY) + "L")
		default:
			d.WriteString("L")
		}
		d.WriteString(coord(px, py))
		pen, lastY = true, py
	}
	w.printf("<path class=\"l s%d\" d=\"%s\"><title>%s</title></path>\n", color, d.String(), html.EscapeString(s.Name))
}

func (w *writer) dots(s Series, n, color int, x, y scale) {
	for i := range n {
		if !x.axis.usable(s.X[i]) || !y.axis.usable(s.Y[i]) {
			continue
		}
		px := x.at(s.X[i])
		if s.banded() && y.axis.usable(s.Low[i]) && y.axis.usable(s.High[i]) {
			w.errorBar(px, y.at(s.Low[i]), y.at(s.High[i]))
		}
		w.printf("<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s %s, %s</title></circle>\n",
			color, px, y.at(s.Y[i]), html.EscapeString(s.Name), number(s.X[i]), number(s.Y[i]))
	}
}

func (w *writer) band(s Series, n, color int, x, y scale) {
	var upper, lower []string
	for _, i := range thin(s.Y[:n], maxPoints) {
		if x.axis.usable(s.X[i]) && y.axis.usable(s.Low[i]) && y.axis.usable(s.High[i]) {
			upper = append(upper, coord(x.at(s.X[i]), y.at(s.High[i])))
			lower = append(lower, coord(x.at(s.X[i]), y.at(s.Low[i])))
		}
	}
	if len(upper) == 0 {
		return
	}
	slices.Reverse(lower)
	w.printf("<path class=\"b f%d\" d=\"M%sL%sZ\"/>\n", color, strings.Join(upper, "L"), strings.Join(lower, "L"))
}

func (w *writer) errorBar(px, low, high float64) {
	w.printf("<path class=\"e\" d=\"M%sV%.1fM%sh8M%sh8\"/>", coord(px, low), high, coord(px-4, low), coord(px-4, high))
}

func (w *writer) rule(r Rule, x, y scale, height float64) {
	name := html.EscapeString(r.Name)
	if r.Vertical && x.axis.usable(r.At) {
		px := x.at(r.At)
		w.printf("<line class=\"rule\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"rulename\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			px, px, top, height-bottom, px+5, top+10, name)
	}
	if !r.Vertical && y.axis.usable(r.At) {
		py := y.at(r.At)
		w.printf("<line class=\"rule\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"rulename\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			left, width-right, py, py, width-right-4, py-5, name)
	}
}

func coord(x, y float64) string {
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
}

// thin returns the indexes of about n values at most: all of them if they are few,
// else the lowest and highest of each of n/2 parts, in order.
func thin(v []float64, n int) []int {
	if len(v) <= n {
		all := make([]int, len(v))
		for i := range all {
			all[i] = i
		}
		return all
	}
	out := make([]int, 0, n+2)
	buckets := n / 2
	for b := range buckets {
		from, to := b*len(v)/buckets, (b+1)*len(v)/buckets
		lo, hi := from, from
		for i := from; i < to; i++ {
			if v[i] < v[lo] || math.IsNaN(v[lo]) {
				lo = i
			}
			if v[i] > v[hi] || math.IsNaN(v[hi]) {
				hi = i
			}
		}
		out = append(out, min(lo, hi))
		if lo != hi {
			out = append(out, max(lo, hi))
		}
	}
	return out
}
