package sink

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"github.com/prodailabs/prodai/guard"
)

// HTMLOptions say what may stay in HTML that a model wrote. The zero value keeps
// text, its formatting, lists, tables and code, and neither links nor images.
type HTMLOptions struct {
	// Hosts may be linked, written as in [LinkOptions]. Default: none, so there
	// are no links; an empty list means the same.
	Hosts []string

	// ImageHosts may serve images. Default: none, so there are no images; an
	// empty list means the same.
	ImageHosts []string
}

// An HTML removes from a model's HTML what must not be shown. It is safe for
// concurrent use. Make one with [NewHTML].
type HTML struct{ policy *bluemonday.Policy }

// NewHTML returns an HTML. It uses bluemonday, which parses as browsers do and writes
// only what a list admits. A host that can't be one is an error that wraps
// [ErrOption].
func NewHTML(o *HTMLOptions) (*HTML, error) {
	if o == nil {
		o = &HTMLOptions{}
	}
	if err := validHosts("HTMLOptions.Hosts", o.Hosts); err != nil {
		return nil, err
	}
	if err := validHosts("HTMLOptions.ImageHosts", o.ImageHosts); err != nil {
		return nil, err
	}
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "b", "i", "em", "strong", "s", "del", "ins", "sub", "sup", "mark", "small", "code", "pre", "kbd", "samp", "var",
		"blockquote", "q", "cite", "abbr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "details", "summary", "div", "span")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9_+-]{1,30}$`)).OnElements("code")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	either := &links{LinkOptions{Hosts: slices.Concat(o.Hosts, o.ImageHosts), Strict: true}}
	none := &guard.Provenance{}
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	for _, scheme := range []string{"http", "https"} {
		p.AllowURLSchemeWithCustomPolicy(scheme, func(u *url.URL) bool { return either.allowed(u.String(), false, true, none) })
	}
	if len(o.Hosts) > 0 {
		p.AllowAttrs("href").Matching(onHosts(o.Hosts)).OnElements("a")
		p.RequireNoFollowOnLinks(true)
		p.RequireNoReferrerOnLinks(true)
	}
	if len(o.ImageHosts) > 0 {
		p.AllowAttrs("src").Matching(onHosts(o.ImageHosts)).OnElements("img")
		p.AllowAttrs("alt").OnElements("img")
		p.AllowAttrs("width", "height").Matching(bluemonday.Integer).OnElements("img")
	}
	return &HTML{p}, nil
}

// onHosts returns the pattern of addresses on some hosts, since bluemonday asks
// for a pattern where links and images are to differ.
func onHosts(hosts []string) *regexp.Regexp {
	var alternatives []string
	for _, h := range hosts {
		if below, ok := strings.CutPrefix(h, "."); ok {
			alternatives = append(alternatives, `[a-z0-9.-]+\.`+regexp.QuoteMeta(below))
		} else {
			alternatives = append(alternatives, regexp.QuoteMeta(h))
		}
	}
	return regexp.MustCompile(`(?i)^https?://(?:` + strings.Join(alternatives, "|") + `)(?:[/?#]|$)`)
}

// Clean returns what of a document or fragment may be shown.
func (h *HTML) Clean(text string) string { return h.policy.Sanitize(text) }
