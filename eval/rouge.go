package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ROUGEOptions sets which ROUGE; nil means the defaults.
type ROUGEOptions struct {
	// Types are rouge1 to rouge9, rougeL and rougeLsum, one at least. Default: nil
	// means rouge1, rouge2 and rougeL.
	Types []string
	// Stem reduces words to their Porter stems first, so that "cats" matches
	// "cat". English only. Default: words stay as they are.
	Stem bool
	// Tokenizer cuts texts into words. Default: the reference implementation's,
	// which keeps ASCII letters and digits only and so gives any two texts in
	// Greek, Hindi or Chinese, equal ones too, the score 0. [UnicodeTokenizer]
	// doesn't.
	Tokenizer *Tokenizer
}

// PRF is a precision, a recall and their harmonic mean.
type PRF struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F         float64 `json:"f"`
}

func prf(hits, got, want float64) PRF {
	p, r := hits/max(got, 1), hits/max(want, 1)
	return PRF{p, r, harmonic(p, r)}
}

func harmonic(p, r float64) float64 {
	if p+r > 0 {
		return 2 * p * r / (p + r)
	}
	return 0
}

// ROUGE measures how much of a reference summary an output contains:
//
//   - rougeN: overlap of n-grams, each counted at most as often as the other
//     side has it
//   - rougeL: the longest common subsequence of the two token sequences
//   - rougeLsum: the same per sentence (a line each), where a reference
//     sentence is matched with all of the output's together
//
// precision = overlap / output's, recall = overlap / reference's, F = 2PR/(P+R).
// Of several references the one with the best F counts, per type.
//
// It misleads on facts (one "not" costs almost nothing), on summaries in other
// words (a good paraphrase scores low), and in languages that the tokenizer wasn't
// made for. Two empty texts score 0.
//
// Source: Lin 2004; the definitions of Google's rouge-score 0.1.2.
type ROUGE struct {
	o     ROUGEOptions
	kinds []int // n of rougeN, or one of the constants below
	order int   // the largest n
}

const (
	rougeL    = -1
	rougeLsum = -2
)

// NewROUGE returns the scorer for these options; nil means the defaults.
func NewROUGE(o *ROUGEOptions) (*ROUGE, error) {
	r := &ROUGE{}
	if o != nil {
		r.o = *o
		r.o.Types = slices.Clone(o.Types)
	}
	if r.o.Types == nil {
		r.o.Types = []string{"rouge1", "rouge2", "rougeL"}
	}
	if len(r.o.Types) == 0 {
		return nil, fmt.Errorf("%w: ROUGEOptions.Types is empty: want at least one type, or nil for the default", ErrOption)
	}
	for _, typ := range r.o.Types {
		var n int
		switch typ {
		case "rougeL":
			n = rougeL
		case "rougeLsum":
			n = rougeLsum
		default:
			if len(typ) != len("rouge1") || !strings.HasPrefix(typ, "rouge") || typ[5] < '1' || typ[5] > '9' {
				return nil, fmt.Errorf("%w: ROUGEOptions.Types has %q: want rouge1 to rouge9, rougeL or rougeLsum", ErrOption, typ)
			}
			n = int(typ[5] - '0')
		}
		r.kinds = append(r.kinds, n)
		r.order = max(r.order, n)
	}
	return r, nil
}

// Score returns the scores of one output, in the order of the options' types:
// against the reference that gives the best F, per type.
func (r *ROUGE) Score(output string, references ...string) ([]PRF, error) {
	out := make([]PRF, len(r.kinds))
	if err := r.ScoreTo(out, output, references); err != nil {
		return nil, err
	}
	return out, nil
}

// ScoreTo is [ROUGE.Score] into a slice of the caller's.
func (r *ROUGE) ScoreTo(out []PRF, output string, references []string) error {
	if len(out) != len(r.kinds) {
		return fmt.Errorf("%w: %d results for %d ROUGE types", ErrLength, len(out), len(r.kinds))
	}
	if err := checkTexts(output, references); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.rouge.begin(r.o.Stem)
	s.hyp = r.cut(s, s.hyp[:0], output)
	for i, ref := range references {
		s.ref = r.cut(s, s.ref[:0], ref)
		r.against(s, output, ref, func(k int, score PRF) {
			if i == 0 || score.F > out[k].F {
				out[k] = score
			}
		})
	}
	return nil
}

