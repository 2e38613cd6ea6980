package guard

import (
	"context"
	"crypto/rand"
	"index/suffixarray"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// passages are the untrusted texts that one request has met.
type passages struct {
	key   []byte
	style Spotlight

	mu     sync.Mutex
	list   []passage
	marked []markedPassage // those of them that are between marks, blank ones too
	urls   []string        // where they came from, according to their retriever
}

// A passage is an untrusted text and how it was shown.
type passage struct {
	text, shown string
}

type passagesKey struct{}

// NewContext returns a context on which [Untrusted] registers passages for one
// request, marked in the style given. An unknown style counts as SpotlightDelimit. The
// marks are new for each context. Use [Model.NewContext] where equal prompts must stay
// equal, as for a cache.
func NewContext(ctx context.Context, style Spotlight) context.Context {
	p := &passages{style: style, key: make([]byte, 32)}
	rand.Read(p.key)
	return context.WithValue(ctx, passagesKey{}, p)
}

// NewContext returns a context on which [Untrusted] registers passages for one
// request, marked with the [Options].Spotlight and Key of the pipeline. A passage
// has the same mark in every request, so that a cache of answers and the
// provider's cache of prompts still fit. An author who has seen the mark of one
// passage can't end another one with it, since each has its own. [Handler] makes
// such a context for each HTTP request.
func (p *Pipeline) NewContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, passagesKey{}, &passages{style: p.o.Spotlight, key: p.o.Key})
}

// NewContext returns a context for one request, as [Pipeline.NewContext] does.
func (m *Model) NewContext(ctx context.Context) context.Context { return m.p.NewContext(ctx) }

func passagesOf(ctx context.Context) *passages {
	p, _ := ctx.Value(passagesKey{}).(*passages)
	return p
}

// Untrusted registers texts from outside with the request, and returns them
// marked for the model; put these into the prompt. A [Model] then checks them
// as documents, and does not count what they ask for as the user's request.
//
// ctx should come from [NewContext] or [Model.NewContext]. Without it the texts
// are marked all the same, and the Model recognizes them by their marks.
//
// A text from outside that was never registered counts as the user's own words. So
// does one of fewer than 24 bytes that appears without its marks. That is the limit of
// provenance: it can't be guessed from the text.
func Untrusted(ctx context.Context, texts ...string) []string {
	p := passagesOf(ctx)
	if p == nil {
		p = passagesOf(NewContext(ctx, SpotlightDelimit))
	}
	return p.register(texts)
}

func (p *passages) register(texts []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := make([]string, len(texts))
	for i, t := range texts {
		shown[i] = p.style.mark(p.key, t)
		known := slices.ContainsFunc(p.list, func(q passage) bool { return q.text == t })
		if !known && strings.TrimSpace(t) != "" {
			p.list = append(p.list, passage{t, shown[i]})
		}
		if shown[i] != t && !slices.ContainsFunc(p.marked, func(q markedPassage) bool { return q.text == t }) {
			p.marked = append(p.marked, markedPassage{t, shown[i], p.style})
		}
	}
	return shown
}

// source notes where registered passages came from.
func (p *passages) source(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if url != "" && !slices.Contains(p.urls, url) {
		p.urls = append(p.urls, url)
	}
}

func (p *passages) snapshot() ([]passage, []string) {
	if p == nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list), slices.Clone(p.urls)
}

// A segment is a part of a message's text. Index is the passage's place in
// the order of registration, or -1 for one that is known by its marks alone.
type segment struct {
	start, end int
	text       string // the passage's own text
	index      int
	marked     bool // it is between marks
	registered bool
}

// minRaw is the length from which a registered passage, or a line of it, is
// recognized without marks ([SpotlightPlain], or pasted as it was). Shorter ones would
// be found in what the user wrote.
const minRaw = 24

// segments finds the untrusted parts of text, in order. None overlaps another.
func segments(text string, list []passage) []segment {
	s := segmenter{text: text, taken: make([]bool, len(text))}
	for i, p := range list {
		if p.shown != p.text {
			s.find(p.shown, segment{text: p.text, index: i, marked: true, registered: true})
		}
	}
	s.addMarked(list)
	for i, p := range list {
		if len(p.text) < minRaw || !s.find(p.text, segment{text: p.text, index: i, registered: true}) {
			s.addLines(i, p.text)
		}
	}
	slices.SortFunc(s.all, func(a, b segment) int { return a.start - b.start })
	return s.all
}

// A segmenter collects the segments of a text.
type segmenter struct {
	text  string
	all   []segment
	taken []bool             // by byte, so that many segments cost no more than few
	lines *suffixarray.Index // of text, made when it is first needed
}

// add adds a segment, unless it overlaps another.
func (s *segmenter) add(g segment) bool {
	if slices.Contains(s.taken[g.start:g.end], true) {
		return false
	}
	for i := g.start; i < g.end; i++ {
		s.taken[i] = true
	}
	s.all = append(s.all, g)
	return true
}

