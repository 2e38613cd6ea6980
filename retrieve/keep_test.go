package retrieve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

func TestUpsertAndDelete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	calls := 0
	c, err := Open(path, letters{name: "letters", calls: &calls}, &Options{Words: words(t)})
	require.NoError(t, err)
	record := func(id, text string, more ...any) schema.Document {
		d := schema.Document{PageContent: text, Metadata: map[string]any{docmeta.ID: id, docmeta.Source: "s"}}
		for i := 0; i < len(more); i += 2 {
			d.Metadata[more[i].(string)] = more[i+1]
		}
		return d
	}
	did, err := c.Upsert(t.Context(), []schema.Document{record("1", "one"), record("2", "two"), record("2", "two")})
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 2, Embedded: 2}, did)
	did, err = c.Upsert(t.Context(), []schema.Document{record("1", "one"), record("2", "two", "year", 2020), record("3", "three")})
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 2, Kept: 1, Embedded: 1}, did, "new metadata need no new embedding")
	require.Equal(t, 3, calls)
	did, err = c.Upsert(t.Context(), []schema.Document{record("1", "zzz")})
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 1, Embedded: 1}, did)
	got, err := c.Search(t.Context(), "one", 9, nil)
	require.NoError(t, err)
	ids := map[any]int{}
	for _, r := range got {
		ids[r.Metadata[docmeta.ID]]++
		require.NotEqual(t, "one", r.PageContent, "it was replaced")
	}
	require.LessOrEqual(t, ids["2"], 1)
	_, err = c.Upsert(t.Context(), []schema.Document{record("9", "a"), record("9", "b")})
	require.ErrorIs(t, err, ErrID)
	n, err := c.Delete(t.Context(), "2", "2", "nothing")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, c.Close())
	_, err = c.Delete(t.Context(), "1")
	require.ErrorIs(t, err, ErrClosed)
	_, err = c.Upsert(t.Context(), nil)
	require.ErrorIs(t, err, ErrClosed)
	c = open(t, path)
	require.Equal(t, map[string]int{"s": 2}, c.Sources())
	for range 3 { // to empty, and again
		_, err = c.Delete(t.Context(), "1", "3")
		require.NoError(t, err)
		got, err = c.Search(t.Context(), "one", 9, nil)
		require.NoError(t, err)
		require.Empty(t, got)
		_, err = c.Upsert(t.Context(), []schema.Document{record("1", "one"), record("3", "one")})
		require.NoError(t, err)
		got, err = c.Search(t.Context(), "one", 9, nil)
		require.NoError(t, err)
		require.Len(t, got, 2)
	}
}

type groupKey struct{}

// TestGroups: by a search, an id and a source, and together with the tenant; rules that
// can't be understood admit no caller.
func TestGroups(t *testing.T) {
	c, err := Open("", letters{}, &Options{Words: words(t), Tenant: func(ctx context.Context) string {
		s, _ := ctx.Value(tenantKey{}).(string)
		return s
	}, Groups: func(ctx context.Context) []string {
		g, _ := ctx.Value(groupKey{}).([]string)
		return g
	}})
	require.NoError(t, err)
	put := func(id string, meta map[string]any) {
		meta[docmeta.ID] = id
		_, err := c.Sync(t.Context(), "source of "+id, []schema.Document{{PageContent: "plan", Metadata: meta}})
		require.NoError(t, err)
	}
	put("all", map[string]any{})
	put("hr", map[string]any{"groups": []string{"hr", "board"}})
	put("acme", map[string]any{"tenant": "acme"})
	put("acme hr", map[string]any{"tenant": "acme", "groups": []any{"hr"}})
	put("nobody", map[string]any{"groups": []string{}})
	put("text", map[string]any{"groups": "hr"})
	put("number", map[string]any{"groups": []any{"hr", 3}})
	put("empty", map[string]any{"groups": []any{""}})
	put("tenant 7", map[string]any{"tenant": 7})
	put("null", map[string]any{"tenant": nil, "groups": nil})
	for _, who := range []struct {
		tenant string
		groups []string
		want   []string
	}{
		{"", nil, []string{"all", "null"}},
		{"", []string{"hr"}, []string{"all", "hr", "null"}},
		{"acme", nil, []string{"acme", "all", "null"}},
		{"acme", []string{"board", ""}, []string{"acme", "all", "hr", "null"}},
		{"acme", []string{"hr"}, []string{"acme", "acme hr", "all", "hr", "null"}},
		{"bolt", []string{"hr"}, []string{"all", "hr", "null"}},
		{"7", []string{"hr"}, []string{"all", "hr", "null"}},
	} {
		ctx := context.WithValue(context.WithValue(t.Context(), tenantKey{}, who.tenant), groupKey{}, who.groups)
		got, err := c.Search(ctx, "plan", 20, nil)
		require.NoError(t, err)
		var found, gotten, listed []string
		for _, r := range got {
			found = append(found, r.Metadata[docmeta.ID].(string))
		}
		for id, p := range c.passages {
			if _, ok := c.Get(ctx, id); ok {
				gotten = append(gotten, id)
			}
			if len(c.Passages(ctx, p.Source)) > 0 {
				listed = append(listed, id)
			}
		}
		for _, ids := range [][]string{found, gotten, listed} {
			slices.Sort(ids)
			require.Equal(t, who.want, ids, "%s %v", who.tenant, who.groups)
		}
	}
}

