package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, writeFile(path, []byte(text)))
}

// TestQEDKeepsItsEvaluationOut: no held-out question or paragraph is trained on.
func TestQEDKeepsItsEvaluationOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qed.jsonl")
	var b strings.Builder
	for i := range 900 {
		fmt.Fprintf(&b, `{"question_text":"question %d","paragraph_text":"paragraph  %d"}`+"\n", i, i/2)
	}
	write(t, path, b.String())
	_, _, err := qed(path)
	require.Error(t, err) // 450 paragraphs are too few for 700 questions

	for i := range 800 {
		fmt.Fprintf(&b, `{"question_text":"other %d","paragraph_text":"text %d"}`+"\n", i, i)
	}
	write(t, path, b.String())
	train, held, err := qed(path)
	require.NoError(t, err)
	require.Len(t, held, heldQED)
	require.NotEmpty(t, train)
	out := map[string]bool{}
	for _, p := range held {
		require.False(t, out[p.B])
		out[p.A], out[p.B] = true, true
	}
	for _, p := range train {
		require.False(t, out[p.A] || out[p.B])
	}
}

func TestWordnet(t *testing.T) {
	dir := t.TempDir()
	line := "00001740 03 n 02 living_thing 0 being 0 000 | a thing that is alive, as plants and animals are  \n"
	write(t, dir+"/data.noun", "  1 license text | of the file, which is not a synonym set at all\n"+line)
	write(t, dir+"/data.verb", "")
	write(t, dir+"/data.adj", "")
	pairs, err := wordnet(dir)
	require.NoError(t, err)
	require.Equal(t, []pair{{A: "living thing, being", B: "a thing that is alive, as plants and animals are"}}, pairs)
	write(t, dir+"/data.adj", "1 2 n zz a b | the number of words is not one, so the file is damaged\n")
	_, err = wordnet(dir)
	require.Error(t, err)
}

func TestMedquad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a/1.xml", `<Document><QAPairs><QAPair><Question>What is a cold ?</Question><Answer>A cold is an infection of the nose and the throat.</Answer></QAPair><QAPair><Question>No answer ?</Question></QAPair></QAPairs></Document>`)
	pairs, err := medquad(dir)
	require.NoError(t, err)
	require.Equal(t, []pair{{A: "What is a cold ?", B: "A cold is an infection of the nose and the throat."}}, pairs)
	_, err = medquad(t.TempDir())
	require.Error(t, err)
}

// TestPages: a heading with the text below it, without code; and of a long text, a
// sentence with the rest.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	sentences := "The first sentence says what it is. The second sentence says how it is used. The third one says when it fails. "
	write(t, dir+"/x.html", "<html><head><title>T</title></head><body><h1>Backups</h1><p>"+sentences+"</p><pre>code</pre><h2>Empty</h2><h2>Short</h2><p>Few words.</p></body></html>")
	pairs, err := pages(dir)
	require.NoError(t, err)
	require.Len(t, pairs, 2)
	require.Equal(t, pair{A: "Backups", B: strings.TrimSpace(sentences)}, pairs[0])
	require.Equal(t, "The second sentence says how it is used.", pairs[1].A)
	require.Equal(t, "The first sentence says what it is. The third one says when it fails.", pairs[1].B)
}

func TestSpeeches(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.txt", "We meet here today \xff to speak of the state of things.\r\nMuch was done in the year that is over. More is left to do in the year to come!")
	pairs, err := speeches(dir)
	require.NoError(t, err)
	require.Equal(t, []pair{{A: "Much was done in the year that is over.", B: "We meet here today to speak of the state of things. More is left to do in the year to come!"}}, pairs)
}

func TestCutKeepsCharactersAndWords(t *testing.T) {
	require.Equal(t, "a b", cut(" a\n b "))
	long := cut(strings.Repeat("höhe ", 400))
	require.LessOrEqual(t, len(long), longest)
	require.True(t, strings.HasSuffix(long, " höhe"))
	require.LessOrEqual(t, len(cut(strings.Repeat("é", 900))), longest)
}

// TestInterleave: any beginning has all sources, and nothing is lost.
func TestInterleave(t *testing.T) {
	part := func(name string, n int) (out []pair) {
		for i := range n {
			out = append(out, pair{Source: name, A: fmt.Sprint(i)})
		}
		return out
	}
	all := interleave([][]pair{part("a", 100), part("b", 40), nil})
	require.Len(t, all, 140)
	require.Equal(t, "a", all[0].Source)
	require.Equal(t, "b", all[stretch].Source)
	require.Equal(t, pair{Source: "a", A: "99"}, all[139])
	require.Len(t, spread(part("a", 1000), 100), 96)
	require.Equal(t, part("a", 5), spread(part("a", 5), 100))
}

func TestCommands(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"pairs", "-sources", t.TempDir()}, {"train", "-pairs", "none"}, {"eval", "-golden", t.TempDir()}, {"teach", "-pairs", "none"}} {
		require.Error(t, run(t.Context(), args, &bytes.Buffer{}), args)
	}
}