// against compares s.hyp with s.ref.
func (r *ROUGE) against(s *scratch, hyp, ref string, put func(k int, score PRF)) {
	if r.order > 0 {
		s.grams.reset()
		s.grams.addReference(0, s.ref, r.order)
		s.counts = append(s.counts[:0], make([]int, r.order)...)
		s.grams.match(s.hyp, r.order, s.counts)
	}
	for k, n := range r.kinds {
		switch n {
		case rougeL:
			put(k, prf(float64(s.lcs.length(s.hyp, s.ref)), float64(len(s.hyp)), float64(len(s.ref))))
		case rougeLsum:
			put(k, r.summary(s, hyp, ref))
		default:
			put(k, prf(float64(s.counts[n-1]), float64(grams(len(s.hyp), n)), float64(grams(len(s.ref), n))))
		}
	}
}

// summary is rougeLsum: of every reference sentence the union of its longest
// common subsequences with all output sentences, each token counted at most as
// often as either text has it.
func (r *ROUGE) summary(s *scratch, hyp, ref string) PRF {
	var hyps, refs [][]uint32
	cut := func(text string) (sentences [][]uint32, tokens int) {
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" {
				ids := r.cut(s, nil, line)
				sentences = append(sentences, ids)
				tokens += len(ids)
			}
		}
		return sentences, tokens
	}
	hyps, inHyp := cut(hyp)
	refs, inRef := cut(ref)
	if inHyp == 0 || inRef == 0 {
		return PRF{}
	}
	left := map[uint32]*[2]int{}
	count := func(sentences [][]uint32, side int) {
		for _, ids := range sentences {
			for _, id := range ids {
				if left[id] == nil {
					left[id] = new([2]int)
				}
				left[id][side]++
			}
		}
	}
	count(hyps, 0)
	count(refs, 1)
	hits := 0
	for _, want := range refs {
		used := make([]bool, len(want))
		for _, got := range hyps {
			s.lcs.mark(want, got, used)
		}
		for i, id := range want {
			if n := left[id]; used[i] && n[0] > 0 && n[1] > 0 {
				hits++
				n[0]--
				n[1]--
			}
		}
	}
	return prf(float64(hits), float64(inHyp), float64(inRef))
}

// cut appends the ids of a text's tokens.
func (r *ROUGE) cut(s *scratch, dst []uint32, text string) []uint32 {
	if r.o.Tokenizer == nil {
		return s.rouge.cut(dst, text, r.o.Stem)
	}
	s.text = appendLower(s.text[:0], text)
	var line []byte
	line, s.spans = r.o.Tokenizer.split(s.text, s.spans[:0])
	for _, sp := range s.spans {
		dst = append(dst, s.rouge.word(line[sp.start:sp.end], r.o.Stem))
	}
	return dst
}

// Metrics returns a [Metric] for each type, in the order of the options. The
// value of a corpus is the mean F of its segments.
func (r *ROUGE) Metrics() []Metric {
	metrics := make([]Metric, len(r.kinds))
	for i, typ := range r.o.Types {
		one := &ROUGE{o: r.o, kinds: r.kinds[i : i+1], order: max(r.kinds[i], 0)}
		metrics[i] = &rougeMetric{one, typ}
	}
	return metrics
}

type rougeMetric struct {
	*ROUGE
	typ string
}

func (m *rougeMetric) CountsReferences() bool { return true }

func (m *rougeMetric) Signature() Signature {
	tok := "rouge"
	if m.o.Tokenizer != nil {
		tok = m.o.Tokenizer.name
	}
	return Signature{Metric: m.typ, Params: fmt.Sprintf("tok:%s|stem:%s", tok, yesNo(m.o.Stem)), Version: "0.1.2"}
}

// Width is 4: the sums of P, R and F, and the number of segments.
func (m *rougeMetric) Width() int { return 4 }

func (m *rougeMetric) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	var out [1]PRF
	if err := m.ScoreTo(out[:], o.Text, c.References); err != nil {
		return err
	}
	dst[0], dst[1], dst[2], dst[3] = out[0].Precision, out[0].Recall, out[0].F, 1
	return nil
}

func (m *rougeMetric) Value(sum []float64) float64 { return ratio(sum[2], sum[3]) }
