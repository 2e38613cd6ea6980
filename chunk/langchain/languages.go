package langchain

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// separatorData are the lists of langchain-text-splitters 1.1.3 (MIT).
//
//go:embed separators.json
var separatorData []byte

// Separators returns the separators for a programming or markup language, as
// regular expressions from coarse to fine: those of langchain's
// RecursiveCharacterTextSplitter.from_language. An unknown language is an
// [ErrOption] that names the known ones.
//
//	separators, err := langchain.Separators("python")
//	c, err := langchain.New(&langchain.Options{Separators: separators, Regexp: true, Size: 1000})
//
// For Go source use [chunk.Go], which knows the syntax.
func Separators(language string) ([]string, error) {
	var all map[string][]string
	if err := json.Unmarshal(separatorData, &all); err != nil {
		return nil, fmt.Errorf("langchain: the embedded separators: %w", err)
	}
	if s, ok := all[strings.ToLower(language)]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("%w: the language is %q: want one of %s", ErrOption, language, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
}
