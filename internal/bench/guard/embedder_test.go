package guard_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/retrieve/embed"
)

// TestEmbedderGain measures what an embedder adds to the injection detector. It needs a
// file of rows {text, label, source} that the detector was not trained on:
//
//	cd internal/bench && PRODAI_INJECTION_ROWS=FILE go test -run EmbedderGain -v ./guard
//
// For each source the embedder's weights are fitted on all other sources, so that
// no figure comes from texts of a source that the weights have met.
func TestEmbedderGain(t *testing.T) {
	path := os.Getenv("PRODAI_INJECTION_ROWS")
	if path == "" {
		t.Skip("set PRODAI_INJECTION_ROWS to a file of rows")
	}
	f := must[*os.File](t)(os.Open(path))
	defer func() { _ = f.Close() }() // only read from
	type row struct {
		Text, Source string
		Label        int
	}
	sources := map[string][]row{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var r row
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		sources[r.Source] = append(sources[r.Source], r)
	}
	e := must[*embed.Embedder](t)(embed.New())
	d := must[*injection.Detector](t)(injection.New(nil))
	var without, with []scored
	for left, rows := range sources {
		var texts []string
		var attacks []bool
		for name, others := range sources {
			if name == left {
				continue
			}
			for _, r := range others {
				texts, attacks = append(texts, r.Text), append(attacks, r.Label == 1)
			}
		}
		w := must[*injection.EmbedderWeights](t)(d.FitEmbedder(context.Background(), e, texts, attacks))
		both := must[*injection.Detector](t)(injection.New(&injection.Options{Embedder: e, EmbedderWeights: w}))
		for _, r := range rows {
			without = append(without, scored{d.Inspect(r.Text).Score, r.Label == 1})
			with = append(with, scored{must[injection.Report](t)(both.InspectContext(context.Background(), r.Text)).Score, r.Label == 1})
		}
	}
	t.Logf("without the embedder: AUC %.3f, recall at 3 %% false positives %.3f", area(without), recallAt(without, .03))
	t.Logf("with it:              AUC %.3f, recall at 3 %% false positives %.3f", area(with), recallAt(with, .03))
	if a := area(with); math.IsNaN(a) || a < .5 {
		t.Errorf("the area with the embedder is %v", a)
	}
}

type scored struct {
	score  float64
	attack bool
}

// area returns the area under the ROC curve.
func area(x []scored) float64 {
	x = slices.SortedFunc(slices.Values(x), func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	pairs, harmless, attacks := 0.0, 0.0, 0.0
	for _, s := range x {
		if s.attack {
			pairs += harmless
			attacks++
		} else {
			harmless++
		}
	}
	return pairs / (harmless * attacks)
}

// recallAt returns the share of attacks above all but a share of the harmless texts.
func recallAt(x []scored, share float64) float64 {
	var harmless []float64
	for _, s := range x {
		if !s.attack {
			harmless = append(harmless, s.score)
		}
	}
	slices.Sort(harmless)
	limit := harmless[len(harmless)-1-int(share*float64(len(harmless)))]
	hits, attacks := 0, 0
	for _, s := range x {
		if s.attack {
			attacks++
			if s.score > limit {
				hits++
			}
		}
	}
	return float64(hits) / float64(attacks)
}
