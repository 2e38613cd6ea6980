package sink

import (
	"context"
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard"
)

// LinkOptions say where an answer's links and images may lead. The zero value
// allows no images, and links only while the model has read nothing untrusted.
//
// Two more are always allowed: an address that appears whole in the user's or the
// application's words, and a link to the source of a retrieved document.
type LinkOptions struct {
	// Hosts may be linked: "example.org", with a port if it isn't the
	// scheme's, or ".example.org" for every host below. Default: none, and an
	// empty list means the same.
	Hosts []string

	// ImageHosts may serve images. Default: none, since an image is fetched
	// without a click, so its address alone can carry a conversation away. An
	// empty list means the same.
	ImageHosts []string

	// Defang keeps a bare web address that isn't allowed readable instead of
	// removing it: the text is evil[.]test/login, and no reader makes a link of
	// it. Targets of links and images are removed all the same. Default: false.
	Defang bool

	// Strict allows no other links even if nothing untrusted was read. Default:
	// false.
	Strict bool
}

// The kinds of finding of [NewLinkCheck].
const (
	KindLink        = "LINK"  // an address that may not be linked
	KindImage       = "IMAGE" // an address that may not be fetched
	KindTag         = "TAG"   // raw HTML that could act
	KindBareAddress = "BARE"  // with Defang: an address in running text that may not be linked
)

// removed replaces an address: a fragment, which leads nowhere.
const removed = "#link-removed"

// NewLinkCheck returns a check for the output that removes every address in
// markdown or HTML that isn't allowed: inline, by reference, in angle brackets,
// in a tag, or bare where GitHub's markdown makes a link of it. It looks for
// addresses and not for the grammar around them, because two readers of markdown may
// disagree about a bracket. Addresses in code spans are removed too. It decides a
// stream word by word.
//
// The check's policy is [guard.PolicyRedact]; change the field to block. A host
// that can't be one, such as "https://example.org", is an error that wraps
// [ErrOption].
func NewLinkCheck(o *LinkOptions) (guard.Check, error) {
	l := &links{}
	if o != nil {
		l.o = *o
		l.o.Hosts, l.o.ImageHosts = slices.Clone(o.Hosts), slices.Clone(o.ImageHosts)
	}
	if err := validHosts("LinkOptions.Hosts", l.o.Hosts); err != nil {
		return guard.Check{}, err
	}
	if err := validHosts("LinkOptions.ImageHosts", l.o.ImageHosts); err != nil {
		return guard.Check{}, err
	}
	return guard.Check{
		Name: "links", Policy: guard.PolicyRedact,
		Scan: func(ctx context.Context) guard.Scanner {
			return &linkScanner{l: l, from: guard.ProvenanceFrom(ctx)}
		},
		Replace: func(f guard.Finding, address string) string {
			switch {
			case f.Kind == KindTag && address == "<":
				return "< " // no reader finds a tag here, and a formula or program means the same
			case f.Kind == KindTag:
				return ""
			case f.Kind == KindBareAddress:
				return defang(address)
			}
			return removed
		},
	}, nil
}

// CleanMarkdown returns text without the addresses that aren't allowed: it is
// [NewLinkCheck] for a whole text. ctx may carry the provenance of a request.
func CleanMarkdown(ctx context.Context, text string, o *LinkOptions) (string, error) {
	check, err := NewLinkCheck(o)
	if err != nil {
		return "", err
	}
	p, err := guard.NewPipeline(&guard.Options{Output: []guard.Check{check}, MaxBytes: -1})
	if err != nil {
		return "", err
	}
	out, _, err := p.Inspect(ctx, guard.StageOutput, text)
	return out, err
}

type links struct{ o LinkOptions }

