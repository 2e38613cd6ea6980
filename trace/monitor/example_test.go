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

// An objective as rules of Prometheus.
func ExampleNewRules() {
	rules, err := monitor.NewRules(monitor.SLO{Name: "answers", Objective: 0.99, Windows: []monitor.BurnWindow{
		{Long: time.Hour, Budget: 0.02, Severity: monitor.SeverityPage},
	}}, &monitor.RulesOptions{By: "tenant"})
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
