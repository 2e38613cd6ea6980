package eval

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// sacreBLEUVersion is the version of sacreBLEU whose definitions BLEU, chrF
// and TER follow, as in their signatures.
const sacreBLEUVersion = "2.6.0"

// A Smoothing is the number that BLEU uses for an n-gram order without any match,
// which would otherwise make the score zero (Chen and Cherry 2014, "A Systematic
// Comparison of Smoothing Techniques for Sentence-Level BLEU"). Default:
// [SmoothExp].
type Smoothing string

// The smoothing methods.
const (
	SmoothExp   Smoothing = "exp"   // method 3: a precision of 1/(2^k total) for the k-th order without a match
	SmoothFloor Smoothing = "floor" // method 1: a count of SmoothValue instead of 0
	SmoothAddK  Smoothing = "add-k" // method 2: SmoothValue added to matches and totals of every order above 1
	SmoothNone  Smoothing = "none"  // no smoothing
)

// BLEUOptions sets which BLEU; nil means the defaults of sacreBLEU, which are the
// ones to report.
type BLEUOptions struct {
	// Tokenizer cuts lines into tokens. Default: 13a.
	Tokenizer *Tokenizer
	// Lowercase compares in lower case. Default: case matters.
	Lowercase bool
	// Smooth is the smoothing. Default: [SmoothExp].
	Smooth Smoothing
	// SmoothValue is the count of [SmoothFloor] or the k of [SmoothAddK].
	// Default: 0.1 for SmoothFloor, 1 for SmoothAddK.
	SmoothValue float64
	// EffectiveOrder leaves out orders that a short output has no n-gram of: for
	// single sentences, not for a corpus. Default: all orders count.
	EffectiveOrder bool
	// Order is the length of the longest n-gram counted. Default: 4.
	Order int
}

// BLEU is the geometric mean of the precisions of n-grams of length 1 to N,
// times a penalty for outputs shorter than their references:
//
//	BLEU = 100 · BP · exp(1/N Σ log p_n)      BP = min(1, exp(1 - r/c))
//
// p_n is the share of the output's n-grams found in a reference. Each n-gram counts
// at most as often as it is in the reference that has it most often. c is the
// length of the outputs, r that of the references closest in length. All are summed
// over the corpus before they are divided.
//
// It misleads on single sentences (no 4-gram in common is the normal case, so
// smoothing decides), on paraphrases (a synonym costs as much as nonsense), and
// when scores made with different tokenizers are compared.
//
// Source: Papineni et al. 2002; the definitions of sacreBLEU 2.6.0, to the
// last digit.
type BLEU struct {
	o     BLEUOptions
	value float64
}

const (
	maxOrder  = 1000  // the longest n-gram: a metric has counts for every length
	maxSmooth = 1e100 // a precision of a larger count overflows
)

// NewBLEU returns the metric with these options; nil means the defaults.
func NewBLEU(o *BLEUOptions) (*BLEU, error) {
	b := &BLEU{}
	if o != nil {
		b.o = *o
	}
	if b.o.Tokenizer == nil {
		b.o.Tokenizer = &Tokenizer{"13a", split13a}
	}
	if b.o.Order == 0 {
		b.o.Order = 4
	}
	if b.o.Order < 0 || b.o.Order > maxOrder {
		return nil, fmt.Errorf("%w: BLEUOptions.Order is %d: want 1 to %d", ErrOption, b.o.Order, maxOrder)
	}
	if !(b.o.SmoothValue >= 0 && b.o.SmoothValue <= maxSmooth) {
		return nil, fmt.Errorf("%w: BLEUOptions.SmoothValue is %v: want a number from 0 to %v", ErrOption, b.o.SmoothValue, maxSmooth)
	}
	b.value = b.o.SmoothValue
	switch b.o.Smooth {
	case "":
		b.o.Smooth = SmoothExp
	case SmoothExp, SmoothNone:
	case SmoothFloor:
		if b.value == 0 {
			b.value = 0.1
		}
	case SmoothAddK:
		if b.value == 0 {
			b.value = 1
		}
	default:
		return nil, fmt.Errorf("%w: BLEUOptions.Smooth is %q: want exp, floor, add-k or none", ErrOption, b.o.Smooth)
	}
	return b, nil
}

