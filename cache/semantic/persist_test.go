package semantic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/disk"
)

// pages is a Store in memory.
type pages struct {
	mu   sync.Mutex
	m    map[cache.Key]*cache.Entry
	err  error
	puts int
}

func (p *pages) Get(context.Context, cache.Key) (*cache.Entry, error) { return nil, p.err }

func (p *pages) Put(_ context.Context, key cache.Key, e *cache.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if p.m == nil {
		p.m = map[cache.Key]*cache.Entry{}
	}
	p.puts++
	p.m[key] = e
	return nil
}

func (p *pages) Walk(_ context.Context, visit func(cache.Key, *cache.Entry) bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, e := range p.m {
		if visit(key, e) {
			delete(p.m, key)
		}
	}
	return p.err
}

func reopened(t *testing.T, next llms.Model, s Store, o Options) (*Model, int) {
	t.Helper()
	o.Store, o.Model = s, "m"
	if o.Embedder == "" {
		o.Embedder = "one 1"
	}
	m, err := New(next, one, .9, &o)
	require.NoError(t, err)
	n, err := m.Load(t.Context())
	require.NoError(t, err)
	return m, n
}

func folder(t *testing.T, path string) *disk.Store {
	t.Helper()
	s, err := disk.Open(path, nil)
	require.NoError(t, err)
	return s
}

func TestRestart(t *testing.T) {
	path := t.TempDir()
	now := time.Unix(1e9, 0)
	o := Options{Now: func() time.Time { return now }, TTL: time.Minute, Tenant: func(context.Context) string { return "t\xff" },
		Attributes: func(context.Context) map[string]string { return map[string]string{"user": "ann"} }}
	m, n := reopened(t, &echo{}, folder(t, path), o)
	require.Zero(t, n)
	require.Equal(t, "1", ask(t, m, "how big is a cat \xff"))
	now = now.Add(time.Second)
	require.Equal(t, "2", ask(t, m, "is a dog old"))

	next := &echo{calls: 10}
	m, n = reopened(t, next, folder(t, path), o)
	require.Equal(t, 2, n)
	require.Equal(t, "1", ask(t, m, "how big is the cat \xff"), "a similar question finds it")
	require.Equal(t, "2", ask(t, m, "is the dog old"))
	require.Equal(t, 10, next.calls)
	n, err := m.Load(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "what is there isn't loaded again")

	other := o
	other.Embedder = "another"
	_, n = reopened(t, next, folder(t, path), other)
	require.Zero(t, n, "vectors of another embedder")
	other = o
	other.Tenant, other.TTL = func(context.Context) string { return "u" }, time.Nanosecond
	m, _ = reopened(t, next, folder(t, path), other)
	require.Equal(t, "11", ask(t, m, "how big is a cat \xff"), "another tenant")
	now = now.Add(time.Second)
	few := o
	few.MaxEntries = 1
	m, n = reopened(t, next, folder(t, path), few)
	require.Equal(t, 1, n)
	for question := range m.byText {
		require.Equal(t, "is a dog old", question.text, "the newest")
	}
}

