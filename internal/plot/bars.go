package plot

import (
	"html"
	"math"
	"slices"
)

// A BarSeries is one value for each group of a [Bars] figure; NaN leaves a
// gap. Low and High, if as long as Values, draw error bars.
type BarSeries struct {
	Name      string
	Values    []float64
	Low, High []float64
}

// Bars shows a value, or one of each series, for each named group. The value
// axis always includes 0: a bar's length is what is compared.
type Bars struct {
	Title, Caption string
	Groups         []string
	Y              Axis
	Series         []BarSeries
	Rules          []Rule // only those that are not Vertical
}

// rowHeight is a bar's thickness in SVG units. Groups are below each other so that
// their names can be read.
const rowHeight = 20.0

func (b *Bars) render(w *writer) {
	axis := b.Y
	axis.Log, axis.Zero = false, true
	var values []float64
	names := make([]string, len(b.Series))
	for i, s := range b.Series {
		names[i] = s.Name
		values = append(append(append(values, s.Values...), s.Low...), s.High...)
	}
	for _, r := range b.Rules {
		if !r.Vertical {
			values = append(values, r.At)
		}
	}
	longest := 0
	for _, g := range b.Groups {
		longest = max(longest, len([]rune(g)))
	}
	label := min(24+7.2*float64(longest), width/2)
	x := newScale(axis, values, label, width-right-52)
	group := rowHeight*float64(max(len(b.Series), 1)) + 10
	height := top + group*float64(len(b.Groups)) + bottom
	w.figure(b.Title, b.Caption, func() {
		w.legend(names)
		w.printf("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n", width, height, html.EscapeString(b.Title))
		for _, v := range x.ticks() {
			w.printf("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
				x.at(v), x.at(v), top, height-bottom+4, x.at(v), height-bottom+19, number(v))
		}
		w.printf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", (label+width-right)/2, height-6, html.EscapeString(axis.name()))
		for g, name := range b.Groups {
			y := top + group*float64(g)
			w.printf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", label-8, y+(group-10)/2+4, html.EscapeString(name))
			for i, s := range b.Series {
				w.bar(s, g, i%colors, x, y+rowHeight*float64(i), name)
			}
		}
		for _, r := range b.Rules {
			if !r.Vertical && axis.usable(r.At) {
				px := x.at(r.At)
				w.printf("<line class=\"rule\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"rulename\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
					px, px, top-4, height-bottom, px+4, top-4, html.EscapeString(r.Name))
			}
		}
		w.printf("</svg>\n")
	})
}

func (w *writer) bar(s BarSeries, g, color int, x scale, y float64, group string) {
	if g >= len(s.Values) || !x.axis.usable(s.Values[g]) {
		return
	}
	v := s.Values[g]
	from, to := x.at(0), x.at(v)
	w.printf("<rect class=\"f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"><title>%s %s: %s</title></rect>",
		color, min(from, to), y+2, max(math.Abs(to-from), 1), rowHeight-4, html.EscapeString(group), html.EscapeString(s.Name), number(v))
	end := max(from, to)
	if g < len(s.Low) && g < len(s.High) && x.axis.usable(s.Low[g]) && x.axis.usable(s.High[g]) {
		mid := y + rowHeight/2
		low, high := x.at(s.Low[g]), x.at(s.High[g])
		w.printf("<path class=\"e\" d=\"M%sH%.1fM%sv8M%sv8\"/>", coord(low, mid), high, coord(low, mid-4), coord(high, mid-4))
		end = max(end, high)
	}
	w.printf("<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", end+6, y+rowHeight/2+4.5, number(v))
}

// Histogram counts the values in equal bins and shows them as a stepped chart.
// bins <= 0 takes the Freedman-Diaconis rule, at most 60. Values that are not
// finite are left out.
func Histogram(title, label string, values []float64, bins int) *Chart {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	c := &Chart{Title: title, X: Axis{Label: label}, Y: Axis{Label: "count", Zero: true}, Height: 260}
	if len(v) == 0 {
		return c
	}
	slices.Sort(v)
	lo, hi := v[0], v[len(v)-1]
	if bins <= 0 {
		iqr := v[len(v)*3/4] - v[len(v)/4]
		w := 2 * iqr / math.Cbrt(float64(len(v)))
		bins = 10
		if n := math.Ceil((hi - lo) / w); n >= 1 && !math.IsInf(w, 0) {
			bins = int(min(n, 60))
		}
	}
	if lo == hi {
		bins, lo, hi = 1, lo-0.5, hi+0.5
	}
	counts := make([]float64, bins)
	for _, x := range v {
		i := int((x/2 - lo/2) / (hi/2 - lo/2) * float64(bins))
		counts[min(max(i, 0), bins-1)]++
	}
	s := Series{Kind: Step, X: []float64{lo}, Y: []float64{0}}
	for i, n := range counts {
		s.X = append(s.X, lo+(hi-lo)*float64(i)/float64(bins))
		s.Y = append(s.Y, n)
	}
	s.X, s.Y = append(s.X, hi), append(s.Y, 0)
	c.Series = []Series{s}
	return c
}
