// Package hosts protects the pages that this module serves on a person's own machine. A
// site of an attacker can let its own name point to 127.0.0.1 (DNS rebinding); then a
// browser sends it what a local page says, but the request has the attacker's name as its
// host.
package hosts

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Where the styles and the scripts of a page are, in the words of its
// Content-Security-Policy.
const (
	Files  = "'self'"          // in files of their own
	Inline = "'unsafe-inline'" // in the page
)

// Page refuses requests for a host that isn't one of the names, with any port. The 403
// names the option that has the names; without names, they are those of this machine. It
// also refuses changes that come from the pages of other sites, and lets a browser load
// nothing from elsewhere, show the page in no other, and keep no copy. No body is read
// beyond 1 MiB, since forms with files are kept on the disk. code is [Files] or [Inline].
func Page(names []string, option, code string, next http.Handler) http.Handler {
	names = slices.Clone(names)
	if len(names) == 0 {
		names = []string{"localhost", "127.0.0.1", "::1"}
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.Trim(name, "[]"))
	}
	policy := fmt.Sprintf("default-src 'none'; style-src %[1]s; script-src %[1]s; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", code)
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !slices.Contains(names, strings.ToLower(strings.Trim(host, "[]"))) {
			http.Error(w, fmt.Sprintf("the host %q is not one of %s", r.Host, option), http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// With no-referrer, a browser says "Origin: null" in the page's own forms, and
		// without TLS says nothing else of their origin: they would be refused.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		}
		next.ServeHTTP(w, r)
	})
}
