package monitor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// operations counts the steps that package trace measures; requests counts those that are
// a whole request.
const (
	operations = "gen_ai_client_operation_duration_seconds_count"
	requests   = operations + `{gen_ai_operation_name="invoke_workflow"}`
)

// RulesOptions are the settings of [NewRules].
type RulesOptions struct {
	// Total is the counter of all events, as a selector without a range. Default: requests
	// as their callers see them,
	// gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="invoke_workflow"}.
	// It is the count of package trace's histogram, as OpenTelemetry's exporter for
	// Prometheus and its Collector name it by default, for logical spans: an attempt that a
	// retry made good is not a bad event. Put trace's KindLogical around the whole; a chain
	// or an upload that is measured is an event too. Without a logical span the alert
	// without data fires. The same name without labels counts each step, and with
	// {gen_ai_operation_name="chat"} each attempt.
	Total string

	// Bad is the counter of bad events. Its labels are those of Total. Default: Total
	// with an error_type, if Total is of that histogram; required for another counter.
	Bad string

	// By is the label that each group has a budget and alerts of its own for, such as
	// tenant. Total must have it: package trace's metrics have no tenant, but
	// gen_ai_request_model. Default: none, one budget for all.
	By string

	// Runbook is the address of the playbook. Default: none.
	Runbook string
}

// Rules are an [SLO] as recording and alerting rules of Prometheus, and the tests of
// these rules. Numerator and denominator, alert and budget use the same counters and
// the same groups.
type Rules struct {
	slo SLO
	o   RulesOptions
}

