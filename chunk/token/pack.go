package token

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Part is a piece of a prompt that competes for room: instructions, examples,
// passages, history.
type Part struct {
	Name string // names the part in PackedPart and in errors
	Text string

	// Parts of a higher priority get their room first, and of equal ones the earlier.
	Priority int

	// Required makes packing fail if there is no room for the part. Default: false.
	Required bool

	// MinTokens allows to cut the part if the whole of it doesn't fit, but not to less
	// than so many tokens. Default: 0, the part is whole or left out.
	MinTokens int

	// Keep is which end of a part is kept if the part is cut. Default: KeepHead.
	Keep Keep
}

// PackOptions configure [Pack].
type PackOptions struct {
	// Tokens counts a text, for instance o200k.Encoding().Count. Default:
	// [Estimate].
	Tokens func(text string) int

	// Separator is put between the parts. It costs tokens too. Default: a blank line.
	Separator string

	// NoSeparator joins the parts without a separator. Default: false.
	NoSeparator bool

	// Marker is put where a part was cut. Default: "…".
	Marker string

	// Cutoff leaves out all parts of a lower priority than the first part that didn't
	// fit. Default: false, a smaller part of lower priority may take the room.
	Cutoff bool
}

// A PackedPart reports what was done with a part.
type PackedPart struct {
	Name   string
	Tokens int    // tokens of the part in the result
	Full   int    // tokens of the whole part
	Why    string // why it was cut or left out; "" if it is whole
}

// A PackedPrompt is a prompt that fits.
type PackedPrompt struct {
	Text   string
	Tokens int          // count of Text
	Parts  []PackedPart // one for each part, in the order given
}

// Pack joins the parts that fit into budget, in the order given. The parts get room
// in the order of their priority. The result reports every part that was cut or left
// out, and why.
//
// Pack counts the joined text, because the sum of the parts' counts may be wrong.
//
// If a required part doesn't fit, Pack returns an [*OverflowError]. Its other errors
// are [ErrOption].
func Pack(parts []Part, budget int, o *PackOptions) (PackedPrompt, error) {
	if o == nil {
		o = &PackOptions{}
	}
	for i, part := range parts {
		if err := part.Keep.check(fmt.Sprintf("Keep of part %d", i)); err != nil {
			return PackedPrompt{}, err
		}
		if part.MinTokens < 0 {
			return PackedPrompt{}, fmt.Errorf("%w: MinTokens of part %d is %d: want 0 or more", ErrOption, i, part.MinTokens)
		}
	}
	count, _ := counter(o.Tokens)
	p := packer{count: count, budget: budget, separator: "\n\n", marker: "…", cutoff: o.Cutoff, parts: parts}
	if o.Separator != "" {
		p.separator = o.Separator
	}
	if o.NoSeparator {
		p.separator = ""
	}
	if o.Marker != "" {
		p.marker = o.Marker
	}
	p.texts = make([]*string, len(parts))
	p.made = make([]PackedPart, len(parts))
	order := make([]int, len(parts))
	for i, part := range parts {
		order[i] = i
		p.made[i] = PackedPart{Name: part.Name, Full: count(part.Text)}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if parts[a].Required != parts[b].Required {
			if parts[a].Required {
				return -1
			}
			return 1
		}
		return cmp.Compare(parts[b].Priority, parts[a].Priority)
	})
	for _, i := range order {
		if err := p.place(i); err != nil {
			return PackedPrompt{}, err
		}
	}
	text := p.join()
	return PackedPrompt{text, count(text), p.made}, nil
}

type packer struct {
	count             func(string) int
	budget            int
	separator, marker string
	cutoff            bool
	parts             []Part
	texts             []*string // nil: left out
	made              []PackedPart
	closedBy          string // the first part that didn't fit, for Cutoff
	closed            bool
}

func (p *packer) join() string {
	var in []string
	for _, t := range p.texts {
		if t != nil {
			in = append(in, *t)
		}
	}
	return strings.Join(in, p.separator)
}

// place puts part i in if there is room.
func (p *packer) place(i int) error {
	part, out := &p.parts[i], &p.made[i]
	if p.closed {
		out.Why = fmt.Sprintf("below the cutoff: %q did not fit", p.closedBy)
		return nil
	}
	text := part.Text
	p.texts[i] = &text
	need := p.count(p.join())
	if need <= p.budget {
		out.Tokens = out.Full
		return nil
	}
	if part.MinTokens > 0 {
		// Need-budget tokens are too many. Counts of parts don't add up, so cut a
		// little more until the joined text fits.
		for room := out.Full - (need - p.budget); room >= part.MinTokens; room-- {
			t := truncate(p.count, part.Text, room, part.Keep, p.marker)
			text = t.Text
			over := p.count(p.join()) - p.budget
			if over <= 0 && t.Tokens > 0 {
				out.Tokens = t.Tokens
				out.Why = fmt.Sprintf("cut from %d tokens: no more room", out.Full)
				return nil
			}
			room -= max(over-1, 0)
		}
	}
	p.texts[i] = nil
	room := max(p.budget-p.count(p.join()), 0)
	if part.Required {
		return &OverflowError{fmt.Sprintf("the required part %q", part.Name), out.Full, room}
	}
	out.Why = fmt.Sprintf("left out: %d tokens, and room for %d", out.Full, room)
	if p.cutoff {
		p.closed, p.closedBy = true, part.Name
	}
	return nil
}