func TestFilterInASearch(t *testing.T) {
	c := open(t, "")
	var docs []schema.Document
	for i := range 300 {
		docs = append(docs, schema.Document{PageContent: fmt.Sprint("passage ", i), Metadata: map[string]any{"n": i}})
	}
	_, err := c.Sync(t.Context(), "s", docs)
	require.NoError(t, err)
	got, err := c.Search(t.Context(), "passage", 5, &Query{Where: Between("n", 100, 104)})
	require.NoError(t, err)
	require.Len(t, got, 5, "k counts what the filter allows")
	f, err := ParseFilter("n < 100 or n in (250, 251)")
	require.NoError(t, err)
	got, err = c.Search(t.Context(), "passage", 300, &Query{Where: f, Filter: func(m map[string]any) bool { return m["n"] != 3.0 }})
	require.NoError(t, err)
	require.Len(t, got, 101, "both are met")
	_, err = c.Sync(t.Context(), "other.md", []schema.Document{{PageContent: "passage of another source"}})
	require.NoError(t, err)
	got, err = c.Search(t.Context(), "passage", 500, &Query{Where: Eq("source", "other.md")})
	require.NoError(t, err)
	require.Len(t, got, 1)
	got, err = c.Search(t.Context(), "passage", 500, &Query{Where: And(Eq("id", got[0].Metadata["id"]), Ne("source", "s"))})
	require.NoError(t, err)
	require.Len(t, got, 1, "also an id that was made")
	_, err = c.Search(t.Context(), "passage", 5, &Query{Where: Eq("", 1)})
	require.ErrorIs(t, err, ErrFilter)
}

// TestBackupWhileWriting: each backup opens, has a whole number of changes, and replaces
// no file.
func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	c := openSmall(t, filepath.Join(dir, "c"), nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 60 {
			_, err := c.Upsert(t.Context(), numbers(10*i, 10*i+10))
			require.NoError(t, err)
		}
	})
	for i := range 10 {
		path := filepath.Join(dir, fmt.Sprint("backup", i))
		require.NoError(t, c.Backup(path))
		require.ErrorIs(t, c.Backup(path), os.ErrExist)
		b, err := open300(path, randomVectors{12}, &Options{})
		require.NoError(t, err)
		require.Zero(t, b.Len()%10)
		want := map[string]bool{}
		for i := range b.Len() {
			want[fmt.Sprint("p", i)] = true
		}
		require.Equal(t, want, ids(b))
		require.NoError(t, b.Close())
	}
	wg.Wait()
	require.Error(t, c.Backup(filepath.Join(dir, "no", "folder")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.NotContains(t, e.Name(), ".part")
	}
	m := open(t, "") // in memory
	_, err = m.Sync(t.Context(), "s", docs("one"))
	require.NoError(t, err)
	require.NoError(t, m.Backup(filepath.Join(dir, "memory")))
	require.Equal(t, 1, open(t, filepath.Join(dir, "memory")).Len())
}

