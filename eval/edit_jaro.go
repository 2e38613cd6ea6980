package eval

// Jaro compares short strings such as names: the mean of the shares of
// matching runes on both sides, and of those in the same order (Jaro 1989).
// Runes match within half the longer length.
func Jaro(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	window := max(len(x), len(y))/2 - 1
	if len(x) == 1 && len(y) == 1 {
		window = 0
	}
	inX, inY := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i, r := range x {
		for j := max(0, i-window); j <= min(len(y)-1, i+window); j++ {
			if !inY[j] && y[j] == r {
				inX[i], inY[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	outOfOrder, j := 0, 0
	for i, r := range x {
		if !inX[i] {
			continue
		}
		for !inY[j] {
			j++
		}
		if y[j] != r {
			outOfOrder++
		}
		j++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(outOfOrder/2))/m) / 3
}

// JaroWinkler raises [Jaro] for strings that begin alike, by 0.1 for each of up
// to four common first runes, where Jaro is above 0.7 (Winkler 1990).
func JaroWinkler(a, b string) float64 {
	s := Jaro(a, b)
	if s <= 0.7 {
		return s
	}
	x, y := []rune(a), []rune(b)
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return s + float64(prefix)*0.1*(1-s)
}
