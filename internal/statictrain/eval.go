package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
)

// vectors returns the vectors of texts, of length 1 or 0.
type vectors func(texts []string) ([][]float32, error)

// evalCommand compares models on the sets, each alone and fused with BM25.
func evalCommand(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("eval", flag.ContinueOnError)
	golden := f.String("golden", "", "the folder of golden data; empty: no Cranfield")
	sourcesFolder := f.String("sources", "", "the folder with the sources; empty: no QED")
	repository := f.String("repository", ".", "the root of this repository")
	models := f.String("models", "", "NAME=FILE,...: safetensors to compare with the model that ships")
	peers := f.String("peers", "", "NAME=FILE,...: vectors of the texts that -texts wrote, as float32")
	texts := f.String("texts", "", "only write the texts of all sets to this file, for other programs to embed")
	more := f.String("more", "", "FOLDER,...: further collections in BEIR's form, not in the mean")
	only := f.Bool("only", false, "only the collections of -more, and these are the mean")
	fusing := f.Bool("fusions", false, "compare ways and weights of the fusion with BM25")
	ablation := f.Bool("ablation", false, "also cut and round the models")
	if err := f.Parse(args); err != nil {
		return err
	}
	var sets []set
	var err error
	if !*only {
		if sets, err = evaluationSets(*golden, *sourcesFolder, *repository); err != nil {
			return err
		}
	}
	for _, folder := range fields(*more) {
		s, err := collection(folder[0])
		if err != nil {
			return err
		}
		s.seen = !*only
		sets = append(sets, s)
	}
	all, err := textsOf(ctx, sets)
	if err != nil {
		return err
	}
	if *texts != "" {
		return writeTexts(*texts, all)
	}
	e, err := embed.New()
	if err != nil {
		return err
	}
	shipped := newTable(e)
	list := []system{{"shipped", shipped.vectors}}
	if *ablation {
		list = append(list, cuts("shipped", shipped)...)
	}
	for _, m := range fields(*models) {
		t, err := loadTable(m[1], *repository)
		if err != nil {
			return err
		}
		list = append(list, system{m[0], t.vectors})
		if *ablation {
			list = append(list, cuts(m[0], t)...)
		}
	}
	for _, p := range fields(*peers) {
		v, err := readVectors(p[1], all)
		if err != nil {
			return err
		}
		list = append(list, system{p[0], v})
	}
	if *fusing {
		return compareFusions(ctx, out, sets, list)
	}
	return compare(ctx, out, sets, list)
}

type system struct {
	name    string
	vectors vectors
}

// fields reads NAME=VALUE,...
func fields(s string) (out [][2]string) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		name, value, _ := strings.Cut(f, "=")
		out = append(out, [2]string{name, value})
	}
	return out
}

// compare prints a line for each system: its mean on each set, the mean of the sets, and
// differences with their 95 % intervals.
func compare(ctx context.Context, out io.Writer, sets []set, list []system) error {
	equal := fusion{"RRF 1", func(near, words ranking) ranking { return retrieve.RRF(60, nil, near, words) }}
	var words [][]float64
	rankings := make([][]ranking, len(sets)) // by words
	for i, s := range sets {
		x, err := s.score(ctx, keep(byWords, &rankings[i]))
		if err != nil {
			return err
		}
		words = append(words, x)
	}
	fmt.Fprintf(out, "%-24s", "")
	for i, s := range sets {
		mark := ""
		if s.seen {
			mark = "*"
		}
		fmt.Fprintf(out, " %15s", fmt.Sprintf("%s%s (%d)", s.name, mark, len(words[i])))
	}
	fmt.Fprintf(out, " %7s   %s\n", "mean", "95 % interval of the difference")
	row(out, sets, "BM25", words, nil)
	var first [][]float64
	for _, s := range list {
		var alone, fused [][]float64
		for i, set := range sets {
			var near []ranking
			x, err := set.score(ctx, keep(byVectors(s.vectors), &near))
			if err != nil {
				return err
			}
			y, err := set.score(ctx, fusedBy(equal, near, rankings[i]))
			if err != nil {
				return err
			}
			alone, fused = append(alone, x), append(fused, y)
		}
		if first == nil {
			first = alone
		}
		row(out, sets, s.name, alone, first)
		row(out, sets, "  with BM25, to BM25", fused, words)
	}
	for _, s := range sets {
		fmt.Fprintf(out, "%s: %s\n", s.name, s.metric)
	}
	fmt.Fprintln(out, "*: a model has seen a part in its training; not in the mean")
	return nil
}

