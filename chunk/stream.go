package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// ErrTooLong is the error of a stream that holds a stretch without any place to
// cut that is longer than the memory allowed.
var ErrTooLong = errors.New("chunk: nothing to cut in all the memory allowed")

// StreamOptions configure [Stream].
type StreamOptions struct {
	// Window is how many bytes of text are looked at at once; 0: 256 KiB. It
	// should be many times a chunk. All memory is a few windows.
	WindowBytes int

	// MaxWindow is up to how many bytes the window grows while it holds only
	// one or two chunks; 0: 16 MiB. Beyond, the stream ends with [ErrTooLong].
	MaxWindowBytes int
}

// Stream cuts the text that r holds, however long it is, in bounded memory. It
// fills a window, cuts it, yields the chunks but for the last two, whose end
// depends on text to come, and goes on from the first that it held back. The
// chunks don't depend on how r returns its bytes. They equal those of the whole
// text except perhaps near the ends of windows, where a chunker that weighs a
// whole section sees less of it; the laws of [Chunker] hold all the same, and
// offsets are those in the whole text.
//
// Headings above a chunk are kept from one window to the next for [Markdown],
// which goes on at the start of a block. Other chunkers whose chunks depend on
// what came long before (code, HTML, JSON) see each window as a text of its
// own; cut those as a whole.
//
// The sequence ends after the first error: r's, the chunker's, ErrTooLong, or
// one that wraps ctx.Err().
func Stream(ctx context.Context, r io.Reader, c Chunker, o *StreamOptions) iter.Seq2[Chunk, error] {
	s := streamer{r: r, chunker: c, window: 256 << 10, limit: 16 << 20}
	if o != nil && o.WindowBytes > 0 {
		s.window = o.WindowBytes
	}
	if o != nil && o.MaxWindowBytes > 0 {
		s.limit = o.MaxWindowBytes
	}
	s.limit = max(s.limit, s.window)
	return func(yield func(Chunk, error) bool) {
		s := s // the sequence may be read once more if r allows it
		if err := s.run(ctx, yield); err != nil {
			yield(Chunk{}, err)
		}
	}
}

// blockwise is a chunker whose chunks depend on the blocks around them: it can
// go on only where a block starts, and has to know the headings above.
type blockwise interface {
	resume(text string, above []heading) (chunks []Chunk, next func(limit int) (at int, path []heading))
}

type streamer struct {
	r       io.Reader
	chunker Chunker
	window  int
	limit   int

	buf         []byte
	eof         bool
	bytes, code int       // offsets of buf in the stream, in bytes and code points
	path        []heading // above buf
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
		var chunks []Chunk
		var next func(int) (int, []heading)
		var err error
		if b, ok := s.chunker.(blockwise); ok {
			chunks, next = b.resume(text, s.path)
		} else {
			chunks, err = s.chunker.Chunk(ctx, text)
		}
		if err == nil {
			err = ctx.Err()
		}
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
			c.Text = strings.Clone(c.Text) // or one chunk would hold the window
			if !yield(c, nil) {
				return nil
			}
		}
		if s.eof {
			return nil
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

// keep returns how many of a window's chunks are final and where the next
// window begins.
func (s *streamer) keep(text string, chunks []Chunk, next func(int) (int, []heading)) (n, from int) {
	if s.eof {
		return len(chunks), len(text)
	}
	if len(chunks) == 0 {
		return 0, len(text) - min(len(text), 1024) // blank; an end may still matter
	}
	n = max(0, len(chunks)-2)
	if n == 0 {
		return 0, 0
	}
	from = chunks[n].Start
	if next == nil {
		return n, from
	}
	var path []heading
	from, path = next(from)
	for n > 0 && chunks[n-1].Start >= from {
		n--
	}
	if n > 0 {
		s.path = path
	} else {
		from = 0
	}
	return n, from
}

// fill reads until buf holds size bytes or the stream ends, so that what is in
// it doesn't depend on how the reader returns its bytes.
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
