package rerank

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/internal/wrap"
)

// A Wire is the form of a reranking service's requests and answers.
type Wire uint8

// The forms. That of Cohere (version 2), Jina and vLLM is one: a query, documents, and
// results with an index and a relevance_score. vLLM serves it at /rerank, /v1/rerank and
// /v2/rerank, Cohere at /v2/rerank, Jina at /v1/rerank. Only its optional fields differ.
const (
	WireJina   Wire = iota // Jina, vLLM, and most others: top_n, return_documents
	WireCohere             // Cohere's version 2: top_n, and no return_documents
	WireTEI                // Hugging Face text-embeddings-inference, /rerank: texts, and a list of index and score
	WireScore              // vLLM's /score: text_1 and text_2, and data with index and score
)

// HTTPOptions configure an [HTTP].
type HTTPOptions struct {
	// Wire is the form of the service. Default: WireJina.
	Wire Wire

	// Model is the model's name, which all forms but WireTEI need. Default: it isn't sent.
	Model string

	// Key is sent as a bearer token. Default: none is sent.
	Key string

	// Client sends the requests. Give it a transport that retries, such as that of
	// package retry. Default: http.DefaultClient without following redirects, which would
	// send the key and the texts elsewhere.
	Client *http.Client
}

// HTTP is a [Ranker] that asks a reranking service, which runs a cross-encoder: Cohere,
// Jina, vLLM, text-embeddings-inference, or one with the same form.
type HTTP struct {
	url    string
	o      HTTPOptions
	client *http.Client
}

// NewHTTP returns an HTTP for the address of the service's reranking endpoint, such as
// https://api.cohere.com/v2/rerank or http://localhost:8000/v1/rerank. nil options mean
// the defaults. It fails with [ErrOption].
func NewHTTP(endpoint string, o *HTTPOptions) (*HTTP, error) {
	h := &HTTP{url: endpoint}
	if o != nil {
		h.o = *o
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: the endpoint of NewHTTP: want http:// or https:// with a host", ErrOption)
	}
	if h.o.Wire > WireScore {
		return nil, fmt.Errorf("%w: HTTPOptions.Wire is %d: want WireJina, WireCohere, WireTEI or WireScore", ErrOption, h.o.Wire)
	}
	if h.client = h.o.Client; h.client == nil {
		h.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return h, nil
}

// A StatusError is an answer of a reranking service that is not a success.
type StatusError struct {
	Status  int
	Message string // the beginning of what the service wrote
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("rerank: the service answered %d: %s", e.Status, e.Message)
}

// HTTPStatus returns the status.
func (e *StatusError) HTTPStatus() int { return e.Status }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

// Rank asks the service. The results are matched by their index: a service may return
// fewer than there are texts, in any order. A service's failure is a [*StatusError], an
// answer of another form [ErrRanking].
func (h *HTTP) Rank(ctx context.Context, question string, texts []string) ([]Ranked, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(h.request(question, texts))
	if err != nil {
		return nil, fmt.Errorf("rerank: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("rerank: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if h.o.Key != "" {
		req.Header.Set("Authorization", "Bearer "+h.o.Key)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("rerank: %w", wrap.ContextError(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }() // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("rerank: read the answer: %w", wrap.ContextError(ctx, err))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, &StatusError{resp.StatusCode, strings.ToValidUTF8(string(answer[:min(len(answer), 300)]), "\ufffd")}
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("%w: the answer has more than %d bytes", ErrRanking, maxAnswer)
	}
	return h.read(answer, len(texts))
}

func (h *HTTP) request(question string, texts []string) map[string]any {
	var r map[string]any
	switch h.o.Wire {
	case WireTEI:
		return map[string]any{"query": question, "texts": texts, "truncate": true}
	case WireScore:
		r = map[string]any{"text_1": question, "text_2": texts}
	case WireCohere:
		r = map[string]any{"query": question, "documents": texts, "top_n": len(texts)}
	default:
		r = map[string]any{"query": question, "documents": texts, "top_n": len(texts), "return_documents": false}
	}
	if h.o.Model != "" {
		r["model"] = h.o.Model
	}
	return r
}

// A scored is a result in each of the forms. Pointers tell a missing field from 0.
type scored struct {
	Index     *int     `json:"index"`
	Relevance *float64 `json:"relevance_score"`
	Score     *float64 `json:"score"`
}

// read returns the ranking in an answer.
func (h *HTTP) read(answer []byte, n int) ([]Ranked, error) {
	var results []scored
	var err error
	if h.o.Wire == WireTEI {
		err = json.Unmarshal(answer, &results)
	} else {
		var object struct {
			Results *[]scored `json:"results"`
			Data    *[]scored `json:"data"`
		}
		if err = json.Unmarshal(answer, &object); err == nil {
			list := object.Results
			if h.o.Wire == WireScore {
				list = object.Data
			}
			if list == nil {
				return nil, fmt.Errorf("%w: the answer has no list of results", ErrRanking)
			}
			results = *list
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRanking, err)
	}
	ranked := make([]Ranked, 0, len(results))
	for i, r := range results {
		score := r.Relevance
		if h.o.Wire == WireTEI || h.o.Wire == WireScore {
			score = r.Score
		}
		if r.Index == nil || score == nil || math.IsNaN(*score) {
			return nil, fmt.Errorf("%w: result %d has no index or no score", ErrRanking, i)
		}
		ranked = append(ranked, Ranked{*r.Index, *score})
	}
	if err := check(ranked, n); err != nil {
		return nil, err
	}
	slices.SortStableFunc(ranked, func(a, b Ranked) int { return cmp.Compare(b.Score, a.Score) })
	return ranked, nil
}
