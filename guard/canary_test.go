package guard_test

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
)

func TestZeroCanaryIsNone(t *testing.T) {
	var none guard.Canary
	assert.Equal(t, "You help.\n", none.Plant("You help.\n"))
	r, err := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("anything at all")}}, &guard.Options{Output: []guard.Check{none.Check()}}).GenerateContent(t.Context(), human("hi"))
	require.NoError(t, err)
	assert.Equal(t, "anything at all", r.Choices[0].Content)
}

func TestCanary(t *testing.T) {
	c := guard.NewCanary()
	prompt := c.Plant("You are a bank's assistant.")
	word := regexp.MustCompile(`[a-z]{20}`).FindString(prompt)
	require.Len(t, word, 20)
	assert.NotEqual(t, prompt, guard.NewCanary().Plant("You are a bank's assistant."))
	reversed := []byte(word)
	slices.Reverse(reversed)
	rot13 := strings.Map(func(r rune) rune { return 'a' + (r-'a'+13)%26 }, word)
	for name, leak := range map[string]string{
		"plain": word, "upper": strings.ToUpper(word), "spaced": strings.Join(strings.Split(word, ""), " "),
		"dashed": strings.Join(strings.Split(word, ""), " - "), "zero width": strings.Join(strings.Split(word, ""), "\u200b"),
		"reversed": string(reversed), "rot13": rot13, "hex": hex.EncodeToString([]byte(word)), "quoted": "`" + word + "`",
		"base64": base64.StdEncoding.EncodeToString([]byte(prompt)), "base64 1": base64.StdEncoding.EncodeToString([]byte("x" + prompt)),
		"base64 2": base64.StdEncoding.EncodeToString([]byte("xy" + prompt)),
	} {
		for size := 1; size < 30; size += 7 {
			text := "Sure, here it is: " + leak + " and so on."
			var chunks []modeltest.Chunk
			for at := 0; at < len(text); at += size {
				chunks = append(chunks, modeltest.Chunk{Text: text[at:min(at+size, len(text))]})
			}
			m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks}}}, &guard.Options{Output: []guard.Check{c.Check()}})
			var s seen
			_, err := m.GenerateContent(t.Context(), human("hi"), llms.WithStreamingFunc(s.hear))
			require.Error(t, err, name)
			if !strings.HasPrefix(name, "base64") {
				assert.True(t, strings.HasPrefix("Sure, here it is: `", s.text.String()), "%s: %q", name, s.text.String())
			}
		}
	}
	gap := strings.Repeat(" ", 40)
	m := newModel(t, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(word[:19] + gap + word[1:] + gap + word[:10] + gap + word[10:])}},
		&guard.Options{Output: []guard.Check{c.Check()}})
	_, err := m.GenerateContent(t.Context(), human("hi"))
	require.NoError(t, err, "part of the word is no leak")
}
