package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const chapter = `<document xmlns="http://cnx.rice.edu/cnxml"><title>Taste</title>
<metadata xmlns:md="http://cnx.rice.edu/mdml"><md:title>Taste</md:title><md:abstract><para>What you will learn here.</para></md:abstract></metadata>
<content><section><title>The <emphasis>Tongue</emphasis></title>
<para>A <term>taste bud</term> has cells that answer to molecules of food&nbsp;and drink.</para>
<figure><caption>A picture of a tongue.</caption></figure>
<para>Their life lasts ten days (<link target-id="x"/>), and then others take <m:math xmlns:m="m"><m:mi>q</m:mi></m:math> their place.</para></section>
<exercise><problem><para>Why does a burned tongue heal?</para></problem><solution><para>Because its cells are soon replaced by new ones.</para></solution></exercise>
</content><glossary><definition><term>umami</term><meaning>the taste of broth, meat and other food with proteins</meaning></definition></glossary></document>`

func TestTextbook(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/m1/index.cnxml", chapter)
	pairs, err := textbook(dir)
	require.NoError(t, err)
	require.Equal(t, []pair{
		{A: "Why does a burned tongue heal?", B: "Because its cells are soon replaced by new ones."},
		{A: "umami", B: "the taste of broth, meat and other food with proteins"},
		{A: "Taste: The Tongue", B: "A taste bud has cells that answer to molecules of food and drink. Their life lasts ten days (), and then others take their place."},
	}, pairs)

	write(t, dir+"/m2/index.cnxml", "<document><para>it ends in the mid")
	_, err = textbook(dir)
	require.Error(t, err)
	_, err = textbook(t.TempDir())
	require.Error(t, err)
}

func TestMarkdown(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.md", "---\ntitle: Backups\ntoc: true\n---\n\n{% include x.md %}\nA backup copies [all the rows](rows.html) of a table to a place that you name, each night.\n"+
		"\n## How to restore\n~~~ sql\nRESTORE x;\n~~~\nTo restore a table, give the place of its newest backup and the name of the table again.\n| a | table |\n\n## Empty\n")
	pairs, err := markdown(dir)
	require.NoError(t, err)
	require.Equal(t, []pair{
		{A: "Backups", B: "A backup copies all the rows of a table to a place that you name, each night."},
		{A: "Backups: How to restore", B: "To restore a table, give the place of its newest backup and the name of the table again."},
	}, pairs)
}

func TestTalk(t *testing.T) {
	dir := t.TempDir()
	three := []string{"I would like a table for two people.", "Which city do you have in mind for it?", "In Lyon, please, and not too late there."}
	turns := `{"turns":[{"utterance":"` + strings.Join(three, `"},{"utterance":"`) + `"}]}`
	write(t, dir+"/sgd/d.json", "["+turns+"]")
	pairs, err := services(dir + "/sgd")
	require.NoError(t, err)
	require.Equal(t, []pair{{A: three[1], B: three[0] + " " + three[2]}}, pairs)

	write(t, dir+"/persona/p.csv", "user 1,user 2,talk\n\"I have a dog.\nI sing.\",no,\"User 1: "+strings.Join(three, "\nUser 2: ")+"\"\n")
	pairs, err = chatter(dir + "/persona")
	require.NoError(t, err)
	require.Equal(t, pair{A: "I have a dog. I sing.", B: strings.Join(three, " ")}, pairs[0])
	require.Len(t, pairs, 2)

	write(t, dir+"/squad.json", `{"data":[{"paragraphs":[{"context":"Panthers are large cats that live in forests and hills.","qas":[{"question":"Where do panthers live?"},{"question":"?"}]}]}]}`)
	pairs, err = squad(dir + "/squad.json")
	require.NoError(t, err)
	require.Equal(t, []pair{{A: "Where do panthers live?", B: "Panthers are large cats that live in forests and hills."}}, pairs)

	write(t, dir+"/quotes", `{"question":"where do panthers live","source1":"Panthers are large cats that live in forests and hills.","source2":""}`)
	pairs, err = quotes(dir + "/quotes")
	require.NoError(t, err)
	require.Len(t, pairs, 1)

	for _, name := range []string{"tune", "validation", "test"} {
		write(t, dir+"/"+name+".tsv", "x\tThe bridge , built in 1902 , was closed for repairs . <::::> It opened again in 1990 .\nno tab at all\n")
	}
	pairs, err = splits(dir)
	require.NoError(t, err)
	require.Len(t, pairs, 3)
	require.Equal(t, pair{A: "It opened again in 1990.", B: "The bridge, built in 1902, was closed for repairs."}, pairs[0])
	_, err = splits(dir + "/sgd")
	require.Error(t, err)
}
