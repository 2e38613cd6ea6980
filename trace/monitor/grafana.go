package monitor

import (
	"encoding/json"
	"fmt"
	"io"
)

// A panel of a Grafana dashboard. Only what a dashboard of schema version 39 needs.
type panel struct {
	ID          int            `json:"id"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type"`
	GridPos     map[string]int `json:"gridPos"`
	Datasource  datasource     `json:"datasource"`
	FieldConfig map[string]any `json:"fieldConfig"`
	Targets     []target       `json:"targets"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type target struct {
	RefID        string     `json:"refId"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat,omitempty"`
	Datasource   datasource `json:"datasource"`
}

// Panels are the queries of the dashboard by panel title, for a test that each can be
// parsed.
func (r *Rules) Panels() map[string]string {
	out := map[string]string{}
	for _, p := range r.panels() {
		out[p.title] = p.query
	}
	return out
}

type question struct{ title, why, unit, query, legend string }

// panels are ordered by the questions of a person who was woken: is there a problem,
// for whom, what kind, what does it cost.
func (r *Rules) panels() []question {
	first := r.slo.Windows[0]
	legend := "all"
	if r.o.By != "" {
		legend = "{{" + r.o.By + "}}"
	}
	window := span(first.Short)
	return []question{
		{"Burn rate", "1 spends the error budget in exactly the period.", "none", fmt.Sprintf("%s / %.12g", r.record(first.Long), 1-r.slo.Objective), legend},
		{"Share of bad events", "The short window of the fastest alert.", "percentunit", r.record(first.Short), legend},
		{"Events per second", "A fall is an incident too.", "reqps", r.sum(r.o.Total, window), legend},
		{"Errors by kind", "", "reqps", fmt.Sprintf("sum by (error_type) (rate(gen_ai_client_operation_duration_seconds_count{error_type!=\"\"}[%s]))", window), "{{error_type}}"},
		{"Latency, 95th percentile", "From the buckets of all servers: percentiles of servers cannot be averaged.", "s", fmt.Sprintf("histogram_quantile(0.95, sum by (le, gen_ai_request_model) (rate(gen_ai_client_operation_duration_seconds_bucket[%s])))", window), "{{gen_ai_request_model}}"},
		{"Tokens per second", "", "none", fmt.Sprintf("sum by (gen_ai_token_type) (rate(gen_ai_client_token_usage_sum[%s]))", window), "{{gen_ai_token_type}}"},
	}
}

// WriteDashboard writes a dashboard for Grafana's import, schema version 39 (Grafana
// 11). Its data source is a variable, so that it can be imported anywhere. It fails
// with the error of w and with [ErrOption].
func (r *Rules) WriteDashboard(w io.Writer) error {
	source := datasource{"prometheus", "${datasource}"}
	var panels []panel
	for i, q := range r.panels() {
		panels = append(panels, panel{
			ID: i + 1, Title: q.title, Description: q.why, Type: "timeseries", Datasource: source,
			GridPos:     map[string]int{"h": 8, "w": 12, "x": 12 * (i % 2), "y": 8 * (i / 2)},
			FieldConfig: map[string]any{"defaults": map[string]any{"unit": q.unit}, "overrides": []any{}},
			Targets:     []target{{RefID: "A", Expr: q.query, LegendFormat: q.legend, Datasource: source}},
		})
	}
	data, err := json.MarshalIndent(map[string]any{
		"title": "SLO " + r.slo.Name, "uid": "slo-" + r.slo.Name, "schemaVersion": 39, "version": 1, "editable": true,
		"tags": []string{"slo", "llm"}, "timezone": "utc", "refresh": "30s",
		"time":        map[string]string{"from": "now-6h", "to": "now"},
		"templating":  map[string]any{"list": []any{map[string]any{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}}},
		"annotations": map[string]any{"list": []any{}},
		"panels":      panels,
	}, "", "  ")
	if err != nil {
		return err
	}
	return write(w, string(data)+"\n")
}
