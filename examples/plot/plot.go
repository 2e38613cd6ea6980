// Package plot draws the figures of the labs as one self-contained HTML page:
// inline SVG, no script, no request to another server, for light and dark screens.
//
//	page := plot.Page{Title: "Retries under overload", Sections: []plot.Section{
//		plot.Text("Each line is one strategy."),
//		&plot.Chart{
//			Title:  "Goodput",
//			X:      plot.Axis{Label: "time", Unit: "s"},
//			Y:      plot.Axis{Label: "answers", Unit: "1/s", Min: plot.Fixed(0)},
//			Series: []plot.Series{{Name: "no retries", X: seconds, Y: goodput}},
//			Rules:  []plot.Rule{{Name: "capacity", At: 40}},
//		},
//	}}
//	err := page.WriteFile("retries.html")
//
// The types are plain structs; each comment lists the fields.
package plot

import "github.com/prodailabs/prodai/internal/plot"

type (
	// A Page is a Title and its Sections, top to bottom. Render writes it to an
	// io.Writer, WriteFile to a named file.
	Page = plot.Page

	// A Section is one block of a page: a [Text], *[Chart], *[Bars] or *[Table].
	Section = plot.Section

	// A Text is a paragraph of plain text; a blank line begins another.
	Text = plot.Text

	// A Chart shows Series over two numeric axes, X and Y, with a Title, a Caption
	// and Rules. Height is in SVG units of a figure 900 units wide. Default: 360.
	Chart = plot.Chart

	// A Series is a Name and points (X and Y, of the same length), drawn according
	// to its Kind. A point with NaN or an infinity breaks the line. Low and High,
	// if they are as long as X, draw a band around a line or error bars on points.
	Series = plot.Series

	// Kind is how a series is drawn.
	Kind = plot.Kind

	// Bars shows a value of each Series for each named group in Groups, with a
	// Title, a Caption, a value axis Y, which always includes 0, and Rules.
	Bars = plot.Bars

	// A BarSeries is a Name and one of the Values for each group; NaN leaves a
	// gap. Low and High, if they are as long as Values, draw error bars.
	BarSeries = plot.BarSeries

	// A Table is Rows of cells under a Head, with a Title and a Caption. A column
	// whose cells all look like numbers is aligned to the right.
	Table = plot.Table

	// An Axis has a Label and a Unit. Min and Max are its ends. Default: from the
	// data. Log makes it logarithmic (base 10), Zero includes 0 in a range that is
	// taken from the data.
	Axis = plot.Axis

	// A Bound is an end of an axis. The zero Bound is taken from the data.
	Bound = plot.Bound

	// A Rule is a straight line with a Name across the chart. It is at the value At
	// of the Y axis or, if it is Vertical, of the X axis.
	Rule = plot.Rule
)

// The kinds of series.
const (
	Line   = plot.Line   // points joined in order
	Step   = plot.Step   // a value stays until the next point
	Points = plot.Points // dots
)

// Fixed returns a [Bound] at v.
func Fixed(v float64) Bound { return plot.Fixed(v) }

// Histogram counts the values in equal bins and shows them as a stepped chart.
// With bins <= 0 the Freedman-Diaconis rule chooses the number, at most 60.
// Values that are not finite are left out.
func Histogram(title, label string, values []float64, bins int) *Chart {
	return plot.Histogram(title, label, values, bins)
}
