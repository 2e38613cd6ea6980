package injection

import _ "embed"

// bigramTable holds, for each pair of letters (a to z, then the gap between
// words), 16 times the log2 probability that the second follows the first, from
// text in English, German, French, Spanish, Italian, Portuguese and Dutch.
// internal/train writes it.
//
//go:embed bigram.bin
var bigramTable string

const gap = 26

// letter maps a byte to its row of the table.
func letter(b byte) int {
	if b |= 0x20; b >= 'a' && b <= 'z' {
		return int(b - 'a')
	}
	return gap
}

// follows returns log2 P(b after a) in sixteenths of a bit.
func follows(a, b int) int { return int(int8(bigramTable[a*27+b])) }
