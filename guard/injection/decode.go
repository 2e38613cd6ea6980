package injection

import "slices"

// Limits bound the work of [Decode]. The zero value works.
type Limits struct {
	// Depth is how many encodings may be inside one another. Default: 4.
	Depth int

	// Readings is how many readings are made. Default: 24.
	Readings int

	// Bytes is how long the readings are together. Default: 256 KiB and 4 times
	// the text, at most 8 MiB.
	Bytes int
}

func (l Limits) withDefaults(input int) Limits {
	if l.Depth <= 0 {
		l.Depth = 4
	}
	if l.Readings <= 0 {
		l.Readings = 24
	}
	if l.Bytes <= 0 {
		l.Bytes = min(256<<10+4*input, 8<<20)
	}
	return l
}

// A Reading is one reading of a text: the text with what hides it undone.
type Reading struct {
	Text  string   // what a model might read
	Steps []string // how it was reached, outermost first: ["base64", "nfkc"]

	// Encoded reports that most of Text is an encoding, and that another reading
	// contains what it encodes. Such a text looks odd without meaning anything.
	Encoded bool

	leet bool // many of the words have digits for letters
	m    mapped
}

// Origin returns the range of the original text that Text[start:end] was made
// from. For a range that is out of bounds or empty it returns 0, 0.
func (c *Reading) Origin(start, end int) (int, int) { return c.m.origin(start, end) }

// Decode returns the readings of text, first the text itself, normalized. Case
// is kept; compare without regard to it. Each reading is searched for further
// encodings until nothing new appears or a limit is reached; truncated reports
// that one was. A limit that is not positive is the default.
//
// Decode undoes: characters without width, compatibility forms, stacked marks,
// look-alike letters; tag characters and variation selectors that carry bytes;
// bidirectional overrides; base64, base32, ascii85, hexadecimal, binary and
// decimal bytes; URL, HTML and backslash escapes; Morse code; letters set apart
// by blanks or dots; strings put together from names and pieces, words cut over
// lines, list items and cells, tables read downwards; digits for letters; ROT13,
// Caesar shift by 3, Atbash, reversal; markdown and HTML noise; comments.
//
// A reading is not a verdict: harmless texts are encoded too. Time and memory are
// linear in the length of the text for given limits.
func Decode(text string, l Limits) (readings []Reading, truncated bool) {
	t := trail{limits: l.withDefaults(len(text)), seen: map[string]bool{}}
	t.run(mapped{text: text})
	return t.out, t.truncated
}

func (t *trail) run(m mapped) {
	t.push(m, nil, 0)
	for i := 0; i < len(t.queue); i++ {
		t.expand(t.queue[i])
	}
}

type item struct {
	m     mapped
	steps []string
	depth int
}

type trail struct {
	limits    Limits
	queue     []item
	out       []Reading
	seen      map[string]bool
	bytes     int
	truncated bool
}

func (t *trail) push(m mapped, steps []string, depth int) {
	if depth > 0 && (m.text == "" || t.seen[m.text]) {
		return
	}
	if depth > t.limits.Depth || len(t.queue) >= t.limits.Readings || depth > 0 && t.bytes+len(m.text) > t.limits.Bytes {
		t.truncated = true
		return
	}
	t.bytes += len(m.text)
	t.seen[m.text] = true
	t.queue = append(t.queue, item{m, steps, depth})
}

// expand adds the normalized reading of an item and queues what is encoded in
// it.
func (t *trail) expand(it item) {
	encoded := false
	lo, hi := it.m.origin(0, len(it.m.text)) // once: a text can hold a great many children
	child := func(name string, m mapped) {
		encoded = encoded || !slices.Contains(inPlain, name) && len(m.text)*6 < len(it.m.text)*5 && mostOf(hi-lo, &m)
		t.push(m, append(slices.Clip(it.steps), name), it.depth+1)
	}
	hiddenCharacters(&it.m, child) // before normalizing drops them
	clean, steps := normalizeMapped(it.m)
	it.m, it.steps = clean, append(slices.Clip(it.steps), steps...)
	if len(steps) > 0 {
		if t.seen[clean.text] && it.depth > 0 {
			return
		}
		t.seen[clean.text] = true
	}
	t.out = append(t.out, Reading{Text: clean.text, Steps: it.steps, m: clean})
	at := len(t.out) - 1
	defer func() { t.out[at].Encoded = encoded }()
	has := survey(clean.text)
	if has.long {
		encodedRuns(&clean, child)
	}
	if has.numbers {
		numberRuns(&clean, child)
	}
	if has.escapes {
		escapes(&clean, child)
	}
	if has.morse {
		morse(&clean, child)
	}
	if has.spelled {
		spelled(&clean, child)
	}
	if has.quotes {
		concatenations(&clean, child)
	}
	if has.rows {
		columns(&clean, child)
	}
	if has.noise && !slices.Contains(it.steps, "markup") {
		noise(&clean, child)
	}
	if encoded || slices.ContainsFunc(it.steps, isGuess) {
		return
	}
	if has.leet {
		leet(&clean, child)
	}
	decipher(&clean, child)
	t.out[at].leet = has.mostlyLeet
}

