package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrOption is wrapped by every error about an invalid option.
var ErrOption = errors.New("sink: invalid option")

// validHosts reports an entry of a list of hosts that no host can match.
func validHosts(option string, hosts []string) error {
	for i, h := range hosts {
		if !plainHost(strings.TrimPrefix(h, ".")) {
			return fmt.Errorf("%w: %s[%d] is %q: want a host such as \"example.org\", or \".example.org\" for every host below", ErrOption, option, i, h)
		}
	}
	return nil
}

// A URLError reports why a model's URL may not be fetched.
type URLError struct {
	Host   string // "" if there is none that can be read
	Reason string
}

func (e *URLError) Error() string {
	return fmt.Sprintf("sink: the URL of host %q: %s", e.Host, e.Reason)
}

// FetchOptions describe what a tool may fetch. The zero value admits every public
// host on the ports 80 and 443.
type FetchOptions struct {
	// OnlyHosts are the only hosts that may be fetched from, written as in
	// [LinkOptions].Hosts. A list that is empty and not nil admits none. Default:
	// nil, which admits every public host.
	OnlyHosts []string

	// Ports are the only ports that may be used, in digits. A list that is empty
	// and not nil admits none. Default: nil, which admits 80 and 443.
	Ports []string

	// Timeout is for a whole request of [NewClient]'s client. Default: 30 s.
	Timeout time.Duration
}

// validate reports an option that is wrong.
func (o *FetchOptions) validate() error {
	if err := validHosts("FetchOptions.OnlyHosts", o.OnlyHosts); err != nil {
		return err
	}
	for i, p := range o.Ports {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%w: FetchOptions.Ports[%d] is %q: want 1 to 65535", ErrOption, i, p)
		}
	}
	if o.Timeout < 0 {
		return fmt.Errorf("%w: FetchOptions.Timeout is %v: want 0 (the default, 30 s) or more", ErrOption, o.Timeout)
	}
	return nil
}

// CheckURL reports why a URL may not be fetched, nil if it may: a scheme that
// isn't http or https, a user name, a host or port that isn't admitted, or an
// address of this machine, its network, or a cloud's metadata service. It also refuses
// hosts that only some clients read as an address: 0x7f.1, 017700000001 and 2130706433
// are all 127.0.0.1 to some client. The error is a [*URLError], or wraps
// [ErrOption].
//
// A name can resolve to any address, and to another one a moment later, so fetch
// with [NewClient], which looks at the address that it connects to.
func CheckURL(raw string, o *FetchOptions) error {
	if o == nil {
		o = &FetchOptions{}
	}
	if err := o.validate(); err != nil {
		return err
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c == '\\' || c == 0x7f {
			return &URLError{Reason: "it contains a character that clients read in different ways"}
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return &URLError{Reason: "it can't be parsed"}
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return &URLError{host, "its scheme is neither http nor https"}
	case u.User != nil:
		return &URLError{host, "it contains a user name"}
	case !plainHost(u.Host):
		return &URLError{Reason: "its host isn't one in ASCII"}
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ports := o.Ports
	if ports == nil {
		ports = []string{"80", "443"}
	}
	if !slices.Contains(ports, port) {
		return &URLError{host, "its port isn't admitted"}
	}
	if o.OnlyHosts != nil && !onHosts(o.OnlyHosts).MatchString("http://"+host) {
		return &URLError{host, "it isn't among the hosts that are admitted"}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if reason := notPublic(addr); reason != "" {
			return &URLError{host, reason}
		}
		return nil
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case last == "" || isDigit(last[0]) || strings.HasPrefix(last, "0x"):
		return &URLError{host, "it is a number that some clients read as an address"}
	case !strings.Contains(host, ".") || slices.Contains([]string{"localhost", "local", "internal", "localdomain", "home", "lan", "intranet", "corp", "onion"}, last):
		return &URLError{host, "it is a name of a private network"}
	}
	return nil
}

// special are networks that the public internet doesn't route to a stranger, or
// that carry an IPv4 address inside (RFC 6890, the IANA special-purpose registries).
var special = func() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"240.0.0.0/4", "168.63.129.16/32", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

// globalUnicast is the only part of IPv6 that is routed on the public internet
// (RFC 4291, IANA). All else has a purpose of its own, now or later: ::127.0.0.1,
// ::ffff:0:127.0.0.1 and 64:ff9b::7f00:1 reach 127.0.0.1 on some systems.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// notPublic returns why an address isn't a public one, "" if it is.
func notPublic(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLoopback() || a.IsUnspecified():
		return "it is this machine"
	case a.IsPrivate() || a.IsLinkLocalUnicast():
		return "it is an address of a private network or of a cloud's metadata service"
	case a.IsMulticast():
		return "it is a multicast address"
	case a.Is6() && !globalUnicast.Contains(a), isISATAP(a), slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) }):
		return "it is an address for special purposes"
	}
	return ""
}

// isISATAP reports whether an IPv6 address ends in an IPv4 address to which a
// tunnel leads (RFC 5214).
func isISATAP(a netip.Addr) bool {
	b := a.As16()
	return a.Is6() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// NewClient returns an HTTP client for URLs that a model or a document chose. It
// applies [CheckURL] to the URL and to each redirect. It refuses the connection
// itself if the address isn't public, so a name that resolves to another address later
// is refused too. It uses no proxy, since a proxy would resolve the name itself. An invalid option is an
// error that wraps [ErrOption].
func NewClient(o *FetchOptions) (*http.Client, error) {
	if o == nil {
		o = &FetchOptions{}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	opts := FetchOptions{OnlyHosts: slices.Clone(o.OnlyHosts), Ports: slices.Clone(o.Ports), Timeout: o.Timeout}
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &URLError{Reason: "its address can't be read"}
		}
		if reason := notPublic(ap.Addr()); reason != "" {
			return &URLError{ap.Addr().String(), reason}
		}
		return nil
	}}
	transport := &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: opts.Timeout}
	return &http.Client{Timeout: opts.Timeout, Transport: &checkedTransport{transport, &opts}, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("sink: more than five redirects")
		}
		return CheckURL(r.URL.String(), &opts)
	}}, nil
}

type checkedTransport struct {
	next *http.Transport
	o    *FetchOptions
}

func (t *checkedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := CheckURL(r.URL.String(), t.o); err != nil {
		return nil, err
	}
	return t.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the
// transport.
func (t *checkedTransport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// CheckHost looks a host up and reports the first address that isn't public. It is
// for fetchers that [NewClient] can't replace, such as a browser. Another lookup
// can give another result, so it is the weaker measure. A nil resolver is the zero
// one of package net.
func CheckHost(ctx context.Context, r *net.Resolver, host string) error {
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	for _, a := range addrs {
		if reason := notPublic(a); reason != "" {
			return &URLError{host, reason}
		}
	}
	return nil
}
