package flood

import "strings"

// maxNames bounds the definitions that are looked at.
const maxNames = 10_000

// expanded returns how many bytes a text's XML entities or YAML aliases become when
// they are replaced by what they define. It only computes the size. A definition that
// leads to itself counts as endless.
func expanded(text string) int {
	return max(grow(entities(text), '&', ';'), grow(anchors(text), '*', 0))
}

// A definition is a name and the text that replaces it.
type definition struct{ name, value string }

// entities returns the internal entities of a document type definition.
func entities(text string) []definition {
	var all []definition
	for len(all) < maxNames {
		_, rest, ok := strings.Cut(text, "<!ENTITY")
		if !ok {
			break
		}
		text = rest
		head, value, ok := strings.Cut(rest[:min(len(rest), 1<<16)], `"`)
		quote := `"`
		if h, v, found := strings.Cut(rest[:min(len(rest), 1<<16)], "'"); found && (!ok || len(h) < len(head)) {
			head, value, ok, quote = h, v, true, "'"
		}
		name := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(head), "%"))
		if !ok || strings.ContainsAny(name, "<> \t\n") {
			continue
		}
		if value, _, ok = strings.Cut(value, quote); ok {
			all = append(all, definition{name, value})
		}
	}
	return all
}

// anchors returns the anchors of a YAML text, each with the rest of its line and
// the lines indented below it.
func anchors(text string) []definition {
	if !strings.Contains(text, "*") || !strings.Contains(text, "&") {
		return nil
	}
	var all []definition
	for line := range strings.Lines(text) {
		before, rest, ok := strings.Cut(line, "&")
		if !ok || len(all) >= maxNames {
			if n := len(all); n > 0 && strings.HasPrefix(line, " ") {
				all[n-1].value += line
			}
			continue
		}
		if b := strings.TrimSpace(before); b != "" && !strings.HasSuffix(b, ":") && !strings.HasSuffix(b, "-") {
			continue
		}
		name := rest[:nameEnd(rest)]
		if name != "" {
			all = append(all, definition{name, rest[len(name):]})
		}
	}
	return all
}

func nameEnd(s string) int {
	for i := range len(s) {
		if c := s[i]; c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return i
		}
	}
	return len(s)
}

// endless is more than any limit.
const endless = 1 << 40

// grow returns the largest size of a definition with every name in it replaced.
func grow(all []definition, mark byte, end byte) int {
	if len(all) == 0 {
		return 0
	}
	values := make(map[string]string, len(all))
	for _, d := range all {
		if _, ok := values[d.name]; !ok {
			values[d.name] = d.value
		}
	}
	sizes := make(map[string]int, len(values)) // -1: being worked out
	var size func(name string, depth int) int
	size = func(name string, depth int) int {
		value, ok := values[name]
		if !ok {
			return 0
		}
		if n, ok := sizes[name]; ok {
			if n < 0 {
				return endless
			}
			return n
		}
		if depth > 1000 {
			return endless
		}
		sizes[name] = -1
		n := len(value)
		for i := 0; i < len(value) && n < endless; i++ {
			if value[i] != mark {
				continue
			}
			inner := value[i+1:]
			inner = inner[:nameEnd(inner)]
			if inner != "" && (end == 0 || len(value) > i+1+len(inner) && value[i+1+len(inner)] == end) {
				n += size(inner, depth+1)
			}
		}
		sizes[name] = min(n, endless)
		return sizes[name]
	}
	largest := 0
	for name := range values {
		largest = max(largest, size(name, 0))
	}
	return largest
}
