package golden

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type record struct {
	logs, errs []string
}

func (r *record) Helper() {}
func (r *record) Logf(f string, a ...any) {
	r.logs = append(r.logs, fmt.Sprintf(f, a...))
}
func (r *record) Errorf(f string, a ...any) {
	r.errs = append(r.errs, fmt.Sprintf(f, a...))
}

type row struct{ N int }

func small(r row) error {
	if r.N > 1 {
		return errors.New("too large")
	}
	return nil
}

func TestRowsReportsFailingIDs(t *testing.T) {
	var r record
	rows(&r, []byte("{\"id\":\"a\",\"N\":1}\n\n{\"id\":\"b\",\"N\":2}\n{\"name\":\"c\",\"N\":3}\n{\"N\":4}\nnot json\n"), small)
	require.Equal(t, []string{"rows: 1 passed, 4 failed"}, r.logs)
	require.Len(t, r.errs, 1)
	for _, want := range []string{"4 of 5", "id b: too large", "line 4, c", "line 5: too large", "line 6: invalid character"} {
		require.Contains(t, r.errs[0], want)
	}
}

func TestRowsNamesAtMostTen(t *testing.T) {
	var r record
	rows(&r, []byte(strings.Repeat("{\"N\":9}\n", 30)), small)
	require.Contains(t, r.errs[0], "30 of 30")
	require.Equal(t, failuresNamed, strings.Count(r.errs[0], "too large"))
}

func TestRowsFailsOnNoRow(t *testing.T) {
	var r record
	rows(&r, []byte("\n \n"), small)
	require.Equal(t, []string{"the golden file holds no row"}, r.errs)
}

func TestRowsReadsALongLine(t *testing.T) {
	var r record
	rows(&r, []byte(`{"id":"`+strings.Repeat("x", 1<<20)+`","N":0}`), small)
	require.Empty(t, r.errs)
}

func TestGoldenSetByEnvironment(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "demo"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "demo", "rows.jsonl"), []byte(`{"N":1}`), 0o644))
	t.Setenv(Env, dir)
	seen := 0
	Rows(t, "demo", "rows.jsonl", func(r row) error { seen += r.N; return nil })
	require.Equal(t, 1, seen)

	skipped := false
	t.Run("missing file skips", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		Read(t, "demo", "absent.jsonl")
	})
	require.True(t, skipped)
}
