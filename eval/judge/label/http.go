package label

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/prodailabs/prodai/internal/hosts"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"inc": func(i int) int { return i + 1 },
	"pct": func(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) },
	"num": func(x float64) string { return fmt.Sprintf("%.2f", x) },
}).Parse(pageText))

// view is what the template shows.
type view struct {
	Title, Task string
	Labels      []string
	Error       string

	Person  string // "" asks for a name
	Item    *Item
	Chosen  string // the label that the person gave before
	At, N   int    // of the person's items, from 1
	Done    int
	Back    string
	Waiting bool // the person is done, the other isn't

	Agreement *Agreement
}

func (p *Page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.get)
	mux.HandleFunc("POST /{$}", p.post)
	mux.HandleFunc("GET /labels.jsonl", p.download)
	return hosts.Page(p.o.Hosts, "Options.Hosts", hosts.Inline, mux)
}

// ServeHTTP implements [http.Handler]: the page at /, and the labels at /labels.jsonl
// once both people are done.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.h.ServeHTTP(w, r) }

func (p *Page) get(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	p.show(w, http.StatusOK, q.Get("person"), q.Get("item"), "")
}

func (p *Page) post(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form can't be read", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	person := r.PostForm.Get("person")
	var err error
	if item := r.PostForm.Get("item"); item != "" {
		err = p.set(person, item, r.PostForm.Get("label"))
	} else {
		err = p.join(person)
	}
	switch {
	case errors.Is(err, ErrOption):
		p.show(w, http.StatusBadRequest, "", "", err.Error())
	case err != nil:
		http.Error(w, "the label can't be saved", http.StatusInternalServerError)
	default: // a reload doesn't send the form again
		http.Redirect(w, r, "?person="+url.QueryEscape(person), http.StatusSeeOther)
	}
}

// show writes the page for a person: an item, or what is after the last one.
func (p *Page) show(w http.ResponseWriter, status int, person, at, problem string) {
	v := view{Title: p.o.Title, Task: p.o.Task, Labels: p.o.Labels, Error: problem, N: len(p.items)}
	if labels, ok := p.labels[person]; ok {
		v.Person, v.Done = person, 0
		order := p.order(person)
		for i := range order {
			label, done := labels[order[i].ID]
			if done {
				v.Done++
			}
			if v.Item == nil && (at == order[i].ID || at == "" && !done) {
				v.Item, v.Chosen, v.At = &order[i], label, i+1
				if i > 0 {
					v.Back = order[i-1].ID
				}
			}
		}
		if v.Item == nil {
			v.Back = order[len(order)-1].ID
			a, both, err := p.agreement()
			if err != nil {
				http.Error(w, "the agreement can't be computed", http.StatusInternalServerError)
				return
			}
			v.Waiting = !both
			if both {
				v.Agreement = &a
			}
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pageTemplate.Execute(w, v) // the client is gone, or the page is whole
}

func (p *Page) download(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, both, err := p.agreement(); err != nil || !both {
		http.Error(w, "the labels are shown when both people are done", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	e := json.NewEncoder(w)
	for _, item := range p.items {
		for _, person := range p.people {
			if err := e.Encode(map[string]string{"person": person, "item": item.ID, "label": p.labels[person][item.ID]}); err != nil {
				return // the client is gone
			}
		}
	}
}
