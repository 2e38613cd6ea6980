package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/prodailabs/prodai/guard/injection"
)

// A row is a labelled text.
type row struct {
	Text   string `json:"text"`
	Label  int    `json:"label"`
	Source string `json:"source"`

	rules, classifier scored
}

// A scored is what a detector makes of a text.
type scored struct {
	score   float64
	flagged bool
}

func readRows(path string) ([]row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var rows []row
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		if strings.TrimSpace(sc.Text()) == "" {
			continue
		}
		var x row
		if err := json.Unmarshal(sc.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", path, len(rows)+1, err)
		}
		if x.Label != 0 && x.Label != 1 {
			return nil, fmt.Errorf("%s, row %d: label %d, want 0 or 1", path, len(rows)+1, x.Label)
		}
		rows = append(rows, x)
	}
	return rows, sc.Err()
}

// score prints the area under the ROC curve, recall and the false-positive
// rate of the rules alone and of the classifier, overall and by source. Personal
// data and secrets are not attacks and don't count.
func (p *pipeline) score(w io.Writer, rows []row) error {
	if len(rows) == 0 {
		return fmt.Errorf("no rows to score")
	}
	rules, err := injection.New(&injection.Options{NoClassifier: true})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for i := k; i < len(rows); i += workers {
				r := rules.Inspect(rows[i].Text)
				rows[i].rules = scored{r.Score, r.Flagged}
				r = p.injection.Inspect(rows[i].Text)
				rows[i].classifier = scored{r.Score, r.Flagged}
			}
		})
	}
	wg.Wait()
	fmt.Fprintf(w, "%-44s %7s %7s   %-23s   %-23s\n", "", "", "", "rules alone", "classifier")
	fmt.Fprintf(w, "%-44s %7s %7s   %7s %7s %7s   %7s %7s %7s\n", "source", "attacks", "others", "AUC", "recall", "FPR", "AUC", "recall", "FPR")
	bySource := map[string][]row{}
	for _, r := range rows {
		bySource[r.Source] = append(bySource[r.Source], r)
	}
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		line(w, source, bySource[source])
	}
	line(w, "overall", rows)
	return nil
}

func line(w io.Writer, name string, rows []row) {
	attacks := 0
	for _, r := range rows {
		attacks += r.Label
	}
	rules := func(r row) scored { return r.rules }
	classifier := func(r row) scored { return r.classifier }
	fmt.Fprintf(w, "%-44s %7d %7d   %s   %s\n", name, attacks, len(rows)-attacks, measures(rows, rules), measures(rows, classifier))
}

// measures prints AUC, recall and false-positive rate, a dash where a class has
// no rows.
func measures(rows []row, of func(row) scored) string {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b row) int {
		return cmp.Compare(of(a).score, of(b).score)
	})
	var pairs, attacks, others, hits, alarms float64
	for i := 0; i < len(rows); {
		first := of(rows[i])
		var a, o float64
		for ; i < len(rows); i++ { // ties
			if of(rows[i]) != first {
				break
			}
			a += float64(rows[i].Label)
			o += float64(1 - rows[i].Label)
		}
		pairs += a * (others + o/2)
		attacks, others = attacks+a, others+o
		if first.flagged {
			hits, alarms = hits+a, alarms+o
		}
	}
	ratio := func(n, of float64) string {
		if of == 0 {
			return fmt.Sprintf("%7s", "-")
		}
		return fmt.Sprintf("%7.3f", n/of)
	}
	return ratio(pairs, attacks*others) + " " + ratio(hits, attacks) + " " + ratio(alarms, others)
}
