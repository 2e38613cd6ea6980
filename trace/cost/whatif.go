package cost

import (
	"fmt"
	"iter"
	"math"
)

// WhatIfOptions configure [Table.WhatIf]. The zero value works.
type WhatIfOptions struct {
	// Ratio is how many tokens of the other model the same text has for a token of
	// the model that was used. Default: 1. Package chunk/token measures it on your
	// texts.
	Ratio float64

	// Spread is the uncertainty of Ratio: 0.15 means 15 % less to 15 % more.
	// Default: 0.15, a usual difference of tokenizers on English text. Negative:
	// none, for a model with the same tokenizer.
	Spread float64
}

// A WhatIf is what calls would have cost on another model.
type WhatIf struct {
	Model string
	Calls int64

	// Unpriced calls have no price on the other model, or no usage that can be
	// priced. They are in none of the sums, nor are those of UnknownPaid, whose own
	// model has no price.
	Unpriced, UnknownPaid int64

	PaidPicoUSD int64 // of the calls that are compared
	PicoUSD     int64 // on the other model
	LowPicoUSD  int64 // with a token ratio at the low end of Spread
	HighPicoUSD int64
}

// WhatIf answers what entries would have cost on another model. Each call is priced
// alone, because prices depend on the size of a request. Its cached tokens and its
// reasoning stay as they are: a model without a cache bills them as input, and one
// that reasons less or more costs less or more than this. The service tier stays
// too; calls of a tier that is not known for the model are unpriced. Whether the
// other model answers as well, only an evaluation shows. The error wraps
// [ErrOption], [ErrUnknownModel] or [ErrOverflow].
func (t *Table) WhatIf(entries iter.Seq[Entry], model string, o *WhatIfOptions) (WhatIf, error) {
	p := WhatIfOptions{}
	if o != nil {
		p = *o
	}
	if p.Ratio == 0 {
		p.Ratio = 1
	}
	if p.Spread == 0 {
		p.Spread = 0.15
	}
	p.Spread = max(p.Spread, 0)
	if entries == nil || !(p.Ratio > 0 && p.Ratio <= 100) || !(p.Spread < 1) {
		return WhatIf{}, fmt.Errorf("%w: WhatIf needs entries, a Ratio above 0 and at most 100, and a Spread below 1: %+v", ErrOption, p)
	}
	if _, _, err := t.Find(model); err != nil {
		return WhatIf{}, err
	}
	out := WhatIf{Model: model}
	for e := range entries {
		out.Calls++
		paid, err := t.Bill(e.Model, e.Service, e.Usage)
		if err != nil {
			out.UnknownPaid++
			continue
		}
		var bills [3]Bill
		for i, ratio := range []float64{p.Ratio, p.Ratio * (1 - p.Spread), p.Ratio * (1 + p.Spread)} {
			if bills[i], err = t.Bill(model, e.Service, e.Usage.times(ratio)); err != nil {
				break
			}
		}
		if err != nil {
			out.Unpriced++
			continue
		}
		for _, f := range []struct {
			to *int64
			n  int64
		}{{&out.PaidPicoUSD, paid.PicoUSD}, {&out.PicoUSD, bills[0].PicoUSD}, {&out.LowPicoUSD, bills[1].PicoUSD}, {&out.HighPicoUSD, bills[2].PicoUSD}} {
			if *f.to > math.MaxInt64-f.n {
				return WhatIf{}, fmt.Errorf("%w: what the calls would cost on %s", ErrOverflow, model)
			}
			*f.to += f.n
		}
	}
	return out, nil
}

// times scales usage. The parts are rounded, and the totals are made of them, so that
// no part is larger than its total.
func (u Usage) times(ratio float64) Usage {
	if ratio == 1 {
		return u
	}
	in, out := u.plain()
	s := func(n int64) int64 { return int64(math.Round(float64(n) * ratio)) }
	v := Usage{CacheRead: s(u.CacheRead), CacheWrite5m: s(u.CacheWrite5m), CacheWrite1h: s(u.CacheWrite1h), AudioIn: u.AudioIn, ImageIn: u.ImageIn,
		Reasoning: s(u.Reasoning), AudioOut: u.AudioOut, ImageOut: u.ImageOut}
	v.Input = s(in) + v.CacheRead + v.CacheWrite5m + v.CacheWrite1h + v.AudioIn + v.ImageIn
	v.Output = s(out) + v.Reasoning + v.AudioOut + v.ImageOut
	return v
}
