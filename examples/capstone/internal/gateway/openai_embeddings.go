package gateway

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
)

// embeddingModel is the name of the embedded embedder.
const embeddingModel = "static-en-256"

// embeddings embeds with the model that the search uses.
func (g *Gateway) embeddings(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model  string          `json:"model"`
		Input  json.RawMessage `json:"input"`
		Format string          `json:"encoding_format"`
		Dim    *int            `json:"dimensions"`
	}
	if !read(w, r, &q) {
		return
	}
	if q.Model != embeddingModel {
		if q.Model == "" {
			fail(w, http.StatusBadRequest, "invalid_request_error", "missing_required_parameter", "model", "model is missing")
			return
		}
		unknownModel(w, q.Model)
		return
	}
	texts, err := inputs(q.Input)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "input", err.Error())
		return
	}
	if q.Format != "" && q.Format != "float" && q.Format != "base64" {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "encoding_format", "encoding_format must be float or base64")
		return
	}
	select { // as many at once as can be computed
	case g.embedding <- struct{}{}:
	case <-r.Context().Done():
		g.failWith(w, r, r.Context().Err())
		return
	}
	vectors, tokens, err := func() ([][]float32, int, error) {
		defer func() { <-g.embedding }() // writing may take a slow reader minutes
		return g.service.Embed(r.Context(), texts)
	}()
	if err != nil {
		g.failWith(w, r, err)
		return
	}
	if q.Dim != nil && (*q.Dim < 1 || *q.Dim != len(vectors[0])) {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "dimensions", fmt.Sprintf("this model's vectors have %d dimensions", len(vectors[0])))
		return
	}
	writeEmbeddings(w, vectors, q.Format == "base64", tokens)
}

// writeEmbeddings writes the response a vector at a time: as one piece it would
// be several times as large as the vectors.
func writeEmbeddings(w http.ResponseWriter, vectors [][]float32, pack bool, tokens int) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	out := bufio.NewWriterSize(w, 64<<10) // keeps its first error: the client is gone
	fmt.Fprintf(out, `{"object":"list","model":%q,"usage":{"prompt_tokens":%d,"total_tokens":%d},"data":[`, embeddingModel, tokens, tokens)
	for i, v := range vectors {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		fmt.Fprintf(out, `{"object":"embedding","index":%d,"embedding":`, i)
		var data []byte
		var err error
		if pack {
			data, err = json.Marshal(packed(v))
		} else {
			data, err = json.Marshal(v)
		}
		if err != nil {
			return // a vector that is not finite: half a response is no JSON
		}
		_, _ = out.Write(data)
		_ = out.WriteByte('}')
	}
	_, _ = out.WriteString("]}\n")
	_ = out.Flush()
}

// maxInputs is how many texts a request may hold, as at OpenAI.
const maxInputs = 2048

func inputs(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("input is missing")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		if one == "" {
			return nil, errors.New("input is empty")
		}
		return []string{one}, nil
	}
	var many []string
	switch err := json.Unmarshal(raw, &many); {
	case err != nil:
		return nil, errors.New("input must be a string or a list of strings (token ids belong to another model's vocabulary)")
	case len(many) == 0 || len(many) > maxInputs:
		return nil, fmt.Errorf("input has %d texts, want 1 to %d", len(many), maxInputs)
	}
	if i := slices.Index(many, ""); i >= 0 {
		return nil, fmt.Errorf("input[%d] is empty", i)
	}
	return many, nil
}

// packed is a vector as little-endian float32 in base64, the official clients'
// default.
func packed(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}
