package gateway

import (
	"context"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/trace/cost"
)

// A passage is one that was found, as the page shows it.
type passage struct {
	Number  int     `json:"number"`
	ID      string  `json:"id"`
	Source  string  `json:"source"`
	Heading string  `json:"heading,omitempty"`
	Start   *int    `json:"start,omitempty"` // bytes of the source; absent where the text was redacted
	End     *int    `json:"end,omitempty"`
	Score   float32 `json:"score"`
	Text    string  `json:"text"`
}

func passages(docs []schema.Document) []passage {
	out := make([]passage, len(docs))
	for i, d := range docs {
		p := passage{Number: i + 1, Score: d.Score, Text: d.PageContent}
		p.ID, _ = chunk.MetaString(d.Metadata, chunk.KeyID)
		p.Source, _ = chunk.MetaString(d.Metadata, chunk.KeySource)
		p.Heading, _ = chunk.MetaString(d.Metadata, chunk.KeyHeading)
		if at, ok := chunk.MetaSpan(d.Metadata); ok {
			p.Start, p.End = &at.Start, &at.End
		}
		out[i] = p
	}
	return out
}

// evidence is what an answer rests on: the passages, and each citation held
// against its passage.
func evidence(a *service.Answer) map[string]any {
	citations := []map[string]any{}
	for _, c := range a.Checked.Citations {
		citation := map[string]any{"number": c.Number, "start": c.Start, "end": c.End, "status": c.Status.String(), "support": c.Support,
			"source": c.Source, "quote": c.Quote}
		if c.SourceEnd > 0 { // else the passage was redacted, and its text has no place in the source
			citation["source_start"], citation["source_end"] = c.SourceStart, c.SourceEnd
		}
		citations = append(citations, citation)
	}
	return map[string]any{"passages": passages(a.Passages), "citations": citations}
}

// ask is the page's endpoint: one stream with what was found, each decision of
// each layer as it falls, the answer as it is written, and the reckoning.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Question string `json:"question"`
	}
	if !read(w, r, &q) {
		return
	}
	if strings.TrimSpace(q.Question) == "" {
		fail(w, http.StatusBadRequest, "invalid_request_error", "empty_string", "question", "the question is empty")
		return
	}
	out := &events{w: w}
	say := func(kind string, v any) { _ = out.send(message{kind, v}) } // the page may be closed
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	feed := newFeed(ctx)
	sink := &service.Sink{OnEvent: func(e service.Event) { feed.offer(message{"event", e}) }}
	ctx = service.WithSink(ctx, sink)
	var a *service.Answer
	var err error
	feed.run(cancel, func() {
		a, err = g.answer(ctx, service.Question{Text: q.Question,
			OnPassages: func(docs []schema.Document) { _ = feed.send(message{"passages", passages(docs)}) }, // the page may be closed
			OnChunk:    func(c string) error { return feed.send(message{"text", c}) },
		})
	}, func(m message) error { return out.send(m) })
	if err != nil {
		p := describe(err)
		g.logFailure(ctx, err, p)
		accessOf(ctx).broken(*p.Code) // the status said 200 already
		say("error", map[string]any{"status": p.status, "error": p.apiError, "spans": sink.Spans()})
		return
	}
	done := evidence(a)
	done["usage"] = usageOf(a)
	done["cost"] = cost.USD(sink.PicoUSD())
	done["spans"] = sink.Spans()
	done["backend"] = g.service.Backend()
	done["text"] = a.Text
	say("done", done)
}

// status is what the page's foot shows.
func (g *Gateway) status(w http.ResponseWriter, _ *http.Request) {
	c := g.service.CacheStats()
	reply(w, http.StatusOK, map[string]any{"backend": g.service.Backend(), "passages": g.service.Passages(), "documents": len(g.service.Sources()),
		"cache": map[string]any{"hits": c.Hits, "misses": c.Misses, "shared": c.Shared}})
}
