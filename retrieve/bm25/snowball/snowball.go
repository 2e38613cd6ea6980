package snowball

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/porter"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"
)

// ErrOption is wrapped by the error of [New] for a language without a stemmer.
var ErrOption = errors.New("snowball: invalid option")

var stemmers = map[string]func(*snowballstem.Env) bool{
	"arabic": arabic.Stem, "danish": danish.Stem, "dutch_porter": dutch.Stem, "english": english.Stem, "finnish": finnish.Stem, "french": french.Stem,
	"german": german.Stem, "hungarian": hungarian.Stem, "irish": irish.Stem, "italian": italian.Stem, "norwegian": norwegian.Stem, "porter": porter.Stem,
	"portuguese": portuguese.Stem, "romanian": romanian.Stem, "russian": russian.Stem, "spanish": spanish.Stem, "swedish": swedish.Stem,
	"tamil": tamil.Stem, "turkish": turkish.Stem,
}

// New returns the stemmer of a language, by its English name in lower case, for
// AnalyzerOptions.Stem of package bm25. "english" is Porter2, "porter" the original
// Porter stemmer, "dutch_porter" the Dutch one that was called "dutch" until Snowball
// 3.0. The words must be in lower case. It fails with [ErrOption]. The
// stemmer is safe for concurrent use.
func New(language string) (func(word string) string, error) {
	stem := stemmers[language]
	if stem == nil {
		return nil, fmt.Errorf("%w: there is no stemmer for %q: want one of %s", ErrOption, language, strings.Join(Languages(), ", "))
	}
	return func(word string) string {
		env := snowballstem.NewEnv(word)
		stem(env)
		return env.Current()
	}, nil
}

// Languages returns the names that [New] knows.
func Languages() []string { return slices.Sorted(maps.Keys(stemmers)) }