func ids(c *Collection) map[string]bool {
	out := map[string]bool{}
	for id := range c.passages {
		out[id] = true
	}
	return out
}

// TestReadersBesideTheWriter: a reader opens the file while a writer has it, sees its
// changes when it refreshes, also across a compaction, and never writes.
func TestReadersBesideTheWriter(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file isn't replaced there")
	}
	path := filepath.Join(t.TempDir(), "c")
	_, err := Open(path, randomVectors{12}, &Options{ReadOnly: true})
	require.ErrorIs(t, err, os.ErrNotExist, "a reader creates no file")
	_, err = Open("", randomVectors{12}, &Options{ReadOnly: true})
	require.ErrorIs(t, err, ErrOption)
	w := openSmall(t, path, nil)
	r := openSmall(t, path, &Options{ReadOnly: true, Words: words(t)})
	other := openSmall(t, path, &Options{ReadOnly: true})
	require.NoError(t, w.Refresh())
	same := func(step string) {
		require.NoError(t, r.Refresh(), step)
		require.Equal(t, ids(w), ids(r), step)
		require.Equal(t, isGraph(w), isGraph(r), step)
		if r.index != nil {
			require.Equal(t, r.Len(), r.index.Len(), step)
		}
		for range 2 {
			a, err := w.Search(t.Context(), "1000001", 5, nil)
			require.NoError(t, err)
			b, err := r.Search(t.Context(), "1000001", 5, nil)
			require.NoError(t, err)
			require.Equal(t, texts(a), texts(b), step)
		}
	}
	same("empty")
	for i := range 40 {
		_, err := w.Upsert(t.Context(), numbers(10*i, 10*i+15))
		require.NoError(t, err)
		if i%3 == 0 {
			same("added")
			_, err = w.Delete(t.Context(), fmt.Sprint("p", 10*i), fmt.Sprint("p", i))
			require.NoError(t, err)
		}
	}
	same("removed")
	require.NoError(t, w.compact()) // the file is another one
	_, err = w.build()
	require.NoError(t, err)
	same("compacted")
	_, err = w.Upsert(t.Context(), numbers(900, 910))
	require.NoError(t, err)
	same("after it")
	_, err = r.Upsert(t.Context(), numbers(0, 1))
	require.ErrorIs(t, err, ErrReadOnly)
	require.ErrorIs(t, r.ChangeEmbedder(t.Context(), randomVectors{5}, ""), ErrReadOnly)
	require.NoError(t, other.Refresh())
	require.Equal(t, ids(w), ids(other))

	before := ids(r)
	require.NoError(t, w.ChangeEmbedder(t.Context(), randomVectors{9}, ""))
	for range 2 {
		require.ErrorIs(t, other.Refresh(), ErrEmbedder)
		_, err = other.Upsert(t.Context(), numbers(0, 1))
		require.ErrorIs(t, err, ErrReadOnly)
		require.Zero(t, other.Len(), "its vectors are of no use any more")
	}
	require.NoError(t, w.ChangeEmbedder(t.Context(), randomVectors{12}, ""))
	require.NoError(t, other.Refresh())
	require.Equal(t, ids(w), ids(other))
	require.NoError(t, os.WriteFile(path+".other", []byte(strings.Replace(magic, "1", "12", 1)), 0o644))
	_, err = Open(path+".other", randomVectors{12}, nil)
	require.ErrorIs(t, err, ErrVersion)
	require.Equal(t, before, ids(r))
}

// TestARecordThatWasTakenBack: a writer whose sync fails cuts its last record off, which
// a reader may have seen.
func TestARecordThatWasTakenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	w := openSmall(t, path, nil)
	_, err := w.Upsert(t.Context(), numbers(0, 3))
	require.NoError(t, err)
	whole := w.journal.size
	r := openSmall(t, path, &Options{ReadOnly: true})
	_, err = w.Upsert(t.Context(), numbers(3, 6))
	require.NoError(t, err)
	require.NoError(t, r.Refresh())
	require.Equal(t, 6, r.Len())
	require.NoError(t, os.Truncate(path, whole))
	require.NoError(t, r.Refresh())
	require.Equal(t, 3, r.Len())
}

