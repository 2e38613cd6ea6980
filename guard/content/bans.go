package content

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/internal/norm"
)

// A BanOptions configures [NewBans].
type BanOptions struct {
	// Allow lists phrases in which a banned one may appear, such as "Scunthorpe".
	// Default: none.
	Allow []string

	// Inside finds a phrase in the middle of a word too. Default: false, so "ass" is not
	// found in "class".
	Inside bool
}

// Bans finds listed phrases in a text, by an Aho-Corasick automaton: one pass, however
// many phrases there are. It compares without regard to case, accents, width,
// characters without width, look-alike letters of Greek and Cyrillic, and runs of
// blanks. It is safe for concurrent use.
//
// Source: A. Aho, M. Corasick: Efficient String Matching, 1975.
type Bans struct {
	nodes  []banNode
	banned []string // as given; allowed phrases follow
	count  int      // of the banned ones
	runes  []int    // the length of each normalized phrase
	inside bool
}

type banNode struct {
	next map[rune]int
	fail int
	out  []int // phrases that end here, those of shorter suffixes included
}

// NewBans makes the automaton. A list that is empty, or that has a phrase without a
// letter or a digit, is an error that wraps [ErrOption].
func NewBans(phrases []string, o *BanOptions) (*Bans, error) {
	if o == nil {
		o = &BanOptions{}
	}
	if len(phrases) == 0 {
		return nil, fmt.Errorf("%w: no phrase is banned", ErrOption)
	}
	b := &Bans{nodes: []banNode{{next: map[rune]int{}}}, banned: slices.Concat(phrases, o.Allow), count: len(phrases), inside: o.Inside}
	for i, p := range b.banned {
		word := []rune(strings.TrimSpace(string(plain(p).runes)))
		if !slices.ContainsFunc(word, func(r rune) bool { return r != ' ' }) {
			return nil, fmt.Errorf("%w: the phrase %q has no letter and no digit", ErrOption, p)
		}
		b.runes = append(b.runes, len(word))
		b.insert(word, i)
	}
	b.link()
	return b, nil
}

func (b *Bans) insert(word []rune, id int) {
	at := 0
	for _, r := range word {
		to, ok := b.nodes[at].next[r]
		if !ok {
			to = len(b.nodes)
			b.nodes = append(b.nodes, banNode{next: map[rune]int{}})
			b.nodes[at].next[r] = to
		}
		at = to
	}
	b.nodes[at].out = append(b.nodes[at].out, id)
}

// link sets where the automaton goes on after a mismatch: the longest suffix of what
// was read that begins a phrase.
func (b *Bans) link() {
	queue := []int{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for r, to := range b.nodes[at].next {
			queue = append(queue, to)
			if at == 0 {
				continue
			}
			b.nodes[to].fail = b.step(b.nodes[at].fail, r)
			b.nodes[to].out = append(b.nodes[to].out, b.nodes[b.nodes[to].fail].out...)
		}
	}
}

func (b *Bans) step(at int, r rune) int {
	for {
		if to, ok := b.nodes[at].next[r]; ok {
			return to
		}
		if at == 0 {
			return 0
		}
		at = b.nodes[at].fail
	}
}

// A Ban is one banned phrase that was found.
type Ban struct {
	Phrase     string // as it was listed
	Start, End int    // bytes of the text
}

// Find returns the banned phrases in a text, in the order of their ends. Those inside
// of an allowed phrase are left out.
func (b *Bans) Find(text string) []Ban {
	n := plain(text)
	type hit struct{ id, start, end int }
	var hits, allowed []hit
	at := 0
	for i, r := range n.runes {
		at = b.step(at, r)
		for _, id := range b.nodes[at].out {
			h := hit{id, i + 1 - b.runes[id], i + 1}
			switch {
			case id >= b.count:
				allowed = append(allowed, h)
			case b.inside || n.edge(h.start) && n.edge(h.end):
				hits = append(hits, h)
			}
		}
	}
	var out []Ban
	for _, h := range hits {
		if !slices.ContainsFunc(allowed, func(a hit) bool { return a.start <= h.start && h.end <= a.end }) {
			out = append(out, Ban{b.banned[h.id], n.starts[h.start], n.ends[h.end-1]})
		}
	}
	return out
}

// Check returns a check that finds the phrases.
func (b *Bans) Check() guard.Check {
	return guard.Check{Name: "bans", Hold: 256, Find: func(_ context.Context, text string) ([]guard.Finding, error) {
		var out []guard.Finding
		for _, ban := range b.Find(text) {
			out = append(out, guard.Finding{Kind: "BANNED", Start: ban.Start, End: ban.End, Score: 1, Reason: "a phrase of the ban list"})
		}
		return out, nil
	}}
}

// A plainText is a text made plain, with the place of each rune in the original.
type plainText struct {
	runes        []rune
	starts, ends []int
}

// edge reports that a place is not inside of a word.
func (p *plainText) edge(i int) bool {
	return i == 0 || i == len(p.runes) || p.runes[i-1] == ' ' || p.runes[i] == ' '
}

// readAs are letters of other scripts that look like Latin ones.
var readAs = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ѕ': 's', 'т': 't', 'у': 'y', 'х': 'x',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ı': 'i', 'ɡ': 'g', 'ß': 's',
}

// plain returns a text in lower case without marks and characters without width, with
// one blank for each run of what is neither a letter nor a digit. A word in one
// script is kept in it, as Russian is; a letter is only read as a Latin one in a
// text that has Latin letters too.
func plain(text string) plainText {
	latin := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Latin, r) })
	var p plainText
	blank := true
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		for _, c := range norm.NFKD.String(text[i:end]) {
			c = unicode.ToLower(c)
			if l, ok := readAs[c]; ok && latin {
				c = l
			}
			switch {
			case unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Me, c) || unicode.Is(unicode.Cf, c):
				continue
			case !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.Mc, c):
				if blank {
					continue
				}
				c = ' '
			}
			blank = c == ' '
			p.runes = append(p.runes, c)
			p.starts = append(p.starts, i)
			p.ends = append(p.ends, end)
		}
		i = end
	}
	return p
}
