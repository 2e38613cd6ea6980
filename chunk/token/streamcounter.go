package token

import (
	"math/bits"
	"unsafe"
)

// A StreamCounter counts the tokens of a text that arrives in parts, for instance an
// answer that a model streams.
//
// A StreamCounter keeps only the end of the text, from a place on where no later byte
// can change the tokens before it. In prose and code that is at most a few hundred
// bytes. A run of a million letters without a space has no such place. Then the whole
// run is kept, and each [StreamCounter.Count] takes time for the whole run.
//
// A StreamCounter is not safe for concurrent use.
type StreamCounter struct {
	e     *Encoding
	final int    // tokens of the text that was dropped
	tail  []byte // the text since then
	known int    // tokens of tail, or -1 if they must be counted

	// lookAt is the length of tail at which settle looks for a new place to cut. That
	// takes time for the whole tail, so settle waits until the tail has doubled:
	// otherwise it would read a long piece again and again.
	lookAt int
}

// NewStreamCounter returns a StreamCounter of the empty text.
func (e *Encoding) NewStreamCounter() *StreamCounter { return &StreamCounter{e: e, lookAt: minTail} }

const minTail = 256

// WriteString appends s. The error is always nil.
func (a *StreamCounter) WriteString(s string) (int, error) {
	a.tail = append(a.tail, s...)
	a.settle(len(s))
	return len(s), nil
}

// Write appends p. It makes a StreamCounter an [io.Writer]. The error is always nil.
func (a *StreamCounter) Write(p []byte) (int, error) {
	a.tail = append(a.tail, p...)
	a.settle(len(p))
	return len(p), nil
}

// Count returns the number of tokens of all that was written. It is exactly
// [Encoding.Count] of the whole text.
func (a *StreamCounter) Count() int {
	if a.known < 0 {
		a.known = a.e.Count(a.text())
	}
	return a.final + a.known
}

// Reset makes the text empty.
func (a *StreamCounter) Reset() { *a = StreamCounter{e: a.e, tail: a.tail[:0], lookAt: minTail} }

// settle counts and drops the pieces at the beginning of the tail that no later
// byte can change, when the tail is long enough.
func (a *StreamCounter) settle(added int) {
	if added == 0 {
		return
	}
	a.known = -1
	if len(a.tail) < a.lookAt {
		return
	}
	text := a.text()
	w := a.e.workspace()
	defer a.e.work.Put(w)
	w.patient = true
	i := 0
	for i < len(text) {
		// marks knows a piece by what the window contains: no later byte changes it.
		if marks := a.e.split.marks(text, i); marks != 0 {
			a.final += a.e.countMarked(text, i, marks, w)
			i += 63 - bits.LeadingZeros64(marks)
			continue
		}
		if i > 0 && len(text)-i < minTail/2 {
			break
		}
		end := a.e.split.next(text, i)
		if !a.e.split.settled(text, end) {
			break
		}
		a.final += a.e.countPiece(text, i, end, w)
		i = end
	}
	a.final += a.e.countWaiting(text, w)
	a.tail = a.tail[:copy(a.tail, a.tail[i:])]
	a.lookAt = max(minTail, 2*len(a.tail))
}

// text is the tail as a string, without a copy. It must not be used after the tail
// changes.
func (a *StreamCounter) text() string { return unsafe.String(unsafe.SliceData(a.tail), len(a.tail)) }
