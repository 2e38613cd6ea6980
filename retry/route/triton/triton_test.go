package triton

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// TestGoldenWire replays what real servers answered: Triton, and KServe's Python
// server, which follows the same protocol.
func TestGoldenWire(t *testing.T) {
	for _, file := range []string{"server_triton.jsonl", "server_kserve.jsonl"} {
		t.Run(file, func(t *testing.T) {
			replay.Rows(t, file, func(t *testing.T, r *replay.Row) {
				s := replay.Serve(t, r)
				c, err := New(s.URL, &Options{MetricsURL: s.URL})
				require.NoError(t, err)
				m, err := NewModel(s.URL, "ensemble", nil)
				require.NoError(t, err)
				switch {
				case strings.HasSuffix(r.Path, "/ready"):
					err := m.Check(t.Context())
					require.Equal(t, r.Status == 200, err == nil)
					require.Equal(t, r.Status == 200, c.Ready(t.Context()) == nil)
				case strings.HasSuffix(r.Path, "/infer"):
					infer(t, c, r, s)
				case strings.HasSuffix(r.Path, "/generate"), strings.HasSuffix(r.Path, "/generate_stream"):
					generate(t, m, r)
				case r.Path == "/metrics":
					_, err := c.Load(t.Context())
					require.NoError(t, err)
				case strings.HasPrefix(r.Path, "/v2/models/") && r.Status == 200 && !strings.HasSuffix(r.Path, "/stats"):
					meta, err := c.Metadata(t.Context(), "x")
					require.NoError(t, err)
					require.NotEmpty(t, meta.Name)
				default:
					t.Skip("no part of the adapter")
				}
			})
		})
	}
}

// infer sends what was recorded, if that is a request that can be made, and compares
// the answer and the request on the wire.
func infer(t *testing.T, c *Client, r *replay.Row, s *replay.Server) {
	q := InferRequest{}
	var wire struct {
		ID     string
		Inputs []wireTensor
	}
	if json.Unmarshal(r.Request, &wire) == nil && len(wire.Inputs) > 0 {
		q.ID = wire.ID
		for _, in := range wire.Inputs {
			tensor := Tensor{Name: in.Name, Datatype: in.Datatype, Shape: in.Shape}
			require.NoError(t, tensor.readJSON(in.Data))
			q.Inputs = append(q.Inputs, tensor)
		}
	}
	_, err := c.Infer(t.Context(), "m", &q)
	if r.Status == 200 {
		require.NoError(t, err)
		if len(q.Inputs) > 0 {
			_, body, _ := s.Last()
			var sent, recorded struct{ Inputs any }
			require.NoError(t, json.Unmarshal(body, &sent))
			require.NoError(t, json.Unmarshal(r.Request, &recorded))
			require.Equal(t, recorded, sent)
		}
		return
	}
	e := fault.FromError(t.Context(), err)
	require.False(t, e.Retryable, "%d %s", r.Status, r.Body(t))
	require.False(t, e.Unhealthy)
}

func generate(t *testing.T, m *Model, r *replay.Row) {
	options := []llms.CallOption{}
	streamed := ""
	if strings.HasSuffix(r.Path, "_stream") {
		options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { streamed += string(chunk); return nil }))
	}
	resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "What is machine learning?")}, options...)
	body := string(r.Body(t))
	if r.Status != 200 || strings.Contains(body, `"error"`) {
		require.Error(t, err, "an error within a success too")
		return
	}
	require.NoError(t, err)
	require.NotEmpty(t, resp.Choices[0].Content)
	if len(options) > 0 {
		require.Equal(t, resp.Choices[0].Content, streamed)
		require.Contains(t, body, `"text_output":"You "`)
	} else {
		require.Contains(t, body, resp.Choices[0].Content)
	}
}

// TestBinaryTensors: the bytes are those that a Python client sent to Triton, and
// what it answered is read.
func TestBinaryTensors(t *testing.T) {
	const answer = "eyJtb2RlbF9uYW1lIjoiYWRkX3N1YiIsIm1vZGVsX3ZlcnNpb24iOiIxIiwib3V0cHV0cyI6W3sibmFtZSI6InN1bSIsImRhdGF0eXBlIjoiRlAzMiIsInNoYXBlIjpbMSwyXSwicGFyYW1ldGVycyI6eyJiaW5hcnlfZGF0YV9zaXplIjo4fX0seyJuYW1lIjoiZGlmZiIsImRhdGF0eXBlIjoiRlAzMiIsInNoYXBlIjpbMSwyXSwiZGF0YSI6Wy00LjAsLTUuMF19XX0AAMBAAAAQQQ=="
	text := answer
	s := replay.Serve(t, &replay.Row{Status: 200, Base64: &text, Header: map[string]string{jsonLength: "206"}})
	c, err := New(s.URL, nil)
	require.NoError(t, err)
	r, err := c.Infer(t.Context(), "add_sub", &InferRequest{Binary: true, Outputs: []string{"sum"}, Inputs: []Tensor{
		{Name: "a", Datatype: "FP32", Shape: []int64{1, 2}, Floats: []float64{1, 2}}, {Name: "b", Datatype: "FP32", Shape: []int64{1, 2}, Floats: []float64{5, 7}},
	}})
	require.NoError(t, err)
	require.Equal(t, []float64{6, 9}, r.Output("sum").Floats)
	require.Equal(t, []float64{-4, -5}, r.Output("diff").Floats)
	require.Nil(t, r.Output("none"))
	_, body, head := s.Last()
	require.Equal(t, "AACAPwAAAEAAAKBAAADgQA==", base64.StdEncoding.EncodeToString(body[len(body)-16:]))
	require.NotEmpty(t, head.Get(jsonLength))
}

