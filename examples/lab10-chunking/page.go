package main

import (
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/examples/plot"
)

// figures is the comparison as a page.
func figures(cuts []cutting, rows []row, questions, budget int) *plot.Page {
	page := &plot.Page{Title: "Chunkers compared"}
	table := &plot.Table{Title: "Sizes", Head: []string{"chunker", "chunks", "tokens each"}}
	for _, r := range rows {
		table.Rows = append(table.Rows, []string{r.name, fmt.Sprint(r.result.Chunks), fmt.Sprintf("%.0f", r.result.MeanTokens)})
	}
	page.Sections = []plot.Section{plot.Text("No questions were given, so there is nothing to retrieve.")}
	if questions > 0 {
		page.Sections = charts(rows, questions, budget)
	}
	page.Sections = append(page.Sections, table)
	for _, c := range cuts {
		page.Sections = append(page.Sections, c.table())
	}
	return page
}

// charts are the figures of a comparison.
func charts(rows []row, questions, budget int) []plot.Section {
	return []plot.Section{
		plot.Text(fmt.Sprintf("%d questions. On the left of each figure are chunkers that make short passages. The first figure counts five passages however long they are; the second stops at %d tokens. Bars are 95 %% intervals over the questions.", questions, budget)),
		scatter("Recall of the five best passages", "longer passages bring more text, so they win", rows, chunkeval.Recall),
		scatter(fmt.Sprintf("Recall at %d tokens", budget), "the same text budget for each: length is no longer an advantage", rows, chunkeval.BudgetRecall),
		scatter("Precision-omega", "what precision a perfect ranking could reach: how closely the cuts follow the answers", rows, chunkeval.PrecisionOmega),
	}
}

// scatter shows a metric over the length of passages, a series for each kind of
// chunker.
func scatter(title, caption string, rows []row, m chunkeval.Metric) *plot.Chart {
	c := &plot.Chart{Title: title, Caption: caption, X: plot.Axis{Label: "mean length of a passage", Unit: "tokens", Min: plot.Fixed(0), Max: plot.Fixed(450)}, Y: plot.Axis{Label: title}}
	at := map[string]int{}
	for _, r := range rows {
		kind, size, _ := strings.Cut(r.name, " ")
		if strings.HasSuffix(size, "/200") {
			kind = "windows, half overlapping"
		}
		i, ok := at[kind]
		if !ok {
			i = len(c.Series)
			at[kind] = i
			c.Series = append(c.Series, plot.Series{Name: kind, Kind: plot.Points})
		}
		e := r.result.Mean(m)
		s := &c.Series[i]
		s.X, s.Y = append(s.X, r.result.MeanTokens), append(s.Y, e.Mean)
		s.Low, s.High = append(s.Low, e.Low), append(s.High, e.High)
	}
	return c
}
