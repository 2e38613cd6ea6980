package bert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range.
	ErrOption = errors.New("bert: invalid option")
	// ErrModel is wrapped by the errors for files that are missing, damaged, or don't fit
	// together, and for a model whose numbers overflow.
	ErrModel = errors.New("bert: the model can't be used")
	// ErrUnsupported is wrapped by the errors for models of a kind that would give wrong
	// results here, such as one with another tokenizer.
	ErrUnsupported = errors.New("bert: this kind of model is not supported")
)

// A linear is a matrix and what is added to its products.
type linear struct {
	panels *vec.Panels // float32, or
	blocks *vec.Blocks // int8
	bias   []float32
}

// A norm is a layer normalization.
type norm struct{ weight, bias []float32 }

// A layer is attention, and two matrices with a nonlinear function between them. The
// matrices of queries, keys and values are one.
type layer struct {
	qkv, attended, up, down linear
	attendedNorm, downNorm  norm
}

// network is the weights of an encoder. It is not changed after it is loaded.
type network struct {
	config
	words, positions, types []float32
	norm                    norm
	layers                  []layer
	hash                    string // of the weights' file
	precision               Precision
}

// A loader reads tensors; after an error the rest of its reads do nothing.
type loader struct {
	file      *tensorFile
	prefix    string
	precision Precision
	err       error
}

func (l *loader) read(name string, shape ...int) []float32 {
	if l.err != nil {
		return nil
	}
	var out []float32
	out, l.err = l.file.read(l.prefix+name, shape...)
	return out
}

func (l *loader) norm(name string, n int) norm {
	return norm{l.read(name+".weight", n), l.read(name+".bias", n)}
}

// linear reads one matrix, or several with the same inputs that are put into one.
func (l *loader) linear(rows, cols int, names ...string) linear {
	var weight, bias []float32
	for _, name := range names {
		w, b := l.read(name+".weight", rows, cols), l.read(name+".bias", rows)
		if len(names) == 1 {
			weight, bias = w, b
		} else {
			weight, bias = append(weight, w...), append(bias, b...)
		}
	}
	out := linear{bias: bias}
	if l.err != nil {
		return out
	}
	if l.precision == PrecisionInt8 {
		out.blocks, l.err = encode(len(bias), cols, weight)
	} else {
		out.panels = vec.NewPanels(len(bias), cols, weight)
	}
	return out
}

// encode turns a matrix into 8-bit codes, 32 neighbors of a row with one scale.
func encode(rows, cols int, weight []float32) (*vec.Blocks, error) {
	if cols%vec.BlockSize != 0 {
		return nil, fmt.Errorf("%w: a matrix with %d columns in 8 bits, want a multiple of %d", ErrUnsupported, cols, vec.BlockSize)
	}
	m := vec.NewBlocks(rows, cols, 8)
	var q [vec.BlockSize]int8
	for i := 0; i < len(weight); i += vec.BlockSize {
		block := weight[i:][:vec.BlockSize]
		var top float32
		for _, v := range block {
			top = max(top, v, -v)
		}
		d, ok := toHalf(top / 127)
		if !ok {
			return nil, fmt.Errorf("%w: the weight %v is too large for 8 bits with a scale", ErrModel, top)
		}
		clear(q[:])
		if scale := float64(fromHalf(d)); scale > 0 {
			for j, v := range block {
				q[j] = int8(max(-127, min(127, math.RoundToEven(float64(v)/scale))))
			}
		}
		m.Set8(i/cols, i%cols/vec.BlockSize, d, &q)
	}
	return m, nil
}

// readNetwork reads config.json and model.safetensors. The loader reads what comes after
// the encoder.
func readNetwork(dir fs.FS, p Precision, rest func(*loader, config)) (*network, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	f, err := dir.Open("model.safetensors")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	at, ok := f.(io.ReaderAt)
	if !ok || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: model.safetensors is not a file that can be read at any place", ErrModel)
	}
	tensors, err := openTensors(at, info.Size())
	if err != nil {
		return nil, err
	}
	l := &loader{file: tensors, precision: p}
	if tensors.has("bert.embeddings.word_embeddings.weight") {
		l.prefix = "bert."
	}
	n := l.network(c)
	if rest != nil && l.err == nil {
		rest(l, c)
	}
	if l.err != nil {
		return nil, l.err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(at, 0, info.Size())); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	n.hash = hex.EncodeToString(h.Sum(nil)[:6])
	return n, nil
}

func (l *loader) network(c config) *network {
	const e = "embeddings."
	n := &network{config: c, precision: l.precision}
	n.words = l.read(e+"word_embeddings.weight", c.Vocabulary, c.Hidden)
	n.positions = l.read(e+"position_embeddings.weight", c.Positions, c.Hidden)
	n.types = l.read(e+"token_type_embeddings.weight", c.Types, c.Hidden)
	n.norm = l.norm(e+"LayerNorm", c.Hidden)
	for i := range c.Layers {
		if l.err != nil {
			break
		}
		k := fmt.Sprintf("encoder.layer.%d.", i)
		s := k + "attention.self."
		n.layers = append(n.layers, layer{
			qkv:          l.linear(c.Hidden, c.Hidden, s+"query", s+"key", s+"value"),
			attended:     l.linear(c.Hidden, c.Hidden, k+"attention.output.dense"),
			attendedNorm: l.norm(k+"attention.output.LayerNorm", c.Hidden),
			up:           l.linear(c.Intermediate, c.Hidden, k+"intermediate.dense"),
			down:         l.linear(c.Hidden, c.Intermediate, k+"output.dense"),
			downNorm:     l.norm(k+"output.LayerNorm", c.Hidden),
		})
	}
	return n
}
