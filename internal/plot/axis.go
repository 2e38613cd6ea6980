package plot

import (
	"html"
	"math"
	"strconv"
)

// An Axis is the scale and the name of one direction of a figure. The range is
// taken from the data unless Min or Max is [Fixed].
type Axis struct {
	Label string // what is shown
	Unit  string // written after the label: "s", "%"
	Min   Bound  // lower end. Default: from the data
	Max   Bound  // upper end. Default: from the data
	Log   bool   // logarithmic, base 10; values that are not positive are left out
	Zero  bool   // the range taken from the data includes 0
}

// A Bound is an end of an axis. The zero Bound is taken from the data.
type Bound struct {
	value float64
	fixed bool
}

// Fixed returns a Bound at v.
func Fixed(v float64) Bound { return Bound{v, true} }

// name is the axis title.
func (a Axis) name() string {
	if a.Unit == "" {
		return a.Label
	}
	return a.Label + " (" + a.Unit + ")"
}

// usable reports whether the axis can show v.
func (a Axis) usable(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!a.Log || v > 0)
}

// scale maps values to pixels.
type scale struct {
	axis   Axis
	lo, hi float64 // range shown, as values
	a, b   float64 // pixels of lo and hi
}

// newScale fits an axis to the values it has to show, between pixels a and b.
func newScale(axis Axis, values []float64, a, b float64) scale {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if axis.usable(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if axis.Zero && !axis.Log {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	if axis.Min.fixed && axis.usable(axis.Min.value) {
		lo = axis.Min.value
	}
	if axis.Max.fixed && axis.usable(axis.Max.value) {
		hi = axis.Max.value
	}
	switch {
	case lo > hi && axis.Log: // nothing to show
		lo, hi = 1, 10
	case lo > hi:
		lo, hi = 0, 1
	case lo == hi && axis.Log:
		lo, hi = max(lo/2, math.SmallestNonzeroFloat64), min(hi*2, math.MaxFloat64)
	case lo == hi:
		pad := max(math.Abs(lo)/2, 0.5)
		lo, hi = max(lo-pad, -math.MaxFloat64), min(hi+pad, math.MaxFloat64)
	}
	return scale{axis: axis, lo: lo, hi: hi, a: a, b: b}
}

func (s scale) at(v float64) float64 {
	lo, hi := s.lo, s.hi
	if s.axis.Log {
		v, lo, hi = math.Log10(v), math.Log10(lo), math.Log10(hi)
	}
	// Halved so that a range wider than the largest float doesn't overflow.
	return s.a + (v/2-lo/2)/(hi/2-lo/2)*(s.b-s.a)
}

// ticks returns about five round values within the range.
func (s scale) ticks() []float64 {
	if s.axis.Log {
		if t := s.decades(); len(t) >= 2 {
			return t
		}
	}
	step := niceStep((s.hi - s.lo) / 5)
	if !(step > 0) || math.IsInf(step, 0) {
		return []float64{s.lo, s.hi}
	}
	var out []float64
	first := math.Ceil(s.lo/step - 1e-9)
	for i := 0.0; i < 12; i++ {
		v := (first + i) * step
		if v > s.hi+step*1e-9 {
			break
		}
		if v == 0 {
			v = 0 // no minus sign
		}
		out = append(out, v)
	}
	return out
}

func (s scale) decades() []float64 {
	first, last := math.Ceil(math.Log10(s.lo)-1e-9), math.Floor(math.Log10(s.hi)+1e-9)
	every := math.Ceil((last - first + 1) / 8)
	var out []float64
	for e := first; e <= last; e += max(every, 1) {
		out = append(out, math.Pow(10, e))
	}
	return out
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(raw float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// number formats a value for people: four significant digits, k/M/G/T for the
// thousands.
func number(v float64) string {
	abs := math.Abs(v)
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if abs >= u.size && abs < 1e15 {
			if u.name == "k" {
				u.size = 1e3
			}
			return strconv.FormatFloat(v/u.size, 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// The frame that every chart shares, in SVG units.
const (
	width  = 900.0
	left   = 70.0
	right  = 16.0
	top    = 14.0
	bottom = 46.0
)

// frame draws the grid, the ticks and the axis titles.
func (w *writer) frame(x, y scale, height float64, xTicks bool) {
	for _, v := range y.ticks() {
		py := y.at(v)
		w.printf("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", left, width-right, py, py)
		w.printf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left-8, py+4, number(v))
	}
	if xTicks {
		for _, v := range x.ticks() {
			px := x.at(v)
			w.printf("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", px, px, height-bottom, height-bottom+5)
			w.printf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", px, height-bottom+19, number(v))
		}
	}
	if name := x.axis.name(); name != "" {
		w.printf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", (left+width-right)/2, height-6, html.EscapeString(name))
	}
	if name := y.axis.name(); name != "" {
		mid := (top + height - bottom) / 2
		w.printf("<text transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n", mid, html.EscapeString(name))
	}
}
