package token_test

import "fmt"

// mergePlainly is byte-pair encoding as it is defined. Of all adjacent pairs that make
// a token it merges the one of the lowest rank, the leftmost if there are several. It
// repeats that until no pair makes a token. Every merge looks at all pairs again, so a
// piece of n bytes takes time that grows with n². [token.Encoding] finds the same
// tokens in linear time, and the tests compare the two.
//
// Traps:
//   - The lowest rank wins, not the longest token. Taking the longest token from the
//     left gives other tokens, as the example shows.
//   - The parts are bytes, not characters. A token can end inside a character.
//   - A piece that is a token as a whole is one token, also if no merges lead to it.
//   - Pieces are encoded alone. A text is cut into pieces by the pattern first, and no
//     merge crosses the place between two pieces.
func mergePlainly(ranks map[string]int, piece string) []int {
	if id, ok := ranks[piece]; ok {
		return []int{id}
	}
	ends := make([]int, 0, len(piece)+1) // the places between the parts, 0 and len(piece) included
	for i := range len(piece) + 1 {
		ends = append(ends, i)
	}
	for {
		best, at := -1, -1
		for i := 0; i+2 < len(ends); i++ {
			if id, ok := ranks[piece[ends[i]:ends[i+2]]]; ok && (best < 0 || id < best) {
				best, at = id, i
			}
		}
		if best < 0 {
			break
		}
		ends = append(ends[:at+1], ends[at+2:]...)
	}
	var ids []int
	for i := 0; i+1 < len(ends); i++ {
		ids = append(ids, ranks[piece[ends[i]:ends[i+1]]])
	}
	return ids
}

// Byte-pair encoding with eleven tokens. "low" and "er" are tokens, but the merge to
// "ower" has a lower rank than the one to "low".
func Example_bytePairEncoding() {
	tokens := []string{"l", "o", "w", "e", "r", "ow", "lo", "er", "ower", "low", "lower!"}
	ranks := map[string]int{}
	for rank, t := range tokens {
		ranks[t] = rank
	}
	for _, piece := range []string{"lower", "low", "lower!"} {
		ids := mergePlainly(ranks, piece)
		fmt.Print(piece, " ", ids)
		for _, id := range ids {
			fmt.Printf(" %q", tokens[id])
		}
		fmt.Println()
	}
	// Output:
	// lower [0 8] "l" "ower"
	// low [9] "low"
	// lower! [10] "lower!"
}
