// Command lab10-vectordbs asks one collection of passages in several stores: a collection
// in this process, and the databases that you give it. The code that asks is the same for
// all; only the constructor differs.
//
//	go run ./examples/lab10-vectordbs
//	.ci/stores go run ./examples/lab10-vectordbs
//	go run ./examples/lab10-vectordbs -pgvector postgres://user@localhost/db -qdrant http://localhost:6333
//
// The first form needs nothing but this program. The second starts PostgreSQL with
// pgvector, Chroma, and the local mode of qdrant-client. A table, collection or class named
// lab10_vectordbs (Lab10Vectordbs) is made in each database, and is written over.
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

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/store"
)

func main() {
	l := lab{now: time.Now}
	flag.IntVar(&l.n, "n", 2000, "the number of passages, at most")
	flag.StringVar(&l.pgvector, "pgvector", os.Getenv("PRODAI_PGVECTOR"), "the URL of a PostgreSQL server with pgvector")
	flag.StringVar(&l.chroma, "chroma", os.Getenv("PRODAI_CHROMA"), "the URL of a Chroma server")
	flag.StringVar(&l.qdrant, "qdrant", os.Getenv("PRODAI_QDRANT"), "the URL of a Qdrant server")
	flag.StringVar(&l.weaviate, "weaviate", os.Getenv("PRODAI_WEAVIATE"), "the URL of a Weaviate server")
	flag.StringVar(&l.pinecone, "pinecone", "", "the name of a Pinecone index of 256 dimensions by cosine; the key is PINECONE_API_KEY")
	flag.Parse()
	if err := l.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab10-vectordbs:", err)
		os.Exit(1)
	}
}

type lab struct {
	n                                            int
	pgvector, chroma, qdrant, weaviate, pinecone string
	now                                          func() time.Time
	closers                                      []func()
}

// k is how many passages a search asks for, and queries how many searches there are.
const (
	k       = 10
	queries = 50
)

// A subject is a store and what was measured of it.
type subject struct {
	name string
	store.Retriever
	write, each time.Duration
	recall      float64
}

func (l *lab) run(ctx context.Context, out io.Writer) error {
	if l.n < 200 {
		return errors.New("want -n of 200 or more")
	}
	e, err := embed.New()
	if err != nil {
		return err
	}
	docs, questions, err := passages(l.n)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d passages, %d questions, the %d best of each\n\n", len(docs), len(questions), k)
	home, err := collection(e, nil)
	if err != nil {
		return err
	}
	l.closers = append(l.closers, func() { _ = home.Close() }) // in memory only
	defer l.close()
	subjects := []*subject{{name: "collection, exact", Retriever: home}}
	others, err := l.others(ctx, e)
	if err != nil {
		return err
	}
	subjects = append(subjects, others...)
	for _, s := range subjects {
		if err := l.measure(ctx, s, home, docs, questions); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	report(out, subjects)
	if err := filters(ctx, out, subjects, len(docs), questions); err != nil {
		return err
	}
	if err := tenants(ctx, out, subjects); err != nil {
		return err
	}
	if err := move(ctx, out, home, e); err != nil {
		return err
	}
	fmt.Fprint(out, selection, notice)
	return nil
}

// measure writes the passages, and compares what the store finds with the exact search.
func (l *lab) measure(ctx context.Context, s *subject, exact store.Retriever, docs []schema.Document, questions []string) error {
	began := l.now()
	if _, err := s.Upsert(ctx, docs); err != nil {
		return err
	}
	s.write = l.now().Sub(began)
	found := 0
	for _, q := range questions {
		want, err := exact.Search(ctx, q, k, nil)
		if err != nil {
			return err
		}
		began := l.now()
		got, err := s.Search(ctx, q, k, nil)
		if err != nil {
			return err
		}
		s.each += l.now().Sub(began)
		for _, r := range got {
			if slices.ContainsFunc(want, func(w retrieve.Result) bool { return w.Metadata["id"] == r.Metadata["id"] }) {
				found++
			}
		}
	}
	s.each /= time.Duration(len(questions))
	s.recall = float64(found) / float64(k*len(questions))
	return nil
}

func report(out io.Writer, subjects []*subject) {
	fmt.Fprintln(out, "The same searches in each store. Recall is the share of the true ten nearest.")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "store\trecall\tms a search\twritten in\t")
	for _, s := range subjects {
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%s\t\n", s.name, s.recall, float64(s.each.Microseconds())/1000, s.write.Round(time.Millisecond))
	}
	w.Flush()
}

// filters compares a filter that the store applies with one that is applied to the ten that
// a search without it returns.
func filters(ctx context.Context, out io.Writer, subjects []*subject, n int, questions []string) error {
	fmt.Fprintln(out, "\nHow many of ten passages come back with a filter: applied by the store | after the search.")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	shares := []float64{.5, .05, .01}
	fmt.Fprint(w, "store\t")
	for _, share := range shares {
		fmt.Fprintf(w, "%g %% fit\t", 100*share)
	}
	fmt.Fprintln(w)
	for _, s := range subjects {
		fmt.Fprintf(w, "%s\t", s.name)
		for _, share := range shares {
			where := retrieve.Less("n", share*float64(n))
			by, after := 0, 0
			for _, q := range questions[:10] {
				got, err := s.Search(ctx, q, k, &retrieve.Query{Where: where})
				if err != nil {
					return err
				}
				by += len(got)
				if got, err = s.Search(ctx, q, k, nil); err != nil {
					return err
				}
				for _, r := range got {
					if where.Match(r.Metadata) {
						after++
					}
				}
			}
			fmt.Fprintf(w, "%.1f | %.1f\t", float64(by)/10, float64(after)/10)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// tenants asks as several tenants, one of which is an attack.
func tenants(ctx context.Context, out io.Writer, subjects []*subject) error {
	fmt.Fprintln(out, "\nPassages that a tenant finds among the twenty best. A third belong to blue, a third to green.")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	names := []string{"", "blue", "green", "x' OR 'a'='a"}
	fmt.Fprint(w, "store\t")
	for _, name := range names {
		fmt.Fprintf(w, "%q\t", name)
	}
	fmt.Fprintln(w)
	for _, s := range subjects {
		fmt.Fprintf(w, "%s\t", s.name)
		for _, name := range names {
			got, err := s.Search(as(ctx, name), "How do I choose an index?", 20, nil)
			if err != nil {
				return err
			}
			own := 0
			for _, r := range got {
				switch r.Metadata["tenant"] {
				case nil:
				case name:
					own++
				default:
					return fmt.Errorf("%s: tenant %q finds a passage of %v", s.name, name, r.Metadata["tenant"])
				}
			}
			fmt.Fprintf(w, "%d own, %d public\t", own, len(got)-own)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// counted counts the texts that are embedded.
type counted struct {
	*embed.Embedder
	texts int
}

// EmbedDocuments returns the vectors of texts.
func (c *counted) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	c.texts += len(texts)
	return c.Embedder.EmbedDocuments(ctx, texts)
}

// move copies the passages to another store, as to a new database.
func move(ctx context.Context, out io.Writer, from *retrieve.Collection, e *embed.Embedder) error {
	c := &counted{Embedder: e}
	to, err := retrieve.Open("", c, nil)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }() // in memory only
	did, err := store.Copy(ctx, from, to, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nMoved to another store: %d of %d passages, %d texts embedded again.\n", did.Written, from.Len(), c.texts)
	return nil
}
