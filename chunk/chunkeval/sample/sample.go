package sample

import (
	"bytes"
	"embed"

	"github.com/prodailabs/prodai/chunk/chunkeval"
)

//go:embed testdata
var files embed.FS

// Corpora are the names of the texts.
func Corpora() []string { return []string{"chatlogs", "state_of_the_union"} }

// Data returns the data set.
func Data() (*chunkeval.Data, error) {
	corpora := map[string]string{}
	for _, name := range Corpora() {
		text, err := files.ReadFile("testdata/" + name + ".md")
		if err != nil {
			return nil, err
		}
		corpora[name] = string(text)
	}
	questions, err := files.ReadFile("testdata/questions.jsonl")
	if err != nil {
		return nil, err
	}
	return chunkeval.Read(bytes.NewReader(questions), corpora)
}
