// Package callopt resolves a call's langchaingo options and reports which of them
// were set.
//
// llms.CallOptions has plain zero values, so a caller that asks for temperature 0
// looks like one that asks for nothing. The options are applied a second time, over
// values that no caller writes. This shows the difference.
package callopt

import (
	"math"
	"sync"

	"github.com/tmc/langchaingo/llms"
)

// Field is a numeric option for which 0 has a meaning.
type Field uint8

// The numeric options.
const (
	CandidateCount Field = iota
	MaxTokens
	Temperature
	TopK
	TopP
	Seed
	MinLength
	MaxLength
	N
	RepetitionPenalty
	FrequencyPenalty
	PresencePenalty
	fields
)

// Options are a call's options as every langchaingo client sees them, and
// which of the numeric ones were set.
type Options struct {
	llms.CallOptions
	set [fields]bool
}

// Has reports whether the caller set f, also if it set f to 0.
func (o *Options) Has(f Field) bool { return o.set[f] }

// No caller writes these.
const unsetInt = math.MinInt + 7

func unset(o *llms.CallOptions, f Field) {
	if p := ints(o, f); p != nil {
		*p = unsetInt
		return
	}
	*floats(o, f) = math.NaN()
}

func isUnset(o *llms.CallOptions, f Field) bool {
	if p := ints(o, f); p != nil {
		return *p == unsetInt
	}
	return math.IsNaN(*floats(o, f))
}

func isZero(o *llms.CallOptions, f Field) bool {
	if p := ints(o, f); p != nil {
		return *p == 0
	}
	return *floats(o, f) == 0
}

// Resolve applies the options in order. nil options are skipped.
//
// llms.WithOptions replaces every value at once. A zero in it counts as not set,
// because a wrapper passes on its resolved options in this way.
func Resolve(options []llms.CallOption) Options {
	s := scratches.Get().(*scratch)
	for f := range fields {
		unset(&s.marked, f)
	}
	left := fields // that are unset
	for _, apply := range options {
		if apply == nil {
			continue
		}
		apply(&s.out.CallOptions)
		apply(&s.marked)
		before := left
		left = countUnset(&s.marked)
		if before > 1 && left == 0 { // no single option but WithOptions sets several
			for f := range fields {
				if isZero(&s.marked, f) {
					unset(&s.marked, f)
					left++
				}
			}
		}
	}
	for f := range fields {
		s.out.set[f] = !isUnset(&s.marked, f)
	}
	out := s.out
	*s = scratch{} // it must keep nothing of the caller's alive
	scratches.Put(s)
	return out
}

// A scratch is what options are applied to. The options are functions, so it would be
// on the heap at each call.
type scratch struct {
	out    Options
	marked llms.CallOptions
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func countUnset(o *llms.CallOptions) Field {
	var n Field
	for f := range fields {
		if isUnset(o, f) {
			n++
		}
	}
	return n
}

func ints(o *llms.CallOptions, f Field) *int {
	switch f {
	case CandidateCount:
		return &o.CandidateCount
	case MaxTokens:
		return &o.MaxTokens
	case TopK:
		return &o.TopK
	case Seed:
		return &o.Seed
	case MinLength:
		return &o.MinLength
	case MaxLength:
		return &o.MaxLength
	case N:
		return &o.N
	}
	return nil
}

func floats(o *llms.CallOptions, f Field) *float64 {
	switch f {
	case Temperature:
		return &o.Temperature
	case TopP:
		return &o.TopP
	case RepetitionPenalty:
		return &o.RepetitionPenalty
	case FrequencyPenalty:
		return &o.FrequencyPenalty
	}
	return &o.PresencePenalty
}
