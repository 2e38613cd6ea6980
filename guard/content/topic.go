package content

import (
	"context"
	"fmt"
	"math"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/internal/sentence"
)

// A Topic is a subject, described by examples.
type Topic struct {
	Name     string
	Examples []string // about ten sentences that users write
}

// TopicOptions configure [NewTopics].
type TopicOptions struct {
	// Threshold is the cosine from which a sentence is about a topic. It depends on the
	// embedder: choose it with labeled sentences. Default: 0.55.
	Threshold float64
}

// Topics finds by embeddings which topics a text is about. Each sentence is compared by
// itself, and the best one counts, because one sentence in a long text would vanish in
// the mean. It is safe for concurrent use if its embedder is.
type Topics struct {
	embedder  embeddings.Embedder
	topics    []Topic
	examples  [][][]float32
	threshold float64
}

// NewTopics embeds the examples.
func NewTopics(ctx context.Context, e embeddings.Embedder, topics []Topic, o *TopicOptions) (*Topics, error) {
	if e == nil || len(topics) == 0 {
		return nil, fmt.Errorf("%w: the embedder is nil or there is no topic", ErrOption)
	}
	t := &Topics{embedder: e, topics: topics, threshold: .55}
	if o != nil && o.Threshold != 0 {
		t.threshold = o.Threshold
	}
	if !(t.threshold > 0 && t.threshold <= 1) {
		return nil, fmt.Errorf("%w: Threshold is %g: want above 0, at most 1", ErrOption, t.threshold)
	}
	for _, topic := range topics {
		if topic.Name == "" || len(topic.Examples) == 0 {
			return nil, fmt.Errorf("%w: the topic %q has no name or no example", ErrOption, topic.Name)
		}
		v, err := embedAll(ctx, e, topic.Examples)
		if err != nil {
			return nil, err
		}
		t.examples = append(t.examples, v)
	}
	return t, nil
}

// embedAll embeds texts and checks that there is a vector for each.
func embedAll(ctx context.Context, e embeddings.Embedder, texts []string) ([][]float32, error) {
	v, err := e.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(v) != len(texts) {
		return nil, fmt.Errorf("content: the embedder returned %d vectors for %d texts", len(v), len(texts))
	}
	return v, nil
}

// A Match is a topic that a text is about.
type Match struct {
	Topic      string
	Score      float64 // the highest cosine of a sentence with an example
	Start, End int     // the sentence, in bytes
}

// Scores returns for each topic its best sentence, in the order of the topics. An empty
// text has none.
func (t *Topics) Scores(ctx context.Context, text string) ([]Match, error) {
	spans := sentence.Split(text)
	if len(spans) == 0 {
		return nil, nil
	}
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = text[s.Start:s.End]
	}
	vectors, err := embedAll(ctx, t.embedder, texts)
	if err != nil {
		return nil, err
	}
	var out []Match
	for i, topic := range t.topics {
		best := Match{Topic: topic.Name, Score: math.Inf(-1)}
		for j, v := range vectors {
			for _, x := range t.examples[i] {
				if c := cosine(v, x); c > best.Score {
					best.Score, best.Start, best.End = c, spans[j].Start, spans[j].End
				}
			}
		}
		out = append(out, best)
	}
	return out, nil
}

// Check returns a check that finds sentences about a topic.
func (t *Topics) Check() guard.Check {
	return guard.Check{Name: "topics", Rank: 1, Find: func(ctx context.Context, text string) ([]guard.Finding, error) {
		scores, err := t.Scores(ctx, text)
		var out []guard.Finding
		for _, m := range scores {
			if m.Score >= t.threshold {
				out = append(out, guard.Finding{Kind: "TOPIC", Start: m.Start, End: m.End, Score: m.Score, Reason: "the topic " + m.Topic})
			}
		}
		return out, err
	}}
}

func cosine(a, b []float32) float64 {
	var dot, x, y float64
	for i := range min(len(a), len(b)) {
		dot += float64(a[i]) * float64(b[i])
		x += float64(a[i]) * float64(a[i])
		y += float64(b[i]) * float64(b[i])
	}
	if x == 0 || y == 0 || len(a) != len(b) {
		return 0
	}
	return dot / math.Sqrt(x*y)
}