var (
	labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	matcher   = `[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)"[^"\\[:cntrl:]]*"`
	selector  = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*(\{(` + matcher + `(,` + matcher + `)*,?)?\})?$`)
)

// NewRules returns the rules of an SLO. Its name must be a name in Prometheus. It
// fails with [ErrOption].
func NewRules(s SLO, o *RulesOptions) (*Rules, error) {
	set, err := s.full()
	if err != nil {
		return nil, err
	}
	r := &Rules{slo: set}
	if o != nil {
		r.o = *o
	}
	r.o.Total = cmp.Or(r.o.Total, requests)
	if name, labels, _ := strings.Cut(strings.TrimSuffix(r.o.Total, "}"), "{"); r.o.Bad == "" && name == operations {
		if labels = strings.TrimRight(labels, ", "); labels != "" {
			labels += ","
		}
		r.o.Bad = name + "{" + labels + `error_type!=""}`
	}
	if !labelName.MatchString(set.Name) {
		return nil, optionError("SLO.Name is %q: want letters, digits and _", set.Name)
	}
	if r.o.By != "" && !labelName.MatchString(r.o.By) {
		return nil, optionError("RulesOptions.By is %q: want the name of a label", r.o.By)
	}
	for _, text := range []string{r.o.Total, r.o.Bad} {
		if !selector.MatchString(text) {
			return nil, optionError("RulesOptions.Total is %q and Bad %q: want two selectors such as errors_total{job=\"x\"}", r.o.Total, r.o.Bad)
		}
	}
	for _, w := range set.Windows {
		if w.Long%time.Minute != 0 || w.Short%time.Second != 0 {
			return nil, optionError("the window %v is not whole minutes, or its short one not whole seconds", w.Long)
		}
	}
	return r, nil
}

// span is a duration in the form of Prometheus.
func span(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= unit.d && d%unit.d == 0 {
			return strconv.Itoa(int(d/unit.d)) + unit.name
		}
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

func (r *Rules) record(window time.Duration) string {
	return "slo:" + r.slo.Name + ":error_ratio_" + span(window)
}

func (r *Rules) sum(selector, window string) string {
	by := ""
	if r.o.By != "" {
		by = "by (" + r.o.By + ") "
	}
	return fmt.Sprintf("sum %s(rate(%s[%s]))", by, selector, window)
}

// ratio is the share of bad events in a window. Without a bad series it is 0 as long
// as there are events, and without events it is absent.
func (r *Rules) ratio(window time.Duration) string {
	total, w := r.sum(r.o.Total, span(window)), span(window)
	return fmt.Sprintf("(%s or 0 * %s) / (%s > 0)", r.sum(r.o.Bad, w), total, total)
}

func (r *Rules) alert(i int) string { return fmt.Sprintf("SLO_%s_burn_%d", r.slo.Name, i+1) }

// quote writes text as a string of YAML, which is one of JSON.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always can be
	return strings.TrimSpace(b.String())
}

// WriteRules writes the file that Prometheus loads. The last rule fires when the
// counter of all events is absent, since an SLO without data looks like a kept one.
// It fails with the error of w and with [ErrOption].
func (r *Rules) WriteRules(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "groups:\n  - name: slo_%s\n    rules:\n", r.slo.Name)
	seen := map[time.Duration]bool{}
	for _, win := range r.slo.Windows {
		for _, d := range []time.Duration{win.Long, win.Short} {
			if !seen[d] {
				seen[d] = true
				fmt.Fprintf(&b, "      - record: %s\n        expr: %s\n", r.record(d), quote(r.ratio(d)))
			}
		}
	}
	for i, win := range r.slo.Windows {
		limit := strconv.FormatFloat(win.Rate(r.slo.Period)*(1-r.slo.Objective), 'g', 12, 64)
		expr := fmt.Sprintf("%s > %s and %s > %s", r.record(win.Long), limit, r.record(win.Short), limit)
		if r.slo.MinEvents > 1 {
			on := ""
			if r.o.By != "" {
				on = "by (" + r.o.By + ") "
			}
			expr += fmt.Sprintf(" and sum %s(increase(%s[%s])) >= %d", on, r.o.Total, span(win.Long), r.slo.MinEvents)
		}
		fmt.Fprintf(&b, "      - alert: %s\n        expr: %s\n        labels: {severity: %s, slo: %s}\n", r.alert(i), quote(expr), win.Severity, quote(r.slo.Name))
		fmt.Fprintf(&b, "        annotations: %s\n", r.annotations(win))
	}
	fmt.Fprintf(&b, "      - alert: SLO_%s_blind\n        expr: %s\n        for: 15m\n        labels: {severity: page, slo: %s}\n        annotations: {summary: %s%s}\n",
		r.slo.Name, quote("absent(sum("+r.o.Total+"))"), quote(r.slo.Name), quote("no events of "+r.slo.Name+" are measured"), r.runbook())
	return write(w, b.String())
}

func (r *Rules) annotations(win BurnWindow) string {
	who := ""
	if r.o.By != "" {
		who = " for {{ $labels." + r.o.By + " }}"
	}
	text := fmt.Sprintf("the error budget of %s burns %.3g times too fast in %s%s", r.slo.Name, win.Rate(r.slo.Period), span(win.Long), who)
	return "{summary: " + quote(text) + r.runbook() + "}"
}

func (r *Rules) runbook() string {
	if r.o.Runbook == "" {
		return ""
	}
	return ", runbook: " + quote(r.o.Runbook)
}

func write(w io.Writer, text string) error {
	if w == nil {
		return optionError("the writer is nil")
	}
	_, err := io.WriteString(w, text)
	return err
}

// WriteTests writes the file for "promtool test rules": with all events good no alert
// fires, with all bad each of the windows does, with few events none does, and without
// events the blind alert does. rulesFile is the path of the rules, as seen from the
// tests. It needs selectors with = and != only, and fails with [ErrOption] otherwise.
func (r *Rules) WriteTests(w io.Writer, rulesFile string) error {
	total, err := r.series(r.o.Total, "")
	if err != nil {
		return err
	}
	bad, err := r.series(r.o.Bad, "fault")
	if err != nil {
		return err
	}
	// A rate of a series that is younger than its window is that of its whole life, so
	// an hour tests windows of days too, in a second instead of a minute.
	smallest := r.slo.Windows[0].Long
	for _, win := range r.slo.Windows {
		smallest = min(smallest, win.Long)
	}
	minutes := int(smallest/time.Minute) + 10
	var b strings.Builder
	fmt.Fprintf(&b, "rule_files: [%s]\nevaluation_interval: 1m\ntests:\n", quote(rulesFile))
	separate := strings.SplitN(r.o.Total, "{", 2)[0] != strings.SplitN(r.o.Bad, "{", 2)[0]
	test := func(name string, series [][2]string, fires bool, at time.Duration, blind bool) {
		fmt.Fprintf(&b, "  - name: %s\n    interval: 1m\n    input_series:\n", quote(name))
		for _, s := range series {
			fmt.Fprintf(&b, "      - series: '%s'\n        values: '%s'\n", s[0], s[1])
		}
		if len(series) == 0 {
			b.WriteString("      []\n")
		}
		b.WriteString("    alert_rule_test:\n")
		for i, win := range r.slo.Windows {
			fmt.Fprintf(&b, "      - eval_time: %s\n        alertname: %s\n        exp_alerts:", span(at), r.alert(i))
			if !fires {
				b.WriteString(" []\n")
				continue
			}
			labels := fmt.Sprintf("severity: %s, slo: %s", win.Severity, quote(r.slo.Name))
			if r.o.By != "" {
				labels += ", " + r.o.By + ": acme"
			}
			fmt.Fprintf(&b, "\n          - exp_labels: {%s}\n            exp_annotations: %s\n", labels, strings.ReplaceAll(r.annotations(win), "{{ $labels."+r.o.By+" }}", "acme"))
		}
		fmt.Fprintf(&b, "      - eval_time: %s\n        alertname: SLO_%s_blind\n        exp_alerts:", span(at), r.slo.Name)
		if !blind {
			b.WriteString(" []\n")
			return
		}
		fmt.Fprintf(&b, "\n          - exp_labels: {severity: page, slo: %s}\n            exp_annotations: {summary: %s%s}\n", quote(r.slo.Name), quote("no events of "+r.slo.Name+" are measured"), r.runbook())
	}
	good := fmt.Sprintf("0+100x%d", minutes)
	zero := fmt.Sprintf("0+0x%d", minutes)
	end := time.Duration(minutes-5) * time.Minute
	test("all events are good", [][2]string{{total, good}, {bad, zero}}, false, end, false)
	failing := [][2]string{{bad, good}}
	if separate {
		failing = append(failing, [2]string{total, good})
	}
	test("all events are bad", failing, true, end, false)
	if r.slo.MinEvents > 1 {
		few := [][2]string{{bad, fmt.Sprintf("0 1x%d", minutes)}}
		if separate {
			few = append(few, [2]string{total, few[0][1]})
		}
		test("one event, which is bad", few, false, min(smallest, time.Hour), false)
	}
	test("no events at all", nil, false, end, true)
	return write(w, b.String())
}

// series is a series that a selector selects.
func (r *Rules) series(text, other string) (string, error) {
	name, labels, _ := strings.Cut(strings.TrimSuffix(text, "}"), "{")
	var out []string
	for _, m := range regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"([^"]*)"`).FindAllStringSubmatch(labels, -1) {
		value := m[3]
		switch {
		case m[1] == r.o.By || m[2] == "=~" || m[2] == "!~" || strings.Contains(value, "'"):
			return "", optionError("a test needs a selector with = and != without By's label, not %q", text)
		case m[2] == "!=":
			value = "not_" + value
			if m[3] == "" {
				value = cmp.Or(other, "other")
			}
		}
		out = append(out, m[1]+`="`+value+`"`)
	}
	if r.o.By != "" {
		out = append(out, r.o.By+`="acme"`)
	}
	return name + "{" + strings.Join(out, ",") + "}", nil
}
