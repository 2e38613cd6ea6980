package snowball

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenStems(t *testing.T) {
	golden.Rows(t, "retrieve", "stems.jsonl", func(row struct{ Algorithm, Word, Stem string }) error {
		if row.Algorithm == "dutch" { // of Snowball 3.0, by Kraaij and Pohlmann: the library hasn't it
			return nil
		}
		stem, err := New(row.Algorithm)
		if err != nil {
			return err
		}
		if got := stem(row.Word); got != row.Stem {
			return fmt.Errorf("%s %s: got %s, want %s", row.Algorithm, row.Word, got, row.Stem)
		}
		return nil
	})
}

func TestLanguages(t *testing.T) {
	require.Len(t, Languages(), 19)
	for _, language := range Languages() {
		stem, err := New(language)
		require.NoError(t, err)
		require.NotPanics(t, func() {
			for _, word := range []string{"", "x", "ß", "返金", "\xff", "schlüsseln"} {
				stem(word)
			}
		})
	}
	_, err := New("klingon")
	require.ErrorIs(t, err, ErrOption)
}

func ExampleNew() {
	stem, err := New("german")
	fmt.Println(stem("häuser"), stem("hauses"), err)
	// Output: haus haus <nil>
}