// CountsReferences returns true; see [ReferenceCounter].
func (b *BLEU) CountsReferences() bool { return true }

// Signature returns the metric's name and options, as sacreBLEU writes them.
func (b *BLEU) Signature() Signature {
	caseMode := "mixed"
	if b.o.Lowercase {
		caseMode = "lc"
	}
	smooth := string(b.o.Smooth)
	if b.o.Smooth == SmoothFloor || b.o.Smooth == SmoothAddK {
		smooth = fmt.Sprintf("%s[%.2f]", smooth, b.value)
	}
	params := fmt.Sprintf("case:%s|eff:%s|tok:%s|smooth:%s", caseMode, yesNo(b.o.EffectiveOrder), b.o.Tokenizer.name, smooth)
	name := "BLEU"
	if b.o.Order != 4 { // sacreBLEU's signature lacks the order, so the name must have it
		name = fmt.Sprintf("BLEU-%d", b.o.Order)
	}
	return Signature{Metric: name, Params: params, Version: sacreBLEUVersion}
}

// Width is 2 lengths and 2 counts an order.
func (b *BLEU) Width() int { return 2 + 2*b.o.Order }

// Stats writes the output's length, the closest reference's, the matches of
// each order and the totals of each order.
func (b *BLEU) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.vocab.reset()
	s.grams.reset()
	s.lens = s.lens[:0]
	for i, ref := range c.References {
		s.ref = b.cut(s, s.ref[:0], ref, true)
		s.lens = append(s.lens, len(s.ref))
		s.grams.addReference(i, s.ref, b.o.Order)
	}
	s.hyp = b.cut(s, s.hyp[:0], o.Text, false)
	s.counts = append(s.counts[:0], make([]int, b.o.Order)...)
	s.grams.match(s.hyp, b.o.Order, s.counts)

	dst[0], dst[1] = float64(len(s.hyp)), float64(closest(len(s.hyp), s.lens))
	for n, matches := range s.counts {
		dst[2+n] = float64(matches)
		dst[2+b.o.Order+n] = float64(grams(len(s.hyp), n+1))
	}
	return nil
}

func (b *BLEU) cut(s *scratch, dst []uint32, line string, add bool) []uint32 {
	line = rstrip(line)
	if b.o.Lowercase {
		s.text = appendLower(s.text[:0], line)
	} else {
		s.text = append(s.text[:0], line...)
	}
	var text []byte
	text, s.spans = b.o.Tokenizer.split(s.text, s.spans[:0])
	return s.ids(dst, text, s.spans, add)
}

// closest returns the reference length nearest to n, the shorter one of two.
func closest(n int, lens []int) int {
	best := lens[0]
	for _, l := range lens[1:] {
		d, have := dist(n, l), dist(n, best)
		if d < have || d == have && l < best {
			best = l
		}
	}
	return best
}

func dist(a, b int) int {
	if a > b {
		return a - b
	}
	return b - a
}

// Value returns BLEU, 0 to 100.
func (b *BLEU) Value(sum []float64) float64 { return b.details(sum, nil).Value }

// A BLEUScore is a BLEU score with its parts.
type BLEUScore struct {
	Value           float64
	Precisions      []float64 // per order, smoothed, 0 to 100
	Counts, Totals  []float64 // per order: matches and n-grams; with add-k, k included
	BrevityPenalty  float64
	OutputLength    int
	ReferenceLength int
}

