package prefix_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/prefix"
)

// The first line of a system prompt spoils what follows it.
func ExampleRule_Lint() {
	rule, err := prefix.Named("openai")
	if err != nil {
		fmt.Println(err)
		return
	}
	var requests []prefix.Request
	for i, question := range []string{"May I return it?", "Who pays?"} {
		system := fmt.Sprintf("It is 12:0%d.\n", i) + strings.Repeat("A rule of the shop. ", 2200)
		messages := []llms.MessageContent{
			llms.TextParts(llms.ChatMessageTypeSystem, system),
			llms.TextParts(llms.ChatMessageTypeHuman, question),
		}
		requests = append(requests, prefix.Request{
			At:       time.Duration(i) * time.Minute,
			Segments: prefix.Segments(messages, nil, nil), // a quarter of the bytes, as an estimate
		})
	}
	warnings, err := rule.Lint(requests)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range warnings {
		fmt.Println(w)
	}
	// Output:
	// "system": the timestamp "12:00" changes to "12:01" and costs 11001 cached tokens a call: move it to the end
}
