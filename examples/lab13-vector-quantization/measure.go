package main

import (
	"cmp"
	"slices"

	"github.com/prodailabs/prodai/retrieve/vecquant"
)

// measure codes the vectors with each quantizer and asks the queries.
func (l *lab) measure(vectors, queries [][]float32) ([]row, error) {
	coders, err := coders(vectors)
	if err != nil {
		return nil, err
	}
	exact := make([][]float32, len(queries)) // scores
	truth := make([][]int, len(queries))
	for i, q := range queries {
		for _, v := range vectors {
			exact[i] = append(exact[i], dot(q, v))
		}
		truth[i] = best(exact[i], l.k)
	}
	var rows []row
	for _, c := range coders {
		codes, lost, err := encode(c, vectors)
		if err != nil {
			return nil, err
		}
		r := row{name: c.name, family: c.family, bytes: c.CodeSize(), bits: 8 * float64(c.CodeSize()) / float64(c.Dim()), lost: lost, recall: make([]float64, len(factors))}
		scores := make([]float32, len(vectors))
		for i, q := range queries {
			s, err := c.Query(q, vecquant.MetricCosine)
			if err != nil {
				return nil, err
			}
			if err := s.Scores(codes, scores); err != nil {
				return nil, err
			}
			for j, f := range factors {
				r.recall[j] += shared(rescored(scores, exact[i], l.k, f), truth[i]) / float64(len(queries))
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// encode returns the codes of all vectors, and the share of the variance that is lost.
func encode(c coder, vectors [][]float32) ([]byte, float64, error) {
	var codes []byte
	var err error
	mean := make([]float64, c.Dim())
	for _, v := range vectors {
		if codes, err = c.Encode(codes, v); err != nil {
			return nil, 0, err
		}
		for j, e := range v {
			mean[j] += float64(e) / float64(len(vectors))
		}
	}
	var wrong, variance float64
	decoded := make([]float32, 0, c.Dim())
	for i, v := range vectors {
		if decoded, err = c.Decode(decoded[:0], codes[i*c.CodeSize():][:c.CodeSize()]); err != nil {
			return nil, 0, err
		}
		scale := float32(1)
		if c.family == "binary" { // its elements are 1 and -1: the scale with the least error
			if scale = dot(v, decoded) / dot(decoded, decoded); scale < 0 {
				scale = 0
			}
		}
		for j, e := range v {
			d, m := float64(e-scale*decoded[j]), float64(e)-mean[j]
			wrong, variance = wrong+d*d, variance+m*m
		}
	}
	return codes, wrong / variance, nil
}

// rescored returns the k best of the factor·k best by the codes; with a factor of 1, the
// codes alone decide.
func rescored(codes, exact []float32, k, factor int) []int {
	candidates := best(codes, k*factor)
	slices.SortStableFunc(candidates, func(a, b int) int { return cmp.Compare(exact[b], exact[a]) })
	return candidates[:min(k, len(candidates))]
}

// best returns the places of the n highest scores, best first, ties by the lower place.
func best(scores []float32, n int) []int {
	places := make([]int, len(scores))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	return places[:min(n, len(places))]
}

// shared returns the share of the true ones that were found.
func shared(found, truth []int) float64 {
	n := 0
	for _, t := range truth {
		if slices.Contains(found, t) {
			n++
		}
	}
	return float64(n) / float64(len(truth))
}

func dot(a, b []float32) float32 {
	var sum float32
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