// TestTensorsSurvive: what is written is read back, for each type.
func TestTensorsSurvive(t *testing.T) {
	for _, want := range []Tensor{
		{Datatype: "FP32", Shape: []int64{2}, Floats: []float64{1.5, -0.25}},
		{Datatype: "FP64", Shape: []int64{1, 2}, Floats: []float64{1e300, -1}},
		{Datatype: "INT8", Shape: []int64{3}, Ints: []int64{-128, 0, 127}},
		{Datatype: "INT64", Shape: []int64{1}, Ints: []int64{-1 << 62}},
		{Datatype: "UINT32", Shape: []int64{1}, Ints: []int64{1<<32 - 1}},
		{Datatype: "BOOL", Shape: []int64{2}, Ints: []int64{1, 0}},
		{Datatype: "BYTES", Shape: []int64{2}, Texts: []string{"", "日本"}},
	} {
		q := InferRequest{Binary: true, Inputs: []Tensor{want}}
		body, header, err := q.encode()
		require.NoError(t, err)
		require.NotEmpty(t, header)
		got := Tensor{Datatype: want.Datatype, Shape: want.Shape}
		data := body.([]byte)
		i := strings.LastIndexByte(string(data), '}')
		for !json.Valid(data[:i+1]) {
			i = strings.LastIndexByte(string(data[:i]), '}')
		}
		require.NoError(t, got.read(data[i+1:]))
		require.Equal(t, want, got)
		text, err := want.json()
		require.NoError(t, err)
		got = Tensor{Datatype: want.Datatype, Shape: want.Shape}
		require.NoError(t, got.readJSON(text))
		require.Equal(t, want, got)
	}
}

func TestBadInput(t *testing.T) {
	c, err := New("http://host", nil)
	require.NoError(t, err)
	for _, bad := range []Tensor{
		{Datatype: "FP99"}, {Datatype: "FP32", Shape: []int64{2}}, {Datatype: "FP32", Shape: []int64{-1}}, {Datatype: "INT8", Shape: []int64{1}, Floats: []float64{1}},
		{Datatype: "INT8", Shape: []int64{1 << 40, 1 << 40}},
	} {
		_, err := c.Infer(t.Context(), "m", &InferRequest{Inputs: []Tensor{bad}})
		require.Equal(t, fault.ClassInvalidRequest, fault.FromError(t.Context(), err).Class)
	}
	_, err = c.Infer(t.Context(), "m", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = c.Load(t.Context())
	require.ErrorIs(t, err, ErrMetrics)
	for _, address := range []string{"", "host", "ftp://host", "http://host?x=1"} {
		_, err = NewModel(address, "m", nil)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = NewModel("http://host", "", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New("http://host", &Options{MetricsURL: "x"})
	require.ErrorIs(t, err, ErrOption)
	m, err := NewModel("http://host", "m", nil)
	require.NoError(t, err)
	for _, o := range []llms.CallOption{llms.WithTools([]llms.Tool{{}}), llms.WithN(2), llms.WithJSONMode()} {
		_, err = m.Call(t.Context(), "hi", o)
		require.Equal(t, fault.ClassInvalidRequest, fault.FromError(t.Context(), err).Class)
	}
}

// TestParameters: the options have the names of the TensorRT-LLM backend, and only
// those that are set are sent.
func TestParameters(t *testing.T) {
	s := replay.Serve(t, &replay.Row{Status: 200, JSON: json.RawMessage(`{"text_output":["a"," b"]}`)})
	m, err := NewModel(s.URL, "en semble", &Options{Parameters: map[string]any{"bad_words": ""}, Header: http.Header{"x-team": {"t"}}})
	require.NoError(t, err)
	text, err := m.Call(t.Context(), "hi", llms.WithMaxTokens(8), llms.WithTemperature(0), llms.WithStopWords([]string{"\n"}))
	require.NoError(t, err)
	require.Equal(t, "a b", text)
	path, body, head := s.Last()
	require.Equal(t, "/v2/models/en%20semble/generate", path)
	require.JSONEq(t, `{"text_input":"hi","max_tokens":8,"temperature":0,"stop_words":["\n"],"bad_words":""}`, string(body))
	require.Equal(t, "t", head.Get("X-Team"))
	metrics := "nv_inference_pending_request_count{model=\"a\"} 3\nnv_inference_pending_request_count{model=\"b\"} 2\n"
	q := replay.Serve(t, &replay.Row{Status: 200, Text: &metrics})
	c, err := New(s.URL, &Options{MetricsURL: q.URL})
	require.NoError(t, err)
	load, err := c.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, route.Load{Waiting: 5}, load)
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte(`{"outputs":[{"name":"a","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`), []byte{0, 0, 128, 63})
	f.Add([]byte(`{"outputs":[{"name":"a","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}`), []byte{2, 0, 0, 0, 'h', 'i'})
	f.Add([]byte(`{"outputs":[{"name":"a","datatype":"BOOL","shape":[2],"data":[true,false]}]}`), []byte{})
	f.Fuzz(func(t *testing.T, head, behind []byte) {
		r, err := decodeResponse(head, behind)
		if err != nil {
			return
		}
		for i := range r.Outputs {
			require.NoError(t, r.Outputs[i].check())
		}
	})
}