// A Load brings in what is newer than what is there, and what is in use stays: entries
// that left when there was no room don't come back in place of newer ones.
func TestLoadKeepsTheNewest(t *testing.T) {
	s := &pages{}
	now := time.Unix(1e9, 0)
	o := Options{Now: func() time.Time { return now }, MaxEntries: 3, TTL: -1}
	m, _ := reopened(t, &echo{}, s, o)
	for i := range 9 {
		now = now.Add(time.Second)
		ask(t, m, fmt.Sprintf("what is %d", i))
	}
	require.Len(t, s.m, 9)
	kept := func() (questions []string) {
		for key := range m.byText {
			questions = append(questions, key.text)
		}
		return questions
	}
	n, err := m.Load(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.ElementsMatch(t, []string{"what is 6", "what is 7", "what is 8"}, kept())

	other, _ := reopened(t, &echo{}, s, o)
	now = now.Add(time.Second)
	ask(t, other, "what is 9") // by another process
	ask(t, m, "what is 6")     // in use
	n, err = m.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ElementsMatch(t, []string{"what is 6", "what is 8", "what is 9"}, kept())
}

// A Load holds no more of a large store in memory than it can use.
func TestLoadBoundsItsMemory(t *testing.T) {
	now := time.Unix(1e9, 0)
	f := newest{room: 10, entries: map[cache.Key]*entry{}}
	for i := range 1000 {
		f.add(cache.Key{byte(i), byte(i >> 8)}, &entry{Stored: Stored{At: now.Add(time.Duration(i * 7919 % 1000))}})
		require.LessOrEqual(t, len(f.entries), 20)
	}
	got := f.take()
	require.Len(t, got, 10)
	for i, e := range got {
		require.Equal(t, now.Add(time.Duration(999-i)), e.At)
	}
}

// What was asked in another namespace can't be asked in this one, so it takes no room.
func TestLoadLeavesOtherNamespaces(t *testing.T) {
	s := &pages{}
	old, _ := reopened(t, &echo{}, s, Options{Namespace: "1"})
	ask(t, old, "how big is a cat")
	_, n := reopened(t, &echo{}, s, Options{Namespace: "2"})
	require.Zero(t, n)
	_, n = reopened(t, &echo{}, s, Options{Namespace: "1"})
	require.Equal(t, 1, n)
}

// An Index with scores above any cosine doesn't spoil what is learned or stored.
func TestLearnedFromWildScores(t *testing.T) {
	s := &pages{}
	x := &wild{Index: NewScan(), score: math.Inf(1)}
	o := Options{Index: x, Guard: func(string, string) string { return "" }, Learn: &Learn{Same: same},
		Verify: func(context.Context, string, string) (bool, error) { return false, nil }}
	m, _ := reopened(t, &constant{}, s, o)
	ask(t, m, "a")
	ask(t, m, "b")
	x.score = 7
	ask(t, m, "c")
	require.EqualValues(t, 3, m.Stats().Compared)
	require.Zero(t, m.Stats().StoreErrors)
	for _, w := range m.learner.shared {
		require.False(t, math.IsInf(w, 0) || math.IsNaN(w))
	}
	o.Index = nil
	_, n := reopened(t, &constant{}, s, o)
	require.Equal(t, 3, n)
}

// wild gives every match the same score.
type wild struct {
	Index
	score float64
}

func (w *wild) Nearest(scope cache.Key, vector []float32, k int) []Match {
	found := w.Index.Nearest(scope, vector, k)
	for i := range found {
		found[i].Score = w.score
	}
	return found
}

// A Put that takes long doesn't leave an old answer, or old observations, in the place of
// those that were put meanwhile.
func TestSlowPut(t *testing.T) {
	now := time.Unix(1e9, 0)
	synctest.Test(t, func(t *testing.T) {
		s := &slowPages{first: make(chan bool)}
		m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e", TTL: time.Minute, Now: func() time.Time { return now }})
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := m.Call(t.Context(), "how big is a cat")
			done <- err
		}()
		synctest.Wait()
		now = now.Add(time.Hour)
		require.Equal(t, "2", ask(t, m, "how big is a cat"))
		close(s.first)
		require.NoError(t, <-done)
		require.Len(t, s.m, 1)
		for _, e := range s.m {
			require.Equal(t, "2", e.Response.Choices[0].Content)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &slowPages{}
		m, err := New(&constant{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e", Learn: &Learn{Same: same}, Guard: func(string, string) string { return "" }})
		require.NoError(t, err)
		ask(t, m, "how big")
		e := m.used.Back().Value.(*entry)
		s.puts, s.first = 0, make(chan bool)
		done := make(chan bool)
		observe := func() { m.observe(&call{ctx: t.Context(), score: .95}, e, true) }
		go func() { observe(); close(done) }()
		synctest.Wait()
		observe()
		close(s.first)
		<-done
		for _, from := range s.m {
			r, ok := recordOf(from)
			require.True(t, ok)
			require.Len(t, r.Observations, 2)
		}
	})
}

// slowPages is a store whose first Put waits.
type slowPages struct {
	pages
	first chan bool
}

func (s *slowPages) Put(ctx context.Context, key cache.Key, e *cache.Entry) error {
	s.mu.Lock()
	waits := s.puts == 0 && s.first != nil
	s.puts++
	s.mu.Unlock()
	if waits {
		<-s.first
	}
	return s.pages.Put(ctx, key, e)
}

// Calls don't wait for the Load of a large store.
func TestLoadHoldsUpNoCall(t *testing.T) {
	s := &slowWalk{begun: make(chan bool), end: make(chan bool)}
	m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e"})
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		_, err := m.Load(t.Context())
		done <- err
	}()
	<-s.begun
	require.Equal(t, "1", ask(t, m, "how big is a cat"))
	require.Equal(t, 1, s.puts)
	close(s.end)
	require.NoError(t, <-done)
}

// slowWalk is a store whose Walk waits.
type slowWalk struct {
	pages
	begun, end chan bool
}

func (s *slowWalk) Walk(ctx context.Context, visit func(cache.Key, *cache.Entry) bool) error {
	close(s.begun)
	<-s.end
	return s.pages.Walk(ctx, visit)
}

func TestStoreOptions(t *testing.T) {
	_, err := New(&echo{}, one, .9, &Options{Store: &pages{}})
	require.ErrorIs(t, err, ErrOption, "no name of the embedder")
	m, err := New(&echo{}, one, .9, &Options{Store: &pages{}, Embedder: "e"})
	require.NoError(t, err)
	ask(t, m, "q")
	require.Zero(t, m.Len(), "no name of the model")
	m, err = New(&echo{}, one, .9, nil)
	require.NoError(t, err)
	n, err := m.Load(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

// named is an embedder that knows its name.
type named struct {
	table
	name string
}

func (n named) Name() string { return n.name }

// TestEmbeddersOwnName: entries belong to the name that the embedder has itself, unless
// the options have another one.
func TestEmbeddersOwnName(t *testing.T) {
	s := folder(t, t.TempDir())
	loaded := func(name, option string) int {
		m, err := New(&echo{}, named{one, name}, .9, &Options{Store: s, Model: "m", Embedder: option})
		require.NoError(t, err)
		n, err := m.Load(t.Context())
		require.NoError(t, err)
		ask(t, m, "q")
		return n
	}
	require.Equal(t, 0, loaded("a", ""))
	require.Equal(t, 1, loaded("a", ""))
	require.Equal(t, 1, loaded("b", "a"), "the option has precedence")
	require.Equal(t, 0, loaded("b", ""))
	_, err := New(&echo{}, named{one, ""}, .9, &Options{Store: s})
	require.ErrorIs(t, err, ErrOption)
}

// What was deleted doesn't come back with a restart. The entries of a cache.Model in the
// same folder stay.
func TestDeleteReachesTheStore(t *testing.T) {
	path := t.TempDir()
	now := time.Unix(1e9, 0)
	user := "ann"
	o := Options{Attributes: func(context.Context) map[string]string { return map[string]string{"user": user} },
		Now: func() time.Time { return now }, TTL: time.Minute}
	exact, err := cache.New(&echo{}, &cache.Options{Model: "m", Store: folder(t, path)})
	require.NoError(t, err)
	_, err = exact.Call(t.Context(), "q")
	require.NoError(t, err)
	m, _ := reopened(t, exact, folder(t, path), o)
	ask(t, m, "how big is a cat")
	user = "bob"
	ask(t, m, "is a dog old")

	m, n := reopened(t, exact, folder(t, path), o)
	require.Equal(t, 2, n)
	n, err = m.Delete(t.Context(), func(s Stored) bool { return s.Attributes["user"] == "ann" && s.Question == "how big is a cat" })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	m, n = reopened(t, exact, folder(t, path), o)
	require.Equal(t, 1, n)
	n, err = m.Delete(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, n)

	now = now.Add(time.Hour)
	_, n = reopened(t, exact, folder(t, path), o)
	require.Zero(t, n)
	files, _ := folder(t, path).Len()
	require.Equal(t, 3, files, "the exact ones; the one past its time was dropped")
}

// An answer whose entry is deleted while the store takes it isn't left there, whatever
// the order: a Delete waits for the Put, or the Put sees that the entry is gone.
func TestDeleteWhileStoring(t *testing.T) {
	s := &pages{}
	var m *Model
	m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e"})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 50 {
				_, _ = m.Call(t.Context(), fmt.Sprintf("number %d", 100*i+k)) // only what is left matters
			}
		})
		wg.Go(func() {
			for range 50 {
				_, _ = m.Delete(t.Context(), func(Stored) bool { return true })
				_, _ = m.Load(t.Context())
			}
		})
	}
	wg.Wait()
	_, err = m.Delete(t.Context(), func(Stored) bool { return true })
	require.NoError(t, err)
	require.Zero(t, m.Len())
	require.Empty(t, s.m)
}

