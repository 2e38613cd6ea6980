package queue

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/hosts"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/inspector.html"))

// InspectorOptions are the settings of [NewInspector].
type InspectorOptions struct {
	// Hosts are the names under which the page is served, without a port. A request
	// for another name is refused: a web site whose name leads to your machine's
	// address (DNS rebinding) has another one. Default: localhost, 127.0.0.1 and ::1.
	Hosts []string

	// ShowPayloads shows the payloads of dead letters. Default: false, since they may
	// have personal data.
	ShowPayloads bool
}

// An Inspector is a page with the numbers and rates of each queue, and the dead
// letters, which can be redriven or deleted. It has no login of its own: serve it to
// those who may see it only. It refuses requests from the pages of other sites.
type Inspector struct {
	q *Queue
	o InspectorOptions
	h http.Handler
}

// NewInspector returns a page for a queue. It may be served below a path with
// http.StripPrefix. It fails with [ErrOption].
func NewInspector(q *Queue, o *InspectorOptions) (*Inspector, error) {
	if q == nil {
		return nil, optionError("the queue of NewInspector is nil")
	}
	p := &Inspector{q: q}
	if o != nil {
		p.o = *o
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /stats.json", p.stats)
	mux.HandleFunc("POST /redrive", p.redrive)
	mux.HandleFunc("POST /delete", p.delete)
	for _, name := range []string{"inspector.css", "inspector.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
	p.h = hosts.Page(p.o.Hosts, "InspectorOptions.Hosts", hosts.Files, mux)
	return p, nil
}

// ServeHTTP implements [http.Handler].
func (p *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.h.ServeHTTP(w, r) }

// A row is a queue on the page.
type row struct{ Stats }

// OldestText is the age of the oldest ready job, for people.
func (r row) OldestText() string {
	if r.Oldest < time.Second {
		return ""
	}
	return r.Oldest.Round(time.Second).String()
}

func (p *Inspector) page(w http.ResponseWriter, r *http.Request) {
	const most = 100
	data := struct {
		Queues       []row
		Queue        string
		Message      string
		Dead         []*Job
		More         bool
		ShowPayloads bool
	}{Queue: r.FormValue("queue"), Message: messages[r.FormValue("did")], ShowPayloads: p.o.ShowPayloads}
	stats, err := p.q.Stats(r.Context())
	if err != nil {
		p.fail(w, err)
		return
	}
	for _, s := range stats {
		data.Queues = append(data.Queues, row{s})
		if data.Queue != "" && data.Queue != s.Queue || s.Dead == 0 {
			continue
		}
		dead, err := p.q.List(r.Context(), Listing{Queue: s.Queue, State: StateDead, Limit: most})
		if err != nil {
			p.fail(w, err)
			return
		}
		data.Dead = append(data.Dead, dead...)
	}
	if data.More = len(data.Dead) >= most; data.More {
		data.Dead = data.Dead[:most]
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, data) // the client is gone
}

// What the page says after a button.
var messages = map[string]string{
	"redriven": "The dead letters are pending again.", "deleted": "The dead letter is deleted.",
	"gone": "That job was not a dead letter any more.", "duplicate": "Another job has the same unique key now, so it stays a dead letter.",
}

func (p *Inspector) stats(w http.ResponseWriter, r *http.Request) {
	stats, err := p.q.Stats(r.Context())
	if err != nil {
		p.fail(w, err)
		return
	}
	if stats == nil {
		stats = []Stats{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(stats) // the client is gone
}

func (p *Inspector) redrive(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("all") != "" {
		_, err := p.q.RedriveAll(r.Context(), r.PostFormValue("queue"))
		p.back(w, r, "redriven", err)
		return
	}
	p.back(w, r, "redriven", p.q.Redrive(r.Context(), r.PostFormValue("id")))
}

// delete removes a dead letter, and no other job.
func (p *Inspector) delete(w http.ResponseWriter, r *http.Request) {
	p.back(w, r, "deleted", p.deleteDead(r.Context(), r.PostFormValue("id")))
}

func (p *Inspector) deleteDead(ctx context.Context, id string) error {
	j, err := p.q.Get(ctx, id)
	if err != nil {
		return err
	}
	if j.State != StateDead {
		return ErrNotFound
	}
	return p.q.Delete(ctx, id)
}

// back leads the browser to the page again, with what happened.
func (p *Inspector) back(w http.ResponseWriter, r *http.Request, did string, err error) {
	var duplicate *DuplicateError
	switch {
	case errors.Is(err, ErrNotFound):
		did = "gone"
	case errors.As(err, &duplicate):
		did = "duplicate"
	case err != nil:
		p.fail(w, err)
		return
	}
	v := url.Values{"did": {did}}
	if q := r.PostFormValue("queue"); q != "" {
		v.Set("queue", q)
	}
	// A relative address, so that the page works below any path.
	w.Header().Set("Location", "./?"+v.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

func (p *Inspector) fail(w http.ResponseWriter, err error) {
	p.q.o.Logger.Warn(event.QueueStore, event.Reason, err.Error())
	http.Error(w, "the store of the jobs does not answer", http.StatusServiceUnavailable)
}
