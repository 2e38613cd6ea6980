package pdf

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/prodailabs/prodai/retrieve/load"
)

// A font turns the codes of a string into text and widths.
type font struct {
	wide     bool              // a code has two bytes, unless spaces says otherwise
	table    [256]string       // of a simple font
	unicode  map[string]string // the ToUnicode map, by code
	spaces   [5]bool           // the code lengths of that map
	widths   map[int]float64   // in thousandths of the font's size
	standard float64           // the width of other codes
	parts    int               // what was read of maps and lists, codes of ranges included
}

// maxFontParts bounds the entries of each of a font's maps and lists: a range has a few bytes
// and may name 65,536 codes, again and again.
const maxFontParts = 1 << 17

func (f *file) font(v any) (*font, error) {
	d := f.dict(v)
	out := &font{widths: map[int]float64{}, standard: 500}
	if d == nil {
		out.encode(f, nil)
		return out, nil
	}
	if f.name(d["Subtype"]) == "Type0" {
		out.wide, out.standard = true, 1000
		if below := f.array(d["DescendantFonts"]); len(below) > 0 {
			out.wideWidths(f, f.dict(below[0]))
		}
	} else {
		out.encode(f, d["Encoding"])
		out.simpleWidths(f, d)
	}
	if s, ok := f.get(d["ToUnicode"]).(*stream); ok {
		data, err := f.decode(s)
		if limit := (*load.LimitError)(nil); errors.As(err, &limit) || f.ctx.Err() != nil {
			return nil, err
		}
		widths := out.parts
		out.parts = 0
		out.readMap(data)
		const bytesPerPart = 8
		out.parts += widths + len(data)/bytesPerPart
	}
	return out, nil
}

func (x *font) simpleWidths(f *file, d dict) {
	first := f.int(d["FirstChar"])
	if w := f.float(f.dict(d["FontDescriptor"])["MissingWidth"]); w > 0 {
		x.standard = w
	}
	widths := f.array(d["Widths"])
	for i, w := range widths[:min(len(widths), 256)] {
		x.widths[first+i] = f.float(w)
	}
}

// wideWidths reads the widths of a composite font: "3 [500 600]" and "3 9 500" (9.7.4.3).
func (x *font) wideWidths(f *file, d dict) {
	if d["DW"] != nil {
		x.standard = f.float(d["DW"])
	}
	list := f.array(d["W"])
	for i := 0; i+1 < len(list) && x.parts < maxFontParts; x.parts++ {
		first := f.int(list[i])
		if each := f.array(list[i+1]); each != nil {
			for k, w := range each[:min(len(each), maxFontParts-x.parts)] {
				x.widths[first+k] = f.float(w)
			}
			x.parts += len(each)
			i += 2
			continue
		}
		if i+2 >= len(list) {
			break
		}
		last, w := f.int(list[i+1]), f.float(list[i+2])
		for c := first; c <= last && x.parts < maxFontParts && c-first < 1<<16; c++ {
			x.widths[c] = w
			x.parts++
		}
		i += 3
	}
}

// encode sets the table of a simple font by its Encoding.
func (x *font) encode(f *file, v any) {
	base := f.name(v)
	d, _ := f.get(v).(dict)
	if d != nil {
		base = f.name(d["BaseEncoding"])
	}
	table := charmap.Windows1252
	if base == "MacRomanEncoding" {
		table = charmap.Macintosh
	}
	for c := range 256 {
		if r := table.DecodeByte(byte(c)); r != '\ufffd' && (r >= ' ' || r == '\t') {
			x.table[c] = string(r)
		}
	}
	if base != "WinAnsiEncoding" && base != "MacRomanEncoding" { // the standard encoding differs in a few
		for c, s := range map[byte]string{'\'': "’", '`': "‘", 0xa1: "¡", 0xa4: "⁄", 0xa6: "ƒ", 0xa8: "¤", 0xa9: "'", 0xaa: "“", 0xac: "‹", 0xad: "›", 0xae: "ﬁ", 0xaf: "ﬂ",
			0xb1: "–", 0xb2: "†", 0xb3: "‡", 0xb7: "•", 0xb8: "‚", 0xb9: "„", 0xba: "”", 0xbc: "…", 0xbd: "‰", 0xd0: "—", 0xe1: "Æ", 0xe8: "Ł", 0xe9: "Ø", 0xea: "Œ", 0xf1: "æ", 0xf5: "ı", 0xf8: "ł", 0xf9: "ø", 0xfa: "œ", 0xfb: "ß"} {
			if d == nil || c == '\'' || c == '`' || c < 0xc0 || c >= 0xd0 {
				x.table[c] = s
			}
		}
	}
	code := 0
	names := f.array(d["Differences"])
	for _, v := range names[:min(len(names), 1024)] {
		switch v := f.get(v).(type) {
		case float64:
			code = f.int(v)
		case name:
			if code >= 0 && code < 256 {
				x.table[code] = glyph(string(v))
			}
			code++
		}
	}
}

