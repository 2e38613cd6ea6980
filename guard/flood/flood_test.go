package flood_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/flood"
	"github.com/prodailabs/prodai/internal/growth"
)

func laughs(levels int) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE x [\n<!ENTITY l0 \"lol\">\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "<!ENTITY l%d \"%s\">\n", i, strings.Repeat(fmt.Sprintf("&l%d;", i-1), 10))
	}
	return b.String() + "]><x>&l9;</x>"
}

func yaml(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [lol, lol]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func kinds(t *testing.T, text string, o *flood.Options) []string {
	t.Helper()
	check, err := flood.NewCheck(o)
	require.NoError(t, err)
	found, err := check.Find(context.Background(), text)
	require.NoError(t, err)
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

func TestFloods(t *testing.T) {
	for name, c := range map[string]struct{ text, kind string }{
		"one letter":      {strings.Repeat("a", 5000), flood.KindRepetition},
		"one word":        {strings.Repeat("poem ", 1000), flood.KindRepetition},
		"one sentence":    {strings.Repeat("Say it again, and once more after that. ", 300), flood.KindRepetition},
		"brackets":        {strings.Repeat("[", 200), flood.KindDepth},
		"objects":         {strings.Repeat(`{"a":`, 200), flood.KindDepth},
		"entities":        {laughs(9), flood.KindExpansion},
		"an entity loop":  {`<!ENTITY a "&b;"><!ENTITY b '&a;'>`, flood.KindExpansion},
		"aliases":         {yaml(9), flood.KindExpansion},
		"too many tokens": {strings.Repeat("x1 y2 z3 ", 20_000), flood.KindTokens},
	} {
		assert.Contains(t, kinds(t, c.text, nil), c.kind, name)
	}
	assert.Equal(t, []string{flood.KindTokens}, kinds(t, "one two three", &flood.Options{MaxTokens: 2, Tokens: func(s string) int { return len(strings.Fields(s)) }}))
}

func TestOrdinaryTexts(t *testing.T) {
	var texts []string
	for _, f := range []string{"flood.go", "expand.go", "gunzip.go", "../pipeline.go", "../../go.sum"} {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		texts = append(texts, string(b))
	}
	var table strings.Builder
	for i := range 500 {
		fmt.Fprintf(&table, "| %4d | %8.3f | yes |\n", i, float64(i*i)/7)
	}
	texts = append(texts, table.String(), "a & b * c, AT&T; <!ENTITY", "x: &a 1\ny: *a\n", strings.Repeat("-", 1000), laughs(3), yaml(3), `{"text": "[[[[[["}`)
	for _, text := range texts {
		assert.Empty(t, kinds(t, text, nil), "%.40q, ratio %.1f", text, flood.CompressionRatio(text))
	}
}

// A model that loops is stopped while it streams.
func TestALoopEnds(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("Once: " + strings.Repeat("and again ", 5000))}}
	check, err := flood.NewCheck(nil)
	require.NoError(t, err)
	m, err := guard.New(next, &guard.Options{Output: []guard.Check{check}})
	require.NoError(t, err)
	heard := 0
	_, err = m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard += len(chunk); return nil }))
	var blocked *guard.BlockedError
	require.ErrorAs(t, err, &blocked)
	assert.Equal(t, flood.KindRepetition, blocked.Verdict.Findings[0].Kind)
	assert.Less(t, heard, 10_000)
}

// The check holds no ordinary answer back, for any chunks.
func TestAnswersFlow(t *testing.T) {
	var chunks []modeltest.Chunk
	for i := range 2000 {
		chunks = append(chunks, modeltest.Chunk{Text: fmt.Sprintf("%d is another number than %d. ", i, i*i)})
	}
	check, err := flood.NewCheck(nil)
	require.NoError(t, err)
	m, err := guard.New(&modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks}}}, &guard.Options{Output: []guard.Check{check}})
	require.NoError(t, err)
	var heard []string
	r, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")},
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard = append(heard, string(chunk)); return nil }))
	require.NoError(t, err)
	assert.Len(t, heard, len(chunks))
	assert.Equal(t, r.Choices[0].Content, strings.Join(heard, ""))
}

// A short answer is inspected at its end.
func TestShortLoopIsFound(t *testing.T) {
	check, err := flood.NewCheck(nil)
	require.NoError(t, err)
	for size := 1; size < 4000; size *= 3 {
		s := check.Scan(t.Context())
		text := strings.Repeat("poem ", 700)
		var found []guard.Finding
		for at := 0; at < len(text); at += size {
			some, decided, err := s.Write(text[at:min(len(text), at+size)])
			require.NoError(t, err)
			require.Equal(t, min(len(text), at+size), decided)
			found = append(found, some...)
		}
		rest, err := s.Close()
		require.NoError(t, err)
		found = append(found, rest...)
		require.Len(t, found, 1)
		assert.Equal(t, flood.KindRepetition, found[0].Kind)
	}
}

// TestGrowthOfCheck gives the check texts that are made to be slow.
func TestGrowthOfCheck(t *testing.T) {
	for _, unit := range []string{"<!ENTITY a \"", "<!ENTITY a '&a;'", "&a *a\n", "a: &a *b\n", `"`, `"\`, "[", "<!ENTITY a", " &"} {
		t.Run(unit, func(t *testing.T) {
			growth.Test(t, 1<<16, 3, func(n int) func() {
				text := strings.Repeat(unit, n/len(unit))
				return func() { kinds(t, text, nil) }
			})
		})
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(laughs(3))
	f.Add(yaml(3))
	check, err := flood.NewCheck(nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := check.Find(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	})
}

func TestInvalidOptions(t *testing.T) {
	for want, o := range map[string]flood.Options{
		"Options.MaxTokens is -1": {MaxTokens: -1}, "Options.MaxRatio is NaN": {MaxRatio: math.NaN()},
		"Options.MaxDepth is -2": {MaxDepth: -2}, "Options.MaxExpansion is -3": {MaxExpansion: -3},
	} {
		_, err := flood.NewCheck(&o)
		require.ErrorIs(t, err, flood.ErrOption)
		assert.ErrorContains(t, err, want)
	}
	for _, o := range []flood.GunzipOptions{{MaxBytes: -1}, {MaxRatio: -1}, {MaxRatio: math.NaN()}} {
		_, err := flood.NewGunzip(zipped(t, nil), &o)
		assert.ErrorIs(t, err, flood.ErrOption)
	}
	_, err := flood.NewGunzip(nil, nil)
	assert.ErrorIs(t, err, flood.ErrOption)
}

func zipped(t *testing.T, data []byte) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &b
}

func TestGunzip(t *testing.T) {
	r, err := flood.NewGunzip(zipped(t, make([]byte, 20<<20)), nil)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, r)
	assert.ErrorIs(t, err, flood.ErrBomb)
	assert.Less(t, n, int64(1<<20))

	r, err = flood.NewGunzip(zipped(t, []byte(strings.Repeat("so many words ", 100_000))), &flood.GunzipOptions{MaxBytes: 1000, MaxRatio: 1e9})
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	assert.ErrorIs(t, err, flood.ErrBomb)

	r, err = flood.NewGunzip(zipped(t, []byte("hello")), nil)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
	_, err = flood.NewGunzip(strings.NewReader("no gzip"), nil)
	assert.Error(t, err)
}

// The ratio shows how much a text repeats.
func ExampleCompressionRatio() {
	prose, err := os.ReadFile("doc.go")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flood.CompressionRatio(string(prose)) < 4, flood.CompressionRatio(strings.Repeat("poem ", 1000)) > 50)
	// Output: true true
}
