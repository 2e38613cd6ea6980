package openai

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"

	"github.com/prodailabs/prodai/internal/apierror"
)

// batch is how many texts one request holds; OpenAI takes 2,048.
const batch = 512

// An Embedder is an embeddings.Embedder, and an embeddings.EmbedderClient,
// over the OpenAI protocol. It is safe for concurrent use.
type Embedder struct {
	client *client
	model  string
}

// NewEmbedder returns an Embedder that asks the model of that name. It fails
// with [ErrOption].
func NewEmbedder(model string, o *Options) (*Embedder, error) {
	c, err := newClient(model, o)
	if err != nil {
		return nil, err
	}
	return &Embedder{client: c, model: model}, nil
}

// Name is the model's name.
func (e *Embedder) Name() string { return e.model }

// EmbedDocuments returns a vector for each text, in their order. It fails with an
// [*Error], and then returns no vectors.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		n := min(batch, len(texts))
		vectors, err := e.request(ctx, texts[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, vectors...)
		texts = texts[n:]
	}
	return out, nil
}

// EmbedQuery returns the vector of a text. Its errors are those of
// [Embedder.EmbedDocuments].
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	vectors, err := e.request(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// CreateEmbedding is [Embedder.EmbedDocuments] under the name that
// embeddings.NewEmbedder requires.
func (e *Embedder) CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error) {
	return e.EmbedDocuments(ctx, texts)
}

func (e *Embedder) request(ctx context.Context, texts []string) ([][]float32, error) {
	body := map[string]any{"model": e.model, "input": texts, "encoding_format": "base64"}
	if e.client.o.Dimensions > 0 {
		body["dimensions"] = e.client.o.Dimensions
	}
	resp, err := e.client.post(ctx, e.client.address(e.model, "embeddings"), body, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end, or the call has failed
	data, err := e.client.read(ctx, resp, resp.Body)
	if err != nil {
		return nil, err
	}
	return e.vectors(ctx, resp, data, len(texts))
}

// vectors reads n vectors, put in order by their index: as lists of numbers or
// as little-endian float32 in base64, which is a quarter of the size.
func (e *Embedder) vectors(ctx context.Context, resp *http.Response, data []byte, n int) ([][]float32, error) {
	var body struct {
		looseCompletion
		Data []struct {
			Index     looseIndex      `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, e.client.malformed(ctx, resp, err, data)
	}
	head := body.head()
	if head.Error != nil && len(body.Data) > 0 && apierror.Blank(*head.Error) {
		head.Error = nil
	}
	if head.failed() {
		return nil, e.client.inBandError(resp, data)
	}
	out := make([][]float32, n)
	dimensions := 0
	for at, d := range body.Data {
		if d.Index.n != nil {
			at = *d.Index.n
		}
		if at < 0 || at >= n || out[at] != nil {
			return nil, e.client.malformed(ctx, resp, fmt.Errorf("index %d among %d texts", at, n), data)
		}
		v, err := vector(d.Embedding)
		if err != nil {
			return nil, e.client.malformed(ctx, resp, fmt.Errorf("vector %d: %w", at, err), data)
		}
		if dimensions == 0 {
			dimensions = len(v)
		}
		if len(v) != dimensions {
			return nil, e.client.malformed(ctx, resp, fmt.Errorf("vector %d has %d dimensions, another %d", at, len(v), dimensions), data)
		}
		out[at] = v
	}
	for i, v := range out {
		if v == nil {
			return nil, e.client.malformed(ctx, resp, fmt.Errorf("%d vectors for %d texts: number %d is missing", len(body.Data), n, i), data)
		}
	}
	return out, nil
}

func vector(raw json.RawMessage) ([]float32, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		var list []float32
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("it has no dimension")
		}
		return list, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || len(b)%4 != 0 {
		return nil, fmt.Errorf("%d bytes are no float32s", len(b))
	}
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}
