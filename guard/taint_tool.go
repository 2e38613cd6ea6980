package guard

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/llms"
)

// A Tool describes a tool to the guard.
//
// The wording of a call doesn't show whether the user wanted it or a document
// did. But a call has two traces of its origin: a request for such an action, and
// the values in its arguments. After the model has read untrusted text, a call of a
// tool that is not ReadOnly passes only under two conditions. The user asked for
// that action in their last message (or the application allowed it, see
// [AllowTools]), and each value that steers the action appears in trusted text.
// Values are strings, numbers and keys; true, false and null carry too little to
// have an origin. A trusted value may appear in another argument than the user
// meant it for. If such a mistake would be too expensive, use [Options].Approve or
// a tool with fewer arguments.
//
// In each of its lists nil and an empty list both mean none.
type Tool struct {
	// Name is the function's name. It is required.
	Name string

	// ReadOnly declares that the tool changes nothing and sends nothing anywhere
	// that an attacker could see: looking up an order is read-only, fetching a
	// URL is not. Such a tool may be called whatever the model has read. A tool
	// that only gives an answer its form, as guard/structured's does, is
	// read-only too. Default: false.
	ReadOnly bool

	// IntentPhrases are the words and phrases by which a user asks for the action:
	// "send", "money back". A word that begins with one of them counts. Default:
	// none, so that only [AllowTools] and a forced ToolChoice allow the tool
	// after untrusted text.
	IntentPhrases []string

	// UntrustedArguments are the arguments that may contain untrusted text, such
	// as the body of a mail. Web and mail addresses in them must still be
	// trusted. Default: none.
	UntrustedArguments []string

	// TrustedFields are the fields of the tool's results whose values only the
	// application can have written, such as the number of an order or the address of a
	// colleague. A customer's note or a page's text is not such a field. These
	// values count as the application's words, and the rest of the result stays
	// untrusted. A result is read as a JSON object or a list of objects, and only
	// the fields of these objects count, not those deeper inside. (Information-flow
	// control calls this endorsement: it raises the integrity of a value.)
	// Default: none.
	TrustedFields []string
}

// The kinds of finding about tool calls.
const (
	KindToolUnlisted  = "tool_unlisted"  // not in Options.Tools
	KindToolUnasked   = "tool_unasked"   // the user didn't ask for such an action
	KindToolTainted   = "tool_tainted"   // an argument doesn't come from trusted text
	KindToolMalformed = "tool_malformed" // the arguments aren't a JSON object
)

// threatsOf names what each kind defends against: excessive agency, and
// indirect prompt injection that acts through a tool.
func threatsOf(kind string) []string {
	if kind == KindToolUnlisted || kind == KindToolMalformed {
		return []string{"LLM06:2025"}
	}
	return []string{"LLM01:2025", "LLM06:2025", "AML.T0051.001", "AML.T0053"}
}

