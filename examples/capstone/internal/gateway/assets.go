package gateway

import (
	"embed"
	"net/http"
	"path"
)

//go:embed page
var files embed.FS

// policy lets a page load what this server serves, and nothing else: no other host's
// scripts, styles, images or requests, and no script or style in the page itself.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page returns the handler of a page. It contains nothing of a caller's: its script
// asks for that, with the caller's key.
func page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		serveFile(w, name, "text/html; charset=utf-8")
	}
}

// types are the kinds of files that pages load.
var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// asset serves what the pages load.
func (g *Gateway) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	kind, ok := types[path.Ext(name)]
	if _, err := files.ReadFile("page/" + name); !ok || err != nil {
		g.elsewhere(w, r)
		return
	}
	serveFile(w, name, kind)
}

func serveFile(w http.ResponseWriter, name, kind string) {
	data, err := files.ReadFile("page/" + name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache") // a new version of the program has new ones
	_, _ = w.Write(data)                        // fails only if the client is gone
}
