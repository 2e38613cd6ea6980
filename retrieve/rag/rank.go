package rag

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/internal/sentence"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// The features of a unit for a question, each about 0 to 1.
const (
	bias            = iota // 1
	coverage               // the share of the question's words that the unit has, rare ones counting more
	coverageTitle          // and those that only its headings have
	coverageBest           // the share that its best sentence has
	missing                // the weight of the rarest word of the question that is missing
	cosineUnit             // how near the unit is to the question in meaning
	cosineBest             // how near its nearest sentence is
	cosineQuestion         // how near the question is that the unit answers
	overlapQuestion        // the words that the two questions share, of those that they have
	isAnswer               // the unit answers a question
	nameHit                // the share of the question that is the name of the term
	definition             // the question asks for the definition that the unit is
	isTerm                 // the unit defines a term
	aroundShare            // the share of earlier turns' words that the unit has
	isCode                 // the unit is a program
	isPitfall              // the unit warns
	isGoal                 // the unit lists what the reader will be able to do
	lengthShort            // the unit has few words
	softUnit               // how near the question's words are to words of the unit
	softBest               // and to those of one sentence
	softQuestion           // and to those of the question that the unit answers
	softBack               // how near the words of that question are to the user's
	sameOpening            // both questions begin alike: with "why", "how", ...
	cosineAsked            // how near the question is to one that the unit is known to answer
	overlapAsked           // the words that the two share, of those that they have
	softAsked              // how near the question's words are to those of such a question
	relative               // how the unit's nearness in meaning compares with the best unit's
	relativeWords          // how its words do
	features
)

type vector [features]float64

// A scored unit.
type scored struct {
	unit
	score     float64 // the probability that it answers
	features  vector
	sentences []sentence.Span // of unit.text, those that are prose
	best      sentence.Span   // the one that answers
	named     bool            // the question asks what exactly this term is
}

// namedScore is the least score of a term that a question asks for by exactly its name,
// or another one of its names, however little else they share: "What is P2C?".
const namedScore = 0.5

