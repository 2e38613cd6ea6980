package gateway

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// A passage is one that was found, as programs and the page see it.
type passage struct {
	Number     int      `json:"number"`
	ID         string   `json:"id"`
	Source     string   `json:"source"`
	Heading    string   `json:"heading,omitempty"`
	Start      *int     `json:"start,omitempty"` // bytes of the source; absent where the text was redacted
	End        *int     `json:"end,omitempty"`
	Score      float32  `json:"score"`                // of the search; an order, not a truth
	Similarity *float64 `json:"similarity,omitempty"` // to the question, at most 1
	Closeness  string   `json:"closeness,omitempty"`  // the similarity in words
	Where      []string `json:"where"`                // the document's title and the headings above
	URL        string   `json:"url"`                  // the passage in its document, on this server
	Text       string   `json:"text"`
}

// passages returns the passages of a question as they are shown.
func (g *Gateway) passages(ctx context.Context, question string, docs []schema.Document) []passage {
	texts := make([]string, len(docs))
	for i, d := range docs {
		texts[i] = d.PageContent
	}
	similar, err := g.service.Similarity(ctx, question, texts)
	if err != nil {
		similar = nil // it explains an answer, and must not be the reason that there is none
	}
	out := make([]passage, len(docs))
	for i, d := range docs {
		p := passage{Number: i + 1, Score: d.Score, Text: d.PageContent, Where: service.Heading(d)}
		p.ID, _ = chunk.MetaString(d.Metadata, chunk.KeyID)
		p.Source, _ = chunk.MetaString(d.Metadata, chunk.KeySource)
		p.Heading, _ = chunk.MetaString(d.Metadata, chunk.KeyHeading)
		if at, ok := chunk.MetaSpan(d.Metadata); ok {
			p.Start, p.End = &at.Start, &at.End
		}
		if similar != nil {
			s := rounded(similar[i])
			p.Similarity, p.Closeness = &s, service.Closeness(similar[i])
		}
		p.URL = g.sourceURL(ctx, p, p.Start, p.End)
		out[i] = p
	}
	return out
}

func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

// sourceURL is the page that shows bytes of a passage's document. A document whose
// name was redacted is found by the passage's id.
func (g *Gateway) sourceURL(ctx context.Context, p passage, start, end *int) string {
	q := url.Values{}
	named := g.service.IsNamed(ctx, p.ID, p.Source)
	if named {
		q.Set("doc", p.Source)
	}
	if named && start != nil && end != nil {
		q.Set("start", strconv.Itoa(*start))
		q.Set("end", strconv.Itoa(*end))
	} else {
		q.Set("id", p.ID)
	}
	return "/source?" + q.Encode() + "#passage"
}

// A near is a passage that is near a question which the documents do not answer.
type near struct {
	Number     int      `json:"number"`
	Source     string   `json:"source"`
	Heading    string   `json:"heading,omitempty"`
	Start      *int     `json:"start,omitempty"`
	End        *int     `json:"end,omitempty"`
	Where      []string `json:"where"`
	URL        string   `json:"url"`
	Quote      string   `json:"quote"`
	Similarity float64  `json:"similarity"`
	Closeness  string   `json:"closeness"`
}

// nearest returns what is near a question that was refused, and nothing for another.
func (g *Gateway) nearest(ctx context.Context, a *service.Answer, all []passage) []near {
	found, err := g.service.Nearest(ctx, a)
	if err != nil {
		return nil
	}
	out := make([]near, len(found))
	for i, n := range found {
		p := all[n.Number-1]
		out[i] = near{Number: n.Number, Source: p.Source, Heading: p.Heading, Start: p.Start, End: p.End, Where: p.Where, URL: p.URL,
			Quote: n.Quote, Similarity: rounded(n.Similarity), Closeness: service.Closeness(n.Similarity)}
	}
	return out
}

// A citation is a number that an answer cites, held against its passage.
type citation struct {
	Number      int     `json:"number"`
	Start       int     `json:"start"` // bytes of the answer
	End         int     `json:"end"`
	Status      string  `json:"status"`
	Support     float64 `json:"support"`
	Source      string  `json:"source"`
	Quote       string  `json:"quote"`
	SourceStart *int    `json:"source_start,omitempty"` // bytes of the source; absent where the passage was redacted
	SourceEnd   *int    `json:"source_end,omitempty"`
	URL         string  `json:"url,omitempty"`
}

// evidence is what an answer rests on: the passages, each citation held against its
// passage, the sentences without one, and what is near a question that was refused.
func (g *Gateway) evidence(ctx context.Context, question string, a *service.Answer) map[string]any {
	all := g.passages(ctx, question, a.Passages)
	citations := make([]citation, len(a.Checked.Citations))
	for i, c := range a.Checked.Citations {
		out := citation{Number: c.Number, Start: c.Start, End: c.End, Status: c.Status.String(), Support: c.Support, Source: c.Source, Quote: c.Quote}
		if c.SourceEnd > 0 { // else the passage was redacted, and its text has no place in the source
			out.SourceStart, out.SourceEnd = &c.SourceStart, &c.SourceEnd
		}
		if c.Number >= 1 && c.Number <= len(all) {
			out.URL = all[c.Number-1].URL
			if out.SourceStart != nil {
				out.URL = g.sourceURL(ctx, all[c.Number-1], out.SourceStart, out.SourceEnd)
			}
		}
		citations[i] = out
	}
	body := map[string]any{"passages": all, "citations": citations, "uncited": uncited(a)}
	if near := g.nearest(ctx, a, all); len(near) > 0 {
		body["nearest"] = near
	}
	return body
}

// uncited returns the sentences that a reader may take for a claim and that cite
// nothing, as bytes of the answer: not a refusal, a quotation, a heading, or a note
// on how the question was read.
func uncited(a *service.Answer) [][2]int {
	out := [][2]int{}
	if a.Refused() {
		return out
	}
	for _, s := range a.Checked.Uncited {
		line := strings.TrimSpace(lineOf(a.Text, s[0]))
		heading := strings.HasPrefix(line, "#") || strings.HasPrefix(line, "**") && strings.HasSuffix(line, "**")
		if !heading && !strings.HasPrefix(line, ">") && !service.IsNotice(line) {
			out = append(out, s)
		}
	}
	return out
}

// lineOf returns the line that has a byte of a text.
func lineOf(text string, at int) string {
	begin := strings.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := strings.Cut(text[begin:], "\n")
	return line
}
