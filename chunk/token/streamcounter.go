package token

// A StreamCounter counts the tokens of a text that arrives in parts, for instance
// an answer that is being streamed. It keeps only the end of the text, from
// the last place where no later byte can change the tokens before it. In prose
// and code that is a few words; in a run of a million letters without a space
// there is no such place, and each [StreamCounter.Count] costs the length of the
// run.
//
// A StreamCounter is not safe for concurrent use.
type StreamCounter struct {
	e     *Encoding
	final int    // tokens of the text that was let go
	tail  []byte // the text since then
	known int    // tokens of tail, -1 if they must be counted

	// Looking for a new place to cut costs the length of the tail; it is done
	// when the tail has doubled, so that a long piece isn't read again and again.
	lookAt int
}

// NewStreamCounter returns a StreamCounter of the empty text.
func (e *Encoding) NewStreamCounter() *StreamCounter { return &StreamCounter{e: e, lookAt: minTail} }

const minTail = 64

// WriteString appends s. The error is always nil.
func (a *StreamCounter) WriteString(s string) (int, error) {
	a.tail = append(a.tail, s...)
	a.settle(len(s))
	return len(s), nil
}

// Write appends p, which makes a StreamCounter an [io.Writer]. The error is always
// nil.
func (a *StreamCounter) Write(p []byte) (int, error) {
	a.tail = append(a.tail, p...)
	a.settle(len(p))
	return len(p), nil
}

// Count returns the number of tokens of all that was written: exactly
// [Encoding.Count] of the whole.
func (a *StreamCounter) Count() int {
	if a.known < 0 {
		a.known = a.e.Count(string(a.tail))
	}
	return a.final + a.known
}

// Reset makes the text empty again.
func (a *StreamCounter) Reset() { *a = StreamCounter{e: a.e, tail: a.tail[:0], lookAt: minTail} }

func (a *StreamCounter) settle(added int) {
	if added == 0 {
		return
	}
	a.known = -1
	if len(a.tail) < a.lookAt {
		return
	}
	text := string(a.tail)
	w := a.e.workspace()
	defer a.e.work.Put(w)
	cut := 0
	for i := 0; i < len(text); {
		end := a.e.split.next(text, i)
		if !a.e.split.settled(text, end) {
			break
		}
		a.final += a.e.countPiece(text, i, end, w)
		i, cut = end, end
	}
	a.tail = a.tail[:copy(a.tail, a.tail[cut:])]
	a.lookAt = max(minTail, 2*len(a.tail))
}
