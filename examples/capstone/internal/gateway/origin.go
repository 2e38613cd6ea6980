package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// foreign returns the code and the message of a request that a web page of
// another site may have sent. A browser sends such requests for any page that
// its user opens, also to servers that listen on 127.0.0.1 only.
func (g *Gateway) foreign(r *http.Request) (code, message string) {
	if g.o.Loopback && !isLoopback(r.Host) {
		return "invalid_host", "this server answers requests to localhost only"
	}
	if err := g.origins.Check(r); err != nil {
		return "cross_origin", "requests of other sites' pages are refused"
	}
	return "", ""
}

// isLoopback reports whether the host of a request names this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
