package monitor_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prodailabs/prodai/trace/monitor"
)

// A CUSUM finds a fall of the scores that no single score shows.
func ExampleCUSUM() {
	watch, err := monitor.NewCUSUM(monitor.Baseline{Mean: 0.82, SD: 0.12}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 100 {
		score := 0.82
		if i >= 50 {
			score = 0.70
		}
		signal, err := watch.Add(score)
		if err != nil {
			fmt.Println(err)
			return
		}
		if signal.State == monitor.StateAlarm {
			fmt.Printf("alarm after %d bad scores: %s\n", i-49, signal.Side)
			return
		}
	}
	// Output: alarm after 19 bad scores: down
}

// An objective for what callers see, as rules of Prometheus: attempts that a retry made
// good are not counted.
func ExampleNewRules() {
	rules, err := monitor.NewRules(monitor.SLO{Name: "answers", Objective: 0.99, Windows: []monitor.BurnWindow{
		{Long: time.Hour, Budget: 0.02, Severity: monitor.SeverityPage},
	}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var file strings.Builder
	if err := rules.WriteRules(&file); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(file.String()) {
		if strings.Contains(line, "alert:") {
			fmt.Fprint(os.Stdout, strings.TrimSpace(line), "\n")
		}
	}
	// Output:
	// - alert: SLO_answers_burn_1
	// - alert: SLO_answers_blind
}

// Burn rates and an alert in the process itself: a third of the answers fails from 12:00
// on.
func ExampleTracker() {
	slo, err := monitor.NewTracker(monitor.SLO{Name: "answers", Objective: 0.99})
	if err != nil {
		fmt.Println(err)
		return
	}
	alert, err := monitor.NewAlert(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for i := range 6 * 60 * 13 { // one answer in ten seconds
		at := start.Add(time.Duration(i) * 10 * time.Second)
		outcome := monitor.OutcomeGood
		if at.Hour() >= 12 && i%3 == 0 {
			outcome = monitor.OutcomeBad
		}
		if err := slo.Observe(at, outcome); err != nil {
			fmt.Println(err)
			return
		}
		if at.Second() != 0 {
			continue
		}
		page := monitor.ConditionNoData
		for _, b := range slo.Budget(at).Burns {
			if b.Severity == monitor.SeverityPage {
				page = max(page, b.Condition)
			}
		}
		if change := alert.Look(at, page); change != monitor.ChangeNone {
			fmt.Println(at.Format("15:04"), change)
		}
	}
	// Output: 12:26 fired
}
