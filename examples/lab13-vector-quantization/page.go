package main

import (
	"fmt"

	"github.com/prodailabs/prodai/examples/plot"
)

// page shows recall against bits, a line for each number of candidates.
func (l *lab) page(rows []row, n, dim int) *plot.Page {
	chart := &plot.Chart{
		Title:   "Recall against bits",
		Caption: "Each point is one quantizer; the lines join those of the product quantizer. Further to the left is smaller, higher finds more.",
		X:       plot.Axis{Label: "bits an element", Log: true, Min: plot.Fixed(.2), Max: plot.Fixed(20)},
		Y:       plot.Axis{Label: fmt.Sprintf("share of the %d nearest that are found", l.k), Min: plot.Fixed(0), Max: plot.Fixed(1)},
	}
	table := &plot.Table{Title: "The quantizers", Head: []string{"quantizer", "bits an element", "bytes a vector", "GB for a million", "lost"}}
	for j, f := range factors {
		name := fmt.Sprintf("%dk ranked again", f)
		if f == 1 {
			name = "codes alone"
		}
		table.Head = append(table.Head, name)
		line := plot.Series{Name: "product, " + name}
		others := plot.Series{Name: "others, " + name, Kind: plot.Points}
		for _, r := range rows {
			s := &others
			if r.family == "product" {
				s = &line
			}
			s.X, s.Y = append(s.X, r.bits), append(s.Y, r.recall[j])
		}
		chart.Series = append(chart.Series, line, others)
	}
	for _, r := range rows {
		cells := []string{r.name, fmt.Sprintf("%.2f", r.bits), fmt.Sprint(r.bytes), fmt.Sprintf("%.2f", float64(r.bytes)/1000), fmt.Sprintf("%.4f", r.lost)}
		for _, recall := range r.recall {
			cells = append(cells, fmt.Sprintf("%.3f", recall))
		}
		table.Rows = append(table.Rows, cells)
	}
	return &plot.Page{Title: "Vectors in fewer bits", Sections: []plot.Section{
		plot.Text(fmt.Sprintf("%d vectors of %d elements. A vector of float32 has 32 bits an element. From the right: 16, 8, then the product codes; binary codes have 1 bit.", n, dim)),
		chart, table,
	}}
}