// glyphs are the names of characters in encodings (Adobe Glyph List) that follow no rule.
var glyphs = map[string]string{
	"space": " ", "exclam": "!", "quotedbl": `"`, "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&", "quotesingle": "'", "quoteright": "’", "quoteleft": "‘",
	"parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",", "hyphen": "-", "minus": "−", "period": ".", "slash": "/", "colon": ":", "semicolon": ";",
	"less": "<", "equal": "=", "greater": ">", "question": "?", "at": "@", "bracketleft": "[", "backslash": `\`, "bracketright": "]", "asciicircum": "^", "underscore": "_",
	"grave": "`", "braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~", "exclamdown": "¡", "cent": "¢", "sterling": "£", "currency": "¤", "yen": "¥", "brokenbar": "¦",
	"section": "§", "copyright": "©", "ordfeminine": "ª", "guillemotleft": "«", "guillemotright": "»", "logicalnot": "¬", "registered": "®", "degree": "°", "plusminus": "±",
	"onesuperior": "¹", "twosuperior": "²", "threesuperior": "³", "mu": "µ", "paragraph": "¶", "periodcentered": "·", "middot": "·", "ordmasculine": "º", "onequarter": "¼", "onehalf": "½",
	"threequarters": "¾", "questiondown": "¿", "multiply": "×", "divide": "÷", "germandbls": "ß", "AE": "Æ", "ae": "æ", "OE": "Œ", "oe": "œ", "Oslash": "Ø", "oslash": "ø", "Eth": "Ð", "eth": "ð",
	"Thorn": "Þ", "thorn": "þ", "Lslash": "Ł", "lslash": "ł", "dotlessi": "ı", "fi": "fi", "fl": "fl", "ff": "ff", "ffi": "ffi", "ffl": "ffl", "endash": "–", "emdash": "—", "bullet": "•",
	"ellipsis": "…", "quotedblleft": "“", "quotedblright": "”", "quotesinglbase": "‚", "quotedblbase": "„", "guilsinglleft": "‹", "guilsinglright": "›", "dagger": "†", "daggerdbl": "‡",
	"perthousand": "‰", "trademark": "™", "Euro": "€", "euro": "€", "florin": "ƒ", "fraction": "⁄", "nbspace": "\u00a0", "sfthyphen": "\u00ad", "arrowright": "→", "arrowleft": "←",
	"lessequal": "≤", "greaterequal": "≥", "notequal": "≠", "infinity": "∞", "approxequal": "≈", "summation": "∑", "radical": "√", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ",
	"epsilon": "ε", "theta": "θ", "lambda": "λ", "pi": "π", "sigma": "σ", "phi": "φ", "omega": "ω", "Delta": "Δ", "Omega": "Ω", "Sigma": "Σ",
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}

var accents = map[string]string{
	"grave": "\u0300", "acute": "\u0301", "circumflex": "\u0302", "tilde": "\u0303", "macron": "\u0304", "breve": "\u0306", "dotaccent": "\u0307", "dieresis": "\u0308",
	"ring": "\u030a", "hungarumlaut": "\u030b", "caron": "\u030c", "cedilla": "\u0327", "ogonek": "\u0328", "commaaccent": "\u0326",
}

// glyph returns the text of a glyph's name, "" if it has none.
func glyph(s string) string {
	s, _, _ = strings.Cut(s, ".") // "a.alt"
	if g, ok := glyphs[s]; ok {
		return g
	}
	switch {
	case len(s) == 1:
		return s
	case len(s) >= 7 && strings.HasPrefix(s, "uni"):
		if n, err := strconv.ParseUint(s[3:7], 16, 16); err == nil {
			return string(rune(n))
		}
	case len(s) >= 5 && s[0] == 'u':
		if n, err := strconv.ParseUint(s[1:], 16, 21); err == nil {
			return string(rune(n))
		}
	}
	if len(s) > 1 {
		if accent, ok := accents[s[1:]]; ok {
			return norm.NFC.String(s[:1] + accent)
		}
	}
	return ""
}

