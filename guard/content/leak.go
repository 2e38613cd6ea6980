package content

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/threat"
)

// LeakOptions configure [NewLeak].
type LeakOptions struct {
	// Words is how many words in a row must be equal to count as copied.
	// Default: 6, since shorter runs are often everyday phrases.
	Words int

	// Share is the part of the secret's words that an answer may have copied before
	// it is a leak. Default: 0.2.
	Share float64
}

// A Leak finds the text of a system prompt, or another secret text, in answers: word by
// word, in other spacing, or encoded. A paraphrase and a translation are not found; a
// canary and the system's design are for those. It is safe for concurrent use.
type Leak struct {
	words  []string
	runs   map[string][]int // from a run of words to its places in the secret
	size   int
	share  float64
	secret string // letters and digits only
}

// NewLeak makes a finder for a secret text of at least Words words.
func NewLeak(secret string, o *LeakOptions) (*Leak, error) {
	if o == nil {
		o = &LeakOptions{}
	}
	l := &Leak{words: wordsOf(secret), size: o.Words, share: o.Share, secret: lettersOf(secret), runs: map[string][]int{}}
	if l.size == 0 {
		l.size = 6
	}
	if l.share == 0 {
		l.share = 0.2
	}
	if l.size < 2 || l.share < 0 || l.share > 1 || len(l.words) < l.size {
		return nil, fmt.Errorf("%w: Words is %d, Share %g, and the secret has %d words: want 2 or more words, a share from 0 to 1, and a secret of at least Words words", ErrOption, l.size, l.share, len(l.words))
	}
	for i := 0; i+l.size <= len(l.words); i++ {
		run := strings.Join(l.words[i:i+l.size], " ")
		l.runs[run] = append(l.runs[run], i)
	}
	return l, nil
}

// Share returns the part of the secret's words that an answer has copied in runs, from
// 0 to 1, in the reading of the answer that has most: as it is, or with an encoding
// undone.
func (l *Leak) Share(answer string) float64 {
	readings, _ := injection.Decode(answer, injection.Limits{})
	best := l.copied(answer)
	for _, r := range readings {
		best = max(best, l.copied(r.Text))
	}
	return best
}

// Is reports whether an answer leaks the secret.
func (l *Leak) Is(answer string) bool { return l.Share(answer) >= l.share }

// Check returns a check of answers that finds a leak. It needs the whole answer, so a
// stream is released at its end.
func (l *Leak) Check() guard.Check {
	return guard.Check{Name: "leak", Rank: 1, Find: func(_ context.Context, text string) ([]guard.Finding, error) {
		share := l.Share(text)
		if share < l.share {
			return nil, nil
		}
		return []guard.Finding{{Kind: "PROMPT_LEAK", End: len(text), Score: share, Reason: "the answer repeats the secret text", Threats: []string{threat.PromptLeakage, threat.SystemPromptExtraction}}}, nil
	}}
}

func (l *Leak) copied(text string) float64 {
	if flat := lettersOf(text); len(l.secret) >= 40 && strings.Contains(flat, l.secret) {
		return 1
	}
	words := wordsOf(text)
	seen := make([]bool, len(l.words))
	for i := 0; i+l.size <= len(words); i++ {
		for _, at := range l.runs[strings.Join(words[i:i+l.size], " ")] {
			for j := range l.size {
				seen[at+j] = true
			}
		}
	}
	n := 0
	for _, s := range seen {
		if s {
			n++
		}
	}
	return float64(n) / float64(len(seen))
}

// wordsOf returns the words of a text in lower case, without punctuation.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func lettersOf(text string) string { return strings.Join(wordsOf(text), "") }
