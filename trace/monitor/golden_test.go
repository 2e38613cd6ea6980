package monitor_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/trace/monitor"
)

// near compares numbers to 1e-9 relative.
func near(what string, got, want float64) error {
	if math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(math.Abs(want), 1e-6) {
		return fmt.Errorf("%s is %v, want %v", what, got, want)
	}
	return nil
}

type detectorRow struct {
	Kind, Seq, Name                 string
	Start                           int
	Params                          json.RawMessage
	X                               json.RawMessage
	Y                               [][]float64
	A, B                            []float64
	Drift, Warning                  []int
	Alarms                          json.RawMessage
	HiAt                            [][2]float64 `json:"stat_hi_at"`
	LoAt                            [][2]float64 `json:"stat_lo_at"`
	ZAt                             [][2]float64 `json:"z_at"`
	Width                           float64      `json:"final_width"`
	Estimation                      float64      `json:"final_estimation"`
	KS                              float64
	KSExact                         *float64 `json:"ks_p_exact"`
	Expected, Actual                []float64
	PSI                             float64 `json:"psi_eps1e4"`
	JS                              float64 `json:"js_divergence_nats"`
	Gamma, Biased, Unbiased, P0, P1 float64
	Alpha, Beta, LLR                float64
	Decision                        []any
}

type params struct {
	MinInstances int `json:"min_instances"`
	Delta        float64
	Threshold    float64
	Alpha        float64
	Clock        int
	MaxBuckets   int `json:"max_buckets"`
	MinWindow    int `json:"min_window_length"`
	Grace        int `json:"grace_period"`
	Mu, Sigma    float64
	K, H, Lam    float64
	Limit        float64 `json:"L"`
}

func TestGoldenDetectors(t *testing.T) {
	sequences := map[string][]float64{}
	sc := bufio.NewScanner(bytes.NewReader(golden.Read(t, "trace", "detectors.jsonl")))
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var row struct {
			Kind, Name string
			X          json.RawMessage
		}
		if json.Unmarshal(sc.Bytes(), &row) == nil && row.Kind == "sequence" {
			var x []float64
			if err := json.Unmarshal(row.X, &x); err != nil {
				t.Fatal(err)
			}
			sequences[row.Name] = x
		}
	}
	golden.Rows(t, "trace", "detectors.jsonl", func(r detectorRow) error {
		var p params
		_ = json.Unmarshal(r.Params, &p) // "river defaults" is text
		x := sequences[r.Seq]
		switch r.Kind {
		case "page_hinkley":
			d, err := monitor.NewPageHinkley(&monitor.PageHinkleyOptions{MinValues: p.MinInstances, Delta: p.Delta, Threshold: p.Threshold, Forget: p.Alpha})
			if err != nil {
				return err
			}
			return alarmsOf(d, x, r.Drift)
		case "adwin":
			d, err := monitor.NewADWIN(&monitor.ADWINOptions{Delta: p.Delta, Clock: p.Clock, MaxBuckets: p.MaxBuckets, MinWindow: p.MinWindow, Grace: p.Grace})
			if err != nil {
				return err
			}
			if err := alarmsOf(d, x, r.Drift); err != nil {
				return err
			}
			if err := near("width", float64(d.Width()), r.Width); err != nil {
				return err
			}
			return near("estimation", d.Mean(), r.Estimation)
		case "ddm":
			d, err := monitor.NewDDM(nil)
			if err != nil {
				return err
			}
			return outcomesOf(d, x, &r)
		case "eddm":
			d, err := monitor.NewEDDM(nil)
			if err != nil {
				return err
			}
			return outcomesOf(d, x, &r)
		case "hddm_a":
			d, err := monitor.NewHDDM(nil)
			if err != nil {
				return err
			}
			return outcomesOf(d, x, &r)
		case "cusum", "ewma":
			return chart(&r, p, x[r.Start:])
		}
		return statistic(&r)
	})
}

