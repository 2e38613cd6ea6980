package corpus

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"
)

// askedLines has a line for each paragraph of the notes that answers something:
// questions that newcomers would ask, by authors who saw only the paragraph. See
// README.md of this folder.
//
//go:embed asked.jsonl
var askedLines string

var asked = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(askedLines) {
		var row struct {
			ID    string
			Asked []string
		}
		if json.Unmarshal([]byte(line), &row) == nil { // TestAsked reads every line
			out[row.ID] = row.Asked
		}
	}
	return out
})

// Asked returns questions that a paragraph of the notes answers, in other words than
// its own: document expansion, as doc2query does it. Only the authors' own texts have
// some, and only as long as the paragraph is as they saw it.
func Asked(text string) []string { return asked()[askedID(text)] }

// askedID names a text without the headings above it.
func askedID(text string) string {
	for text = strings.TrimLeft(text, "\n"); strings.HasPrefix(text, "#"); text = strings.TrimLeft(text, "\n") {
		_, text, _ = strings.Cut(text, "\n")
	}
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	return hex.EncodeToString(sum[:6])
}