// readMap reads a ToUnicode map (9.10.3): bfchar and bfrange between code and UTF-16.
func (x *font) readMap(data []byte) {
	x.unicode = map[string]string{}
	l := &lexer{data: data, depth: 10}
	var stack []any
	for {
		v, ok, err := l.value(0)
		if err != nil || !ok || x.parts > maxFontParts {
			return
		}
		word, isOp := v.(op)
		if !isOp {
			if stack = append(stack, v); len(stack) > maxFontParts {
				return
			}
			continue
		}
		switch word {
		case "endcodespacerange":
			for _, v := range stack {
				if s, ok := v.(string); ok && len(s) >= 1 && len(s) <= 4 {
					x.spaces[len(s)] = true
				}
			}
		case "endbfchar":
			for i := 0; i+1 < len(stack); i += 2 {
				x.add(stack[i], stack[i+1])
			}
		case "endbfrange":
			for i := 0; i+2 < len(stack); i += 3 {
				x.addRange(stack[i], stack[i+1], stack[i+2])
			}
		}
		stack = stack[:0]
	}
}

func (x *font) add(code, text any) {
	c, ok1 := code.(string)
	t, ok2 := text.(string)
	if x.parts++; ok1 && ok2 && len(c) >= 1 && len(c) <= 4 {
		x.unicode[c] = fromUTF16(t)
	}
}

func (x *font) addRange(low, high, to any) {
	a, ok1 := low.(string)
	b, ok2 := high.(string)
	if !ok1 || !ok2 || len(a) != len(b) || len(a) < 1 || len(a) > 4 {
		return
	}
	code := []byte(a)
	list, _ := to.(array)
	text, isText := to.(string)
	base := []byte(text)
	for i := 0; i < 1<<16 && x.parts <= maxFontParts; i++ {
		x.parts++
		switch {
		case i < len(list):
			x.add(string(code), list[i])
		case isText && len(base) > 0:
			x.unicode[string(code)] = fromUTF16(string(base))
			increment(base)
		default:
			return
		}
		if bytes.Equal(code, []byte(b)) {
			return
		}
		increment(code)
	}
}

// increment adds 1 to a number of bytes.
func increment(b []byte) {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return
		}
	}
}

func fromUTF16(s string) string {
	if len(s) == 1 {
		return string(rune(s[0]))
	}
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	return strings.Trim(string(utf16.Decode(units)), "\x00")
}

// codes calls visit with each code of a string: its text and its width in thousandths.
func (x *font) codes(s string, visit func(text string, width float64, blank bool)) {
	for len(s) > 0 {
		n := 1
		if x.wide {
			n = 2
		}
		if x.unicode != nil && x.wide {
			for _, size := range []int{2, 1, 3, 4} {
				if x.spaces[size] && len(s) >= size {
					if _, ok := x.unicode[s[:size]]; ok {
						n = size
						break
					}
				}
			}
		}
		n = min(n, len(s))
		code := 0
		for _, c := range []byte(s[:n]) {
			code = code<<8 | int(c)
		}
		text, ok := x.unicode[s[:n]]
		if !ok {
			if text = "\ufffd"; n == 1 && !x.wide {
				text = x.table[s[0]]
			}
		}
		width, ok := x.widths[code]
		if !ok {
			width = x.standard
		}
		visit(text, width, n == 1 && s[0] == ' ')
		s = s[n:]
	}
}

// text returns a string of a dictionary, such as a title: UTF-16, UTF-8 or one byte each
// (7.9.2.2).
func text(s string) string {
	switch {
	case strings.HasPrefix(s, "\xfe\xff"):
		return fromUTF16(s[2:])
	case strings.HasPrefix(s, "\xef\xbb\xbf"):
		return strings.ToValidUTF8(s[3:], "\ufffd")
	}
	var out []rune
	for _, c := range []byte(s) {
		r := rune(c) // Latin 1, but for a few
		if c >= 0x80 && c <= 0x9e {
			r = pdfDoc[c-0x80]
		} else if c == 0xa0 {
			r = '€'
		}
		if r >= ' ' || r == '\n' || r == '\t' {
			out = append(out, r)
		}
	}
	return string(out)
}

// pdfDoc has the characters 0x80 to 0x9e of PDFDocEncoding (D.2).
var pdfDoc = []rune("•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž")
