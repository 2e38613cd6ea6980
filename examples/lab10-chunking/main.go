// Command lab10-chunking compares chunkers: how they cut a text, and how much of
// the answering text is retrieved, in the five best passages and within an equal
// budget of tokens.
//
//	go run ./examples/lab10-chunking
//	go run ./examples/lab10-chunking -html chunking.html -budget 500
//	go run ./examples/lab10-chunking -text manual.md
//	go run ./examples/lab10-chunking -text manual.md -questions questions.jsonl
//
// A line of the questions file is
//
//	{"question": "...", "references": [{"content": "a passage of the text that answers it"}]}
//
// with start_index and end_index (in code points) if the content occurs more than
// once.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/retrieve/embed"
)

func main() {
	var l lab
	flag.StringVar(&l.text, "text", "", "a text of your own, markdown or plain (default: a speech and chat logs with 132 questions)")
	flag.StringVar(&l.questions, "questions", "", "questions about -text, as JSON lines")
	flag.StringVar(&l.html, "html", "", "also write the figures to this page")
	flag.IntVar(&l.budget, "budget", 1000, "tokens that are retrieved for a question")
	flag.Parse()
	if err := l.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab10-chunking:", err)
		os.Exit(1)
	}
}

type lab struct {
	text, questions, html string
	budget                int
}

func (l *lab) run(ctx context.Context, out io.Writer) error {
	data, err := l.data()
	if err != nil {
		return err
	}
	cuts, err := cuttings(ctx, data)
	if err != nil {
		return err
	}
	printCuttings(out, cuts)
	rows, err := compare(ctx, data, l.budget)
	if err != nil {
		return err
	}
	printRows(out, rows, len(data.Questions), l.budget)
	if l.html == "" {
		return nil
	}
	if err := figures(cuts, rows, len(data.Questions), l.budget).WriteFile(l.html); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe figures are in %s.\n", l.html)
	return nil
}

// data returns the sample, or the student's own text and questions.
func (l *lab) data() (*chunkeval.Data, error) {
	if l.text == "" {
		return sample.Data()
	}
	text, err := os.ReadFile(l.text)
	if err != nil {
		return nil, err
	}
	corpora := map[string]string{"text": string(text)}
	if l.questions == "" {
		return &chunkeval.Data{Corpora: corpora}, nil
	}
	lines, err := os.ReadFile(l.questions)
	if err != nil {
		return nil, err
	}
	located, err := locate(lines, string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.questions, err)
	}
	return chunkeval.Read(bytes.NewReader(located), corpora)
}

// locate sets the offsets of each reference that has none to those of its first
// occurrence.
func locate(lines []byte, text string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	sc := bufio.NewScanner(bytes.NewReader(lines))
	sc.Buffer(nil, len(lines)+1)
	for n := 1; sc.Scan(); n++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		type reference struct {
			Content string `json:"content"`
			Start   int    `json:"start_index"`
			End     int    `json:"end_index"`
		}
		var row struct {
			Corpus     string      `json:"corpus"`
			Question   string      `json:"question"`
			References []reference `json:"references"`
		}
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		row.Corpus = "text"
		for i := range row.References {
			r := &row.References[i]
			if r.End > 0 {
				continue
			}
			at := strings.Index(text, r.Content)
			if at < 0 {
				return nil, fmt.Errorf("line %d: the text doesn't contain %q", n, r.Content)
			}
			r.Start = utf8.RuneCountInString(text[:at])
			r.End = r.Start + utf8.RuneCountInString(r.Content)
		}
		if err := enc.Encode(row); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), sc.Err()
}

// A contestant is a chunker with a name.
type contestant struct {
	name    string
	chunker chunk.Chunker
}