func validTools(tools []Tool) error {
	seen := map[string]bool{}
	for i, t := range tools {
		switch {
		case t.Name == "":
			return fmt.Errorf("%w: Options.Tools[%d].Name is empty: want a name", ErrOption, i)
		case seen[t.Name]:
			return fmt.Errorf("%w: Options.Tools[%d].Name is %q again: want each tool once", ErrOption, i, t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

// toolFindings returns why a call of the model may not pass, nothing if it may.
func toolFindings(tools []Tool, p *Provenance, o *llms.CallOptions, call *llms.FunctionCall) []Finding {
	find := func(kind, reason string, start, end int) []Finding {
		return []Finding{{Kind: kind, Start: start, End: end, Score: 1, Reason: reason, Threats: threatsOf(kind)}}
	}
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == call.Name })
	if i < 0 {
		return find(KindToolUnlisted, "the tool isn't on the list of those allowed", 0, len(call.Arguments))
	}
	t := &tools[i]
	if t.ReadOnly || !p.Tainted() {
		return nil
	}
	leaves, err := leavesOf(call.Arguments)
	if err != nil {
		return find(KindToolMalformed, "the arguments are not a JSON object, so their origin is unknown", 0, len(call.Arguments))
	}
	if !p.asked(t.IntentPhrases) && !slices.Contains(p.allowed, t.Name) && !forced(o, t.Name) {
		return find(KindToolUnasked, "the user didn't ask for this action, and the model has read untrusted text", 0, len(call.Arguments))
	}
	for _, l := range leaves {
		if l.name && identifier(l.value) || slices.Contains(enumOf(o, t.Name, l.top), l.value) {
			continue // the application's own word
		}
		trusted := p.Trusts(l.value)
		if !trusted && !l.key && slices.Contains(t.UntrustedArguments, l.top) {
			trusted = !slices.ContainsFunc(addresses(l.value), func(a string) bool { return !p.Trusts(a) })
		}
		if !trusted {
			return find(KindToolTainted, "an argument isn't from the user's or the application's words", l.start, l.end)
		}
	}
	return nil
}

// identifier reports whether a key can be the name of an argument. Some objects take
// any key; there a key that is an address or a number is a value.
func identifier(key string) bool {
	for i, r := range key {
		if !unicode.IsLetter(r) && r != '_' && r != '$' && (i == 0 || !unicode.IsDigit(r) && r != '-') {
			return false
		}
	}
	return key != ""
}

// endorse trusts the trusted fields of a tool's result.
func (p *Provenance) endorse(tools []Tool, name, result string) {
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == name })
	if i < 0 || len(tools[i].TrustedFields) == 0 {
		return
	}
	objects := []json.RawMessage{json.RawMessage(result)}
	if strings.HasPrefix(strings.TrimSpace(result), "[") {
		objects = nil
		if json.Unmarshal([]byte(result), &objects) != nil {
			return
		}
	}
	for _, o := range objects {
		leaves, err := leavesOf(string(o))
		if err != nil {
			continue
		}
		for _, l := range leaves {
			if l.depth == 1 && !l.key && slices.Contains(tools[i].TrustedFields, l.top) {
				p.trust(l.value)
			}
		}
	}
}

// forced reports whether the application chose the tool for this call.
func forced(o *llms.CallOptions, name string) bool {
	switch c := o.ToolChoice.(type) {
	case llms.ToolChoice:
		return c.Function != nil && c.Function.Name == name
	case *llms.ToolChoice:
		return c != nil && c.Function != nil && c.Function.Name == name
	}
	return false
}

// enumOf returns the values that the call's own definition of the tool lists
// for an argument.
func enumOf(o *llms.CallOptions, tool, argument string) []string {
	for _, t := range o.Tools {
		if t.Function == nil || t.Function.Name != tool {
			continue
		}
		parameters, _ := t.Function.Parameters.(map[string]any)
		properties, _ := parameters["properties"].(map[string]any)
		property, _ := properties[argument].(map[string]any)
		var values []string
		switch list := property["enum"].(type) {
		case []string:
			values = list
		case []any:
			for _, v := range list {
				if s, ok := v.(string); ok {
					values = append(values, s)
				}
			}
		}
		return values
	}
	return nil
}

// addresses returns the web and mail addresses in text, in any case, and what
// looks enough like a host to become a link, also to a reader of HTML.
func addresses(text string) []string {
	var all []string
	for token := range tokensOf(normal(dots.Replace(html.UnescapeString(text)))) {
		if strings.Contains(token, ":/") || strings.Contains(token, "@") || hasSlashes(token) || hostLike(token) {
			all = append(all, token)
		}
	}
	return all
}

// dots are the characters that browsers read as the dot of a host (UTS #46).
var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

// hasSlashes reports whether there are two slashes side by side, of either kind. A
// browser reads what follows them as a host.
func hasSlashes(token string) bool {
	for _, pair := range []string{"//", `/\`, `\/`, `\\`} {
		if strings.Contains(token, pair) {
			return true
		}
	}
	return false
}

// hostLike reports whether a token begins with something.tld.
func hostLike(token string) bool {
	host, _, _ := strings.Cut(token, "/")
	i := strings.LastIndexByte(host, '.')
	if i <= 0 {
		return false
	}
	top := host[i+1:]
	if port := strings.IndexByte(top, ':'); port >= 0 {
		top = top[:port]
	}
	for _, r := range top {
		if r >= '0' && r <= '9' && !strings.HasPrefix(top, "xn--") {
			return strings.Count(host, ".") == 3 // an IPv4 address; 3.14 is a number
		}
	}
	return len(top) >= 2
}
