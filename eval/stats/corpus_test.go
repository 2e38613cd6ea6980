package stats

import "math"

// corpusScores are sacreBLEU's default metrics as functions of the sums of
// their statistics.
var corpusScores = map[string]func(sum []float64) float64{"BLEU": bleuScore, "chrF2": chrfScore, "TER": terScore}

// bleuScore: lengths of system and reference, matches of four orders, totals
// of four orders; exponential smoothing.
func bleuScore(s []float64) float64 {
	order := (len(s) - 2) / 2
	correct, total := s[2:2+order], s[2+order:]
	bp := 1.0
	if s[0] < s[1] {
		bp = 0
		if s[0] > 0 {
			bp = math.Exp(1 - s[1]/s[0])
		}
	}
	any := false
	for _, c := range correct {
		any = any || c > 0
	}
	if !any {
		return 0
	}
	logs, halve := 0.0, 1.0
	for n := range order {
		if total[n] == 0 {
			return 0
		}
		if correct[n] == 0 {
			halve *= 2
			logs += math.Log(100 / (halve * total[n]))
		} else {
			logs += math.Log(100 * correct[n] / total[n])
		}
	}
	return bp * math.Exp(logs/float64(order))
}

// chrfScore: triples of system's, reference's and common n-grams; beta 2.
func chrfScore(s []float64) float64 {
	var p, r, k float64
	for i := 0; i+3 <= len(s); i += 3 {
		if s[i] > 0 && s[i+1] > 0 {
			p += s[i+2] / s[i]
			r += s[i+2] / s[i+1]
			k++
		}
	}
	if k == 0 || p+r == 0 {
		return 0
	}
	p /= k
	r /= k
	return 100 * 5 * p * r / (4*p + r)
}

// terScore: edits and reference length.
func terScore(s []float64) float64 {
	if s[1] > 0 {
		return 100 * s[0] / s[1]
	}
	if s[0] > 0 {
		return 100
	}
	return 0
}
