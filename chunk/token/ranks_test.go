package token_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/r50k"
)

// bytesAnd is a vocabulary of the single bytes and more.
func bytesAnd(more ...string) map[string]int {
	vocab := map[string]int{}
	for b := range 256 {
		vocab[string([]byte{byte(b)})] = b
	}
	for i, t := range more {
		vocab[t] = 256 + i
	}
	return vocab
}

func TestMergesKeepTheirOrder(t *testing.T) {
	// "bc" is merged first, so "ab" and "abc" are never made of "abc".
	m := token.Merges{Vocab: bytesAnd("ab", "abc", "bc"), List: [][2]string{{"b", "c"}, {"a", "b"}, {"ab", "c"}}}
	for _, whole := range []bool{false, true} {
		m.Whole = whole
		r, err := m.Ranks()
		require.NoError(t, err)
		e, err := token.New(r, nil)
		require.NoError(t, err)
		require.Equal(t, []int{256, 'b'}, e.Encode("abb"))
		require.Equal(t, []int{'x', 'a', 258}, e.Encode("xabc"))
		want := []int{'a', 258}
		if whole {
			want = []int{257}
		}
		require.Equal(t, want, e.Encode("abc"))
	}
}

func TestMergesThatHaveNoRanks(t *testing.T) {
	var vocabulary *token.VocabularyError
	for what, m := range map[string]token.Merges{
		"no byte":        {Vocab: map[string]int{"a": 0}},
		"no token":       {Vocab: bytesAnd(), List: [][2]string{{"a", "b"}}},
		"same id":        {Vocab: bytesAnd("ab", "cd"), List: [][2]string{{"a", "b"}, {"c", "d"}}},
		"part made late": {Vocab: bytesAnd("abc", "ab"), List: [][2]string{{"ab", "c"}, {"a", "b"}}},
	} {
		if what == "same id" {
			m.Vocab["cd"] = m.Vocab["ab"]
		}
		_, err := m.Ranks()
		require.ErrorAs(t, err, &vocabulary, what)
	}
	// A merge whose part comes late does no harm if its token is there already.
	m := token.Merges{Vocab: bytesAnd("abc", "ab", "bc"), List: [][2]string{{"b", "c"}, {"ab", "c"}, {"a", "bc"}, {"a", "b"}}}
	r, err := m.Ranks()
	require.NoError(t, err)
	e, err := token.New(r, nil)
	require.NoError(t, err)
	require.Equal(t, []int{256, 257}, e.Encode("abcab"))
}

func TestRanksOfRefuses(t *testing.T) {
	for _, bad := range []map[string]int{{"a": -1}, {"a": 1 << 30}, {"": 0}, {"a": 0, "b": 0}} {
		_, err := token.RanksOf(bad)
		require.Error(t, err, "%v", bad)
	}
	r, err := token.RanksOf(map[string]int{"a": 0})
	require.NoError(t, err)
	_, err = token.New(r, nil)
	var vocabulary *token.VocabularyError
	require.ErrorAs(t, err, &vocabulary)
	_, err = token.New(nil, nil)
	require.ErrorIs(t, err, token.ErrOption)
	r, err = token.RanksOf(bytesAnd())
	require.NoError(t, err)
	_, err = token.New(r, &token.Options{Pattern: 99})
	require.ErrorIs(t, err, token.ErrOption)
	require.ErrorContains(t, err, "Options.Pattern is 99: want PatternO200K to PatternWhole")
	for name, id := range map[string]int{"<|x|>": 7, "": 300, "<|y|>": -1, "<|z|>": 1 << 30} {
		_, err = token.New(r, &token.Options{Special: map[string]int{name: id}})
		require.ErrorIs(t, err, token.ErrOption, name)
	}
}

