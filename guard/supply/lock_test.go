package supply

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

var revision = strings.Repeat("0a", 20)

func folder() fstest.MapFS {
	return fstest.MapFS{
		"config.json":       {Data: []byte(`{"model_type":"llama"}`)},
		"model.safetensors": {Data: st(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, 3)},
		"sub/README.md":     {Data: []byte("# A model")},
	}
}

func TestLock(t *testing.T) {
	ctx := context.Background()
	s, err := New(nil)
	require.NoError(t, err)
	l, err := s.Lock(ctx, folder(), "hf://org/model", revision)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = l.WriteTo(&b)
	require.NoError(t, err)
	again, err := ReadLock(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Equal(t, l, again)
	changes, err := again.Verify(ctx, folder())
	require.NoError(t, err)
	require.Empty(t, changes)

	moved := folder()
	moved["model.safetensors"].Data[len(moved["model.safetensors"].Data)-1] = 1
	delete(moved, "config.json")
	moved["extra.pkl"] = &fstest.MapFile{Data: evil}
	changes, err = again.Verify(ctx, moved)
	require.NoError(t, err)
	require.Equal(t, []Change{{"config.json", "missing"}, {"extra.pkl", "added"}, {"model.safetensors", "changed"}}, changes)

	_, err = s.Lock(ctx, moved, "hf://org/model", revision)
	require.ErrorContains(t, err, "extra.pkl is not pinned: it is unsafe")
	for _, r := range []string{"main", "", "v1.0", strings.Repeat("0", 39)} {
		_, err = s.Lock(ctx, folder(), "hf://org/model", r)
		require.ErrorIs(t, err, ErrOption, r)
	}
	_, err = again.Verify(ctx, nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestReadLockRefuses(t *testing.T) {
	file := func(path string) string {
		return `{"path":"` + path + `","bytes":1,"sha256":"` + strings.Repeat("ab", 32) + `","status":"clean"}`
	}
	lock := func(version, source, files string) string {
		return `{"version":` + version + `,"source":"` + source + `","revision":"` + revision + `","files":[` + files + `]}`
	}
	_, err := ReadLock(strings.NewReader(lock("1", "x", file("a/b"))))
	require.NoError(t, err)
	for _, text := range []string{
		"", "{}", "[]", lock("2", "x", ""), lock("1", "", ""), lock("1", "x", file("../a")), lock("1", "x", file("/a")), lock("1", "x", file("a//b")),
		lock("1", "x", file("a")+","+file("a")), lock("1", "x", strings.Replace(file("a"), "abab", "ABAB", 1)), lock("1", "x", "") + "x",
		strings.Replace(lock("1", "x", ""), "version", "vershun", 1),
	} {
		_, err := ReadLock(strings.NewReader(text))
		require.ErrorIs(t, err, ErrLock, text)
	}
	_, err = ReadLock(nil)
	require.ErrorIs(t, err, ErrOption)
}

func FuzzReadLock(f *testing.F) {
	f.Add([]byte(`{"version":1,"source":"x","revision":"` + revision + `","files":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ReadLock(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrLock)
			return
		}
		var b bytes.Buffer
		_, err = l.WriteTo(&b)
		require.NoError(t, err)
		again, err := ReadLock(&b)
		require.NoError(t, err)
		require.Equal(t, len(l.Pins), len(again.Pins))
	})
}

func TestNames(t *testing.T) {
	n, err := NewNames(PopularNames(), &NamesOptions{Allow: []string{"torchx"}})
	require.NoError(t, err)
	// The first block are typosquats that were found on public indexes, or of their form.
	for name, want := range map[string]Near{
		"reqeusts":                          {"requests", "edit", 1},
		"requets":                           {"requests", "edit", 1},
		"tensorfow":                         {"tensorflow", "edit", 1},
		"tenserflow":                        {"tensorflow", "edit", 1},
		"pytorch-lightnin":                  {},
		"python-requests":                   {"requests", "added word", 6},
		"requests-dev":                      {"requests", "added word", 3},
		"huggingfacehub":                    {"huggingface-hub", "same letters", 1},
		"hub-huggingface":                   {"huggingface-hub", "order of words", 15},
		"nurnpy":                            {"numpy", "look-alike", 2},
		"0penai":                            {"openai", "look-alike", 1},
		"оpenai":                            {"openai", "look-alike", 1}, // a Cyrillic o
		"dateutil-python":                   {"python-dateutil", "order of words", 14},
		"colourama":                         {"colorama", "edit", 1},
		"meta-llarna/Llama-3.1-8B-Instruct": {"meta-llama/Llama-3.1-8B-Instruct", "look-alike", 2},
		"evil/Llama-3.1-8B-Instruct":        {"meta-llama/Llama-3.1-8B-Instruct", "owner", 10},
		"meta-llama/Llama-3.1-8B-Instuct":   {"meta-llama/Llama-3.1-8B-Instruct", "edit", 1},
		// Names of their own.
		"torch": {}, "Torch": {}, "scikit_learn": {}, "SCIKIT.LEARN": {}, "torchx": {}, "networkx": {}, "sympy": {}, "statsmodels": {}, "lightgbm": {}, "xgboost": {}, "cv": {}, "": {},
	} {
		got, ok := n.Near(name)
		if want.Known == "" {
			require.False(t, ok, "%s: %v", name, got)
			continue
		}
		require.True(t, ok, name)
		require.Equal(t, want.Known, got.Known, name)
		require.Equal(t, want.Reason, got.Reason, name)
	}
	// The finder does not call one popular name a copy of another, because it knows both.
	for _, name := range PopularNames() {
		_, ok := n.Near(name)
		require.False(t, ok, name)
	}
	_, ok := n.Near(strings.Repeat("a", 1<<20))
	require.False(t, ok)
	for _, known := range [][]string{nil, {""}, {strings.Repeat("a", 300)}} {
		_, err := NewNames(known, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("kitten", "sitting"))
	require.Equal(t, 3, distance("", "abc"))
}
