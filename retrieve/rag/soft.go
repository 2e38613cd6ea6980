package rag

import (
	"math"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// A WordEmbedder is an embedder of which a word costs next to nothing, such as the table
// of *embed.Embedder. An [Extractive] with one also compares word with word, so that
// "delay" in a question is near "wait" in a passage.
type WordEmbedder interface {
	// Append appends the vector of a text, of length 1, to dst and returns the
	// extended slice.
	Append(dst []float32, text string) []float32
}

// A softener compares texts word by word: the precision and recall of BERTScore, with
// one vector for each word whatever its context, weighted by rarity.
type softener struct {
	r        *ranker
	words    WordEmbedder
	question []softWord
	known    map[string]softWord
}

// A softWord is a word with its vector and its weight.
type softWord struct {
	stem   string
	vector []float32
	rarity float64
}

func (r *ranker) softener(e embeddings.Embedder) *softener {
	words, ok := e.(WordEmbedder)
	if !ok {
		return &softener{}
	}
	s := &softener{r: r, words: words, known: map[string]softWord{}}
	s.question = s.wordsOf(r.q.text)
	return s
}

// wordsOf returns the words of a text that carry meaning, each once.
func (s *softener) wordsOf(text string) []softWord {
	var out []softWord
	seen := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		w, ok := s.known[word]
		if !ok {
			if stems := bm25.English(word); len(stems) > 0 && !askingWords[stems[0]] {
				w = softWord{stems[0], s.words.Append(nil, word), s.r.rarity(stems[0])}
			}
			s.known[word] = w
		}
		if w.stem != "" && !seen[w.stem] {
			seen[w.stem] = true
			out = append(out, w)
		}
	}
	return out
}

// weigh sets the features of a unit.
func (s *softener) weigh(u *scored) {
	if s.words == nil {
		f := &u.features
		f[softUnit], f[softBest] = f[coverage], f[coverageBest]
		f[softQuestion], f[softBack] = f[overlapQuestion], f[overlapQuestion]
		f[softAsked] = f[overlapAsked]
		return
	}
	f := &u.features
	f[softUnit] = recall(s.question, s.wordsOf(u.title+" "+u.text))
	for _, span := range u.sentences {
		f[softBest] = max(f[softBest], recall(s.question, s.wordsOf(u.text[span.Start:span.End])))
	}
	for _, other := range u.asked {
		theirs := s.wordsOf(other)
		a, b := recall(s.question, theirs), recall(theirs, s.question)
		if a+b > 0 {
			f[softAsked] = max(f[softAsked], 2*a*b/(a+b))
		}
	}
	if u.question != "" {
		theirs := s.wordsOf(u.question)
		f[softQuestion], f[softBack] = recall(s.question, theirs), recall(theirs, s.question)
		if opening(u.question) == opening(s.r.q.text) {
			f[sameOpening] = 1
		}
	} else if u.name != "" {
		theirs := s.wordsOf(u.name)
		f[softQuestion], f[softBack] = recall(s.question, theirs), recall(theirs, s.question)
	}
}

// recall returns how near the words of a text are to the nearest of another, on
// average, 0 to 1.
func recall(want, have []softWord) float64 {
	sum, total := 0.0, 0.0
	for _, w := range want {
		best := 0.0
		for _, h := range have {
			if w.stem == h.stem {
				best = 1
				break
			}
			dot := 0.0
			for i, x := range w.vector {
				dot += float64(x) * float64(h.vector[i])
			}
			best = max(best, clamp(dot, 1))
		}
		// Most pairs of words have a cosine of some tenths, which says nothing.
		best = math.Max(0, (best-softFloor)/(1-softFloor))
		sum += w.rarity * best
		total += w.rarity
	}
	if total == 0 {
		return 0
	}
	return sum / total
}

// softFloor is the cosine of two words that have nothing in common.
const softFloor = 0.3

// opening returns the first word of a question.
func opening(question string) string {
	for _, w := range strings.Fields(strings.ToLower(question)) {
		w = strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) })
		switch w {
		case "what", "why", "how", "when", "which", "where", "who":
			return w
		case "what's", "whats":
			return "what"
		case "should", "can", "is", "are", "do", "does":
			return "yes or no"
		}
	}
	return ""
}
