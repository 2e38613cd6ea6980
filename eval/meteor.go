package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// METEOROptions sets which METEOR; nil means the defaults, which are NLTK's.
type METEOROptions struct {
	// Alpha is the weight of precision against recall, above 0 to 1. Default:
	// 0.9, which favors recall.
	Alpha float64
	// Beta is the shape of the penalty for fragments. Default: 3.
	Beta float64
	// Gamma is the weight of the penalty, above 0 to 1. Default: 0.5.
	Gamma float64
	// Synonyms returns the words that mean the same as this one, such as
	// WordNet's lemmas (WordNet isn't part of this package: it is large, and
	// English only). Words come in lower case and, as in NLTK, stemmed. Default:
	// no synonyms.
	Synonyms func(word string) []string
	// SynonymsName names them in the signature. Default: custom with Synonyms,
	// none without.
	SynonymsName string
	// Tokenizer cuts outputs and references. Default: [UnicodeTokenizer].
	Tokenizer *Tokenizer
}

// METEOR matches an output's words with a reference's, first the same, then
// the same stem, then synonyms, and asks how many matched and in how many
// chunks of consecutive words:
//
//	F = P R / (αP + (1-α)R)     METEOR = F · (1 - γ (chunks/matches)^β)
//
// It agrees with people better than BLEU on single sentences, for English. It
// misleads where the stemmer does ("general" and "generate" share a stem), and
// its values depend on the word lists used.
//
// Words are matched greedily from the end, as NLTK does, which is not always
// the alignment with the fewest chunks that the paper asks for. Of several
// references the best counts.
//
// Source: Lavie and Agarwal 2007; the definitions of NLTK 3.10.4.
type METEOR struct{ o METEOROptions }

// NewMETEOR returns the metric with these options; nil means the defaults.
func NewMETEOR(o *METEOROptions) (*METEOR, error) {
	m := &METEOR{}
	if o != nil {
		m.o = *o
	}
	m.o.Alpha, m.o.Beta, m.o.Gamma = cmp.Or(m.o.Alpha, 0.9), cmp.Or(m.o.Beta, 3), cmp.Or(m.o.Gamma, 0.5)
	switch {
	case !(m.o.Alpha > 0 && m.o.Alpha <= 1):
		return nil, fmt.Errorf("%w: METEOROptions.Alpha is %v: want a number above 0, at most 1", ErrOption, m.o.Alpha)
	case !(m.o.Beta > 0):
		return nil, fmt.Errorf("%w: METEOROptions.Beta is %v: want a number above 0", ErrOption, m.o.Beta)
	case !(m.o.Gamma > 0 && m.o.Gamma <= 1):
		return nil, fmt.Errorf("%w: METEOROptions.Gamma is %v: want a number above 0, at most 1", ErrOption, m.o.Gamma)
	}
	if m.o.Tokenizer == nil {
		m.o.Tokenizer = UnicodeTokenizer()
	}
	if err := checkName("METEOROptions.SynonymsName", m.o.SynonymsName); err != nil {
		return nil, err
	}
	return m, nil
}

// CountsReferences returns true; see [ReferenceCounter].
func (m *METEOR) CountsReferences() bool { return true }

// Signature names the metric and its parameters.
func (m *METEOR) Signature() Signature {
	synonyms := m.o.SynonymsName
	if synonyms == "" {
		synonyms = "none"
		if m.o.Synonyms != nil {
			synonyms = "custom"
		}
	}
	return Signature{Metric: "METEOR", Version: "nltk-3.10.4",
		Params: fmt.Sprintf("tok:%s|alpha:%v|beta:%v|gamma:%v|stem:porter|synonyms:%s", m.o.Tokenizer.name, m.o.Alpha, m.o.Beta, m.o.Gamma, synonyms)}
}

// Width is 2: the score and the segment.
func (m *METEOR) Width() int { return 2 }

// Stats writes the segment's score against its best reference.
func (m *METEOR) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	dst[0], dst[1] = 0, 1
	hyp := m.o.Tokenizer.Tokens(o.Text)
	for _, ref := range c.References {
		dst[0] = max(dst[0], m.Score(hyp, m.o.Tokenizer.Tokens(ref)))
	}
	return nil
}

// Value returns the mean score, 0 to 1.
func (m *METEOR) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

// A place is a word and its position.
type place struct {
	at   int
	word string
}

// Score compares an output with one reference, given as tokens.
func (m *METEOR) Score(hyp, ref []string) float64 {
	h, r := places(hyp), places(ref)
	var matches [][2]int
	h, r = matchPlaces(h, r, &matches, func(p place) []string { return []string{p.word} })
	for _, side := range [][]place{h, r} {
		for i := range side {
			side[i].word = PorterStem(side[i].word, PorterNLTK)
		}
	}
	h, r = matchPlaces(h, r, &matches, func(p place) []string { return []string{p.word} })
	if m.o.Synonyms != nil {
		matchPlaces(h, r, &matches, func(p place) []string { return append(m.o.Synonyms(p.word), p.word) })
	}
	if len(matches) == 0 {
		return 0
	}
	n := float64(len(matches))
	precision, recall := n/float64(len(hyp)), n/float64(len(ref))
	mean := precision * recall / (m.o.Alpha*precision + (1-m.o.Alpha)*recall)
	slices.SortFunc(matches, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	chunks := 1
	for i := 1; i < len(matches); i++ {
		if matches[i][0] != matches[i-1][0]+1 || matches[i][1] != matches[i-1][1]+1 {
			chunks++
		}
	}
	return (1 - m.o.Gamma*math.Pow(float64(chunks)/n, m.o.Beta)) * mean
}

func places(tokens []string) []place {
	out := make([]place, len(tokens))
	for i, t := range tokens {
		out[i] = place{i, string(appendLower(nil, t))}
	}
	return out
}

// matchPlaces pairs output words, the last first, each with the last reference
// word that is free and among its candidates, and returns what is left.
func matchPlaces(hyp, ref []place, matches *[][2]int, candidates func(place) []string) (restHyp, restRef []place) {
	free := map[string][]int{} // by word: its positions in ref, in order
	for j, p := range ref {
		free[p.word] = append(free[p.word], j)
	}
	takenHyp, takenRef := make([]bool, len(hyp)), make([]bool, len(ref))
	for i := len(hyp) - 1; i >= 0; i-- {
		best, word := -1, ""
		for _, c := range candidates(hyp[i]) {
			if at := free[c]; len(at) > 0 && at[len(at)-1] > best {
				best, word = at[len(at)-1], c
			}
		}
		if best < 0 {
			continue
		}
		free[word] = free[word][:len(free[word])-1]
		takenHyp[i], takenRef[best] = true, true
		*matches = append(*matches, [2]int{hyp[i].at, ref[best].at})
	}
	rest := func(ps []place, taken []bool) (out []place) {
		for i, p := range ps {
			if !taken[i] {
				out = append(out, p)
			}
		}
		return out
	}
	return rest(hyp, takenHyp), rest(ref, takenRef)
}

// SynonymMap makes a Synonyms function from lists that have the synonyms of each
// word. Words with an underscore, as WordNet writes phrases, are left out.
func SynonymMap(lists map[string][]string) func(string) []string {
	kept := make(map[string][]string, len(lists))
	for word, list := range lists {
		for _, s := range list {
			if !strings.Contains(s, "_") {
				kept[word] = append(kept[word], s)
			}
		}
	}
	return func(word string) []string { return slices.Clip(kept[word]) }
}
