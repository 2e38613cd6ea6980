package judge

import (
	"fmt"
	"math"
)

// ContextPrecision is RAGAS's context precision over the verdicts "this passage
// was useful", in the order of retrieval:
//
//	Σ precision@k · v_k / (Σ v + 10⁻¹⁰)
//
// It is 0 if none was useful. It ignores useful passages that were not retrieved.
func ContextPrecision(useful []bool) float64 {
	sum, hits := 0.0, 0.0
	for k, v := range useful {
		if v {
			hits++
			sum += hits / float64(k+1)
		}
	}
	return sum / (hits + 1e-10)
}

// Faithfulness is RAGAS's faithfulness: the share of the answer's claims that the
// passages support. Without a claim it is undefined ([ErrUndefined]): RAGAS
// returns NaN there, and DeepEval 1.
func Faithfulness(supported []bool) (float64, error) { return share("claims", supported) }

// ContextRecall is RAGAS's context recall with a reference: the share of the
// reference answer's claims that the passages contain. Without a claim it is
// undefined.
func ContextRecall(attributed []bool) (float64, error) { return share("claims", attributed) }

func share(what string, verdicts []bool) (float64, error) {
	if len(verdicts) == 0 {
		return 0, fmt.Errorf("%w: no %s", ErrUndefined, what)
	}
	n := 0
	for _, v := range verdicts {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(verdicts)), nil
}

// AnswerRelevancy is RAGAS's answer relevancy: the mean cosine of the question's
// vector and those of questions that a model wrote from the answer. It is 0 if each
// of these questions came from a noncommittal answer, such as "I don't know", so it
// punishes a correct refusal as well.
func AnswerRelevancy[F float32 | float64](question []F, generated [][]F, noncommittal []bool) (float64, error) {
	if len(generated) == 0 || len(generated) != len(noncommittal) {
		return 0, fmt.Errorf("%w: %d questions and %d marks: want as many of both, at least one", ErrUndefined, len(generated), len(noncommittal))
	}
	sum, all := 0.0, true
	for i, g := range generated {
		c, err := cosine(question, g)
		if err != nil {
			return 0, fmt.Errorf("question %d: %w", i, err)
		}
		sum += c
		all = all && noncommittal[i]
	}
	if all {
		return 0, nil
	}
	return sum / float64(len(generated)), nil
}

func cosine[F float32 | float64](a, b []F) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("%w: vectors of length %d and %d", ErrUndefined, len(a), len(b))
	}
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	c := dot / math.Sqrt(aa) / math.Sqrt(bb)
	if math.IsNaN(c) || math.IsInf(c, 0) {
		return 0, fmt.Errorf("%w: the cosine of a vector that is zero or not finite", ErrUndefined)
	}
	return c, nil
}

// NoiseVerdicts are what [NoiseSensitivity] is computed from. Rows of the first two
// are statements, columns are retrieved passages.
type NoiseVerdicts struct {
	Answer    [][]bool // statement i of the answer is supported by passage k
	Reference [][]bool // statement i of the reference answer is supported by passage k
	Correct   []bool   // statement i of the answer is supported by the reference answer
}

// NoiseSensitivity is RAGAS's noise sensitivity, the share of the answer's
// statements that are wrong and come from the passages. A passage is relevant if it
// supports a statement of the reference answer.
//
//	relevant    wrong, and a relevant passage supports it
//	irrelevant  wrong, and only irrelevant passages support it
//
// Lower is better.
func NoiseSensitivity(v *NoiseVerdicts) (relevant, irrelevant float64, err error) {
	if v == nil || len(v.Answer) == 0 || len(v.Answer) != len(v.Correct) {
		return 0, 0, fmt.Errorf("%w: want as many rows of Answer as values of Correct, at least one", ErrUndefined)
	}
	passages := len(v.Answer[0])
	useful := make([]bool, passages)
	for _, rows := range [][][]bool{v.Answer, v.Reference} {
		for i, row := range rows {
			if len(row) != passages {
				return 0, 0, fmt.Errorf("%w: row %d has %d passages, row 0 of Answer %d", ErrUndefined, i, len(row), passages)
			}
		}
	}
	for _, row := range v.Reference {
		for k, supports := range row {
			useful[k] = useful[k] || supports
		}
	}
	for i, row := range v.Answer {
		if v.Correct[i] {
			continue
		}
		byRelevant, byOther := false, false
		for k, supports := range row {
			byRelevant = byRelevant || supports && useful[k]
			byOther = byOther || supports && !useful[k]
		}
		if byRelevant {
			relevant++
		} else if byOther {
			irrelevant++
		}
	}
	n := float64(len(v.Answer))
	return relevant / n, irrelevant / n, nil
}

// Claims counts the claims of an answer against those of a reference answer.
type Claims struct {
	TruePositive  int // in both
	FalsePositive int // in the answer only
	FalseNegative int // in the reference only
}

// FactualCorrectness is RAGAS's F score over claims, with recall beta times as
// important as precision. It is 0 if no claim is in both. A negative count or beta
// is an [ErrOption].
func FactualCorrectness(c Claims, beta float64) (float64, error) {
	if c.TruePositive < 0 || c.FalsePositive < 0 || c.FalseNegative < 0 || !(beta > 0) || math.IsInf(beta, 0) {
		return 0, fmt.Errorf("%w: the claims are %+v and beta is %v: want counts of 0 or more and a positive beta", ErrOption, c, beta)
	}
	if c.TruePositive == 0 {
		return 0, nil
	}
	tp := float64(c.TruePositive)
	precision := tp / (tp + float64(c.FalsePositive))
	recall := tp / (tp + float64(c.FalseNegative))
	b := beta * beta
	return (1 + b) * precision * recall / (b*precision + recall), nil
}

// AnswerWeights are the parts of [AnswerCorrectness]. RAGAS's are ¾ and ¼.
type AnswerWeights struct{ Facts, Similarity float64 }

// AnswerCorrectness is RAGAS's answer correctness: the weighted mean of
// [FactualCorrectness] and the cosine of the two answers' vectors.
func AnswerCorrectness(facts, similarity float64, w AnswerWeights) (float64, error) {
	total := w.Facts + w.Similarity
	if w.Facts < 0 || w.Similarity < 0 || !(total > 0) || math.IsInf(total, 0) {
		return 0, fmt.Errorf("%w: the weights are %+v: want 0 or more, one of them positive", ErrOption, w)
	}
	return (w.Facts*facts + w.Similarity*similarity) / total, nil
}

// ContextEntityRecall is RAGAS's context entity recall: how many different entities
// of the reference are in the passages, by the number of the reference's entities.
// As in RAGAS, the denominator counts an entity as often as it is listed, so a
// reference that repeats a name can't reach 1.
func ContextEntityRecall(reference, context []string) float64 {
	in := map[string]bool{}
	for _, e := range context {
		in[e] = true
	}
	common := 0.0
	for _, e := range reference {
		if in[e] {
			common++
			in[e] = false
		}
	}
	return common / (float64(len(reference)) + 1e-8)
}
