package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Ranking is one query's result list against its judgments, in the order
// trec_eval gives it: by score rounded to a float32, largest first, and among equal
// scores by document id in descending byte order. The rule for ties is arbitrary
// and usual. If ties stayed in the order of the input, a system that returns equal
// scores would be graded by chance.
//
// A document without a judgment counts as not relevant. Grades below 1 are
// not relevant; negative ones are ignored by bpref and infAP, as in trec_eval.
type Ranking struct {
	Grades  []int     // of the retrieved documents, best first
	Scores  []float64 // as given
	ideal   []int     // all judged grades above 0, largest first
	rel     int       // relevant documents, judged
	nonRel  int       // judged not relevant, grade 0 up to the level
	level   int       // the smallest grade that is relevant
	skipped []bool    // not judged, or judged negative: bpref and infAP pass over it
}

// Rank orders retrieved documents and looks up their judgments. A grade of
// level (at least 1) or more is relevant. A document that was returned twice
// is an [ErrDuplicate], a score that is NaN an [ErrNotFinite].
func Rank(relevant map[string]int, retrieved []Retrieved, level int) (*Ranking, error) {
	if level < 1 {
		return nil, fmt.Errorf("%w: the level is %d: want 1 or more", ErrOption, level)
	}
	run := slices.Clone(retrieved)
	for _, d := range run {
		if math.IsNaN(d.Score) {
			return nil, fmt.Errorf("%w: the score of document %q", ErrNotFinite, d.ID)
		}
	}
	slices.SortFunc(run, func(a, b Retrieved) int {
		return cmp.Or(cmp.Compare(float32(b.Score), float32(a.Score)), strings.Compare(b.ID, a.ID))
	})
	r := &Ranking{level: level}
	seen := make(map[string]bool, len(run))
	for _, d := range run {
		if seen[d.ID] {
			return nil, fmt.Errorf("%w: %q", ErrDuplicate, d.ID)
		}
		seen[d.ID] = true
		grade, judged := relevant[d.ID]
		r.Grades = append(r.Grades, grade)
		r.Scores = append(r.Scores, d.Score)
		r.skipped = append(r.skipped, !judged || grade < 0)
	}
	for _, grade := range relevant {
		switch {
		case grade >= level:
			r.rel++
		case grade >= 0:
			r.nonRel++
		}
		if grade > 0 {
			r.ideal = append(r.ideal, grade)
		}
	}
	slices.SortFunc(r.ideal, func(a, b int) int { return cmp.Compare(b, a) })
	return r, nil
}

// Relevant is the number of relevant documents among the judged ones.
func (r *Ranking) Relevant() int { return r.rel }

// top returns the first k grades; k < 1 means all.
func (r *Ranking) top(k int) []int {
	if k < 1 || k > len(r.Grades) {
		k = len(r.Grades)
	}
	return r.Grades[:k]
}

// Hits is the number of relevant documents among the first k.
func (r *Ranking) Hits(k int) int {
	n := 0
	for _, g := range r.top(k) {
		if g >= r.level {
			n++
		}
	}
	return n
}

// Precision is the share of relevant documents among the first k, also if the list
// is shorter than k: P@k = hits@k / k. Without a cut-off (k < 1) it is hits /
// retrieved.
func (r *Ranking) Precision(k int) float64 {
	if k < 1 {
		k = len(r.Grades)
	}
	return ratio(float64(r.Hits(k)), float64(k))
}

// Recall is the share of the relevant documents that are among the first k. It
// misleads where judgments are incomplete: what was not judged can't be found.
func (r *Ranking) Recall(k int) float64 { return ratio(float64(r.Hits(k)), float64(r.rel)) }

// F1 is the harmonic mean of precision and recall at k.
func (r *Ranking) F1(k int) float64 { return harmonic(r.Precision(k), r.Recall(k)) }

// HitRate is 1 if any of the first k documents is relevant (trec_eval's
// success), else 0.
func (r *Ranking) HitRate(k int) float64 { return float64(min(1, r.Hits(k))) }

