package chunk

import (
	"context"
	"fmt"
	"math"
)

// FastCDC cuts where the content says so: a rolling hash of the last bytes
// decides, so an edit moves the cuts near it and no others. Passages of a
// changed document keep their ids but for the few around the change, and need
// not be embedded again.
//
// Xia et al.: "FastCDC: a fast and efficient content-defined chunking approach
// for data deduplication", USENIX ATC 2016; the cuts equal those of the Python
// package fastcdc 1.7.0.
type FastCDC struct{ min, avg, max int }

// NewFastCDC returns a FastCDC with passages of min to max bytes, avg on
// average. It fails with [ErrSize] unless 64 <= min <= avg <= max and avg is at
// least 256.
func NewFastCDC(min, avg, max int) (*FastCDC, error) {
	if min < 64 || avg < 256 || avg < min || max < avg || max > 1<<30 {
		return nil, fmt.Errorf("%w: FastCDC with %d, %d, %d bytes, want 64 <= min <= avg <= max <= 2^30 and avg >= 256", ErrSize, min, avg, max)
	}
	return &FastCDC{min, avg, max}, nil
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
// center more bits of the hash must be 0 than behind it, which draws sizes to
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
// into. A passage may be up to three bytes larger than max for that, and smaller
// than min where white space at its ends was left out.
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
