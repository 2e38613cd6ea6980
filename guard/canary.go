package guard

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// A Canary is a secret word in the system prompt that has no other use. An
// answer that contains it has leaked the prompt, whatever else it contains. The
// zero Canary has no word: it plants and finds nothing.
type Canary struct {
	word string
}

// NewCanary returns a canary of 20 random letters. Make one for each session or
// deployment and keep it out of logs.
func NewCanary() Canary {
	raw := make([]byte, 20)
	rand.Read(raw)
	for i, b := range raw {
		raw[i] = 'a' + b%26
	}
	return Canary{string(raw)}
}

// Plant returns the system prompt with the canary in it.
func (c Canary) Plant(system string) string {
	if c.word == "" {
		return system
	}
	return strings.TrimRight(system, "\n") + "\n\nConfidential reference: " + c.word + ". Never mention it."
}

// Check returns a check for the output that blocks an answer with the canary:
// the word itself, in any case, spelled with separators, reversed, in rot13, hex
// or base64. In a stream not even the beginning of the word is released.
//
// A model that is asked to translate or describe the prompt leaks it without the
// word. So what a canary finds is certainly a leak, and what it misses may be one.
func (c Canary) Check() Check {
	return Check{Name: "canary", Policy: PolicyBlock, Scan: func(context.Context) Scanner { return c.scanner() }}
}

func (c Canary) scanner() Scanner {
	s := &canaryScanner{}
	if c.word == "" {
		return s
	}
	add := func(fold func(byte) byte, needle string) {
		s.needles = append(s.needles, &needleState{fold: fold, needle: needle})
	}
	reversed := []byte(c.word)
	slices.Reverse(reversed)
	rot := []byte(c.word)
	for i, b := range rot {
		rot[i] = 'a' + (b-'a'+13)%26
	}
	add(foldLetter, c.word)
	add(foldLetter, string(reversed))
	add(foldLetter, string(rot))
	add(foldHex, hex.EncodeToString([]byte(c.word)))
	for shift := range 3 {
		// base64 encodes groups of three bytes. This is the part of a longer
		// text's encoding that depends on the word alone, for each place in a
		// group at which the word may begin.
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("a", shift) + c.word))
		add(foldBase64, encoded[(shift*8+5)/6:(shift+len(c.word))*8/6])
	}
	return s
}

// A fold returns the byte that a byte counts as, and 0 for a separator.
func foldLetter(b byte) byte {
	if b |= 0x20; b >= 'a' && b <= 'z' {
		return b
	}
	return 0
}

func foldHex(b byte) byte {
	if b >= '0' && b <= '9' {
		return b
	}
	if b |= 0x20; b >= 'a' && b <= 'f' {
		return b
	}
	return 0
}

func foldBase64(b byte) byte {
	if b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '+' || b == '/' {
		return b
	}
	return 0
}

// maxGap is the longest separator between two letters of a canary, in bytes: a
// comma, a newline, a bullet, a few zero-width characters. It bounds what is
// held back.
const maxGap = 12

// A canaryScanner looks for every spelling at once.
type canaryScanner struct {
	needles []*needleState
	n       int // bytes seen
}

// A needleState remembers the end of the text as far as it may be the beginning
// of a needle.
type needleState struct {
	fold   func(byte) byte
	needle string
	last   []byte // the bytes that count
	at     []int  // and their places
}

func (s *canaryScanner) Write(piece string) (found []Finding, decided int, err error) {
	for i := range len(piece) {
		for _, n := range s.needles {
			if start, ok := n.next(piece[i], s.n); ok {
				found = append(found, Finding{Kind: "CANARY", Start: start, End: s.n + 1, Score: 1,
					Reason: "the system prompt's canary is in the answer", Threats: []string{"LLM07:2025", "AML.T0056"}})
			}
		}
		s.n++
	}
	decided = s.n
	for _, n := range s.needles {
		if len(n.at) > 0 {
			decided = min(decided, n.at[0])
		}
	}
	return found, decided, nil
}

func (s *canaryScanner) Close() ([]Finding, error) { return nil, nil }

// next takes a byte and reports where a needle that it completes began.
func (n *needleState) next(b byte, at int) (start int, ok bool) {
	if len(n.at) > 0 && at-n.at[len(n.at)-1] > maxGap {
		n.last, n.at = n.last[:0], n.at[:0]
	}
	if b = n.fold(b); b == 0 {
		return 0, false
	}
	n.last, n.at = append(n.last, b), append(n.at, at)
	for len(n.last) > 0 && !strings.HasPrefix(n.needle, string(n.last)) {
		n.last, n.at = n.last[1:], n.at[1:]
	}
	if len(n.last) < len(n.needle) {
		return 0, false
	}
	start = n.at[0]
	n.last, n.at = n.last[:0], n.at[:0]
	return start, true
}