// String returns the score as sacreBLEU prints it.
func (s BLEUScore) String() string {
	var p strings.Builder
	for i, x := range s.Precisions {
		if i > 0 {
			p.WriteByte('/')
		}
		fmt.Fprintf(&p, "%.1f", x)
	}
	return fmt.Sprintf("BLEU = %.2f %s (BP = %.3f ratio = %.3f hyp_len = %d ref_len = %d)", s.Value, &p,
		s.BrevityPenalty, ratio(float64(s.OutputLength), float64(s.ReferenceLength)), s.OutputLength, s.ReferenceLength)
}

// Details returns the score of a sum of statistics with its parts.
func (b *BLEU) Details(sum []float64) BLEUScore {
	parts := make([]float64, 3*b.o.Order)
	return b.details(sum, parts)
}

// details computes the score; parts has room for precisions, counts and totals, or
// is nil if only the value is needed.
func (b *BLEU) details(sum, parts []float64) BLEUScore {
	n := b.o.Order
	sysLen, refLen := sum[0], sum[1]
	score := BLEUScore{BrevityPenalty: 1, OutputLength: int(sysLen), ReferenceLength: int(refLen)}
	if sysLen < refLen {
		score.BrevityPenalty = 0
		if sysLen > 0 {
			score.BrevityPenalty = math.Exp(1 - refLen/sysLen)
		}
	}
	counts, totals := sum[2:2+n], sum[2+n:2+2*n]
	if parts != nil {
		score.Precisions, score.Counts, score.Totals = parts[:n:n], parts[n:2*n:2*n], parts[2*n:]
		copy(score.Counts, counts)
		copy(score.Totals, totals)
	}
	if !positive(counts) {
		return score // nothing in common is 0, whatever the smoothing
	}
	halved, order, logs := 1.0, n, 0.0
	used := 0
	for i := range n {
		count, total := counts[i], totals[i]
		if b.o.Smooth == SmoothAddK && i > 0 {
			count += b.value
			total += b.value
			if parts != nil {
				score.Counts[i], score.Totals[i] = count, total
			}
		}
		if total == 0 {
			break
		}
		if b.o.EffectiveOrder {
			order = i + 1
		}
		p := 0.0
		switch {
		case count != 0:
			p = 100 * count / total
		case b.o.Smooth == SmoothExp:
			halved *= 2
			p = 100 / (halved * total)
		case b.o.Smooth == SmoothFloor:
			p = 100 * b.value / total
		}
		if parts != nil {
			score.Precisions[i] = p
		}
		logs += floorLog(p)
		used++
	}
	for range order - used { // orders the loop never reached have the precision 0
		logs += floorLog(0)
	}
	score.Value = score.BrevityPenalty * math.Exp(logs/float64(order))
	return score
}

// floorLog is the logarithm, with a number instead of -Inf whose exp is 0.
func floorLog(x float64) float64 {
	if x == 0 {
		return -9999999999
	}
	return math.Log(x)
}

func positive(xs []float64) bool {
	for _, x := range xs {
		if x != 0 {
			return true
		}
	}
	return false
}

// Score returns the score of one output against its references, 0 to 100. Make the
// metric with EffectiveOrder for this, or short sentences score 0.
func (b *BLEU) Score(output string, references ...string) (BLEUScore, error) {
	sum := make([]float64, b.Width())
	if err := b.Stats(context.Background(), &Case{References: references}, &Output{Text: output}, sum); err != nil {
		return BLEUScore{}, err
	}
	return b.Details(sum), nil
}

// Corpus scores a corpus: references[i] are those of outputs[i].
func (b *BLEU) Corpus(outputs []string, references [][]string) (BLEUScore, error) {
	t, err := MeasureCorpus(context.Background(), b, outputs, references, nil)
	if err != nil {
		return BLEUScore{}, err
	}
	if t.Len() == 0 {
		return BLEUScore{}, fmt.Errorf("%w: BLEU", ErrEmpty)
	}
	return b.Details(columnSums(t.Rows, t.Width)), nil
}