// ReciprocalRank is 1 over the rank of the first relevant document, 0 if there
// is none among the first k. Its mean is MRR, for tasks where one good answer
// is enough.
func (r *Ranking) ReciprocalRank(k int) float64 {
	for i, g := range r.top(k) {
		if g >= r.level {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// AveragePrecision is the mean over the relevant documents of the precision at
// their ranks, 0 for those not among the first k. Its mean over queries is MAP.
func (r *Ranking) AveragePrecision(k int) float64 {
	hits, sum := 0, 0.0
	for i, g := range r.top(k) {
		if g >= r.level {
			hits++
			sum += float64(hits) / float64(i+1)
		}
	}
	return ratio(sum, float64(r.rel))
}

// RPrecision is the precision at R, the number of relevant documents.
func (r *Ranking) RPrecision() float64 {
	if r.rel == 0 {
		return 0
	}
	return r.Precision(r.rel)
}

// NDCG is the discounted cumulative gain of the first k documents over the
// best possible one:
//
//	DCG@k = Σ_{i≤k} gain_i / log2(i+1)
//
// The gain is the grade, as in trec_eval (Järvelin and Kekäläinen 2002). It is the
// measure for graded judgments; with few judged documents it mostly measures which
// documents were judged.
func (r *Ranking) NDCG(k int) float64 {
	return r.ndcg(k, func(g int) float64 { return float64(g) })
}

// NDCGBurges is nDCG with the gain 2^grade - 1 (Burges et al. 2005), which
// makes the top grade weigh more. Two papers' "nDCG" may differ by this.
func (r *Ranking) NDCGBurges(k int) float64 {
	// In units of the top grade's 2^grade, which cancels out: 2^1100 overflows.
	top := 0
	if len(r.ideal) > 0 {
		top = r.ideal[0]
	}
	return r.ndcg(k, func(g int) float64 { return math.Exp2(float64(g-top)) - math.Exp2(float64(-top)) })
}

func (r *Ranking) ndcg(k int, gain func(grade int) float64) float64 {
	dcg := func(grades []int) float64 {
		sum := 0.0
		for i, g := range grades {
			if g > 0 {
				sum += gain(g) / math.Log2(float64(i+2))
			}
		}
		return sum
	}
	ideal := r.ideal
	if k > 0 && k < len(ideal) {
		ideal = ideal[:k]
	}
	return ratio(dcg(r.top(k)), dcg(ideal))
}

// NDCGTies is nDCG where documents with equal scores share the mean of their
// gains, so that no rule for ties is needed (McSherry and Najork 2008;
// scikit-learn's ndcg_score). The ideal order is over the retrieved documents
// only, so it measures how well they are ordered, not whether any is missing.
func (r *Ranking) NDCGTies(k int) float64 {
	n := len(r.Grades)
	if k < 1 || k > n {
		k = n
	}
	order := make([]int, n)
	gains := make([]float64, n)
	for i, g := range r.Grades {
		order[i] = i
		gains[i] = float64(max(g, 0))
	}
	// The ranking's own order is by float32; here only truly equal scores tie.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.Scores[b], r.Scores[a]) })
	discount := func(rank int) float64 {
		if rank >= k {
			return 0
		}
		return 1 / math.Log2(float64(rank+2))
	}
	dcg := 0.0
	for i := 0; i < n; {
		gain, discounts, j := 0.0, 0.0, i
		for ; j < n && r.Scores[order[j]] == r.Scores[order[i]]; j++ {
			gain += gains[order[j]]
			discounts += discount(j)
		}
		dcg += gain / float64(j-i) * discounts
		i = j
	}
	slices.SortFunc(gains, func(a, b float64) int { return cmp.Compare(b, a) })
	ideal := 0.0
	for i, g := range gains {
		ideal += g * discount(i)
	}
	return ratio(dcg, ideal)
}

// BPref counts how often a judged relevant document is ranked above judged
// irrelevant ones. It is more stable than MAP if many documents were never judged
// (Buckley and Voorhees 2004).
func (r *Ranking) BPref() float64 {
	above, sum := 0, 0.0
	for i, g := range r.Grades {
		switch {
		case g >= r.level:
			sum++
			if above > 0 {
				sum -= float64(min(above, r.rel)) / float64(min(r.nonRel, r.rel))
			}
		case !r.skipped[i]:
			above++
		}
	}
	return ratio(sum, float64(r.rel))
}

// InfAP estimates average precision from judgments of a random sample of the
// documents (Yilmaz and Aslam 2006). A grade of -1 marks a document of the pool
// that was not judged, as in trec_eval.
func (r *Ranking) InfAP() float64 {
	const eps = 0.00001
	rel, nonRel, pooled, sum := 0.0, 0.0, 0.0, 0.0
	for i, g := range r.Grades {
		switch {
		case g == -1:
			pooled++
		case r.skipped[i]:
		case g < r.level:
			nonRel++
		case i == 0:
			rel++
			sum++
		default:
			rel++
			j := float64(i)
			sum += 1/(j+1) + j/(j+1)*((rel-1+nonRel+pooled)/j)*((rel-1+eps)/(rel-1+nonRel+2*eps))
		}
	}
	return ratio(sum, float64(r.rel))
}

// InterpolatedPrecision is the largest precision at any rank where the recall
// is at least this (0 to 1).
func (r *Ranking) InterpolatedPrecision(recall float64) float64 {
	need := int(recall*float64(r.rel) + 0.9)
	hits := r.Hits(0)
	if need > hits || len(r.Grades) == 0 {
		return 0
	}
	best := float64(hits) / float64(len(r.Grades))
	for n := len(r.Grades); n > 0 && hits >= max(need, 1); n-- {
		best = max(best, float64(hits)/float64(n))
		if r.Grades[n-1] >= r.level {
			hits--
		}
	}
	return best
}

// ElevenPoint is the mean interpolated precision at the recalls 0, 0.1 ... 1.
func (r *Ranking) ElevenPoint() float64 {
	sum := 0.0
	for i := range 11 {
		sum += r.InterpolatedPrecision(float64(i) / 10)
	}
	return sum / 11
}
