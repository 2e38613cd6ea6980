package semantic_test

import (
	"context"
	"fmt"
	"os"

	"github.com/prodailabs/prodai/cache/disk"
	"github.com/prodailabs/prodai/cache/semantic"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// A second program finds what the first one stored in a folder.
func ExampleModel_Load() {
	folder, err := os.MkdirTemp("", "answers")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ctx := context.Background()
	for _, question := range []string{"How do I turn on dark mode?", "how can I turn on the dark mode"} {
		store, err := disk.Open(folder, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		model := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("Settings, Display, Dark.")}}
		m, err := semantic.New(model, letters{}, .9, &semantic.Options{Store: store, Embedder: "letters 1", Model: "small"})
		if err != nil {
			fmt.Println(err)
			return
		}
		loaded, err := m.Load(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		answer, err := m.Call(ctx, question)
		fmt.Println(loaded, "loaded,", m.Stats().Hits, "hits:", answer, err)
	}
	// Output:
	// 0 loaded, 0 hits: Settings, Display, Dark. <nil>
	// 1 loaded, 1 hits: Settings, Display, Dark. <nil>
}