// A store that fails never fails a call.
func TestStoreDown(t *testing.T) {
	s := &pages{err: errors.New("down")}
	m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e"})
	require.NoError(t, err)
	_, err = m.Load(t.Context())
	require.ErrorContains(t, err, "down")
	require.Equal(t, "1", ask(t, m, "how big is a cat"))
	require.Equal(t, "1", ask(t, m, "how big is the cat"))
	require.EqualValues(t, 1, m.Stats().StoreErrors)
	_, err = m.Delete(t.Context(), func(Stored) bool { return true })
	require.ErrorContains(t, err, "down")
	require.Zero(t, m.Len())
}

// What an entry learned comes back with it, and the entries of a restarted program know
// as much of one another.
func TestLearnedSurvives(t *testing.T) {
	cosines := map[string]float64{}
	for i := range 30 {
		cosines[fmt.Sprintf("how big %c", 'a'+i)] = .9 + .003*float64(i)
	}
	s := &pages{}
	o := &Options{Store: s, Model: "m", Embedder: "e", Learn: &Learn{Same: same}, Guard: func(string, string) string { return "" }}
	m, err := New(&constant{}, near(cosines), .85, o)
	require.NoError(t, err)
	ask(t, m, "how big")
	for i := range 20 {
		ask(t, m, fmt.Sprintf("how big %c", 'a'+i))
	}
	want := m.Stats().Compared
	require.Positive(t, want)
	again, err := New(&constant{}, near(cosines), .85, o)
	require.NoError(t, err)
	_, err = again.Load(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, want, again.learner.seen)
	for key, id := range m.byText {
		a, b := m.entries[id].Value.(*entry), again.entries[again.byText[key]].Value.(*entry)
		require.Equal(t, a.learned.observations, b.learned.observations)
		require.InDelta(t, m.needed(a), again.needed(b), 1e-9)
	}

	plain := *o // a program that learns nothing keeps what others learned
	plain.Learn = nil
	third, err := New(&constant{}, near(cosines), .85, &plain)
	require.NoError(t, err)
	_, err = third.Load(t.Context())
	require.NoError(t, err)
	for key, id := range m.byText {
		require.Equal(t, m.entries[id].Value.(*entry).learned.observations, third.entries[third.byText[key]].Value.(*entry).learned.observations)
	}
}

