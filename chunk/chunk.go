package chunk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/schema"
)

// ErrOption is wrapped by the errors for an option that is out of range and for
// a required argument that is nil. The message names the field, its value and
// what is allowed.
var ErrOption = errors.New("chunk: invalid option")

// ErrSpan is the error for spans that don't belong to the text.
var ErrSpan = errors.New("chunk: the spans don't fit the text")

// A Chunk is a passage of a text.
type Chunk struct {
	// Text is the passage: source[Start:End], byte for byte.
	Text string

	// Start and End are byte offsets into the source, RuneStart and RuneEnd the
	// same places in code points. A byte that isn't UTF-8 counts as one.
	Start, End         int
	RuneStart, RuneEnd int

	// Headings are the headings above the passage, outermost first. Passages under
	// the same heading share them: make a copy to change them.
	Headings []string

	// Context is text of the source that the passage needs to be understood and
	// that isn't in it: a table's header. It is not part of Text, nor of the
	// size, and is bounded by Options.MaxContext.
	Context string

	// Oversize is true if the passage is larger than the size asked for because it
	// can't be cut: a single grapheme cluster that is larger by itself.
	Oversize bool
}

// ID returns a stable name for the passage's content: equal texts have equal ids,
// at whatever place they are. It is 16 bytes of SHA-256 in hexadecimal.
func (c *Chunk) ID() string {
	sum := sha256.Sum256([]byte(c.Text))
	return hex.EncodeToString(sum[:16])
}

// A Chunker cuts a text into passages, in order. Every chunker of this package is
// one and keeps these laws. Only [Windows] and [FastCDC] keep others, which their
// comments name:
//
//   - text[c.Start:c.End] == c.Text, and no passage is blank
//   - the passages are in order, each starting after the one before
//   - every byte that isn't white space is in a passage
//   - no passage is larger than the size, by the count of its final text,
//     unless Oversize is true
//
// The only errors are that of ctx, and those of a model or an embedder that the
// chunker asks.
type Chunker interface {
	Chunk(ctx context.Context, text string) ([]Chunk, error)
}

// Options are what the chunkers share.
type Options struct {
	// Size is the largest size of a passage, 1 or more, in Unit. Default: 200
	// tokens, or 800 code points, which is about the same length of English.
	Size int

	// Overlap is how much of a passage's end the next one repeats, at most. It is
	// in the unit of Size and smaller than Size. Default: 0, because at an equal
	// budget of retrieved text overlap costs more than it brings.
	Overlap int

	// MaxContext is the largest size of a passage's Context, in the unit of Size; a
	// negative number means no limit. A table's header that is larger is cut after
	// one of its cells; any other context that is larger is left out. Default: the
	// size, so that a passage with its context is at most about twice as large.
	MaxContext int

	// Unit is the unit of Size, Overlap and MaxContext. UnitTokens without a counter
	// is an error, where the default would quietly make passages a quarter as large.
	// Default: [UnitDefault], tokens if there is a counter, else code points.
	Unit Unit

	// Tokens counts the tokens of a text; *token.Encoding's Count has this form.
	// Default: nil, there is no counter.
	Tokens func(text string) int

	// Ranges reads a text once and returns what Tokens would for any part of it,
	// text[i:j]; the Ranges method of *token.Encoding is one. With it each text is
	// counted once; with Tokens alone, twice. Tokens must be nil or agree with it.
	// Default: nil, Tokens counts.
	Ranges func(text string) func(i, j int) int
}

// A Unit is what sizes are measured in.
type Unit uint8

// The units.
const (
	UnitDefault Unit = iota // tokens if there is a counter, else code points
	UnitRunes               // code points
	UnitTokens              // what the counter counts; an error if there is none
)

// runes reports whether the unit is code points.
func (u Unit) runes(counter bool) (bool, error) {
	switch {
	case u > UnitTokens:
		return false, fmt.Errorf("%w: Options.Unit is %d: want UnitDefault, UnitRunes or UnitTokens", ErrOption, u)
	case u == UnitTokens && !counter:
		return false, fmt.Errorf("%w: Options.Unit is UnitTokens and Options.Tokens is nil: want a counter, such as o200k.Encoding().Count", ErrOption)
	}
	return u == UnitRunes || !counter, nil
}

const (
	defaultTokens = 200
	defaultRunes  = 800
)

// measure is Options with its defaults.
type measure struct {
	size, overlap int
	context       int                                  // the largest; negative: any
	ranges        func(text string) func(i, j int) int // nil: sizes are in code points
}