func alarmsOf(d monitor.Detector, x []float64, want []int) error {
	var got []int
	for i, v := range x {
		s, err := d.Add(v)
		if err != nil {
			return err
		}
		if s.State == monitor.StateAlarm {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("alarms at %v, want %v", got, want)
	}
	return nil
}

func outcomesOf(d monitor.OutcomeDetector, x []float64, r *detectorRow) error {
	var alarms, warnings []int
	for i, v := range x {
		o := monitor.OutcomeGood
		if v == 1 {
			o = monitor.OutcomeBad
		}
		s, err := d.Add(o)
		if err != nil {
			return err
		}
		switch s.State {
		case monitor.StateAlarm:
			alarms = append(alarms, i)
		case monitor.StateWarning:
			warnings = append(warnings, i)
		}
	}
	if !slices.Equal(alarms, r.Drift) || !slices.Equal(warnings, r.Warning) {
		return fmt.Errorf("alarms %v, want %v; warnings %v, want %v", alarms, r.Drift, warnings, r.Warning)
	}
	return nil
}

// chart runs a CUSUM or an EWMA chart.
func chart(r *detectorRow, p params, x []float64) error {
	base := monitor.Baseline{Mean: p.Mu, SD: p.Sigma}
	var d monitor.Detector
	var err error
	want := "["
	if r.Kind == "cusum" {
		d, err = monitor.NewCUSUM(base, &monitor.CUSUMOptions{Slack: p.K, Limit: p.H})
	} else {
		d, err = monitor.NewEWMA(base, &monitor.EWMAOptions{Weight: p.Lam, Limit: p.Limit})
	}
	if err != nil {
		return err
	}
	at := map[int]float64{}
	for _, pairs := range [][][2]float64{r.HiAt, r.LoAt, r.ZAt} {
		for _, pair := range pairs {
			i := int(pair[0])
			if old, ok := at[i]; !ok || pair[1] > old {
				at[i] = pair[1]
			}
		}
	}
	for i, v := range x {
		s, err := d.Add(v)
		if err != nil {
			return err
		}
		if s.State == monitor.StateAlarm {
			if len(want) > 1 {
				want += ", "
			}
			if r.Kind == "cusum" {
				want += "[" + strconv.Itoa(i) + ", " + strconv.Quote(s.Side.String()) + "]"
			} else {
				want += strconv.Itoa(i)
			}
		}
		if value, ok := at[i]; ok {
			if err := near(fmt.Sprintf("statistic at %d", i), s.Statistic, value); err != nil {
				return err
			}
		}
	}
	var a, b bytes.Buffer
	if json.Compact(&a, r.Alarms) != nil || json.Compact(&b, []byte(want+"]")) != nil || a.String() != b.String() {
		return fmt.Errorf("alarms %s, want %s", b.String(), a.String())
	}
	return nil
}

// statistic checks the other rows. Those that are not here are checked in eval/stats.
func statistic(r *detectorRow) error {
	switch r.Kind {
	case "two_sample":
		c, err := monitor.Compare(r.A, r.B, &monitor.CompareOptions{MinValues: 1})
		if err != nil {
			return err
		}
		if r.KSExact != nil && len(r.A)*len(r.B) <= 10_000 {
			if math.Abs(c.P-*r.KSExact) > 1e-7**r.KSExact && *r.KSExact > 1e-200 {
				return fmt.Errorf("p is %v, want %v", c.P, *r.KSExact)
			}
		}
		return near("D", c.KS, r.KS)
	case "categorical":
		psi, err := monitor.PSI(r.Expected, r.Actual)
		if err != nil {
			return err
		}
		js, err := monitor.JensenShannon(r.Expected, r.Actual)
		if err != nil {
			return err
		}
		if err := near("PSI", psi, r.PSI); err != nil {
			return err
		}
		return near("JS", js, r.JS)
	case "mmd2_rbf":
		var x [][]float64
		if err := json.Unmarshal(r.X, &x); err != nil {
			return err
		}
		m, err := monitor.MMD(x, r.Y, 0)
		if err != nil {
			return err
		}
		for _, pair := range [][2]float64{{m.Gamma, r.Gamma}, {m.Biased, r.Biased}, {m.Unbiased, r.Unbiased}} {
			if err := near("MMD", pair[0], pair[1]); err != nil {
				return err
			}
		}
	case "sprt_bernoulli":
		return sprt(r)
	}
	return nil
}

func sprt(r *detectorRow) error {
	var x []float64
	if err := json.Unmarshal(r.X, &x); err != nil {
		return err
	}
	d, err := monitor.NewSPRT(r.P0, r.P1, &monitor.SPRTOptions{Alpha: r.Alpha, Beta: r.Beta})
	if err != nil {
		return err
	}
	sides := map[monitor.State]string{monitor.StateAlarm: "H1", monitor.StateStable: "H0"}
	for i, v := range x {
		o := monitor.OutcomeGood
		if v == 1 {
			o = monitor.OutcomeBad
		}
		s, err := d.Add(o)
		if err != nil {
			return err
		}
		if s.State != monitor.StateLearning {
			if len(r.Decision) != 2 || r.Decision[0] != float64(i) || r.Decision[1] != sides[s.State] {
				return fmt.Errorf("decided %v at %d, want %v", s.State, i, r.Decision)
			}
			return near("llr", s.Statistic, r.LLR)
		}
	}
	if len(r.Decision) != 0 {
		return fmt.Errorf("no decision, want %v", r.Decision)
	}
	return nil
}

func TestGoldenSketch(t *testing.T) {
	var x []float64 // is only in the first row of each name
	golden.Rows(t, "trace", "ddsketch.jsonl", func(r struct {
		Name  string
		Alpha float64
		X     []float64
		Q     map[string]struct {
			Exact  float64 `json:"exact_lower"`
			Sketch float64
		}
	}) error {
		if r.X != nil {
			x = r.X
		}
		single, err := monitor.NewSketch(&monitor.SketchOptions{Accuracy: r.Alpha})
		if err != nil {
			return err
		}
		var parts [3]*monitor.Sketch
		for i := range parts {
			parts[i], _ = monitor.NewSketch(&monitor.SketchOptions{Accuracy: r.Alpha})
		}
		for i, v := range x {
			if err := single.Add(v); err != nil {
				return err
			}
			_ = parts[i*i%3].Add(v)
		}
		merged := parts[2]
		for _, part := range parts[:2] {
			if err := merged.Merge(part); err != nil {
				return err
			}
		}
		for text, want := range r.Q {
			q, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return err
			}
			for _, s := range []*monitor.Sketch{single, merged} {
				got, err := s.Quantile(q)
				if err != nil {
					return err
				}
				if err := near("quantile "+text, got, want.Sketch); err != nil {
					return err
				}
				if math.Abs(got-want.Exact) > r.Alpha*math.Abs(want.Exact)*(1+1e-9) {
					return fmt.Errorf("quantile %s is %v, and exactly %v", text, got, want.Exact)
				}
			}
		}
		return nil
	})
}

