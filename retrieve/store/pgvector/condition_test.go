package pgvector

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// FuzzConditionText: no key and no value is a part of the statement, and each parameter is
// used.
func FuzzConditionText(f *testing.F) {
	f.Add(`k = 'x'' OR ''1''=''1' and not x < 3`)
	f.Add("`a') --` in ('b', 1e300, true) or k >= 'zzz'")
	allowed := regexp.MustCompile(`^(?:[ ()<>=@|:*]|->|#>>|'\{\}'|'null'|'array'|'number'|'string'|"C"|<>|,|\$\d+|AND|OR|NOT|TRUE|FALSE|EXISTS|SELECT|1|FROM|WHERE|CASE|WHEN|THEN|ELSE|END|AS|COLLATE|coalesce|jsonb_typeof|jsonb_array_elements|jsonb_build_array|jsonb|unnest|metadata|text|float8|\[\]|[ve])*$`)
	parameter := regexp.MustCompile(`\$(\d+)`)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := retrieve.ParseFilter(text)
		if err != nil {
			t.Skip()
		}
		where, _ := store.Lower(filter)
		if where == nil {
			t.Skip()
		}
		q := &query{args: []any{"vector", 10}}
		sql := q.condition(where)
		require.Regexp(t, allowed, sql)
		used := map[int]bool{1: true, 2: true}
		for _, m := range parameter.FindAllStringSubmatch(sql, -1) {
			n, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			require.LessOrEqual(t, n, len(q.args))
			used[n] = true
		}
		require.Len(t, used, len(q.args))
	})
}
