package triton

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// A Tensor is an input or an output. One of the slices has its values, in row-major
// order: Floats for FP32 and FP64, Ints for whole numbers and BOOL (0 or 1), Texts for
// BYTES.
type Tensor struct {
	Name     string
	Datatype string // FP32, FP64, INT8 … INT64, UINT8 … UINT32, BOOL, BYTES
	Shape    []int64
	Floats   []float64
	Ints     []int64
	Texts    []string
}

// sizes are the bytes of a value; BYTES has a length of four bytes before each.
var sizes = map[string]int{"FP32": 4, "FP64": 8, "INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "UINT8": 1, "UINT16": 2, "UINT32": 4, "BOOL": 1, "BYTES": 0}

// Len returns the number of values.
func (t *Tensor) Len() int { return len(t.Floats) + len(t.Ints) + len(t.Texts) }

// elements returns the product of a shape, or an error if that isn't a size.
func elements(shape []int64) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt32/d {
			return 0, fmt.Errorf("the shape %v isn't the size of a tensor", shape)
		}
		n *= d
	}
	return int(n), nil
}

func (t *Tensor) check() error {
	if _, ok := sizes[t.Datatype]; !ok {
		return fmt.Errorf("tensor %q has the datatype %q, which isn't supported", t.Name, t.Datatype)
	}
	n, err := elements(t.Shape)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	have := map[bool]int{true: len(t.Floats), false: len(t.Ints)}[t.Datatype == "FP32" || t.Datatype == "FP64"]
	if t.Datatype == "BYTES" {
		have = len(t.Texts)
	}
	if have != n || t.Len() != n {
		return fmt.Errorf("tensor %q has %d values for the shape %v", t.Name, t.Len(), t.Shape)
	}
	return nil
}

