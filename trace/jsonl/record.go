package jsonl

import (
	"io"
	"iter"
	"math"
	"time"

	"github.com/prodailabs/prodai/trace"
)

// A Record is a span with the attributes of package trace read into fields. The
// zero value of a field means that the span does not have it; where 0 is a
// meaningful value, a second field says which it is.
type Record struct {
	Span

	Operation string // chat, embeddings, retrieval, execute_tool, invoke_agent, invoke_workflow
	Provider  string
	Model     string // asked for
	Answered  string // the model that answered
	Target    string // the workflow's, agent's or tool's name, or what was searched

	Tenant, User, Feature, Conversation string

	Prompt, PromptVersion, PromptHash string

	ErrorType     string // "" on success
	FinishReasons []string
	FromCache     bool

	Usage      Usage
	UsageKnown bool
	Estimated  bool // Usage was counted here, and not reported by the provider

	CostPicoUSD int64
	CostKnown   bool

	FirstChunk time.Duration
	MaxGap     time.Duration // the longest wait for a chunk after the first
	Chunks     int
	Stalls     int

	Found int // documents of a retrieval

	// Weight is how many traces this one stands for after sampling, at least 1.
	Weight int64
}

// Usage is token counts. Input includes CacheRead and CacheWrite, Output includes
// Reasoning.
type Usage struct {
	Input, Output, CacheRead, CacheWrite, Reasoning int64
}

// Billable reports whether the span is an attempt or an embedding, the only ones
// that have usage and cost.
func (r *Record) Billable() bool {
	return r.Operation == trace.OperationChat || r.Operation == trace.OperationEmbeddings
}

// Failed reports whether the span's status is Error.
func (r *Record) Failed() bool { return r.Status == "Error" }

// RetryOf returns the id of the failed attempt's span that this one follows, or
// "".
func (r *Record) RetryOf() string {
	for _, l := range r.Links {
		if _, ok := l.Attributes[trace.LinkAttempt]; ok {
			return l.SpanID
		}
	}
	return ""
}

// Record reads the attributes into fields. Names of older and newer profiles are
// understood too. A value of a wrong type counts as missing.
func (s *Span) Record() Record {
	r := Record{Span: *s, Weight: 1}
	text := func(keys ...string) string {
		for _, key := range keys {
			if v, ok := s.Attributes[key].(string); ok {
				return v
			}
		}
		return ""
	}
	r.Operation = text(trace.SpanOperation)
	r.Provider = text(trace.SpanProvider, "gen_ai.system")
	r.Model, r.Answered = text(trace.SpanModel), text(trace.SpanResponseModel)
	r.Target = text(trace.SpanWorkflow, trace.SpanAgent, trace.SpanTool, trace.SpanDataSource)
	r.Tenant, r.User, r.Feature, r.Conversation = text(trace.SpanTenant), text(trace.SpanUser), text(trace.SpanFeature), text(trace.SpanConversation)
	r.Prompt, r.PromptHash = text(trace.SpanPrompt), text(trace.SpanPromptHash)
	r.PromptVersion = text(trace.SpanPromptVersion, "gen_ai.prompt.version")
	r.ErrorType = text(trace.SpanErrorType)
	r.FinishReasons = texts(s.Attributes[trace.SpanFinishReasons])
	r.FromCache, _ = s.Attributes[trace.SpanFromCache].(bool)
	r.Estimated, _ = s.Attributes[trace.SpanEstimated].(bool)

	count := func(keys ...string) (int64, bool) {
		for _, key := range keys {
			if n, ok := whole(s.Attributes[key]); ok && n >= 0 {
				return n, true
			}
		}
		return 0, false
	}
	var in, out bool
	r.Usage.Input, in = count(trace.SpanInputTokens)
	r.Usage.Output, out = count(trace.SpanOutputTokens)
	r.UsageKnown = in || out
	r.Usage.CacheRead, _ = count(trace.SpanCacheRead)
	r.Usage.CacheWrite, _ = count(trace.SpanCacheCreation, "gen_ai.usage.cache_write.input_tokens")
	r.Usage.Reasoning, _ = count(trace.SpanReasoningTokens)
	r.CostPicoUSD, r.CostKnown = count(trace.SpanCostPicoUSD)
	r.FirstChunk, r.MaxGap = seconds(s.Attributes[trace.SpanFirstChunk]), seconds(s.Attributes[trace.SpanMaxGap])
	if n, ok := count(trace.SpanSampleRate); ok && n > 0 {
		r.Weight = n
	}
	chunks, _ := count(trace.SpanChunks)
	stalls, _ := count(trace.SpanStalls)
	found, _ := count(trace.SpanRetrievalCount)
	r.Chunks, r.Stalls, r.Found = bounded(chunks), bounded(stalls), bounded(found)
	return r
}

// Records yields the spans of a file as records. Errors are those of [Read].
func Records(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for s, err := range Read(r) {
			var rec Record
			if err == nil {
				rec = s.Record()
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// whole reads a whole number as a file or the SDK gives it.
func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), true
		}
	}
	return 0, false
}

func seconds(v any) time.Duration {
	f, ok := v.(float64)
	if !ok {
		n, isInt := whole(v)
		if !isInt {
			return 0
		}
		f = float64(n)
	}
	const most = float64(1 << 32) // seconds: more is no duration of a span
	if !(f > 0 && f < most) {
		return 0
	}
	return time.Duration(f * float64(time.Second))
}

func bounded(n int64) int { return int(min(n, math.MaxInt32)) }

func texts(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
