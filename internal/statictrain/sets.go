package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
)

// A ranker returns, for each question, the numbers of the best passages, best first.
type ranker func(ctx context.Context, questions, passages []string) ([][]int, error)

// A set is questions with known answers. score returns the quality of a ranker on each
// question, from 0 to 1. A set that some model has seen in its training isn't in the mean.
type set struct {
	name, metric string
	seen         bool
	score        func(ctx context.Context, rank ranker) ([]float64, error)
}

// evaluationSets are those whose data are at hand. None is in the training texts of this
// command.
func evaluationSets(golden, sourcesFolder, repository string) ([]set, error) {
	sets := []set{{"chunkeval", "recall@5 of characters", false, chunks}}
	if golden != "" {
		s, err := collection(filepath.Join(golden, "retrieve", "ir", "cranfield"))
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	if sourcesFolder != "" {
		_, held, err := qed(filepath.Join(sourcesFolder, "qed-dev.jsonl"))
		if err != nil {
			return nil, err
		}
		public, err := medquad(filepath.Join(sourcesFolder, "medquad"))
		if err != nil {
			return nil, err
		}
		byHash(public)
		public = once(public)
		partly := answers("QED", held)
		partly.seen = true // by the model that ships, whose own held-out questions are not known any more
		sets = append(sets, answers("MedQuAD", public[:min(heldQED, len(public))]), partly)
	}
	notes, err := courseNotes(repository)
	if err != nil {
		return nil, err
	}
	return append(sets, answers("course", notes)), nil
}

// chunks is chunkeval's sample: the share of the answer's characters in the best five
// passages of at most 800 characters.
func chunks(ctx context.Context, rank ranker) ([]float64, error) {
	data, err := sample.Data()
	if err != nil {
		return nil, err
	}
	c, err := chunk.NewRecursive(&chunk.Options{Size: 800})
	if err != nil {
		return nil, err
	}
	r, err := chunkeval.Run(ctx, data, c, chunkeval.Rank(rank), nil)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, s := range r.Scores {
		out = append(out, s.Recall)
	}
	return out, nil
}

// answers is a set of one right passage for each question, scored by 1/rank among the
// first ten.
func answers(name string, pairs []pair) set {
	return set{name, "1/rank in first 10", false, func(ctx context.Context, rank ranker) ([]float64, error) {
		var questions, passages []string
		for _, p := range pairs {
			questions, passages = append(questions, p.A), append(passages, p.B)
		}
		order, err := rank(ctx, questions, passages)
		if err != nil {
			return nil, err
		}
		out := make([]float64, len(pairs))
		for i, o := range order {
			if at := slices.Index(o[:min(10, len(o))], i); at >= 0 {
				out[i] = 1 / float64(at+1)
			}
		}
		return out, nil
	}}
}

// once leaves out pairs whose question or answer came before: they have two right answers.
func once(pairs []pair) (out []pair) {
	seen := map[string]bool{}
	for _, p := range pairs {
		if !seen[p.A] && !seen[p.B] {
			out = append(out, p)
		}
		seen[p.A], seen[p.B] = true, true
	}
	return out
}

// collection is a folder in BEIR's form, scored by nDCG@10.
func collection(folder string) (set, error) {
	ids, texts, err := documents(filepath.Join(folder, "corpus.jsonl"))
	if err != nil {
		return set{}, err
	}
	queryIDs, queries, err := documents(filepath.Join(folder, "queries.jsonl"))
	if err != nil {
		return set{}, err
	}
	gains := map[string]map[string]float64{}
	err = lines(filepath.Join(folder, "qrels.tsv"), func(line []byte) error {
		f := strings.Fields(string(line))
		if len(f) != 3 || f[0] == "query-id" {
			return nil
		}
		if gains[f[0]] == nil {
			gains[f[0]] = map[string]float64{}
		}
		var err error
		gains[f[0]][f[1]], err = strconv.ParseFloat(f[2], 64)
		return err
	})
	if err != nil {
		return set{}, err
	}
	return set{filepath.Base(folder), "nDCG@10", false, func(ctx context.Context, rank ranker) ([]float64, error) {
		order, err := rank(ctx, queries, texts)
		if err != nil {
			return nil, err
		}
		var out []float64
		for q, o := range order {
			if g := gains[queryIDs[q]]; len(g) > 0 {
				out = append(out, ndcg(o, ids, g))
			}
		}
		return out, nil
	}}, nil
}

func documents(path string) (ids, texts []string, err error) {
	err = lines(path, func(line []byte) error {
		var d struct {
			ID    string `json:"_id"`
			Title string
			Text  string
		}
		if err := json.Unmarshal(line, &d); err != nil {
			return err
		}
		ids, texts = append(ids, d.ID), append(texts, strings.TrimSpace(d.Title+" "+d.Text))
		return nil
	})
	return ids, texts, err
}

// ndcg is nDCG@10 with the gain itself as numerator.
func ndcg(order []int, ids []string, gains map[string]float64) float64 {
	var got, best float64
	for rank, at := range order[:min(10, len(order))] {
		got += gains[ids[at]] / math.Log2(float64(rank+2))
	}
	all := make([]float64, 0, len(gains))
	for _, g := range gains {
		all = append(all, g)
	}
	slices.Sort(all)
	slices.Reverse(all)
	for rank, g := range all[:min(10, len(all))] {
		best += g / math.Log2(float64(rank+2))
	}
	if best == 0 {
		return 0
	}
	return got / best
}

// courseNotes reads the questions in the notes of this library's packages: a paragraph
// below "# Questions" that begins with a question. The answer is the rest.
func courseNotes(repository string) (out []pair, err error) {
	err = filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "doc.go" {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // the path is the user's
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, data, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil || f.Doc == nil {
			return err
		}
		_, text, _ := strings.Cut(f.Doc.Text(), "\n# Questions\n")
		text, _, _ = strings.Cut(text, "\n# ")
		for _, paragraph := range strings.Split(text, "\n\n") {
			question, answer, ok := strings.Cut(strings.Join(strings.Fields(paragraph), " "), "? ")
			if ok && !strings.ContainsAny(question, ".:") {
				out = append(out, pair{A: question + "?", B: answer})
			}
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no questions in the notes below %q", repository)
	}
	return out, err
}
