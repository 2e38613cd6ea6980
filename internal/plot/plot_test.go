package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func render(t testing.TB, s ...Section) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, (&Page{Title: "T <&>", Sections: s}).Render(&b))
	return b.String()
}

// wellFormed checks the body as XML. The output is XML except for the doctype and
// the void meta elements.
func wellFormed(t testing.TB, page string) {
	t.Helper()
	_, body, ok := strings.Cut(page, "<body>")
	require.True(t, ok)
	body, _, ok = strings.Cut(body, "</body>")
	require.True(t, ok)
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else {
			require.NoError(t, err)
		}
	}
}

func TestPageIsSelfContainedAndEscaped(t *testing.T) {
	page := render(t,
		Text("a <b>\n\nsecond"),
		&Chart{Title: "<script>", Caption: "&", X: Axis{Label: "time", Unit: "s"}, Series: []Series{
			{Name: "\"q\"", X: []float64{0, 1, 2}, Y: []float64{1, math.NaN(), 3}, Low: []float64{0, 0, 2}, High: []float64{2, 2, 4}},
			{Name: "dots", Kind: Points, X: []float64{0, 1}, Y: []float64{1, 2}},
			{Name: "step", Kind: Step, X: []float64{0, 1}, Y: []float64{1, 2}},
		}, Rules: []Rule{{Name: "limit", At: 2}, {Name: "now", At: 1, Vertical: true}}},
		&Bars{Title: "bars", Groups: []string{"a", "<g>"}, Series: []BarSeries{{Name: "s", Values: []float64{1, -2}, Low: []float64{0, -3}, High: []float64{2, -1}}}},
		&Table{Head: []string{"name", "n"}, Rows: [][]string{{"<x>", "1.5"}, {"y", "−2"}}},
		Histogram("h", "v", []float64{1, 2, 2, 3, math.Inf(1)}, 0),
	)
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "http")
	require.Contains(t, page, "T &lt;&amp;&gt;")
	require.Contains(t, page, `<td class="n">1.5</td>`)
	wellFormed(t, page)
}

func TestEmptyFiguresRender(t *testing.T) {
	wellFormed(t, render(t, &Chart{}, &Bars{}, &Table{}, Histogram("", "", nil, 0), Text("")))
	wellFormed(t, render(t, &Chart{X: Axis{Log: true}, Y: Axis{Log: true}, Series: []Series{{X: []float64{1, -1}, Y: []float64{0, 1}}}}))
}

func TestTicksAreRoundAndInside(t *testing.T) {
	s := newScale(Axis{}, []float64{0, 97}, 0, 100)
	require.Equal(t, []float64{0, 20, 40, 60, 80}, s.ticks())
	s = newScale(Axis{Log: true}, []float64{1, 1000}, 0, 100)
	require.InDeltaSlice(t, []float64{1, 10, 100, 1000}, s.ticks(), 1e-9)
	require.InDelta(t, 100.0/3, s.at(10), 1e-9)
}

func TestThinKeepsTheSpike(t *testing.T) {
	v := make([]float64, 100_000)
	v[54_321] = 9
	kept := thin(v, maxPoints)
	require.LessOrEqual(t, len(kept), maxPoints)
	require.Contains(t, kept, 54_321)
	require.IsIncreasing(t, kept)
}

func TestHistogramCountsEverything(t *testing.T) {
	sum := 0.0
	for _, n := range Histogram("", "", []float64{1, 2, 3, 4, 4}, 3).Series[0].Y {
		sum += n
	}
	require.Equal(t, 5.0, sum)
}

func TestNumbersForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1234: "1234", 12345: "12.35k", 2.5e6: "2.5M", 0.00012: "0.00012", -30000: "-30k"} {
		require.Equal(t, want, number(v))
	}
}

func TestWriterErrorComesBack(t *testing.T) {
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(io.ErrClosedPipe))
	require.ErrorIs(t, (&Page{Sections: []Section{Text(strings.Repeat("x", 1<<20))}}).Render(w), io.ErrClosedPipe)
}

func FuzzChart(f *testing.F) {
	f.Add(1.0, 2.0, math.NaN(), false)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 0.0, true)
	f.Add(math.Inf(1), 1e-320, 5.0, true)
	f.Fuzz(func(t *testing.T, a, b, c float64, log bool) {
		v := []float64{a, b, c}
		wellFormed(t, render(t, &Chart{X: Axis{Log: log}, Y: Axis{Log: log}, Series: []Series{{X: v, Y: v, Low: v, High: v}, {Kind: Points, X: v, Y: v}}},
			&Bars{Groups: []string{"a", "b", "c"}, Series: []BarSeries{{Values: v}}}, Histogram("", "", v, 0)))
	})
}
