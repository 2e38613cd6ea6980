package rag

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/embed"
)

var (
	fit   = flag.Bool("fit", false, "fit the weights to testdata/judged.jsonl.gz, print them, and what they reach by leaving out questions")
	tuned = flag.String("tuned", "", "with -fit: weights of retrieve/embed/tune for the embedder of units with questions")
)

// A judged row is a question, a passage found for it, and what readers judged: 1 if it
// answers, 0.5 if it answers a part, 0 if not.
type judged struct {
	Question, Around string // Around is of earlier turns
	Passage          string
	Asked            []string // questions that the passage is known to answer
	Label            float64
	Refuse           bool // no passage of the collection answers the question
	Kind, Set        string
}

// readJudged reads testdata/judged.jsonl.gz: a line for each passage, then a line for
// each question with the passages that were judged for it, by number.
func readJudged(t testing.TB) []judged {
	t.Helper()
	file, err := os.Open("testdata/judged.jsonl.gz")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var passages, out []judged
	for lines.Scan() {
		var line struct {
			judged
			Judged [][2]float64 // a passage's number, its label
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Question == "" {
			passages = append(passages, line.judged)
			continue
		}
		for _, pair := range line.Judged {
			row := line.judged
			row.Passage, row.Asked = passages[int(pair[0])].Passage, passages[int(pair[0])].Asked
			row.Label = pair[1]
			out = append(out, row)
		}
	}
	require.NoError(t, lines.Err())
	return out
}

// An example is a judged unit with its features.
type example struct {
	question int
	x        vector
	y        float64
	intent   intent
	row      judged
	scored   scored
}

// examples ranks each question's passages and returns the features.
func examples(t testing.TB, rows []judged) []example {
	t.Helper()
	vectors, err := embed.New()
	require.NoError(t, err)
	if *tuned != "" {
		data, err := os.ReadFile(*tuned)
		require.NoError(t, err)
		vectors, err = vectors.Tuned(string(data))
		require.NoError(t, err)
	}
	seen := map[string]bool{}
	var corpus []unit
	for _, r := range rows {
		if !seen[r.Passage] {
			seen[r.Passage] = true
			corpus = append(corpus, units(numbered{0, r.Passage})...)
		}
	}
	asked := map[string][]string{}
	for _, r := range rows {
		for _, u := range units(numbered{0, r.Passage}) {
			asked[u.text] = r.Asked
		}
	}
	e, err := NewExtractive(&ExtractiveOptions{Embedder: vectors, Rarity: rarityAmong(corpus), Asked: func(text string) []string { return asked[text] }})
	require.NoError(t, err)
	byQuestion := map[string][]judged{}
	var order []string
	for _, r := range rows {
		key := r.Question + "\x00" + r.Around
		if byQuestion[key] == nil {
			order = append(order, key)
		}
		byQuestion[key] = append(byQuestion[key], r)
	}
	var out []example
	for i, key := range order {
		rows := byQuestion[key]
		var all []unit
		of := map[int]judged{}
		for n, r := range rows {
			for _, u := range units(numbered{n, r.Passage}) {
				u.order = len(all)
				all = append(all, u)
				of[u.order] = r
			}
		}
		q := newAsked(rows[0].Question, rows[0].Around)
		ranked, err := e.rank(t.Context(), q, all)
		require.NoError(t, err)
		for _, s := range ranked {
			r := of[s.order]
			out = append(out, example{i, s.features, r.Label, q.intent, r, s})
		}
	}
	return out
}

// regress fits a logistic regression with a penalty on the squares of the weights.
func regress(rows []example, penalty float64) vector {
	var w vector
	for range 30 { // Newton's steps
		var gradient [features]float64
		var hessian [features][features]float64
		for i := range rows {
			x := rows[i].input()
			z := 0.0
			for k := range x {
				z += w[k] * x[k]
			}
			p := 1 / (1 + math.Exp(-z))
			for a := range x {
				gradient[a] += (rows[i].y - p) * x[a]
				for b := range x {
					hessian[a][b] += p * (1 - p) * x[a] * x[b]
				}
			}
		}
		for k := range w {
			c := penalty
			if k == bias {
				c = 1e-6
			}
			gradient[k] -= c * w[k]
			hessian[k][k] += c
		}
		step := solve(hessian, gradient)
		for k := range w {
			w[k] += step[k]
		}
	}
	return w
}

// input is what the weights see of an example: a program that is asked for has the
// opposite sign.
func (e *example) input() vector {
	x := e.x
	if e.intent == intentShow {
		x[isCode] = -x[isCode]
	}
	return x
}

func solve(a [features][features]float64, b [features]float64) [features]float64 {
	for i := range a {
		pivot := i
		for r := i + 1; r < features; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[pivot][i]) {
				pivot = r
			}
		}
		a[i], a[pivot] = a[pivot], a[i]
		b[i], b[pivot] = b[pivot], b[i]
		for r := i + 1; r < features; r++ {
			f := a[r][i] / a[i][i]
			for c := i; c < features; c++ {
				a[r][c] -= f * a[i][c]
			}
			b[r] -= f * b[i]
		}
	}
	for i := features - 1; i >= 0; i-- {
		for c := i + 1; c < features; c++ {
			b[i] -= a[i][c] * b[c]
		}
		b[i] /= a[i][i]
	}
	return b
}

