package chunk

import (
	"context"
	"fmt"
	"math"
)

// FastCDC cuts where the content decides: a rolling hash of the last bytes is
// compared with a mask, so an edit moves the cuts near it and no others. Only the
// few passages around a change get new ids and must be embedded again.
//
// Xia et al.: "FastCDC: a fast and efficient content-defined chunking approach
// for data deduplication", USENIX ATC 2016; the cuts equal those of the Python
// package fastcdc 1.7.0.
type FastCDC struct{ min, avg, max int }

// FastCDCOptions configure a [FastCDC].
type FastCDCOptions struct {
	// AvgBytes is the size of a passage on average, 256 or more. Default: 1024,
	// about 250 tokens of English.
	AvgBytes int

	// MinBytes is the smallest size, 64 to AvgBytes. Default: a quarter of
	// AvgBytes, as in the Python package.
	MinBytes int

	// MaxBytes is the largest size, AvgBytes to 2^30. Default: 4 times AvgBytes,
	// which an embedder still reads as a whole.
	MaxBytes int
}

// NewFastCDC returns a FastCDC. It fails with [ErrOption].
func NewFastCDC(o *FastCDCOptions) (*FastCDC, error) {
	var opts FastCDCOptions
	if o != nil {
		opts = *o
	}
	const most = 1 << 30
	f := &FastCDC{opts.MinBytes, opts.AvgBytes, opts.MaxBytes}
	if f.avg == 0 {
		f.avg = 1024
	}
	if f.avg < 256 || f.avg > most {
		return nil, fmt.Errorf("%w: FastCDCOptions.AvgBytes is %d: want 256 to %d", ErrOption, f.avg, most)
	}
	if f.min == 0 {
		f.min = f.avg / 4
	}
	if f.max == 0 {
		f.max = min(4*f.avg, most)
	}
	switch {
	case f.min < 64 || f.min > f.avg:
		return nil, fmt.Errorf("%w: FastCDCOptions.MinBytes is %d: want 64 to AvgBytes, %d", ErrOption, f.min, f.avg)
	case f.max < f.avg || f.max > most:
		return nil, fmt.Errorf("%w: FastCDCOptions.MaxBytes is %d: want AvgBytes, %d, to %d", ErrOption, f.max, f.avg, most)
	}
	return f, nil
}

// Cuts returns the end of each chunk of the data; the last is its length.
func (f *FastCDC) Cuts(data []byte) []int {
	var out []int
	for at := 0; at < len(data); {
		at += f.next(data[at:])
		out = append(out, at)
	}
	return out
}

// next returns the length of the chunk that data begins with. Before the
// center more bits of the hash must be 0 than after it, which draws sizes to
// the average.
func (f *FastCDC) next(data []byte) int {
	n := len(data)
	center := f.avg - min(f.min+(f.min+1)/2, f.avg)
	center = min(center, f.max)
	log := int(math.RoundToEven(math.Log2(float64(f.avg))))
	strict, loose := uint32(1)<<(log+1)-1, uint32(1)<<(log-1)-1
	var hash uint32
	i := min(f.min, n)
	for end := min(center, n); i < end; i++ {
		if hash = hash>>1 + gear[data[i]]; hash&strict == 0 {
			return i + 1
		}
	}
	for end := min(f.max, n); i < end; i++ {
		if hash = hash>>1 + gear[data[i]]; hash&loose == 0 {
			return i + 1
		}
	}
	return i
}

// Chunk cuts the text, each cut moved to the end of the code point it falls
// into. A passage may be up to three bytes larger than MaxBytes for that, and smaller
// than MinBytes where white space at its ends was left out.
func (f *FastCDC) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []Chunk
	start := 0
	for _, cut := range f.Cuts([]byte(text)) {
		for !boundary(text, cut) {
			cut++
		}
		if from, to := trim(text, start, max(cut, start)); from < to {
			out = append(out, Chunk{Start: from, End: to})
		}
		start = max(cut, start)
	}
	return finish(text, out, runesOf(text)), nil
}
