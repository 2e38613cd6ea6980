// Lab03-typed-output reads an invoice, a Go struct, from what models write.
//
// A scripted model gives the answers that real ones give: in a fence, with Python's
// quotes, cut, with a word in the place of a number. The table shows which step of
// guard/structured makes a usable value of each: "-" means that it does not. Then one
// answer is streamed, and the fields of the struct fill while it arrives.
//
//	go run ./examples/lab03-typed-output
//	go run ./examples/lab03-typed-output -v                 # each answer and what was wrong with it
//	go run ./examples/lab03-typed-output -text "Invoice 12, one lamp at 30 euros"
//
// With OPENAI_BASE_URL or OPENAI_API_KEY set, -text asks that provider, with its
// response_format; OPENAI_MODEL names the model.
//
// See the notes of package guard/structured.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard/structured"
	"github.com/prodailabs/prodai/retry/openai"
)

// An Invoice is what the program needs.
type Invoice struct {
	Number string  `json:"number" jsonschema:"as printed" schema:"pattern=^INV-[0-9]+$"`
	Due    string  `json:"due" schema:"format=date"`
	Total  float64 `json:"total" jsonschema:"with tax" schema:"minimum=0"`
	Lines  []Line  `json:"lines" schema:"minItems=1"`
}

// A Line is one thing that was bought.
type Line struct {
	What  string  `json:"what"`
	Count int     `json:"count" schema:"minimum=1"`
	Price float64 `json:"price" schema:"minimum=0"`
}

// check compares two fields, which a schema can't do.
func check(i Invoice) error {
	sum := 0.0
	for _, l := range i.Lines {
		sum += float64(l.Count) * l.Price
	}
	if d := sum - i.Total; d > 0.005 || d < -0.005 {
		return fmt.Errorf("/total is %.2f, but the lines add up to %.2f: read both again", i.Total, sum)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Getenv); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab03-typed-output:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, w io.Writer, env func(string) string) error {
	flags := flag.NewFlagSet("lab03-typed-output", flag.ContinueOnError)
	flags.SetOutput(w)
	verbose := flags.Bool("v", false, "show each answer and what was wrong with it")
	text := flags.String("text", "", "read this invoice, with the provider of OPENAI_BASE_URL if it is set")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *text != "" {
		return read(ctx, w, *text, env)
	}
	if err := compare(ctx, w, *verbose); err != nil {
		return err
	}
	return stream(ctx, w)
}

// compare shows what each step makes of each answer.
func compare(ctx context.Context, w io.Writer, verbose bool) error {
	schema, err := structured.For[Invoice]()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "What a model answered, and after which step it can be used:")
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "answer\tencoding/json\trepaired\tvalid\tasked again\t")
	counts := make([]int, 4)
	var details strings.Builder
	for _, a := range answers {
		marks := make([]string, 4)
		mark := func(step int, ok bool) {
			marks[step] = "-"
			if ok {
				marks[step] = "yes"
				counts[step]++
			}
		}
		var plain Invoice
		mark(0, json.Unmarshal([]byte(a.text), &plain) == nil && schema.Validate([]byte(a.text)) == nil && check(plain) == nil)
		v, err := structured.Repair(a.text)
		mark(1, err == nil && !v.Cut)
		v, err = schema.Find(a.text)
		var found Invoice
		mark(2, err == nil && !v.Cut && json.Unmarshal(v.JSON, &found) == nil && check(found) == nil)

		model := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words(a.text), Stop: a.stop}, modeltest.Say(good)}}
		r, err := structured.Generate(ctx, model, ask("Read this invoice: …"), &structured.Options[Invoice]{Check: check})
		mark(3, err == nil)
		if err == nil && len(r.Attempts) > 1 {
			marks[3] = fmt.Sprintf("yes, %d attempts", len(r.Attempts))
			fmt.Fprintf(&details, "\n%s\n  %s\n  sent back: %s\n", a.name, oneLine(a.text), strings.ReplaceAll(strings.TrimPrefix(r.Attempts[0].Err.Error(), "structured: "), "\n", "\n    "))
		} else if err == nil && r.Repaired {
			fmt.Fprintf(&details, "\n%s\n  %s\n  repaired:  %s\n", a.name, oneLine(a.text), r.JSON)
		}
		fmt.Fprintf(tw, "%s\t%s\t\n", a.name, strings.Join(marks, "\t"))
	}
	total := []string{fmt.Sprintf("all %d", len(answers))}
	for _, n := range counts {
		total = append(total, fmt.Sprint(n))
	}
	fmt.Fprintln(tw, strings.Join(total, "\t")+"\t")
	if err := tw.Flush(); err != nil {
		return err
	}
	if verbose {
		fmt.Fprint(w, details.String())
	}
	_, err = fmt.Fprint(w, "\nA wrong form is repaired without asking. A wrong content is never guessed: the model gets the list of problems.\n\n")
	return err
}

// stream shows the value growing.
func stream(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "One answer, while it streams:")
	fmt.Fprintln(w)
	var chunks []modeltest.Chunk
	for i := 0; i < len(good); i += 6 {
		chunks = append(chunks, modeltest.Chunk{Text: good[i:min(len(good), i+6)]})
	}
	model := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks}}}
	_, err := structured.Generate(ctx, model, ask("Read this invoice: …"), &structured.Options[Invoice]{OnPartial: func(_ context.Context, v Invoice) error {
		_, err := fmt.Fprintf(w, "  number %-10q due %-12q total %-6v lines %v\n", v.Number, v.Due, v.Total, v.Lines)
		return err
	}})
	return err
}

// read asks a real model if there is one.
func read(ctx context.Context, w io.Writer, text string, env func(string) string) error {
	var model llms.Model = &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(good)}}
	o := &structured.Options[Invoice]{Check: check}
	if env("OPENAI_BASE_URL") != "" || env("OPENAI_API_KEY") != "" {
		name := env("OPENAI_MODEL")
		if name == "" {
			name = "gpt-4o-mini"
		}
		m, err := openai.New(name, &openai.Options{BaseURL: env("OPENAI_BASE_URL"), APIKey: env("OPENAI_API_KEY")})
		if err != nil {
			return err
		}
		model, o.Mode = m, structured.ModeResponseFormat
	} else {
		fmt.Fprintln(w, "(No provider is set: the scripted model gives its one answer.)")
	}
	r, err := structured.Generate(ctx, model, ask("Read this invoice and give its data as JSON. Numbers look like INV-1.\n\n"+text), o)
	if err != nil {
		return err
	}
	for _, t := range r.Attempts {
		if t.Err != nil {
			fmt.Fprintf(w, "sent back: %v\n", t.Err)
		}
	}
	pretty, err := json.MarshalIndent(r.Value, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", pretty)
	return err
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 110 {
		s = string(r[:110]) + "…"
	}
	return s
}
