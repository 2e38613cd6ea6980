package model

import (
	"strings"
	"unicode/utf8"
)

// looksLikeMarkup reports whether a text has a closing tag or a comment of HTML.
func looksLikeMarkup(text string) bool {
	return strings.Contains(text, "</") || strings.Contains(text, "<!--") || strings.Contains(text, "/>")
}

// markup reads HTML or XML as far as elements need it: what is text, what is hidden,
// and the attributes that a reader may take for text.
type markup struct {
	text   string
	all    []Element
	hidden string // the name of the open tag that hides what is inside
	depth  int    // how many tags of this name are open
}

func (m *markup) run() {
	s := m.text
	from := 0
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '<')
		if next < 0 {
			break
		}
		i += next
		end, kind := tagEnd(s, i)
		if kind == notATag {
			i++
			continue
		}
		m.content(from, i)
		switch kind {
		case commentTag:
			inner := strings.TrimSuffix(s[i+len("<!--"):end], "-->")
			m.all = appendLines(m.all, s, i+len("<!--"), i+len("<!--")+len(inner), ElementComment)
		case openTag:
			m.tag(i, end)
		}
		i, from = end, end
	}
	m.content(from, len(s))
}

func (m *markup) content(from, to int) {
	kind := ElementKind(0)
	if m.hidden != "" {
		kind = ElementHidden
	}
	m.all = appendLines(m.all, m.text, from, to, kind)
}

const (
	notATag = iota
	openTag
	commentTag
)

// tagEnd returns where the tag or comment that begins at i ends.
func tagEnd(s string, i int) (end, kind int) {
	if strings.HasPrefix(s[i:], "<!--") {
		if n := strings.Index(s[i:], "-->"); n >= 0 {
			return i + n + len("-->"), commentTag
		}
		return len(s), commentTag
	}
	if i+1 >= len(s) || s[i+1] != '/' && s[i+1] != '!' && (s[i+1]|0x20 < 'a' || s[i+1]|0x20 > 'z') {
		return 0, notATag
	}
	quote := byte(0)
	for n := i + 1; n < len(s) && n < i+4096; n++ {
		switch b := s[n]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '>':
			return n + 1, openTag
		case b == '<':
			return 0, notATag
		}
	}
	return 0, notATag
}

// tag reads a tag: its attributes, and whether it begins or ends what is hidden.
func (m *markup) tag(from, to int) {
	inner := strings.TrimSuffix(m.text[from+1:to], ">")
	closing := strings.HasPrefix(inner, "/")
	name := strings.ToLower(strings.TrimLeft(inner, "/!"))
	if n := strings.IndexAny(name, " \t\n/"); n >= 0 {
		name = name[:n]
	}
	if m.hidden != "" && name == m.hidden {
		if closing {
			m.depth--
		} else if !strings.HasSuffix(inner, "/") {
			m.depth++
		}
		if m.depth == 0 {
			m.hidden = ""
		}
		return
	}
	if closing {
		return
	}
	m.attributes(from+1, to-1)
	if m.hidden == "" && !strings.HasSuffix(inner, "/") && hides(name, strings.ToLower(inner)) {
		m.hidden, m.depth = name, 1
	}
}

// readable lists the attributes whose values are sentences.
var readable = map[string]bool{"alt": true, "title": true, "content": true, "aria-label": true, "placeholder": true, "value": true, "summary": true, "label": true}

func (m *markup) attributes(from, to int) {
	s := m.text
	for i := from; i < to; i++ {
		if s[i] != '=' || i+1 >= to || s[i+1] != '"' && s[i+1] != '\'' {
			continue
		}
		n := strings.IndexByte(s[i+2:to], s[i+1])
		if n < 0 {
			return
		}
		start := i
		for start > from && s[start-1] > ' ' && s[start-1] != '"' && s[start-1] < utf8.RuneSelf {
			start--
		}
		name := strings.ToLower(s[start:i])
		if value := s[i+2 : i+2+n]; strings.ContainsRune(strings.TrimSpace(value), ' ') && (readable[name] || strings.HasPrefix(name, "data-")) {
			m.all = appendLines(m.all, s, i+2, i+2+n, ElementAttribute)
		}
		i += 2 + n
	}
}

// hides reports whether a tag hides what is inside from the eye of a reader.
func hides(name, tag string) bool {
	switch name {
	case "template", "noscript", "title", "script", "style", "meta", "head":
		return name == "template" || name == "noscript"
	case "img", "br", "hr", "input", "link":
		return false
	}
	if !strings.ContainsAny(tag, "= ") {
		return false
	}
	tight := strings.NewReplacer(" ", "", "\t", "", "\n", "").Replace(tag)
	for _, sign := range []string{"display:none", "visibility:hidden", "font-size:0", "font-size:1px", "opacity:0;", "opacity:0\"", "color:#fff", "color:white", "left:-9999", "height:0", "aria-hidden=\"true\""} {
		if i := strings.Index(tight, sign); i >= 0 && !(strings.HasPrefix(sign, "color") && strings.HasSuffix(tight[:i], "background-")) {
			return true
		}
	}
	return strings.HasSuffix(tag, " hidden") || strings.Contains(tag, " hidden ")
}
