package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/model"
)

func TestGrammarIsWholeAndRepeatable(t *testing.T) {
	all := synthetic()
	require.Equal(t, all, synthetic())
	n := [2]int{}
	for _, e := range all {
		n[e.Label]++
		require.NotContains(t, e.Text, "$TASK")
		require.NotContains(t, e.Text, "{|")
	}
	require.Greater(t, n[0], 2000)
	require.Greater(t, n[1], 3000)
}

func TestLettersAndFolds(t *testing.T) {
	require.Len(t, bigrams(nil), 27*27)
	require.True(t, strings.HasPrefix(foldOf(example{Source: "neuralchemy/x"}), "neuralchemy"))
}

func TestChoose(t *testing.T) {
	require.Equal(t, []string{"a", "{b|c}", "d"}, split("a|{b|c}|d"))
	for _, e := range expand("X = p | q\n3 {a|b} $X {c{d|d}|cd}!", 1, "s") {
		require.Contains(t, []string{"a p cd!", "a q cd!", "b p cd!", "b q cd!"}, e.Text)
	}
}

// Each sentence is where its document says, and some element of the document is it.
func TestDocumentsAreWhole(t *testing.T) {
	all := documents()
	require.Equal(t, all[len(all)-50:], documents()[len(all)-50:], "the same documents each time")
	ex := model.New(injection.Normalize)
	found, asked, clean := 0, 0, 0
	for _, d := range all {
		for _, left := range []string{"$NAME", "$TOPIC", "$FIRM", "⟦", "⟧", "¦"} {
			require.NotContains(t, d.text, left)
		}
		if d.request == "" {
			clean++
			continue
		}
		asked++
		require.True(t, d.from >= 0 && d.from < d.to && d.to <= len(d.text))
		for _, r := range docRows(ex, []document{d}) {
			if r.Label == 1 {
				found++
				break
			}
		}
	}
	require.Greater(t, clean, 5000)
	require.Greater(t, asked, 5000)
	require.Greater(t, found*100, asked*85, "%d of %d: the others share a line with the text around them", found, asked)
}

func TestEveryLanguageHasBothLabels(t *testing.T) {
	n := map[string][2]int{}
	for _, e := range multilingual() {
		c := n[e.Lang]
		c[e.Label]++
		n[e.Lang] = c
	}
	for _, lang := range strings.Fields("ar hi th tr ko ja vi id bn tl zh ru he fa el uk de fr es pt it") {
		require.Greater(t, n[lang][0], 10, lang)
		require.Greater(t, n[lang][1], 5, lang)
	}
}
