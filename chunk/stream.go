package chunk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// ErrTooLong is the error for a stream with a stretch that can't be cut and is
// longer than the memory allowed.
var ErrTooLong = errors.New("chunk: nothing to cut in all the memory allowed")

// StreamOptions configure [Stream].
type StreamOptions struct {
	// WindowBytes is how many bytes of text are cut at once, 1 or more. It should
	// be many times a chunk. The memory used is that of a few windows. Default: 256
	// KiB.
	WindowBytes int

	// MaxWindowBytes is the largest size of the window, WindowBytes or more. The
	// window grows while it has only one or two chunks, or one block that a
	// [Resumer] doesn't cut. Beyond this size the stream ends with [ErrTooLong].
	// Default: 16 MiB, or WindowBytes if that is more.
	MaxWindowBytes int
}

// Stream cuts the text that r returns, however long it is, in bounded memory. It
// fills a window, cuts it, and yields all chunks except the last two, whose ends
// depend on text that isn't read yet. Then it goes on from the first of these two.
//
// The chunks don't depend on how r returns its bytes. They equal those of the whole
// text except perhaps near the ends of windows, where a chunker that compares the
// blocks of a section sees fewer of them. The laws of [Chunker] hold all the same,
// and offsets are those in the whole text.
//
// A chunker whose chunks depend on what came long before must be a [Resumer], as
// [Markdown] is, which keeps the headings from one window to the next. Others (of
// code, HTML, JSON) cut each window as a text of its own; cut those as a whole.
//
// The sequence ends after the first error: r's, the chunker's, ErrTooLong, one
// that wraps ctx.Err(), or [ErrOption] if r or c is nil or an option is invalid.
func Stream(ctx context.Context, r io.Reader, c Chunker, o *StreamOptions) iter.Seq2[Chunk, error] {
	s, invalid := newStreamer(r, c, o)
	return func(yield func(Chunk, error) bool) {
		err := invalid
		if err == nil {
			s := s // the sequence may be read once more if r allows it
			err = s.run(ctx, yield)
		}
		if err != nil {
			yield(Chunk{}, err)
		}
	}
}

func newStreamer(r io.Reader, c Chunker, o *StreamOptions) (streamer, error) {
	s := streamer{r: r, chunker: c, window: 256 << 10, limit: 16 << 20}
	if r == nil || c == nil {
		return s, fmt.Errorf("%w: the reader or the chunker of Stream is nil", ErrOption)
	}
	if o == nil {
		return s, nil
	}
	if o.WindowBytes != 0 {
		s.window = o.WindowBytes
	}
	if s.window < 0 {
		return s, fmt.Errorf("%w: StreamOptions.WindowBytes is %d: want 1 or more", ErrOption, s.window)
	}
	s.limit = max(s.limit, s.window)
	if o.MaxWindowBytes != 0 {
		s.limit = o.MaxWindowBytes
	}
	if s.limit < s.window {
		return s, fmt.Errorf("%w: StreamOptions.MaxWindowBytes is %d: want the window, %d, or more", ErrOption, s.limit, s.window)
	}
	return s, nil
}

// A Resumer is a [Chunker] whose chunks depend on the blocks of text around them
// and on the headings above. [Stream] goes on only where a Resumer allows it.
// [Markdown] is one; a chunker that wraps it forwards Resume to stay one.
type Resumer interface {
	Chunker

	// Resume cuts a part of a longer text. above are the headings above its
	// beginning, outermost first; nil only where the whole text begins. next
	// returns the last place, at or before the limit, from which the rest can be cut
	// on its own, and the headings above that place.
	Resume(ctx context.Context, text string, above []Heading) (chunks []Chunk, next func(limit int) (at int, above []Heading), err error)
}

// A Heading is the title of a section of a text and its level, 1 for the
// outermost.
type Heading struct {
	Level int
	Title string
}

type streamer struct {
	r       io.Reader
	chunker Chunker
	window  int
	limit   int

	buf         []byte
	eof         bool
	bytes, code int       // offsets of buf in the stream, in bytes and code points
	path        []Heading // above buf
}

