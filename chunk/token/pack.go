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
	Name string // for the audit
	Text string

	// Priority: the higher ones get their room first; of equals the earlier.
	Priority int

	// Required parts must be in, or packing fails.
	Required bool

	// MinTokens allows the part to be cut down to no less than so many tokens where
	// the whole doesn't fit. Default: 0, the part is whole or left out.
	MinTokens int

	// Keep is what is kept of a part that is cut. Default: KeepHead.
	Keep Keep
}

// PackOptions configure [Pack].
type PackOptions struct {
	// Tokens counts a text, for instance o200k.Encoding().Count. Default:
	// [Estimate].
	Tokens func(text string) int

	// Separator is put between the parts; it costs tokens too. Default: a blank
	// line.
	Separator string

	// NoSeparator joins the parts without a separator. Default: false.
	NoSeparator bool

	// Marker is put where a part was cut. Default: "…".
	Marker string

	// Cutoff leaves out everything of a lower priority than the first part that
	// didn't fit. Default: false, smaller parts of lower priority may still fill
	// the gap.
	Cutoff bool
}

// A PackedPart is what became of a part.
type PackedPart struct {
	Name   string
	Tokens int    // what the part has in the result
	Full   int    // what the whole part would have
	Why    string // why it was cut or left out; "" if it is whole
}

// A PackedPrompt is a prompt that fits.
type PackedPrompt struct {
	Text   string
	Tokens int          // count of Text
	Parts  []PackedPart // one for each part, in the order given
}

// Pack joins the parts that fit into budget, in the order given. Room is given
// out by priority; every part that is cut or left out is accounted for. The
// budget is kept by the count of the joined text, not by the sum of its parts.
//
// Required parts that don't fit give an [*OverflowError]. Other errors are
// [ErrOption].
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
	texts             []*string // nil: not in
	made              []PackedPart
	closedBy          string // the part that the cutoff came with
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
		// What doesn't fit is need-budget tokens; as counts don't add up, cut a
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
