package eval

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// RetrievalOptions sets which judgments and queries count; nil means the defaults.
type RetrievalOptions struct {
	// Level is the smallest grade that is relevant. Default: 1.
	Level int
	// ReturnedOnly leaves queries without any result out of the mean, as trec_eval
	// does without its flag -c. Default: they count as 0, since a retriever that
	// returns nothing must not get a better score by that.
	ReturnedOnly bool
}

// Retrieval is a metric of ranked retrieval: the mean over queries of one of the
// measures of [Ranking], from a case's Relevant and an output's Retrieved. A case
// without judgments is skipped. A case whose judgments have nothing relevant counts
// as 0, as in trec_eval.
type Retrieval struct {
	o       RetrievalOptions
	name    string
	measure func(*Ranking) float64
}

// NewRetrieval returns the metric of this name: ndcg, ndcg_burges, map, mrr,
// precision, recall, f1 or hit, each with a cut-off (ndcg@10) or, except hit,
// without; and r-precision, bpref, infap, 11pt.
func NewRetrieval(name string, o *RetrievalOptions) (*Retrieval, error) {
	m := &Retrieval{name: name}
	if o != nil {
		m.o = *o
	}
	if m.o.Level == 0 {
		m.o.Level = 1
	}
	if m.o.Level < 0 {
		return nil, fmt.Errorf("%w: RetrievalOptions.Level is %d: want 1 or more", ErrOption, m.o.Level)
	}
	base, cut, at := strings.Cut(name, "@")
	k := 0
	if at {
		var err error
		if k, err = strconv.Atoi(cut); err != nil || k < 1 {
			return nil, fmt.Errorf("%w: the measure is %q: want a cut-off of 1 or more", ErrOption, name)
		}
	}
	cutOff := map[string]func(*Ranking, int) float64{
		"ndcg": (*Ranking).NDCG, "ndcg_burges": (*Ranking).NDCGBurges, "map": (*Ranking).AveragePrecision,
		"mrr": (*Ranking).ReciprocalRank, "precision": (*Ranking).Precision, "recall": (*Ranking).Recall,
		"f1": (*Ranking).F1, "hit": (*Ranking).HitRate,
	}
	whole := map[string]func(*Ranking) float64{
		"r-precision": (*Ranking).RPrecision, "bpref": (*Ranking).BPref, "infap": (*Ranking).InfAP, "11pt": (*Ranking).ElevenPoint,
	}
	if f := cutOff[base]; f != nil && (at || base != "hit") {
		m.measure = func(r *Ranking) float64 { return f(r, k) }
	} else if f := whole[name]; f != nil {
		m.measure = f
	} else {
		return nil, fmt.Errorf("%w: the measure is %q: want ndcg, map, mrr, precision, recall, f1 or hit, with @K or (except hit) without, or r-precision, bpref, infap or 11pt", ErrOption, name)
	}
	return m, nil
}

// Signature names the measure and its options.
func (m *Retrieval) Signature() Signature {
	queries := "judged"
	if m.o.ReturnedOnly {
		queries = "returned"
	}
	return Signature{Metric: m.name, Params: fmt.Sprintf("level:%d|queries:%s|ties:trec", m.o.Level, queries)}
}

// Width is 2: the sum of the queries' values and their number.
func (m *Retrieval) Width() int { return 2 }

// Stats writes the query's value.
func (m *Retrieval) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	if len(c.Relevant) == 0 {
		return skip("the case has no judged documents")
	}
	if len(o.Retrieved) == 0 && m.o.ReturnedOnly {
		return skip("nothing was retrieved")
	}
	r, err := Rank(c.Relevant, o.Retrieved, m.o.Level)
	if err != nil {
		return err
	}
	dst[0], dst[1] = m.measure(r), 1
	return nil
}

// Value returns the mean, 0 to 1.
func (m *Retrieval) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }
