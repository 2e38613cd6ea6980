package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Confusion counts how often each true class was given each label: the sufficient
// statistic of every measure of classification.
type Confusion struct {
	Labels []string
	Counts [][]float64 // [true][predicted]; the last column counts predictions outside the labels
}

// NewConfusion counts predictions against the truth. Labels must be distinct and
// contain every true class; a prediction outside the labels (a model that answers
// "Positive!!") is a mistake with a column of its own.
func NewConfusion(labels, truth, predicted []string) (*Confusion, error) {
	if len(truth) != len(predicted) {
		return nil, fmt.Errorf("%w: %d true classes, %d predictions", ErrLength, len(truth), len(predicted))
	}
	at, err := labelIndex(labels)
	if err != nil {
		return nil, err
	}
	c := emptyConfusion(labels)
	for i, t := range truth {
		row, ok := at[t]
		if !ok {
			return nil, fmt.Errorf("%w: the labels lack the true class %q", ErrOption, t)
		}
		col, ok := at[predicted[i]]
		if !ok {
			col = len(labels)
		}
		c.Counts[row][col]++
	}
	return c, nil
}

func labelIndex(labels []string) (map[string]int, error) {
	at := map[string]int{}
	for i, l := range labels {
		at[l] = i
	}
	if len(labels) == 0 || len(at) != len(labels) {
		return nil, fmt.Errorf("%w: the labels are %q: want one or more distinct ones", ErrOption, labels)
	}
	return at, nil
}

func emptyConfusion(labels []string) *Confusion {
	c := &Confusion{Labels: slices.Clone(labels), Counts: make([][]float64, len(labels))}
	for i := range c.Counts {
		c.Counts[i] = make([]float64, len(labels)+1)
	}
	return c
}

// A tally has what the measures need of a confusion matrix: for each class, how
// often it was right, predicted and true, and how many predictions were outside the
// labels. Its size grows with the labels, that of the matrix with their square.
type tally struct {
	hit, predicted, truth []float64
	none                  float64
}

func (c *Confusion) tally() tally {
	n := len(c.Labels)
	t := tally{make([]float64, n), make([]float64, n), make([]float64, n), 0}
	for i, row := range c.Counts {
		t.hit[i] = row[i]
		for k, x := range row[:n] {
			t.predicted[k] += x
			t.truth[i] += x
		}
		t.truth[i] += row[n]
		t.none += row[n]
	}
	return t
}

