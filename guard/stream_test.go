package guard_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

// For any chunks, the caller receives what the whole answer would have been. No word
// that is to be redacted is released, not even its beginning.
func FuzzStream(f *testing.F) {
	f.Add("one swordfish two swordfishswordfish", uint8(3), uint8(9))
	f.Add("swordfis", uint8(1), uint8(0))
	f.Add("héé swordfish 日本語swordfish", uint8(1), uint8(12))
	f.Fuzz(func(t *testing.T, text string, size, hold uint8) {
		var chunks []modeltest.Chunk
		step := int(size%24) + 1
		for at := 0; at < len(text); at += step {
			chunks = append(chunks, modeltest.Chunk{Text: text[at:min(len(text), at+step)], Unmarked: size%2 == 0})
		}
		h := 0
		if hold > 0 {
			h = max(int(hold), len("swordfish"))
		}
		o := &guard.Options{Logger: slog.New(slog.DiscardHandler), Output: []guard.Check{
			{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact, Hold: h},
			{Name: "other", Find: word("fish", "FISH"), Policy: guard.PolicyRedact, Hold: 5},
		}}
		m, err := guard.New(&modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks, Times: -1}}}, o)
		if err != nil {
			t.Fatal(err)
		}
		messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}
		whole, err := m.GenerateContent(context.Background(), messages)
		if err != nil {
			t.Fatal(err)
		}
		var heard strings.Builder
		r, err := m.GenerateContent(context.Background(), messages, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			heard.Write(chunk)
			if !strings.HasPrefix(whole.Choices[0].Content, heard.String()) {
				t.Fatalf("%q in chunks of %d: heard %q, which doesn't begin %q", text, step, heard.String(), whole.Choices[0].Content)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		if heard.String() != whole.Choices[0].Content || r.Choices[0].Content != heard.String() || strings.Contains(heard.String(), "fish") {
			t.Fatalf("%q in chunks of %d, hold %d: heard %q, returned %q, whole %q", text, step, h, heard.String(), r.Choices[0].Content, whole.Choices[0].Content)
		}
	})
}
