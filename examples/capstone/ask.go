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
)

// ask answers one question in the terminal, with the passages it cites.
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
	a, err := svc.Ask(ctx, service.Question{Text: question, OnChunk: func(c string) error {
		_, err := io.WriteString(out, c)
		return err
	}})
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	shown := map[int]bool{}
	for _, c := range a.Checked.Citations {
		if shown[c.Number] || c.Number < 1 || c.Number > len(a.Passages) {
			continue
		}
		shown[c.Number] = true
		fmt.Fprintf(out, "\n[%d] %s  (%s)\n    %s\n", c.Number, place(a.Passages[c.Number-1]), c.Status, strings.Join(strings.Fields(c.Quote), " "))
	}
	return nil
}

// place says where a passage stands: its document, heading and bytes.
func place(d schema.Document) string {
	source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
	heading, _ := chunk.MetaString(d.Metadata, chunk.KeyHeading)
	if heading != "" {
		source += ", " + heading
	}
	at, ok := chunk.MetaSpan(d.Metadata)
	if !ok {
		return source + ", redacted"
	}
	return fmt.Sprintf("%s, bytes %d-%d", source, at.Start, at.End)
}
