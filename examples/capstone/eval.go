package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// Questions by authors who had not read the notes, and what readers of the notes
// said of the passages that were found for them.
//
//go:embed testdata/questions
var questionFiles embed.FS

// questionSets are the files of questions, without their ending. The others are asked
// alone: the questions of "translated" are those of other sets in another language, and
// those of "aspects" are made from forms.
var questionSets = []string{"dev", "held", "later", "fourth", "fifth"}

// A question is one of an author's who had not read the notes.
type question struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Question string `json:"question"`
	History  []struct {
		Role string `json:"role"`
		Text string `json:"text"`
	} `json:"history"`
	Refuse bool `json:"refuse"` // no note should answer it
}

func (q question) history() []llms.MessageContent {
	var out []llms.MessageContent
	for _, turn := range q.History {
		role := llms.ChatMessageTypeHuman
		if turn.Role == "assistant" {
			role = llms.ChatMessageTypeAI
		}
		out = append(out, llms.TextParts(role, turn.Text))
	}
	return out
}

// A judgment is what a reader says of a passage for a question: "yes", it answers;
// "partly"; "no".
type judgment struct {
	Question string `json:"question"` // its id
	Passage  string `json:"passage"`  // passageID
	Reader   string `json:"reader"`
	Label    string `json:"label"`
	Source   string `json:"source"`
}

// passageID names a passage's text, so that a judgment holds as long as the text does.
func passageID(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	return hex.EncodeToString(sum[:6])
}

func readLines[T any](name string) ([]T, error) {
	data, err := fs.ReadFile(questionFiles, "testdata/questions/"+name)
	if err != nil {
		return nil, err
	}
	var out []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, len(out)+1, err)
		}
		out = append(out, v)
	}
	return out, lines.Err()
}

// A verdict is what became of a question.
type verdict uint8

const (
	verdictUnjudged verdict = iota // it was answered by passages that no reader has judged
	verdictUseful                  // a passage answers, or answers a part
	verdictWrong                   // no passage answers, or there was nothing to answer
	verdictRefused
	verdictUncited // it names no passage, so no judgment applies; a model that writes freely does this
)

func (v verdict) String() string {
	return [...]string{"unjudged", "useful", "wrong", "refused", "uncited"}[v]
}

// A result is a question with its verdict.
type result struct {
	question   question
	verdict    verdict
	answerable bool // some passage that a reader has seen answers it
	near       bool // it was refused, and the nearest passages have one of the right package
	answer     *service.Answer
}

