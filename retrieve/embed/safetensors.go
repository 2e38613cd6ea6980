package embed

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// ErrOption is wrapped by the error of [Load] for a nil reader.
var ErrOption = errors.New("embed: invalid option")

// ErrModel is wrapped by the error of a model whose files are damaged or do not fit together.
var ErrModel = errors.New("embed: the model can't be used")

// A tensor is one array of a safetensors file.
type tensor struct {
	dtype string
	shape []int
	data  string
}

var dtypeSize = map[string]int{"I8": 1, "I32": 4, "F32": 4}

// parseSafetensors reads the format of huggingface/safetensors: the header's length
// as a little-endian uint64, the header as JSON, the data. A tensor of a type that
// no model here has is an error.
func parseSafetensors(file string) (map[string]tensor, error) {
	if len(file) < 8 {
		return nil, fmt.Errorf("%w: the file has %d bytes, less than a header's length", ErrModel, len(file))
	}
	n := binary.LittleEndian.Uint64([]byte(file[:8]))
	if n > uint64(len(file)-8) {
		return nil, fmt.Errorf("%w: the header should have %d bytes, but the file has %d", ErrModel, n, len(file))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal([]byte(file[8:8+n]), &header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrModel, err)
	}
	data := file[8+n:]
	out := map[string]tensor{}
	for name, raw := range header {
		if name == "__metadata__" {
			continue
		}
		var h struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, fmt.Errorf("%w: tensor %s: %w", ErrModel, name, err)
		}
		size, ok := dtypeSize[h.DType]
		if !ok {
			return nil, fmt.Errorf("%w: tensor %s has the type %q, want I8, I32 or F32", ErrModel, name, h.DType)
		}
		for _, d := range h.Shape {
			if d < 0 || d > 0 && size > math.MaxInt/d {
				return nil, fmt.Errorf("%w: tensor %s has the shape %v", ErrModel, name, h.Shape)
			}
			size *= d
		}
		from, to := h.Offsets[0], h.Offsets[1]
		if from < 0 || to < from || to > len(data) || to-from != size {
			return nil, fmt.Errorf("%w: tensor %s is at %d to %d of %d bytes, want %d of them", ErrModel, name, from, to, len(data), size)
		}
		out[name] = tensor{h.DType, h.Shape, data[from:to]}
	}
	return out, nil
}

// float32s decodes the data of an F32 tensor.
func (t tensor) float32s() []float32 {
	out := make([]float32, len(t.data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(t.data[4*i : 4*i+4])))
	}
	return out
}

// int32s decodes the data of an I32 tensor.
func (t tensor) int32s() []int32 {
	out := make([]int32, len(t.data)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32([]byte(t.data[4*i : 4*i+4])))
	}
	return out
}
