package guard

import "unicode/utf8"

// A window runs a Find on a text that comes in pieces. It looks at overlapping parts,
// whose places don't depend on the pieces.
//
//	decided-hold      decided       decided+hold     decided+2·hold
//	│ already decided │ decided now │ what follows   │
type window struct {
	find    func(text string) ([]Finding, error)
	hold    int    // 0: the whole text at once
	buf     []byte // appended to, so that many small pieces cost no more than few large ones
	base    int    // offset of buf in the text
	decided int
}

func (w *window) Write(piece string) ([]Finding, int, error) {
	w.buf = append(w.buf, piece...)
	var all []Finding
	for w.hold > 0 && w.base+len(w.buf)-w.decided >= 2*w.hold+utf8.UTFMax {
		found, err := w.step(w.decided+w.hold, w.decided+2*w.hold)
		if err != nil {
			return nil, w.decided, err
		}
		all = append(all, found...)
	}
	return all, w.decided, nil
}

func (w *window) Close() ([]Finding, error) {
	end := w.base + len(w.buf)
	return w.step(end, end)
}

// step looks at the text before end and keeps the findings that start in
// [decided, next).
func (w *window) step(next, end int) ([]Finding, error) {
	next, end = w.align(next), w.align(end)
	found, err := w.find(string(w.buf[:end-w.base]))
	if err != nil {
		return nil, err
	}
	kept := found[:0:0]
	last := next == w.base+len(w.buf)
	for _, f := range found {
		f.Start, f.End = f.Start+w.base, f.End+w.base
		if f.Start >= w.decided && (f.Start < next || last) {
			kept = append(kept, f)
		}
	}
	w.decided = next
	if from := w.align(next - w.hold); from > w.base {
		w.buf = w.buf[from-w.base:]
		w.base = from
	}
	return kept, nil
}

// align moves an offset forward to the start of a rune.
func (w *window) align(at int) int {
	at = max(at, w.base)
	for i := 0; i < utf8.UTFMax-1 && at < w.base+len(w.buf) && !utf8.RuneStart(w.buf[at-w.base]); i++ {
		at++
	}
	return at
}
