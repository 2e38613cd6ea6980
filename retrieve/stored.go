package retrieve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// The graph is stored beside the collection's file. Its name has the length and the
// checksum of the journal that it belongs to: numbers of passages are those that
// reading so much of the journal gives. What was appended later is added to it. The
// stored graph is only a shortcut: without it, or if it is damaged, a new one is built.

// indexName returns the name of the stored index for the present state of a journal.
func indexName(j *journal) string {
	return fmt.Sprintf("%s.index-%x-%08x", j.path, j.size, j.chain)
}

// findIndex returns the names of the indexes that are stored beside a collection.
func findIndex(path string) map[string]bool {
	found := map[string]bool{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+".index-") {
			found[filepath.Join(filepath.Dir(path), e.Name())] = true
		}
	}
	return found
}

// takeStored takes the stored index if it belongs to the part of the journal that was
// read so far.
func (c *Collection) takeStored(stored map[string]bool, j *journal) error {
	if len(stored) == 0 || c.o.Index != nil {
		return nil
	}
	name := filepath.Join(filepath.Dir(j.path), filepath.Base(indexName(j)))
	if !stored[name] {
		return nil
	}
	x, err := hnsw.Open(name, &hnsw.Options{EF: graphEF})
	if err != nil || !c.fits(x) {
		return nil //nolint:nilerr // a new one is built
	}
	c.mu.Lock()
	c.index = x
	c.mu.Unlock()
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

// saveIndex stores the index if it is a graph, and removes the ones stored before. If
// that fails, the next start builds it again.
func (c *Collection) saveIndex() {
	c.unsaved = 0
	x, ok := c.index.(*hnsw.Index)
	if !ok || c.o.Index != nil || c.journal == nil || c.journal.readOnly {
		return
	}
	name := indexName(c.journal)
	if err := x.Save(name); err != nil {
		return
	}
	for old := range findIndex(c.journal.path) {
		if old != filepath.Join(filepath.Dir(name), filepath.Base(name)) {
			_ = os.Remove(old) // it may be in use
		}
	}
}