// rank scores the units for a question, best first.
func (e *Extractive) rank(ctx context.Context, q asked, all []unit) ([]scored, error) {
	r := &ranker{q: q, out: make([]scored, len(all))}
	if e.o.Rarity != nil {
		r.rarity = func(stem string) float64 { return clamp(e.o.Rarity(stem), mostRare) }
	} else {
		r.rarity = rarityAmong(all)
	}
	for w := range q.words {
		r.total += r.rarity(w)
		r.rarest = max(r.rarest, r.rarity(w))
	}
	for i, u := range all {
		r.out[i].unit, r.out[i].sentences = u, sentencesOf(u.text)
		if e.o.Asked != nil {
			r.out[i].asked = e.o.Asked(u.text)
		}
	}
	texts, places := r.texts()
	vectors, err := e.embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	soft := r.softener(e.o.Embedder)
	near := func(i int) float64 {
		if vectors == nil || i == 0 {
			return 0
		}
		return clamp(cosine(vectors[0], vectors[i]), 1)
	}
	question := strings.ToLower(strings.Trim(q.text, " ?!."))
	for i := range r.out {
		p := places[i]
		var cosines []float64
		for k := p.from; k < p.to; k++ {
			cosines = append(cosines, near(k))
		}
		r.weigh(&r.out[i], near(p.unit), cosines, near(p.question))
		for k, other := range r.out[i].asked {
			f := &r.out[i].features
			f[cosineAsked] = max(f[cosineAsked], near(p.asked+k))
			f[overlapAsked] = max(f[overlapAsked], r.overlap(set(Terms(other))))
		}
		soft.weigh(&r.out[i])
		if vectors == nil { // words alone
			f := &r.out[i].features
			f[cosineUnit], f[cosineBest] = f[coverage]*0.8, f[coverageBest]*0.8
			if f[isAnswer] > 0 {
				f[cosineQuestion] = f[overlapQuestion]
			}
		}
	}
	r.compare()
	for i := range r.out {
		if r.out[i].score = r.out[i].probability(q.intent); r.out[i].repeats(question) {
			r.out[i].score = 0
		} else if r.out[i].named {
			r.out[i].score = max(r.out[i].score, namedScore)
		}
	}
	slices.SortStableFunc(r.out, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	return r.out, nil
}

// mostRare is the largest weight of a word: that of one in some hundred million passages.
const mostRare = 20

// clamp returns x, or the nearest number from 0 to most; 0 if x is not a number.
func clamp(x, most float64) float64 {
	if !(x > 0) {
		return 0
	}
	return min(x, most)
}

// repeats reports whether a unit only quotes the question, of three words or more.
func (u *unit) repeats(question string) bool {
	return u.question == "" && strings.Count(question, " ") >= 2 && strings.Contains(strings.ToLower(u.text), question)
}

// A place is where the texts of a unit are among those to embed; 0: there is none.
type place struct{ unit, question, asked, from, to int }

// texts returns the texts to embed, the question first, and where each unit's are.
func (r *ranker) texts() ([]string, []place) {
	texts := []string{r.q.text}
	places := make([]place, len(r.out))
	for i := range r.out {
		u := &r.out[i]
		places[i] = place{unit: len(texts), from: len(texts) + 1}
		texts = append(texts, strings.ReplaceAll(u.title, "›", ">")+"\n"+u.text)
		for _, s := range u.sentences {
			texts = append(texts, u.text[s.Start:s.End])
		}
		places[i].to = len(texts)
		if u.question != "" {
			places[i].question = len(texts)
			texts = append(texts, u.question)
		}
		places[i].asked = len(texts)
		texts = append(texts, u.asked...)
	}
	return texts, places
}

// embed returns the vectors of texts, nil without an embedder.
func (e *Extractive) embed(ctx context.Context, texts []string) ([][]float32, error) {
	if e.o.Embedder == nil {
		return nil, nil
	}
	vectors, err := e.o.Embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("rag: embed the passages: %w", err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("rag: the embedder returned %d vectors for %d texts", len(vectors), len(texts))
	}
	for _, v := range vectors {
		if len(v) != len(vectors[0]) {
			return nil, fmt.Errorf("rag: the embedder returned vectors of %d and of %d elements", len(vectors[0]), len(v))
		}
	}
	return vectors, nil
}

type ranker struct {
	q      asked
	rarity func(string) float64
	total  float64 // of the question's words
	rarest float64
	out    []scored
}

// weigh sets a unit's features and its best sentence.
func (r *ranker) weigh(s *scored, cosUnit float64, cosSentences []float64, cosQuestion float64) {
	if r.total == 0 {
		return
	}
	f := &s.features
	own, above := set(bm25.English(s.text)), set(bm25.English(s.title))
	f[bias] = 1
	f[cosineUnit] = cosUnit
	r.weighWords(f, own, above)
	r.weighSentences(s, cosSentences)
	if s.name != "" {
		r.weighTerm(s)
	}
	if s.question != "" {
		f[isAnswer], f[cosineQuestion] = 1, cosQuestion
		f[overlapQuestion] = r.overlap(set(Terms(s.question)))
	}
	if len(r.q.around) > 0 {
		f[aroundShare] = share(r.q.around, own)*0.7 + share(r.q.around, above)*0.3
	}
	if s.code {
		f[isCode] = 1
	}
	path := strings.Split(s.title, " › ")
	switch path[len(path)-1] {
	case "Pitfalls":
		f[isPitfall] = 1
	case "What you will be able to do", "Lab", "Exercises", "Further reading":
		f[isGoal] = 1
	}
	f[lengthShort] = 1 / (1 + float64(len(own))/8)
}

// compare sets the features that compare a unit with the others.
func (r *ranker) compare() {
	bestMeaning, bestWords := 0.01, 0.01
	for i := range r.out {
		f := &r.out[i].features
		bestMeaning = max(bestMeaning, f[cosineUnit], f[cosineQuestion], f[cosineAsked])
		bestWords = max(bestWords, f[coverage], f[overlapQuestion], f[overlapAsked])
	}
	for i := range r.out {
		f := &r.out[i].features
		f[relative] = max(f[cosineUnit], f[cosineQuestion], f[cosineAsked]) / bestMeaning
		f[relativeWords] = max(f[coverage], f[overlapQuestion], f[overlapAsked]) / bestWords
	}
}

// weighWords compares the question's words with the unit's own and its headings'.
func (r *ranker) weighWords(f *vector, own, above map[string]bool) {
	var has, titled, lost float64
	for w := range r.q.words {
		idf := r.rarity(w)
		switch {
		case own[w]:
			has += idf
		case above[w]:
			titled += idf
		default:
			lost = max(lost, idf)
		}
	}
	f[coverage], f[coverageTitle], f[missing] = has/r.total, titled/r.total, lost/r.rarest
}

// weighSentences compares the question with each sentence, and finds the one that
// answers.
func (r *ranker) weighSentences(s *scored, cosines []float64) {
	best := -1.0
	for i, span := range s.sentences {
		text := s.text[span.Start:span.End]
		words := set(bm25.English(text))
		share := 0.0
		for w := range r.q.words {
			if words[w] {
				share += r.rarity(w) / r.total
			}
		}
		s.features[coverageBest] = max(s.features[coverageBest], share)
		s.features[cosineBest] = max(s.features[cosineBest], cosines[i])
		if strings.HasSuffix(text, "?") || len(words) < 3 { // it answers nothing
			continue
		}
		if rank := share + cosines[i]; rank > best {
			best, s.best = rank, span
		}
	}
}

// weighTerm compares the question with the names of the term that a unit defines.
func (r *ranker) weighTerm(s *scored) {
	f := &s.features
	f[isTerm] = 1
	if r.q.intent == intentDefine && len(s.sentences) > 0 {
		s.best = s.sentences[0]
	}
	for i, name := range append([]string{s.name}, s.also...) {
		stems := set(Terms(strings.ToLower(name))) // P2C is not also P2 and C
		part := 0.0
		for w := range stems {
			if !r.q.words[w] {
				part = 0
				break
			}
			part += r.rarity(w) / r.total
		}
		if i > 0 { // another name is not quite the name
			part *= 0.95
		}
		f[nameHit] = max(f[nameHit], part)
		if len(stems) == 0 {
			continue
		}
		if r.q.intent == intentDefine {
			f[definition] = max(f[definition], jaccard(stems, r.q.subject))
		}
		s.named = s.named || slices.ContainsFunc(r.q.names, func(asked map[string]bool) bool { return maps.Equal(stems, asked) })
	}
}

// overlap returns the weight of the words that the question shares with another one,
// of those that either has.
func (r *ranker) overlap(theirs map[string]bool) float64 {
	both, either := 0.0, r.total
	for w := range theirs {
		if r.q.words[w] {
			both += r.rarity(w)
		} else {
			either += r.rarity(w)
		}
	}
	if either == 0 {
		return 0
	}
	return both / either
}

func jaccard(a, b map[string]bool) float64 {
	both := 0
	for w := range a {
		if b[w] {
			both++
		}
	}
	if n := len(a) + len(b) - both; n > 0 {
		return float64(both) / float64(n)
	}
	return 0
}

// probability returns how likely a unit answers.
func (s *scored) probability(i intent) float64 {
	f := &s.features
	if f[bias] == 0 {
		return 0
	}
	w := &weights
	if len(s.asked) > 0 {
		w = &weightsAsked
	}
	z := 0.0
	for k, x := range f {
		z += w[k] * x
	}
	if i == intentShow { // a program is what is asked for
		z -= 2 * w[isCode] * f[isCode]
	}
	return 1 / (1 + math.Exp(-z))
}

// rarityAmong returns the rarity of words among the units, for a program that has no
// statistics of its collection.
func rarityAmong(all []unit) func(string) float64 {
	n := map[string]int{}
	for _, u := range all {
		for w := range set(bm25.English(u.title + "\n" + u.text)) {
			n[w]++
		}
	}
	return func(w string) float64 {
		return math.Log(1 + (float64(len(all)-n[w])+0.5)/(float64(n[w])+0.5))
	}
}

// sentencesOf returns the sentences of a unit that are prose.
func sentencesOf(text string) []sentence.Span {
	var out []sentence.Span
	fenced := false
	for _, s := range sentence.Split(text) {
		part := text[s.Start:s.End]
		marks := strings.Count(part, "```")
		if fenced || marks > 0 || strings.HasPrefix(part, "|") || strings.HasPrefix(part, "\t") || strings.Contains(part, "\n\t") {
			if marks%2 == 1 {
				fenced = !fenced
			}
			continue
		}
		for _, mark := range []string{"> ", "- ", "* ", "+ "} {
			if strings.HasPrefix(text[s.Start:s.End], mark) {
				s.Start += len(mark)
			}
		}
		if s.Start < s.End {
			out = append(out, s)
		}
	}
	return out
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 || len(a) != len(b) {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
