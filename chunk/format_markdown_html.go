package chunk

import "strings"

// An htmlKind is one of the kinds of HTML blocks by their beginning and end, with
// CommonMark's numbers (spec 0.31.2, section 4.6); 0 is none.
type htmlKind uint8

const (
	htmlRaw         htmlKind = 1 + iota // <script>, <pre>, <style>, <textarea>
	htmlComment                         // <!-- -->
	htmlInstruction                     // <? ?>
	htmlDeclaration                     // <!DOCTYPE >
	htmlCData                           // <![CDATA[ ]]>
	htmlElement                         // a block's tag, to a blank line
	htmlTag                             // any tag alone on its line, to a blank line
)

// htmlStart returns the kind of HTML that a line begins, or 0. inside of a paragraph
// a tag of any name begins none.
func htmlStart(text string, inside bool) htmlKind {
	if text[0] != '<' || len(text) < 2 {
		return 0
	}
	switch c := text[1]; {
	case c == '?':
		return htmlInstruction
	case c == '!':
		switch {
		case strings.HasPrefix(text, "<!--"):
			return htmlComment
		case strings.HasPrefix(text, "<![CDATA["):
			return htmlCData
		case len(text) > 2 && isASCIILetter(text[2]):
			return htmlDeclaration
		}
		return 0
	}
	name, closing := htmlName(text)
	if name == "" {
		return 0
	}
	rest := text[1+len(name):]
	if closing {
		rest = rest[1:]
	}
	ends := rest == "" || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '>'
	raw := name == "script" || name == "pre" || name == "style" || name == "textarea"
	switch {
	case raw && !closing && ends:
		return htmlRaw
	case (ends || strings.HasPrefix(rest, "/>")) && htmlBlockNames[name]:
		return htmlElement
	case !raw && !inside && wholeTag(rest, closing):
		return htmlTag
	}
	return 0
}

// endsBlank reports whether a blank line ends the block, and nothing else.
func (k htmlKind) endsBlank() bool { return k >= htmlElement }

// endsIn reports whether the block ends in the line.
func (k htmlKind) endsIn(line string) bool {
	switch k {
	case htmlRaw:
		for i := strings.Index(line, "</"); i >= 0; {
			name, _ := htmlName(line[i:])
			if (name == "script" || name == "pre" || name == "style" || name == "textarea") && strings.HasPrefix(line[i+2+len(name):], ">") {
				return true
			}
			next := strings.Index(line[i+2:], "</")
			if next < 0 {
				break
			}
			i += 2 + next
		}
		return false
	case htmlComment:
		return strings.Contains(line, "-->")
	case htmlInstruction:
		return strings.Contains(line, "?>")
	case htmlDeclaration:
		return strings.Contains(line, ">")
	case htmlCData:
		return strings.Contains(line, "]]>")
	}
	return false
}

// htmlName returns the name of the tag that text begins with, in lower case, and
// whether it is a closing one.
func htmlName(text string) (name string, closing bool) {
	text = text[1:]
	if closing = strings.HasPrefix(text, "/"); closing {
		text = text[1:]
	}
	if text == "" || !isASCIILetter(text[0]) {
		return "", closing
	}
	n := 1
	for n < len(text) && (isASCIILetter(text[n]) || text[n] >= '0' && text[n] <= '9' || text[n] == '-') {
		n++
	}
	return strings.ToLower(text[:n]), closing
}

// wholeTag reports whether text is the rest of a tag after its name, and nothing
// after it.
func wholeTag(text string, closing bool) bool {
	for {
		bare := strings.TrimLeft(text, " \t")
		switch {
		case strings.HasPrefix(bare, ">"):
			return strings.Trim(bare[1:], " \t") == ""
		case closing:
			return false
		case strings.HasPrefix(bare, "/>"):
			return strings.Trim(bare[2:], " \t") == ""
		case len(bare) == len(text):
			return false // an attribute needs a space before it
		}
		var ok bool
		if text, ok = cutAttribute(bare); !ok {
			return false
		}
	}
}

// cutAttribute returns what follows the attribute that text begins with.
func cutAttribute(text string) (rest string, ok bool) {
	n := 0
	for n < len(text) {
		c := text[n]
		if !isASCIILetter(c) && c != '_' && c != ':' && (n == 0 || c != '.' && c != '-' && (c < '0' || c > '9')) {
			break
		}
		n++
	}
	if n == 0 {
		return "", false
	}
	text = text[n:]
	value := strings.TrimLeft(text, " \t")
	if !strings.HasPrefix(value, "=") {
		return text, true
	}
	if value = strings.TrimLeft(value[1:], " \t"); value == "" {
		return "", false
	}
	if value[0] == '"' || value[0] == '\'' {
		_, rest, ok = strings.Cut(value[1:], value[:1])
		return rest, ok
	}
	end := strings.IndexAny(value, " \t\"'=<>`")
	if end < 0 {
		end = len(value)
	}
	return value[end:], end > 0
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// htmlBlockNames are the names with which a line of HTML begins a block.
var htmlBlockNames = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(`address article aside base basefont blockquote body caption center col colgroup dd details dialog
		dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main
		menu menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr track ul`) {
		out[name] = true
	}
	return out
}()
