// Command quality measures nDCG@10 of a transformer beside the static embedder and BM25,
// alone and fused (reciprocal ranks, k = 60, the first 100 of each), on a collection in
// BEIR's form. Intervals are of the difference to BM25: 1.96 standard errors over the
// queries.
//
//	go run ./retrieve/embed/bert/testdata/quality MODEL_FOLDER COLLECTION_FOLDER
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/embed/bert"
)

type doc struct {
	ID    string `json:"_id"`
	Title string
	Text  string
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func lines(path string) []string {
	f := must(os.Open(path))
	defer func() { _ = f.Close() }()
	var out []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		out = append(out, s.Text())
	}
	return out
}

func docs(path string) (ids, texts []string) {
	for _, line := range lines(path) {
		var d doc
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			log.Fatal(err)
		}
		ids, texts = append(ids, d.ID), append(texts, strings.TrimSpace(d.Title+" "+d.Text))
	}
	return ids, texts
}

func main() {
	folder := os.Args[2]
	ids, texts := docs(filepath.Join(folder, "corpus.jsonl"))
	queryIDs, queries := docs(filepath.Join(folder, "queries.jsonl"))
	gains := map[string]map[string]float64{}
	for _, line := range lines(filepath.Join(folder, "qrels.tsv"))[1:] {
		f := strings.Fields(line)
		if gains[f[0]] == nil {
			gains[f[0]] = map[string]float64{}
		}
		gains[f[0]][f[1]] = must(strconv.ParseFloat(f[2], 64))
	}
	index := must(bm25.New(nil))
	for i, t := range texts {
		index.Add(i, t)
	}
	words := make([][]int, len(queries))
	for q, text := range queries {
		for _, h := range index.Search(text, 100) {
			words[q] = append(words[q], h.ID)
		}
	}
	score := func(lists [][]int) []float64 {
		out := make([]float64, 0, len(lists))
		for q, list := range lists {
			if g := gains[queryIDs[q]]; len(g) > 0 {
				out = append(out, ndcg(list, ids, g))
			}
		}
		return out
	}
	base := score(words)
	report("BM25", base, base)
	for _, e := range []struct {
		name string
		e    embeddings.Embedder
	}{
		{"static", must(embed.New())},
		{"transformer, 8 bits", must(bert.NewEmbedder(os.Args[1], &bert.Options{Precision: bert.PrecisionInt8, Workers: 1}))},
		{"transformer, float32", must(bert.NewEmbedder(os.Args[1], &bert.Options{Workers: 1}))},
	} {
		v, w := must(e.e.EmbedDocuments(context.Background(), texts)), must(e.e.EmbedDocuments(context.Background(), queries))
		near := make([][]int, len(queries))
		for q := range queries {
			near[q] = nearest(w[q], v)
		}
		report(e.name, score(near), base)
		report(e.name+" and BM25", score(fused(words, near)), base)
	}
}

func nearest(q []float32, v [][]float32) []int {
	at, dot := make([]int, len(v)), make([]float32, len(v))
	for i, row := range v {
		at[i] = i
		for j, x := range row {
			dot[i] += x * q[j]
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(dot[b], dot[a]) })
	return at[:min(100, len(at))]
}

func fused(a, b [][]int) [][]int {
	out := make([][]int, len(a))
	for q := range a {
		sum := map[int]float64{}
		for _, list := range [][]int{a[q], b[q]} {
			for rank, id := range list {
				sum[id] += 1 / float64(60+rank+1)
			}
		}
		for id := range sum {
			out[q] = append(out[q], id)
		}
		slices.SortFunc(out[q], func(x, y int) int { return cmp.Or(cmp.Compare(sum[y], sum[x]), cmp.Compare(x, y)) })
	}
	return out
}

func ndcg(list []int, ids []string, gains map[string]float64) float64 {
	sum, best := 0.0, 0.0
	for rank, id := range list[:min(10, len(list))] {
		sum += gains[ids[id]] / math.Log2(float64(rank+2))
	}
	var all []float64
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
	return sum / best
}

func report(name string, x, base []float64) {
	mean, diff, square, n := 0.0, 0.0, 0.0, float64(len(x))
	for i, v := range x {
		mean += v / n
		diff += (v - base[i]) / n
	}
	for i, v := range x {
		square += (v - base[i] - diff) * (v - base[i] - diff)
	}
	fmt.Printf("%-32s %.3f   %+.3f ± %.3f\n", name, mean, diff, 1.96*math.Sqrt(square/(n-1)/n))
}