// A file that was cut or changed anywhere is as if absent, and its question is asked
// again.
func TestTornFile(t *testing.T) {
	path := t.TempDir()
	m, _ := reopened(t, &echo{}, folder(t, path), Options{})
	ask(t, m, "how big is a cat")
	var name string
	require.NoError(t, filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			name = p
		}
		return err
	}))
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	ask(t, m, "is a dog old")
	for at := 0; at < len(whole); at += 7 {
		changed := append([]byte(nil), whole...)
		changed[at] ^= 0x10
		for _, damaged := range [][]byte{whole[:at], changed} {
			require.NoError(t, os.WriteFile(name, damaged, 0o600))
			_, n := reopened(t, &echo{}, folder(t, path), Options{})
			require.Equal(t, 1, n, at)
		}
	}
	m, _ = reopened(t, &echo{calls: 10}, folder(t, path), Options{})
	require.Equal(t, "11", ask(t, m, "how big is the cat"))
	require.Equal(t, "2", ask(t, m, "is the dog old"))
	_, n := reopened(t, &echo{}, folder(t, path), Options{})
	require.Equal(t, 2, n)
}

// TestMain is also the process that TestKill kills: it stores without end.
func TestMain(m *testing.M) {
	if path := os.Getenv("SEMANTIC_TEST_FOLDER"); path != "" {
		s, err := disk.Open(path, nil)
		if err != nil {
			panic(err)
		}
		m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "one 1"})
		if err != nil {
			panic(err)
		}
		for i := 0; ; i++ {
			if _, err := m.Call(context.Background(), fmt.Sprintf("what is %d", i)); err != nil {
				panic(err)
			}
			fmt.Println(i)
		}
	}
	os.Exit(m.Run())
}

