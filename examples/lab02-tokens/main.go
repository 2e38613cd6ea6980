// Command lab02-tokens shows what a prompt costs in tokens: how a text is cut into
// them, why languages differ, what the frame of a chat adds, and what is dropped
// when a conversation doesn't fit.
//
//	go run ./examples/lab02-tokens
//	go run ./examples/lab02-tokens -text "Your own sentence" -model gpt-4
//	go run ./examples/lab02-tokens -window 300
//
// With OPENAI_API_KEY (and OPENAI_BASE_URL for another server) it also asks the
// model and compares the count with the bill:
//
//	OPENAI_API_KEY=... go run ./examples/lab02-tokens -model gpt-4o-mini
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/fit"
	encodings "github.com/prodailabs/prodai/chunk/token/openai"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/trace/cost"
)

func main() {
	model := flag.String("model", "gpt-4o", "model whose encoding, limits and chat format are used")
	text := flag.String("text", "The tokenizer doesn't know words: antidisestablishmentarianism, 3.14159, naïve 🧑‍🚀", "text to take apart")
	window := flag.Int("window", 260, "context window for the conversation, in tokens (0: the model's own)")
	color := flag.String("color", "auto", "color the tokens: auto, always or never")
	price := flag.Float64("price", 2.5, "dollars for a million tokens of input")
	flag.Parse()
	l := lab{out: os.Stdout, model: *model, window: *window, price: *price, color: *color == "always" || *color == "auto" && isTerminal(os.Stdout)}
	err := l.run(*text)
	if key, base := os.Getenv("OPENAI_API_KEY"), os.Getenv("OPENAI_BASE_URL"); err == nil && key+base != "" {
		var client *openai.Model
		if client, err = openai.New(*model, &openai.Options{APIKey: key, BaseURL: base}); err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err = l.compare(ctx, client)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab02-tokens:", err)
		os.Exit(1)
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type lab struct {
	out    io.Writer
	model  string
	window int
	price  float64
	color  bool

	enc   *token.Encoding
	limit token.Limits
	rule  token.ChatRule
}

func (l *lab) run(text string) (err error) {
	if l.enc, err = encodings.ForModel(l.model); err != nil {
		return err
	}
	if l.rule, err = token.ChatRuleOf(l.model); err != nil {
		return err
	}
	if l.limit, err = token.LimitsOf(l.model); err != nil {
		return err
	}
	fmt.Fprintf(l.out, "%s counts in %s and reads up to %d tokens.\n", l.model, l.enc.Name(), l.limit.MaxInputTokens)
	l.pieces(text)
	l.languages()
	if err := l.bill(); err != nil {
		return err
	}
	return l.conversation()
}

func (l *lab) heading(s string) {
	fmt.Fprintf(l.out, "\n%s\n%s\n", s, strings.Repeat("─", utf8.RuneCountInString(s)))
}

// pieces prints a text token by token.
func (l *lab) pieces(text string) {
	l.heading("1. A text, token by token")
	var ids []string
	n := 0
	for id, t := range l.enc.Tokens(text) {
		shown := strings.ReplaceAll(t, "\n", "⏎")
		if !utf8.ValidString(t) { // a part of a character
			shown = fmt.Sprintf("‹%x›", t)
		}
		if l.color {
			fmt.Fprintf(l.out, "\x1b[30;48;5;%dm%s\x1b[0m", []int{151, 223, 153, 217, 189}[n%5], shown)
		} else {
			fmt.Fprintf(l.out, "%s│", shown)
		}
		ids = append(ids, fmt.Sprint(id))
		n++
	}
	fmt.Fprintf(l.out, "\n%d tokens, %d characters, %d bytes\nids: %s\n", n, utf8.RuneCountInString(text), len(text), strings.Join(ids, " "))
}

// languages compares one sentence in several languages and forms.
func (l *lab) languages() {
	l.heading("2. The same thing said differently")
	texts := []struct{ what, text string }{
		{"English", "Your parcel will arrive tomorrow morning."},
		{"German", "Ihr Paket kommt morgen früh an."},
		{"Russian", "Ваша посылка прибудет завтра утром."},
		{"Chinese", "您的包裹将于明天早上送达。"},
		{"Hindi", "आपका पार्सल कल सुबह पहुँच जाएगा।"},
		{"Burmese", "သင့်ပါဆယ် မနက်ဖြန်မနက် ရောက်ပါမည်။"},
		{"JSON", `{"parcel": {"eta": "tomorrow", "part_of_day": "morning"}}`},
		{"base64", "WW91ciBwYXJjZWwgd2lsbCBhcnJpdmUgdG9tb3Jyb3cgbW9ybmluZy4="},
	}
	w := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ttokens\tcharacters\tbytes\tagainst English\testimate bytes/4")
	base := l.enc.Count(texts[0].text)
	for _, t := range texts {
		n := l.enc.Count(t.text)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f×\t%d\n", t.what, n, utf8.RuneCountInString(t.text), len(t.text), float64(n)/float64(base), len(t.text)/4)
	}
	w.Flush()
}

// request has the messages that section 3 counts and section 5 sends.
var request = []llms.MessageContent{
	llms.TextParts(llms.ChatMessageTypeSystem, "You are the assistant of a parcel service. Answer in one sentence."),
	llms.TextParts(llms.ChatMessageTypeHuman, "Is my parcel 7321 on time? The label is in the photo."),
}

// bill adds up the tokens of a request; its texts are only a small part.
func (l *lab) bill() error {
	l.heading("3. What one request costs")
	count := l.enc.Count
	rules, question := fit.Message(request[0]), fit.Message(request[1])
	w := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	total := 0
	line := func(what string, t token.Count) {
		total += t.Tokens
		note := ""
		if t.Estimated {
			note = "estimated"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t\n", what, t.Tokens, note)
	}
	texts := count(rules.Content) + count(question.Content)
	line("the two texts", token.Count{Tokens: texts})
	chat := l.rule.CountMessages(count, rules, question)
	line("the chat's frame", token.Count{Tokens: chat.Tokens - texts, Estimated: chat.Estimated})
	tools, err := l.rule.CountTools(count, token.Tool{
		Name: "track_parcel", Description: "Looks up where a parcel is.",
		Parameters: map[string]any{"type": "object", "properties": map[string]any{
			"number": map[string]any{"type": "string", "description": "The parcel's number"},
			"detail": map[string]any{"type": "string", "enum": []string{"short", "full"}},
		}},
	})
	if err != nil {
		return err
	}
	line("one tool", tools)
	if l.rule.Image != nil {
		line("a photo of 1200 by 900", l.rule.Image.Count(token.Image{Width: 1200, Height: 900, Detail: "high"}))
	}
	fmt.Fprintf(w, "total\t%d\t\t\n", total)
	w.Flush()
	fmt.Fprintf(l.out, "At $%.2f a million tokens: $%.2f for ten thousand such requests, before any answer.\n", l.price, float64(total)*10_000*l.price/1e6)
	return nil
}

// conversation fits a chat that has grown too long.
func (l *lab) conversation() error {
	window := l.window
	if window == 0 {
		window = l.limit.MaxInputTokens
	}
	l.heading(fmt.Sprintf("4. A conversation in a window of %d tokens, 80 of them for the answer", window))
	room, err := token.Budget{WindowTokens: window, OutputTokens: 80}.Input()
	if err != nil {
		return err
	}
	chat := parcelChat()
	rule := l.rule
	fitted, err := fit.History(chat, room, &fit.HistoryOptions{Tokens: l.enc.Count, Rule: &rule, MaxMessageTokens: 60})
	if err != nil {
		return err
	}
	fate := map[int]string{}
	for _, d := range fitted.Dropped {
		verb := "dropped: "
		if d.Cut {
			verb = "cut: "
		}
		fate[d.Index] = verb + d.Why
	}
	w := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "tokens\trole\ttext\tfate")
	for i, m := range chat {
		msg := fit.Message(m)
		shown := msg.Content
		for _, c := range msg.ToolCalls {
			shown = "calls " + c.Name + c.Arguments
		}
		if runes := []rune(shown); len(runes) > 44 {
			shown = string(runes[:44]) + "…"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", rule.CountMessage(l.enc.Count, &msg).Tokens, msg.Role, shown, fate[i])
	}
	w.Flush()
	about := ""
	if fitted.Tokens.Estimated {
		about = " (estimated: how calls of tools are framed is not published)"
	}
	fmt.Fprintf(l.out, "What is sent has %d tokens%s; there was room for %d.\n", fitted.Tokens.Tokens, about, room)
	return nil
}

// compare sends the request and compares the count with the number that the
// provider reports.
func (l *lab) compare(ctx context.Context, model llms.Model) error {
	l.heading("5. The count and the bill")
	count := l.rule.CountMessages(l.enc.Count, fit.Message(request[0]), fit.Message(request[1]))
	r, err := model.GenerateContent(ctx, request, llms.WithModel(l.model), llms.WithMaxTokens(40))
	if err != nil {
		return err
	}
	billed, err := cost.UsageOf(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.out, "counted %d tokens, billed %d: %+d\n", count.Tokens, billed.Input, billed.Input-int64(count.Tokens))
	return nil
}

// parcelChat is a chat in which a tool has answered with a log.
func parcelChat() []llms.MessageContent {
	say := llms.TextParts
	var scans strings.Builder
	for i := range 24 {
		fmt.Fprintf(&scans, "2026-11-%02d 0%d:15 scanned at depot %d, belt 4f%02x\n", 1+i/2, 4+i%5, 10+i%3, i*7)
	}
	return []llms.MessageContent{
		say(llms.ChatMessageTypeSystem, "You are the assistant of a parcel service. Never promise a time that the tracking doesn't show."),
		say(llms.ChatMessageTypeHuman, "Hello! I moved last week, can you change my address to 14 Harbour Street?"),
		say(llms.ChatMessageTypeAI, "Done: from today on your parcels go to 14 Harbour Street."),
		say(llms.ChatMessageTypeHuman, "Great. And where is parcel 7321?"),
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "c1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "track_parcel", Arguments: `{"number":"7321"}`}}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "c1", Name: "track_parcel", Content: scans.String()}}},
		say(llms.ChatMessageTypeAI, "It was scanned at depot 12 this morning and is on its way."),
		say(llms.ChatMessageTypeHuman, "Will it be here before ten?"),
	}
}
