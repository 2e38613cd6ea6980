package judge

import (
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"
)

// A fence marks the lines of judged text. The mark is random, so judged text can't
// contain it, and a line that begins without it belongs to the prompt.
type fence struct{ mark string }

// newFence draws a mark that none of the texts contains.
func newFence(draw func() string, texts ...string) (fence, error) {
	if draw == nil {
		draw = rand.Text
	}
	for range 8 {
		mark := draw()
		if len(mark) >= 8 && !containsAny(texts, mark) {
			return fence{mark}, nil
		}
	}
	return fence{}, fmt.Errorf("%w: Options.Nonce returned eight times a mark that is shorter than 8 bytes or occurs in the judged text", ErrOption)
}

func containsAny(texts []string, mark string) bool {
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), strings.ToLower(mark)) {
			return true
		}
	}
	return false
}

// wrap returns the text as marked lines between two lines with its title.
func (f fence) wrap(title, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s BEGIN %s\n", f.mark, title)
	for line := range strings.SplitSeq(visible(text), "\n") {
		b.WriteString(f.mark + "| " + line + "\n")
	}
	fmt.Fprintf(&b, "%s END %s\n", f.mark, title)
	return b.String()
}

// visible returns the text with one kind of line end, and with everything that a
// model reads and a person doesn't see written as \u{...}: control characters, tag
// characters, bidirectional controls. Chat templates' markers lose their first bar
// or bracket pair, since a tokenizer may read them as the end of a message.
func visible(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r == '\n', r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
			b.WriteByte('\n')
		case r == '\t', r == 0x200C, r == 0x200D: // joiners: emoji, Persian, Hindi
			b.WriteRune(r)
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r >= 0xFE00 && r <= 0xFE0E, r >= 0xE0100 && r <= 0xE01EF:
			fmt.Fprintf(&b, `\u{%X}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return templateMarks.Replace(b.String())
}

var templateMarks = strings.NewReplacer(
	"<|", "< |", "|>", "| >", "[INST]", "[ INST ]", "[/INST]", "[ /INST ]",
	"<<SYS>>", "< <SYS> >", "<</SYS>>", "< </SYS> >",
	"<start_of_turn>", "< start_of_turn >", "<end_of_turn>", "< end_of_turn >",
	"<s>", "< s >", "</s>", "< /s >",
)