// Whatever was stored before the process was killed is there, whole.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process")
	}
	path := t.TempDir()
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), "SEMANTIC_TEST_FOLDER="+path)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	lines := bufio.NewScanner(out)
	for range 30 {
		require.True(t, lines.Scan())
	}
	require.NoError(t, p.Process.Kill())
	require.Error(t, p.Wait())
	m, n := reopened(t, &echo{calls: 1e6}, folder(t, path), Options{})
	require.GreaterOrEqual(t, n, 30)
	for _, el := range m.entries {
		e := el.Value.(*entry)
		var i int
		_, err := fmt.Sscanf(e.Question, "what is %d", &i)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i+1), e.response.Choices[0].Content)
	}
}

// Bytes of any kind beside an answer make an entry that can be used, or none.
func FuzzRecord(f *testing.F) {
	s := &pages{}
	m, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e", Learn: &Learn{Same: same}})
	require.NoError(f, err)
	_, err = m.Call(f.Context(), "how big")
	require.NoError(f, err)
	for _, e := range s.m {
		f.Add(e.Extra)
		f.Add([]byte(strings.Replace(string(e.Extra), `}`, `,"observations":[{"score":.9,"right":true}]}`, 1)))
	}
	f.Add([]byte(`{"scope":"AA==","vector":"AAAAAA=="}`))
	response, _ := (&constant{}).GenerateContent(f.Context(), nil)
	f.Fuzz(func(t *testing.T, extra []byte) {
		from := &cache.Entry{Response: response, Extra: extra}
		r, ok := recordOf(from)
		if !ok {
			return
		}
		scope := cache.Key(r.Scope)
		key := m.storeKey(scope, string(r.Question))
		s := &pages{m: map[cache.Key]*cache.Entry{key: from}}
		again, err := New(&echo{}, one, .9, &Options{Store: s, Model: "m", Embedder: "e", Learn: &Learn{Same: same}})
		require.NoError(t, err)
		n, err := again.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, n, again.Len())
		for _, el := range again.entries {
			e := el.Value.(*entry)
			for _, m := range again.o.Index.Nearest(scope, e.vector, 1) {
				require.InDelta(t, 1, m.Score, 1e-3)
			}
			require.False(t, again.learner.threshold(&e.learned) < .5)
		}
		n, err = again.Delete(t.Context(), func(Stored) bool { return true })
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Empty(t, s.m)
	})
}