func (v *vector) dot(x *vector) float64 {
	z := 0.0
	for k := range v {
		z += v[k] * x[k]
	}
	return 1 / (1 + math.Exp(-z))
}

// TestFit is how the weights were made.
func TestFit(t *testing.T) {
	if !*fit {
		t.Skip("-fit is not set")
	}
	judgments := readJudged(t)
	var course []judged // without what is to be answered from other texts
	for _, j := range judgments {
		if j.Set != "sample" {
			course = append(course, j)
		}
	}
	with := examples(t, course)
	for i := range judgments {
		judgments[i].Asked = nil
	}
	*tuned = "" // other collections have the general embedder
	without := examples(t, judgments)
	for _, set := range []struct {
		name string
		rows []example
	}{{"weights", without}, {"weightsAsked", with}} {
		fmt.Println(set.name, "by leaving out a tenth of the questions:")
		outcomes(set.rows, leftOut(set.rows))
		var known []example // the others are scored by the other weights
		for _, r := range set.rows {
			if set.name == "weights" || len(r.scored.asked) > 0 {
				known = append(known, r)
			}
		}
		fmt.Printf("%s = %.2f\n", set.name, regress(known, penalty))
	}
	fmt.Println("the weights in the code, on the rows that they were fitted to:")
	now := make([]float64, len(with))
	for i := range with {
		now[i] = with[i].scored.score
	}
	outcomes(with, now)
}

const penalty = 1

// leftOut returns the probabilities of weights that were fitted without the question.
func leftOut(rows []example) []float64 {
	const folds = 10
	out := make([]float64, len(rows))
	for f := range folds {
		var train []example
		for _, r := range rows {
			if r.question%folds != f {
				train = append(train, r)
			}
		}
		w := regress(train, penalty)
		for i := range rows {
			if rows[i].question%folds == f {
				x := rows[i].input()
				out[i] = w.dot(&x)
			}
		}
	}
	return out
}

// outcomes prints what becomes of the questions at each threshold.
func outcomes(rows []example, p []float64) {
	type item struct {
		p, y float64
		code bool
	}
	byQuestion := map[int][]item{}
	refuse := map[int]bool{}
	for i, r := range rows {
		byQuestion[r.question] = append(byQuestion[r.question], item{p[i], r.y, r.scored.code && r.intent != intentShow || r.scored.asks})
		refuse[r.question] = r.row.Refuse
	}
	for _, threshold := range []float64{0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5} {
		var known, useful, wrong, other, otherWrong, refusals, answered int
		for q, items := range byQuestion {
			slices.SortFunc(items, func(a, b item) int {
				switch {
				case a.p > b.p:
					return -1
				case a.p < b.p:
					return 1
				}
				return 0
			})
			best, some := 0.0, false
			quoted := 0
			answerable := false
			top := 0.0
			for _, it := range items {
				answerable = answerable || it.y > 0
				if it.code {
					continue
				}
				if top == 0 {
					top = it.p
				}
				if quoted < 3 && top >= threshold && it.p >= 0.3*top {
					quoted++
					some = true
					best = max(best, it.y)
				}
			}
			switch {
			case refuse[q]:
				refusals++
				if some {
					answered++
				}
			case answerable:
				known++
				if best > 0 {
					useful++
				} else if some {
					wrong++
				}
			default:
				other++
				if some {
					otherWrong++
				}
			}
		}
		fmt.Printf("  %.2f: of %d that are answered, useful %.3f wrong %.3f; of %d others wrong %.3f; of %d to refuse answered %.3f\n", threshold, known, float64(useful)/float64(max(known, 1)), float64(wrong)/float64(max(known, 1)), other, float64(otherWrong)/float64(max(other, 1)), refusals, float64(answered)/float64(max(refusals, 1)))
	}
}

// TestWeightsOnOtherTexts: on a speech and chat logs, of whose questions none has the
// form of the course's notes, the three best units have an answer for most questions.
func TestWeightsOnOtherTexts(t *testing.T) {
	var rows []judged
	for _, j := range readJudged(t) {
		if j.Set == "sample" {
			rows = append(rows, j)
		}
	}
	found, rank, last := map[int]bool{}, 0, -1
	answerable := map[int]bool{}
	for _, e := range examples(t, rows) { // by question, best first
		if e.question != last {
			rank, last = 0, e.question
		}
		if e.y > 0 {
			answerable[e.question] = true
			found[e.question] = found[e.question] || rank < 3
		}
		rank++
	}
	n := 0
	for q := range found {
		if found[q] {
			n++
		}
	}
	t.Logf("%d of %d", n, len(answerable))
	require.Greater(t, len(answerable), 100)
	require.Greater(t, float64(n), 0.8*float64(len(answerable)))
}
