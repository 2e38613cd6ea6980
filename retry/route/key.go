package route

import (
	"context"
	"hash/fnv"
	"strconv"

	"github.com/tmc/langchaingo/llms"
)

// PrefixKey returns an Options.Key that keeps prompts with the same beginning
// together, where an engine has it in its cache: the key is the hash of the first
// bytes of the texts, roles included. A prompt that is shorter has no key. Choose
// bytes a little below the length of the system prompt, or of the document that
// many questions are about. It fails with [ErrOption] for bytes below 1.
func PrefixKey(bytes int) (func(context.Context, []llms.MessageContent) string, error) {
	if bytes < 1 {
		return nil, optionError("the length of PrefixKey is %d: want 1 or more", bytes)
	}
	return func(_ context.Context, messages []llms.MessageContent) string {
		h, left := fnv.New64a(), bytes
		for i, text := range texts(messages) {
			_, _ = h.Write([]byte(messages[i].Role + "\x00")) // it can't fail
			text = text[:min(left, len(text))]
			_, _ = h.Write([]byte(text))
			if left -= len(text); left == 0 {
				return strconv.FormatUint(h.Sum64(), 36)
			}
		}
		return ""
	}, nil
}

// ConversationKey is an Options.Key that keeps the turns of a conversation together:
// its key is the hash of the system prompt and of the first message after it. It
// needs no id, but two conversations that begin with the same words share a key.
func ConversationKey(_ context.Context, messages []llms.MessageContent) string {
	h := fnv.New64a()
	for i, text := range texts(messages) {
		_, _ = h.Write([]byte(string(messages[i].Role) + "\x00" + text + "\x00")) // it can't fail
		if messages[i].Role != llms.ChatMessageTypeSystem {
			return strconv.FormatUint(h.Sum64(), 36)
		}
	}
	return ""
}