// A token that no merge makes is only found as a whole piece.
func TestUnreachableToken(t *testing.T) {
	r, err := token.RanksOf(bytesAnd("bc", "abc!", "abcdefghij"))
	require.NoError(t, err)
	e, err := token.New(r, &token.Options{Pattern: token.PatternWhole})
	require.NoError(t, err)
	require.Equal(t, []int{258}, e.Encode("abcdefghij"))
	require.Equal(t, []int{257}, e.Encode("abc!"))
	require.Equal(t, []int{'a', 256, '!', '!'}, e.Encode("abc!!"))
	_, err = r.MarshalBinary()
	require.ErrorContains(t, err, "2 tokens")
}

// No text is cut inside of an atom, even if no merge reaches across that place.
func TestAtomsOfSeveralCharacters(t *testing.T) {
	m := token.Merges{
		Vocab: map[string]int{"日": 0, "本語": 1, "中": 2, "日日": 3, "本": 4, "語": 5},
		Atoms: []string{"日", "本語", "中", "本", "語"}, List: [][2]string{{"日", "日"}},
	}
	r, err := m.Ranks()
	require.NoError(t, err)
	e, err := token.New(r, &token.Options{Pattern: token.PatternWhole})
	require.NoError(t, err)
	for range 2 { // the second time from memory
		require.Equal(t, []int{3, 1, 2, 4, 2, 1, 0}, e.Encode("日日本語中本中本語日"))
		require.Equal(t, 7, e.Count("日日本語中本中本語日"))
	}
}

type loader map[string]map[string]int

func (l loader) LoadTiktokenBpe(file string) (map[string]int, error) {
	if tokens, ok := l[file]; ok {
		return tokens, nil
	}
	return nil, errors.New("no such file")
}

func TestLoadRanks(t *testing.T) {
	l := loader{"x.tiktoken": bytesAnd("th", "the")}
	r, err := token.LoadRanks(l, "x.tiktoken")
	require.NoError(t, err)
	e, err := token.New(r, &token.Options{Name: "x", Pattern: token.PatternGPT2})
	require.NoError(t, err)
	require.Equal(t, []int{257, 'r', 'e'}, e.Encode("there"))
	_, err = token.LoadRanks(l, "y.tiktoken")
	require.ErrorContains(t, err, "y.tiktoken")
	_, err = token.LoadRanks(nil, "x.tiktoken")
	require.ErrorIs(t, err, token.ErrOption)
	_, err = token.ReadRanks(nil)
	require.ErrorIs(t, err, token.ErrOption)
}

func TestReadRanks(t *testing.T) {
	for _, bad := range []string{"YQ==", "YQ== x", "!! 3", "YQ== 1\nYQ== 2", "YQ== 1\nYg== 1"} {
		_, err := token.ReadRanks(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
	r, err := token.ReadRanks(strings.NewReader("YQ== 1\n\nYg== 3\n"))
	require.NoError(t, err)
	require.Equal(t, 4, r.Len())
	require.Equal(t, "b", r.Token(3))
	require.Empty(t, r.Token(0)+r.Token(2)+r.Token(4)+r.Token(-1))
	var out bytes.Buffer
	_, err = r.WriteTo(&out)
	require.NoError(t, err)
	require.Equal(t, "YQ== 1\nYg== 3\n", out.String())
}

func FuzzUnmarshalRanks(f *testing.F) {
	packed, err := r50k.Encoding().Ranks().MarshalBinary()
	require.NoError(f, err)
	f.Add(packed[:400])
	small, err := token.RanksOf(bytesAnd("th", "the"))
	require.NoError(f, err)
	packed, err = small.MarshalBinary()
	require.NoError(f, err)
	f.Add(packed)
	f.Add([]byte("prodai ranks 1\n\x01\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := token.UnmarshalRanks(data)
		if err != nil {
			return
		}
		e, err := token.New(r, nil)
		if err != nil {
			return
		}
		text := "the other theatre " + fmt.Sprintf("%q", data)
		back, err := e.Decode(e.Encode(text))
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
}
