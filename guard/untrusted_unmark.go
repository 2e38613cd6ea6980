package guard

import (
	"context"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// A Mark is what is around one passage that guard has marked: <<untrusted:ID>>
// before it and <</untrusted:ID>> after it, each with the ID of this passage.
type Mark struct {
	Open, Close string
}

// Marks returns the marks that guard has set for the request of ctx, in order:
// those of [Untrusted], and below a [Model] also those that the Model set itself,
// such as around tool results. Another text can contain one only by copying it, so
// a program can separate these marks from text that only looks like a mark.
func Marks(ctx context.Context) []Mark {
	var all []Mark
	for _, p := range markedFor(ctx) {
		nonce := p.nonce()
		all = append(all, Mark{openMark + nonce + endMark, closeMark + nonce + endMark})
	}
	return all
}

// Unmark returns text without the marks that guard has set for the request of ctx
// (see [Marks]), and with each passage as it was before it was marked. A passage
// that was changed between its marks is restored as well as possible. Text that only
// looks like a mark stays. Use it where the marks would be read as part of the
// text: by a model that quotes its passages word for word, or in a log.
func Unmark(ctx context.Context, text string) string {
	if !strings.Contains(text, "untrusted:") {
		return text
	}
	known, unclosed := map[string]markedPassage{}, map[string]bool{} // by nonce
	for _, p := range markedFor(ctx) {
		known[p.nonce()] = p
	}
	var b strings.Builder
	for {
		i := strings.Index(text, "<<")
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		text = text[i:]
		opens, nonce := markAt(text)
		p, ok := known[nonce]
		switch {
		case !ok:
			b.WriteString(text[:1])
			text = text[1:]
		case !opens: // the passage's beginning was cut off
			text = text[len(closeMark)+nonceSize+len(endMark):]
		case strings.HasPrefix(text, p.shown):
			b.WriteString(p.text)
			text = text[len(p.shown):]
		default:
			text = text[len(openMark)+nonceSize+len(endMark):]
			if unclosed[nonce] {
				continue
			}
			body, rest, closed := strings.Cut(text, closeMark+nonce+endMark)
			if unclosed[nonce] = !closed; closed {
				b.WriteString(p.style.restore(body))
				text = rest
			}
		}
	}
}

// markAt returns the nonce of the mark that text begins with, and whether it is an
// opening one. Without a mark the nonce is "".
func markAt(text string) (opens bool, nonce string) {
	rest, opens := strings.CutPrefix(text, openMark)
	if !opens {
		var closes bool
		if rest, closes = strings.CutPrefix(text, closeMark); !closes {
			return false, ""
		}
	}
	if len(rest) < nonceSize+len(endMark) || rest[nonceSize:nonceSize+len(endMark)] != endMark {
		return false, ""
	}
	return opens, rest[:nonceSize]
}

// A markedPassage is a passage as it was and as it was shown.
type markedPassage struct {
	text, shown string
	style       Spotlight
}

// nonce returns the nonce of the passage's marks.
func (p markedPassage) nonce() string { return p.shown[len(openMark) : len(openMark)+nonceSize] }

// markedFor returns the passages that were marked for the request of ctx.
func markedFor(ctx context.Context) []markedPassage {
	var all []markedPassage
	if p := passagesOf(ctx); p != nil {
		p.mu.Lock()
		all = append(all, p.marked...)
		p.mu.Unlock()
	}
	return append(all, ProvenanceFrom(ctx).marked...)
}

// restore undoes what body did to a text.
func (s Spotlight) restore(body string) string {
	body = strings.TrimPrefix(strings.TrimSuffix(body, "\n"), "\n")
	switch s {
	case SpotlightDatamark:
		return strings.ReplaceAll(body, string(datamark), " ")
	case SpotlightEncode:
		if text, err := base64.StdEncoding.DecodeString(body); err == nil && utf8.Valid(text) {
			return string(text)
		}
	}
	return body
}
