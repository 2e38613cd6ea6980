// Command lab10-indexes compares indexes of vectors: how much of the true nearest each
// finds, how long a search takes, and how long it takes to build.
//
//	go run ./examples/lab10-indexes
//	go run ./examples/lab10-indexes -html indexes.html -k 1
//	go run ./examples/lab10-indexes -data random -dim 32 -n 20000
//
// The vectors are those of the sentences of this course, by the embedder of
// retrieve/embed, or made-up ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/flat"
	"github.com/prodailabs/prodai/retrieve/hnsw"
	"github.com/prodailabs/prodai/retrieve/ivf"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

func main() {
	l := lab{now: time.Now}
	flag.StringVar(&l.kind, "data", "course", "the vectors: course (its sentences, embedded), clusters or random (made up)")
	flag.IntVar(&l.n, "n", 8000, "the number of vectors, at most")
	flag.IntVar(&l.dim, "dim", 128, "the elements of a made-up vector")
	flag.IntVar(&l.k, "k", 10, "how many nearest are looked for")
	flag.StringVar(&l.html, "html", "", "also draw recall against speed on this page")
	flag.Parse()
	if err := l.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab10-indexes:", err)
		os.Exit(1)
	}
}

type lab struct {
	kind, html string
	n, dim, k  int
	now        func() time.Time
}

// A finder is an index with a setting of its search.
type finder struct {
	retrieve.Index
	search func(query []float32, k int, allowed func(int) bool) ([]retrieve.Hit, error)
}

func (f finder) Search(query []float32, k int, allowed func(int) bool) ([]retrieve.Hit, error) {
	return f.search(query, k, allowed)
}

// A family is an index with all settings of its search.
type family struct {
	name     string
	build    time.Duration
	settings []setting
}

type setting struct {
	name   string
	finder finder
	recall float64
	each   time.Duration // of one search
}

