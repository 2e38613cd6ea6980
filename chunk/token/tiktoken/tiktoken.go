package tiktoken

import (
	"fmt"
	"path"
	"slices"
	"strings"

	tiktokengo "github.com/pkoukk/tiktoken-go"

	"github.com/prodailabs/prodai/chunk/token/openai"
)

// An UnknownFileError is the error for a file that is not one of an encoding of
// OpenAI.
type UnknownFileError struct {
	File string // as it was asked for
}

func (e *UnknownFileError) Error() string {
	return fmt.Sprintf("tiktoken: there are no ranks for the file %q: want one of %q", e.File, Files())
}

// suffix ends the name of a file of ranks.
const suffix = ".tiktoken"

// Files returns the names of the files that a [Loader] has.
func Files() []string {
	return []string{"r50k_base" + suffix, "p50k_base" + suffix, "cl100k_base" + suffix, "o200k_base" + suffix}
}

// A Loader is a BpeLoader of tiktoken-go with the ranks of this module. Its zero
// value is ready to use, by several goroutines at once.
type Loader struct{}

var _ tiktokengo.BpeLoader = Loader{}

// LoadTiktokenBpe returns the ranks of a file, given by its URL or path, of which
// only the last element counts. The caller owns the map. A file that isn't one of
// [Files] gives an [*UnknownFileError].
func (Loader) LoadTiktokenBpe(file string) (map[string]int, error) {
	name := path.Base(file)
	if !slices.Contains(Files(), name) {
		return nil, &UnknownFileError{file}
	}
	e, err := openai.Encoding(strings.TrimSuffix(name, suffix))
	if err != nil {
		return nil, err
	}
	ranks := e.Ranks()
	out := make(map[string]int, ranks.Len())
	for id := range ranks.Len() {
		if t := ranks.Token(id); t != "" {
			out[t] = id
		}
	}
	return out, nil
}

// Use sets the loader of tiktoken-go, for the whole program, to a [Loader]. Call it
// once, before other goroutines use tiktoken-go.
func Use() { tiktokengo.SetBpeLoader(Loader{}) }
