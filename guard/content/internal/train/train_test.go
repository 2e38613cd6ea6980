package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/model"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// A sentence with a mark is toxic, counted in characters; a post without one is left out.
func TestCivil(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tsd_train.csv", "tsd_trial.csv", "tsd_test.csv"} {
		write(t, dir, "toxic_spans/SemEval2021/data/"+name, "spans,text\n\"[20, 21, 22, 23, 24]\",\"Ça va très bien. You idiot there. We agree.\"\n[],\"Nothing is marked here.\"\n")
	}
	all, err := readCivil(dir)
	require.NoError(t, err)
	require.Len(t, all, 9)
	for i, want := range []int{0, 1, 0} {
		require.Equal(t, want, all[i].label, all[i].text)
	}
	_, err = readCivil(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"CAT_LARGE/gc.csv", "CAT_LARGE/gn.csv"} {
		write(t, dir, "context_toxicity/data/"+name, "id,text,label\n1,a,0\n2,b,1\n")
	}
	write(t, dir, "context_toxicity/data/CAT_SMALL/cat_small.csv", "text,label_oc\nc,1\n")
	eval := "unintended-ml-bias-analysis/archive/unintended_ml_bias/eval_datasets/"
	write(t, dir, eval+"toxicity_nonfuzzed_testset.csv", "rev_id,comment,toxic\n1,d,True\n2,e,False\n")
	write(t, dir, eval+"bias_madlibs_77k.csv", "Text,Label,Template\nf,BAD,verb_adj\ng,NOT_BAD,name_adj\n")
	write(t, dir, "hate-speech-and-offensive-language/data/labeled_data.csv", "class,tweet\n0,\"!!! RT @h_i: j &amp; k https://t.co/x\"\n1,l\n2,m\n")
	write(t, dir, "toxicity/toxicity_en.csv", "text,is_toxic\nn,Toxic\no,Not Toxic\n")
	write(t, dir, "hatecheck-data/test_suite_cases.csv", "test_case,label_gold,functionality\np,hateful,slur_h\n")
	path := filepath.Join(dir, "moderation-api-release", "data", "samples-1680.jsonl.gz")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.Create(path)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte("{\"prompt\":\"q\",\"H\":1}\n{\"prompt\":\"r\",\"S\":1}\n{\"prompt\":\"s\",\"H\":0}\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	for _, c := range []struct {
		read func(string) ([]example, error)
		want []example
	}{
		{readWikipedia, []example{{"a", 0, wikipedia, ""}, {"b", 1, wikipedia, ""}, {"a", 0, wikipedia, ""}, {"b", 1, wikipedia, ""}, {"c", 1, wikipedia, ""}, {"d", 1, wikipedia, ""}, {"e", 0, wikipedia, ""}}},
		{readTemplates, []example{{"f", 1, templates, ""}}},
		{readTweets, []example{{"j & k", 1, tweets, ""}, {"m", 0, tweets, ""}}},
		{readSocial, []example{{"n", 1, social, ""}, {"o", 0, social, ""}}},
		{readChecks, []example{{"p", 1, checks, "slur_h"}}},
		{readPrompts, []example{{"q", 1, prompts, ""}, {"s", 0, prompts, ""}}},
	} {
		got, err := c.read(dir)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

// The two labels of what is trained on are separated.
func TestTrain(t *testing.T) {
	ex := model.New(injection.Normalize)
	samples := prepare(ex, []example{
		{"you are an idiot", 1, "a", ""}, {"what an idiot he is", 1, "b", ""},
		{"you are a friend. We met at nine.", 0, "a", ""}, {"what a day it is", 0, "b", ""}, {"the lamp is green", 0, "b", ""}, {"", 0, "b", ""},
	})
	require.Len(t, samples, 5, "a text without a word is left out")
	w := train(samples, 4, func(*sample) bool { return true })
	checker, err := toxicWith(model.Encode(w, w[model.Buckets], 0))
	require.NoError(t, err)
	got, err := measure(checker, samples)
	require.NoError(t, err)
	for i, s := range got {
		require.Equal(t, s.Label == 1, s.Margin > 0, samples[i].text)
	}
}
