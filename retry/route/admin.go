package route

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"time"

	"github.com/prodailabs/prodai/internal/hosts"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/admin.html"))

// AdminOptions are the settings of [NewAdmin].
type AdminOptions struct {
	// Hosts are the names under which the page is served, without a port. A request
	// for another name is refused: a web site whose name leads to your machine's
	// address (DNS rebinding) has another one. Default: localhost, 127.0.0.1 and ::1.
	Hosts []string
}

// An Admin is a page with the live state of the targets and of the rollout. A person
// can drain targets there, and pause, resume or roll back. It has no login of its
// own: serve it to those who may see it only. It refuses requests from the pages of
// other sites.
type Admin struct {
	p *Pool
	h http.Handler
}

// NewAdmin returns a page for a pool. It may be served below a path with
// http.StripPrefix. It fails with [ErrOption].
func NewAdmin(p *Pool, o *AdminOptions) (*Admin, error) {
	if p == nil {
		return nil, optionError("the pool of NewAdmin is nil")
	}
	if o == nil {
		o = &AdminOptions{}
	}
	a := &Admin{p: p}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.page)
	mux.HandleFunc("GET /state.json", a.state)
	for action, f := range map[string]func(*http.Request) (string, error){
		"drain":    func(r *http.Request) (string, error) { return "drained", p.Drain(r.PostFormValue("target")) },
		"undrain":  func(r *http.Request) (string, error) { return "undrained", p.Undrain(r.PostFormValue("target")) },
		"pause":    a.canary("paused", (*Canary).Pause),
		"resume":   a.canary("resumed", (*Canary).Resume),
		"rollback": a.canary("rolledback", func(c *Canary) { c.Rollback("rolled back by a person") }),
	} {
		mux.HandleFunc("POST /"+action, func(w http.ResponseWriter, r *http.Request) {
			did, err := f(r)
			if err != nil {
				did = "unknown"
			}
			// A relative address, so that the page works below any path.
			w.Header().Set("Location", "./?did="+did)
			w.WriteHeader(http.StatusSeeOther)
		})
	}
	for _, name := range []string{"admin.css", "admin.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	a.h = hosts.Page(o.Hosts, "AdminOptions.Hosts", hosts.Files, mux)
	return a, nil
}

func (a *Admin) canary(did string, f func(*Canary)) func(*http.Request) (string, error) {
	return func(*http.Request) (string, error) {
		if a.p.o.Canary == nil {
			return "", optionError("the pool has no canary")
		}
		f(a.p.o.Canary)
		return did, nil
	}
}

// ServeHTTP implements [http.Handler].
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.h.ServeHTTP(w, r) }

// A row is a target on the page.
type row struct{ Status }

func (r row) text(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// FirstText is the latency of first tokens, for people.
func (r row) FirstText() string { return r.text(r.First) }

// WholeText is the latency of whole answers, for people.
func (r row) WholeText() string { return r.text(r.Whole) }

// What the page shows after a button.
var messages = map[string]string{
	"drained": "The target gets no more calls. Those in progress end.", "undrained": "The target gets calls again.",
	"paused": "The steps are paused. The test goes on.", "resumed": "The steps go on.", "rolledback": "The canary gets no more traffic.",
	"unknown": "There is no such target or rollout any more.",
}

func (a *Admin) page(w http.ResponseWriter, r *http.Request) {
	data := struct {
		Message string
		Targets []row
		Canary  *CanaryState
	}{Message: messages[r.FormValue("did")]}
	for _, s := range a.p.Status(time.Now()) {
		data.Targets = append(data.Targets, row{s})
	}
	if c := a.p.o.Canary; c != nil {
		s := c.State()
		data.Canary = &s
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, data) // the client is gone
}

func (a *Admin) state(w http.ResponseWriter, _ *http.Request) {
	type canary struct {
		CanaryState
		PhaseName string `json:"phase_name"`
		Weight    int    `json:"weight"`
	}
	data := struct {
		Targets []Status `json:"targets"`
		Canary  *canary  `json:"canary,omitempty"`
	}{Targets: a.p.Status(time.Now())}
	if c := a.p.o.Canary; c != nil {
		s := c.State()
		data.Canary = &canary{s, s.Phase.String(), s.Weight()}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(data) // the client is gone
}
