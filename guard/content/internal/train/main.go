// Command train makes toxic.bin, the weights of the toxicity classifier of package content.
//
//	go run ./guard/content/internal/train -corpus DIR -out guard/content
//	go run ./guard/content/internal/train -corpus DIR -score
//
// DIR holds the public repositories that MODEL.md names, each in a folder of its own name.
// The command trains without each source and prints what [content.Toxic] makes of it, takes
// the threshold from that, trains on all of them, and prints how the result does on sources
// that no training has seen. The same corpus gives the same bytes on the same processor
// architecture.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/prodailabs/prodai/guard/content"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/fit"
	"github.com/prodailabs/prodai/guard/internal/model"
	"github.com/prodailabs/prodai/internal/sentence"
)

// The settings were chosen with each source left out in turn.
const (
	lambda      = 1
	steps       = 60  // of the optimizer
	sourcePower = .7  // a source of n rows with a label weighs n^sourcePower
	postFPR     = .03 // at the threshold, of harmless posts in a source left out
)

type sample struct {
	example
	sentences []model.Vector
	whole     model.Vector
}

func prepare(ex *model.Extractor, all []example) []sample {
	var out []sample
	for _, e := range all {
		s := sample{example: e}
		text := injection.Normalize(e.text)
		tokens := ex.Tokens(text)
		if len(tokens) == 0 {
			continue
		}
		s.whole = ex.Features(text, tokens, 0, len(tokens))
		for _, p := range sentence.Split(e.text) {
			text := injection.Normalize(e.text[p.Start:p.End])
			tokens := ex.Tokens(text)
			if len(tokens) > 0 {
				s.sentences = append(s.sentences, ex.Features(text, tokens, 0, len(tokens)))
			}
		}
		out = append(out, s)
	}
	return out
}

func train(samples []sample, steps int, keep func(*sample) bool) []float64 {
	type part struct {
		source string
		label  int
	}
	count := map[part]float64{}
	rows := 0.0
	for i := range samples {
		if s := &samples[i]; keep(s) {
			count[part{s.source, s.label}]++
			rows++
		}
	}
	weight := func(s *sample) float64 { return math.Pow(count[part{s.source, s.label}], sourcePower-1) }
	var total [2]float64
	for i := range samples {
		if s := &samples[i]; keep(s) {
			total[s.label] += weight(s)
		}
	}
	p := &fit.Problem{Lambda: lambda, Bias: model.Buckets, N: model.Buckets + 1, Bounds: model.Bounds}
	for i := range samples {
		s := &samples[i]
		if !keep(s) {
			continue
		}
		w := weight(s) / total[s.label] * rows / 2
		vectors := []model.Vector{s.whole}
		if s.label == 0 && len(s.sentences) > 1 { // each of its sentences is harmless too
			vectors = append(vectors, s.sentences...)
			w /= float64(len(vectors))
		}
		for _, v := range vectors {
			p.Rows = append(p.Rows, fit.Row{Index: v.Index, Value: [4]float32{v.Scale[0], v.Scale[1], v.Scale[2]}, Label: float64(s.label), Weight: w})
		}
	}
	return p.Minimize(steps)
}

// toxicWith returns a checker of the list and a classifier with these weights. Nil
// weights are the shipped ones.
func toxicWith(weights []byte) (*content.Toxic, error) {
	classify, err := content.NewClassifier(&content.ClassifierOptions{Weights: string(weights)})
	if err != nil {
		return nil, err
	}
	return content.NewToxic(&content.ToxicOptions{Classify: classify})
}

// measure scores samples as a checker does.
func measure(t *content.Toxic, samples []sample) ([]fit.Scored, error) {
	var out []fit.Scored
	for _, s := range samples {
		v, _, _, err := t.Score(context.Background(), s.text)
		if err != nil {
			return nil, err
		}
		v = min(max(v, 1e-9), 1-1e-9)
		out = append(out, fit.Scored{Margin: math.Log(v / (1 - v)), Label: s.label})
	}
	return out, nil
}

func of(samples []sample, keep func(*sample) bool) []sample {
	var out []sample
	for i := range samples {
		if keep(&samples[i]) {
			out = append(out, samples[i])
		}
	}
	return out
}

func main() {
	log.SetFlags(0)
	corpus := flag.String("corpus", "", "folder of the sources")
	out := flag.String("out", "", "folder to write toxic.bin to; nothing is written without it")
	score := flag.Bool("score", false, "train nothing: measure the shipped weights on the sources that training has not seen")
	flag.Parse()
	if err := run(*corpus, *out, *score); err != nil {
		log.Fatal(err)
	}
}

// left are the sources that are left out of training in turn.
var left = []string{civil, wikipedia, templates, tweets}

// posts are those of them whose harmless texts set the threshold: what people wrote, and
// was not chosen for a word in it.
var posts = []string{civil, wikipedia}

func run(corpus, out string, scoreOnly bool) error {
	trained, unseen, err := readAll(corpus)
	if err != nil {
		return err
	}
	ex := model.New(injection.Normalize)
	test := prepare(ex, unseen)
	if scoreOnly {
		return reportUnseen(nil, test)
	}
	samples := prepare(ex, trained)
	results := make([][]fit.Scored, len(left))
	failed := make([]error, len(left))
	var wg sync.WaitGroup
	for i, source := range left {
		wg.Go(func() {
			w := train(samples, steps, func(s *sample) bool { return s.source != source })
			t, err := toxicWith(model.Encode(w, w[model.Buckets], 0))
			if err == nil {
				results[i], err = measure(t, of(samples, func(s *sample) bool { return s.source == source }))
			}
			failed[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	var binding [][]fit.Scored
	for i, source := range left {
		if slices.Contains(posts, source) {
			binding = append(binding, results[i])
		}
	}
	threshold := fit.Lowest(binding, postFPR, postFPR)
	for i, source := range left {
		fit.Report(os.Stdout, "without "+source, results[i], threshold)
	}
	w := train(samples, steps, func(*sample) bool { return true })
	weights := model.Encode(w, w[model.Buckets], threshold)
	if out != "" {
		if err := os.WriteFile(filepath.Join(out, "toxic.bin"), weights, 0o644); err != nil {
			return err
		}
	}
	return reportUnseen(weights, test)
}

// reportUnseen prints what weights make of the sources that are never trained on, and
// what HateCheck tests one by one. Nil weights are the shipped ones.
func reportUnseen(weights []byte, test []sample) error {
	list, err := content.NewToxic(nil)
	if err != nil {
		return err
	}
	both, err := toxicWith(weights)
	if err != nil {
		return err
	}
	for _, source := range []string{social, checks, prompts} {
		rows := of(test, func(s *sample) bool { return s.source == source })
		for _, c := range []struct {
			name string
			t    *content.Toxic
		}{{"the list alone", list}, {"list and classifier", both}} {
			x, err := measure(c.t, rows)
			if err != nil {
				return err
			}
			fit.Report(os.Stdout, source+", "+c.name, x, 0)
		}
	}
	kinds := map[string]bool{}
	for _, s := range test {
		kinds[s.kind] = s.kind != ""
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if !kinds[kind] {
			continue
		}
		x, err := measure(both, of(test, func(s *sample) bool { return s.kind == kind }))
		if err != nil {
			return err
		}
		fit.Report(os.Stdout, "  "+kind, x, 0)
	}
	return nil
}