// row prints means, and below each the interval of the difference to base.
func row(out io.Writer, sets []set, name string, x, base [][]float64) {
	fmt.Fprintf(out, "%-24s", name)
	var means []float64
	var clean [][]float64 // differences on the sets that no model has seen
	var intervals []string
	for i := range x {
		m := stats.Mean(x[i])
		fmt.Fprintf(out, " %15.3f", m)
		if !sets[i].seen {
			means = append(means, m)
		}
		if base == nil {
			continue
		}
		d := make([]float64, len(x[i]))
		for j := range d {
			d[j] = x[i][j] - base[i][j]
		}
		intervals = append(intervals, difference(d))
		if !sets[i].seen {
			clean = append(clean, d)
		}
	}
	fmt.Fprintf(out, " %7.3f", stats.Mean(means))
	if base == nil {
		fmt.Fprintln(out)
		return
	}
	fmt.Fprintf(out, "   %s\n%-24s", difference(weighted(clean)), "")
	for _, s := range intervals {
		fmt.Fprintf(out, " %15s", s)
	}
	fmt.Fprintln(out)
}

// weighted puts the differences of all sets together and scales them so that their mean
// is the mean of the sets' means: each set counts alike, however many questions it has.
func weighted(sets [][]float64) (out []float64) {
	n := 0
	for _, s := range sets {
		n += len(s)
	}
	for _, s := range sets {
		for _, d := range s {
			out = append(out, d*float64(n)/float64(len(sets)*len(s)))
		}
	}
	return out
}

// difference prints the interval of a mean, by the bootstrap.
func difference(d []float64) string {
	b, err := stats.Bootstrap(d, stats.Mean, &stats.BootstrapOptions{Resamples: 2000})
	if err != nil {
		return err.Error()
	}
	i, err := b.Percentile(.95)
	if err != nil {
		return err.Error()
	}
	short := func(x float64) string { return strings.Replace(fmt.Sprintf("%+.3f", x), "0.", ".", 1) }
	return short(i.Low) + ".." + short(i.High)
}

const deep = 100 // of each ranking, for the fusion

func byWords(ctx context.Context, questions, passages []string) ([]ranking, error) {
	index, err := bm25.New(nil)
	if err != nil {
		return nil, err
	}
	for i, p := range passages {
		index.Add(i, p)
	}
	out := make([]ranking, len(questions))
	for q, text := range questions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, h := range index.Search(text, deep) {
			out[q] = append(out[q], retrieve.Ranked[int]{ID: h.ID, Score: h.Score})
		}
	}
	return out, nil
}

func byVectors(v vectors) scorer {
	return func(ctx context.Context, questions, passages []string) ([]ranking, error) {
		p, err := v(passages)
		if err != nil {
			return nil, err
		}
		q, err := v(questions)
		if err != nil {
			return nil, err
		}
		out := make([]ranking, len(q))
		for i := range q {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			order := make(ranking, len(p))
			for j := range p {
				order[j] = retrieve.Ranked[int]{ID: j, Score: float64(vec.Dot(q[i], p[j]))}
			}
			slices.SortStableFunc(order, func(a, b retrieve.Ranked[int]) int { return cmp.Compare(b.Score, a.Score) })
			out[i] = order[:min(deep, len(order))]
		}
		return out, nil
	}
}

// textsOf lists the texts of all sets once.
func textsOf(ctx context.Context, sets []set) (out []string, err error) {
	seen := map[string]bool{}
	collect := func(_ context.Context, questions, passages []string) ([][]int, error) {
		for _, t := range slices.Concat(questions, passages) {
			if !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
		return make([][]int, len(questions)), nil
	}
	for _, s := range sets {
		if _, err := s.score(ctx, collect); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func writeTexts(path string, texts []string) error {
	data, err := json.Marshal(texts)
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// readVectors reads one vector for each text, in their order.
func readVectors(path string, texts []string) (vectors, error) {
	all, err := readFloats(path, len(texts))
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, t := range texts {
		at[t] = i
	}
	return func(texts []string) ([][]float32, error) {
		out := make([][]float32, len(texts))
		for i, t := range texts {
			j, ok := at[t]
			if !ok {
				return nil, fmt.Errorf("%s has no vector of %q: write -texts again", path, t)
			}
			out[i] = all[j]
		}
		return out, nil
	}, nil
}