func total(counts []float64) float64 {
	sum := 0.0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// An Average says how the scores of the classes become one score. It has no
// default.
type Average string

// The averages. Take a dataset with 99 % of one class and a system that always
// answers it: micro is 0.99, and macro shows that the other class is never found.
const (
	AverageMicro    Average = "micro"    // count all classes together; for single-label data it is the accuracy
	AverageMacro    Average = "macro"    // the mean over the classes: rare ones count as much as frequent ones
	AverageWeighted Average = "weighted" // the mean weighted by how often a class is true
)

// A ClassScore has the scores of one class or of an average.
type ClassScore struct {
	Label string
	PRF
	Support float64 // how often the class is true
}

// ConfusionOptions sets how a [Confusion] is scored; nil means the defaults.
type ConfusionOptions struct {
	// Beta is how many times recall weighs as much as precision in F-beta.
	// Default: 1.
	Beta float64
	// ZeroDivision is the value of a ratio whose denominator is 0: a class that is
	// never predicted has no precision. Default: 0.
	ZeroDivision float64
}

func (o *ConfusionOptions) filled() (beta, zeroDivision float64, err error) {
	if o == nil {
		return 1, 0, nil
	}
	beta = cmp.Or(o.Beta, 1)
	if !(beta > 0) || !finite(beta) {
		err = fmt.Errorf("%w: ConfusionOptions.Beta is %v: want a finite number above 0", ErrOption, beta)
	}
	return beta, o.ZeroDivision, err
}

// Classes returns each class's precision, recall and F-beta.
func (c *Confusion) Classes(o *ConfusionOptions) ([]ClassScore, error) {
	beta, zeroDivision, err := o.filled()
	if err != nil {
		return nil, err
	}
	out := c.tally().classes(beta, zeroDivision)
	for k, label := range c.Labels {
		out[k].Label = label
	}
	return out, nil
}

func (t tally) classes(beta, zeroDivision float64) []ClassScore {
	out := make([]ClassScore, len(t.hit))
	for k := range t.hit {
		out[k] = ClassScore{PRF: fBeta(t.hit[k], t.predicted[k], t.truth[k], beta, zeroDivision), Support: t.truth[k]}
	}
	return out
}

func fBeta(hit, predicted, truth, beta, zeroDivision float64) PRF {
	divide := func(a, b float64) float64 {
		if b == 0 {
			return zeroDivision
		}
		return a / b
	}
	b2 := beta * beta
	f := divide((1+b2)*hit, b2*truth+predicted)
	if beta > 1e100 { // b2 overflows, and F is the recall
		f = divide(hit, truth)
	}
	return PRF{divide(hit, predicted), divide(hit, truth), f}
}

// Average returns the averaged precision, recall and F-beta, as scikit-learn's
// precision_recall_fscore_support.
func (c *Confusion) Average(avg Average, o *ConfusionOptions) (PRF, error) {
	beta, zeroDivision, err := o.filled()
	if err != nil {
		return PRF{}, err
	}
	return c.tally().average(avg, beta, zeroDivision)
}

func (t tally) average(avg Average, beta, zeroDivision float64) (PRF, error) {
	switch avg {
	case AverageMicro:
		return fBeta(total(t.hit), total(t.predicted), total(t.truth), beta, zeroDivision), nil
	case AverageMacro, AverageWeighted:
		var out PRF
		weights := 0.0
		for _, s := range t.classes(beta, zeroDivision) {
			w := 1.0
			if avg == AverageWeighted {
				w = s.Support
			}
			out.Precision += w * s.Precision
			out.Recall += w * s.Recall
			out.F += w * s.F
			weights += w
		}
		if weights == 0 {
			return PRF{zeroDivision, zeroDivision, zeroDivision}, nil
		}
		return PRF{out.Precision / weights, out.Recall / weights, out.F / weights}, nil
	}
	return PRF{}, fmt.Errorf("%w: the average is %q: want micro, macro or weighted", ErrOption, avg)
}

// Accuracy is the share of predictions that are right. It misleads on skewed
// classes; see [Confusion.BalancedAccuracy] and [Confusion.MCC].
func (c *Confusion) Accuracy() float64 { return c.tally().accuracy() }

func (t tally) accuracy() float64 { return ratio(total(t.hit), total(t.truth)) }

// BalancedAccuracy is the mean recall over the classes that occur.
func (c *Confusion) BalancedAccuracy() float64 { return c.tally().balancedAccuracy() }

func (t tally) balancedAccuracy() float64 {
	sum, n := 0.0, 0.0
	for _, s := range t.classes(1, 0) {
		if s.Support > 0 {
			sum += s.Recall
			n++
		}
	}
	return ratio(sum, n)
}

// MCC is Matthews' correlation coefficient, -1 to 1, for any number of classes
// (Gorodkin 2004). It doesn't get high by itself if one class is frequent. It is 0
// where it is undefined, with one class only.
func (c *Confusion) MCC() float64 { return c.tally().mcc() }

func (t tally) mcc() float64 {
	both, t2, p2 := 0.0, 0.0, t.none*t.none
	for k := range t.truth {
		both += t.truth[k] * t.predicted[k]
		t2 += t.truth[k] * t.truth[k]
		p2 += t.predicted[k] * t.predicted[k]
	}
	all := total(t.truth)
	return ratio(total(t.hit)*all-both, math.Sqrt((all*all-p2)*(all*all-t2)))
}

// Classification is a measure of a [Confusion] as a [Metric]: the true class
// is a case's first reference, the prediction an output's text, both without
// surrounding white space. It is computed on the whole corpus's counts; a
// single case's value means little.
type Classification struct {
	name    string
	labels  []string
	at      map[string]int
	measure func(tally) float64
}

// NewClassification returns the metric of this name: accuracy,
// balanced_accuracy, mcc, or f1, precision or recall with an average, such as
// f1_macro.
func NewClassification(name string, labels []string) (*Classification, error) {
	at, err := labelIndex(labels)
	if err != nil {
		return nil, err
	}
	m := &Classification{name: name, labels: slices.Clone(labels), at: at}
	switch name {
	case "accuracy":
		m.measure = tally.accuracy
		return m, nil
	case "balanced_accuracy":
		m.measure = tally.balancedAccuracy
		return m, nil
	case "mcc":
		m.measure = tally.mcc
		return m, nil
	}
	score, avg, _ := strings.Cut(name, "_")
	pick := map[string]func(PRF) float64{
		"precision": func(s PRF) float64 { return s.Precision },
		"recall":    func(s PRF) float64 { return s.Recall },
		"f1":        func(s PRF) float64 { return s.F },
	}[score]
	if _, err := (tally{}).average(Average(avg), 1, 0); err != nil || pick == nil {
		return nil, fmt.Errorf("%w: the measure is %q: want accuracy, balanced_accuracy, mcc, or f1, precision or recall with _micro, _macro or _weighted", ErrOption, name)
	}
	m.measure = func(t tally) float64 {
		s, _ := t.average(Average(avg), 1, 0) // the average was checked above
		return pick(s)
	}
	return m, nil
}

// Signature names the measure and the labels.
func (m *Classification) Signature() Signature {
	return Signature{Metric: m.name, Params: "labels:" + signatureList(m.labels)}
}

// Width is 3 a label, and 1: how often each was right, predicted and true, and how
// many predictions were outside the labels.
func (m *Classification) Width() int { return 3*len(m.labels) + 1 }

// Stats counts the case for its true and its predicted class.
func (m *Classification) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkGiven(c, o); err != nil {
		return err
	}
	if len(c.References) == 0 {
		return errNoReferences
	}
	row, ok := m.at[strings.TrimSpace(c.References[0])]
	if !ok {
		return fmt.Errorf("%w: true class %q is not among the labels", ErrCase, c.References[0])
	}
	clear(dst)
	n := len(m.labels)
	dst[2*n+row] = 1
	switch col, ok := m.at[strings.TrimSpace(o.Text)]; {
	case !ok:
		dst[3*n] = 1
	case col == row:
		dst[row], dst[n+row] = 1, 1
	default:
		dst[n+col] = 1
	}
	return nil
}

// Value returns the measure of the summed counts.
func (m *Classification) Value(sum []float64) float64 {
	n := len(m.labels)
	return m.measure(tally{hit: sum[:n], predicted: sum[n : 2*n], truth: sum[2*n : 3*n], none: sum[3*n]})
}