// contextFits reports whether a passage can have a text as its context.
func (m *measure) contextFits(context string) bool {
	switch {
	case m.context < 0 || context == "":
		return true
	case m.ranges == nil:
		return utf8.RuneCountInString(context) <= m.context
	}
	return m.ranges(context)(0, len(context)) <= m.context
}

func (o *Options) measure() (measure, error) {
	m := measure{size: defaultRunes, context: defaultRunes}
	if o == nil {
		return m, nil
	}
	runes, err := o.Unit.runes(o.Tokens != nil || o.Ranges != nil)
	switch {
	case err != nil:
		return m, err
	case runes:
	case o.Ranges != nil:
		m.size, m.ranges = defaultTokens, o.Ranges
	default:
		count := o.Tokens
		m.size, m.ranges = defaultTokens, func(text string) func(i, j int) int {
			return func(i, j int) int { return count(text[i:j]) }
		}
	}
	if o.Size != 0 {
		m.size = o.Size
	}
	m.overlap, m.context = o.Overlap, cmp.Or(o.MaxContext, m.size)
	return m, checkSize("Options", m.size, m.overlap)
}

// checkSize checks a size and an overlap, defaults filled in.
func checkSize(options string, size, overlap int) error {
	switch {
	case size < 1:
		return fmt.Errorf("%w: %s.Size is %d: want 1 or more", ErrOption, options, size)
	case overlap < 0 || overlap >= size:
		return fmt.Errorf("%w: %s.Overlap is %d: want 0 or more, and less than the size, %d", ErrOption, options, overlap, size)
	}
	return nil
}

// finish sets the text of chunks, which are in order of their start, and their
// places in the code points that count counts. A RuneEnd that isn't 0 is how many
// the chunk has.
func finish(text string, chunks []Chunk, count func(string) int) []Chunk {
	last := &Chunk{}
	for i := range chunks {
		c := &chunks[i]
		if c.Start >= last.End { // else they overlap
			c.RuneStart = last.RuneEnd + count(text[last.End:c.Start])
		} else {
			c.RuneStart = last.RuneStart + count(text[last.Start:c.Start])
		}
		c.Text = text[c.Start:c.End]
		if c.RuneEnd == 0 {
			c.RuneEnd = count(c.Text)
		}
		c.RuneEnd += c.RuneStart
		last = c
	}
	return chunks
}

// Documents returns the chunks as langchaingo documents. The metadata of each are
// those of meta with [KeyID], [KeySource], [KeyStart], [KeyEnd] and, if there are
// headings above it, [KeyHeading]. A text that occurs twice in the source has two
// ids. The page content is the chunk's text after its context.
func Documents(source string, meta map[string]any, chunks []Chunk) []schema.Document {
	out := make([]schema.Document, len(chunks))
	seen := map[string]int{}
	for i := range chunks {
		c := &chunks[i]
		m := maps.Clone(meta)
		if m == nil {
			m = map[string]any{}
		}
		sum := sha256.Sum256([]byte(source + "\x00" + c.ID()))
		id := hex.EncodeToString(sum[:16])
		if seen[id]++; seen[id] > 1 {
			id = fmt.Sprintf("%s-%d", id, seen[id])
		}
		m[KeyID], m[KeySource], m[KeyStart], m[KeyEnd] = id, source, c.Start, c.End
		if len(c.Headings) > 0 {
			m[KeyHeading] = strings.Join(c.Headings, " > ")
		}
		out[i] = schema.Document{PageContent: c.Context + c.Text, Metadata: m}
	}
	return out
}

// A Span is a range of bytes of a text, End exclusive.
type Span struct{ Start, End int }

// FromSpans returns the chunks at the given spans of a text, with their texts
// and their places in code points: the last step of a chunker of your own. The
// spans are in ascending order of Start; they may overlap. It fails with
// [ErrSpan] if one of them is outside the text or out of order.
func FromSpans(text string, spans []Span) ([]Chunk, error) {
	out := make([]Chunk, len(spans))
	last := 0
	for i, s := range spans {
		if s.Start < last || s.End < s.Start || s.End > len(text) {
			return nil, fmt.Errorf("%w: span %d is [%d,%d): want it between %d and %d", ErrSpan, i, s.Start, s.End, last, len(text))
		}
		out[i], last = Chunk{Start: s.Start, End: s.End}, s.Start
	}
	return finish(text, out, runesOf(text)), nil
}
