package defaults_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/defaults"
)

// answers are ordinary ones, in several scripts and forms.
var answers = map[string]string{
	"prose":   strings.Repeat("The breaker opens after five failures in a row. It stays open for 30 seconds (by default), and lets one call through after that; see https://example.org/docs/breaker?x=1 for more. ", 9),
	"German":  strings.Repeat("Die Sicherung löst nach fünf Fehlern aus: Sie bleibt 30 Sekunden offen, danach geht ein Versuch durch - \"halb offen\" genannt. ", 9),
	"Chinese": strings.Repeat("熔断器在连续失败5次之后会打开,并保持30秒(默认值)。之后它会放行一次请求:如果成功,就会关闭;\"半开\"状态。", 20),
	"Thai":    strings.Repeat("เบรกเกอร์จะเปิดหลังจากล้มเหลวห้าครั้ง(ค่าเริ่มต้น)และจะเปิดอยู่นานสามสิบวินาที,จากนั้นจึงปล่อยให้ผ่านหนึ่งครั้ง", 9),
	"code":    strings.Repeat("```go\nfor i := 0; i < n; i++ {\n\tif a[i] <= b[i] && i<limit {\n\t\ttotal += a[i] * b[i] // see f(x)\n\t}\n}\n```\n", 9),
	"table":   strings.Repeat("| a | 12.50 | 2026-11-23 | yes |\n", 40),
	"numbers": strings.Repeat("3.14159 26535, 89793-23846 2643383279 ", 40),
	"list":    strings.Repeat("1. **Open**: no call passes.\n2. *Half open*: one call passes.\n", 20),
}

// lag streams a text through the checks, four bytes at a time. It returns how
// many bytes came before the first one was released, and the most that were held.
func lag(tb testing.TB, o *guard.Options, text string) (first, most int) {
	tb.Helper()
	var chunks []modeltest.Chunk
	for i := 0; i < len(text); i += 4 {
		chunks = append(chunks, modeltest.Chunk{Text: text[i:min(len(text), i+4)]})
	}
	came, passed := 0, 0
	next := counting{&modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks}}}, func(n int) { came += n }, func() { most = max(most, came-passed) }}
	m, err := guard.New(next, o)
	require.NoError(tb, err)
	first = -1
	_, err = m.GenerateContent(tb.Context(), human("hi"), llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		if first < 0 && len(chunk) > 0 {
			first = came
		}
		passed += len(chunk)
		return nil
	}))
	require.NoError(tb, err)
	return first, most
}

// counting reports how much came from a model before the guard sees it, and when the
// guard has handled it.
type counting struct {
	llms.Model
	came func(n int)
	done func()
}

func (c counting) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, set := range options {
		set(&o)
	}
	next := o.StreamingFunc
	return c.Model.GenerateContent(ctx, messages, append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		c.came(len(chunk))
		err := next(ctx, chunk)
		c.done()
		return err
	}))...)
}

// The default checks turn no stream into a wait: an ordinary answer is released word
// by word. The bounds are those of the package comment.
func TestLag(t *testing.T) {
	bounds := map[string]int{"flood": 0, "secrets": 64, "personal data": 64, "links": 64, "canary": 32}
	o, err := defaults.New(&defaults.Options{PersonalOutput: guard.PolicyRedact, Canary: guard.NewCanary()})
	require.NoError(t, err)
	require.Len(t, o.Output, len(bounds))
	for name, text := range answers {
		for _, c := range o.Output {
			first, most := lag(t, &guard.Options{Output: []guard.Check{c}}, text)
			bound, ok := bounds[c.Name]
			require.True(t, ok, "the lag of %q is not known", c.Name)
			assert.LessOrEqual(t, first, bound+4, "%s, %s: bytes before the first chunk", c.Name, name)
			assert.LessOrEqual(t, most, bound, "%s, %s: bytes held", c.Name, name)
		}
		first, most := lag(t, o, text)
		assert.LessOrEqual(t, first, 32, "%s: bytes before the first chunk", name)
		assert.LessOrEqual(t, most, 64, "%s: bytes held", name)
	}
}
