package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenClassification(t *testing.T) {
	type row struct {
		Y, Pred, Labels []int
		Confusion       [][]float64
		Accuracy        float64
		PerClass        [][]float64 `json:"prf_per_class"`
		FBeta2          float64     `json:"f_beta_2_macro"`
		MCC             float64
		Balanced        float64 `json:"balanced_accuracy"`
		Score           []float64
		Brier           float64
		LogLoss         float64  `json:"log_loss"`
		AUC             *float64 `json:"roc_auc"`
		AP              *float64 `json:"average_precision"`
		ROC             []any
		Calib           map[string]float64 `json:"calib_right_closed_equal_width"`
		MicroZD0        []float64          `json:"prf_micro_zd0"`
		MicroZD1        []float64          `json:"prf_micro_zd1"`
		MacroZD0        []float64          `json:"prf_macro_zd0"`
		MacroZD1        []float64          `json:"prf_macro_zd1"`
		WeightedZD0     []float64          `json:"prf_weighted_zd0"`
		WeightedZD1     []float64          `json:"prf_weighted_zd1"`
	}
	names := func(xs []int) (out []string) {
		for _, x := range xs {
			out = append(out, fmt.Sprint(x))
		}
		return out
	}
	golden.Rows(t, "eval", "classification.jsonl", func(row row) error {
		labels := names(row.Labels)
		c, err := NewConfusion(labels, names(row.Y), names(row.Pred))
		if err != nil {
			return err
		}
		for i, want := range row.Confusion {
			if err := nears("confusion", c.Counts[i][:len(labels)], want); err != nil {
				return err
			}
		}
		for _, a := range []struct {
			avg  Average
			zero float64
			want []float64
		}{{AverageMicro, 0, row.MicroZD0}, {AverageMicro, 1, row.MicroZD1}, {AverageMacro, 0, row.MacroZD0}, {AverageMacro, 1, row.MacroZD1}, {AverageWeighted, 0, row.WeightedZD0}, {AverageWeighted, 1, row.WeightedZD1}} {
			s, err := c.Average(a.avg, &ConfusionOptions{ZeroDivision: a.zero})
			if err := first(err, nears(string(a.avg), []float64{s.Precision, s.Recall, s.F}, a.want)); err != nil {
				return err
			}
		}
		for i, s := range must(c.Classes(nil)) {
			if err := nears("class "+s.Label, []float64{s.Precision, s.Recall, s.F, s.Support}, []float64{row.PerClass[0][i], row.PerClass[1][i], row.PerClass[2][i], row.PerClass[3][i]}); err != nil {
				return err
			}
		}
		f2, err := c.Average(AverageMacro, &ConfusionOptions{Beta: 2})
		if err := first(err, near("accuracy", c.Accuracy(), row.Accuracy), near("f2", f2.F, row.FBeta2), near("mcc", c.MCC(), row.MCC), near("balanced", c.BalancedAccuracy(), row.Balanced)); err != nil {
			return err
		}
		// the same through the metric, case by case
		m, err := NewClassification("f1_weighted", labels)
		if err != nil {
			return err
		}
		table := must(NewTable(m))
		for i := range row.Y {
			if err := table.Add(t.Context(), &Case{References: []string{fmt.Sprint(row.Y[i])}}, &Output{Text: fmt.Sprint(row.Pred[i])}); err != nil {
				return err
			}
		}
		score, err := table.Score()
		if err := first(err, near("metric", score.Value, row.WeightedZD0[2])); err != nil {
			return err
		}
		if row.Score == nil {
			return nil
		}
		truth := make([]bool, len(row.Y))
		for i, y := range row.Y {
			truth[i] = y == 1
		}
		brier, err1 := BrierScore(truth, row.Score)
		loss, err2 := LogLoss(truth, row.Score)
		if err := first(err1, err2, near("brier", brier, row.Brier), near("log loss", loss, row.LogLoss)); err != nil {
			return err
		}
		for name, want := range row.Calib {
			var bins int
			kind, n, _ := strings.Cut(name, "_")
			fmt.Sscan(n, &bins)
			b, err := Calibration(truth, row.Score, bins)
			ece, mce := CalibrationError(b)
			got := ece
			if kind == "mce" {
				got = mce
			}
			if err := first(err, near(name, got, want)); err != nil {
				return err
			}
		}
		if row.AUC == nil {
			if _, err := ROCAUC(truth, row.Score); err == nil {
				return fmt.Errorf("ROC AUC of one class must be an error")
			}
			return nil
		}
		auc, err1 := ROCAUC(truth, row.Score)
		ap, err2 := AveragePrecision(truth, row.Score)
		roc, err3 := ROC(truth, row.Score)
		if err := first(err1, err2, err3, near("auc", auc, *row.AUC), near("ap", ap, *row.AP)); err != nil {
			return err
		}
		for k, get := range []func(ROCPoint) float64{func(p ROCPoint) float64 { return p.FalsePositiveRate }, func(p ROCPoint) float64 { return p.TruePositiveRate }, func(p ROCPoint) float64 { return p.Threshold }} {
			want := row.ROC[k].([]any)
			if len(want) != len(roc) {
				return fmt.Errorf("the ROC curve has %d points, want %d", len(roc), len(want))
			}
			for i, w := range want {
				f, ok := w.(float64)
				if !ok {
					f = math.Inf(1)
				}
				if got := get(roc[i]); got != f && near("roc", got, f) != nil {
					return fmt.Errorf("ROC row %d, point %d: got %v, want %v", k, i, got, f)
				}
			}
		}
		return nil
	})
}

// TestClassificationOfManyLabels: a case's statistics grow with the labels, not
// with the pairs of them, and give what the confusion matrix gives.
func TestClassificationOfManyLabels(t *testing.T) {
	labels := make([]string, 5000)
	for i := range labels {
		labels[i] = fmt.Sprint("class ", i)
	}
	r := rand.New(rand.NewPCG(53, 54))
	var truth, predicted []string
	for range 300 {
		i := r.IntN(len(labels))
		truth, predicted = append(truth, labels[i]), append(predicted, labels[i])
		switch r.IntN(4) {
		case 0:
			predicted[len(predicted)-1] = labels[r.IntN(len(labels))]
		case 1:
			predicted[len(predicted)-1] = "no label"
		}
	}
	few := slices.Compact(slices.Sorted(slices.Values(slices.Concat(truth, predicted))))
	few = slices.DeleteFunc(few, func(l string) bool { return l == "no label" })
	matrix, err := NewConfusion(few, truth, predicted)
	require.NoError(t, err)
	for name, want := range map[string]float64{
		"accuracy": matrix.Accuracy(), "balanced_accuracy": matrix.BalancedAccuracy(), "mcc": matrix.MCC(),
		"f1_micro": must(matrix.Average(AverageMicro, nil)).F, "recall_weighted": must(matrix.Average(AverageWeighted, nil)).Recall,
	} {
		m, err := NewClassification(name, labels)
		require.NoError(t, err)
		require.LessOrEqual(t, m.Width(), 4*len(labels))
		sum := must(NewSum(m))
		for i := range truth {
			require.NoError(t, sum.Add(t.Context(), &Case{References: truth[i : i+1]}, &Output{Text: predicted[i]}))
		}
		score, err := sum.Score()
		require.NoError(t, err)
		require.InDelta(t, want, score.Value, 1e-12, name)
	}
}
