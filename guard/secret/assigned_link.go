package secret

import (
	"slices"
	"strings"
)

// A link is the way in which a text gives a value to the name before it.
type link struct {
	kind    linkKind
	quote   byte // around the value; 0: none
	escaped bool // the quote has a backslash before it, as in JSON inside a string
	tight   bool // nothing separates the operator and the value: NAME=value
	weak    bool // the name alone proves little: HEROKU_KEY
}

type linkKind uint8

const (
	linkNone     linkKind = iota
	linkAssigned          // name = value, name: value, <name>value
	linkCall              // set("name", "value"), setName("value")
	linkOption            // --name value, -u name:value, ENV NAME value
	linkSaid              // the name is value
	linkPair              // name="name" value="value"
	linkUser              // -u value:
)

// wideColon is the colon of Chinese and Japanese text.
const wideColon = "："

// operators are between a name and a value. If one ends with another, the longer one is
// first.
var operators = []string{":::=", "::=", "===", "??=", "||=", ":=", "?=", ".=", "+=", "==", "=>", "->", "||", "??", "=", ":", ">"}

// sayWords are between a name and a value in a sentence.
var sayWords = []string{"is", "was", "be", "to", "ist", "lautet", "est", "es"}

// linkOf returns how the text before a value gives the value to a secret's name.
func linkOf(before string) link {
	var l link
	s := before
	if q := s[len(s)-1]; q == '"' || q == '\'' || q == '`' {
		l.quote = q
		s = s[:len(s)-1]
		if strings.HasSuffix(s, `\`) {
			l.escaped = true
			s = s[:len(s)-1]
		}
		if n := len(s); n > 1 && strings.IndexByte("rbfuRBFUL@$", s[n-1]) >= 0 && strings.IndexByte(" \t=:(,[", s[n-2]) >= 0 {
			s = s[:n-1] // Python's b"", C#'s @"", C's L""
		}
	}
	t := strings.TrimRight(s, " \t\r\n")
	if t == "" {
		return link{}
	}
	l.tight = len(t) == len(s)
	lines := strings.Count(s[len(t):], "\n")
	if lines > 1 || lines == 1 && l.quote == 0 && !opensBlock(t) {
		return link{}
	}
	l.kind, l.weak = tie(t, l)
	if lines == 1 && l.kind == linkOption {
		return link{}
	}
	return l
}

// opensBlock reports whether the value may be on the line after t, as the text of an XML
// element or as a block of YAML.
func opensBlock(t string) bool {
	return strings.IndexByte(">|", t[len(t)-1]) >= 0 || strings.HasSuffix(t, ">-") || strings.HasSuffix(t, "|-")
}

// tie returns how t gives a value to a name. t ends right before the value and its quote.
func tie(t string, l link) (kind linkKind, weak bool) {
	if isUser(t) {
		return linkOption, false
	}
	if (!l.tight || l.quote != 0) && (endsInWord(t, "-u") || endsInWord(t, "--user")) {
		return linkUser, false
	}
	if head := strings.TrimRight(t, "-+"); len(head) > 0 && len(t)-len(head) < 2 && (head[len(head)-1] == '|' || head[len(head)-1] == '>') {
		if key := strings.TrimRight(head[:len(head)-1], " "); strings.HasSuffix(key, ":") {
			t = key // a block of YAML
		}
	}
	switch last := t[len(t)-1]; {
	case last == ',' && l.quote != 0:
		if namedArgument(t[:len(t)-1]) {
			return linkCall, false
		}
	case last == '(' && l.quote != 0:
		return called(t[:len(t)-1], l)
	case strings.HasSuffix(t, wideColon):
		n, _, _ := nameBefore(strings.TrimSuffix(t, wideColon))
		return assigned(n)
	case strings.IndexByte("=:>|?", last) >= 0:
		for _, op := range operators {
			if strings.HasSuffix(t, op) {
				return operand(t[:len(t)-len(op)], op)
			}
		}
	case !l.tight:
		return word(t, l)
	}
	return linkNone, false
}

func assigned(n nameStrength) (linkKind, bool) {
	if n == nameOther {
		return linkNone, false
	}
	return linkAssigned, n == nameWeak
}

// operand returns how v gives a value to a name. v ends right before the operator, the
// value follows it.
func operand(v, op string) (linkKind, bool) {
	v = strings.TrimRight(v, " \t")
	w := strings.TrimRight(v, " \"'`]\\") // the end of a quoted name or of an index
	n, name, rest := nameBefore(w)
	if n != nameOther && op == ":" && strings.HasSuffix(rest, ":") {
		return linkNone, false // a part of a resource's name: arn:aws:…:secret:name
	}
	if n != nameOther {
		return assigned(n)
	}
	switch lower := strings.ToLower(name); {
	case slices.Contains(sayWords, lower):
		return said(rest)
	case slices.Contains(valueWords, lower) && namedBefore(rest):
		return linkPair, false
	case op == ">":
		if element(v) {
			return linkAssigned, false
		}
	case strings.HasSuffix(op, "="):
		if typed, ok := cutType(v); ok {
			n, _, _ := nameBefore(typed)
			return assigned(n)
		}
	case op == "||" || op == "??":
		inner := strings.TrimRight(v, " \"'`])")
		n, _, _ := nameBefore(inner)
		return assigned(n)
	}
	return linkNone, false
}

// typeWords are the words of which declarations make the types of texts.
var typeWords = []string{"string", "str", "char", "text", "varchar", "nvarchar", "byte", "bytes", "any", "object", "auto", "const", "final", "static", "optional", "option", "none", "null", "nil", "undefined", "as", "secretstr", "nsstring", "charsequence", "std", "u8", "readonly", "annotated", "literal", "box", "cow", "maybe"}

// cutType removes the type from a declaration such as "token string", "token:
// Optional[str]", "token VARCHAR2(30)" or "token[]".
func cutType(v string) (rest string, ok bool) {
	for range 5 {
		t := strings.TrimRight(v, " \t[]()<>?*&|,:'0123456789")
		from := len(t)
		for from > 0 && alpha[t[from-1]] {
			from--
		}
		if !slices.Contains(typeWords, strings.ToLower(t[from:])) {
			if strings.HasSuffix(v, "]") && len(t) < len(v)-1 && strings.Trim(v[len(t):], "[]0123456789") == "" {
				ok = true // char token[64]
			}
			return t, ok
		}
		v, ok = t[:from], true
	}
	return v, false
}

var (
	valueWords = []string{"value", "val", "content", "default"}
	keysOfPair = []string{"name", "key", "id", "variable", "property", "header"}
)

// namedBefore reports whether a pair names a secret: <add key="ApiToken" value=…,
// {"name": "API_TOKEN", "value": ….
func namedBefore(rest string) bool {
	r := strings.TrimRight(rest, " \t\r\n,\"'`{-\\")
	name, before := cutName(r)
	if nameOf(name) != nameStrong {
		return false
	}
	key, _ := cutName(strings.TrimRight(before, "\"'`\\ \t:="))
	return slices.Contains(keysOfPair, strings.ToLower(key))
}

// element reports whether v ends with the start tag of an element whose value is a
// secret: <apiToken, <password encrypted="false", <key>apiToken</key><string.
func element(v string) bool {
	open := strings.LastIndexByte(v, '<')
	if open < 0 {
		return false
	}
	tag := v[open+1:]
	tag = tag[:nameBytes.Run(tag, 0, maxName)]
	if nameOf(tag) == nameStrong {
		return true
	}
	if tag != "string" && !slices.Contains(valueWords, tag) {
		return false
	}
	before := strings.TrimRight(v[:open], " \t\r\n")
	end := strings.LastIndex(before, "</")
	if end < 0 || !strings.HasSuffix(before, ">") {
		return false
	}
	name, _ := cutName(before[:end])
	return nameOf(name) == nameStrong
}

// namedArgument reports whether the argument before a value names a secret:
// setenv("API_TOKEN", …), set(API_TOKEN, …), set :api_token, ….
func namedArgument(s string) bool {
	v := strings.TrimRight(s, " \t\r\n")
	w := strings.TrimRight(v, "\"'`\\")
	name, rest := cutName(w)
	if nameOf(name) != nameStrong {
		return false
	}
	if len(w) == len(v) {
		return strings.HasSuffix(rest, ":") || strings.HasSuffix(rest, "(") && name == strings.ToUpper(name)
	}
	before := strings.TrimRight(rest, "\"'`\\")
	if len(before) == len(rest) {
		return false // the name is the end of a longer text
	}
	before = strings.TrimRight(before, " \t\r\n")
	return strings.HasSuffix(before, "(") || strings.HasSuffix(before, ",") && strings.Contains(before, "(")
}

// called returns how a function gives its first argument to a name: setPassword("…"),
// Password("…"), token = []byte("…").
func called(s string, l link) (linkKind, bool) {
	name, rest := cutName(s)
	name = name[strings.LastIndexByte(name, '.')+1:]
	if slices.Contains(typeWords, strings.ToLower(name)) {
		t := strings.TrimRight(rest, "[] \t")
		if t == "" || t[len(t)-1] == '(' || t[len(t)-1] == ',' {
			return linkNone, false
		}
		return tie(t, l)
	}
	words := wordsOf(name)
	if len(words) == 0 || nameOf(name) != nameStrong {
		return linkNone, false
	}
	if slices.Contains([]string{"set", "with", "add", "use", "new"}, words[0]) || slices.Contains(names, strings.Join(words, "")) {
		return linkCall, false
	}
	return linkNone, false
}

// word returns how a word and a blank give the value after them to a name. The text is an
// option, an instruction of a Dockerfile or of a shell, SQL, .netrc or a sentence.
func word(t string, l link) (linkKind, bool) {
	if isOption(t) {
		return linkOption, false
	}
	last, rest := cutName(t)
	before := strings.TrimRight(rest, " \t")
	previous, _ := cutName(before)
	strong := nameOf(last) == nameStrong
	switch lower := strings.ToLower(last); {
	case slices.Contains(sayWords, lower):
		return said(rest)
	case l.quote != 0 && (strong || lower == "by" && strings.EqualFold(previous, "identified")):
		return linkCall, false
	case l.quote != 0 && lower == "or":
		return operand(strings.TrimRight(rest, " \t\"'`)"), "||")
	case strong && slices.Contains([]string{"ENV", "ARG", "setenv", "set", "SET", "-x", "-gx", "-Ux"}, previous):
		return linkOption, false
	}
	return linkNone, false
}

// said reports whether a sentence names a secret shortly before its verb, as in "the
// password for the stage is". rest ends before the verb.
func said(rest string) (linkKind, bool) {
	for range 6 {
		rest = strings.TrimRight(rest, " \t")
		if rest == "" || strings.IndexByte(".!?;\n\r", rest[len(rest)-1]) >= 0 {
			break
		}
		n, name, before := nameBefore(rest)
		if n == nameStrong {
			return linkSaid, false
		}
		if name == "" {
			break
		}
		rest = before
	}
	return linkNone, false
}

// isUser reports whether t ends with an option for a user and a password, the user and a
// colon: -u name:, --user=name:, -u :.
func isUser(t string) bool {
	user, ok := strings.CutSuffix(t, ":")
	if !ok {
		return false
	}
	user = strings.TrimRight(user, "\"'")
	from := len(user)
	for from > 0 && (nameBytes[user[from-1]] || strings.IndexByte("@{}+", user[from-1]) >= 0) {
		from--
	}
	option := strings.TrimRight(strings.TrimRight(user[:from], "\"'"), " =\t")
	if len(option) == len(t)-1 {
		return false
	}
	return endsInWord(option, "-u") || endsInWord(option, "--user") || endsInWord(option, "--proxy-user")
}

func endsInWord(s, word string) bool {
	return strings.HasSuffix(s, word) && (len(s) == len(word) || s[len(s)-len(word)-1] <= ' ')
}

// isOption reports whether t ends with an option of a command that takes a secret:
// --password, -token, sshpass -p.
func isOption(t string) bool {
	name, rest := cutName(t)
	line := t[strings.LastIndexByte(t, '\n')+1:]
	switch {
	case rest != "" && rest[len(rest)-1] > ' ':
		return false
	case name == "-p":
		return strings.Contains(line, "sshpass ") || strings.Contains(line, "docker login ")
	case name == "-a":
		return strings.Contains(line, "redis-cli ")
	case name == "password": // of .netrc: machine HOST login NAME password VALUE
		words := strings.Fields(line)
		return len(words) > 2 && words[len(words)-3] == "login"
	}
	return strings.HasPrefix(name, "-") && nameOf(strings.TrimLeft(name, "-")) == nameStrong
}