// allowed reports whether an address may stay. An address that isn't exact may go on
// for some reader, so its appearance in trusted text proves nothing.
func (l *links) allowed(address string, image, exact bool, from *guard.Provenance) bool {
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c == '\\' || c == 0x7f || c == '<' || c == '>' {
			return false // readers differ in what they make of these
		}
	}
	if strings.HasPrefix(address, "//") {
		address = "https:" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme == "mailto" && !image {
		return !from.Tainted() && !l.o.Strict || from.Trusts(strings.TrimPrefix(strings.ToLower(address), "mailto:"))
	}
	if scheme != "http" && scheme != "https" || !plainHost(u.Host) {
		return false
	}
	hosts := l.o.Hosts
	if image {
		hosts = l.o.ImageHosts
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), map[string]string{"http": ":80", "https": ":443"}[scheme])
	if slices.ContainsFunc(hosts, func(h string) bool {
		h = strings.ToLower(h)
		return host == h || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
	}) {
		return true
	}
	if exact && (from.Trusts(address) || !image && from.Cites(address)) {
		return true
	}
	return !image && !l.o.Strict && !from.Tainted()
}

// defang writes an address so that people can read it and programs make no link of
// it. An address that could become another one that way is removed.
func defang(address string) string {
	if i := strings.Index(address, "://"); i >= 0 {
		address = address[i+len("://"):]
	}
	if strings.ContainsAny(address, `()[]\`) || strings.Contains(address, "//") {
		return removed
	}
	return strings.NewReplacer(".", "[.]", ":", "[:]", "@", "[@]").Replace(address)
}

// plainHost reports whether a host has no character that could be read in two
// ways.
func plainHost(host string) bool {
	for _, c := range host {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(".-:[]", c) {
			return false
		}
	}
	return host != ""
}

// maxWord is the longest word or tag that is looked at as one, in bytes.
const maxWord = 4096

// A linkScanner takes a text apart into words and tags.
type linkScanner struct {
	l    *links
	from *guard.Provenance
	buf  string
	base int    // offset of buf
	prev string // the end of the word before, for reference definitions
	open []bool // the brackets that are open, true for an image's
}

func (s *linkScanner) Write(piece string) ([]guard.Finding, int, error) {
	s.buf += piece
	return s.scan(false), s.base, nil
}

func (s *linkScanner) Close() ([]guard.Finding, error) { return s.scan(true), nil }

func (s *linkScanner) scan(final bool) []guard.Finding {
	var found []guard.Finding
	at := 0
	for at < len(s.buf) {
		rest := s.buf[at:]
		if isBlank(rest[0]) {
			at++
			continue
		}
		end, what, known := tagAt(rest, final)
		if !known {
			break
		}
		if what == bracketOpen || what == bracketTag && badTag(rest[:end]) {
			found = append(found, s.finding(KindTag, at, at+end))
		}
		if what != bracketText {
			at += end
			continue
		}
		start, end, known := wordAt(rest, final)
		if start > 0 {
			s.prev = "" // an address does not begin here
		}
		if !known {
			at += start
			break
		}
		found = append(found, s.word(rest[start:end], at+start, end-start == maxWord)...)
		s.prev = rest[max(start, end-2):end]
		at += end
	}
	s.buf, s.base = s.buf[at:], s.base+at
	return found
}

// A bracket is what a "<" is in its place.
type bracket uint8

const (
	bracketText bracket = iota // text, or it begins an address
	bracketTag                 // it begins a tag, which ends at a known place
	bracketOpen                // some reader may find a tag without an end, or one that is not well-formed: i<n; i++
)

// tagAt returns what text begins with, and where it ends. It waits for more text, at
// most for maxWord bytes, only at an element that acts or at a tag that is well-formed
// so far. So the sign of a comparison neither holds back nor removes what follows it.
func tagAt(text string, final bool) (end int, what bracket, known bool) {
	if text[0] != '<' {
		return 0, bracketText, true
	}
	name := 1
	for name < len(text) && (isAlnum(text[name]) || strings.IndexByte("+.-", text[name]) >= 0) {
		name++
	}
	if name == len(text) || len(text) == 1 {
		return 0, bracketText, final || name > maxWord
	}
	c := text[1]
	if !isLetter(c) && c != '/' && c != '!' && c != '?' || text[name] == ':' {
		return 0, bracketText, true // a < b, <3, or an address in angle brackets
	}
	if isLetter(c) {
		named := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r == '/' || r == '>' })
		if acts := named > 0 && slices.Contains(actingTags, strings.ToLower(text[1:named])); !acts {
			end, well := openTag(text)
			switch {
			case end > 0:
				return end, bracketTag, true
			case !well || final || len(text) >= maxWord:
				return 1, bracketOpen, true
			}
			return 0, bracketText, false
		}
	}
	if i := strings.IndexByte(text[:min(len(text), maxWord)], '>'); i >= 0 {
		return i + 1, bracketTag, true
	}
	if len(text) < maxWord && !final {
		return 0, bracketText, false
	}
	// Browsers close an open tag themselves.
	return min(len(text), maxWord), bracketTag, true
}

// isBlank reports whether a byte ends a word. Other control characters don't:
// readers differ in whether one may be a part of an address.
func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// openTag returns the end of the open tag that text begins with, 0 if it has none
// yet, and whether it is well-formed so far: a name, and attributes whose names have
// letters, digits and few marks.
func openTag(text string) (end int, well bool) {
	i := 1
	for i < len(text) && (isAlnum(text[i]) || text[i] == '-') {
		i++
	}
	for {
		if i == len(text) {
			return 0, true
		}
		switch c := text[i]; {
		case c == '>':
			return i + 1, true
		case c <= ' ' || c == '/':
			i++
			continue
		case !isLetter(c) && c != '_' && c != ':' && c != '@' || isAlnum(text[i-1]) || text[i-1] == '-':
			return 0, false
		}
		for i < len(text) && (isAlnum(text[i]) || strings.IndexByte("_.:@-", text[i]) >= 0) {
			i++
		}
		value := i + len(text[i:]) - len(strings.TrimLeft(text[i:], " \t\r\n\f"))
		if value == len(text) {
			return 0, true
		}
		if text[value] != '=' {
			continue
		}
		value++
		value += len(text[value:]) - len(strings.TrimLeft(text[value:], " \t\r\n\f"))
		if value == len(text) {
			return 0, true
		}
		if q := text[value]; q == '"' || q == '\'' {
			closing := strings.IndexByte(text[value+1:], q)
			if closing < 0 {
				return 0, true
			}
			i = value + 1 + closing + 1
			continue
		}
		for i = value; i < len(text) && text[i] > ' ' && text[i] != '>'; i++ {
		}
	}
}

// wordAt returns the word that text begins with: up to a blank or a tag. Letters of
// other scripts before the first punctuation are not a part of it. After it they end
// the word, unless an address may have begun. Otherwise a text in a script without
// blanks would wait for the end of its paragraph.
func wordAt(text string, final bool) (start, end int, known bool) {
	punctuated, address := false, false
	for i := 0; i < len(text) && i-start < maxWord; i++ {
		c := text[i]
		switch {
		case isBlank(c):
			return start, i, true
		case c == '<' && i > 0:
			if i+1 < len(text) && !isAlnum(text[i+1]) && strings.IndexByte("/!?", text[i+1]) < 0 {
				continue
			}
			return start, i, i+1 < len(text) || final
		case c >= 0x80 && !punctuated:
			start = i + 1
		case c >= 0x80 && !address:
			return start, i + 1, true
		case c < 0x80 && !isAlnum(c):
			punctuated = true
			address = address || mayBeginAddress(text[start:i+1])
		}
	}
	if len(text)-start >= maxWord {
		return start, start + maxWord, true
	}
	return start, len(text), final
}

// mayBeginAddress reports whether the mark at the end of a word may belong to an
// address, or to an escape that stands for such a mark.
func mayBeginAddress(word string) bool {
	before := byte(0)
	if len(word) > 1 {
		before = word[len(word)-2]
	}
	switch word[len(word)-1] {
	case '\\', '&', '/':
		return true
	case ':':
		return isAlnum(before) || before == '+' || before == '-' || before == '.'
	case '.':
		return before|0x20 == 'w'
	}
	return false
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// actingTags are elements that fetch, run, move or ask for something without
// any attribute, or that change how the rest is read.
var actingTags = []string{"script", "style", "iframe", "object", "embed", "link", "meta", "base", "form", "input", "button", "textarea", "select",
	"svg", "math", "img", "image", "video", "audio", "source", "picture", "template", "noscript", "xmp", "plaintext", "title", "frame", "frameset", "applet", "portal"}

// badTag reports whether raw HTML may do more than format: it has attributes, or
// is an element that acts.
func badTag(tag string) bool {
	inside := strings.TrimPrefix(strings.Trim(tag, "<>"), "/")
	name := inside
	for i := range len(inside) {
		if !isAlnum(inside[i]) && inside[i] != '-' {
			name = inside[:i]
			break
		}
	}
	attributes := strings.Trim(inside[len(name):], " \t\r\n/")
	return attributes != "" || name == "" || slices.Contains(actingTags, strings.ToLower(name)) || !strings.HasSuffix(tag, ">")
}

func (s *linkScanner) finding(kind string, start, end int) guard.Finding {
	f := guard.Finding{Kind: kind, Start: s.base + start, End: s.base + end, Score: 1, Threats: []string{"LLM05:2025", "AML.T0077"}}
	switch kind {
	case KindTag:
		f.Reason = "HTML that may act"
	case KindImage:
		f.Reason = "an image from a host that isn't allowed"
	default:
		f.Reason = "a link to a host that isn't allowed"
	}
	return f
}

// word finds the addresses in a word. The end of an address is unknown if it reaches to
// the end of a word that was cut there.
func (s *linkScanner) word(word string, at int, cut bool) []guard.Finding {
	definition := s.prev == "]:"
	plain := unescape(word)
	if plain != word {
		// After markdown's escapes are undone the offsets are others, so the
		// whole word is removed if a part of it must be.
		for _, a := range addressesIn(plain, definition) {
			if a.ambiguous || cut || !s.l.allowed(a.text(plain), a.image || definition, a.exact, s.from) {
				return []guard.Finding{s.finding(KindLink, at, at+len(word))}
			}
		}
	}
	var found []guard.Finding
	last := 0
	for _, a := range addressesIn(word, definition) {
		s.brackets(word[last:a.start])
		last = a.start
		image := a.image || definition || a.inside && s.image()
		a.ambiguous = a.ambiguous || cut && strings.Trim(word[a.end:], punctuation) == ""
		if a.ambiguous || !s.l.allowed(a.text(word), image, a.exact, s.from) {
			kind := KindLink
			switch {
			case image:
				kind = KindImage
			case s.l.o.Defang && a.bare && !a.ambiguous:
				kind = KindBareAddress
			}
			found = append(found, s.finding(kind, at+a.start, at+a.end))
		}
	}
	s.brackets(word[last:])
	return found
}

// brackets follows the brackets, since an image's address has a "!" before its
// bracket and a link's has none.
func (s *linkScanner) brackets(text string) {
	for i := range len(text) {
		switch text[i] {
		case '[':
			s.open = append(s.open, i > 0 && text[i-1] == '!')
			if len(s.open) > 64 {
				s.open = s.open[1:]
			}
		case ']':
			if n := len(s.open); n > 0 && (i+1 == len(text) || text[i+1] != '(') {
				s.open = s.open[:n-1]
			}
		case ')':
			if n := len(s.open); n > 0 {
				s.open = s.open[:n-1]
			}
		}
	}
}

// image reports whether any bracket that is open is an image's. Where brackets nest,
// the address may be fetched if one of them is.
func (s *linkScanner) image() bool { return slices.Contains(s.open, true) }

// unescape undoes the escapes of markdown and HTML.
func unescape(word string) string {
	if !strings.ContainsAny(word, `\&`) {
		return word
	}
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+1 < len(word) && word[i+1] > ' ' && word[i+1] < 0x7f && !isAlnum(word[i+1]) && word[i+1] != '\\' {
			continue
		}
		b.WriteByte(word[i])
	}
	return html.UnescapeString(b.String())
}
