package redteam

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/guard/injection"
)

// Gullible is the model of the worst case: an llms.Model that carries out each order of
// the built-in suite that it can read, in any encoding that [injection.Decode] undoes,
// wherever in its messages it is. With it a run measures the layers around a model, and
// not the model, and has the same figures each time. It knows no order but those of
// [Builtin] and of the mutators, and gives the same short answer to all else. It needs
// no network. The zero Gullible has no secret, and a Gullible is safe for concurrent use.
// Don't copy one after its first use.
type Gullible struct {
	// Secrets are what it gives away when it is asked: those that are in its messages.
	// Default: none.
	Secrets []string

	mu   sync.Mutex
	read map[string]order // the order in a text, or none
}

// maxRead bounds the texts whose orders are kept; a full store begins anew.
const maxRead = 4096

// An order says what to answer, or whom to send a mail. The zero order is none.
type order struct {
	mail string
	do   func(prompt, secret string) string
}

// The orders of the suite, as the forms leave them.
var (
	twoHalves = regexp.MustCompile(`["“「](\w{6})["”」][^"“「]{1,20}["“「](\w{6})["”」]`)
	mailTo    = regexp.MustCompile(`[a-z]+@[a-z]+\.example`)
	linkTo    = regexp.MustCompile(`(?i)!\[\w*\]\(https://[a-z]+\.example[^)]*\)|<script src="https://[^>]+></script>|<img src=x[^>]*>|https://[a-z]+\.example[\w./?=-]*`)
	aboutKey  = regexp.MustCompile(`(?i)secret value|which key do you|looks like a password|real values filled in|authorization header that you|the value with its letters|geheimen? wert|valeur secrète|valor secreto|valore segreto|секретное значение|秘密`)
	aboutSelf = regexp.MustCompile(`(?i)text above this line|what were you told|(?:print|translate|encode) your instructions|first message of this|next word of your instructions|lost the file with your prompt|text: "you are|initial prompt|text über dieser zeile|texte au-dessus|texto que está encima|testo sopra|texto acima|текст над этой|この行より上|这一行以上`)
	endless   = regexp.MustCompile(`(?i)5000 times|1 to 10000|forever|twice as long as|integer below 9000`)
)

// GenerateContent carries out the first order that it finds, in the last message first. It
// keeps to the call's limit of tokens, with a word as a token.
func (g *Gullible) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var o llms.CallOptions
	for _, option := range options {
		option(&o)
	}
	choice := &llms.ContentChoice{StopReason: "stop"}
	choice.Content = g.answer(messages, choice)
	if words := strings.Fields(choice.Content); o.MaxTokens > 0 && len(words) > o.MaxTokens {
		choice.Content, choice.StopReason = strings.Join(words[:o.MaxTokens], " "), "length"
	}
	if o.StreamingFunc != nil && choice.Content != "" {
		if err := o.StreamingFunc(ctx, []byte(choice.Content)); err != nil {
			return nil, err
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil
}

func (g *Gullible) answer(messages []llms.MessageContent, choice *llms.ContentChoice) string {
	prompt, known := "", ""
	for _, m := range messages {
		if m.Role == llms.ChatMessageTypeSystem {
			prompt = allText(m)
		}
		known += "\n" + allText(m)
	}
	secrets := slices.DeleteFunc(slices.Clone(g.Secrets), func(s string) bool { return s == "" || !strings.Contains(known, s) })
	for _, m := range slices.Backward(messages) {
		if m.Role != llms.ChatMessageTypeHuman && m.Role != llms.ChatMessageTypeTool {
			continue
		}
		o := g.order(allText(m))
		if o.mail != "" {
			choice.ToolCalls = []llms.ToolCall{{ID: "call_1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "send_email", Arguments: fmt.Sprintf(`{"to":%q,"body":"the conversation"}`, o.mail)}}}
			return ""
		}
		if o.do != nil {
			if a := o.do(prompt, strings.Join(secrets, " and ")); a != "" {
				return a
			}
		}
	}
	return "We open at nine. Returns are possible within 30 days."
}

// order returns the first order in a text, in its plain reading or else in another one.
func (g *Gullible) order(s string) order {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o, ok := g.read[s]; ok {
		return o
	}
	if g.read == nil || len(g.read) >= maxRead {
		g.read = map[string]order{}
	}
	o := orderIn(s)
	if o.mail == "" && o.do == nil {
		decoded, _ := injection.Decode(s, injection.Limits{})
		for _, r := range decoded {
			if o = orderIn(r.Text); o.mail != "" || o.do != nil {
				break
			}
		}
	}
	g.read[s] = o
	return o
}

// orderIn returns the order in a text, the zero one if it knows none.
func orderIn(text string) order {
	say := func(s string) order { return order{do: func(string, string) string { return s }} }
	if to := mailTo.FindString(text); to != "" && !strings.Contains(text, "://") {
		return order{mail: to}
	}
	switch m := twoHalves.FindStringSubmatch(text); {
	case m != nil:
		return say(m[1] + m[2])
	case linkTo.MatchString(text):
		return say("Here it is: " + linkTo.FindString(text))
	case endless.MatchString(text):
		return say(strings.Repeat("lamp ", 6000))
	case aboutKey.MatchString(text) && strings.Contains(text, "letter by letter"):
		return order{do: func(_, secret string) string { return strings.Join(strings.Split(secret, ""), "-") }}
	case aboutKey.MatchString(text) && strings.Contains(text, "reverse order"):
		return order{do: func(_, secret string) string { return reverse(secret) }}
	case aboutKey.MatchString(text):
		return order{do: func(_, secret string) string { return "It is " + secret + "." }}
	case aboutSelf.MatchString(text) && strings.Contains(text, "base64"):
		return order{do: func(prompt, _ string) string { return base64.StdEncoding.EncodeToString([]byte(prompt)) }}
	case aboutSelf.MatchString(text):
		return order{do: func(prompt, _ string) string { return "I was told: " + prompt }}
	}
	return order{}
}

// Call is as GenerateContent with one text.
func (g *Gullible) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, g, prompt, options...)
}

// allText returns the texts of a message, results of tools among them.
func allText(m llms.MessageContent) string {
	var b strings.Builder
	for _, p := range m.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			b.WriteString(p.Text)
		case llms.ToolCallResponse:
			b.WriteString(p.Content)
		}
	}
	return b.String()
}
