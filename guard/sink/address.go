package sink

import (
	"slices"
	"strings"
)

// An address is a place to which a part of a word leads, or to which some reader would
// read it to lead.
type address struct {
	start, end int
	prefix     string // a scheme that readers add
	bare       bool   // it is its own target: a web address in running text
	inside     bool   // it is in parentheses after a bracket
	image      bool   // it may be fetched: a reference can be an image's
	ambiguous  bool   // where it leads depends on the reader
	exact      bool   // it ends here for every reader
}

func (a *address) text(word string) string { return a.prefix + word[a.start:a.end] }

// acting are schemes that have an effect without slashes.
var acting = []string{"http", "https", "ftp", "mailto", "xmpp", "javascript", "vbscript", "data", "tel", "sms", "ws", "wss"}

// addressesIn finds the addresses in a word, in order. definition says that the
// word is the target of a reference.
func addressesIn(word string, definition bool) []address {
	var all []address
	for at := 0; at < len(word); {
		a, ok := addressAt(word, at, definition && at == 0)
		if !ok {
			at++
			continue
		}
		all = append(all, a)
		at = max(a.end, at+1)
	}
	return all
}

// addressAt reports whether an address begins at a place.
func addressAt(word string, at int, definition bool) (address, bool) {
	a := address{start: at}
	before := byte(0)
	if at > 0 {
		before = word[at-1]
	}
	a.inside = before == '(' && at > 1 && word[at-2] == ']' || before == '<' && at > 2 && word[at-3:at-1] == "]("
	defines := at > 1 && word[at-2:at] == "]:"
	a.image = defines
	quoted := before == '"' || before == '\''
	target := definition || defines || a.inside || before == '<' || quoted || before == '='
	begins := at == 0 || !isAlnum(before)
	scheme := at
	for scheme < len(word) && (isAlnum(word[scheme]) || strings.IndexByte("+-.", word[scheme]) >= 0) {
		scheme++
	}
	rest := word[at:]
	switch {
	case begins && len(rest) > 4 && strings.EqualFold(rest[:4], "www."):
		// First, since www.example.org: may be one before a colon.
		a.prefix = "http://"
	case begins && scheme > at && scheme < len(word) && word[scheme] == ':' && !isDigit(word[at]):
		name, behind := strings.ToLower(word[at:scheme]), word[scheme+1:]
		if behind == "" && quoted && !definition && !slices.Contains(acting, name) && !endsInActing(name) {
			return a, false // it is an apostrophe, or the first word of a quotation, and then a colon
		}
		if behind == "" && !target || !target && !slashes(behind) && !slices.Contains(acting, name) && !endsInActing(name) {
			return a, false
		}
	case (target || begins && before != ':' && before != '/' && before != '\\') && slashes(rest) && (target || strings.Contains(rest[2:], ".")):
		// protocol-relative
	default:
		return a, false
	}
	named := definition || defines || a.inside || before == '<' // by markdown's grammar, it needs no guess where it ends
	a.end = addressEnd(word, at, !named)
	web := strings.ToLower(word[at:min(scheme, a.end)])
	a.bare = !target && (a.prefix != "" || (web == "http" || web == "https") && strings.HasPrefix(word[scheme:a.end], "://"))
	a.judgeEnd(word, before, named)
	return a, true
}

// judgeEnd says whether readers agree on where the address ends. An address that
// markdown's grammar names ends where its bracket does.
func (a *address) judgeEnd(word string, before byte, named bool) {
	a.exact = !goesOn(word[a.end:])
	if named {
		a.exact = a.end == len(word) || before == '<' && word[a.end] == '>' || before == '(' && word[a.end] == ')'
		a.ambiguous = !a.exact
	} else if a.end < len(word) {
		// If the address is only a host and text follows the bracket, some
		// reader may take that text for a part of the host.
		bare := strings.Trim(a.text(word), "/")
		after := a.end + 1
		a.ambiguous = strings.Count(bare, "/") <= 2 && after < len(word) && (isAlnum(word[after]) || strings.IndexByte(".-@:", word[after]) >= 0) && strings.IndexByte("\"'>", word[a.end]) < 0
	}
}

// slashes reports whether a browser reads the beginning of a text as that of a host.
func slashes(s string) bool {
	return len(s) >= 2 && strings.IndexByte(`/\`, s[0]) >= 0 && strings.IndexByte(`/\`, s[1]) >= 0
}

// endsInActing reports whether what follows the last dot or dash of a name is an
// acting scheme, as in x-javascript.
func endsInActing(name string) bool {
	i := strings.LastIndexAny(name, "+-.")
	return i >= 0 && slices.Contains(acting[:2], name[i+1:])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// goesOn reports whether a reader may take some of what follows an address for a part
// of it: a quote or bracket with text after it.
func goesOn(rest string) bool {
	rest = strings.TrimLeft(rest, punctuation+")]}'\"`")
	return rest != "" && (isAlnum(rest[0]) || strings.IndexByte("/&=%#", rest[0]) >= 0)
}

// punctuation ends a sentence, or emphasis, rather than an address.
const punctuation = ".,;:!?*_~"

// addressEnd returns where the address ends: at a bracket that was not opened in
// it, a quote, or, in running text, the punctuation that ends a sentence.
func addressEnd(word string, at int, running bool) int {
	end := len(word)
	depth := 0
scan:
	for i := at; i < len(word); i++ {
		switch word[i] {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth < 0 {
				end = i
				break scan
			}
		case '<', '>', '"', '\'', '`':
			end = i
			break scan
		}
	}
	for running && end > at+1 && strings.IndexByte(punctuation, word[end-1]) >= 0 {
		end--
	}
	return end
}