// addRest adds what no other segment covers. A passage that begins with another's
// words is a passage to its end.
func (s *segmenter) addRest(g segment, end int) {
	for g.start < end {
		if s.taken[g.start] {
			g.start++
			continue
		}
		for g.end = g.start; g.end < end && !s.taken[g.end]; {
			g.end++
		}
		if g.text = s.text[g.start:g.end]; strings.TrimSpace(g.text) != "" {
			s.add(g)
		}
		g.start = g.end
	}
}

// find adds each place of a passage.
func (s *segmenter) find(needle string, g segment) (found bool) {
	for at := 0; ; {
		i := strings.Index(s.text[at:], needle)
		if i < 0 {
			return found
		}
		g.start, g.end = at+i, at+i+len(needle)
		at, found = g.end, true
		if g.marked {
			s.add(g)
		} else {
			s.addRest(g, g.end)
		}
	}
}

// addMarked adds what is between marks, registered or not. The text between the marks
// of a registered passage is that passage, even if the prompt's author has broken up a
// tag in it with an invisible character.
func (s *segmenter) addMarked(list []passage) {
	for at := 0; ; {
		start, bodyStart, bodyEnd, end, ok := marked(s.text, at)
		if !ok {
			return
		}
		at = end
		body := s.text[bodyStart:bodyEnd]
		g := segment{start: start, end: end, text: unmark(body), index: -1, marked: true}
		head := s.text[start:bodyStart]
		g.index = slices.IndexFunc(list, func(p passage) bool {
			shown, own := strings.CutPrefix(p.shown, head)
			shown, closed := strings.CutSuffix(shown, s.text[bodyEnd:end])
			return own && closed && p.shown != p.text && visible(shown) == visible(body)
		})
		g.registered = g.index >= 0
		if !s.add(g) {
			at = bodyStart // a mark inside a passage: its writer forged it
			for at < len(s.text) && s.taken[at-1] {
				at++
			}
		}
	}
}

// visible returns text without the characters that only format it, such as a
// zero-width joiner.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// addLines adds each place of a line of a passage: the prompt may contain only a
// part.
func (s *segmenter) addLines(index int, passage string) {
	seen := map[string]bool{}
	for line := range strings.Lines(passage) {
		if line = strings.TrimSpace(line); len(line) < minRaw || len(line) > len(s.text) || seen[line] {
			continue
		}
		seen[line] = true
		if s.lines == nil { // so that many lines cost no more than few
			s.lines = suffixarray.New([]byte(s.text))
		}
		places := s.lines.Lookup([]byte(line), -1)
		slices.Sort(places)
		last := 0
		for _, at := range places {
			if at >= last {
				last = at + len(line)
				s.addRest(segment{start: at, index: index, registered: true}, last)
			}
		}
	}
}

// blank returns text with the segments turned into spaces.
func blank(text string, all []segment) string {
	b := []byte(text)
	for _, s := range all {
		for i := s.start; i < s.end; i++ {
			b[i] = ' '
		}
	}
	return string(b)
}

// An excerpt is a text of which parts were taken out.
type excerpt struct {
	text   string
	pieces []piece // in order
}

// A piece begins in the excerpt and in the whole text.
type piece struct{ here, there int }

// without returns text without the passages that are registered, with a blank for each.
// So the checks of the input see the user's words alone, and no long gap.
func without(text string, all []segment) *excerpt {
	e := &excerpt{pieces: []piece{{}}}
	var b strings.Builder
	at := 0
	for _, s := range all {
		if !s.registered {
			continue
		}
		b.WriteString(text[at:s.start])
		b.WriteByte(' ')
		at = s.end
		e.pieces = append(e.pieces, piece{b.Len(), at})
	}
	if at == 0 {
		e.text = text
		return e
	}
	b.WriteString(text[at:])
	e.text = b.String()
	return e
}

// place moves findings in the excerpt to their places in the whole text. A finding that
// touches a passage ends before it.
func (e *excerpt) place(found []Finding) {
	if e == nil || len(e.pieces) == 1 {
		return
	}
	at := func(offset int) (place int, inBlank bool) {
		i, ok := slices.BinarySearchFunc(e.pieces, offset, func(p piece, offset int) int { return p.here - offset })
		if !ok {
			i--
		}
		return e.pieces[i].there + offset - e.pieces[i].here, i+1 < len(e.pieces) && offset == e.pieces[i+1].here-1
	}
	for i, f := range found {
		start, _ := at(f.Start)
		end := start
		if f.End > f.Start {
			last, inBlank := at(f.End - 1)
			if end = last; !inBlank {
				end++
			}
		}
		found[i].Start, found[i].End = start, end
	}
}
