package retrieve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// The graph and the words are stored beside the collection's file. The names have the
// length and the checksum of the journal that they belong to: numbers of passages are
// those that reading so much of the journal gives. What was appended later is added. The
// stored files are only a shortcut: without them, or if one is damaged, a new index is
// built.

// The kinds of stored files, as parts of their names.
const (
	graphFile = "index"
	wordsFile = "words"
)

// storedName returns the name of a stored file for the present state of a journal.
func storedName(j *journal, kind string) string {
	return fmt.Sprintf("%s.%s-%x-%08x", j.path, kind, j.size, j.chain)
}

// findStored returns the names of the files of a kind that are beside a collection.
func findStored(path, kind string) map[string]bool {
	found := map[string]bool{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+"."+kind+"-") {
			found[filepath.Join(filepath.Dir(path), e.Name())] = true
		}
	}
	return found
}

// A shelf has the names of the files that were stored beside a collection when it was
// opened.
type shelf struct{ graphs, words map[string]bool }

// take takes the stored indexes that belong to the part of the journal that was read so
// far.
func (c *Collection) take(s *shelf, j *journal) {
	if name := filepath.Clean(storedName(j, graphFile)); s.graphs[name] && c.o.Index == nil {
		x, err := hnsw.Open(name, &hnsw.Options{EF: graphEF})
		if err == nil && !c.fits(x) {
			err = errOther
		}
		if err != nil {
			c.rebuilt(graphFile, err)
		} else {
			c.mu.Lock()
			c.index = x
			c.mu.Unlock()
		}
	}
	words, ok := c.o.Words.(StoredWords)
	ok = ok && c.o.Sparse == nil // weights are in the collection's file, so there is nothing to save
	if name := filepath.Clean(storedName(j, wordsFile)); ok && c.wordless && s.words[name] {
		err := words.Restore(name)
		if err == nil {
			err = c.checkWords(words)
		}
		if err != nil {
			c.rebuilt(wordsFile, err)
		}
	}
}

var errOther = errors.New("it is of other passages, or of another analyzer")

// rebuilt logs that a stored index can't be used.
func (c *Collection) rebuilt(kind string, err error) {
	c.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, event.RetrieveRebuilt, slog.String(event.Stage, kind), slog.String(event.Reason, err.Error()))
}

// sampled is how many texts are compared with a restored index.
const sampled = 100

// checkWords keeps a restored index if it has the passages as the program's analyzer
// makes them, and else empties it.
func (c *Collection) checkWords(words StoredWords) error {
	passages := c.present()
	fielded, names := c.fieldWords()
	fits := words.Len() == len(passages)
	for i := 0; i < len(passages) && fits; i += 1 + len(passages)/sampled {
		if p := passages[i]; len(names) > 0 {
			fits = fielded.MatchesFields(p.number, p.fields(names)...)
		} else {
			fits = words.Matches(p.number, p.Text)
		}
	}
	if !fits {
		words.Clear()
		return errOther
	}
	c.wordless = false
	return nil
}

// fits reports whether an index has exactly the vectors of the passages.
func (c *Collection) fits(x *hnsw.Index) bool {
	n := 0
	for _, p := range c.passages {
		if !p.zero {
			if !x.Contains(p.number) {
				return false
			}
			n++
		}
	}
	return x.Len() == n && x.Dim() == c.dim
}

// saveIndex stores the index if it is a graph, and the words of a large collection, and
// removes the files stored before. If that fails, the next start builds them again.
func (c *Collection) saveIndex() {
	c.unsaved = 0
	if c.journal == nil || c.journal.readOnly {
		return
	}
	if x, ok := c.index.(*hnsw.Index); ok && c.o.Index == nil {
		c.store(graphFile, x.Save)
	}
	if words, ok := c.o.Words.(StoredWords); ok && c.o.Sparse == nil && !c.wordless && len(c.passages) >= c.flatUntil {
		c.store(wordsFile, words.Save)
	}
}

// store writes a stored file in place of the earlier ones of its kind.
func (c *Collection) store(kind string, save func(path string) error) {
	name := filepath.Clean(storedName(c.journal, kind))
	if err := save(name); err != nil {
		return
	}
	for old := range findStored(c.journal.path, kind) {
		if old != name {
			_ = os.Remove(old) // it may be in use
		}
	}
}
