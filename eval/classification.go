package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Confusion counts how often a true class was taken for another one: the
// sufficient statistic of every measure of classification.
type Confusion struct {
	Labels []string
	Counts [][]float64 // [true][predicted]; the last column counts predictions that are no label
}

// NewConfusion counts predictions against the truth. Labels must be distinct
// and contain every true class; a prediction that is none of them (a model that
// answers "Positive!!") is a mistake of its own column.
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

// class returns the true positives of a class, and how often it was predicted
// and true.
func (c *Confusion) class(k int) (hit, predicted, truth float64) {
	for i, row := range c.Counts {
		predicted += row[k]
		if i == k {
			for _, n := range row {
				truth += n
			}
		}
	}
	return c.Counts[k][k], predicted, truth
}

// An Average is how the classes' scores become one. It has no default.
type Average string

// The averages. Take a dataset with 99 % of one class and a system that always
// answers it: micro is 0.99, and macro shows that the other class is never found.
const (
	AverageMicro    Average = "micro"    // count all classes together; for single-label data it is the accuracy
	AverageMacro    Average = "macro"    // the mean over the classes, rare ones weighing as much
	AverageWeighted Average = "weighted" // the mean weighted by how often a class is true
)

// A ClassScore is one class's, or an average's, scores.
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
	return c.classes(beta, zeroDivision), nil
}

func (c *Confusion) classes(beta, zeroDivision float64) []ClassScore {
	out := make([]ClassScore, len(c.Labels))
	for k, label := range c.Labels {
		hit, predicted, truth := c.class(k)
		out[k] = ClassScore{label, fBeta(hit, predicted, truth, beta, zeroDivision), truth}
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
	return PRF{divide(hit, predicted), divide(hit, truth), divide((1+b2)*hit, b2*truth+predicted)}
}

// Average returns the averaged precision, recall and F-beta, as scikit-learn's
// precision_recall_fscore_support.
func (c *Confusion) Average(avg Average, o *ConfusionOptions) (PRF, error) {
	beta, zeroDivision, err := o.filled()
	if err != nil {
		return PRF{}, err
	}
	classes := c.classes(beta, zeroDivision)
	switch avg {
	case AverageMicro:
		var hit, predicted, truth float64
		for k := range c.Labels {
			h, p, t := c.class(k)
			hit, predicted, truth = hit+h, predicted+p, truth+t
		}
		return fBeta(hit, predicted, truth, beta, zeroDivision), nil
	case AverageMacro, AverageWeighted:
		var out PRF
		total := 0.0
		for _, s := range classes {
			w := 1.0
			if avg == AverageWeighted {
				w = s.Support
			}
			out.Precision += w * s.Precision
			out.Recall += w * s.Recall
			out.F += w * s.F
			total += w
		}
		if total == 0 {
			return PRF{zeroDivision, zeroDivision, zeroDivision}, nil
		}
		return PRF{out.Precision / total, out.Recall / total, out.F / total}, nil
	}
	return PRF{}, fmt.Errorf("%w: the average is %q: want micro, macro or weighted", ErrOption, avg)
}

// Accuracy is the share of predictions that are right. It misleads on skewed
// classes; see [Confusion.BalancedAccuracy] and [Confusion.MCC].
func (c *Confusion) Accuracy() float64 {
	hits, total := 0.0, 0.0
	for k, row := range c.Counts {
		hits += row[k]
		for _, n := range row {
			total += n
		}
	}
	return ratio(hits, total)
}

// BalancedAccuracy is the mean recall over the classes that occur.
func (c *Confusion) BalancedAccuracy() float64 {
	sum, n := 0.0, 0.0
	for _, s := range c.classes(1, 0) {
		if s.Support > 0 {
			sum += s.Recall
			n++
		}
	}
	return ratio(sum, n)
}

// MCC is Matthews' correlation coefficient, -1 to 1, for any number of classes
// (Gorodkin 2004): the one number that a skewed dataset doesn't flatter. It is
// 0 where it is undefined, with one class only.
func (c *Confusion) MCC() float64 {
	n := len(c.Labels)
	truth, predicted := make([]float64, n+1), make([]float64, n+1)
	hits, total := 0.0, 0.0
	for i, row := range c.Counts {
		hits += row[i]
		for j, x := range row {
			truth[i] += x
			predicted[j] += x
			total += x
		}
	}
	both, t2, p2 := 0.0, 0.0, 0.0
	for k := range truth {
		both += truth[k] * predicted[k]
		t2 += truth[k] * truth[k]
		p2 += predicted[k] * predicted[k]
	}
	return ratio(hits*total-both, math.Sqrt((total*total-p2)*(total*total-t2)))
}

// Classification is a measure of a [Confusion] as a [Metric]: the true class
// is a case's first reference, the prediction an output's text, both without
// surrounding white space. It is computed on the whole corpus's counts; a
// single case's value means little.
type Classification struct {
	name    string
	labels  []string
	at      map[string]int
	measure func(*Confusion) float64
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
		m.measure = (*Confusion).Accuracy
		return m, nil
	case "balanced_accuracy":
		m.measure = (*Confusion).BalancedAccuracy
		return m, nil
	case "mcc":
		m.measure = (*Confusion).MCC
		return m, nil
	}
	score, avg, _ := strings.Cut(name, "_")
	pick := map[string]func(PRF) float64{
		"precision": func(s PRF) float64 { return s.Precision },
		"recall":    func(s PRF) float64 { return s.Recall },
		"f1":        func(s PRF) float64 { return s.F },
	}[score]
	if _, err := emptyConfusion(labels).Average(Average(avg), nil); err != nil || pick == nil {
		return nil, fmt.Errorf("%w: the measure is %q: want accuracy, balanced_accuracy, mcc, or f1, precision or recall with _micro, _macro or _weighted", ErrOption, name)
	}
	m.measure = func(c *Confusion) float64 {
		s, _ := c.Average(Average(avg), nil) // the average was checked above
		return pick(s)
	}
	return m, nil
}

// Signature names the measure and the labels.
func (m *Classification) Signature() Signature {
	return Signature{Metric: m.name, Params: fmt.Sprintf("labels:%s", strings.Join(m.labels, ","))}
}

// Width is the number of cells: a column a label and one for anything else.
func (m *Classification) Width() int { return len(m.labels) * (len(m.labels) + 1) }

// Stats writes a 1 into the case's cell.
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
	col, ok := m.at[strings.TrimSpace(o.Text)]
	if !ok {
		col = len(m.labels)
	}
	clear(dst)
	dst[row*(len(m.labels)+1)+col] = 1
	return nil
}

// Value returns the measure of the summed confusion matrix.
func (m *Classification) Value(sum []float64) float64 {
	c := &Confusion{Labels: m.labels, Counts: make([][]float64, len(m.labels))}
	n := len(m.labels) + 1
	for i := range c.Counts {
		c.Counts[i] = sum[i*n : (i+1)*n]
	}
	return m.measure(c)
}
