package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
)

//go:embed golden.jsonl
var golden []byte

// A sample is a golden question: what is asked, which documents hold the
// answer, and words that a right answer has, "this|or that" where there are two
// ways to say it. Without a source the documents don't hold it, and the right
// answer says so.
type sample struct {
	Question string   `json:"question"`
	Sources  []string `json:"sources"`
	Words    []string `json:"words"`
}

// evaluate asks the golden questions and fails if too few are answered right.
func evaluate(ctx context.Context, s *settings, rest []string, out io.Writer) (err error) {
	if len(rest) > 0 {
		return fmt.Errorf("eval takes no arguments, got %q", rest)
	}
	svc, closing, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "\tfound\tcited\tanswered\tquestion")
	var total, found, cited, right int
	for sc := bufio.NewScanner(bytes.NewReader(golden)); sc.Scan(); {
		var q sample
		if err := json.Unmarshal(sc.Bytes(), &q); err != nil {
			return fmt.Errorf("golden question %d: %w", total+1, err)
		}
		a, err := svc.Ask(ctx, service.Question{Text: q.Question})
		if err != nil {
			return fmt.Errorf("%q: %w", q.Question, err)
		}
		total++
		f, c, ok := judge(q, a)
		found, cited, right = found+count(f), cited+count(c), right+count(ok)
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", total, mark(f), mark(c), mark(ok), q.Question)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	share := float64(right) / float64(total)
	fmt.Fprintf(out, "\nthe document found %d/%d, citations that hold %d/%d, answered right %d/%d = %.0f %%\n", found, total, cited, total, right, total, 100*share)
	if share < s.floor {
		return fmt.Errorf("%.0f %% of the questions are answered right, want at least %.0f %%", 100*share, 100*s.floor)
	}
	return nil
}

// judge holds an answer against its golden question.
func judge(q sample, a *service.Answer) (found, cited, right bool) {
	unknown := strings.Contains(a.Text, rag.Unknown)
	if len(q.Sources) == 0 {
		return true, len(a.Checked.Citations) == 0, unknown
	}
	for _, d := range a.Passages {
		source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
		for _, want := range q.Sources {
			found = found || source == want
		}
	}
	cited = len(a.Checked.Citations) > 0
	for _, c := range a.Checked.Citations {
		cited = cited && c.Status == rag.Supported
	}
	right = !unknown
	for _, w := range q.Words {
		right = right && slices.ContainsFunc(strings.Split(w, "|"), func(one string) bool {
			return strings.Contains(strings.ToLower(a.Text), strings.ToLower(one))
		})
	}
	return found, cited, right && found
}

func count(ok bool) int {
	if ok {
		return 1
	}
	return 0
}

func mark(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}