func TestGoldenBurnRates(t *testing.T) {
	golden.Rows(t, "trace", "burnrate.jsonl", func(r struct {
		Kind       string
		Objective  float64
		PeriodDays float64  `json:"period_days"`
		Fraction   float64  `json:"budget_fraction"`
		LongHours  float64  `json:"long_hours"`
		BurnRate   *float64 `json:"burn_rate"`
		Possible   bool     `json:"fires_possible"`
		Good       int64
		Total      int64
		ErrorRate  *float64 `json:"error_rate"`
		BudgetLeft *float64 `json:"budget_left"`
		Long       float64  `json:"long_error_rate"`
		Short      float64  `json:"short_error_rate"`
		Fires      []bool
	}) error {
		if r.Kind == "threshold" {
			w := monitor.BurnWindow{Long: time.Duration(r.LongHours * float64(time.Hour)), Budget: r.Fraction, Severity: monitor.SeverityPage}
			period := time.Duration(r.PeriodDays * 24 * float64(time.Hour))
			_, err := monitor.NewTracker(monitor.SLO{Objective: r.Objective, Period: period, Windows: []monitor.BurnWindow{w}})
			if (err == nil) != r.Possible {
				return fmt.Errorf("the SLO's error is %v, want possible %v", err, r.Possible)
			}
			return near("burn rate", w.Rate(period), *r.BurnRate)
		}
		slo := monitor.SLO{Objective: r.Objective}
		counts := monitor.Counts{Good: r.Good, Bad: r.Total - r.Good}
		fires, err := slo.Fires(r.Long, r.Short)
		if err != nil {
			return err
		}
		if !slices.Equal(fires, r.Fires) {
			return fmt.Errorf("fires %v, want %v", fires, r.Fires)
		}
		burn, err := slo.Burn(counts)
		if r.BurnRate == nil {
			if err == nil {
				return fmt.Errorf("burn %v without events", burn)
			}
			return nil
		}
		rate, err2 := counts.Rate()
		if err != nil || err2 != nil {
			return fmt.Errorf("%w %w", err, err2)
		}
		if err := near("error rate", rate, *r.ErrorRate); err != nil {
			return err
		}
		if err := near("budget left", 1-burn, *r.BudgetLeft); err != nil {
			return err
		}
		return near("burn rate", burn, *r.BurnRate)
	})
}
