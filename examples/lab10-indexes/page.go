package main

import (
	"fmt"

	"github.com/prodailabs/prodai/examples/plot"
)

// page shows recall against speed, a line for each index.
func (l *lab) page(families []family, n int) *plot.Page {
	chart := &plot.Chart{
		Title:   "Recall against speed",
		Caption: "Each line is one index, each point a setting of its search. Further to the right finds more, higher is faster. The rule is the exact search.",
		X:       plot.Axis{Label: fmt.Sprintf("share of the %d nearest that are found", l.k)},
		Y:       plot.Axis{Label: "searches", Unit: "1/s", Log: true},
	}
	table := &plot.Table{Title: "The settings", Head: []string{"index", "setting", "recall", "µs a search"}}
	builds := &plot.Bars{Title: "Time to build", Y: plot.Axis{Label: "time", Unit: "s"}}
	build := plot.BarSeries{Name: "adding all vectors, and learning"}
	for i, f := range families {
		series := plot.Series{Name: f.name}
		for _, s := range f.settings {
			rate := 1e9 / float64(max(1, s.each.Nanoseconds()))
			series.X, series.Y = append(series.X, s.recall), append(series.Y, rate)
			table.Rows = append(table.Rows, []string{f.name, s.name, fmt.Sprintf("%.3f", s.recall), fmt.Sprintf("%.0f", float64(s.each.Nanoseconds())/1000)})
			if i == 0 {
				chart.Rules = append(chart.Rules, plot.Rule{Name: "exact", At: rate})
			}
		}
		if i > 0 {
			chart.Series = append(chart.Series, series)
		}
		builds.Groups = append(builds.Groups, f.name)
		build.Values = append(build.Values, f.build.Seconds())
	}
	builds.Series = []plot.BarSeries{build}
	return &plot.Page{Title: "Indexes compared", Sections: []plot.Section{
		plot.Text(fmt.Sprintf("%d vectors. An index is better if its line lies higher at the recall you need. Times of one run are for comparison with each other only.", n)),
		chart, builds, table,
	}}
}
