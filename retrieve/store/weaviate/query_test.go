package weaviate

import (
	"context"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
	"github.com/prodailabs/prodai/retrieve/store/internal/terms"
)

// FuzzQueryText: whatever a filter says, the text of the query has only hashes, numbers and
// the words of Weaviate in it.
func FuzzQueryText(f *testing.F) {
	f.Add(`k = '") { id } } #' and not x < 3`)
	f.Add("`a\"]}` in ('b', 1e300, true) or k >= 'zzz'")
	allowed := regexp.MustCompile(`^(?:[ {}\[\],:]|path|operator|operands|And|Or|ContainsAny|ContainsNone|(?:Less|Greater)Than(?:Equal)?|valueText|valueNumber|"terms"|"t?(?:lo|hi)_[0-9a-f]{32}"|"t?[0-9a-f]*"|[-+0-9.e]+)*$`)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := retrieve.ParseFilter(text)
		if err != nil {
			t.Skip()
		}
		where, _ := store.Lower(filter)
		if where == nil {
			t.Skip()
		}
		d := &DB{fields: map[string]bool{}}
		var keys func(c *store.Condition)
		keys = func(c *store.Condition) {
			for _, field := range []string{terms.Low(c.Key), terms.High(c.Key), terms.LowText(c.Key), terms.HighText(c.Key)} {
				d.fields[field] = true
			}
			for i := range c.Parts {
				keys(&c.Parts[i])
			}
		}
		keys(where)
		b := d.builder(context.Background())
		out, err := terms.Compile(where, b.Builder)
		require.NoError(t, err)
		require.NoError(t, b.err)
		require.Regexp(t, allowed, out)
	})
}
