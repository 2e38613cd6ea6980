package monitor

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prodailabs/prodai/internal/hosts"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

//go:embed page
var pageFiles embed.FS

// DashboardOptions are the settings of [NewDashboard].
type DashboardOptions struct {
	// Hosts are the names under which the page is served, without a port. A request
	// for another name is refused: a web site whose name leads to your machine's
	// address (DNS rebinding) has another one. Default: localhost, 127.0.0.1 and ::1.
	Hosts []string

	// ShowMessages shows the messages of failed spans. Default: false, since providers
	// repeat prompts in them.
	ShowMessages bool
}

// A Dashboard is a page with the traces of a [Board], their waterfalls, cost, quality,
// latency and alerts. It makes no request to another server, follows changes by
// server-sent events, and shows no prompt and no answer. It has no login of its own:
// serve it to those who may see it only.
type Dashboard struct {
	b *Board
	o DashboardOptions
	h http.Handler
}

// NewDashboard returns the page of a board. It may be served below a path with
// http.StripPrefix. It fails with [ErrOption].
func NewDashboard(b *Board, o *DashboardOptions) (*Dashboard, error) {
	if b == nil {
		return nil, optionError("the board of NewDashboard is nil")
	}
	d := &Dashboard{b: b}
	if o != nil {
		d.o = *o
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /summary.json", d.summary)
	mux.HandleFunc("GET /traces.json", d.traces)
	mux.HandleFunc("GET /trace.json", d.trace)
	mux.HandleFunc("GET /events", d.events)
	for path, name := range map[string]string{"/{$}": "dashboard.html", "/dashboard.css": "dashboard.css", "/dashboard.js": "dashboard.js"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	d.h = hosts.Page(d.o.Hosts, "DashboardOptions.Hosts", hosts.Files, mux)
	return d, nil
}

// ServeHTTP implements [http.Handler].
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.h.ServeHTTP(w, r) }

func (d *Dashboard) summary(w http.ResponseWriter, _ *http.Request) {
	s, err := d.b.Summary()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, s)
}

func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}

// A traceLine is a trace in the list.
type traceLine struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds"`
	Spans   int       `json:"spans"`
	Failed  bool      `json:"failed"`
	Error   string    `json:"error"`
	Tenant  string    `json:"tenant"`
	Feature string    `json:"feature"`
	USD     string    `json:"usd"`
}

// listed is how many traces the list has.
const listed = 200

func (d *Dashboard) traces(w http.ResponseWriter, r *http.Request) {
	find := strings.ToLower(r.FormValue("find"))
	onlyFailed := r.FormValue("failed") == "1"
	lines := []traceLine{}
	found := 0
	for _, t := range slices.Backward(d.b.Traces()) {
		if onlyFailed && !failed(t) {
			continue
		}
		if find != "" && !mentions(t, find) {
			continue
		}
		if found++; found <= listed {
			lines = append(lines, lineOf(t))
		}
	}
	send(w, map[string]any{"found": found, "traces": lines})
}

// mentions reports whether a trace's facts contain a text in lower case.
func mentions(t *jsonl.Trace, find string) bool {
	for _, n := range t.Waterfall() {
		for _, text := range []string{t.ID, n.Name, n.Tenant, n.Feature, n.Model, n.ErrorType} {
			if strings.Contains(strings.ToLower(text), find) {
				return true
			}
		}
	}
	return false
}

func lineOf(t *jsonl.Trace) traceLine {
	l := traceLine{ID: t.ID, Start: t.Start, Seconds: t.Duration().Seconds(), Failed: failed(t)}
	for i, n := range t.Waterfall() {
		l.Spans++
		if i == 0 {
			l.Name = n.Name
		}
		for _, f := range []struct {
			to   *string
			text string
		}{{&l.Tenant, n.Tenant}, {&l.Feature, n.Feature}, {&l.Error, n.ErrorType}} {
			if *f.to == "" {
				*f.to = f.text
			}
		}
	}
	l.USD = usdOf(t)
	return l
}

// usdOf is a trace's cost, with a mark where a part of it is unknown.
func usdOf(t *jsonl.Trace) string {
	pico, unpriced, err := t.Cost()
	switch {
	case err != nil, pico == 0 && unpriced > 0:
		return "unknown"
	case unpriced > 0:
		return "≥ " + cost.USD(pico)
	}
	return cost.USD(pico)
}

// A spanLine is a span in a waterfall. Of the attributes only these are shown.
type spanLine struct {
	Name    string   `json:"name"`
	Depth   int      `json:"depth"`
	Offset  float64  `json:"offset"`
	Seconds float64  `json:"seconds"`
	Failed  bool     `json:"failed"`
	Facts   []string `json:"facts"`
	Events  []string `json:"events"`
}

func (d *Dashboard) trace(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	for _, t := range d.b.Traces() {
		if t.ID != id {
			continue
		}
		const most = 2000 // spans of a waterfall
		spans := []spanLine{}
		for _, n := range t.Waterfall() {
			if len(spans) < most {
				spans = append(spans, d.spanLine(n))
			}
		}
		var scores []Score
		for _, s := range d.b.Scores() {
			if s.TraceID == id {
				scores = append(scores, s)
			}
		}
		send(w, map[string]any{"trace": lineOf(t), "spans": spans, "scores": scores})
		return
	}
	http.Error(w, "this trace is not kept (any more)", http.StatusNotFound)
}

func (d *Dashboard) spanLine(n *jsonl.Node) spanLine {
	s := spanLine{Name: n.Name, Depth: min(n.Depth, 20), Offset: n.Offset.Seconds(), Seconds: max(n.Duration(), 0).Seconds(), Failed: n.Failed(), Facts: []string{}, Events: []string{}}
	fact := func(name, value string) {
		if value != "" {
			s.Facts = append(s.Facts, name+" "+value)
		}
	}
	fact("error", n.ErrorType)
	fact("model", n.Model)
	if n.UsageKnown {
		fact("tokens", fmt.Sprintf("%d → %d", n.Usage.Input, n.Usage.Output))
	}
	if n.CostKnown {
		fact("cost", cost.USD(n.CostPicoUSD))
	}
	if n.FromCache {
		fact("from", "cache")
	}
	if n.Found > 0 {
		fact("documents", fmt.Sprint(n.Found))
	}
	if n.RetryOf() != "" {
		fact("retry of", n.RetryOf())
	}
	if n.FirstChunk > 0 {
		fact("first chunk", n.FirstChunk.String())
	}
	if d.o.ShowMessages {
		fact("message", n.Message)
	}
	for _, e := range n.Events[:min(len(n.Events), 50)] {
		s.Events = append(s.Events, e.Name)
	}
	return s
}

// events informs the page when something changed, at most twice a second.
func (d *Dashboard) events(w http.ResponseWriter, r *http.Request) {
	flush := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		version, changed := d.b.state()
		if _, err := fmt.Fprintf(w, "data: %d\n\n", version); err != nil || flush.Flush() != nil {
			return
		}
		alive := time.NewTimer(20 * time.Second) // a proxy ends a silent connection
		select {
		case <-r.Context().Done():
			alive.Stop()
			return
		case <-changed:
			alive.Stop()
		case <-alive.C:
		}
		pause := time.NewTimer(500 * time.Millisecond)
		select {
		case <-r.Context().Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}
