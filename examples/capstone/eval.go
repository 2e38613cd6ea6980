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
	s.tenant = evalTenant
	svc, closing, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	t, err := score(ctx, svc, out)
	if err != nil {
		return err
	}
	if err := independent(ctx, svc, s.last, out); err != nil {
		return err
	}
	if share := float64(t.right) / float64(t.total); share < s.floor {
		return fmt.Errorf("%.0f %% of the questions are answered right, want at least %.0f %%", 100*share, 100*s.floor)
	}
	return nil
}

type evalKey struct{}

// asking gives each question of an evaluation a tenant of its own: there are more of
// them than one tenant may ask in a minute.
func asking(ctx context.Context, question string) context.Context {
	return context.WithValue(ctx, evalKey{}, "eval: "+question)
}

func evalTenant(ctx context.Context) string {
	tenant, _ := ctx.Value(evalKey{}).(string)
	return tenant
}

// A tally counts the golden questions.
type tally struct {
	total, found, cited, right int
}

// score asks the golden questions and writes a line for each, and the sum.
func score(ctx context.Context, svc *service.Service, out io.Writer) (t tally, err error) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "\tfound\tcited\tanswered\tquestion")
	for sc := bufio.NewScanner(bytes.NewReader(golden)); sc.Scan(); {
		var q sample
		if err := json.Unmarshal(sc.Bytes(), &q); err != nil {
			return t, fmt.Errorf("golden question %d: %w", t.total+1, err)
		}
		a, err := svc.Ask(asking(ctx, q.Question), service.Question{Text: q.Question})
		if err != nil {
			return t, fmt.Errorf("%q: %w", q.Question, err)
		}
		t.total++
		found, cited, right := grade(q, a)
		t.found, t.cited, t.right = t.found+count(found), t.cited+count(cited), t.right+count(right)
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", t.total, mark(found), mark(cited), mark(right), q.Question)
	}
	if err := table.Flush(); err != nil {
		return t, err
	}
	fmt.Fprintf(out, "\nthe document found %d/%d, citations that hold %d/%d, answered right %d/%d = %.0f %%\n",
		t.found, t.total, t.cited, t.total, t.right, t.total, 100*float64(t.right)/float64(t.total))
	return t, nil
}

// grade compares an answer with its golden question.
func grade(q sample, a *service.Answer) (found, cited, right bool) {
	unknown := rag.IsRefusal(a.Text)
	if len(q.Sources) == 0 {
		return true, true, unknown
	}
	for _, d := range a.Passages {
		source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
		for _, want := range q.Sources {
			found = found || source == want
		}
	}
	cited = len(a.Checked.Citations) > 0
	for _, c := range a.Checked.Citations {
		cited = cited && (c.Status == rag.Quoted || c.Status == rag.Supported)
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
