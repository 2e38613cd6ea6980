package token

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The classes of Unicode 16.0, as the regular expressions of tiktoken use them.
// Go's own tables are of an older version of Unicode and differ in thousands of code
// points.
//
//go:embed classes.txt
var classesText string

// A class is a set of kinds of characters. A character has exactly one kind.
type class uint8

const (
	upper    class = 1 << iota // Lu, Lt
	lower                      // Ll
	caseless                   // Lm, Lo
	mark                       // M
	number                     // N
	space                      // White_Space without CR and LF
	newline                    // CR, LF
	other                      // all other characters, and bytes that are not UTF-8

	letter = upper | lower | caseless
	white  = space | newline
)

// classes is a table of two stages: pages of 256 code points, and the number of the
// page for each 256. Equal pages are stored once.
type classes struct {
	ascii [256]class // by the first byte of a character; 0 if it has more bytes
	page  [(utf8.MaxRune + 1) >> 8]uint8
	pages [][256]class
}

// newClasses makes the table of classes.txt. That takes about a millisecond.
func newClasses() (*classes, error) {
	flat := make([]class, utf8.MaxRune+1)
	for i := range flat {
		flat[i] = other
	}
	kinds := map[string]class{"U": upper, "l": lower, "o": caseless, "m": mark, "n": number, "s": space, "r": newline}
	for line := range strings.Lines(classesText) {
		if line[0] == '#' {
			continue
		}
		var first, last int
		var kind string
		if _, err := fmt.Sscanf(line, "%x %x %s", &first, &last, &kind); err != nil {
			return nil, fmt.Errorf("token: classes.txt: %q: %w", line, err)
		}
		for c := first; c <= last; c++ {
			flat[c] = kinds[kind]
		}
	}
	t := &classes{}
	copy(t.ascii[:utf8.RuneSelf], flat)
	seen := map[[256]class]uint8{}
	for p := range t.page {
		page := [256]class(flat[p<<8:])
		i, ok := seen[page]
		if !ok {
			if len(t.pages) == 256 {
				return nil, fmt.Errorf("token: classes.txt: more than 256 different pages")
			}
			i = uint8(len(t.pages))
			seen[page] = i
			t.pages = append(t.pages, page)
		}
		t.page[p] = i
	}
	return t, nil
}

// at returns the class and the size in bytes of the character at text[i:],
// which is not empty.
func (t *classes) at(text string, i int) (class, int) {
	if c := t.ascii[text[i]]; c != 0 {
		return c, 1
	}
	return t.wide(text[i:])
}

func (t *classes) wide(text string) (class, int) {
	// A character of three bytes, as most scripts of Asia and Africa have. The first
	// bytes 0xE0 and 0xED have more rules and are left to package utf8.
	if len(text) >= 3 {
		a, b, c := text[0], text[1], text[2]
		if a&0xF0 == 0xE0 && a != 0xE0 && a != 0xED && b&0xC0 == 0x80 && c&0xC0 == 0x80 {
			r := rune(a&0x0F)<<12 | rune(b&0x3F)<<6 | rune(c&0x3F)
			return t.pages[t.page[r>>8]][r&0xFF], 3
		}
	}
	r, size := utf8.DecodeRuneInString(text)
	if size == 1 { // not UTF-8
		return other, 1
	}
	return t.pages[t.page[r>>8]][r&0xFF], size
}

// han reports whether three bytes are a character from U+4E00 to U+9FFF. All of these
// are caseless letters, and most of a Chinese text consists of them. So no table
// is needed for them.
func han(a, b, c byte) bool {
	first := uint(a)<<8 | uint(b)
	return first-0xE4B8 <= 0xE9BF-0xE4B8 && b&0xC0 == 0x80 && c&0xC0 == 0x80
}

// hanEnd returns the end of the run of such characters at text[i:].
func hanEnd(text string, i int) int {
	for i+2 < len(text) && han(text[i], text[i+1], text[i+2]) {
		i += 3
	}
	return i
}

// run returns the end of the longest run of characters of set from i on.
func (t *classes) run(text string, i int, set class) int {
	for i < len(text) {
		c := t.ascii[text[i]]
		size := 1
		if c == 0 {
			if end := hanEnd(text, i); end > i && set&caseless != 0 {
				i = end
				continue
			}
			c, size = t.wide(text[i:])
		}
		if c&set == 0 {
			break
		}
		i += size
	}
	return i
}