// TestAnotherEmbedder: searches go on while all texts are embedded anew, and the file
// has the new vectors, or the old ones after an error.
func TestAnotherEmbedder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c := openSmall(t, path, &Options{Words: words(t)})
	_, err := c.Upsert(t.Context(), numbers(0, 400))
	require.NoError(t, err)
	_, err = c.Delete(t.Context(), "p5")
	require.NoError(t, err)
	require.Error(t, c.ChangeEmbedder(t.Context(), letters{name: "l", fail: os.ErrInvalid}, ""))
	require.ErrorIs(t, c.ChangeEmbedder(t.Context(), nil, ""), ErrOption)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				got, err := c.Search(t.Context(), "17", 3, nil)
				require.NoError(t, err)
				require.Equal(t, "17", got[0].PageContent)
			}
		}
	})
	require.NoError(t, c.ChangeEmbedder(t.Context(), randomVectors{20}, ""))
	close(stop)
	wg.Wait()
	require.Equal(t, 20, c.dim)
	require.Equal(t, 399, c.Len())
	_, err = c.Upsert(t.Context(), numbers(400, 410))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	_, err = open300(path, randomVectors{12}, &Options{})
	require.ErrorIs(t, err, ErrEmbedder)
	d, err := open300(path, randomVectors{20}, &Options{Words: words(t)})
	require.NoError(t, err)
	require.Equal(t, 409, d.Len())
	require.True(t, isGraph(d))
	got, err := d.Search(t.Context(), "17", 3, nil)
	require.NoError(t, err)
	require.Equal(t, "17", got[0].PageContent)
	require.NoError(t, d.Close())
}

// TestTheFileStaysSmall: a collection that changes for long compacts its file while it
// is open, keeps the stored index, and what is read from the file is what was in memory.
func TestTheFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c := openSmall(t, path, &Options{Words: words(t)})
	_, err := c.Upsert(t.Context(), numbers(0, 400))
	require.NoError(t, err)
	whole, err := os.Stat(path)
	require.NoError(t, err)
	for i := range 60 {
		var docs []schema.Document
		for j := range 40 {
			docs = append(docs, schema.Document{PageContent: fmt.Sprint(1000*i + j), Metadata: map[string]any{docmeta.ID: fmt.Sprint("p", (7*i+j)%400)}})
		}
		_, err := c.Upsert(t.Context(), docs)
		require.NoError(t, err)
		_, err = c.Delete(t.Context(), fmt.Sprint("p", i), fmt.Sprint("p", 399-i))
		require.NoError(t, err)
		require.Len(t, findStored(path, graphFile), 1)
	}
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, after.Size(), 3*whole.Size(), "2,400 passages were replaced")
	copied := filepath.Join(t.TempDir(), "c")
	for from := range findStored(path, graphFile) {
		copyFile(t, from, copied+strings.TrimPrefix(from, path))
	}
	copyFile(t, path, copied)
	d, err := open300(copied, randomVectors{12}, &Options{Words: words(t)})
	require.NoError(t, err)
	require.Equal(t, ids(c), ids(d))
	require.Equal(t, c.free, d.free)
	for id, p := range c.passages {
		require.Equal(t, p.number, d.passages[id].number)
		require.Equal(t, p.Text, d.passages[id].Text)
	}
	for _, q := range questions(20) {
		a, err := c.Search(t.Context(), q, 10, nil)
		require.NoError(t, err)
		b, err := d.Search(t.Context(), q, 10, nil)
		require.NoError(t, err)
		require.Equal(t, texts(a), texts(b))
	}
	require.NoError(t, d.Close())
}

func TestSyncAllRemovesWhatIsGone(t *testing.T) {
	c := open(t, "")
	did, err := c.SyncAll(t.Context(), map[string][]schema.Document{"a": docs("one", "two"), "b": docs("three")})
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 3, Embedded: 3}, did)
	did, err = c.SyncAll(t.Context(), map[string][]schema.Document{"a": docs("one"), "c": docs("four")})
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 1, Removed: 2, Kept: 1, Embedded: 1}, did)
	require.Equal(t, map[string]int{"a": 1, "c": 1}, c.Sources())
}
