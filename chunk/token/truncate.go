package token

import (
	"fmt"
	"sort"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// A Keep is which part of a text is kept if the text is too long.
type Keep uint8

// What [Truncate] keeps.
const (
	KeepHead Keep = iota // the beginning; the end is cut off
	KeepTail             // the end; the beginning is cut off
	KeepEnds             // both ends; the middle is cut out
)

// check returns an error if k is not a Keep. The error names field.
func (k Keep) check(field string) error {
	if k > KeepEnds {
		return fmt.Errorf("%w: %s is %d: want KeepHead, KeepTail or KeepEnds", ErrOption, field, k)
	}
	return nil
}

// TruncateOptions configure [Truncate].
type TruncateOptions struct {
	// Tokens counts a text, for instance o200k.Encoding().Count. Default:
	// [Estimate].
	Tokens func(text string) int

	// Keep is the part that is kept. Default: KeepHead.
	Keep Keep

	// Marker is put in the place of what was cut out. Default: "", nothing.
	Marker string
}

// Truncated is a text that was made to fit.
type Truncated struct {
	Text   string
	Tokens int // of Text, by the counter given

	// CutStart and CutEnd are the byte offsets of the part of the original that was cut
	// out. They are equal if nothing was cut out.
	CutStart, CutEnd int
}

// Truncate cuts as little as it can out of text so that the result has at most budget
// tokens. The marker is put in the place of the cut and counts too. A marker that
// doesn't fit is left out. A negative budget counts as 0. Truncate fails with
// [ErrOption].
//
// Truncate cuts between graphemes. A grapheme is what a reader sees as one character:
// an emoji or an accented letter stays whole.
//
// Truncate counts the result itself, because the counts of parts don't add up. It
// calls the counter about twenty times, with texts of about the size of the budget.
func Truncate(text string, budget int, o *TruncateOptions) (Truncated, error) {
	if o == nil {
		o = &TruncateOptions{}
	}
	if err := o.Keep.check("TruncateOptions.Keep"); err != nil {
		return Truncated{}, err
	}
	count, _ := counter(o.Tokens)
	return truncate(count, text, budget, o.Keep, o.Marker), nil
}

func truncate(count func(string) int, text string, budget int, keep Keep, marker string) Truncated {
	// A text that is much longer than the budget isn't counted as a whole: it can't
	// fit.
	if len(text)/128 <= budget {
		if n := count(text); n <= budget {
			return Truncated{Text: text, Tokens: n}
		}
	}
	if count(marker) > budget {
		marker = ""
	}
	ends := graphemeEnds(text)
	cut := func(n int) Truncated { // keeps n graphemes
		head, tail := n, 0
		switch keep {
		case KeepTail:
			head, tail = 0, n
		case KeepEnds:
			head, tail = n-n/2, n/2
		}
		start, end := ends[head], ends[len(ends)-1-tail]
		s := text[:start] + marker + text[end:]
		return Truncated{s, count(s), start, end}
	}
	best := Truncated{Text: "", CutEnd: len(text)}
	fits := func(n int) bool {
		t := cut(n)
		if t.Tokens <= budget && (best.Text == "" || len(t.Text) > len(best.Text)) {
			best = t
		}
		return t.Tokens <= budget
	}
	// Double the length until it doesn't fit, then search below it.
	most := len(ends) - 2 // all of them don't fit
	hi := min(4*max(budget, 1), most)
	for hi < most && fits(hi) {
		hi = min(2*hi, most)
	}
	sort.Search(max(hi+1, 0), func(n int) bool { return !fits(n) })
	return best
}

// graphemeEnds returns the offsets at which text may be cut, from 0 to its length.
func graphemeEnds(text string) []int {
	ends := []int{0}
	for g := graphemes.FromString(text); g.Next(); {
		ends = append(ends, g.End())
	}
	return ends
}