func (s *streamer) run(ctx context.Context, yield func(Chunk, error) bool) error {
	for size := s.window; ; {
		if err := s.fill(ctx, size); err != nil {
			return err
		}
		text := string(s.buf)
		if !s.eof {
			text = text[:wholeRunes(text)]
		}
		chunks, next, err := s.cut(ctx, text)
		if err != nil {
			return fmt.Errorf("chunk: at byte %d of the stream: %w", s.bytes, err)
		}
		keep, from := s.keep(text, chunks, next)
		if keep == 0 && from == 0 && !s.eof {
			if size >= s.limit {
				return fmt.Errorf("%w: %d bytes from byte %d", ErrTooLong, size, s.bytes)
			}
			size = min(2*size, s.limit)
			continue
		}
		for _, c := range chunks[:keep] {
			if c.Start >= 0 {
				c.Start, c.End = c.Start+s.bytes, c.End+s.bytes
				c.RuneStart, c.RuneEnd = c.RuneStart+s.code, c.RuneEnd+s.code
			}
			c.Text = strings.Clone(c.Text) // or one chunk would keep the window in memory
			if !yield(c, nil) {
				return nil
			}
		}
		if s.eof {
			return nil
		}
		if s.path == nil {
			s.path = []Heading{} // not the beginning any more
		}
		s.bytes += from
		s.code += utf8.RuneCountInString(text[:from])
		s.buf = append(s.buf[:0], s.buf[from:]...)
		size = s.window
		if len(s.buf) > size/2 {
			size = min(2*len(s.buf), s.limit)
		}
	}
}

// cut cuts one window. next, if there is one, finds where a window may begin.
func (s *streamer) cut(ctx context.Context, text string) (chunks []Chunk, next func(int) (int, []Heading), err error) {
	if b, ok := s.chunker.(Resumer); ok {
		chunks, next, err = b.Resume(ctx, text, s.path)
	} else {
		chunks, err = s.chunker.Chunk(ctx, text)
	}
	return chunks, next, cmp.Or(err, ctx.Err())
}

// keep returns how many of a window's chunks are final and where the next
// window begins.
func (s *streamer) keep(text string, chunks []Chunk, next func(int) (int, []Heading)) (n, from int) {
	if s.eof {
		return len(chunks), len(text)
	}
	if len(chunks) == 0 {
		return 0, len(text) - min(len(text), 1024) // blank; an end may still matter
	}
	n = max(0, len(chunks)-2)
	if n > 0 && next == nil {
		return n, chunks[n].Start
	}
	for n > 0 {
		at, path := next(chunks[n].Start)
		at = min(max(at, 0), chunks[n].Start)
		for n > 0 && chunks[n-1].Start >= at {
			n--
		}
		// The last chunk must not reach into what is cut again, unless the next one
		// begins there and is meant to repeat its end.
		if n > 0 && (chunks[n-1].End <= at || strings.TrimSpace(text[at:chunks[n].Start]) == "") {
			s.path = path
			return n, at
		}
		n = max(0, n-1)
	}
	return 0, 0
}

// fill reads until buf has size bytes or the stream ends, so that its content
// doesn't depend on how the reader returns its bytes.
func (s *streamer) fill(ctx context.Context, size int) error {
	if cap(s.buf) < size {
		s.buf = append(make([]byte, 0, size), s.buf...)
	}
	empty := 0
	for !s.eof && len(s.buf) < size {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("chunk: at byte %d of the stream: %w", s.bytes, err)
		}
		n, err := s.r.Read(s.buf[len(s.buf):size])
		s.buf = s.buf[:len(s.buf)+n]
		if empty++; n > 0 {
			empty = 0
		}
		switch {
		case errors.Is(err, io.EOF):
			s.eof = true
		case err != nil:
			return fmt.Errorf("chunk: reading at byte %d: %w", s.bytes+len(s.buf), err)
		case empty == 100:
			return fmt.Errorf("chunk: reading at byte %d: %w", s.bytes+len(s.buf), io.ErrNoProgress)
		}
	}
	return nil
}

// wholeRunes returns the length of text without a code point that is cut off at
// its end.
func wholeRunes(text string) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				return at
			}
			break
		}
	}
	return len(text)
}
