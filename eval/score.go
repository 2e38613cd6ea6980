package eval

import (
	"fmt"
	"strconv"
	"strings"
)

// A Signature names everything that changes a score: the metric, its options, the
// version of the definition and the data it saw. Two BLEU scores with different
// tokenizers are different metrics that share a name, and comparing them is the
// most common mistake of the field (Post 2018, "A Call for Clarity in Reporting
// BLEU Scores"). Signatures are compared with ==.
type Signature struct {
	Metric        string `json:"metric"`            // "BLEU", "chrF2++", "rougeL"
	Params        string `json:"params,omitempty"`  // options as key:value|key:value, in the metric's own order
	Version       string `json:"version,omitempty"` // the version of the definition: of the reference implementation, where there is one
	Refs          int    `json:"refs,omitempty"`    // references a segment has; -1 where it varies, 0 where the metric counts none
	N             int    `json:"n,omitempty"`       // segments scored
	Seed          string `json:"seed,omitempty"`    // of what was random, "" if nothing was
	LowerIsBetter bool   `json:"lower,omitempty"`   // a smaller value is better
}

// String returns the options in sacreBLEU's form, the metric's name left out:
// nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0.
func (s Signature) String() string { return s.format(strings.Clone) }

// Short returns sacreBLEU's abbreviated form:
// #:1|c:mixed|e:no|tok:13a|s:exp|v:2.6.0.
func (s Signature) Short() string {
	return s.format(func(key string) string {
		switch key {
		case "nrefs":
			return "#"
		case "version":
			return "v"
		case "seed":
			return "rs"
		case "case", "eff", "smooth", "space":
			return key[:1]
		case "tok":
			if s.Metric == "TER" {
				return "t"
			}
		case "norm":
			return "nr"
		case "punct":
			return "pn"
		case "asian":
			return "as"
		}
		return key
	})
}

func (s Signature) format(name func(string) string) string {
	var b strings.Builder
	put := func(key, value string) {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(name(key))
		b.WriteByte(':')
		b.WriteString(value)
	}
	switch {
	case s.Refs < 0:
		put("nrefs", "var")
	case s.Refs > 0:
		put("nrefs", strconv.Itoa(s.Refs))
	}
	if s.Seed != "" {
		put("seed", s.Seed)
	}
	for pair := range strings.SplitSeq(s.Params, "|") {
		if key, value, ok := strings.Cut(pair, ":"); ok {
			put(key, value)
		} else if pair != "" {
			put("option", pair) // of a caller's own metric
		}
	}
	if s.Version != "" {
		put("version", s.Version)
	}
	return b.String()
}

// Name is the metric with its options, without what depends on the data. Reports
// use it for the column, and thresholds refer to it.
func (s Signature) Name() string {
	s.Refs, s.N, s.Seed = 0, 0, ""
	if params := s.String(); params != "" {
		return s.Metric + "|" + params
	}
	return s.Metric
}

// A Score is a value together with the signature that says how it was made.
type Score struct {
	Signature Signature `json:"signature"`
	Value     float64   `json:"value"`
	Skipped   int       `json:"skipped,omitempty"` // segments the metric didn't apply to
	Failed    int       `json:"failed,omitempty"`  // segments it couldn't measure
}

// String returns the score as sacreBLEU prints it, the metric's own details
// left out.
func (s Score) String() string {
	name := s.Signature.Metric
	if sig := s.Signature.String(); sig != "" {
		name += "|" + sig
	}
	return fmt.Sprintf("%s = %.2f", name, s.Value)
}

// Minus returns s - other, or [ErrSignature] if the two scores were not made
// by the same metric, with the same options, over equally many segments.
func (s Score) Minus(other Score) (float64, error) {
	if s.Signature != other.Signature {
		return 0, fmt.Errorf("%w: %s|%s|n:%d and %s|%s|n:%d", ErrSignature,
			s.Signature.Metric, s.Signature, s.Signature.N,
			other.Signature.Metric, other.Signature, other.Signature.N)
	}
	return s.Value - other.Value, nil
}

// signatureList joins names for a signature, which is key:value|key:value. What
// would break that form, or make two lists look alike, is written as % and two
// hexadecimal digits.
func signatureList(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, c := range []byte(name) {
			if c == '%' || c == '|' || c == ',' || c < ' ' || c == 0x7f {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
