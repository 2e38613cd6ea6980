package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// ask answers one question in the terminal, with the passages it cites, or those that
// are nearest to a question that they do not answer.
func ask(ctx context.Context, s *settings, rest []string, out io.Writer) (err error) {
	question := strings.TrimSpace(strings.Join(rest, " "))
	if question == "" {
		return errors.New(`ask needs a question: capstone ask "why is full jitter better than plain exponential backoff?"`)
	}
	svc, closing, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	if svc.Small() {
		fmt.Fprint(s.log, service.SmallModel, "\n")
	}
	a, err := svc.Ask(ctx, service.Question{Text: question, OnChunk: func(c string) error {
		_, err := io.WriteString(out, c)
		return err
	}})
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	near, err := svc.Nearest(ctx, a)
	if err != nil {
		return err
	}
	if a.Refused() {
		showNearest(out, a.Text, near)
		return nil
	}
	shown := map[int]bool{}
	for _, c := range a.Checked.Citations {
		if shown[c.Number] || c.Number < 1 || c.Number > len(a.Passages) {
			continue
		}
		shown[c.Number] = true
		fmt.Fprintf(out, "\n[%d] %s  (%s)\n    %s\n    %s\n", c.Number, strings.Join(service.Heading(a.Passages[c.Number-1]), " › "), c.Status, span(a.Passages[c.Number-1]), oneLine(c.Quote))
	}
	return nil
}

// mostNear is how many passages are shown for a question without an answer.
const mostNear = 3

// showNearest writes the passages that are nearest to a question that was refused in
// text, which may have begun a list of them.
func showNearest(out io.Writer, text string, near []service.Near) {
	if len(near) == 0 {
		fmt.Fprintln(out, "There are no documents to search. Add yours: capstone ingest FOLDER")
		return
	}
	listed := strings.Contains(text, rag.NearestLine)
	if !listed {
		fmt.Fprintf(out, "\n%s\n", rag.NearestLine)
	}
	for i, n := range near {
		switch {
		case listed && strings.Contains(text, fmt.Sprintf("[%d]", n.Number)): // its text is there already
			fmt.Fprintf(out, "\n[%d] %s  (%s)\n    %s\n", n.Number, strings.Join(service.Heading(n.Passage), " › "), service.Closeness(n.Similarity), span(n.Passage))
		case !listed && i < mostNear:
			fmt.Fprintf(out, "\n[%d] %s  (%s)\n    %s\n    %s\n", n.Number, strings.Join(service.Heading(n.Passage), " › "), service.Closeness(n.Similarity), span(n.Passage), oneLine(n.Quote))
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// span is a passage's document and bytes.
func span(d schema.Document) string {
	source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
	at, ok := chunk.MetaSpan(d.Metadata)
	if !ok {
		return source + ", redacted"
	}
	return fmt.Sprintf("%s, bytes %d-%d", source, at.Start, at.End)
}
