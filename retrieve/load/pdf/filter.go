package pdf

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/prodailabs/prodai/retrieve/load"
)

// errFilter is the error of data that is packed as an image, or in an unknown way.
var errFilter = errors.New("the stream has no text")

// decode returns the data of a stream. Data that is damaged ends where the damage is. What
// is unpacked counts against the limit of the file.
func (f *file) decode(s *stream) ([]byte, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	filters, params := f.array(s.dict["Filter"]), f.array(s.dict["DecodeParms"])
	if one := f.name(s.dict["Filter"]); one != "" {
		filters, params = array{one}, array{s.dict["DecodeParms"]}
	}
	const mostFilters = 8
	if len(filters) > mostFilters {
		return nil, &load.LimitError{What: "filters", Limit: mostFilters}
	}
	data := s.raw
	for i, filter := range filters {
		var p dict
		if i < len(params) {
			p = f.dict(params[i])
		}
		var err error
		if data, err = f.filter(f.name(filter), data, p); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// form is decode for what is drawn again and again.
func (f *file) form(s *stream) ([]byte, error) {
	if data, ok := f.forms[s]; ok {
		return data, nil
	}
	data, err := f.decode(s)
	if err == nil {
		f.forms[s] = data
	}
	return data, err
}

// take counts unpacked bytes.
func (f *file) take(n int) error {
	if f.budget -= n; f.budget < 0 {
		return &load.LimitError{What: "unpacked data", Limit: f.limits.MaxUnpacked}
	}
	return nil
}

func (f *file) filter(filter name, data []byte, p dict) ([]byte, error) {
	switch filter {
	case "FlateDecode", "Fl":
		out, err := f.inflate(data)
		if err != nil {
			return nil, err
		}
		return f.predict(out, p)
	case "LZWDecode", "LZW":
		out, err := f.lzw(data, p["EarlyChange"] == nil || f.int(p["EarlyChange"]) != 0)
		if err != nil {
			return nil, err
		}
		return f.predict(out, p)
	case "ASCIIHexDecode", "AHx":
		l := &lexer{data: append([]byte{'<'}, data...)}
		out := l.hex()
		return []byte(out), f.take(len(out))
	case "ASCII85Decode", "A85":
		out := ascii85(data)
		return out, f.take(len(out))
	case "RunLengthDecode", "RL":
		return f.runLength(data)
	case "Crypt":
		return nil, load.ErrEncrypted
	}
	return nil, fmt.Errorf("%w: filter %.20q", errFilter, string(filter))
}

func (f *file) inflate(data []byte) ([]byte, error) {
	var r io.ReadCloser
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil && len(data) > 2 { // a wrong header before good data
		r = flate.NewReader(bytes.NewReader(data[2:]))
	} else if err != nil {
		return nil, nil
	}
	defer func() { _ = r.Close() }()                           // only read
	out, _ := io.ReadAll(io.LimitReader(r, int64(f.budget)+1)) // damaged data is used up to the damage
	return out, f.take(len(out))
}

// lzw unpacks LZW data with codes of 9 to 12 bits, most significant bit first (7.4.4).
func (f *file) lzw(data []byte, early bool) ([]byte, error) {
	const restart, end, mostCodes = 256, 257, 4096
	type entry struct {
		prefix, length int
		last, first    byte
	}
	var table [mostCodes]entry
	for i := range 256 {
		table[i] = entry{-1, 1, byte(i), byte(i)}
	}
	var out []byte
	next, width, prev := 258, 9, -1
	var bits, have uint
	change := 0
	if early {
		change = 1
	}
	for _, c := range data {
		bits, have = bits<<8|uint(c), have+8
		if have < uint(width) {
			continue
		}
		code := int(bits >> (have - uint(width)) & (1<<width - 1))
		have -= uint(width)
		switch {
		case code == end:
			return out, f.take(len(out))
		case code == restart:
			next, width, prev = 258, 9, -1
			continue
		case prev < 0 && code > 255, code > next, code == next && prev < 0:
			return out, f.take(len(out)) // damaged
		}
		if prev >= 0 && next < mostCodes {
			first := table[prev].first
			if code < next {
				first = table[code].first
			}
			table[next] = entry{prev, table[prev].length + 1, first, table[prev].first}
			next++
		}
		if code >= next {
			return out, f.take(len(out))
		}
		n := table[code].length
		if len(out)+n > f.budget {
			return nil, f.take(len(out) + n)
		}
		out = append(out, make([]byte, n)...)
		for i, at := len(out)-1, code; at >= 0; i, at = i-1, table[at].prefix {
			out[i] = table[at].last
		}
		prev = code
		if next+change >= 1<<width && width < 12 {
			width++
		}
	}
	return out, f.take(len(out))
}

func (f *file) runLength(data []byte) ([]byte, error) {
	var out []byte
	for i := 0; i < len(data); {
		n := int(data[i])
		i++
		switch {
		case n == 128:
			return out, f.take(len(out))
		case n < 128:
			end := min(len(data), i+n+1)
			out = append(out, data[i:end]...)
			i = end
		case i < len(data):
			out = append(out, bytes.Repeat(data[i:i+1], 257-n)...)
			i++
		}
		if len(out) > f.budget {
			break
		}
	}
	return out, f.take(len(out))
}

func ascii85(data []byte) []byte {
	var out []byte
	var group [5]byte
	n := 0
	flush := func(n int) {
		v := uint32(0)
		for i := range 5 {
			d := byte(84)
			if i < n {
				d = group[i]
			}
			v = v*85 + uint32(d)
		}
		for i := range n - 1 {
			out = append(out, byte(v>>(24-8*i)))
		}
	}
	for _, c := range data {
		switch {
		case c == '~':
			if n > 1 {
				flush(n)
			}
			return out
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c >= '!' && c <= 'u':
			group[n] = c - '!'
			if n++; n == 5 {
				flush(5)
				n = 0
			}
		}
	}
	if n > 1 {
		flush(n)
	}
	return out
}

// predict undoes the predictors of PNG (10 to 15) and of TIFF with bytes (2).
func (f *file) predict(data []byte, p dict) ([]byte, error) {
	kind := f.int(p["Predictor"])
	if kind < 2 {
		return data, nil
	}
	colors, bits, columns := max(f.int(p["Colors"]), 1), f.int(p["BitsPerComponent"]), max(f.int(p["Columns"]), 1)
	if bits == 0 {
		bits = 8
	}
	if colors > 32 || bits < 1 || bits > 16 || columns > 1<<20 {
		return nil, errObject
	}
	pixel, row := (colors*bits+7)/8, (colors*bits*columns+7)/8
	if kind == 2 {
		if bits != 8 {
			return nil, errFilter
		}
		out := bytes.Clone(data)
		for at := 0; at < len(out); at += row {
			for i := at + pixel; i < min(at+row, len(out)); i++ {
				out[i] += out[i-pixel]
			}
		}
		return out, nil
	}
	out := make([]byte, 0, len(data))
	before := make([]byte, row)
	for len(data) > 1 {
		filter := data[0]
		line := bytes.Clone(data[1:min(len(data), row+1)])
		data = data[min(len(data), row+1):]
		unfilter(filter, line, before, pixel)
		out = append(out, line...)
		copy(before, line)
	}
	return out, nil
}

func unfilter(filter byte, line, before []byte, pixel int) {
	for i := range line {
		var left, corner byte
		if i >= pixel {
			left, corner = line[i-pixel], before[i-pixel]
		}
		up := before[i]
		switch filter {
		case 1:
			line[i] += left
		case 2:
			line[i] += up
		case 3:
			line[i] += byte((int(left) + int(up)) / 2)
		case 4:
			line[i] += paeth(int(left), int(up), int(corner))
		}
	}
}

func paeth(a, b, c int) byte {
	abs := func(x int) int { return max(x, -x) }
	p := a + b - c
	switch pa, pb, pc := abs(p-a), abs(p-b), abs(p-c); {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
