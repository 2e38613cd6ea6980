package eval

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Diversity is how varied a set of texts is, by its n-grams of words cut at
// white space.
type Diversity struct {
	// Distinct is the number of different n-grams over all of them, the texts
	// pooled (distinct-n; Li et al. 2016). It falls with the amount of text, so
	// compare only sets of similar size.
	Distinct float64
	// DistinctMean is the mean over the texts of each one's own ratio.
	DistinctMean float64
	// Entropy of the pooled n-grams, in nats (Zhang et al. 2018).
	Entropy float64
}

// DistinctN measures the diversity of texts by n-grams of words. It fails with
// [ErrEmpty] for no texts and [ErrOption] for n < 1.
func DistinctN(texts []string, n int) (Diversity, error) {
	if n < 1 {
		return Diversity{}, fmt.Errorf("%w: n is %d: want 1 or more", ErrOption, n)
	}
	if len(texts) == 0 {
		return Diversity{}, ErrEmpty
	}
	pooled := map[string]int{}
	total, means := 0, 0.0
	for _, text := range texts {
		words := strings.FieldsFunc(text, isSpace)
		own := map[string]bool{}
		count := grams(len(words), n)
		for i := range count {
			g := strings.Join(words[i:i+n], " ")
			own[g] = true
			pooled[g]++
		}
		total += count
		means += ratio(float64(len(own)), float64(count))
	}
	d := Diversity{Distinct: ratio(float64(len(pooled)), float64(total)), DistinctMean: means / float64(len(texts))}
	for _, c := range slices.Sorted(maps.Values(pooled)) { // a fixed order, for a fixed sum
		p := float64(c) / float64(total)
		d.Entropy -= p * math.Log(p)
	}
	return d, nil
}

// SelfBLEU returns, from 0 to 100, the mean BLEU of each text against all the
// others: how much the texts of a generator resemble one another (Zhu et al. 2018).
// Lower is more diverse. It doesn't measure whether the texts are good: noise is
// diverse.
//
// It uses sacreBLEU's sentence settings on words cut at white space. It fails with
// [ErrEmpty] for fewer than two texts.
func SelfBLEU(texts []string) (float64, error) {
	b, err := NewBLEU(&BLEUOptions{Tokenizer: &Tokenizer{"none", splitSpaces}, EffectiveOrder: true})
	if err != nil {
		return 0, err
	}
	return selfBLEU(texts, b, b.Value)
}

// SelfBLEUNLTK returns, from 0 to 1, [SelfBLEU] as NLTK's sentence_bleu with
// smoothing method 1 computes it: an order without matches counts 0.1 of them.
func SelfBLEUNLTK(texts []string) (float64, error) {
	b, err := NewBLEU(&BLEUOptions{Tokenizer: &Tokenizer{"none", splitSpaces}})
	if err != nil {
		return 0, err
	}
	return selfBLEU(texts, b, func(sum []float64) float64 {
		length, ref, counts, totals := sum[0], sum[1], sum[2:6], sum[6:]
		if counts[0] == 0 || length == 0 {
			return 0
		}
		logs := 0.0
		for n := range counts {
			count, total := counts[n], max(totals[n], 1)
			if count == 0 {
				count = 0.1
			}
			logs += math.Log(count/total) / 4
		}
		return math.Exp(min(0, 1-ref/length) + logs)
	})
}

func selfBLEU(texts []string, b *BLEU, value func(sum []float64) float64) (float64, error) {
	if len(texts) < 2 {
		return 0, fmt.Errorf("%w: self-BLEU of %d texts; want 2 or more", ErrEmpty, len(texts))
	}
	sum, row := 0.0, make([]float64, b.Width())
	for i, text := range texts {
		others := slices.Delete(slices.Clone(texts), i, i+1)
		if err := b.Stats(context.Background(), &Case{References: others}, &Output{Text: text}, row); err != nil {
			return 0, err
		}
		sum += value(row)
	}
	return sum / float64(len(texts)), nil
}
