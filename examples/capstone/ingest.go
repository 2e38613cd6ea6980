package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retrieve"
)

// ingest adds documents to the collection. Only what changed is embedded.
func ingest(ctx context.Context, s *settings, rest []string, out io.Writer) (err error) {
	if len(rest) == 0 {
		return errors.New("ingest needs folders or files: .md, .txt, .html or .go")
	}
	docs, err := corpus.Files(rest)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return fmt.Errorf("there is no document in %s", strings.Join(rest, ", "))
	}
	s.noCourse = true // it is added when the collection is opened to answer
	svc, closing, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	did, err := svc.Ingest(ctx, docs, progress(out, len(docs)))
	if err != nil {
		return err
	}
	for _, source := range corpus.Gone(rest, docs, slices.Collect(maps.Keys(svc.Sources()))) {
		n, err := svc.Remove(ctx, source)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is gone: %d passages removed\n", source, n)
	}
	fmt.Fprintf(out, "%d passages added, %d unchanged, %d removed, in %s\n", did.Added, did.Kept, did.Removed, s.collection)
	return nil
}

// progress returns a function that draws a bar on a terminal. A file or a pipe
// gets nothing but the summary.
func progress(out io.Writer, documents int) func(done int, c retrieve.Changes) {
	if f, ok := out.(*os.File); !ok || !isTerminal(f) {
		return nil
	}
	return func(done int, c retrieve.Changes) {
		const width = 30
		bar := strings.Repeat("█", done*width/documents) + strings.Repeat("░", width-done*width/documents)
		fmt.Fprintf(out, "\r%s %d/%d documents, %d passages", bar, done, documents, c.Added+c.Kept)
		if done == documents {
			fmt.Fprintln(out)
		}
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
