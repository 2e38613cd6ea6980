package gateway

import (
	"net/http"
	"path"
	"strconv"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// source returns a document's text for the page that shows a passage in its place, or
// the list of the documents if none is named.
func (g *Gateway) source(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	spot := service.Spot{ID: q.Get("id")}
	for name, at := range map[string]*int{"start": &spot.Start, "end": &spot.End} {
		n, err := strconv.Atoi(or(q.Get(name), "0"))
		if err != nil || n < 0 {
			fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", name, name+" must be a number of bytes")
			return
		}
		*at = n
	}
	if q.Get("doc") == "" && spot.ID == "" {
		titles, err := g.service.Titles(r.Context())
		if err != nil {
			g.failWith(w, r, err)
			return
		}
		documents := make([]map[string]any, 0, len(titles))
		for name, n := range titles {
			documents = append(documents, map[string]any{"source": name, "title": service.Title(name), "kind": kindOf(name), "passages": n})
		}
		reply(w, http.StatusOK, map[string]any{"documents": documents})
		return
	}
	text, ok, err := g.service.Document(r.Context(), q.Get("doc"), spot)
	if err != nil {
		g.failWith(w, r, err)
		return
	}
	if !ok {
		fail(w, http.StatusNotFound, "invalid_request_error", "unknown_document", "doc", "there is no document of that name now")
		return
	}
	reply(w, http.StatusOK, map[string]any{"source": text.Source, "title": service.Title(text.Source), "kind": kindOf(text.Source),
		"text": text.Text, "start": text.Start, "end": text.End, "before": text.Before, "after": text.After})
}

// kindOf says how a document is to be read: a package's notes, a program, or a text.
func kindOf(source string) string {
	switch {
	case path.Base(source) == "doc.go":
		return "notes"
	case path.Ext(source) == ".go":
		return "program"
	}
	return "text"
}
