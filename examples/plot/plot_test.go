package plot_test

import (
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/examples/plot"
)

func Example() {
	page := plot.Page{Title: "Latency", Sections: []plot.Section{
		plot.Text("One line for each model."),
		&plot.Chart{
			X:      plot.Axis{Label: "time", Unit: "s"},
			Y:      plot.Axis{Label: "latency", Unit: "s", Min: plot.Fixed(0)},
			Series: []plot.Series{{Name: "small", X: []float64{0, 1, 2}, Y: []float64{0.4, 0.5, 0.3}}},
			Rules:  []plot.Rule{{Name: "promised", At: 0.6}},
		},
	}}
	var html strings.Builder
	err := page.Render(&html)
	fmt.Println(strings.Count(html.String(), "<figure>"), strings.Contains(html.String(), "promised"), err)
	// Output: 1 true <nil>
}
