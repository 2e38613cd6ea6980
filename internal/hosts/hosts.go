// Package hosts checks under which name a page of this module is asked for. A site of an
// attacker can let its own name point to 127.0.0.1 (DNS rebinding); then a browser sends it
// what a local page says, but the request has the attacker's name as its host.
package hosts

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Or returns a copy of the names, or those of this machine if there are none.
func Or(names []string) []string {
	if len(names) == 0 {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return slices.Clone(names)
}

// Allowed reports whether a request asks for one of the names, with any port. If not, it
// answers with 403 and names the option that has the names.
func Allowed(w http.ResponseWriter, r *http.Request, names []string, option string) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if slices.Contains(names, host) {
		return true
	}
	http.Error(w, fmt.Sprintf("the host %q is not one of %s", host, option), http.StatusForbidden)
	return false
}