// judged asks the questions and looks the answers up in the judgments. It passes each
// result to each, if that is not nil.
func judged(ctx context.Context, svc *service.Service, questions []question, judgments []judgment, each func(result) error) ([]result, error) {
	labels := map[string]map[string][]string{} // question, passage
	right := map[string][]string{}             // question -> packages
	for _, j := range judgments {
		if labels[j.Question] == nil {
			labels[j.Question] = map[string][]string{}
		}
		labels[j.Question][j.Passage] = append(labels[j.Question][j.Passage], j.Label)
		if j.Label != "no" {
			right[j.Question] = append(right[j.Question], path.Dir(j.Source))
		}
	}
	var out []result
	for _, q := range questions {
		a, err := svc.Ask(asking(ctx, q.Question), service.Question{Text: q.Question, History: q.history()})
		if err != nil {
			return nil, fmt.Errorf("%q: %w", q.Question, err)
		}
		r := result{question: q, answerable: len(right[q.ID]) > 0 && !q.Refuse, answer: a}
		quoted := passagesOf(a)
		switch {
		case a.Refused():
			r.verdict = verdictRefused
			r.near = slices.ContainsFunc(quoted, func(d schema.Document) bool {
				source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
				return slices.Contains(right[q.ID], path.Dir(source))
			})
		case q.Refuse:
			r.verdict = verdictWrong
		case len(quoted) == 0:
			r.verdict = verdictUncited
		default:
			r.verdict = verdictWrong
			for _, d := range quoted {
				given := labels[q.ID][passageID(d.PageContent)]
				switch {
				case len(given) == 0 && r.verdict != verdictUseful:
					r.verdict = verdictUnjudged
				case slices.ContainsFunc(given, func(l string) bool { return l != "no" }):
					r.verdict = verdictUseful
				}
			}
		}
		if each != nil {
			if err := each(r); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// passagesOf returns the passages that an answer cites, each once.
func passagesOf(a *service.Answer) []schema.Document {
	var out []schema.Document
	seen := map[int]bool{}
	for _, c := range a.Checked.Citations {
		if c.Number >= 1 && c.Number <= len(a.Passages) && !seen[c.Number] {
			seen[c.Number] = true
			out = append(out, a.Passages[c.Number-1])
		}
	}
	return out
}

// report writes the verdicts by kind and the sums with their 95 % intervals. It returns
// how many of the questions that the notes answer got a useful answer.
func report(out io.Writer, results []result) (useful, of int, err error) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "kind\tquestions\tanswered by the notes\tuseful\twrong\trefused\tuncited\tunjudged")
	type counts struct{ n, answerable, useful, wrong, refused, uncited, unjudged, near, refusedAnswerable int }
	add := func(c *counts, r result) {
		c.n++
		if r.answerable {
			c.answerable++
		}
		switch r.verdict {
		case verdictUseful:
			c.useful++
		case verdictWrong:
			c.wrong++
		case verdictRefused:
			c.refused++
			if r.answerable {
				c.refusedAnswerable++
				if r.near {
					c.near++
				}
			}
		case verdictUncited:
			c.uncited++
		default:
			c.unjudged++
		}
	}
	byKind := map[string]*counts{}
	var answer, refuse, known counts // to answer, to refuse, to answer by what the notes have
	for _, r := range results {
		if byKind[r.question.Kind] == nil {
			byKind[r.question.Kind] = &counts{}
		}
		add(byKind[r.question.Kind], r)
		switch {
		case r.question.Refuse:
			add(&refuse, r)
		default:
			add(&answer, r)
			if r.answerable {
				add(&known, r)
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		c := byKind[kind]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", kind, c.n, c.answerable, c.useful, c.wrong, c.refused, c.uncited, c.unjudged)
	}
	if err := table.Flush(); err != nil {
		return 0, 0, err
	}
	fmt.Fprintln(out)
	for _, line := range []struct {
		what string
		k, n int
	}{
		{"of the questions that the notes answer, useful (fully or in part)", known.useful, known.n},
		{"of the questions that the notes answer, wrong", known.wrong, known.n},
		{"of the questions that the notes answer, answered without a citation", known.uncited, known.n},
		{"of the other questions about the course, wrong", answer.wrong - known.wrong, answer.n - known.n},
		{"of the questions to refuse, answered", refuse.wrong + refuse.uncited, refuse.n},
		{"of the refusals of what the notes answer, with the right package among the nearest", known.near, known.refusedAnswerable},
	} {
		if line.n == 0 {
			continue
		}
		ci, err := stats.ProportionInterval(line.k, line.n, 0.95, stats.ProportionWilson)
		if err != nil {
			return 0, 0, err
		}
		fmt.Fprintf(out, "%s: %d/%d = %.0f %% [%.0f, %.0f]\n", line.what, line.k, line.n, 100*float64(line.k)/float64(line.n), 100*ci.Low, 100*ci.High)
	}
	return known.useful, known.n, nil
}

// compare writes which verdicts are others than in the run before, which is kept in a
// file, and puts this run in its place.
func compare(out io.Writer, file string, results []result) error {
	now := map[string]string{}
	for _, r := range results {
		now[r.question.ID] = r.verdict.String()
	}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(out, "\nthere is no run before this one in %s\n", file)
	case err != nil:
		return err
	default:
		last := map[string]string{}
		if err := json.Unmarshal(data, &last); err != nil {
			return fmt.Errorf("the last run, %s: %w", file, err)
		}
		fmt.Fprintln(out, "\nsince the last run:")
		changed := 0
		for _, r := range results {
			if before, ok := last[r.question.ID]; ok && before != now[r.question.ID] {
				changed++
				fmt.Fprintf(out, "  %s → %s  %s\n", before, now[r.question.ID], r.question.Question)
			}
		}
		if changed == 0 {
			fmt.Fprintln(out, "  nothing changed")
		}
	}
	if data, err = json.Marshal(now); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// lastRun is the file of the last run, if it isn't named.
func lastRun() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "prodai", "capstone-eval.json")
}

// evaluate asks the questions of independent authors and fails if too few of those that
// the notes answer get a useful answer.
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
	questions, err := s.questions()
	if err != nil {
		return err
	}
	var each func(result) error
	if s.answers != "" {
		file, err := os.Create(s.answers)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		each = func(r result) error { return writeAnswer(file, r) }
	}
	results, err := independent(ctx, svc, questions, each)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d questions written from the syllabus alone\n\n", len(results))
	useful, known, err := report(out, results)
	if err != nil {
		return err
	}
	if err := compare(out, cmp.Or(s.last, lastRun()), results); err != nil {
		return err
	}
	if float64(useful) < s.floor*float64(known) {
		return fmt.Errorf("%d of %d questions that the notes answer get a useful answer, want a share of at least %v", useful, known, s.floor)
	}
	return nil
}

// questions returns those that the flags ask for: all, one file, or a random sample.
func (s *settings) questions() ([]question, error) {
	var out []question
	sets := append(slices.Clone(questionSets), "translated", "aspects")
	for i, name := range sets {
		if s.set != name && (s.set != "" || i >= len(questionSets)) {
			continue
		}
		more, err := readLines[question](name + ".jsonl")
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if len(out) == 0 || s.sample < 0 {
		return nil, fmt.Errorf("-set is %q, want one of %q; -sample is %d, want at least 0", s.set, sets, s.sample)
	}
	if s.sample > 0 {
		rand.New(rand.NewPCG(s.seed, 0)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		out = out[:min(s.sample, len(out))]
	}
	return out, nil
}

// writeAnswer writes a result as a line of JSON, for a reader to judge what a model
// wrote: a verdict is of the passages that it cites.
func writeAnswer(w io.Writer, r result) error {
	line := struct {
		ID         string   `json:"id"`
		Kind       string   `json:"kind"`
		Verdict    string   `json:"verdict"`
		Answerable bool     `json:"answerable"`
		Question   string   `json:"question"`
		Answer     string   `json:"answer"`
		Passages   []string `json:"passages"` // those that it cites
	}{r.question.ID, r.question.Kind, r.verdict.String(), r.answerable, r.question.Question, r.answer.Text, nil}
	for _, d := range passagesOf(r.answer) {
		line.Passages = append(line.Passages, d.PageContent)
	}
	return json.NewEncoder(w).Encode(line)
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

// independent asks the questions and looks up what readers said of the passages.
func independent(ctx context.Context, svc *service.Service, questions []question, each func(result) error) ([]result, error) {
	judgments, err := readLines[judgment]("judged.jsonl")
	if err != nil {
		return nil, err
	}
	return judged(ctx, svc, questions, judgments, each)
}
