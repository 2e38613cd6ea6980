// Command lab10-rag switches the stages between a question and a prompt on, one after
// another, and shows what each of them brings and costs. Then it looks for the score below
// which a system should answer "I don't know".
//
//	go run ./examples/lab10-rag
//	go run ./examples/lab10-rag -k 3
//	go run ./examples/lab10-rag -ask "How many new jobs were created in three years?"
//	go run ./examples/lab10-rag -docs FOLDER -ask "a question about the files in it"
//
// The documents are those of the chunking lab: a speech and chat logs with 132 questions, of
// which the answering sentences are known. Everything runs offline.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/rag"
)

func main() {
	l := lab{now: time.Now}
	flag.IntVar(&l.k, "k", 5, "how many passages the prompt gets")
	flag.StringVar(&l.ask, "ask", "How low are credit card late fees now?", "the question that is answered at the end")
	flag.StringVar(&l.docs, "docs", "", "answer -ask from the text, Markdown, HTML, CSV, Word and PDF files of this folder instead")
	flag.Parse()
	if err := l.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab10-rag:", err)
		os.Exit(1)
	}
}

type lab struct {
	k    int
	ask  string
	docs string
	now  func() time.Time

	data       *chunkeval.Data
	cutter     chunk.Chunker
	embedder   *embed.Embedder
	extractive *rag.Extractive
	dense      *retrieve.Collection // searched by meaning alone
	hybrid     *retrieve.Collection // and by words
}

// candidates is how many passages the collections return: enough for a reranker.
const candidates = 20

func (l *lab) run(ctx context.Context, out io.Writer) error {
	if l.k < 1 || l.k > candidates {
		return fmt.Errorf("-k is %d: want 1 to %d", l.k, candidates)
	}
	if l.docs != "" {
		return l.answerFromFolder(ctx, out)
	}
	var err error
	if l.data, err = sample.Data(); err != nil {
		return err
	}
	if err := l.open(ctx, sample.Corpora()...); err != nil {
		return err
	}
	defer func() { _ = errors.Join(l.dense.Close(), l.hybrid.Close()) }() // they are in memory only
	fmt.Fprintf(out, "%d passages of two documents, %d questions, %d passages in a prompt\n\n", l.hybrid.Len(), len(l.data.Questions), l.k)
	rows, err := l.compare(ctx)
	if err != nil {
		return err
	}
	printRows(out, rows)
	if err := l.refusals(ctx, out); err != nil {
		return err
	}
	if err := l.answer(ctx, out); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice
  - Which stage wins most? Compare "recall" with "tokens": a stage that adds text must win more than it costs.
  - "at 20" is the recall of the 20 candidates: no reranker can get beyond it.
  - The thresholds: the promised ones keep their promise for new questions; the first is a guess.
What to try
  - -k 2 and -k 10: which stages matter less with more passages?
  - Change the weights of the hybrid search in open, or Keep of the compressor in stages.go.
  - Replace the ranker in stages.go by rerank.NewHTTP with a real cross-encoder.
What to read
  - go doc ./retrieve/rerank, ./retrieve/compress, ./retrieve/expand, ./retrieve/query, ./retrieve/rag
`)
	return nil
}

// open fills both collections with the passages of some documents of the sample.
func (l *lab) open(ctx context.Context, corpora ...string) error {
	if err := l.empty(); err != nil {
		return err
	}
	for _, name := range corpora {
		chunks, err := l.cutter.Chunk(ctx, l.data.Corpora[name])
		if err != nil {
			return err
		}
		docs := chunk.Documents(name, nil, chunks)
		for _, c := range []*retrieve.Collection{l.dense, l.hybrid} {
			if _, err := c.Sync(ctx, name, docs); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty opens the collections, in memory.
func (l *lab) empty() error {
	var err error
	if l.embedder, err = embed.New(); err != nil {
		return err
	}
	if l.extractive, err = rag.NewExtractive(&rag.ExtractiveOptions{Embedder: l.embedder}); err != nil {
		return err
	}
	words, err := bm25.New(nil)
	if err != nil {
		return err
	}
	if l.dense, err = retrieve.Open("", l.embedder, &retrieve.Options{K: candidates}); err != nil {
		return err
	}
	if l.hybrid, err = retrieve.Open("", l.embedder, &retrieve.Options{K: candidates, Words: words}); err != nil {
		return err
	}
	l.cutter, err = chunk.NewSentences(&chunk.Options{Size: 100, Ranges: o200k.Encoding().Ranges})
	return err
}

// A row is what a pipeline found for all questions.
type row struct {
	name              string
	recall, precision float64 // of the answering sentences' bytes
	deep              float64 // recall of the candidates, 0 if it is that of the row above
	tokens            float64 // of the passages, a question
	each              time.Duration
}

func printRows(out io.Writer, rows []row) {
	const perToken = 2.5e-6 // dollars, a usual price of input
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stages\trecall\tat 20\tprecision\ttokens\t$ per 1,000 questions\tms\t")
	for _, r := range rows {
		deep := ""
		if r.deep > 0 {
			deep = fmt.Sprintf("%.3f", r.deep)
		}
		fmt.Fprintf(w, "%s\t%.3f\t%s\t%.3f\t%.0f\t%.2f\t%.1f\t\n", r.name, r.recall, deep, r.precision, r.tokens, 1000*perToken*r.tokens, float64(r.each)/float64(time.Millisecond))
	}
	w.Flush()
	fmt.Fprintln(out, "recall: the share of the answering sentences that is in the prompt; precision: the share of the prompt that answers.")
}

// covered returns how many bytes of the references are in the passages, and how many bytes
// the passages have.
func covered(q chunkeval.Question, passages []schema.Document) (hit, wanted, shown int) {
	seen := map[int]bool{}
	for _, p := range passages {
		shown += len(p.PageContent)
		source, _ := chunk.MetaString(p.Metadata, chunk.KeySource)
		span, ok := chunk.MetaSpan(p.Metadata)
		if !ok || source != q.Corpus {
			continue
		}
		for _, r := range q.References {
			for at := max(r.Start, span.Start); at < min(r.End, span.End); at++ {
				seen[at] = true
			}
		}
	}
	all := map[int]bool{}
	for _, r := range q.References {
		for at := r.Start; at < r.End; at++ {
			all[at] = true
		}
	}
	return len(seen), len(all), shown
}

// measure asks a retriever all questions.
func (l *lab) measure(ctx context.Context, name string, r schema.Retriever) (row, error) {
	out := row{name: name}
	n := float64(len(l.data.Questions))
	for _, q := range l.data.Questions {
		began := l.now()
		passages, err := r.GetRelevantDocuments(ctx, q.Text)
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		out.each += l.now().Sub(began) / time.Duration(len(l.data.Questions))
		hit, wanted, shown := covered(q, passages)
		out.recall += float64(hit) / float64(max(wanted, 1)) / n
		out.precision += float64(hit) / float64(max(shown, 1)) / n
		for _, p := range passages {
			out.tokens += float64(o200k.Encoding().Count(p.PageContent)) / n
		}
	}
	return out, nil
}