func (l *lab) run(ctx context.Context, out io.Writer) error {
	if l.k < 1 || l.n < 100 || l.dim < 1 {
		return errors.New("want -k and -dim of 1 or more, and -n of 100 or more")
	}
	vectors, queries, err := l.vectors(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d vectors of %d elements, %d queries, the %d nearest of each\n\n", len(vectors), len(vectors[0]), len(queries), l.k)
	families, err := l.families(vectors)
	if err != nil {
		return err
	}
	exact := families[0].settings[0].finder
	for i := range families {
		for j := range families[i].settings {
			s := &families[i].settings[j]
			if s.recall, err = retrieve.IndexRecall(s.finder, exact, queries, l.k); err != nil {
				return err
			}
			if s.each, err = l.time(s.finder, queries); err != nil {
				return err
			}
		}
	}
	report(out, families)
	if l.html == "" {
		return nil
	}
	if err := l.page(families, len(vectors)).WriteFile(l.html); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe figure is in %s.\n", l.html)
	return nil
}

// rounds is how often the queries are asked: the fastest round counts, since other
// programs only make it slower.
const rounds = 3

func (l *lab) time(f finder, queries [][]float32) (time.Duration, error) {
	fastest := time.Duration(1<<63 - 1)
	for range rounds {
		began := l.now()
		for _, q := range queries {
			if _, err := f.Search(q, l.k, nil); err != nil {
				return 0, err
			}
		}
		fastest = min(fastest, l.now().Sub(began))
	}
	return fastest / time.Duration(len(queries)), nil
}

// families builds the indexes, the exact one first.
func (l *lab) families(vectors [][]float32) ([]family, error) {
	dim := len(vectors[0])
	var out []family
	add := func(name string, x retrieve.Index, err error, settings func() []setting) error {
		if err != nil {
			return err
		}
		began := l.now()
		for id, v := range vectors {
			if err := x.Add(id, v); err != nil {
				return err
			}
		}
		if groups, ok := x.(*ivf.Index); ok {
			groups.Learn()
		}
		out = append(out, family{name, l.now().Sub(began), settings()})
		return nil
	}
	simple := func(x retrieve.Index) func() []setting {
		return func() []setting { return []setting{{name: "", finder: finder{x, x.Search}}} }
	}
	exact, err := flat.New(dim, nil)
	if err := add("exact", exact, err, simple(exact)); err != nil {
		return nil, err
	}
	bits, err := vecquant.NewBinary(dim)
	if err != nil {
		return nil, err
	}
	for _, rescore := range []int{2, 5, 10, 30} {
		x, err := flat.New(dim, &flat.Options{Codes: bits, Rescore: rescore})
		if err := add("bits, rescored", x, err, func() []setting {
			return []setting{{name: fmt.Sprint("rescore ", rescore), finder: finder{x, x.Search}}}
		}); err != nil {
			return nil, err
		}
		if n := len(out); n > 2 { // one family
			out[n-2].settings = append(out[n-2].settings, out[n-1].settings...)
			out = out[:n-1]
		}
	}
	groups, err := ivf.New(dim, nil)
	err = add("ivf", groups, err, func() (all []setting) {
		for probes := 1; probes <= groups.Lists(); probes *= 2 {
			all = append(all, setting{name: fmt.Sprint("probes ", probes), finder: finder{groups, func(q []float32, k int, allowed func(int) bool) ([]retrieve.Hit, error) {
				return groups.SearchWith(q, k, &ivf.SearchOptions{Probes: probes, Allowed: allowed})
			}}})
		}
		return all
	})
	if err != nil {
		return nil, err
	}
	for _, int8s := range []bool{false, true} {
		name := map[bool]string{false: "hnsw", true: "hnsw, int8"}[int8s]
		graph, err := hnsw.New(dim, &hnsw.Options{Int8: int8s, Capacity: len(vectors)})
		err = add(name, graph, err, func() (all []setting) {
			for _, ef := range []int{10, 20, 40, 80, 160, 320} {
				all = append(all, setting{name: fmt.Sprint("ef ", ef), finder: finder{graph, func(q []float32, k int, allowed func(int) bool) ([]retrieve.Hit, error) {
					return graph.SearchWith(q, k, &hnsw.SearchOptions{EF: ef, Allowed: allowed})
				}}})
			}
			return all
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func report(out io.Writer, families []family) {
	exact := families[0].settings[0].each
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "index\tsetting\trecall\tµs a search\ttimes as fast\tbuilt in\t")
	for _, f := range families {
		build := f.build.Round(time.Millisecond).String()
		for _, s := range f.settings {
			fmt.Fprintf(w, "%s\t%s\t%.3f\t%.0f\t%.1f\t%s\t\n", f.name, s.name, s.recall, float64(s.each.Nanoseconds())/1000, float64(exact)/float64(max(1, s.each)), build)
			build = ""
		}
	}
	w.Flush()
	fmt.Fprint(out, "\nThe fastest setting of each index that finds 95 %, and 99 %:\n")
	for _, least := range []float64{.95, .99} {
		for _, f := range families {
			if s, ok := f.fastest(least); ok {
				fmt.Fprintf(out, "  %.2f  %s %s: %.1f times as fast as the exact search\n", least, f.name, s.name, float64(exact)/float64(max(1, s.each)))
			} else {
				fmt.Fprintf(out, "  %.2f  %s: none\n", least, f.name)
			}
		}
	}
	fmt.Fprint(out, `
What to notice: within a family, more recall costs more time, and the last hundredth costs
most. The families differ in what they cost before: the groups of ivf are learned in a
fraction of the time that the graph of hnsw is built in. At a few thousand vectors the exact
search is so fast that losing anything may not be worth it.

To see it as a figure: -html indexes.html.

What to try: -data random -dim 32 and -data clusters, then -n 500 and -n 40000. On random
vectors groups mean little, and every index has to work harder. How many vectors must there
be until an index is worth what it costs to build?

What to read: the notes of retrieve/flat, retrieve/ivf and retrieve/hnsw; Aumüller and
others, "ANN-Benchmarks", 2020.
`)
}

// fastest returns the fastest setting that has at least a recall.
func (f *family) fastest(least float64) (setting, bool) {
	good := slices.DeleteFunc(slices.Clone(f.settings), func(s setting) bool { return s.recall < least })
	if len(good) == 0 {
		return setting{}, false
	}
	return slices.MinFunc(good, func(a, b setting) int { return int(a.each - b.each) }), true
}
