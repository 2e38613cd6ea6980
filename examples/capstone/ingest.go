package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	did, err := svc.Ingest(ctx, docs, func(done int, c retrieve.Changes) {
		const width = 30
		bar := strings.Repeat("█", done*width/len(docs)) + strings.Repeat("░", width-done*width/len(docs))
		fmt.Fprintf(out, "\r%s %d/%d documents, %d passages", bar, done, len(docs), c.Added+c.Kept)
	})
	fmt.Fprintln(out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d passages added, %d unchanged, %d removed, in %s\n", did.Added, did.Kept, did.Removed, s.collection)
	return nil
}
