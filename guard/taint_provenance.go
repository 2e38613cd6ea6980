package guard

import (
	"context"
	"slices"
	"strings"
	"unicode"
)

// Provenance is where the words of one request came from. Checks get it from their
// context, with [ProvenanceFrom].
//
// The words of the application (system messages) and of the user (human messages) are
// trusted, except for registered passages. Passages and tool results are untrusted.
// Earlier answers of the model are neither, since a text may have caused them.
type Provenance struct {
	trusted   []string // normalized
	tokens    map[string]bool
	request   string // the last human message, normalized
	untrusted []string
	unread    bool            // there is a part that no check reads
	sources   []string        // where passages came from, normalized
	allowed   []string        // tools that the application allows for this request
	marked    []markedPassage // what the Model marked itself
}

type provenanceKey struct{}

// ProvenanceFrom returns the request's provenance, or an empty one outside of a
// [Model]'s call.
func ProvenanceFrom(ctx context.Context) *Provenance {
	if p, ok := ctx.Value(provenanceKey{}).(*Provenance); ok {
		return p
	}
	return &Provenance{}
}

// Tainted reports whether the model has read untrusted text, or a picture or file
// that no check has read.
func (p *Provenance) Tainted() bool { return p.unread || len(p.untrusted) > 0 }

// Untrusted returns the untrusted texts. The caller must not change the slice.
func (p *Provenance) Untrusted() []string { return p.untrusted }

// Trusts reports whether a value comes from trusted text alone: the whole value or
// each of its words appears there. Four differences are ignored: case, runs of
// blanks, the form of an amount (1,250.00 is 1250), and the scheme before a host
// alone. An address, a URL or a number is one word, so it can't be put together from
// parts. A wildcard must appear in trusted text as it is. Signs that form no word,
// such as "*" or "..", are never trusted.
func (p *Provenance) Trusts(value string) bool {
	value = normal(value)
	if value == "" {
		return true
	}
	if !hasToken(value) {
		return false
	}
	for _, t := range p.trusted {
		if containsWords(t, value) {
			return true
		}
	}
	if strings.Contains(value, "*") {
		return false
	}
	for field := range strings.FieldsSeq(value) {
		if strings.ContainsAny(field, `/\?#`) && len(addresses(field)) > 0 {
			if field != value { // in a sentence
				field = strings.Trim(field, ".,;:!?()[]{}<>\"'`|“”‘’")
			}
			if !p.tokens[plain(field)] {
				return false
			}
			continue
		}
		for token := range tokensOf(field) {
			if !p.tokens[plain(token)] {
				return false
			}
		}
	}
	return true
}

func hasToken(text string) bool {
	for range tokensOf(text) {
		return true
	}
	return false
}

// plain writes a token in the form that means the same in a call's arguments: 12.50
// as 12.5, $12.5 as 12.5, https://example.org/ as example.org. An address with
// anything after its host stays as it is, since that part can carry data away.
func plain(token string) string {
	amount := strings.Trim(token, "$€£¥")
	if whole, part, ok := strings.Cut(amount, "."); ok && digits(whole) && digits(part) {
		return strings.TrimSuffix(strings.TrimRight(amount, "0"), ".")
	} else if digits(amount) {
		return amount
	}
	for _, scheme := range []string{"https://", "http://"} {
		if host, ok := strings.CutPrefix(token, scheme); ok {
			if host = strings.TrimSuffix(host, "/"); host != "" && !strings.ContainsAny(host, `/\@?#`) {
				return host
			}
		}
	}
	return token
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Cites reports whether an address is the source of a retrieved document, as the
// index gives it. Such an address may be cited, and is trusted for nothing else: the
// author of a page that was crawled chose its address.
func (p *Provenance) Cites(address string) bool { return slices.Contains(p.sources, normal(address)) }

func (p *Provenance) trust(text string) {
	text = normal(text)
	if text == "" {
		return
	}
	if p.tokens == nil {
		p.tokens = map[string]bool{}
	}
	p.trusted = append(p.trusted, text)
	for token := range tokensOf(text) {
		p.tokens[plain(token)] = true
	}
	for field := range strings.FieldsSeq(text) {
		if amount, ok := ungrouped(field); ok {
			p.tokens[plain(amount)] = true
		}
	}
}

// ungrouped returns an amount without the commas between its thousands.
func ungrouped(field string) (string, bool) {
	field = strings.TrimRight(strings.TrimLeft(field, "($€£¥"), ").,;:!?$€£¥")
	whole, part, fraction := strings.Cut(field, ".")
	groups := strings.Split(whole, ",")
	if len(groups) < 2 || len(groups[0]) > 3 || !digits(groups[0]) || fraction && !digits(part) {
		return "", false
	}
	for _, g := range groups[1:] {
		if len(g) != 3 || !digits(g) {
			return "", false
		}
	}
	return strings.ReplaceAll(field, ",", ""), true
}

func (p *Provenance) distrust(text string) {
	if strings.TrimSpace(text) != "" {
		p.untrusted = append(p.untrusted, text)
	}
}

// normal lower-cases text and makes each run of blanks one.
func normal(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(text)), " ")
}

// containsWords reports whether value appears in text, not inside a longer word
// or address.
func containsWords(text, value string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], value)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(value)
		if !joins(lastRune(text[:start])) && !continues(text[end:]) {
			return true
		}
		at = start + 1
	}
}

// joins reports whether a rune belongs to the word beside it.
func joins(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@_-/.:%+&=?#~\\", r)
}

// continues reports whether a word goes on in rest. A full stop or another mark at
// the end of a sentence ends it if nothing follows.
func continues(rest string) bool {
	rest = strings.TrimLeft(rest, ".:?")
	for _, r := range rest {
		return joins(r)
	}
	return false
}

func lastRune(s string) rune {
	last := ' '
	for _, r := range s[max(0, len(s)-4):] {
		last = r
	}
	return last
}

// tokensOf yields the words of a normalized text: what is between blanks,
// brackets, quotes and commas, without the punctuation at its ends. A full stop at
// the beginning stays: .env is another file than env.
func tokensOf(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, field := range strings.FieldsFunc(text, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(`,;"'()[]{}<>|`+"`“”‘’", r)
		}) {
			token := strings.TrimRight(strings.TrimLeft(field, ":!?*#"), ".:!?*#")
			if token != "" && !yield(token) {
				return
			}
		}
	}
}

// asked reports whether the user's last message contains one of the words or
// phrases given, or a word that begins so.
func (p *Provenance) asked(phrases []string) bool {
	for _, phrase := range phrases {
		if phrase = normal(phrase); phrase == "" {
			continue
		}
		for at := 0; ; at++ {
			i := strings.Index(p.request[at:], phrase)
			if i < 0 {
				break
			}
			if at += i; !joins(lastRune(p.request[:at])) {
				return true
			}
		}
	}
	return false
}

type allowedKey struct{}

// AllowTools returns a context on which the application itself allows tools for one
// request. Use it if the user confirmed the action, or if it is a step of a plan that
// was made before anything untrusted was read. The user need not have asked for the
// action then. The arguments must still be trusted.
func AllowTools(ctx context.Context, tools ...string) context.Context {
	before, _ := ctx.Value(allowedKey{}).([]string)
	return context.WithValue(ctx, allowedKey{}, slices.Concat(before, tools))
}