// A wireTensor is a tensor in JSON.
type wireTensor struct {
	Name       string          `json:"name"`
	Shape      []int64         `json:"shape,omitempty"`
	Datatype   string          `json:"datatype,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Parameters map[string]any  `json:"parameters,omitempty"`
}

// encode makes the body: JSON alone, or JSON and bytes with the header that splits
// them.
func (r *InferRequest) encode() (body any, header http.Header, err error) {
	var behind bytes.Buffer
	inputs := []wireTensor{}
	for i := range r.Inputs {
		t := &r.Inputs[i]
		if err := t.check(); err != nil {
			return nil, nil, fault.New(fault.ClassInvalidRequest, fmt.Errorf("triton: %w", err))
		}
		w := wireTensor{Name: t.Name, Shape: t.Shape, Datatype: t.Datatype}
		if w.Shape == nil {
			w.Shape = []int64{}
		}
		if r.Binary {
			before := behind.Len()
			t.append(&behind)
			w.Parameters = map[string]any{"binary_data_size": behind.Len() - before}
		} else if w.Data, err = t.json(); err != nil {
			return nil, nil, fault.New(fault.ClassInvalidRequest, fmt.Errorf("triton: tensor %q: %w", t.Name, err))
		}
		inputs = append(inputs, w)
	}
	o := map[string]any{"inputs": inputs}
	if r.ID != "" {
		o["id"] = r.ID
	}
	if len(r.Outputs) > 0 {
		list := make([]wireTensor, len(r.Outputs))
		for i, name := range r.Outputs {
			list[i] = wireTensor{Name: name}
			if r.Binary {
				list[i].Parameters = map[string]any{"binary_data": true}
			}
		}
		o["outputs"] = list
	} else if r.Binary {
		o["parameters"] = map[string]any{"binary_data_output": true}
	}
	if !r.Binary {
		return o, nil, nil
	}
	head, err := json.Marshal(o)
	if err != nil {
		return nil, nil, err
	}
	return append(head, behind.Bytes()...), http.Header{jsonLength: {strconv.Itoa(len(head))}}, nil
}

func (t *Tensor) json() (json.RawMessage, error) {
	switch t.Datatype {
	case "FP32", "FP64":
		if t.Floats == nil {
			return json.RawMessage("[]"), nil
		}
		return json.Marshal(t.Floats)
	case "BYTES":
		return json.Marshal(append([]string{}, t.Texts...))
	case "BOOL":
		b := make([]bool, len(t.Ints))
		for i, v := range t.Ints {
			b[i] = v != 0
		}
		return json.Marshal(b)
	}
	return json.Marshal(append([]int64{}, t.Ints...))
}

// append writes the values as little-endian bytes.
func (t *Tensor) append(b *bytes.Buffer) {
	var buf [8]byte
	for _, v := range t.Floats {
		if t.Datatype == "FP32" {
			binary.LittleEndian.PutUint32(buf[:], math.Float32bits(float32(v)))
		} else {
			binary.LittleEndian.PutUint64(buf[:], math.Float64bits(v))
		}
		b.Write(buf[:sizes[t.Datatype]])
	}
	for _, v := range t.Ints {
		binary.LittleEndian.PutUint64(buf[:], uint64(v))
		b.Write(buf[:sizes[t.Datatype]])
	}
	for _, s := range t.Texts {
		binary.LittleEndian.PutUint32(buf[:], uint32(len(s)))
		b.Write(buf[:4])
		b.WriteString(s)
	}
}

// decodeResponse reads an answer: JSON, and the bytes of the outputs that have a
// binary_data_size, one after another.
func decodeResponse(head, behind []byte) (*InferResponse, error) {
	var w struct {
		ID      string       `json:"id"`
		Model   string       `json:"model_name"`
		Version string       `json:"model_version"`
		Outputs []wireTensor `json:"outputs"`
		Error   string       `json:"error"`
	}
	if err := json.Unmarshal(head, &w); err != nil {
		return nil, engine.Malformed(err)
	}
	if w.Error != "" {
		return nil, translate(&engine.StatusError{Status: http.StatusInternalServerError, Text: w.Error})
	}
	r := &InferResponse{ID: w.ID, Model: w.Model, Version: w.Version}
	for _, o := range w.Outputs {
		t := Tensor{Name: o.Name, Datatype: o.Datatype, Shape: o.Shape}
		var err error
		if size, ok := o.Parameters["binary_data_size"].(float64); ok {
			if !(size >= 0 && size <= float64(len(behind))) {
				return nil, engine.Malformed(fmt.Errorf("output %q has %v bytes, and %d are left", o.Name, size, len(behind)))
			}
			err = t.read(behind[:int(size)])
			behind = behind[int(size):]
		} else {
			err = t.readJSON(o.Data)
		}
		if err == nil {
			err = t.check()
		}
		if err != nil {
			return nil, engine.Malformed(fmt.Errorf("output %q: %w", o.Name, err))
		}
		r.Outputs = append(r.Outputs, t)
	}
	return r, nil
}

func (t *Tensor) readJSON(data json.RawMessage) error {
	switch t.Datatype {
	case "FP32", "FP64":
		return json.Unmarshal(data, &t.Floats)
	case "BYTES":
		return json.Unmarshal(data, &t.Texts)
	case "BOOL":
		var b []bool
		if err := json.Unmarshal(data, &b); err != nil {
			return err
		}
		for _, v := range b {
			t.Ints = append(t.Ints, map[bool]int64{true: 1}[v])
		}
		return nil
	}
	return json.Unmarshal(data, &t.Ints)
}

// read decodes little-endian bytes.
func (t *Tensor) read(data []byte) error {
	size, ok := sizes[t.Datatype]
	if !ok {
		return fmt.Errorf("the datatype %q isn't supported", t.Datatype)
	}
	if t.Datatype == "BYTES" {
		for len(data) > 0 {
			if len(data) < 4 {
				return errors.New("a text is cut")
			}
			n := int64(binary.LittleEndian.Uint32(data))
			if data = data[4:]; n > int64(len(data)) {
				return errors.New("a text is cut")
			}
			t.Texts, data = append(t.Texts, string(data[:n])), data[n:]
		}
		return nil
	}
	if len(data)%size != 0 {
		return fmt.Errorf("%d bytes are no whole number of values of %d", len(data), size)
	}
	for ; len(data) > 0; data = data[size:] {
		var buf [8]byte
		copy(buf[:], data[:size])
		v := binary.LittleEndian.Uint64(buf[:])
		switch t.Datatype {
		case "FP32":
			t.Floats = append(t.Floats, float64(math.Float32frombits(uint32(v))))
		case "FP64":
			t.Floats = append(t.Floats, math.Float64frombits(v))
		case "INT8", "INT16", "INT32":
			shift := 64 - 8*size
			t.Ints = append(t.Ints, int64(v<<shift)>>shift)
		default:
			t.Ints = append(t.Ints, int64(v))
		}
	}
	return nil
}
