package semantic_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/cache/semantic"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// letters is an embedder that counts letters. A program uses a real one, such as that
// of retrieve/embed.
type letters struct{}

func (letters) EmbedQuery(_ context.Context, text string) ([]float32, error) {
	v := make([]float32, 26)
	for _, c := range strings.ToLower(text) {
		if c >= 'a' && c <= 'z' {
			v[c-'a']++
		}
	}
	return v, nil
}

func (l letters) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		v, err := l.EmbedQuery(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Two questions with other words for the same thing share an answer; a question with
// "off" in place of "on" doesn't get it.
func Example() {
	model := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("Settings, Display, Dark."), modeltest.Say("Settings, Display, Light.")}}
	m, err := semantic.New(model, letters{}, .9, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range []string{"How do I turn on dark mode?", "how can I turn on the dark mode", "How do I turn off dark mode?"} {
		answer, err := m.Call(context.Background(), q)
		fmt.Println(answer, err)
	}
	fmt.Println(m.Stats().Hits, "hit,", m.Stats().Refused, "refused")
	// Output:
	// Settings, Display, Dark. <nil>
	// Settings, Display, Dark. <nil>
	// Settings, Display, Light. <nil>
	// 1 hit, 1 refused
}
