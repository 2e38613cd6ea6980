package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/trace/cost"
)

// ask is the page's endpoint: one stream with what was found, each decision of
// each layer as it falls, the answer as it is written, and the reckoning.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Question string `json:"question"`
		History  []turn `json:"history"`
	}
	if !read(w, r, &q) {
		return
	}
	if strings.TrimSpace(q.Question) == "" {
		fail(w, http.StatusBadRequest, "invalid_request_error", "empty_string", "question", "the question is empty")
		return
	}
	history, bad := messages(q.History)
	if bad != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", bad.code, bad.param, bad.message)
		return
	}
	out := &events{w: w}
	say := func(kind string, v any) { _ = out.send(message{kind, v}) } // the page may be closed
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	feed := newFeed(ctx)
	sink := &service.Sink{OnEvent: func(e service.Event) { feed.offer(message{"event", explain(e)}) }}
	ctx = service.WithSink(ctx, sink)
	var a *service.Answer
	var err error
	feed.run(cancel, func() {
		a, err = g.answer(ctx, service.Question{Text: q.Question, History: history,
			OnPassages: func(docs []schema.Document) { _ = feed.send(message{"passages", g.passages(ctx, q.Question, docs)}) }, // the page may be closed
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
	done := g.evidence(r.Context(), q.Question, a)
	done["usage"] = usageOf(a)
	done["cost"] = cost.USD(sink.PicoUSD())
	done["spans"] = sink.Spans()
	done["backend"] = g.service.Backend()
	done["about"] = about(g.service.Backend())
	done["refused"] = a.Refused()
	done["text"] = a.Text
	say("done", done)
}

// A turn is what was said before a question.
type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// maxTurns bounds a conversation that is sent along.
const maxTurns = 40

// messages turns what the page remembers into messages, or says what is wrong with
// it.
func messages(history []turn) ([]llms.MessageContent, *errBad) {
	if len(history) > maxTurns {
		return nil, &errBad{"history", "invalid_value", fmt.Sprintf("history has %d messages, want at most %d", len(history), maxTurns)}
	}
	out := make([]llms.MessageContent, len(history))
	for i, t := range history {
		if t.Role != "user" && t.Role != "assistant" {
			return nil, &errBad{fmt.Sprintf("history[%d].role", i), "invalid_value", fmt.Sprintf("the role %q is none of user, assistant", t.Role)}
		}
		out[i] = llms.TextParts(roles[t.Role], t.Content)
	}
	return out, nil
}

// status is what the page shows before a question: what answers, from what, and what
// may be asked.
func (g *Gateway) status(w http.ResponseWriter, r *http.Request) {
	c := g.service.CacheStats()
	sources := g.service.Sources()
	ask, err := suggestions(sources)
	if err != nil {
		g.failWith(w, r, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"backend": g.service.Backend(), "about": about(g.service.Backend()), "passages": g.service.Passages(), "documents": len(sources),
		"suggestions": ask, "cache": map[string]any{"hits": c.Hits, "misses": c.Misses, "shared": c.Shared}})
}