// contestants are windows, the baseline, with and without overlap, and the
// structured chunkers at three sizes.
func contestants() ([]contestant, error) {
	encoding := o200k.Encoding()
	var out []contestant
	add := func(name string, c chunk.Chunker, err error) error {
		out = append(out, contestant{name, c})
		return err
	}
	for _, w := range [][2]int{{100, 0}, {200, 0}, {400, 0}, {400, 200}} {
		c, err := chunk.NewWindows(encoding.Ends, &chunk.WindowsOptions{Size: w[0], Overlap: w[1]})
		if err := add(fmt.Sprintf("windows %d/%d", w[0], w[1]), c, err); err != nil {
			return nil, err
		}
	}
	for _, size := range []int{100, 200, 400} {
		o := &chunk.Options{Size: size, Ranges: encoding.Ranges}
		recursive, err := chunk.NewRecursive(o)
		if err := add(fmt.Sprintf("recursive %d", size), recursive, err); err != nil {
			return nil, err
		}
		sentences, err := chunk.NewSentences(o)
		if err := add(fmt.Sprintf("sentences %d", size), sentences, err); err != nil {
			return nil, err
		}
		markdown, err := chunk.NewMarkdown(o)
		if err := add(fmt.Sprintf("markdown %d", size), markdown, err); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// A row is the result of one contestant.
type row struct {
	name   string
	result *chunkeval.Result
}

func compare(ctx context.Context, data *chunkeval.Data, budget int) ([]row, error) {
	all, err := contestants()
	if err != nil {
		return nil, err
	}
	model, err := embed.New()
	if err != nil {
		return nil, err
	}
	rank, err := chunkeval.ByEmbedding(model)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, c := range all {
		r, err := chunkeval.Run(ctx, data, c.chunker, rank, &chunkeval.Options{Budget: budget, Tokens: o200k.Encoding().Count})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if i := slices.IndexFunc(rows, func(x row) bool {
			return x.result.Chunks == r.Chunks && slices.Equal(x.result.Scores, r.Scores) && x.result.MeanTokens == r.MeanTokens
		}); i >= 0 {
			// Without headings the markdown chunker cuts as the one for prose does.
			kind, _, _ := strings.Cut(c.name, " ")
			rows[i].name = strings.Replace(rows[i].name, " ", "="+kind+" ", 1)
			continue
		}
		rows = append(rows, row{c.name, r})
	}
	return rows, nil
}

func printRows(out io.Writer, rows []row, questions, budget int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if questions == 0 {
		fmt.Fprintln(out, "How the chunkers cut your text (with -questions they are compared by what they retrieve):")
		fmt.Fprintln(w, "chunker\tchunks\ttokens each\t")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%d\t%.0f\t\n", r.name, r.result.Chunks, r.result.MeanTokens)
		}
		w.Flush()
		return
	}
	fmt.Fprintf(out, "What is retrieved for %d questions, ranked by the embedded static model:\n", questions)
	fmt.Fprintf(w, "chunker\tchunks\ttokens each\trecall@5\tprecision@5\trecall at %d tokens\t95%% interval\tomega\t\n", budget)
	best, best5 := rows[0], rows[0]
	for _, r := range rows {
		at := r.result.Mean(chunkeval.BudgetRecall)
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.3f\t%.3f\t%.3f\t%.3f to %.3f\t%.3f\t\n", r.name, r.result.Chunks, r.result.MeanTokens,
			r.result.Mean(chunkeval.Recall).Mean, r.result.Mean(chunkeval.Precision).Mean, at.Mean, at.Low, at.High, r.result.Mean(chunkeval.PrecisionOmega).Mean)
		if at.Mean > best.result.Mean(chunkeval.BudgetRecall).Mean {
			best = r
		}
		if r.result.Mean(chunkeval.Recall).Mean > best5.result.Mean(chunkeval.Recall).Mean {
			best5 = r
		}
	}
	w.Flush()
	fmt.Fprintf(out, "\nFive passages: %s wins, with %.0f tokens a question. At %d tokens: %s.\n", best5.name, 5*best5.result.MeanTokens, budget, best.name)
	if best.name == best5.name {
		return
	}
	d := chunkeval.Difference(best5.result, best.result, chunkeval.BudgetRecall)
	fmt.Fprintf(out, "%s minus %s at %d tokens, question by question: %+.3f, 95 %% interval %+.3f to %+.3f: ", best.name, best5.name, budget, d.Mean, d.Low, d.High)
	if d.Low > 0 {
		fmt.Fprintln(out, "a real difference on these questions, before allowing for the choice of the best of many.")
	} else {
		fmt.Fprintln(out, "these questions show no difference.")
	}
}
