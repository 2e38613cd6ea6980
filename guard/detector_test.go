package guard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/detect"
)

// runs finds runs of x, which a stream must hold back at its end.
func runs(t *testing.T) *detect.Detector {
	d, err := detect.New(detect.Rule{Kind: "RUN", Score: 1, Starts: "x", Max: 8, Match: func(text string, at int, atEOF bool) int {
		n := len(text[at:]) - len(strings.TrimLeft(text[at:], "x"))
		if at+n == len(text) && !atEOF {
			return detect.NeedMore
		}
		return n
	}})
	require.NoError(t, err)
	return d
}

func TestDetectorsFit(t *testing.T) {
	find := guard.FindWith(func(text string) []guard.Finding {
		if i := strings.Index(text, "secret"); i >= 0 {
			return []guard.Finding{{Kind: "SECRET", Start: i, End: i + 6, Score: 1}}
		}
		return nil
	})
	var chunks []modeltest.Chunk
	for _, r := range "a xxx b xx secret x" {
		chunks = append(chunks, modeltest.Chunk{Text: string(r)})
	}
	m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks, Times: -1}}}, &guard.Options{Output: []guard.Check{
		guard.DetectorCheck("runs", runs(t), guard.PolicyRedact), {Name: "secret", Find: find, Hold: 6, Policy: guard.PolicyRedact},
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

func TestNoDetectorIsRefused(t *testing.T) {
	for _, c := range []guard.Check{guard.DetectorCheck("none", nil, guard.PolicyFlag), guard.DetectorCheck("zero", &detect.Detector{}, guard.PolicyFlag), {Name: "none", Find: guard.FindWith(nil)}} {
		_, err := guard.New(&modeltest.Script{}, &guard.Options{Output: []guard.Check{c}})
		require.ErrorIs(t, err, guard.ErrOption)
	}
}
