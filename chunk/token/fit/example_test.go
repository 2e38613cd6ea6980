package fit_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token/fit"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/eval/modeltest"
)

var chat = []llms.MessageContent{
	llms.TextParts(llms.ChatMessageTypeSystem, "You are terse."),
	llms.TextParts(llms.ChatMessageTypeHuman, "Tell me a long story about token budgets, please."),
	llms.TextParts(llms.ChatMessageTypeAI, "Once there was a window, and it was finite."),
	llms.TextParts(llms.ChatMessageTypeHuman, "And then?"),
}

func ExampleHistory() {
	f, err := fit.History(chat, 36, &fit.HistoryOptions{Tokens: o200k.Encoding().Count})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range f.Messages {
		fmt.Println(m.Role, m.Parts)
	}
	for _, d := range f.Dropped {
		fmt.Printf("dropped message %d, %d tokens: %s\n", d.Index, d.Tokens, d.Why)
	}
	// Output:
	// system [You are terse.]
	// ai [Once there was a window, and it was finite.]
	// human [And then?]
	// dropped message 1, 15 tokens: it is older than what fits
}

// Every call of the wrapped model fits, however many messages the caller passes.
func ExampleModel() {
	provider := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("It closed.")}}
	m, err := fit.New(provider, &fit.Options{WindowTokens: 65, OutputTokens: 20, MarginTokens: 5, HistoryOptions: fit.HistoryOptions{Tokens: o200k.Encoding().Count}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := m.GenerateContent(context.Background(), chat)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Choices[0].Content)
	fmt.Println(len(provider.Calls()[0].Messages), "of", len(chat), "messages were sent")
	// Output:
	// It closed.
	// 3 of 4 messages were sent
}

func ExampleTrimMessages() {
	count := func(ms []llms.MessageContent) int { return 10 * len(ms) }
	kept, _ := fit.TrimMessages(chat, 30, count, &fit.TrimOptions{
		IncludeSystem: true, StartOn: []llms.ChatMessageType{llms.ChatMessageTypeHuman},
	})
	for _, m := range kept {
		fmt.Println(m.Role, m.Parts)
	}
	// Output:
	// system [You are terse.]
	// human [And then?]
}
