package judge_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
)

func cacheAt(t *testing.T, path string) *judge.FileCache {
	t.Helper()
	c, err := judge.OpenFileCache(path)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestACachedResultEqualsTheFreshOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	cache := cacheAt(t, path)
	good := say(`"reason": "half", "grades": {"correct": 3, "polite": 1}`)
	j, s := scripted(t, &judge.Options{Cache: cache}, good, say(`"verdict": "first"`), say(`"verdict": "second"`))
	item := judge.Item{Input: "q", Output: "x"}
	fresh, err := j.Grade(context.Background(), item)
	require.NoError(t, err)
	pair, err := j.Compare(context.Background(), item, "a", "b")
	require.NoError(t, err)
	require.NoError(t, cache.Close())

	j, s2 := scripted(t, &judge.Options{Cache: cacheAt(t, path)})
	again, err := j.Grade(context.Background(), item)
	require.NoError(t, err)
	assert.Equal(t, judge.Spent{Cached: 1}, again.Spent)
	again.Spent = fresh.Spent
	assert.Equal(t, fresh, again)
	pair2, err := j.Compare(context.Background(), item, "a", "b")
	require.NoError(t, err)
	assert.Equal(t, judge.Spent{Cached: 2}, pair2.Spent)
	pair2.Spent = pair.Spent
	assert.Equal(t, pair, pair2)
	assert.Len(t, s.Calls(), 3)
	assert.Empty(t, s2.Calls())
}

func TestOnlyEqualContentIsAHit(t *testing.T) {
	good := say(`"grades": {"correct": 3, "polite": 1}`)
	good.Times = -1
	cache := cacheAt(t, filepath.Join(t.TempDir(), "cache"))
	j, s := scripted(t, &judge.Options{Cache: cache}, good)
	for _, item := range []judge.Item{{Output: "x"}, {Output: "y"}, {Input: "x", Output: "x"}, {Context: []string{"ab", "c"}, Output: "x"}, {Context: []string{"a", "bc"}, Output: "x"}, {Output: "x"}} {
		_, err := j.Grade(context.Background(), item)
		require.NoError(t, err)
	}
	assert.Len(t, s.Calls(), 5)

	other, err := judge.New(s, "judge-2026-02-02", rubric, &judge.Options{Cache: cache, Nonce: fixed})
	require.NoError(t, err)
	_, err = other.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Len(t, s.Calls(), 6, "another version is another judge")

	j, s = scripted(t, &judge.Options{Cache: cache, Temperature: 1}, good)
	for range 3 {
		_, err = j.Grade(context.Background(), judge.Item{Output: "x"})
		require.NoError(t, err)
	}
	assert.Len(t, s.Calls(), 3, "samples differ")
}

func TestFailuresAreNotCached(t *testing.T) {
	good := say(`"grades": {"correct": 3, "polite": 1}`)
	for _, bad := range []modeltest.Turn{modeltest.Say("{"), say(`"abstain": true`), modeltest.Say("I cannot grade this text.")} {
		j, s := scripted(t, &judge.Options{Cache: cacheAt(t, filepath.Join(t.TempDir(), "cache")), ReAsks: -1}, bad, good)
		r, err := j.Grade(context.Background(), judge.Item{Output: "x"})
		require.NoError(t, err)
		require.NotEqual(t, judge.OutcomeScored, r.Outcome)
		r, err = j.Grade(context.Background(), judge.Item{Output: "x"})
		require.NoError(t, err)
		require.Equal(t, judge.OutcomeScored, r.Outcome)
		assert.Len(t, s.Calls(), 2)
	}
}

func TestGEvalIsCachedWhole(t *testing.T) {
	turn := say(`"score": 3`)
	turn.Times = -1
	s := &modeltest.Script{Turns: []modeltest.Turn{turn}}
	g, err := judge.NewGEval(s, "m", "c", nil, &judge.GEvalOptions{Samples: 4, Options: &judge.Options{Nonce: fixed, Cache: cacheAt(t, filepath.Join(t.TempDir(), "cache"))}})
	require.NoError(t, err)
	fresh, err := g.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	again, err := g.Grade(context.Background(), judge.Item{Output: "x"})
	require.NoError(t, err)
	assert.Equal(t, 5, fresh.Spent.Calls)
	assert.Equal(t, judge.Spent{Cached: 1}, again.Spent)
	again.Spent = fresh.Spent
	assert.Equal(t, fresh, again)
}

func TestAFileCacheThatACrashCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	c := cacheAt(t, path)
	require.NoError(t, c.Put(context.Background(), "a", []byte("1")))
	require.NoError(t, c.Put(context.Background(), "b", []byte("2")))
	require.NoError(t, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)-3], 0o600))
	c = cacheAt(t, path)
	_, ok, err := c.Get(context.Background(), "b")
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, c.Put(context.Background(), "b", []byte("3")))
	require.NoError(t, c.Close())
	for key, want := range map[string]string{"a": "1", "b": "3"} {
		value, ok, err := cacheAt(t, path).Get(context.Background(), key)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, want, string(value))
	}
	require.NoError(t, os.WriteFile(path, []byte("a file of notes\nand more\n"), 0o600))
	_, err = judge.OpenFileCache(path)
	require.ErrorContains(t, err, "line 1")
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "a file of notes\nand more\n", string(kept), "a file of another kind is not changed")
	require.NoError(t, os.WriteFile(path, []byte("a file of notes without a line end"), 0o600))
	_, err = judge.OpenFileCache(path)
	require.ErrorContains(t, err, "line 1")
}

type broken struct{ get, put error }

func (b broken) Get(context.Context, string) ([]byte, bool, error) { return nil, false, b.get }
func (b broken) Put(context.Context, string, []byte) error         { return b.put }

func TestAFailedCacheIsAnError(t *testing.T) {
	down := errors.New("disk full")
	for _, c := range []broken{{get: down}, {put: down}} {
		j, _ := scripted(t, &judge.Options{Cache: c}, say(`"grades": {"correct": 3, "polite": 1}`))
		_, err := j.Grade(context.Background(), judge.Item{Output: "x"})
		require.ErrorIs(t, err, down)
	}
}

func TestQuestions(t *testing.T) {
	_, err := judge.NewQuestion(nil, "m", `{"check": ""}`, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	s := &modeltest.Script{}
	_, err = judge.NewQuestion(s, "m", "no form", nil)
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.NewQuestion(s, "a|b", `{"check": ""}`, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	q, err := judge.NewQuestion(s, "m", `List. {"check": "..."}`, &judge.Options{Nonce: fixed, ReAsks: 9})
	require.NoError(t, err)
	_, err = q.Ask(context.Background(), nil, nil)
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = q.Ask(context.Background(), []judge.Part{{Title: "a\nb"}}, func(judge.Reply) error { return nil })
	require.ErrorIs(t, err, judge.ErrOption)

	for _, body := range []string{
		`"t": null`, `"t": ["a", null]`, `"t": ["a"], "o": [1]`, `"t": ["a"], "o": []`, `"t": ["a"], "o": [{"b": "yes", "n": 1}]`,
		`"t": ["a"], "o": [{"b": true, "b": false}]`, `"t": ["a"], "o": [{"b": true, "n": 7}]`, `"t": ["a"], "o": [{"b": true, "n": 2}], "more": 1`,
	} {
		s.Turns = append(s.Turns, say(body))
	}
	s.Turns = append(s.Turns, say(`"t": ["a"], "o": [{"b": false, "n": 2}]`))
	var texts []string
	a, err := q.Ask(context.Background(), []judge.Part{{Title: "TEXT", Text: "x"}}, func(r judge.Reply) error {
		var err error
		if texts, err = r.Texts("t"); err != nil {
			return err
		}
		list, err := r.Objects("o", 1)
		if err != nil {
			return err
		}
		if b, err := list[0].Bool("b"); err != nil || b {
			return errors.Join(err, errors.New("not false"))
		}
		if _, err := list[0].Number("n", judge.Range{Min: 1, Max: 5}); err != nil {
			return err
		}
		return r.Only("t", "o")
	})
	require.NoError(t, err)
	assert.Equal(t, judge.OutcomeScored, a.Outcome, a.Reason)
	assert.Equal(t, 9, a.Spent.Calls)
	assert.Equal(t, []string{"a"}, texts)
	assert.Equal(t, q.Version(), a.Judge)
}
