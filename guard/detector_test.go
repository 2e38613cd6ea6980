package guard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

// detected and redactor have the form of guard/detect's types.
type detected struct {
	Kind    string
	Start   int
	End     int
	Score   float64
	Reason  string
	Threats []string
}

// redactor finds runs of x and holds those at the end.
type redactor struct {
	text  string
	at    int
	found func(detected)
}

func (r *redactor) Write(piece string) string {
	r.text += piece
	return r.advance(false)
}

func (r *redactor) Close() string { return r.advance(true) }
func (r *redactor) Held() int     { return len(r.text) - r.at }

func (r *redactor) advance(final bool) string {
	for r.at < len(r.text) {
		n := len(r.text[r.at:]) - len(strings.TrimLeft(r.text[r.at:], "x"))
		if n == 0 {
			r.at++
			continue
		}
		if r.at+n == len(r.text) && !final {
			return ""
		}
		r.found(detected{Kind: "RUN", Start: r.at, End: r.at + n, Score: 1})
		r.at += n
	}
	return ""
}

func TestDetectorsFit(t *testing.T) {
	scan := guard.ScanWith(func(found func(detected)) guard.Stream { return &redactor{found: found} })
	find := guard.FindWith(func(text string) []detected {
		if i := strings.Index(text, "secret"); i >= 0 {
			return []detected{{Kind: "SECRET", Start: i, End: i + 6, Score: 1}}
		}
		return nil
	})
	var chunks []modeltest.Chunk
	for _, r := range "a xxx b xx secret x" {
		chunks = append(chunks, modeltest.Chunk{Text: string(r)})
	}
	m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks, Times: -1}}}, &guard.Options{Output: []guard.Check{
		{Name: "runs", Scan: scan, Policy: guard.PolicyRedact}, {Name: "secret", Find: find, Hold: 6, Policy: guard.PolicyRedact},
	}})
	var s seen
	r, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
	require.NoError(t, err)
	assert.Equal(t, "a [RUN] b [RUN] [SECRET] [RUN]", s.text.String())
	assert.Equal(t, s.text.String(), r.Choices[0].Content)
	r, err = m.GenerateContent(t.Context(), human("hi"))
	require.NoError(t, err)
	assert.Equal(t, s.text.String(), r.Choices[0].Content)
}