// inPlain lists the steps whose input can be read as it is.
var inPlain = []string{"markup", "comment", "concat", "joined", "columns", "leet", "rot13", "caesar3", "atbash", "reverse"}

// mostOf reports whether child was made from more than half of a text that was
// made from size bytes.
func mostOf(size int, child *mapped) bool {
	from, to := child.origin(0, len(child.text))
	return (to-from)*2 > size
}

// isGuess reports whether a step reads letters as other letters, or makes words that
// the text does not contain. Such a step always gives something, so one is enough.
func isGuess(step string) bool {
	return step == "leet" || step == "joined" || slices.ContainsFunc(ciphers, func(c cipher) bool { return c.name == step })
}

// A sighting lists the decoders that are worth running.
type sighting struct{ long, numbers, escapes, morse, spelled, leet, mostlyLeet, noise, quotes, rows bool }

// survey looks at each byte once, so that ordinary text costs one pass.
func survey(s string) (has sighting) { //nolint:gocognit // one pass over each byte, whose counters stay in registers
	run, codes, letters, digits := 0, 0, 0, 0
	var words wordCounts
	var marks markCounts
	within := false // some digit is before a letter of its word: int64 and v2 are only names
	line, short := 0, 0
	for i := 0; i <= len(s); i++ {
		b := byte(' ')
		if i < len(s) {
			b = s[i]
		}
		if b > ' ' {
			run++
			c := classes[b]
			if c&(isLetter|isHigh) != 0 {
				letters++
				within = within || digits > 0 && run <= 24
			}
			if c&isLeet != 0 && b != '@' { // mail addresses have one
				digits++
			}
			if c&isDigit != 0 {
				codes++
			}
			if c&isMark != 0 {
				marks.add(b)
			}
			continue
		}
		if i == len(s) || b == '\n' {
			if n := i - line; n > 0 && (n <= maxFragment+8 || s[line] == '|') {
				short++
			}
			line = i + 1
		}
		if run == 0 {
			continue
		}
		has.long = has.long || run >= minRun
		words.add(run, letters, digits, codes)
		if letters == 0 && codes == 0 && run <= 7 && (s[i-1] == '.' || s[i-1] == '-' || s[i-1] >= 0x80) {
			has.morse = true
		}
		run, letters, digits, codes = 0, 0, 0, 0
	}
	has.numbers = words.numbers >= minNumbers
	has.spelled = words.singles >= 3 || words.singles > 0 && len(s) < 64
	has.leet = within && (words.mixed >= 2 || words.mixed > 0 && len(s) < 40)
	has.mostlyLeet = has.leet && words.mixed*3 >= words.all
	has.escapes = marks.escapes >= 2
	has.noise = marks.noise
	has.quotes = marks.quotes >= 4 && marks.joints > 0
	has.rows = short >= minRows
	return has
}

// wordCounts count words of each sort: of single letters, of letters and digits, and
// those that may be a byte's number.
type wordCounts struct{ all, singles, mixed, numbers int }

// add counts a word of run bytes. letters and codes are its letters and digits, and
// digits the bytes that may replace letters.
func (w *wordCounts) add(run, letters, digits, codes int) {
	w.all++
	if letters == 1 && run == 1 || run >= 5 && letters*2 <= run+1 && letters*2 >= run-1 {
		w.singles++
	}
	if letters > 0 && digits > 0 && letters*3 >= digits && run <= 24 {
		w.mixed++
	}
	if codes > 0 || run == 2 {
		w.numbers++
	}
}

// markCounts count the bytes of class isMark.
type markCounts struct {
	escapes, quotes, joints int
	noise                   bool
}

func (m *markCounts) add(b byte) {
	switch b {
	case '%', '\\', '&':
		m.escapes++
	case '*', '_', '<', '~':
		m.noise = true
	case '`':
		m.noise = true
		m.quotes++
	case '"', '\'', 0xE2: // 0xE2 begins “
		m.quotes++
	case '=', ':', '+', ',':
		m.joints++
	}
}

const (
	isLetter = 1 << iota
	isDigit
	isLeet
	isHigh
	isMark // markCounts counts it
)

var classes = func() (c [256]uint8) {
	for b := range c {
		switch {
		case b|0x20 >= 'a' && b|0x20 <= 'z':
			c[b] = isLetter
		case b >= '0' && b <= '9':
			c[b] = isDigit | isLeet
		case b >= 0x80:
			c[b] = isHigh
		}
	}
	for _, b := range "@$!|+" {
		c[b] |= isLeet
	}
	for _, b := range []byte("%\\&*_`<~\"'\xE2=:+,") {
		c[b] |= isMark
	}
	return c
}()
